//! The way to two joined stages, and what each side and the operator is told of it.

use super::*;

#[test]
fn stage_one_is_called_then_stage_two_and_both_see_the_number_between() {
    let mut sim = begun(&[]);
    sim.run_for(millis(300));
    assert_eq!((sim.ua(ALICE).asked("INVITE"), sim.ua(BOB).asked("INVITE")), (1, 0));
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    for (who, called) in [(ALICE, CALLER), (BOB, CALLED)] {
        let invite = invite(&mut sim, who);
        assert!(invite.uri().contains(called), "{}", invite.uri());
        for name in ["From", "P-Asserted-Identity"] {
            assert!(invite.header(name).unwrap().contains(REDIRECT), "{name}");
        }
        assert_eq!(invite.header("Max-Forwards"), Some("70"));
        assert_eq!(sim.ua(who).asked("ACK"), 1);
    }
    assert_eq!(heard(&sim).last(), Some(&Hear::Peer));
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received, "either hangs up: BYE to the other");
    assert_eq!(end(&mut sim), (200, Originator::Destination));
}

#[test]
fn stage_one_hangs_up_and_stage_two_gets_bye() {
    let mut sim = joined(&[]);
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    assert_eq!(end(&mut sim), (200, Originator::Source));
}

#[test]
fn without_hiding_each_stage_sees_the_others_number() {
    let mut sim = both(stage());
    sim.dial(dialout(&[("hide_origination_did", "false")]));
    sim.run_for(seconds(2));
    for (who, shown) in [(ALICE, CALLED), (BOB, CALLER)] {
        let invite = invite(&mut sim, who);
        assert!(invite.header("From").unwrap().contains(shown));
        assert!(invite.header("P-Asserted-Identity").unwrap().contains(shown));
    }
    ends_well(&mut sim);
}

#[test]
fn name_and_headers_go_to_both_stages() {
    let mut sim =
        joined(&[("cnam", "Taxi"), ("sip_header_X-Ride", "42"), ("fix_anonymous_cid", "true")]);
    for who in [ALICE, BOB] {
        let invite = invite(&mut sim, who);
        assert!(invite.header("From").unwrap().starts_with("\"Taxi\" <sip:15162065346@"));
        assert_eq!(invite.header("X-Ride"), Some("42"));
    }
    ends_well(&mut sim);
}

#[test]
fn the_record_tells_of_both_legs_as_dialled() {
    let mut sim = joined(&[]);
    let ids = [ALICE, BOB].map(|who| sim.ua(who).calls[0].call_id.clone());
    sim.run_for(seconds(1));
    let record = record(&mut sim);
    let LegA::Dialled(Some(one)) = &record.leg_a else { panic!("stage one was dialled") };
    let two = record.leg_b.as_ref().unwrap();
    assert_eq!([&*one.call_id, &*two.call_id], [&*ids[0], &*ids[1]]);
    assert_eq!((one.number_src, one.number_dst), (Some(number(REDIRECT)), number(CALLER)));
    assert_eq!((two.number_src, two.number_dst), (Some(number(REDIRECT)), number(CALLED)));
    assert_eq!((one.sip_cause, two.sip_cause), (200, 200));
    assert_eq!(one.flow.remote, "10.1.0.1:5060".parse().unwrap());
    assert_eq!((record.number_src, record.number_dst), (Some(number(CALLER)), number(CALLED)));
    assert_eq!((record.number_redirect, record.codec), (number(REDIRECT), Some("PCMU")));
    let (start, talk) = (record.date_start, record.date_talk.expect("they were joined"));
    assert!(start <= one.date_start && one.date_start < two.date_start && two.date_start < talk);
}

#[test]
fn it_is_in_the_list_of_calls_from_its_beginning() {
    let mut sim = joined(&[]);
    let told: Vec<&str> = sim
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::CallStarted { started, .. } => {
                assert_eq!(
                    (started.kind, started.reference),
                    (FlowKind::Dialout, Some(Sid::from_u128(7)))
                );
                assert_eq!((started.account, started.caller.as_ref()), (Some(ACCOUNT), None));
                Some("started")
            }
            Event::LegDialled { side: Side::A, .. } => Some("a"),
            Event::LegDialled { side: Side::B, .. } => Some("b"),
            Event::CallRinging { .. } => Some("ringing"),
            Event::CallAnswered { .. } => Some("answered"),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["started", "a", "ringing", "b", "answered"]);
    ends_well(&mut sim);
}

#[test]
fn a_stage_that_answers_at_once_is_joined_all_the_same() {
    let mut sim = begun(&[("ringback", "moh")]);
    for who in [ALICE, BOB] {
        sim.ua(who).script = vec![(millis(0), Move::Answer { fork: 0 })];
    }
    sim.run_for(seconds(1));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    assert_eq!(heard(&sim).last(), Some(&Hear::Peer));
    ends_well(&mut sim);
}
