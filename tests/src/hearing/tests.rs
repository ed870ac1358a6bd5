//! Tones, silence and holes are found where they were put.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Heard, Recording, Sought};
use crate::rtp::Packet;
use crate::rtp::law::Law;

const MILLI: Duration = Duration::from_millis(1);

/// Packets of 20 ms, one each for every entry: frequencies at once, none of them for silence, `None` for no packet.
fn packets(frames: &[Option<&[f64]>]) -> Vec<Packet> {
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 5004));
    let start = Instant::now();
    let mut made = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let index = u32::try_from(index).unwrap();
        let Some(hertz) = frame else { continue };
        let mut bytes = vec![0x80, 0];
        bytes.extend_from_slice(&u16::try_from(index).unwrap().to_be_bytes());
        bytes.extend_from_slice(&(u32::MAX - 100).wrapping_add(index * 160).to_be_bytes());
        bytes.extend_from_slice(&7_u32.to_be_bytes());
        for n in 0..160 {
            let at = f64::from(index * 160 + n) / 8000.0;
            let value: f64 =
                hertz.iter().map(|hz| 4000.0 * (std::f64::consts::TAU * hz * at).sin()).sum();
            #[expect(clippy::cast_possible_truncation, reason = "two tones at most")]
            bytes.push(Law::Mu.encode(value as i16));
        }
        made.push(Packet { at: start + 20 * index * MILLI, from, bytes });
    }
    made
}

#[test]
fn tells_prompt_ringing_and_speech_apart() {
    let ring: &[f64] = &[440.0, 480.0];
    let mut frames = vec![Some::<&[f64]>(&[1000.0]); 25];
    frames.extend(vec![Some::<&[f64]>(&[]); 2]);
    frames.extend(vec![Some(ring); 50]);
    frames.extend(vec![None; 5]);
    frames.extend(vec![Some::<&[f64]>(&[700.0]); 25]);
    let recording = Recording::of_packets(&packets(&frames), &[(0, Law::Mu)]);
    let prompt = Sought::new("prompt", &[1000.0]);
    let ringing = Sought::new("ringing", ring);
    let speech = Sought::new("speech", &[700.0]);
    let all = [prompt.clone(), ringing.clone(), speech.clone()];
    assert_eq!(recording.order(&all), ["prompt", "ringing", "speech"]);
    let line = recording.timeline(&all);
    let heard: Vec<_> = line.iter().map(|part| (part.heard, part.length().as_millis())).collect();
    assert_eq!(
        heard,
        [
            (Heard::Sound("prompt"), 500),
            (Heard::Silence, 40),
            (Heard::Sound("ringing"), 1000),
            (Heard::Nothing, 100),
            (Heard::Sound("speech"), 500),
        ]
    );
    assert_eq!(recording.between(&prompt, &ringing).unwrap(), 40 * MILLI);
    assert_eq!(recording.between(&ringing, &speech).unwrap(), 100 * MILLI);
    assert!(recording.between(&speech, &ringing).is_err());
    assert_eq!(recording.longest_hole(), 100 * MILLI);
    assert_eq!(recording.time_of(&prompt), 500 * MILLI);
    assert_eq!(recording.latest(), Duration::ZERO);
    let mut loudest = recording.loudest(600 * MILLI, 1500 * MILLI);
    loudest.sort_by(f64::total_cmp);
    assert_eq!(loudest, [440.0, 480.0]);
    assert_eq!(recording.loudest(Duration::ZERO, 400 * MILLI), [1000.0]);
}
