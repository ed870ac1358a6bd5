//! How long silence is.

use super::*;

/// Milliseconds of an Opus packet of CELT frames, by its first byte and, of code 3, its second (RFC 6716 §3).
fn opus_ms(packet: &[u8]) -> u16 {
    let frame = match packet[0] >> 3 {
        30 => 10,
        31 => 20,
        other => panic!("configuration {other}"),
    };
    let (frames, rest) = match packet[0] & 3 {
        0 => (1, packet.len() - 1),
        1 => (2, packet.len() - 1),
        3 => (u16::from(packet[1]), packet.len() - 2),
        other => panic!("code {other}"),
    };
    assert_eq!(rest, usize::from(frames) * 2, "each frame is two bytes");
    frame * frames
}

#[test]
fn silence_is_as_long_as_it_says() {
    for asked in
        [None, Some(0), Some(10), Some(20), Some(25), Some(30), Some(50), Some(60), Some(200)]
    {
        for speech in Speech::ALL {
            let length = packet_ms(Some(speech), asked);
            assert!((10..=60).contains(&length) && length.is_multiple_of(10));
            let payload = silence(speech, length);
            match speech {
                Speech::Opus => assert_eq!(opus_ms(payload), length, "{asked:?}"),
                Speech::Pcmu | Speech::Pcma | Speech::G722 => {
                    assert_eq!(payload.len(), usize::from(length) * 8);
                }
            }
        }
    }
    assert_eq!(packet_ms(None, None), 20);
}

#[test]
fn silence_is_silent() {
    assert!(silence(Speech::Pcmu, 20).iter().all(|code| crate::g711::ulaw_to_linear(*code) == 0));
    assert!(
        silence(Speech::Pcma, 20).iter().all(|code| crate::g711::alaw_to_linear(*code).abs() <= 8)
    );
}
