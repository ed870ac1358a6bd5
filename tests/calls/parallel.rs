//! Phones of one number that ring together share one media port of ours: whoever has answered is heard, and nobody else.

use std::net::IpAddr;

use mediator_media::{Order, Side, Speech, Track, g711};
use mediator_model::Instant;
use mediator_sim::{Move, Party, REDIRECT, Sim, What};

use crate::support::{ALICE, BOB, connect, ends_well, millis, relayed, seconds, speaking, world};

const PHONE: &str = "15550001001";

/// What the phone that is not to be heard says; the other one has the voice of its side.
const LOSER: What = What::Announcement;
const WINNER: What = What::Voice(Party::B);

/// Where the two phones are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Where their SDP says.
    Open,
    /// Behind one NAT.
    OneNat,
    /// In two homes whose networks look alike: their SDP is the same, word for word.
    TwoHomes,
}

const PLACES: [Place; 3] = [Place::Open, Place::OneNat, Place::TwoHomes];

/// Alice calls a number that two phones have: `[winner, loser]`.
fn ringing(place: Place, scripts: [Vec<(u64, Move)>; 2]) -> (Sim, [usize; 2]) {
    let mut stage = relayed();
    stage.phone("phil", PHONE);
    stage.bindings.clear();
    stage.bind(REDIRECT, None, PHONE, &[("hide_origination_did", "true")]);
    let mut sim = world(41, stage);
    let desk_at = if place == Place::OneNat { "10.3.0.1:5064" } else { "10.3.0.2:5062" };
    let winner = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    let loser = sim.agent("desk", Party::B, desk_at, "phil");
    for (who, script) in [winner, loser].into_iter().zip(scripts) {
        let at: IpAddr = sim.ua(who).profile.at.ip();
        let phone = sim.ua(who);
        phone.quirks.login = Some(("phil", "secret"));
        phone.quirks.early_voice = true;
        phone.quirks.nat = (place != Place::Open).then_some(at);
        phone.script = script.into_iter().map(|(at, what)| (millis(at), what)).collect();
        phone.register_as(if who == winner { "phil" } else { "desk" }, 300);
        sim.run_for(seconds(1));
    }
    if place == Place::TwoHomes {
        sim.ua(loser).media_offset = sim.ua(winner).media_offset;
    }
    // Signalling is slow, so that who has lost goes on for 300 ms.
    sim.net.delay(150, 150);
    sim.ua(ALICE).quirks.voice = true;
    sim.ua(ALICE).invite(REDIRECT);
    (sim, [winner, loser])
}

/// Twenty seconds of what the loser says.
fn murmur() -> Track {
    let mut track = Track::new(Speech::Pcmu, 20);
    for _ in 0..1000 {
        track.push(&[g711::linear_to_ulaw(1300); 160]);
    }
    track
}

const fn early() -> Move {
    Move::Ring { status: 183, fork: 0, sdp: true, reliable: false }
}

/// Until the winner's 200 has come to us; the CANCEL or BYE of the other one takes its time, in which it goes on.
fn until_joined(sim: &mut Sim) {
    let joins = |order: &Order| matches!(order, Order::Supervise { silence: Some(_), .. });
    assert!(sim.run_until(|sim| sim.media_orders.iter().any(joins)));
    // What was under way arrives.
    sim.run_for(millis(30));
}

/// Alice and the winner hear each other from now on, and nobody the loser.
fn check(sim: &mut Sim, [winner, loser]: [usize; 2], place: Place) {
    let from = sim.now();
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(winner).confirmed(), sim.ua(loser).confirmed()), (1, 0), "{place:?}");
    assert_eq!(sim.ua(ALICE).talk(0).since(from), [WINNER], "{place:?}");
    assert_eq!(sim.ua(winner).talk(0).since(from), [What::Voice(Party::A)], "{place:?}");
    assert_eq!(sim.ua(loser).talk(0).since(from), [], "{place:?}");
    // Alice speaks when her 200 has come to her.
    for (who, packets, within) in [(ALICE, 145, 40), (winner, 140, 200)] {
        let all = sim.ua(who).talk(0).heard.iter().map(|heard| heard.at);
        let heard: Vec<Instant> = all.filter(|at| *at >= from).collect();
        assert!(heard.len() >= packets, "{place:?} {who}: {} of 150", heard.len());
        assert!(heard[0] - from <= millis(within), "{place:?} {who}");
    }
    ends_well(sim);
}

#[test]
fn who_answers_is_heard_at_once_though_another_one_was_heard_before_and_still_is_sending() {
    for place in PLACES {
        let scripts = [vec![(1000, Move::Answer { fork: 0 })], vec![(50, early())]];
        let (mut sim, phones) = ringing(place, scripts);
        let [winner, loser] = phones;
        sim.ua(winner).quirks.voice = true;
        sim.run_for(seconds(1));
        sim.ua(loser).talk(0).say(&murmur());
        sim.run_for(millis(200));
        assert_eq!(sim.ua(ALICE).talk(0).order(), [LOSER], "{place:?}: its early media");
        until_joined(&mut sim);
        check(&mut sim, phones, place);
    }
}

#[test]
fn who_has_not_answered_is_not_heard_though_the_other_one_says_nothing_at_first() {
    for place in PLACES {
        let scripts = [vec![(1000, Move::Answer { fork: 0 })], vec![(50, early())]];
        let (mut sim, phones) = ringing(place, scripts);
        let [winner, loser] = phones;
        sim.run_for(seconds(1));
        sim.ua(loser).talk(0).say(&murmur());
        until_joined(&mut sim);
        let from = sim.now();
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(ALICE).talk(0).since(from), [], "{place:?}: nobody is heard");
        assert_eq!(sim.ua(loser).talk(0).since(from), [], "{place:?}");
        sim.ua(winner).quirks.voice = true;
        sim.run_for(millis(40));
        check(&mut sim, phones, place);
    }
}

#[test]
fn who_answers_first_is_heard_though_the_other_one_answers_too_and_speaks_first() {
    for place in PLACES {
        let scripts =
            [vec![(1000, Move::Answer { fork: 0 })], vec![(1001, Move::Answer { fork: 0 })]];
        let (mut sim, phones) = ringing(place, scripts);
        let [winner, loser] = phones;
        sim.run_for(millis(1200));
        sim.ua(loser).talk(0).say(&murmur());
        until_joined(&mut sim);
        sim.run_for(millis(130));
        assert_eq!(sim.ua(loser).asked("BYE"), 1, "{place:?}");
        sim.ua(winner).quirks.voice = true;
        // Where the two look alike, it is silence that tells that the loser is gone.
        sim.run_for(millis(250));
        check(&mut sim, phones, place);
    }
}

#[test]
fn who_was_heard_before_another_one_and_answers_then_is_heard_again() {
    for place in PLACES {
        let scripts = [vec![(50, early()), (1500, Move::Answer { fork: 0 })], vec![(700, early())]];
        let (mut sim, phones) = ringing(place, scripts);
        let [winner, loser] = phones;
        sim.ua(winner).quirks.voice = true;
        sim.run_for(millis(1100));
        assert_eq!(sim.ua(ALICE).talk(0).order(), [WINNER], "{place:?}");
        sim.ua(loser).talk(0).say(&murmur());
        sim.run_for(millis(500));
        let order = sim.ua(ALICE).talk(0).order();
        assert_eq!(order, [WINNER, LOSER], "{place:?}: the last one that rings is heard");
        until_joined(&mut sim);
        check(&mut sim, phones, place);
    }
}

#[test]
fn another_fork_behind_a_proxy_that_answers_is_learned_anew_though_its_sdp_is_the_same() {
    for fork in [0, 1] {
        let mut sim = speaking(42);
        sim.ua(BOB).script = vec![(millis(50), early()), (seconds(1), Move::Answer { fork })];
        connect(&mut sim);
        sim.run_for(seconds(1));
        let dialog = |order: &Order| match order {
            Order::Terms { side: Side::B, terms, .. } => Some(terms.peer.dialog),
            _ => None,
        };
        let mut told: Vec<u16> = sim.media_orders.iter().filter_map(dialog).collect();
        told.dedup();
        assert_eq!(told.len(), 1 + fork, "{told:?}");
        let from = sim.now();
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(ALICE).talk(0).since(from), [WINNER]);
        ends_well(&mut sim);
    }
}
