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
