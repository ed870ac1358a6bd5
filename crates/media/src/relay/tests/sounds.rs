//! What a side hears of us.

use super::*;

const PCMU: fn() -> Format = || format(0, Speech::Pcmu);

#[test]
fn prompt_ringing_silence_and_speech_are_one_stream() {
    let mut world = World::joined(&[PCMU()], &[PCMU()]);
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Once)));
    let (token, sound, speech, packet_ms) = world.asked();
    assert_eq!((token, sound, speech, packet_ms), (1, Sound::HoldMusic, Speech::Pcmu, 20));
    world.pass(MS * 333);
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 50, 1));
    world.pass(MS * 1100);
    let ended =
        Event::SoundEnded { call: CALL, side: Side::A, token: 1, outcome: SoundOutcome::Played };
    assert_eq!(world.events(), [ended]);
    world.hear(Side::A, Hear::SoundThenPeer(play(2, Repeat::Forever)));
    world.track(Side::A, 2, tone(Speech::Pcmu, 20, 10, 2));
    world.pass(MS * 1003);
    let mut bob = Talker::new(0, 9);
    world.talk(Side::B, &mut bob, MS * 1000);
    world.hear(Side::A, Hear::Silence);
    world.talk(Side::B, &mut bob, MS * 500);
    world.hear(Side::A, Hear::Peer);
    world.talk(Side::B, &mut bob, MS * 500);
    let heard = world.heard_by(Side::A);
    check_seamless(&heard, 8000, 45);
    assert!(longest_gap(&heard) <= MS * 60, "{:?}", longest_gap(&heard));
    let of = |byte: u8| heard.iter().filter(|sent| sent.payload() == [byte; 160]).count();
    assert_eq!(of(1), 50, "the prompt is whole");
    assert!(of(2) > 40, "it rang until speech came");
    assert!((70..=76).contains(&of(0x55)), "{}", of(0x55));
    assert!(of(0xff) > 35, "silence before the prompt, and when asked for");
}

fn joined() -> World {
    World::joined(&[PCMU()], &[PCMU()])
}

fn ended(token: u32, outcome: SoundOutcome) -> Event {
    Event::SoundEnded { call: CALL, side: Side::A, token, outcome }
}

/// Packets of this byte.
fn count(sent: &[Sent], byte: u8) -> usize {
    sent.iter().filter(|sent| sent.payload()[0] == byte).count()
}

#[test]
fn packets_come_at_a_steady_pace_and_all_players_tick_together() {
    let mut world = joined();
    world.pass(MS * 3);
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Forever)));
    world.pass(MS * 9);
    world.hear(Side::B, Hear::Silence);
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 7, 1));
    world.pass(MS * 2000);
    for side in Side::BOTH {
        let heard = world.heard_by(side);
        assert!((99..=102).contains(&heard.len()));
        assert!(heard.iter().all(|sent| sent.at.as_millis() % 5 == 0));
        check_seamless(&heard, 8000, 5);
        for (one, other) in heard.iter().zip(&heard[1..]) {
            assert_eq!(other.header().timestamp.wrapping_sub(one.header().timestamp), 160);
        }
    }
}

#[test]
fn a_track_that_does_not_come_is_late_after_ten_seconds() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(3, Repeat::Once)));
    world.asked();
    world.pass(MS * 9900);
    assert_eq!(world.events(), []);
    world.pass(MS * 200);
    assert_eq!(world.events(), [ended(3, SoundOutcome::Failed(SoundFailure::Late))]);
    world.heard_by(Side::A);
    world.track(Side::A, 3, tone(Speech::Pcmu, 20, 10, 1));
    world.pass(MS * 100);
    let heard = world.heard_by(Side::A);
    assert!(heard.len() >= 5);
    assert_eq!(count(&heard, 0xff), heard.len());
}

#[test]
fn what_cannot_be_played_is_told_once() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(3, Repeat::Once)));
    world.asked();
    world.relay.track(world.now, CALL, Side::A, 3, Err(SoundFailure::Undecoded));
    world.relay.track(world.now, CALL, Side::A, 3, Err(SoundFailure::Undecoded));
    world.pass(MS * 20_000);
    assert_eq!(world.events(), [ended(3, SoundOutcome::Failed(SoundFailure::Undecoded))]);
    world.hear(Side::A, Hear::Sound(play(4, Repeat::Forever)));
    world.asked();
    world.track(Side::A, 4, tone(Speech::Pcmu, 20, 0, 1));
    assert_eq!(world.events(), [ended(4, SoundOutcome::Failed(SoundFailure::Undecoded))]);
    let strange = Format { payload_type: 18, encoding: "G729", clock_rate: 8000, channels: 1 };
    world.terms(Side::A, terms(Side::A, &[strange]));
    world.hear(Side::A, Hear::Sound(play(5, Repeat::Once)));
    assert_eq!(world.events(), [ended(5, SoundOutcome::Failed(SoundFailure::NoCodec))]);
    assert_eq!(world.relay.counters().sounds_failed, 3);
}

#[test]
fn a_sound_for_some_time_ends_then_and_a_replaced_one_is_not_told_of() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Forever)));
    world.asked();
    world.hear(Side::A, Hear::Sound(play(2, Repeat::For(MS * 3000))));
    world.asked();
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 10, 1));
    world.track(Side::A, 2, tone(Speech::Pcmu, 20, 10, 2));
    world.pass(MS * 2990);
    assert_eq!(world.events(), []);
    world.pass(MS * 40);
    assert_eq!(world.events(), [ended(2, SoundOutcome::Played)]);
    let heard = world.heard_by(Side::A);
    assert_eq!((count(&heard, 2), count(&heard, 1)), (150, 0));
}

#[test]
fn a_sound_goes_on_where_it_was_in_another_codec() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Once)));
    world.asked();
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 50, 1));
    world.pass(MS * 500);
    let alaw = format(8, Speech::Pcma);
    world.terms(Side::A, Terms { ptime_ms: Some(30), ..terms(Side::A, &[alaw]) });
    assert_eq!(world.asked(), (1, Sound::HoldMusic, Speech::Pcma, 30));
    world.pass(MS * 60);
    // Of the first order: it comes too late, in a codec that nobody speaks any more.
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 50, 9));
    world.track(Side::A, 1, tone(Speech::Pcma, 30, 34, 2));
    world.pass(MS * 1000);
    assert_eq!(world.events(), [ended(1, SoundOutcome::Played)]);
    let heard = world.heard_by(Side::A);
    assert_eq!((count(&heard, 1), count(&heard, 9)), (26, 0));
    assert_eq!(count(&heard, 2), 34 - 17, "the first 520 ms were heard");
    check_seamless(&heard, 8000, 10);
}

#[test]
fn time_goes_on_while_a_side_is_held() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Once)));
    world.asked();
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 100, 1));
    world.pass(MS * 500);
    world.terms(Side::A, Terms { peer_receives: false, ..terms(Side::A, &[PCMU()]) });
    world.pass(MS * 1000);
    assert_eq!(world.events(), []);
    world.terms(Side::A, terms(Side::A, &[PCMU()]));
    world.pass(MS * 600);
    assert_eq!(world.events(), [ended(1, SoundOutcome::Played)]);
    let heard = world.heard_by(Side::A);
    assert!(longest_gap(&heard) >= MS * 1000);
    check_seamless(&heard, 8000, 5);
}

#[test]
fn ringing_goes_on_until_media_really_comes() {
    let mut world = World::joined(&[PCMU(), event(101, 8000)], &[PCMU(), event(101, 8000)]);
    world.hear(Side::A, Hear::SoundThenPeer(play(1, Repeat::Forever)));
    world.asked();
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 10, 1));
    let mut bob = Talker::new(0, 9);
    world.talk(Side::B, &mut bob, MS * 40);
    world.pass(MS * 1000);
    // Opening a NAT, or a key, is no speech.
    world.talk(Side::B, &mut bob, MS * 40);
    // Told again that it rings: that goes on.
    world.hear(Side::A, Hear::SoundThenPeer(play(2, Repeat::Forever)));
    world.pass(MS * 1000);
    bob.header.payload_type = 101;
    world.talk(Side::B, &mut bob, MS * 100);
    let heard = world.heard_by(Side::A);
    assert_eq!(count(&heard, 1), heard.len());
    bob.header.payload_type = 0;
    world.talk(Side::B, &mut bob, MS * 200);
    let heard = world.heard_by(Side::A);
    assert!((7..=9).contains(&count(&heard, 0x55)));
    assert!(longest_gap(&heard) <= MS * 60);
    assert_eq!(world.events(), []);
}

#[test]
fn a_sound_waits_for_the_leg_to_agree_on_a_codec() {
    let mut world = World::open();
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Once)));
    assert_eq!(world.events(), []);
    world.pass(MS * 100);
    world.terms(Side::A, terms(Side::A, &[format(96, Speech::Opus), PCMU()]));
    assert_eq!(world.asked(), (1, Sound::HoldMusic, Speech::Opus, 20));
    world.track(Side::A, 1, tone(Speech::Opus, 20, 10, 1));
    world.pass(MS * 100);
    let heard = world.heard_by(Side::A);
    assert!(heard.len() >= 5);
    for (one, other) in heard.iter().zip(&heard[1..]) {
        assert_eq!(other.header().timestamp.wrapping_sub(one.header().timestamp), 960);
    }
    assert!(heard.iter().all(|sent| sent.header().payload_type == 96));
}

#[test]
fn a_machine_that_stood_still_does_not_send_all_at_once() {
    let mut world = joined();
    world.hear(Side::A, Hear::Sound(play(1, Repeat::Forever)));
    world.asked();
    world.track(Side::A, 1, tone(Speech::Pcmu, 20, 10, 1));
    world.pass(MS * 100);
    world.heard_by(Side::A);
    world.now += MS * 5000;
    world.pass(MS * 1);
    assert!(world.heard_by(Side::A).len() <= 6);
}

#[test]
fn nothing_is_waited_for_once_nobody_hears_us() {
    let mut world = joined();
    world.hear(Side::A, Hear::Silence);
    world.pass(MS * 100);
    world.hear(Side::A, Hear::Peer);
    world.pass(MS * 50);
    let next = world.relay.next_deadline().unwrap();
    assert!(next - world.now > MS * 1000, "only RTCP is due: {:?}", next - world.now);
}
