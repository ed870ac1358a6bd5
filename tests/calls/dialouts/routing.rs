//! Where a dialout's calls go, and what refuses it.

use super::*;

#[test]
fn where_there_is_no_way_the_record_says_so() {
    // No trunk leads out.
    let mut no_trunk = stage();
    no_trunk.groups[0].trunks.clear();
    // The number between is not the account's.
    let mut not_its = stage();
    not_its.dids.retain(|did| did.number != number(REDIRECT));
    for (stage, code, one_is_called) in [(no_trunk, 503, true), (not_its, 404, false)] {
        let mut sim = both(stage);
        sim.dial(dialout(&[]));
        sim.run_for(seconds(6));
        assert_eq!(
            (sim.ua(ALICE).asked("INVITE") > 0, sim.ua(BOB).asked("INVITE")),
            (one_is_called, 0)
        );
        assert_eq!(end(&mut sim), (code, Originator::System));
    }
}

#[test]
fn a_stage_that_is_the_number_between_is_482() {
    let mut sim = both(stage());
    sim.dial(Dialout { stage_one: number(REDIRECT), ..dialout(&[]) });
    sim.run_for(seconds(1));
    assert_eq!(end(&mut sim), (482, Originator::System));
}

#[test]
fn bindings_that_lead_back_to_the_number_between_are_482() {
    const SECOND: &str = "15162065399";
    let mut stage = stage();
    stage.did(SECOND, TrunkGroupIndex(1));
    stage.bind(SECOND, None, REDIRECT, &[]);
    stage.bind(REDIRECT, None, CALLED, &[]);
    let mut sim = both(stage);
    sim.dial(Dialout { stage_two: number(SECOND), ..dialout(&[]) });
    sim.run_for(seconds(6));
    assert_eq!((sim.ua(ALICE).asked("INVITE"), sim.ua(BOB).asked("INVITE")), (1, 0));
    assert_eq!(end(&mut sim), (482, Originator::System));
}

#[test]
fn a_binding_on_the_way_to_a_stage_applies() {
    const SECOND: &str = "15162065399";
    let mut stage = stage();
    stage.did(SECOND, TrunkGroupIndex(1));
    stage.bind(
        SECOND,
        Some(REDIRECT),
        CALLED,
        &[("hide_origination_did", "true"), ("ringback", "moh")],
    );
    let mut sim = both(stage);
    sim.dial(Dialout { stage_two: number(SECOND), ..dialout(&[("ringback", "false")]) });
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    assert!(invite(&mut sim, BOB).header("From").unwrap().contains(SECOND));
    assert!(played(&sim).is_empty(), "the dialout's ringback counts");
    let record = record(&mut sim);
    assert_eq!(
        (record.number_dst, record.leg_b.unwrap().number_dst),
        (number(SECOND), number(CALLED))
    );
    assert!(record.binding.is_none());
}

#[test]
fn a_binding_that_waits_for_its_first_caller_is_claimed_before_the_stage_counts_as_answered() {
    const SECOND: &str = "15162065399";
    let prepared = || {
        let mut stage = stage();
        stage.did(SECOND, TrunkGroupIndex(1));
        stage.bind(SECOND, None, CALLED, &[]);
        stage.wait_for_first_caller(seconds(60));
        both(stage)
    };
    let dialout = || Dialout { stage_two: number(SECOND), ..dialout(&[]) };
    let mut sim = prepared();
    sim.claim_delay = Some(seconds(3));
    sim.dial(dialout());
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(BOB).confirmed(), sim.claims.len()), (1, 1));
    assert!(!heard(&sim).contains(&Hear::Peer));
    sim.run_for(seconds(2));
    assert!(heard(&sim).contains(&Hear::Peer));
    ends_well(&mut sim);

    let mut sim = prepared();
    sim.claim_delay = None;
    sim.dial(dialout());
    sim.run_for(seconds(6));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    assert_eq!(end(&mut sim), (503, Originator::System));
}

#[test]
fn limits_of_the_account_refuse_it() {
    for limit in ["capacity", "cps", "ports", "drain"] {
        let mut stage = stage();
        match limit {
            "capacity" => stage.endpoints[2].capacity = 1,
            "cps" => stage.endpoints[2].cps_limit = 1,
            "ports" => stage.media_ports = 30_000..=30_003,
            _ => {}
        }
        let mut sim = both(stage);
        sim.dial(dialout(&[]));
        sim.run_for(millis(if limit == "cps" { 10 } else { 2000 }));
        if limit == "drain" {
            sim.tell(&Input::Drain);
        }
        sim.dial(Dialout { sid: Sid::from_u128(8), ..dialout(&[]) });
        let refused =
            |sim: &Sim| sim.records.iter().map(|record| record.sip_cause).collect::<Vec<_>>();
        assert_eq!(refused(&sim), [503], "{limit}");
        sim.run_for(seconds(2));
        assert_eq!(
            (sim.ua(ALICE).asked("INVITE"), sim.ua(BOB).confirmed()),
            (1, 1),
            "the first goes on"
        );
        ends_well(&mut sim);
    }
}

#[test]
fn a_full_account_is_told_to_a_stage_two_that_passes_another_one() {
    let mut stage = stage();
    stage.endpoints[1].capacity = 1;
    let mut sim = both(stage);
    sim.dial(dialout(&[]));
    sim.run_for(seconds(2));
    sim.dial(Dialout { sid: Sid::from_u128(8), ..dialout(&[]) });
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).confirmed(), 2, "it hears the tone");
    sim.run_for(seconds(5));
    assert_eq!(sim.records.iter().map(|record| record.sip_cause).collect::<Vec<_>>(), [503]);
    ends_well(&mut sim);
}

#[test]
fn both_stages_fail_over_to_the_next_trunk_and_meet_challenges() {
    let mut stage = stage();
    let carol = stage.way_out(2, 1, 0);
    stage.endpoints[carol.0 as usize].out_credentials = Some(mediator_model::SipCredentials {
        username: "us".into(),
        password: mediator_model::Secret::new("secret"),
    });
    // Both go out: nothing is here but the account's number.
    stage.dids.truncate(1);
    let mut sim = both(stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    sim.ua(carol).quirks.login = Some(("us", "secret"));
    sim.ua(carol).quirks.challenges = true;
    sim.ua(BOB).refuses(503);
    sim.dial(dialout(&[]));
    sim.run_for(seconds(4));
    assert_eq!((sim.ua(carol).confirmed(), sim.ua(BOB).asked("INVITE")), (2, 2), "{}", sim.trace());
    sim.tell(&Input::HangUpAll);
    sim.run_for(seconds(1));
    ends_well(&mut sim);
}

#[test]
fn of_stage_ones_phones_the_one_that_answers_is_leg_a() {
    let mut stage = stage();
    stage.phone("phil", "15550001001");
    let mut sim = both(stage);
    let phones = ["10.3.0.1:5062", "10.3.0.2:5062"].map(|at| {
        let phone = sim.agent("phil", Party::A, at, "phil");
        sim.ua(phone).quirks.login = Some(("phil", "secret"));
        sim.ua(phone).register_as(at, 300);
        sim.run_for(seconds(1));
        phone
    });
    sim.ua(phones[0]).script = vec![(millis(20), ring(180, false, false))];
    sim.ua(phones[1]).answers();
    sim.dial(Dialout { stage_one: number("15550001001"), ..dialout(&[]) });
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(phones[0]).calls[0].cancelled, sim.ua(phones[1]).confirmed()), (true, 1));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    // Requests of stage one reach its own side.
    sim.ua(phones[1]).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    assert!(sim.ua(BOB).calls[0].dialogs[0].heard.last().unwrap().contains("a=sendonly"));
    ends_well(&mut sim);
}
