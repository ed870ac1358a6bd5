//! Stage one from its answer to the join: the key, the announcement, ringback, and its own requests.

use super::*;

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
    assert_eq!((record.sip_cause, record.disconnect_originator), (480, Originator::System));
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
