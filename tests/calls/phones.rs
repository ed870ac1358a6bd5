//! Phones that register, digest, and strangers. Contract section 1 and the rows of section 2 on strangers.

use mediator_model::EndpointKind;
use mediator_sim::{CALLER, Media, Move, Party, REDIRECT, Sim, Stage, Wire};
use mediator_sip::digest::Algorithm;

use crate::support::{ALICE, BOB, code, connect, ends_well, millis, outcome, seconds, world};

/// The phone's own number.
const PHONE: &str = "15550001001";

/// The binding leads to a phone, `phil`, at 10.3.0.1, who has registered for five minutes.
fn with_phone(seed: u64) -> (Sim, usize) {
    let mut stage = Stage::usual();
    stage.phone("phil", PHONE);
    stage.bindings.clear();
    stage.bind(REDIRECT, None, PHONE, &[("hide_origination_did", "true")]);
    let mut sim = world(seed, stage);
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).answers();
    (sim, phil)
}

fn statuses(sim: &mut Sim, who: usize) -> Vec<u16> {
    sim.ua(who).received.iter().map(Wire::status).collect()
}

#[test]
fn a_phone_registers_with_digest_and_is_called_at_its_contact() {
    let (mut sim, phil) = with_phone(1);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480, "not registered yet");
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    assert_eq!(statuses(&mut sim, phil), [401, 200]);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    let invite = sim.ua(phil).calls[0].invite.clone().unwrap();
    assert_eq!(invite.uri(), "sip:CanaryB@10.3.0.1:5062");
    assert!(invite.header("To").unwrap().contains(PHONE));
    ends_well(&mut sim);
}

#[test]
fn a_challenge_offers_the_algorithms_in_the_order_that_is_set() {
    let mut stage = Stage::usual();
    stage.settings.digest = [Algorithm::Sha256, Algorithm::Md5].into();
    stage.phone("phil", PHONE);
    let mut sim = world(1, stage);
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    assert_eq!(statuses(&mut sim, phil), [401, 200]);
    let challenge = sim.ua(phil).received[0].clone();
    let offered: Vec<&str> = challenge.all("WWW-Authenticate").collect();
    assert_eq!(offered.len(), 2);
    assert!(offered[0].contains("SHA-256") && offered[1].contains("MD5"));
}

#[test]
fn a_registration_ends_with_its_time_or_with_expires_0() {
    for leaves in [false, true] {
        let (mut sim, phil) = with_phone(1);
        sim.ua(phil).register(60);
        sim.run_for(seconds(1));
        if leaves {
            sim.ua(phil).register(0);
        } else {
            sim.run_for(seconds(60));
        }
        sim.run_for(seconds(1));
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480);
        ends_well(&mut sim);
    }
}

#[test]
fn a_registration_that_is_too_short_is_423() {
    let (mut sim, phil) = with_phone(1);
    sim.ua(phil).register(59);
    sim.run_for(seconds(1));
    let refused = sim.ua(phil).received[1].clone();
    assert_eq!((refused.status(), refused.header("Min-Expires")), (423, Some("60")));
}

#[test]
fn a_phone_calls_under_its_own_number_only() {
    for from in ["15550001001", "14155559999", "phil"] {
        let (mut sim, phil) = with_phone(1);
        sim.ua(BOB).quirks.plain = true;
        sim.ua(phil).register(300);
        sim.run_for(seconds(1));
        let mut stage_from = format!("<sip:{from}@10.3.0.1>");
        stage_from.insert_str(0, "\"x\" ");
        sim.ua(phil).quirks.from = Some(stage_from);
        let call = sim.ua(phil).invite(REDIRECT);
        sim.run_for(seconds(2));
        // The binding leads back to the phone itself: it is called, under the number that was dialled.
        assert_eq!(sim.ua(phil).calls[call].outcome, Some(200), "{from}");
        let started = sim.records.len();
        sim.ua(phil).act(call, Move::Bye);
        sim.run_for(seconds(1));
        assert_eq!(sim.records[started].number_src, Some(mediator_sim::number(PHONE)), "{from}");
    }
}

#[test]
fn a_stranger_is_challenged_and_403_after_wrong_credentials() {
    let (mut sim, _) = with_phone(1);
    let eve = sim.agent("eve", Party::A, "10.9.0.1:5060", CALLER);
    let call = sim.ua(eve).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(eve).calls[call].outcome, Some(401));
    sim.ua(eve).quirks.login = Some(("phil", "wrong"));
    let call = sim.ua(eve).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(eve).calls[call].outcome, Some(403));
    sim.ua(eve).quirks.login = Some(("nobody", "secret"));
    let call = sim.ua(eve).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(eve).calls[call].outcome, Some(403), "unknown users are told the same");
}

#[test]
fn a_stranger_with_right_credentials_may_call() {
    let (mut sim, phil) = with_phone(1);
    sim.ua(phil).register(300);
    let roaming = sim.agent("roaming", Party::A, "10.9.0.1:5060", PHONE);
    sim.ua(roaming).quirks.login = Some(("phil", "secret"));
    let call = sim.ua(roaming).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(roaming).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn ten_wrong_credentials_bring_silence_for_300_seconds() {
    let (mut sim, _) = with_phone(1);
    let eve = sim.agent("eve", Party::A, "10.9.0.1:5060", CALLER);
    sim.ua(eve).quirks.login = Some(("phil", "wrong"));
    for _ in 0..10 {
        sim.ua(eve).invite(REDIRECT);
        sim.run_for(millis(500));
    }
    let heard = sim.ua(eve).received.len();
    sim.ua(eve).invite(REDIRECT);
    sim.run_for(seconds(20));
    assert_eq!(sim.ua(eve).received.len(), heard, "silence");
    sim.run_for(seconds(301));
    let call = sim.ua(eve).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(eve).calls[call].outcome, Some(403), "it is over");
}

#[test]
fn a_known_trunk_is_never_banned() {
    // Pain 20: Alice's carrier has an address here, whatever credentials come from it.
    let (mut sim, _) = with_phone(1);
    sim.ua(ALICE).quirks.login = Some(("phil", "wrong"));
    for _ in 0..12 {
        sim.ua(ALICE).register(300);
        sim.run_for(millis(500));
    }
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480);
}

#[test]
fn one_address_gets_ten_challenges_a_second() {
    let (mut sim, _) = with_phone(1);
    let eve = sim.agent("eve", Party::A, "10.9.0.1:5060", CALLER);
    for _ in 0..30 {
        sim.ua(eve).invite(REDIRECT);
    }
    sim.run_for(millis(100));
    assert_eq!(sim.ua(eve).heard(401), 10);
}

#[test]
fn credentials_are_good_once() {
    let (mut sim, phil) = with_phone(1);
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    let again = sim.ua(phil).replay_last("REGISTER");
    assert!(again);
    sim.run_for(seconds(1));
    let last = sim.ua(phil).received.last().cloned().unwrap();
    assert_eq!(last.status(), 401, "{last:?}");
    assert!(last.header("WWW-Authenticate").unwrap().contains("stale=true"));
}

#[test]
fn all_phones_of_a_user_ring_and_the_others_stop_when_one_answers() {
    let (mut sim, phil) = with_phone(1);
    let desk = sim.agent("desk", Party::B, "10.3.0.2:5062", "phil");
    sim.ua(desk).quirks.login = Some(("phil", "secret"));
    sim.ua(desk).script =
        vec![(millis(20), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    sim.ua(desk).register_as("desk-registration", 300);
    sim.run_for(seconds(1));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    assert!(sim.ua(desk).calls[0].cancelled);
    let cancel = sim.ua(desk).received.iter().find(|w| w.method() == "CANCEL").cloned().unwrap();
    assert!(cancel.header("Reason").unwrap().contains("cause=200"), "no missed call");
    ends_well(&mut sim);
}

#[test]
fn an_endpoint_called_by_its_number_is_in_the_record() {
    let mut stage = Stage::usual();
    stage.phone("phil", PHONE);
    let mut sim = world(1, stage);
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).answers();
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    assert_eq!(code(outcome(&mut sim, PHONE, seconds(2)).as_ref()), 200);
    ends_well(&mut sim);
    let record = sim.records[0].clone();
    assert_eq!(record.number_dst, mediator_sim::number(PHONE));
    assert!(record.endpoint.is_some() && record.endpoint == record.leg_b.map(|leg| leg.endpoint));
    assert_eq!(record.kind.as_str(), "inbound");
}

#[test]
fn a_mediator_endpoint_s_record_names_the_account() {
    let mut sim = world(1, Stage::usual());
    let call = connect(&mut sim);
    sim.ua(ALICE).act(call, Move::Bye);
    ends_well(&mut sim);
    assert_eq!(sim.records[0].endpoint, Some(mediator_sim::ACCOUNT));
    assert!(matches!(Stage::usual().endpoints[2].kind, EndpointKind::Mediator { .. }));
}

#[test]
fn a_phone_that_moves_during_the_call_is_found_where_it_is() {
    let (mut sim, phil) = with_phone(1);
    sim.ua(phil).register(300);
    sim.run_for(seconds(1));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    // Another network: nothing is behind the old port any more.
    sim.moves(phil, "10.3.7.7:40000");
    sim.ua(phil).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(phil).asked("BYE"), 1);
    ends_well(&mut sim);
}

#[test]
fn a_phone_that_redirects_sends_the_call_to_a_number_and_not_to_itself() {
    use mediator_model::{AllowForward, NumberFormat};
    for mode in [AllowForward::Direct, AllowForward::Protected, AllowForward::Reroute] {
        let mut stage = Stage::usual();
        let phone = stage.phone("phil", PHONE).0 as usize;
        stage.endpoints[phone].number_format = NumberFormat::Plus;
        stage.groups.last_mut().unwrap().trunks[0].allow_forward = mode;
        stage.bindings.clear();
        stage.bind(REDIRECT, None, PHONE, &[("hide_origination_did", "true")]);
        let mut sim = world(1, stage);
        let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
        sim.ua(phil).quirks.login = Some(("phil", "secret"));
        sim.ua(phil).register(300);
        sim.run_for(seconds(1));
        let to = format!("<sip:{}@10.9.9.9?Subject=x>", mediator_sim::CALLED);
        let headers = vec![("Contact".to_owned(), to)];
        sim.ua(phil).quirks.plain = true;
        sim.ua(phil).quirks.no_contact = true;
        sim.ua(phil).script = vec![(millis(5), Move::Refuse { status: 302, headers })];
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200, "{mode:?}");
        let asked = sim.ua(phil).calls[0].invite.clone().unwrap();
        assert!(asked.header("To").unwrap().starts_with("<sip:+15550001001@"), "{asked:?}");
        assert_eq!(sim.ua(phil).calls.len(), 1);
        assert_eq!(sim.ua(BOB).confirmed(), 1);
        ends_well(&mut sim);
    }
}
