//! Rules that users of other SIP servers have paid for, where no other file has them.

use mediator_model::Transport;
use mediator_sim::{Answering, CALLED, CALLER, Media, Move, Party, REDIRECT, Stage};

use crate::support::{ALICE, BOB, connect, ends_well, masked, millis, seconds, world};

#[test]
fn our_refresh_is_tried_again_after_a_491() {
    let mut stage = Stage::usual();
    stage.settings.session_expires = std::time::Duration::from_secs(100);
    let mut sim = world(1, stage);
    connect(&mut sim);
    sim.ua(BOB).quirks.reinvites = Answering::Refuse(491);
    sim.run_for(seconds(51));
    sim.ua(BOB).quirks.reinvites = Answering::Accept;
    let before = sim.ua(BOB).asked("INVITE");
    assert_eq!(before, 2, "the call and the refused refresh");
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 3);
    sim.run_for(seconds(60));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn ack_and_bye_follow_the_route_that_the_2xx_has_recorded() {
    let mut sim = masked(1);
    let proxy = sim.agent("proxy", Party::B, "10.2.0.7:5060", CALLED);
    sim.ua(proxy).quirks.careless = true;
    sim.ua(BOB).quirks.record_route = Some("sip:10.2.0.7:5060".to_owned());
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    let ack = sim.ua(proxy).received.first().cloned().unwrap();
    assert_eq!((ack.method(), ack.uri()), ("ACK", "sip:CanaryB@10.2.0.1:5060"));
    assert_eq!(ack.header("Route"), Some("<sip:10.2.0.7:5060;lr>"));
    assert_eq!(sim.ua(BOB).asked("ACK"), 0);
    sim.ua(ALICE).act(call, Move::Bye);
    sim.run_for(seconds(1));
    assert!(sim.ua(proxy).received.iter().any(|wire| wire.method() == "BYE"));
}

#[test]
fn requests_to_the_caller_follow_the_route_of_its_invite() {
    let mut sim = masked(1);
    let proxy = sim.agent("proxy", Party::A, "10.1.0.7:5060", CALLER);
    let route = "<sip:10.1.0.7:5060;lr>".to_owned();
    sim.ua(ALICE).quirks.extra = vec![("Record-Route".to_owned(), route.clone())];
    connect(&mut sim);
    let answer = sim.ua(ALICE).calls[0].answer.clone().unwrap();
    assert_eq!(answer.header("Record-Route"), Some(route.as_str()), "as it came");
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(1));
    let bye = sim.ua(proxy).received.first().cloned().unwrap();
    assert_eq!((bye.method(), bye.header("Route")), ("BYE", Some(route.as_str())));
}

#[test]
fn a_bye_finds_a_new_connection_where_the_old_one_is_gone() {
    let mut sim = masked(1);
    sim.ua(ALICE).profile.transport = Transport::Tcp;
    connect(&mut sim);
    sim.disconnect(ALICE);
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
}

#[test]
fn a_connection_that_breaks_while_it_rings_does_not_lose_the_call() {
    let mut sim = masked(1);
    sim.ua(ALICE).profile.transport = Transport::Tcp;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(200));
    sim.disconnect(ALICE);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn offers_that_cross_in_update_are_491() {
    let mut sim = masked(1);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.allows_update = true;
    }
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Update(Some(Media::Hold)));
    sim.ua(BOB).act(0, Move::Update(Some(Media::Hold)));
    sim.run_for(seconds(2));
    let refused = sim.ua(ALICE).heard(491) + sim.ua(BOB).heard(491);
    assert!(refused >= 1);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn nothing_is_left_of_a_thousand_calls() {
    let mut stage = Stage::usual();
    stage.shards = 4;
    let mut sim = world(1, stage);
    for number in 0..1000 {
        let call = sim.ua(ALICE).invite(REDIRECT);
        let what = if number % 3 == 0 { Move::Cancel } else { Move::Bye };
        sim.ua(ALICE).later(call, millis(100 + number), what);
        sim.run_for(millis(5));
    }
    ends_well(&mut sim);
    assert_eq!(sim.records.len(), 1000);
}
