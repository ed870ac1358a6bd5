//! The offer that we make a caller whom we have answered ourselves, where leg B does not take what it favours: what
//! becomes of it where somebody asks for something at the same time (RFC 3261 section 14.1).

use mediator_media::Side;
use mediator_model::Instant;
use mediator_sim::{Answering, Media, Move, REDIRECT, Sim, Stage};

use crate::relay::{relayed_as, terms};
use crate::support::{ALICE, BOB, ends_well, millis, seconds};

/// What Alice takes, her favourite first; Bob takes the twin of her second alone.
const OPUS_FIRST: &[(u8, &str)] = &[(96, "opus/48000/2"), (0, "PCMU/8000")];
const BOBS: &[(u8, &str)] = &[(8, "PCMA/8000")];

/// Alice calls, and hears the announcement in Opus.
fn calling() -> Sim {
    let mut stage = Stage::usual();
    stage.attributes(&[("hide_origination_did", "true"), ("announce", "welcome.wav")]);
    stage.settings.ring_timeout = seconds(20);
    let mut sim = relayed_as(31, stage);
    sim.ua(ALICE).quirks.formats = Some(OPUS_FIRST);
    sim.ua(BOB).quirks.formats = Some(BOBS);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.voice = true;
    }
    sim.ua(ALICE).invite(REDIRECT);
    sim
}

/// The two are connected, and our offer has just come to Alice, who says this to it.
fn offered(answering: Answering) -> Sim {
    let mut sim = calling();
    sim.ua(ALICE).quirks.reinvites = answering;
    assert!(sim.run_until(|sim| sim.agent_was_asked(ALICE, "INVITE")));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    sim
}

/// Our offer has got 491, and Alice takes the next one.
fn refused_once() -> Sim {
    let mut sim = offered(Answering::Refuse(491));
    // 491 has arrived.
    sim.run_for(millis(6));
    sim.ua(ALICE).quirks.reinvites = Answering::Accept;
    assert_eq!(codecs(&sim, Side::A), ["opus", "PCMU"]);
    sim
}

/// What a side may be sent.
fn codecs(sim: &Sim, side: Side) -> Vec<&'static str> {
    terms(sim, side).unwrap().send.iter().map(|format| format.encoding).collect()
}

/// Each side is sent what the other one sends, or its twin, after so many INVITEs to Alice; nothing more is to come.
fn check_aligned(sim: &mut Sim, asked: usize) {
    assert_eq!((codecs(sim, Side::A), codecs(sim, Side::B)), (vec!["PCMU"], vec!["PCMA"]));
    assert_eq!(sim.ua(ALICE).asked("INVITE"), asked);
    sim.run_for(seconds(30));
    assert_eq!(sim.ua(ALICE).asked("INVITE"), asked);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(sim);
}

#[test]
fn an_offer_that_got_491_is_made_again_within_two_seconds_where_the_call_id_is_the_peers() {
    let mut sim = refused_once();
    sim.run_for(millis(2020));
    check_aligned(&mut sim, 2);
    assert_eq!(sim.records[0].codec, Some("PCMA"));
}

#[test]
fn two_offers_that_cross_are_both_refused_and_ours_is_made_again() {
    let arrives: Instant = offered(Answering::Accept).now();
    for hers in [
        Move::Reinvite(Media::Active),
        Move::Reinvite(Media::Hold),
        Move::LateReinvite,
        Move::Update(Some(Media::Active)),
    ] {
        let mut sim = calling();
        sim.ua(ALICE).quirks.allows_update = true;
        // Ours is on its way.
        let so_far = sim.now();
        sim.run_for((arrives - so_far).saturating_sub(millis(2)));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 0);
        sim.ua(ALICE).act(0, hers.clone());
        sim.run_for(millis(20));
        assert_eq!((sim.ua(ALICE).asked("INVITE"), sim.ua(ALICE).heard(491)), (1, 1), "{hers:?}");
        assert_eq!(sim.ua(BOB).asked("INVITE"), 1, "{hers:?} is not passed on");
        sim.run_for(seconds(3));
        check_aligned(&mut sim, 2);
    }
}

#[test]
fn what_the_two_agree_on_in_the_meantime_makes_it_unnecessary() {
    let cases = [
        (ALICE, Move::Reinvite(Media::Active)),
        (ALICE, Move::Reinvite(Media::Hold)),
        (ALICE, Move::LateReinvite),
        (ALICE, Move::Update(Some(Media::Active))),
        (BOB, Move::Reinvite(Media::Active)),
        (BOB, Move::Reinvite(Media::Hold)),
        (BOB, Move::LateReinvite),
    ];
    for (who, what) in cases {
        let mut sim = refused_once();
        sim.ua(ALICE).quirks.allows_update = true;
        sim.ua(who).act(0, what.clone());
        sim.run_for(millis(50));
        // Bob's reaches Alice; hers reaches Bob.
        let passed_on = usize::from(who == BOB);
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1 + passed_on, "{who} {what:?}");
        sim.run_for(seconds(5));
        let is_held = what == Move::Reinvite(Media::Hold);
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1 + passed_on, "{who} {what:?}");
        let held = terms(&sim, if who == ALICE { Side::A } else { Side::B }).unwrap();
        assert_eq!(held.peer_receives, !is_held, "{who} {what:?}");
        sim.ua(who).act(0, Move::Reinvite(Media::Active));
        sim.run_for(seconds(1));
        check_aligned(&mut sim, 1 + 2 * passed_on);
    }
}

#[test]
fn it_waits_for_what_the_caller_asks_for_meanwhile() {
    let mut sim = refused_once();
    sim.ua(BOB).quirks.reinvites = Answering::Ring;
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(18));
    assert_eq!((sim.ua(ALICE).asked("INVITE"), sim.ua(BOB).asked("INVITE")), (1, 2));
    // Hers comes to nothing, so that ours is still wanted.
    sim.run_for(seconds(5));
    assert_eq!(sim.ua(ALICE).heard(487), 1);
    check_aligned(&mut sim, 2);
}

#[test]
fn a_caller_that_hangs_up_while_it_waits_gets_nothing_more() {
    for who in [ALICE, BOB] {
        let mut sim = refused_once();
        sim.ua(who).act(0, Move::Bye);
        sim.run_for(seconds(5));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1);
        ends_well(&mut sim);
    }
}

#[test]
fn a_caller_that_always_says_491_is_heard_as_far_as_it_can_be() {
    let mut sim = offered(Answering::Refuse(491));
    sim.run_for(seconds(60));
    assert_eq!(sim.ua(ALICE).asked("INVITE"), 10);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    sim.ua(ALICE).quirks.reinvites = Answering::Accept;
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(1));
    check_aligned(&mut sim, 10);
}

#[test]
fn another_refusal_is_an_answer() {
    for status in [488, 500, 603] {
        let mut sim = offered(Answering::Refuse(status));
        sim.run_for(seconds(60));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1, "{status}");
        ends_well(&mut sim);
    }
}
