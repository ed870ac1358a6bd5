//! Dialouts, contract section 3: stage one is called, asked, told, and joined with stage two.
//!
//! Alice is stage one, Bob is stage two; the account's number stands between them.

use mediator_call::io::{Event, Input};
use mediator_call::{CallRecord, FlowKind, LegA, Originator, Side};
use mediator_media::{
    Event as MediaEvent, Hear, Order, Play, Repeat, Sound, SoundFailure, SoundOutcome, Tone,
};
use mediator_model::{Attributes, Dialout, EndpointIndex, Sid, TrunkGroupIndex};
use mediator_sim::{
    ACCOUNT, CALLED, CALLER, Media, Move, Party, REDIRECT, Sim, Stage, What, Wire, number,
};

use crate::support::{ALICE, BOB, ends_well, millis, seconds, world};

/// Alice's carrier is behind her number, Bob's behind the account's way out.
fn stage() -> Stage {
    let mut stage = Stage::usual();
    stage.bindings.clear();
    let alice = stage.group(&[(EndpointIndex(0), 0, 0)]);
    stage.did(CALLER, alice);
    stage
}

fn both(stage: Stage) -> Sim {
    let mut sim = world(1, stage);
    sim.ua(ALICE).answers();
    sim
}

/// A dialout with these attributes beside `hide_origination_did`.
fn dialout(with: &[(&str, &str)]) -> Dialout {
    let mut attributes = Attributes::default();
    for (key, value) in [&("hide_origination_did", "true")].into_iter().chain(with) {
        attributes.set(key, value).unwrap();
    }
    Dialout {
        sid: Sid::from_u128(7),
        account_sid: ACCOUNT,
        stage_one: number(CALLER),
        stage_two: number(CALLED),
        redirect_did: number(REDIRECT),
        attributes: Box::new(attributes),
    }
}

/// A dialout of that kind has begun.
fn begun(with: &[(&str, &str)]) -> Sim {
    let mut sim = both(stage());
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    sim.dial(dialout(with));
    sim
}

/// The two are joined.
fn joined(with: &[(&str, &str)]) -> Sim {
    let mut sim = begun(with);
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "{}", sim.trace());
    sim
}

/// The record of the only call, once everything has ended.
fn record(sim: &mut Sim) -> CallRecord {
    ends_well(sim);
    let [record] = &*sim.records else { panic!("{} records", sim.records.len()) };
    assert_eq!((record.kind, record.endpoint), (FlowKind::Dialout, Some(ACCOUNT)));
    assert_eq!(record.dialout.as_ref().map(|it| it.sid), Some(Sid::from_u128(7)));
    record.clone()
}

/// How it ended: the code, and whose end it was.
fn end(sim: &mut Sim) -> (u16, Originator) {
    let record = record(sim);
    (record.sip_cause, record.disconnect_originator)
}

fn invite(sim: &mut Sim, who: usize) -> Wire {
    sim.ua(who).calls[0].invite.clone().expect("an INVITE came")
}

/// What Alice was made to hear, in order.
fn heard(sim: &Sim) -> Vec<Hear> {
    let of_alice = |order: &Order| match order {
        Order::Hear { side: Side::A, hear, .. } => Some(hear.clone()),
        _ => None,
    };
    sim.media_orders.iter().filter_map(of_alice).collect()
}

/// The sounds that were played to Alice, in order.
fn played(sim: &Sim) -> Vec<(Sound, Repeat)> {
    let sound = |hear: Hear| match hear {
        Hear::Sound(Play { sound, repeat, .. })
        | Hear::SoundThenPeer(Play { sound, repeat, .. }) => Some((sound, repeat)),
        Hear::Nothing | Hear::Silence | Hear::Peer => None,
    };
    heard(sim).into_iter().filter_map(sound).collect()
}

/// What Alice hears has come to its end.
fn sound_ends(sim: &mut Sim) {
    let play = sim.media_orders.iter().rev().find_map(|order| match order {
        Order::Hear { call, side, hear: Hear::Sound(play) } => Some((*call, *side, play.token)),
        _ => None,
    });
    let (call, side, token) = play.expect("a sound is played");
    let outcome = SoundOutcome::Played;
    sim.media_event(&MediaEvent::SoundEnded { call, side, token, outcome });
}

/// Alice presses a key that comes as RTP.
fn presses(sim: &mut Sim, key: char) {
    let call = sim.media_orders.first().map(Order::call).expect("a session is open");
    sim.media_event(&MediaEvent::Key { call, side: Side::A, key });
}

fn tone(tone: Tone) -> Sound {
    Sound::Tone { tone, number: number(CALLED) }
}

/// The call's id.
fn sid(sim: &Sim) -> Sid {
    sim.media_orders.first().map(Order::call).expect("a session is open")
}

fn ring(status: u16, sdp: bool, reliable: bool) -> Move {
    Move::Ring { status, fork: 0, sdp, reliable }
}

// ---- the way to two joined stages

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

// ---- confirmation and announcement

#[test]
fn stage_one_confirms_by_a_key_before_stage_two_is_called() {
    for prompt in ["true", "https://example.test/prompt.wav"] {
        let mut sim = begun(&[("use_call_confirmation", prompt)]);
        sim.run_for(seconds(1));
        let url = (prompt != "true").then(|| prompt.into());
        assert_eq!(played(&sim), [(Sound::Confirmation(url), Repeat::Once)]);
        let listens =
            |order: &Order| matches!(order, Order::Listen { side: Side::A, keys: true, .. });
        assert!(sim.media_orders.iter().any(listens));
        presses(&mut sim, '5');
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0, "a wrong key is ignored");
        // During the prompt is soon enough.
        presses(&mut sim, '1');
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(BOB).confirmed(), 1);
        let last =
            sim.media_orders.iter().rev().find(|order| matches!(order, Order::Listen { .. }));
        assert!(matches!(last, Some(Order::Listen { keys: false, .. })));
        presses(&mut sim, '1');
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 1);
        ends_well(&mut sim);
    }
}

#[test]
fn a_key_in_info_confirms_too() {
    let mut sim = begun(&[("use_call_confirmation", "true")]);
    sim.run_for(seconds(1));
    for key in ['9', '1'] {
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        sim.ua(ALICE).act(0, Move::Info(key));
        sim.run_for(seconds(1));
    }
    assert_eq!((sim.ua(BOB).asked("INVITE"), sim.ua(BOB).asked("INFO")), (1, 0));
    assert_eq!(sim.ua(ALICE).heard(200), 2, "both are answered");
    sim.ua(ALICE).act(0, Move::OddInfo);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).heard(415), 1);
    ends_well(&mut sim);
}

#[test]
fn without_the_key_it_is_asked_for_three_times_with_5_s_each_and_then_given_up() {
    let mut sim = begun(&[("use_call_confirmation", "true")]);
    sim.sounds.lasts(What::Confirmation, seconds(20));
    sim.run_for(seconds(1));
    for asked in 1..=3 {
        assert_eq!(played(&sim).len(), asked);
        assert!(!sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        // The time counts from the end of the prompt, which began half a second after the answer.
        sim.run_for(millis(24_400));
        assert_eq!(played(&sim).len(), asked);
        sim.run_for(millis(800));
    }
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    let record = record(&mut sim);
    assert_eq!((record.sip_cause, record.disconnect_originator), (603, Originator::System));
    let LegA::Dialled(Some(one)) = &record.leg_a else { panic!("stage one was dialled") };
    assert_eq!((one.sip_cause, record.date_talk), (200, None));
}

#[test]
fn key_attempts_and_wait_are_the_operators() {
    let mut stage = stage();
    stage.settings.dialout.confirmation_key = '#';
    stage.settings.dialout.confirmation_attempts = 1;
    stage.settings.dialout.confirmation_wait = seconds(2);
    let mut sim = both(stage);
    sim.dial(dialout(&[("use_call_confirmation", "true")]));
    sim.run_for(seconds(1));
    presses(&mut sim, '1');
    sound_ends(&mut sim);
    sim.run_for(millis(2100));
    assert_eq!((sim.ua(BOB).asked("INVITE"), sim.ua(ALICE).confirmed()), (0, 0));
    ends_well(&mut sim);
}

#[test]
fn stage_one_hears_the_announcement_before_stage_two_is_called() {
    for fails in [false, true] {
        let mut sim = begun(&[("announce", "welcome.wav")]);
        sim.sounds.lasts(What::Announcement, seconds(30));
        if fails {
            sim.sounds.fails(What::Announcement, SoundFailure::Unfetched);
            sim.sounds.delay = seconds(5);
        }
        sim.run_for(seconds(4));
        assert_eq!(played(&sim), [(Sound::Announcement("welcome.wav".into()), Repeat::Once)]);
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        sim.run_for(seconds(if fails { 3 } else { 29 }));
        assert_eq!(sim.ua(BOB).confirmed(), 1, "{fails}");
        let told = |event: &Event| {
            matches!(event, Event::SoundFailed { attribute: "announce", reference: Some(_), .. })
        };
        assert_eq!(sim.events.iter().any(|(_, event)| told(event)), fails);
        ends_well(&mut sim);
    }
}

#[test]
fn the_announcement_comes_after_the_key() {
    let mut sim = begun(&[("announce", "welcome.wav"), ("use_call_confirmation", "true")]);
    sim.run_for(seconds(1));
    presses(&mut sim, '1');
    assert_eq!(
        played(&sim).last(),
        Some(&(Sound::Announcement("welcome.wav".into()), Repeat::Once))
    );
    sound_ends(&mut sim);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

// ---- ringback

/// What Alice hears while Bob rings with these, up to his answer.
fn ringback(with: &[(&str, &str)], rings: &[Move]) -> Vec<Hear> {
    let mut sim = both(stage());
    sim.ua(BOB).script = rings.iter().map(|ring| (millis(50), ring.clone())).collect();
    sim.dial(dialout(with));
    sim.run_for(seconds(2));
    let heard = heard(&sim);
    sim.ua(BOB).act(0, Move::Answer { fork: 0 });
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
    heard
}

#[test]
fn stage_one_hears_what_ringback_says() {
    let (ringing, early) = (ring(180, false, false), ring(183, true, false));
    let is_tone = |hear: &Hear| matches!(hear, Hear::SoundThenPeer(play) if play.sound == tone(Tone::Ringing) && play.repeat == Repeat::Forever);
    // Absent: the tone of stage two's country when it rings, or its own early media.
    for rings in [vec![ringing.clone()], vec![early.clone()], vec![ringing.clone(), early.clone()]]
    {
        let heard = ringback(&[], &rings);
        assert!(matches!(&*heard, [Hear::Silence, tone] if is_tone(tone)), "{heard:?}");
    }
    assert_eq!(ringback(&[], &[]), [Hear::Silence]);
    assert_eq!(
        ringback(&[("ringback", "false")], &[ringing.clone(), early.clone()]),
        [Hear::Silence]
    );
    let music = ringback(&[("ringback", "moh")], &[ringing.clone(), early.clone()]);
    assert!(matches!(&*music, [Hear::Sound(play)] if play.sound == Sound::HoldMusic), "{music:?}");
    // As it comes: early media is relayed.
    let passed = ringback(&[("ringback", "passthrough")], std::slice::from_ref(&early));
    assert_eq!(passed, [Hear::Silence, Hear::Peer]);
    let passed = ringback(&[("ringback", "passthrough")], &[ringing, early]);
    assert!(matches!(&*passed, [Hear::Silence, tone, Hear::Peer] if is_tone(tone)), "{passed:?}");
}

#[test]
fn early_media_of_stage_two_that_comes_reliably_is_acknowledged_and_agreed_on() {
    let mut sim = both(stage());
    sim.ua(BOB).script =
        vec![(millis(50), ring(183, true, true)), (seconds(20), Move::Answer { fork: 0 })];
    sim.dial(dialout(&[("ringback", "passthrough")]));
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(BOB).asked("PRACK"), 1);
    let terms = |order: &&Order| matches!(order, Order::Terms { side: Side::B, .. });
    assert_eq!(sim.media_orders.iter().filter(terms).count(), 1);
    assert_eq!(heard(&sim).last(), Some(&Hear::Peer));
    sim.run_for(seconds(20));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

// ---- what fails

#[test]
fn stage_one_fails_and_stage_two_is_never_called() {
    for (theirs, ours) in [(486, 486), (404, 404), (603, 603), (302, 480), (500, 503), (503, 503)] {
        let mut sim = begun(&[]);
        sim.ua(ALICE).refuses(theirs);
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        let record = record(&mut sim);
        assert_eq!((record.sip_cause, record.disconnect_originator), (ours, Originator::Source));
        let LegA::Dialled(Some(one)) = &record.leg_a else { panic!("stage one was dialled") };
        assert_eq!((one.sip_cause, record.date_talk), (theirs, None));
        assert!(record.leg_b.is_none());
    }
}

#[test]
fn stage_one_that_does_not_answer_is_cancelled() {
    let mut sim = begun(&[]);
    sim.ua(ALICE).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(119));
    assert_eq!(sim.ua(ALICE).asked("CANCEL"), 0);
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(ALICE).asked("CANCEL"), sim.ua(BOB).asked("INVITE")), (1, 0));
    assert_eq!(end(&mut sim), (480, Originator::System));
}

#[test]
fn a_stage_one_that_says_nothing_is_408() {
    let mut sim = begun(&[]);
    sim.ua(ALICE).quirks.silent = true;
    sim.run_for(seconds(60));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    assert_eq!(end(&mut sim), (408, Originator::System));
}

#[test]
fn stage_two_fails_and_stage_one_hears_why_for_3_s() {
    for (theirs, ours, heard_as) in [
        (486, 486, Tone::Busy),
        (600, 600, Tone::Busy),
        (404, 404, Tone::Reorder),
        (480, 480, Tone::Reorder),
        (503, 503, Tone::Reorder),
        (603, 603, Tone::Reorder),
    ] {
        let mut sim = begun(&[]);
        sim.ua(BOB).refuses(theirs);
        sim.run_for(seconds(2));
        let repeat = Repeat::For(seconds(3));
        assert_eq!(played(&sim).last(), Some(&(tone(heard_as), repeat)), "{theirs}");
        assert!(!sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        sound_ends(&mut sim);
        sim.run_for(millis(100));
        assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        assert_eq!(end(&mut sim), (ours, Originator::Destination), "{theirs}");
    }
}

#[test]
fn stage_one_may_hang_up_in_the_failure_tone() {
    let mut sim = begun(&[]);
    sim.ua(BOB).refuses(486);
    sim.run_for(seconds(1));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(5));
    assert_eq!(sim.ua(ALICE).asked("BYE"), 0, "it has hung up itself");
    assert_eq!(end(&mut sim), (486, Originator::Destination), "stage two's failure counts");
}

#[test]
fn stage_two_that_does_not_answer_is_cancelled_and_stage_one_hears_it() {
    let mut sim = begun(&[]);
    sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(122));
    assert_eq!(sim.ua(BOB).asked("CANCEL"), 1);
    assert_eq!(played(&sim).last(), Some(&(tone(Tone::Reorder), Repeat::For(seconds(3)))));
    // Even where nobody says that the tone is over.
    sim.run_for(seconds(6));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert_eq!(end(&mut sim), (480, Originator::System));
}

#[test]
fn stage_one_hangs_up_while_stage_two_rings() {
    let mut sim = begun(&[]);
    sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert_eq!((sim.ua(BOB).asked("CANCEL"), sim.ua(BOB).calls[0].outcome), (1, Some(487)));
    let record = record(&mut sim);
    assert_eq!((record.sip_cause, record.disconnect_originator), (487, Originator::Source));
    assert_eq!(record.leg_b.unwrap().sip_cause, 487);
}

#[test]
fn stage_one_hangs_up_before_stage_two_is_called() {
    for with in [("use_call_confirmation", "true"), ("announce", "welcome.wav")] {
        let mut sim = begun(&[with]);
        sim.run_for(seconds(1));
        sim.ua(ALICE).act(0, Move::Bye);
        sim.run_for(seconds(60));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        assert_eq!(end(&mut sim), (487, Originator::Source));
    }
}

#[test]
fn a_bye_of_stage_one_that_crosses_the_200_of_stage_two_ends_both() {
    for after in [0, 1, 3, 5, 8, 30] {
        let mut sim = begun(&[]);
        sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
        sim.net.delay(5, 5);
        sim.run_for(seconds(2));
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(millis(after));
        sim.ua(ALICE).act(0, Move::Bye);
        sim.run_for(seconds(2));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0), "{after}");
        assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
        ends_well(&mut sim);
    }
}

#[test]
fn the_operator_ends_it_in_every_stage() {
    let (plain, confirmed, announced) =
        (vec![], vec![("use_call_confirmation", "true")], vec![("announce", "welcome.wav")]);
    let begins = [
        (plain.clone(), false, false, 300),
        (confirmed, true, false, 1000),
        (announced, true, false, 1000),
        (plain.clone(), true, false, 1000),
        (plain, true, true, 2000),
    ];
    for (with, one_answers, two_answers, after) in begins {
        let mut sim = begun(&with);
        let rings = vec![(millis(20), ring(180, false, false))];
        for (who, answers) in [(ALICE, one_answers), (BOB, two_answers)] {
            if !answers {
                sim.ua(who).script.clone_from(&rings);
            }
        }
        sim.run_for(millis(after));
        let call = sid(&sim);
        sim.tell(&Input::HangUp(call));
        sim.run_for(seconds(2));
        assert_eq!(
            (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()),
            (0, 0),
            "{with:?} {after}"
        );
        let expected = if two_answers { 200 } else { 480 };
        assert_eq!(end(&mut sim), (expected, Originator::System));
    }
}

// ---- routing and limits

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

// ---- stage one while it waits

#[test]
fn what_stage_one_offers_while_stage_two_rings_is_answered_by_us() {
    for what in [
        Move::Reinvite(Media::Hold),
        Move::Reinvite(Media::Other),
        Move::LateReinvite,
        Move::Update(Some(Media::Hold)),
        Move::Update(None),
    ] {
        let mut sim = begun(&[]);
        sim.ua(ALICE).quirks.allows_update = true;
        sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
        sim.run_for(seconds(2));
        let terms = |sim: &Sim| {
            let of_alice = |order: &&Order| matches!(order, Order::Terms { side: Side::A, .. });
            sim.media_orders.iter().filter(of_alice).count()
        };
        let before = terms(&sim);
        sim.ua(ALICE).act(0, what.clone());
        sim.run_for(seconds(1));
        let answered = sim.ua(ALICE).received.iter().filter(|wire| wire.status() == 200).count();
        assert_eq!((answered, sim.ua(BOB).received.len()), (1, 1), "{what:?}: at once, and by us");
        let changes = matches!(what, Move::Reinvite(_) | Move::Update(Some(_)));
        assert_eq!(terms(&sim) - before, usize::from(changes), "{what:?}");
        if what == Move::Reinvite(Media::Hold) {
            let last = sim.ua(ALICE).calls[0].dialogs[0].heard.last().unwrap().clone();
            assert!(last.contains("a=recvonly"), "{last}");
        }
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(seconds(2));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "{what:?}");
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 2, "from the join on offers cross");
        ends_well(&mut sim);
    }
}

#[test]
fn a_stage_one_that_refreshes_its_session_keeps_waiting() {
    let mut stage = stage();
    stage.settings.session_expires = seconds(90);
    stage.settings.min_se = seconds(90);
    let mut sim = both(stage);
    sim.sounds.lasts(What::Announcement, seconds(310));
    sim.dial(dialout(&[("announce", "long.wav")]));
    sim.run_for(seconds(300));
    assert!(sim.ua(ALICE).asked("INVITE") + sim.ua(ALICE).asked("UPDATE") > 4);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).asked("INVITE")), (1, 0));
    sim.run_for(seconds(13));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn one_that_waits_for_ever_ends_with_the_longest_call() {
    let mut stage = stage();
    stage.settings.max_call_duration = seconds(600);
    let mut sim = both(stage);
    sim.sounds.lasts(What::Announcement, seconds(1000));
    sim.dial(dialout(&[("announce", "long.wav")]));
    sim.run_for(seconds(602));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert_eq!(end(&mut sim), (480, Originator::System));
}

#[test]
fn keys_of_stage_one_in_the_call_reach_stage_two() {
    let mut sim = joined(&[("use_call_confirmation", "false")]);
    sim.ua(ALICE).act(0, Move::Info('1'));
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).asked("INFO"), 1);
    ends_well(&mut sim);
}

#[test]
fn stage_two_is_offered_what_stage_one_takes() {
    let mut sim = joined(&[]);
    let offered = invite(&mut sim, BOB).body;
    // Alice took PCMU, PCMA and events of what we offered.
    let formats = offered.lines().find(|line| line.starts_with("m=audio")).unwrap();
    assert!(formats.ends_with("RTP/AVP 0 8 101"), "{offered}");
    let ours = invite(&mut sim, ALICE).body;
    for codec in ["PCMU/8000", "PCMA/8000", "G722/8000", "opus/48000/2", "telephone-event/48000"] {
        assert!(ours.contains(codec), "{ours}");
    }
    ends_well(&mut sim);
}

#[test]
fn neither_side_sends_and_both_get_bye() {
    let mut sim = joined(&[]);
    let supervised = |order: &Order| matches!(order, Order::Supervise { silence: Some(_), .. });
    assert!(sim.media_orders.iter().any(supervised));
    let call = sid(&sim);
    sim.media_event(&MediaEvent::Silent { call });
    sim.run_for(seconds(1));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    assert_eq!(end(&mut sim), (200, Originator::System));
}

#[test]
fn a_second_200_of_stage_one_gets_its_ack_again_while_stage_two_rings() {
    let mut sim = begun(&[]);
    sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(millis(510));
    // The ACK is lost, so the 200 comes again and again.
    sim.net.loss(100);
    sim.run_for(millis(200));
    sim.net.loss(0);
    sim.run_for(seconds(5));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).calls.len()), (1, 1));
    assert!(sim.ua(ALICE).asked("ACK") >= 1);
    ends_well(&mut sim);
}
