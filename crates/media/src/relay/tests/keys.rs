//! Keys that are dialled to a side, and keys that a side presses.

use core::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::{Ear, Unheard};

fn with_events() -> [Format; 2] {
    [format(0, Speech::Pcmu), event(101, 8000)]
}

fn plain() -> [Format; 1] {
    [format(0, Speech::Pcmu)]
}

fn dial(world: &mut World, digits: &str) {
    world.order(Order::Dial { call: CALL, side: Side::B, digits: digits.into() });
}

fn listen(world: &mut World, side: Side) {
    world.order(Order::Listen { call: CALL, side, keys: true });
}

fn keys(world: &mut World) -> String {
    let key = |event: Event| match event {
        Event::Key { key, .. } => Some(key),
        _ => None,
    };
    world.events().into_iter().filter_map(key).collect()
}

/// The presses among packets: event, and whether it ended.
fn presses(heard: &[Sent]) -> Vec<(u8, usize, Instant)> {
    let mut presses: Vec<(u32, u8, usize, Instant)> = Vec::new();
    for sent in heard.iter().filter(|sent| sent.header().payload_type == 101) {
        let (timestamp, event) = (sent.header().timestamp, sent.payload()[0]);
        let ends = usize::from(sent.payload()[1] & 0x80 != 0);
        match presses.last_mut() {
            Some(last) if last.0 == timestamp => last.2 += ends,
            _ => {
                assert!(sent.header().marker, "a press begins with the marker");
                presses.push((timestamp, event, ends, sent.at));
            }
        }
    }
    presses.into_iter().map(|(_, event, ends, at)| (event, ends, at)).collect()
}

#[test]
fn dials_events_in_the_middle_of_speech_without_a_seam() {
    let mut world = World::joined(&with_events(), &with_events());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 300);
    dial(&mut world, "1,#");
    world.talk(Side::A, &mut alice, MS * 1500);
    let heard = world.heard_by(Side::B);
    let presses = presses(&heard);
    assert_eq!(
        presses.iter().map(|press| (press.0, press.1)).collect::<Vec<_>>(),
        [(1, 3), (11, 3)]
    );
    let apart = presses[1].2 - presses[0].2;
    assert!((700..=710).contains(&apart.as_millis()), "100 on, 100 off, 500 of waiting: {apart:?}");
    for (one, other) in heard.iter().zip(&heard[1..]) {
        assert_eq!(one.header().sequence.wrapping_add(1), other.header().sequence);
        assert!(other.header().timestamp.wrapping_sub(one.header().timestamp).cast_signed() >= 0);
    }
    for (_, _, began) in presses {
        let audio = heard.iter().filter(|sent| sent.header().payload_type == 0);
        let during = audio.filter(|sent| sent.at > began && sent.at < began + MS * 100);
        assert_eq!(during.count(), 0, "no speech while a key is down");
    }
    let base = &heard[0];
    for sent in heard.iter().filter(|sent| sent.header().payload_type == 0) {
        let passed = (sent.at - base.at).as_millis() as u32 * 8;
        let place = sent.header().timestamp.wrapping_sub(base.header().timestamp);
        assert_eq!(place, passed, "speech keeps its place in time");
    }
}

#[test]
fn dials_while_a_sound_is_played() {
    let mut world = World::joined(&with_events(), &with_events());
    world.hear(Side::B, Hear::Sound(play(1, Repeat::Once)));
    world.asked();
    world.track(Side::B, 1, tone(Speech::Pcmu, 20, 100, 1));
    world.pass(MS * 200);
    dial(&mut world, "5");
    world.pass(MS * 1850);
    assert_eq!(world.events().len(), 1, "it ends in its time");
    let heard = world.heard_by(Side::B);
    assert_eq!(presses(&heard).len(), 1);
    for (one, other) in heard.iter().zip(&heard[1..]) {
        assert_eq!(one.header().sequence.wrapping_add(1), other.header().sequence);
    }
}

#[test]
fn dials_tones_to_a_leg_without_events_and_goes_back() {
    let mut world = World::joined(&with_events(), &plain());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    dial(&mut world, "12");
    let (token, sound, speech, packet_ms) = world.asked();
    assert_eq!((sound, speech, packet_ms), (Sound::Digits("12".into()), Speech::Pcmu, 20));
    dial(&mut world, "3");
    assert_eq!(world.events(), [], "one row after the other");
    world.talk(Side::A, &mut alice, MS * 100);
    world.track(Side::B, token, tone(Speech::Pcmu, 20, 20, 9));
    world.talk(Side::A, &mut alice, MS * 600);
    let (token, sound, ..) = world.asked();
    assert_eq!(sound, Sound::Digits("3".into()));
    world.track(Side::B, token, tone(Speech::Pcmu, 20, 5, 8));
    world.talk(Side::A, &mut alice, MS * 600);
    assert_eq!(world.events(), [], "nobody waits for the end of our own");
    let heard = world.heard_by(Side::B);
    check_seamless(&heard, 8000, 30);
    assert!(longest_gap(&heard) <= MS * 60);
    let of = |byte: u8| heard.iter().filter(|sent| sent.payload()[0] == byte).count();
    assert_eq!((of(9), of(8)), (20, 5));
}

#[test]
fn a_leg_without_a_codec_of_ours_and_without_events_gets_no_keys() {
    let strange = [Format { payload_type: 18, encoding: "G729", clock_rate: 8000, channels: 1 }];
    let mut world = World::joined(&strange, &strange);
    dial(&mut world, "12");
    world.pass(MS * 1000);
    assert_eq!(world.events(), []);
    assert_eq!(world.relay.counters().sounds_failed, 1);
    let mut alice = Talker::new(18, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    assert_eq!(world.heard_by(Side::B).len(), 5);
}

/// A press of a peer.
fn press(world: &mut World, side: Side, talker: &mut Talker, code: u8) {
    let timestamp = talker.header.timestamp;
    for at in 1..=8_u16 {
        let payload = [
            code,
            if at > 5 { 0x8a } else { 10 },
            (at * 160).to_be_bytes()[0],
            (at * 160).to_be_bytes()[1],
        ];
        let mut header = talker.next();
        header.timestamp = timestamp;
        header.payload_type = 101;
        header.marker = at == 1;
        world.packet(side, header, &payload);
        world.pass(MS * 20);
    }
}

#[test]
fn each_press_is_told_once_while_a_side_is_listened_to() {
    let mut world = World::joined(&with_events(), &with_events());
    let mut alice = Talker::new(0, 5);
    press(&mut world, Side::A, &mut alice, 4);
    assert_eq!(keys(&mut world), "");
    assert_eq!(world.heard_by(Side::B).len(), 8, "events are handed on as well");
    listen(&mut world, Side::A);
    press(&mut world, Side::A, &mut alice, 1);
    world.talk(Side::A, &mut alice, MS * 100);
    press(&mut world, Side::A, &mut alice, 1);
    press(&mut world, Side::A, &mut alice, 11);
    assert_eq!(keys(&mut world), "11#");
    world.order(Order::Listen { call: CALL, side: Side::A, keys: false });
    press(&mut world, Side::A, &mut alice, 2);
    assert_eq!(keys(&mut world), "");
}

#[test]
fn keys_are_heard_of_a_leg_that_has_no_other_side_yet() {
    let mut world = World::open();
    world.terms(Side::A, terms(Side::A, &with_events()));
    listen(&mut world, Side::A);
    press(&mut world, Side::A, &mut Talker::new(0, 5), 1);
    assert_eq!(keys(&mut world), "1");
}

/// A hundred milliseconds of the key 1 in u-law.
fn tones(world: &mut World, side: Side, talker: &mut Talker, quiet: bool) {
    for packet in 0..5 {
        let sample = |at: u16| {
            let at = f32::from(packet * 160 + at) / 8000.0 * core::f32::consts::TAU;
            let value = (at * 697.0).sin() * 6000.0 + (at * 1209.0).sin() * 6000.0;
            crate::g711::linear_to_ulaw(if quiet { 0 } else { value as i16 })
        };
        let payload: Vec<u8> = (0..160).map(sample).collect();
        let header = talker.next();
        world.packet(side, header, &payload);
        world.pass(MS * 20);
    }
}

#[test]
fn tones_are_keys_where_a_leg_has_no_events_and_only_there() {
    for (formats, expected) in [(&plain()[..], "11"), (&with_events()[..], "")] {
        let mut world = World::joined(formats, formats);
        listen(&mut world, Side::A);
        let mut alice = Talker::new(0, 5);
        for quiet in [false, true, false, true] {
            tones(&mut world, Side::A, &mut alice, quiet);
        }
        assert_eq!(keys(&mut world), expected);
    }
}

/// A hundred milliseconds of the key 1 in samples of 16 bits, which is what [`Ears16`] hear, and a pause as long.
fn coded_press(world: &mut World, side: Side, talker: &mut Talker) {
    for packet in 0..10_u16 {
        let sample = |at: u16| {
            let at = f32::from(packet * 160 + at) / 8000.0 * core::f32::consts::TAU;
            let value = (at * 697.0).sin() * 6000.0 + (at * 1209.0).sin() * 6000.0;
            if packet < 5 { value as i16 } else { 0 }
        };
        let payload: Vec<u8> = (0..160).flat_map(|at| sample(at).to_be_bytes()).collect();
        let header = talker.next();
        world.packet(side, header, &payload);
        world.pass(MS * 20);
    }
}

/// Ears for codecs that are samples of 16 bits as they are, and how many there were. What begins with 0xff 0xff is damaged,
/// with 0xff 0xfe the end of the ear.
#[derive(Debug, Default)]
struct Ears16 {
    made: AtomicU32,
    heard: Arc<AtomicU32>,
}

#[derive(Debug)]
struct Ear16(Arc<AtomicU32>);

impl Ears for Ears16 {
    fn ear(&self, speech: Speech) -> Option<Box<dyn Ear>> {
        assert!(matches!(speech, Speech::G722 | Speech::Opus), "G.711 needs none");
        self.made.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Ear16(self.heard.clone())))
    }
}

impl Ear for Ear16 {
    fn hear(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Unheard> {
        self.0.fetch_add(1, Ordering::Relaxed);
        for pair in payload.chunks_exact(2) {
            samples.push(i16::from_be_bytes([pair[0], pair[1]]));
        }
        match payload {
            [0xff, 0xff, ..] => Err(Unheard::Packet),
            [0xff, 0xfe, ..] => Err(Unheard::Defect),
            _ => Ok(()),
        }
    }
}

#[test]
fn tones_in_other_codecs_are_heard_with_an_ear_that_is_there_while_somebody_listens() {
    let ears = Arc::new(Ears16::default());
    let formats = [format(9, Speech::G722), format(107, Speech::Opus)];
    let mut world = World::joined_with(ears.clone(), &formats, &formats);
    let count = || (ears.made.load(Ordering::Relaxed), ears.heard.load(Ordering::Relaxed));
    let mut alice = Talker::new(9, 5);
    coded_press(&mut world, Side::A, &mut alice);
    assert_eq!((keys(&mut world).as_str(), count()), ("", (0, 0)), "nobody listens");
    listen(&mut world, Side::A);
    for payload_type in [9, 107, 9, 107] {
        alice.header.payload_type = payload_type;
        coded_press(&mut world, Side::A, &mut alice);
        coded_press(&mut world, Side::B, &mut Talker::new(9, 6));
    }
    assert_eq!((keys(&mut world).as_str(), count()), ("1111", (2, 40)), "one for each codec");
    assert_eq!(Arc::strong_count(&ears.heard), 3);
    world.order(Order::Listen { call: CALL, side: Side::A, keys: false });
    assert_eq!(Arc::strong_count(&ears.heard), 1, "they are gone");
    assert_eq!(world.heard_by(Side::B).len(), 50, "all of it was handed on");
}

#[test]
fn no_ear_is_made_where_a_leg_has_events_or_sends_what_nobody_decodes() {
    let strange = Format { payload_type: 18, encoding: "G729", clock_rate: 8000, channels: 1 };
    for formats in [&[format(9, Speech::G722), event(101, 8000)][..], &[strange], &plain()] {
        let ears = Arc::new(Ears16::default());
        let mut world = World::joined_with(ears.clone(), formats, formats);
        listen(&mut world, Side::A);
        let mut alice = Talker::new(formats[0].payload_type, 5);
        coded_press(&mut world, Side::A, &mut alice);
        assert_eq!(keys(&mut world), "");
        assert_eq!(ears.made.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_damaged_packet_costs_itself_and_a_defect_the_ear_but_never_the_call() {
    let ears = Arc::new(Ears16::default());
    let formats = [format(9, Speech::G722)];
    let mut world = World::joined_with(ears.clone(), &formats, &formats);
    listen(&mut world, Side::A);
    let mut alice = Talker::new(9, 5);
    for (damage, expected) in [(0xff, "1"), (0xfe, "")] {
        let header = alice.next();
        assert!(world.packet(Side::A, header, &[0xff, damage, 0, 0]).is_some(), "it is relayed");
        world.pass(MS * 20);
        coded_press(&mut world, Side::A, &mut alice);
        assert_eq!(keys(&mut world), expected, "{damage:x}");
    }
    assert_eq!(ears.heard.load(Ordering::Relaxed), 12, "it is not asked again");
    // Whoever listens anew has a new one.
    world.order(Order::Listen { call: CALL, side: Side::A, keys: false });
    listen(&mut world, Side::A);
    coded_press(&mut world, Side::A, &mut alice);
    assert_eq!(keys(&mut world), "1");
}

#[test]
fn no_more_audio_is_decoded_than_there_was_time_for() {
    let ears = Arc::new(Ears16::default());
    let formats = [format(9, Speech::G722)];
    let mut world = World::joined_with(ears.clone(), &formats, &formats);
    listen(&mut world, Side::A);
    let mut alice = Talker::new(9, 5);
    for (payload, longest) in [(&[0; 320][..], 20), (&[0xff; 320], 20), (&[0; 32], 2)] {
        world.pass(MS * 5000);
        let before = ears.heard.load(Ordering::Relaxed);
        // For a second, ten packets a millisecond.
        for at in 0..10_000 {
            let header = alice.next();
            world.packet(Side::A, header, payload);
            world.pass(MS * u32::from(at % 10 == 9));
        }
        let decoded = ears.heard.load(Ordering::Relaxed) - before;
        // A second at once, and a second in its time.
        let most = 2000 / longest + 2;
        assert!((most - 4..=most).contains(&decoded), "{decoded} of {longest} ms");
    }
}

#[test]
fn a_flood_of_keys_is_told_as_far_as_anybody_could_press_them() {
    let mut world = World::joined(&with_events(), &with_events());
    listen(&mut world, Side::A);
    let mut alice = Talker::new(101, 5);
    for at in 0..1000_u16 {
        let code = (at % 16).to_be_bytes()[1];
        let header = alice.next();
        world.packet(Side::A, header, &[code, 0x8a, 0, 80]);
        world.pass(MS);
    }
    let told = keys(&mut world).len();
    assert!((40..=46).contains(&told), "{told}");
    let counters = world.relay.counters();
    assert_eq!(counters.keys + counters.keys_ignored, 1000);
}
