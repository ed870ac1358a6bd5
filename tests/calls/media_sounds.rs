//! What is heard of ours, packet by packet: announcements, ringback and keys in every combination. Contract section 2.

use mediator_call::Originator;
use mediator_call::io::{Event, MediaMode};
use mediator_media::SoundFailure;
use mediator_model::Instant;
use mediator_sim::{Move, Party, REDIRECT, Sim, Stage, What};

use crate::support::{ALICE, BOB, ends_well, millis, relayed, seconds, speaking_on};

const VOICE_A: What = What::Voice(Party::A);
const VOICE_B: What = What::Voice(Party::B);
/// Bob is dialled, and rings so much later, speaks, and answers.
const RINGS: u64 = 1000;
const SPEAKS: u64 = 3000;
const ANSWERS: u64 = 6000;

/// What the caller does about SDP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Caller {
    Offers,
    OffersReliably,
    Late,
    LateReliably,
}

impl Caller {
    const fn is_late(self) -> bool {
        matches!(self, Self::Late | Self::LateReliably)
    }

    const fn is_reliable(self) -> bool {
        matches!(self, Self::OffersReliably | Self::LateReliably)
    }
}

/// One combination.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Whether there is an announcement, and whether it can be played.
    announce: Option<Result<(), SoundFailure>>,
    ringback: Option<&'static str>,
    dtmf: Option<&'static str>,
    mode: MediaMode,
    caller: Caller,
    early_voice: bool,
}

impl Case {
    fn sim(&self) -> Sim {
        let mut stage = Stage::usual();
        let mut attributes = vec![("hide_origination_did", "true")];
        attributes.extend(self.announce.map(|_| ("announce", "https://example.test/hello.wav")));
        attributes.extend(self.ringback.map(|value| ("ringback", value)));
        stage.attributes(&attributes);
        stage.bindings[0].dtmf = self.dtmf.map(Into::into);
        stage.settings.media.mode = self.mode;
        let mut sim = speaking_on(1, stage);
        if self.needs_media() {
            sim.secret(Party::A, "192.0.2.1");
            sim.secret(Party::B, "192.0.2.2");
        } else {
            for who in [ALICE, BOB] {
                sim.ua(who).quirks.plain = true;
            }
        }
        if let Some(Err(failure)) = self.announce {
            sim.sounds.fails(What::Announcement, failure);
        }
        sim.ua(ALICE).quirks.late_offer = self.caller.is_late();
        sim.ua(ALICE).quirks.supports_100rel = self.caller.is_reliable();
        sim.ua(BOB).quirks.early_voice = true;
        sim.ua(BOB).quirks.supports_100rel = true;
        let ring = |status, sdp| Move::Ring { status, fork: 0, sdp, reliable: true };
        sim.ua(BOB).script =
            vec![(millis(RINGS), ring(180, false)), (millis(ANSWERS), Move::Answer { fork: 0 })];
        if self.early_voice {
            sim.ua(BOB).script.insert(1, (millis(SPEAKS), ring(183, true)));
        }
        sim
    }

    /// Whether media of ours is in the call.
    const fn needs_media(&self) -> bool {
        matches!(self.mode, MediaMode::Relay)
            || self.announce.is_some()
            || self.dtmf.is_some()
            || matches!(self.ringback, Some(value) if !matches!(value.as_bytes(), b"passthrough"))
    }

    /// Whether the caller's SDP is ours before the answer.
    const fn speaks(&self) -> bool {
        let wants = self.announce.is_some()
            || matches!(self.ringback, Some(value) if !matches!(value.as_bytes(), b"passthrough"));
        let may = !matches!(self.caller, Caller::Late) || self.announce.is_some();
        wants && may
    }

    /// What Alice hears half a second before Bob answers.
    fn early(&self) -> Vec<What> {
        let has_sdp = self.caller != Caller::Late || self.announce.is_some();
        let voice = self.early_voice && has_sdp;
        match self.ringback {
            Some("false") if self.speaks() => vec![What::Silence],
            Some("moh") if self.speaks() => vec![What::HoldMusic],
            _ if voice => vec![VOICE_B],
            None if self.speaks() => vec![What::Ringing],
            Some("passthrough") if self.speaks() => vec![What::Silence],
            _ => vec![],
        }
    }

    /// What Alice hears, once each.
    fn expected(&self) -> Vec<What> {
        let mut all = Vec::new();
        if self.announce == Some(Ok(())) {
            all.push(What::Announcement);
        }
        match self.ringback {
            Some("moh") if self.speaks() => all.push(What::HoldMusic),
            None if self.speaks() => all.extend([What::Silence, What::Ringing]),
            Some("false" | "passthrough") if self.speaks() => all.push(What::Silence),
            _ => {}
        }
        all.push(VOICE_B);
        all
    }
}

fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for announce in [None, Some(Ok(())), Some(Err(SoundFailure::Unfetched))] {
        for ringback in [None, Some("false"), Some("moh"), Some("passthrough")] {
            for dtmf in [None, Some("12,#")] {
                for mode in [MediaMode::Relay, MediaMode::Direct] {
                    for caller in
                        [Caller::Offers, Caller::OffersReliably, Caller::Late, Caller::LateReliably]
                    {
                        for early_voice in [false, true] {
                            let case = Case { announce, ringback, dtmf, mode, caller, early_voice };
                            all.push(case);
                        }
                    }
                }
            }
        }
    }
    all
}

/// What was heard, without silence of a packet or two between two sounds.
fn heard(sim: &mut Sim, who: usize) -> Vec<What> {
    let talk = sim.ua(who).talk(0);
    let mut runs: Vec<(What, usize)> = Vec::new();
    for heard in &talk.heard {
        match runs.last_mut() {
            Some((what, count)) if *what == heard.what => *count += 1,
            _ => runs.push((heard.what, 1)),
        }
    }
    runs.retain(|(what, count)| *what != What::Silence || *count > 5);
    let mut all: Vec<What> = runs.into_iter().map(|(what, _)| what).collect();
    all.dedup();
    all
}

#[test]
fn every_combination_is_heard_as_it_was_asked_for() {
    let wrong: Vec<String> = all()
        .into_iter()
        .filter_map(|case| {
            let faults = play(case);
            (!faults.is_empty()).then(|| format!("{case:?}\n  {}", faults.join("\n  ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What somebody has heard in the last 200 ms.
fn lately(sim: &mut Sim, who: usize) -> Vec<What> {
    let from = sim.now().as_millis() - 200;
    sim.ua(who).talk(0).since(Instant::from_millis(from))
}

/// Notes what is not as it should be.
fn note<T: PartialEq + std::fmt::Debug>(
    faults: &mut Vec<String>,
    what: &str,
    found: &T,
    expected: &T,
) {
    if found != expected {
        faults.push(format!("{what}: {found:?} and not {expected:?}"));
    }
}

/// Plays a call and gives what was wrong with it.
fn play(case: Case) -> Vec<String> {
    let mut faults = Vec::new();
    let mut sim = case.sim();
    let call = sim.ua(ALICE).invite(REDIRECT);
    if case.announce == Some(Ok(())) {
        sim.run_for(millis(1800));
        note(&mut faults, "dialled in the announcement", &sim.ua(BOB).asked("INVITE"), &0);
        let answered = sim.ua(ALICE).confirmed() == 1;
        note(&mut faults, "answered first", &answered, &(case.caller == Caller::Late));
        sim.run_for(millis(400));
    } else {
        sim.run_for(millis(200));
    }
    note(&mut faults, "dialled", &sim.ua(BOB).asked("INVITE"), &1);
    sim.run_for(millis(RINGS));
    let rung = sim.ua(ALICE).calls[call].heard.contains(&180);
    let is_answered = sim.ua(ALICE).confirmed() == 1;
    let rings = !is_answered
        && match case.ringback {
            Some("false") => false,
            Some("passthrough") => true,
            _ => !case.speaks(),
        };
    note(&mut faults, "180", &rung, &rings);
    // Half a second before the answer.
    sim.run_for(millis(ANSWERS - RINGS - 500));
    note(&mut faults, "alice hears before the answer", &lately(&mut sim, ALICE), &case.early());
    sim.run_for(seconds(7));
    note(&mut faults, "joined", &(sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), &(1, 1));
    note(&mut faults, "alice hears", &heard(&mut sim, ALICE), &case.expected());
    let talk = sim.ua(BOB).talk(0).clone();
    note(&mut faults, "keys", &talk.keys(), &case.dtmf.unwrap_or_default().replace(',', ""));
    let others = talk.order().into_iter().filter(|what| !matches!(what, What::Key(_)));
    let mut others: Vec<What> = others.collect();
    others.dedup();
    note(&mut faults, "bob hears", &others, &vec![VOICE_A]);
    if case.needs_media() {
        for who in [ALICE, BOB] {
            let talk = sim.ua(who).talk(0);
            note(&mut faults, "one stream", &(talk.sources(), talk.missing()), &(1, 0));
        }
    }
    let told = sim.events.iter().any(|(_, event)| matches!(event, Event::SoundFailed { .. }));
    note(&mut faults, "told of a sound", &told, &matches!(case.announce, Some(Err(_))));
    faults.extend(sim.settle(Party::A));
    faults
}

fn announcing() -> Stage {
    let mut stage = relayed();
    stage.attributes(&[("announce", "hello.wav"), ("hide_origination_did", "true")]);
    stage
}

#[test]
fn an_announcement_is_heard_to_its_end_and_no_longer() {
    for length in [400, 2000, 15_000] {
        let mut sim = speaking_on(1, announcing());
        sim.sounds.lasts(What::Announcement, millis(length));
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(length + 3000));
        let packets = sim.ua(ALICE).talk(0).count(What::Announcement);
        assert_eq!(packets as u64, length / 20);
        let lasted = sim.ua(ALICE).talk(0).lasted(What::Announcement).as_millis();
        assert!(lasted.abs_diff(u128::from(length)) <= 10, "{lasted} of {length} ms");
        ends_well(&mut sim);
    }
}

#[test]
fn a_caller_who_cancels_an_announcement_gets_487_and_nobody_is_dialled() {
    let mut sim = speaking_on(1, announcing());
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    sim.ua(ALICE).act(call, Move::Cancel);
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    assert!(sim.ua(ALICE).talk(0).count(What::Announcement) <= 52, "it stops");
    assert_eq!(sim.media_ports_used(), 0);
    ends_well(&mut sim);
    assert_eq!(sim.records[0].disconnect_originator, Originator::Source);
}

#[test]
fn the_time_to_answer_begins_when_leg_b_is_dialled() {
    let mut stage = announcing();
    stage.settings.ring_timeout = seconds(30);
    let mut sim = speaking_on(1, stage);
    sim.sounds.lasts(What::Announcement, seconds(60));
    sim.ua(BOB).script.truncate(1);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(85));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, None);
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(480));
    assert_eq!(sim.media_ports_used(), 0);
    ends_well(&mut sim);
}

#[test]
fn an_announcement_without_a_codec_of_ours_is_told_and_the_call_goes_through() {
    let mut sim = speaking_on(1, announcing());
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.formats = Some(&[(97, "iLBC/8000"), (101, "telephone-event/8000")]);
    }
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    let no_codec = |(_, event): &(Instant, Event)| {
        matches!(event, Event::SoundFailed { reason: SoundFailure::NoCodec, .. })
    };
    assert!(sim.events.iter().any(no_codec));
    assert_eq!(sim.ua(ALICE).talk(0).order(), [VOICE_B]);
    assert_eq!(sim.ua(BOB).talk(0).order(), [VOICE_A]);
    ends_well(&mut sim);
}

#[test]
fn sounds_are_in_the_callers_favourite_codec_that_we_speak() {
    for (formats, encoding) in [
        (&[(8, "PCMA/8000"), (0, "PCMU/8000")][..], "PCMA"),
        (&[(97, "iLBC/8000"), (9, "G722/8000"), (0, "PCMU/8000")], "G722"),
        (&[(111, "opus/48000/2"), (0, "PCMU/8000"), (101, "telephone-event/8000")], "opus"),
    ] {
        let mut sim = speaking_on(1, announcing());
        for who in [ALICE, BOB] {
            sim.ua(who).quirks.formats = Some(formats);
        }
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(1));
        let talk = sim.ua(ALICE).talk(0).clone();
        assert!(talk.count(What::Announcement) > 40, "{encoding}: {:?}", talk.order());
        let said = talk.heard.iter().filter(|heard| heard.what == What::Announcement);
        assert!(said.clone().all(|heard| heard.encoding == encoding));
        let step = if encoding == "opus" { 960 } else { 160 };
        let stamps: Vec<u32> = said.map(|heard| heard.timestamp).collect();
        assert!(stamps.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step));
        sim.run_for(seconds(4));
        assert_eq!(sim.ua(ALICE).talk(0).heard.last().unwrap().what, VOICE_B);
        assert_eq!(sim.ua(BOB).talk(0).heard.last().unwrap().what, VOICE_A);
        ends_well(&mut sim);
    }
}

#[test]
fn a_caller_answered_first_hears_that_leg_b_has_failed() {
    for (status, tone) in
        [(486, What::Busy), (600, What::Busy), (404, What::Reorder), (503, What::Reorder)]
    {
        let mut stage = announcing();
        stage.settings.media.answer_before_announce = true;
        let mut sim = speaking_on(1, stage);
        sim.ua(BOB).refuses(status);
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(1));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).asked("INVITE")), (1, 0));
        sim.run_for(seconds(10));
        assert_eq!(sim.ua(ALICE).confirmed(), 0);
        let talk = sim.ua(ALICE).talk(0).clone();
        assert_eq!(heard(&mut sim, ALICE), [What::Announcement, tone], "{status}");
        let lasted = talk.lasted(tone).as_millis();
        assert!((2980..=3040).contains(&lasted), "{status}: {lasted} ms");
        assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        assert_eq!(sim.media_ports_used(), 0);
        ends_well(&mut sim);
        assert_eq!(sim.records[0].date_talk, None);
    }
}

#[test]
fn a_caller_answered_first_may_hang_up_at_any_time() {
    for after in [100, 1000, 2500, 4000, 7900] {
        let mut stage = announcing();
        stage.settings.media.answer_before_announce = true;
        let mut sim = speaking_on(1, stage);
        sim.ua(BOB).script = vec![
            (millis(20), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
            (millis(5500), Move::Answer { fork: 0 }),
        ];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(after));
        sim.ua(ALICE).act(0, Move::Bye);
        sim.run_for(seconds(5));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0), "{after}");
        assert_eq!(sim.media_ports_used(), 0, "{after}");
        ends_well(&mut sim);
    }
}

#[test]
fn keys_are_events_at_their_pace_and_the_voice_pauses_for_them() {
    let mut stage = relayed();
    stage.bindings[0].dtmf = Some("1,2".into());
    let mut sim = speaking_on(1, stage);
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(5));
    let talk = sim.ua(BOB).talk(0).clone();
    assert_eq!(talk.keys(), "12");
    assert_eq!((talk.sources(), talk.missing()), (1, 0));
    for key in ['1', '2'] {
        let packets: Vec<_> =
            talk.heard.iter().filter(|heard| heard.what == What::Key(key)).collect();
        let ends = packets.iter().filter(|heard| heard.event.is_some_and(|(_, end)| end)).count();
        assert_eq!(ends, 3, "the end is said three times");
        assert!(packets[0].marker && packets[1..].iter().all(|heard| !heard.marker));
        assert!(packets.iter().all(|heard| heard.timestamp == packets[0].timestamp));
        let longest = packets.iter().filter_map(|heard| heard.event).map(|(ticks, _)| ticks).max();
        assert_eq!(longest, Some(800), "100 ms");
    }
    let began = |key| talk.heard.iter().find(|heard| heard.what == What::Key(key)).unwrap().at;
    let between = (began('2') - began('1')).as_millis();
    assert!((690..=730).contains(&between), "{between} ms from 1 to 2");
    let inside = talk.heard.iter().skip_while(|heard| heard.what != What::Key('1'));
    let until_end: Vec<_> =
        inside.take_while(|heard| !heard.event.is_some_and(|(_, end)| end)).collect();
    assert!(until_end.iter().all(|heard| heard.what == What::Key('1')), "no voice in a key");
    assert_eq!(sim.ua(ALICE).talk(0).order(), [VOICE_B], "the caller hears nothing of it");
    ends_well(&mut sim);
}

#[test]
fn keys_are_tones_where_leg_b_has_no_events() {
    let mut stage = relayed();
    stage.bindings[0].dtmf = Some("12".into());
    let mut sim = speaking_on(1, stage);
    sim.ua(BOB).quirks.formats = Some(&[(0, "PCMU/8000")]);
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(5));
    let order = sim.ua(BOB).talk(0).order();
    assert!(order.contains(&What::Digits), "{order:?}");
    assert_eq!(order.last(), Some(&VOICE_A), "and then the caller again");
    let lasted = sim.ua(BOB).talk(0).lasted(What::Digits).as_millis();
    assert!((380..=440).contains(&lasted), "{lasted} ms");
    let talk = sim.ua(BOB).talk(0);
    assert_eq!((talk.sources(), talk.missing()), (1, 0));
    ends_well(&mut sim);
}

#[test]
fn a_ringing_tone_gives_way_to_a_voice_and_goes_on_without() {
    let mut sim = speaking_on(1, announcing());
    sim.sounds.lasts(What::Ringing, millis(700));
    sim.ua(BOB).script = vec![
        (millis(20), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
        (seconds(20), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(20));
    let lasted = sim.ua(ALICE).talk(0).lasted(What::Ringing).as_millis();
    assert!(lasted > 17_000, "over and over: {lasted} ms");
    sim.run_for(seconds(5));
    assert_eq!(heard(&mut sim, ALICE), [What::Announcement, What::Ringing, VOICE_B]);
    ends_well(&mut sim);
}

#[test]
fn a_180_after_a_voice_that_has_stopped_is_heard_as_ringing() {
    let mut sim = speaking_on(2, announcing());
    sim.ua(BOB).quirks.early_voice = true;
    let ring = |status, sdp| Move::Ring { status, fork: 0, sdp, reliable: false };
    sim.ua(BOB).script = vec![(millis(20), ring(183, true))];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&VOICE_B));
    sim.ua(BOB).quirks.early_voice = false;
    sim.ua(BOB).act(0, ring(180, false));
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Ringing));
    sim.ua(BOB).act(0, Move::Answer { fork: 0 });
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&VOICE_B));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn sounds_survive_a_bad_network() {
    for seed in 0..20 {
        let mut stage = announcing();
        stage.bindings[0].dtmf = Some("1234567890".into());
        let mut sim = speaking_on(seed, stage);
        sim.net.loss(20).duplicates(20).delay(1, 300);
        sim.media_net.loss(10).duplicates(5).delay(5, 60);
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(30));
        assert_eq!(sim.ua(BOB).confirmed(), 1, "seed {seed}");
        let mut order = sim.ua(ALICE).talk(0).order();
        order.retain(|what| *what != What::Silence);
        assert_eq!(order.first(), Some(&What::Announcement), "seed {seed}");
        assert_eq!(order.last(), Some(&VOICE_B), "seed {seed}");
        let mut detector = mediator_media::event::KeyDetector::new();
        let mut keys = String::new();
        for heard in &sim.ua(BOB).talk(0).heard {
            let (Some((duration, end)), What::Key(key)) = (heard.event, heard.what) else {
                continue;
            };
            let event = mediator_media::event::event_of(key).unwrap();
            let payload =
                mediator_media::event::Payload { event, end, volume: 10, duration }.to_bytes();
            let header = mediator_media::rtp::Header {
                timestamp: heard.timestamp,
                ssrc: heard.ssrc,
                ..Default::default()
            };
            keys.extend(detector.hear(&header, &payload));
        }
        assert_eq!(keys, "1234567890", "seed {seed}");
        ends_well(&mut sim);
    }
}
