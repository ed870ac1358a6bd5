//! What is spoken is what is heard, in both laws; a key is one key.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::law::Law;
use super::{Media, Voice, keys};
use crate::child::until;
use crate::hearing::{Recording, Sought};

#[test]
fn decodes_what_it_encodes_as_the_recommendation_says() {
    // Positive full scale, negative full scale, silence, by G.711 tables 1 and 2 with the even bits inverted.
    let rows = [(Law::Mu, 0x80, 32_124), (Law::Mu, 0x00, -32_124), (Law::Mu, 0xff, 0)];
    for (law, byte, sample) in rows {
        assert_eq!(law.decode(byte), sample, "{law:?} {byte:#x}");
    }
    for (byte, sample) in [(0xaa, 32_256), (0x2a, -32_256), (0xd5, 8), (0x55, -8)] {
        assert_eq!(Law::A.decode(byte), sample, "{byte:#x}");
    }
    for law in [Law::Mu, Law::A] {
        for byte in 0..=255_u8 {
            let again = law.encode(law.decode(byte));
            assert_eq!(law.decode(again), law.decode(byte), "{law:?} {byte:#x}");
        }
    }
}

#[test]
fn speaks_a_tone_and_presses_keys_to_another() {
    let ip = Ipv4Addr::LOCALHOST;
    let (alice, bob) = (Media::open(ip).unwrap(), Media::open(ip).unwrap());
    for (payload_type, law, hertz) in [(0, Law::Mu, 700.0), (8, Law::A, 1300.0)] {
        alice.speak(Voice { to: bob.address(), payload_type, law, hertz });
        let before = bob.count();
        until(Duration::from_secs(5), "packets", || Ok((bob.count() > before + 30).then_some(())))
            .unwrap();
    }
    alice.press(101, "1#").unwrap();
    until(Duration::from_secs(5), "two keys", || {
        let heard = keys(&bob.heard(), 101);
        Ok((heard.len() == 2 && heard.iter().all(|key| key.ends == 3)).then_some(()))
    })
    .unwrap();
    let heard = bob.heard();
    let pressed = keys(&heard, 101);
    assert_eq!(pressed.iter().map(|key| key.key).collect::<String>(), "1#");
    assert!(pressed.iter().all(|key| key.duration == 800), "{pressed:?}");
    assert!(heard.iter().all(|packet| packet.is_plain() && packet.from == alice.address()));
    assert!(heard.iter().all(|packet| packet.ssrc() == alice.ssrc()));
    let recording = Recording::of_packets(&heard, &[(0, Law::Mu), (8, Law::A)]);
    let sought = [Sought::new("low", &[700.0]), Sought::new("high", &[1300.0])];
    let order: Vec<_> = recording.order(&sought);
    assert_eq!(order, ["low", "high"], "{:?}", recording.timeline(&sought));
    let _: SocketAddr = bob.address();
}
