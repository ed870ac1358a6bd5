//! Media where two things come together: holds, refusals and changes of mind while we speak. Contract section 2.

use mediator_call::io::Input;
use mediator_media::{Side, SoundFailure};
use mediator_model::Instant;
use mediator_sim::{Answering, Dice, Media, Move, Party, REDIRECT, Sim, What};

use crate::relay::{session, terms};
use crate::support::{
    ALICE, BOB, connect, ends_well, millis, relayed, seconds, speaking, speaking_on,
};

const VOICE_A: What = What::Voice(Party::A);
const VOICE_B: What = What::Voice(Party::B);

/// A call with an announcement of 3 s; Bob rings at once, and answers 4 s later.
fn announced(first: bool) -> Sim {
    let mut stage = relayed();
    stage.attributes(&[("hide_origination_did", "true"), ("announce", "welcome.wav")]);
    stage.settings.media.answer_before_announce = first;
    let mut sim = speaking_on(1, stage);
    sim.secret(Party::A, "192.0.2.1");
    sim.secret(Party::B, "192.0.2.2");
    sim.sounds.lasts(What::Announcement, seconds(3));
    let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
    sim.ua(BOB).script = vec![(millis(20), ring), (seconds(4), Move::Answer { fork: 0 })];
    sim
}

/// What somebody has heard in the last so many milliseconds.
fn lately(sim: &mut Sim, who: usize, span: u64) -> Vec<What> {
    let from = sim.now().as_millis().saturating_sub(span);
    sim.ua(who).talk(0).since(Instant::from_millis(from))
}

fn hear_each_other(sim: &mut Sim) {
    let trace = sim.trace();
    assert_eq!(lately(sim, BOB, 500), [VOICE_A], "{trace}");
    assert_eq!(lately(sim, ALICE, 500), [VOICE_B], "{trace}");
}

#[test]
fn a_caller_that_holds_in_the_announcement_and_resumes_before_the_answer_is_heard() {
    for (first, held) in [
        (true, Media::Hold),
        (true, Media::Inactive),
        (true, Media::OldHold),
        (false, Media::Hold),
        (false, Media::OldHold),
    ] {
        let mut sim = announced(first);
        sim.ua(ALICE).quirks.supports_100rel = true;
        sim.ua(ALICE).quirks.allows_update = true;
        let call = sim.ua(ALICE).invite(REDIRECT);
        let say = |media| if first { Move::Reinvite(media) } else { Move::Update(Some(media)) };
        sim.run_for(seconds(1));
        sim.ua(ALICE).act(call, say(held));
        sim.run_for(seconds(3));
        assert_eq!(sim.ua(BOB).calls.len(), 1, "{}", sim.trace());
        sim.ua(ALICE).act(call, say(Media::Active));
        sim.run_for(seconds(6));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        hear_each_other(&mut sim);
        ends_well(&mut sim);
    }
}

#[test]
fn a_caller_that_holds_in_the_announcement_is_heard_when_it_resumes_in_the_call() {
    let mut sim = announced(true);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    sim.ua(ALICE).act(call, Move::Reinvite(Media::Inactive));
    sim.run_for(seconds(9));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    sim.ua(ALICE).act(call, Move::Reinvite(Media::Active));
    sim.run_for(seconds(2));
    hear_each_other(&mut sim);
    ends_well(&mut sim);
}

#[test]
fn a_change_that_the_other_side_refuses_leaves_the_media_as_it_was() {
    for who in [ALICE, BOB] {
        let other = ALICE + BOB - who;
        let mut sim = speaking(1);
        sim.ua(ALICE).quirks.session_expires = Some("90;refresher=uas".into());
        connect(&mut sim);
        sim.ua(other).quirks.reinvites = Answering::Refuse(488);
        sim.ua(who).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(2));
        hear_each_other(&mut sim);
        sim.ua(other).quirks.reinvites = Answering::Accept;
        // Refreshes say what they said before.
        sim.run_for(seconds(200));
        hear_each_other(&mut sim);
        ends_well(&mut sim);
    }
}

#[test]
fn media_goes_on_after_a_late_offer_of_either_side_and_after_holds_of_both() {
    for who in [ALICE, BOB] {
        let other = ALICE + BOB - who;
        let mut sim = speaking(2);
        sim.secret(Party::A, "192.0.2.1");
        sim.secret(Party::B, "192.0.2.2");
        connect(&mut sim);
        for media in [Media::Hold, Media::OldHold, Media::Inactive] {
            sim.ua(who).act(0, Move::Reinvite(media));
            sim.run_for(seconds(1));
            sim.ua(other).act(0, Move::Reinvite(Media::Hold));
            sim.run_for(seconds(1));
            sim.ua(who).act(0, Move::Reinvite(Media::Active));
            sim.run_for(seconds(1));
            sim.ua(other).act(0, Move::Reinvite(Media::Active));
            sim.run_for(seconds(1));
            hear_each_other(&mut sim);
        }
        sim.ua(who).act(0, Move::LateReinvite);
        sim.run_for(seconds(2));
        hear_each_other(&mut sim);
        ends_well(&mut sim);
    }
}

#[test]
fn a_second_trunk_after_early_media_of_the_first_is_heard() {
    let mut stage = relayed();
    stage.way_out(3, 1, 0);
    let mut sim = speaking_on(3, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.3:5060", mediator_sim::CALLED);
    sim.ua(carol).answers();
    sim.ua(carol).quirks.voice = true;
    sim.ua(BOB).quirks.early_voice = true;
    let early = Move::Ring { status: 183, fork: 0, sdp: true, reliable: false };
    let fails = Move::Refuse { status: 503, headers: vec![] };
    sim.ua(BOB).script = vec![(millis(20), early), (seconds(3), fails)];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(lately(&mut sim, ALICE, 500), [VOICE_B]);
    sim.run_for(seconds(5));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(carol).confirmed()), (1, 1), "{}", sim.trace());
    assert_eq!(lately(&mut sim, carol, 500), [VOICE_A]);
    ends_well(&mut sim);
}

#[test]
fn a_callee_that_is_held_does_not_end_the_call_and_the_watch_goes_on_after_it() {
    let mut sim = speaking(4);
    sim.ua(ALICE).quirks.voice = false;
    sim.ua(BOB).quirks.voice = false;
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Reinvite(Media::OldHold));
    sim.run_for(seconds(200));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(50));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    sim.run_for(seconds(15));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    ends_well(&mut sim);
    let figures = sim.records[0].figures.clone().unwrap();
    assert!(figures.iter().all(|side| side.mos.is_none() && side.lost == 0));
}

#[test]
fn a_sound_that_nobody_finds_in_time_does_not_hold_the_call_up() {
    let mut sim = announced(false);
    sim.sounds.fails(What::Announcement, SoundFailure::Late);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(16));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    assert!(terms(&sim, Side::A).is_some());
    ends_well(&mut sim);
}

#[test]
fn early_media_of_two_phones_is_heard_of_whoever_speaks_last_and_the_one_that_answers() {
    let mut sim = speaking(5);
    sim.ua(BOB).quirks.early_voice = true;
    let early = |fork| Move::Ring { status: 183, fork, sdp: true, reliable: false };
    sim.ua(BOB).script = vec![
        (millis(20), early(0)),
        (seconds(2), early(1)),
        (seconds(4), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(7));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "{}", sim.trace());
    hear_each_other(&mut sim);
    ends_well(&mut sim);
}

#[test]
fn who_is_called_next_rings_as_the_first_did() {
    let mut stage = relayed();
    stage.way_out(3, 1, 0);
    stage.attributes(&[("hide_origination_did", "true"), ("announce", "welcome.wav")]);
    let mut sim = speaking_on(6, stage);
    sim.sounds.lasts(What::Announcement, seconds(2));
    let carol = sim.agent("carol", Party::B, "10.2.0.3:5060", mediator_sim::CALLED);
    sim.ua(BOB).quirks.early_voice = true;
    let early = Move::Ring { status: 183, fork: 0, sdp: true, reliable: false };
    let fails = Move::Refuse { status: 503, headers: vec![] };
    sim.ua(BOB).script = vec![(millis(20), early), (seconds(3), fails)];
    let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
    sim.ua(carol).script = vec![(millis(20), ring), (seconds(5), Move::Answer { fork: 0 })];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(4));
    assert_eq!(lately(&mut sim, ALICE, 500), [VOICE_B]);
    sim.run_for(seconds(4));
    assert_eq!(lately(&mut sim, ALICE, 500), [What::Ringing], "{}", sim.trace());
    sim.run_for(seconds(5));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(carol).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn a_caller_that_waits_long_is_reminded_once_a_minute() {
    let cases: [(&[(&str, &str)], u16); 3] = [
        (&[("hide_origination_did", "true")], 180),
        (&[("hide_origination_did", "true"), ("ringback", "moh")], 183),
        (&[("hide_origination_did", "true"), ("ringback", "false")], 183),
    ];
    for (attributes, status) in cases {
        for reliable in [false, true] {
            let mut stage = relayed();
            stage.settings.ring_timeout = seconds(300);
            stage.attributes(attributes);
            let mut sim = speaking_on(7, stage);
            sim.ua(ALICE).quirks.supports_100rel = reliable;
            let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
            sim.ua(BOB).script = vec![(millis(20), ring), (seconds(250), Move::Answer { fork: 0 })];
            let call = sim.ua(ALICE).invite(REDIRECT);
            sim.run_for(seconds(245));
            let mut heard = sim.ua(ALICE).calls[call].heard.clone();
            heard.retain(|code| *code > 100);
            assert_eq!(heard, [status; 5], "{attributes:?} {reliable}");
            sim.run_for(seconds(7));
            assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
            hear_each_other(&mut sim);
            ends_well(&mut sim);
        }
    }
}

#[test]
fn a_prack_without_the_answer_that_it_owes_ends_the_call() {
    let mut sim = announced(false);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.late_offer = true;
    sim.ua(ALICE).quirks.bare_pracks = true;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert!(sim.ua(ALICE).calls[call].outcome.is_some_and(|code| code >= 400));
    assert!(sim.ua(BOB).calls.is_empty());
    ends_well(&mut sim);
}

#[test]
fn the_operator_ends_a_call_in_every_moment() {
    for first in [false, true] {
        for refuses in [false, true] {
            for after in [10, 500, 3010, 3100, 4000, 6500, 7100, 7600, 8000, 12_000] {
                let mut sim = announced(first);
                if refuses {
                    let busy = Move::Refuse { status: 486, headers: vec![] };
                    sim.ua(BOB).script = vec![(seconds(4), busy)];
                }
                sim.ua(ALICE).invite(REDIRECT);
                sim.run_for(millis(after));
                let call = session(&sim);
                sim.tell(&Input::HangUp(call));
                sim.run_for(seconds(2));
                let up = (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed());
                assert_eq!(up, (0, 0), "{first} {refuses} {after}: {}", sim.trace());
                ends_well(&mut sim);
                assert_eq!((sim.records.len(), sim.media_ports_used()), (1, 0));
            }
        }
    }
}

#[test]
fn what_a_caller_of_an_announcement_does_at_any_time_ends_well() {
    let moves = [Move::Cancel, Move::Bye, Move::Info('1'), Move::Reinvite(Media::Other)];
    for first in [false, true] {
        for what in &moves {
            for after in [0, 5, 12, 30, 500, 2990, 3010, 3030, 6900, 7015, 7025, 7040, 7200] {
                let mut sim = announced(first);
                sim.net.delay(5, 5);
                let call = sim.ua(ALICE).invite(REDIRECT);
                sim.ua(ALICE).later(call, millis(after), what.clone());
                sim.run_for(seconds(9));
                if !matches!(what, Move::Cancel | Move::Bye) {
                    let up = (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed());
                    assert_eq!(up, (1, 1), "{first} {what:?} {after}: {}", sim.trace());
                    hear_each_other(&mut sim);
                }
                ends_well(&mut sim);
                assert_eq!((sim.records.len(), sim.media_ports_used()), (1, 0));
            }
        }
    }
}

#[test]
fn an_update_before_the_answer_leaves_the_callers_session_timer() {
    let mut sim = speaking(8);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.supports_100rel = true;
        sim.ua(who).quirks.allows_update = true;
    }
    sim.ua(ALICE).quirks.session_expires = Some("300;refresher=uas".into());
    let early = Move::Ring { status: 183, fork: 0, sdp: true, reliable: true };
    sim.ua(BOB).script = vec![(millis(20), early), (seconds(4), Move::Answer { fork: 0 })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, seconds(2), Move::Update(Some(Media::Hold)));
    sim.run_for(seconds(6));
    let answer = sim.ua(ALICE).calls[call].answer.clone().unwrap();
    assert_eq!(answer.header("Session-Expires"), Some("300;refresher=uas"), "{}", sim.trace());
    ends_well(&mut sim);
}

/// The codecs of an agent: every two have one that both speak, or its twin.
const CODECS: [&[(u8, &str)]; 5] = [
    &[(0, "PCMU/8000"), (8, "PCMA/8000"), (101, "telephone-event/8000")],
    &[(8, "PCMA/8000"), (96, "telephone-event/8000"), (0, "PCMU/8000")],
    &[(9, "G722/8000"), (8, "PCMA/8000"), (97, "telephone-event/8000")],
    &[(111, "opus/48000/2"), (0, "PCMU/8000"), (110, "telephone-event/8000")],
    &[(18, "G729/8000"), (8, "PCMA/8000")],
];

/// A call in which both sides hold, resume, move and refuse as they like.
fn restless(seed: u64) -> Sim {
    let mut dice = Dice::new(seed);
    let mut stage = relayed();
    stage.settings.media.answer_before_announce = dice.percent(30);
    let mut attributes = vec![("hide_origination_did", "true")];
    if dice.percent(40) {
        attributes.push(("announce", "welcome.wav"));
    }
    if dice.percent(40) {
        let all = ["false", "moh", "passthrough"];
        attributes.push(("ringback", dice.pick(&all).copied().unwrap_or("moh")));
    }
    stage.attributes(&attributes);
    let mut sim = speaking_on(seed, stage);
    sim.net.delay(3, 6);
    for who in [ALICE, BOB] {
        let quirks = &mut sim.ua(who).quirks;
        quirks.formats = dice.pick(&CODECS).copied();
        quirks.supports_100rel = dice.percent(50);
        quirks.allows_update = dice.percent(50);
        quirks.late_offer = dice.percent(20);
        quirks.early_voice = dice.percent(50);
        quirks.nat = dice.percent(30).then(|| [203, 0, 113, 4].into());
        if dice.percent(20) {
            quirks.reinvites = Answering::Refuse(488);
        }
    }
    let media = |dice: &mut Dice| {
        let all = [Media::Active, Media::Hold, Media::OldHold, Media::Inactive, Media::Other];
        dice.pick(&all).copied().unwrap_or(Media::Active)
    };
    let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
    let mut script = vec![(millis(5), ring), (millis(9000), Move::Answer { fork: 0 })];
    for fork in 0..dice.below(3) as usize {
        let (sdp, reliable) = (dice.percent(50), dice.percent(50));
        script.push((dice.millis(10, 8000), Move::Ring { status: 183, fork, sdp, reliable }));
    }
    sim.ua(BOB).script = script;
    let call = sim.ua(ALICE).invite(REDIRECT);
    for _ in 0..dice.below(5) {
        let what = match dice.below(3) {
            0 => Move::Reinvite(media(&mut dice)),
            1 => Move::Update(Some(media(&mut dice))),
            _ => Move::LateReinvite,
        };
        sim.ua(ALICE).later(call, dice.millis(0, 25_000), what);
    }
    sim.run_for(seconds(16));
    for _ in 0..dice.below(4) {
        let what = match dice.below(3) {
            0 => Move::Reinvite(media(&mut dice)),
            1 => Move::Update(Some(media(&mut dice))),
            _ => Move::LateReinvite,
        };
        sim.ua(BOB).later(0, dice.millis(0, 10_000), what);
    }
    sim.run_for(seconds(20));
    sim
}

#[test]
fn whatever_was_held_moved_or_refused_both_hear_each_other_when_all_is_resumed() {
    for seed in 0..120 {
        let mut sim = restless(seed);
        for who in [ALICE, BOB] {
            sim.ua(who).quirks.reinvites = Answering::Accept;
        }
        for who in [ALICE, BOB, ALICE] {
            sim.ua(who).act(0, Move::Reinvite(Media::Active));
            sim.run_for(seconds(5));
        }
        let up = (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed());
        assert_eq!(up, (1, 1), "{seed}: {}", sim.trace());
        let heard = (lately(&mut sim, ALICE, 500), lately(&mut sim, BOB, 500));
        assert_eq!(heard, (vec![VOICE_B], vec![VOICE_A]), "{seed}: {}", sim.trace());
        ends_well(&mut sim);
    }
}
