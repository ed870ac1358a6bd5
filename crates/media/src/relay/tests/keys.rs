//! Keys that are dialled to a side, and keys that a side presses.

use super::*;

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
