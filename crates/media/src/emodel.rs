//! How good a stream sounds: the E-model (ITU-T G.107), simplified to delay and loss.
//!
//! All but delay and the equipment's impairment is at its default, which makes R 93.2 at best and the score 4.41. Codec
//! figures are those of ITU-T G.113 appendix I where it has them; G.722's and Opus's are set on the same narrowband
//! scale from their published tests, and an unknown codec is taken for one that conceals as G.711 does.

use core::time::Duration;

/// R without any impairment of the way (G.107 default values).
const R_BEST: f32 = 93.2;

/// What a codec does to speech.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Equipment {
    /// Impairment without loss: Ie.
    impairment: f32,
    /// How well loss is concealed: Bpl.
    robustness: f32,
}

/// The score of a stream, 1 (bad) to 4.5 (as good as it gets): its encoding's registered name, the one-way delay from
/// mouth to ear, and how many packets are lost of those sent, 0 to 1.
pub fn mos(encoding: &str, delay: Duration, loss: f32) -> f32 {
    score(rating(encoding, delay, loss))
}

/// The delay from mouth to ear: half the round trip, one packet, and a jitter buffer of twice the jitter.
pub fn delay(round_trip: Option<Duration>, jitter_ms: f32, packet: Duration) -> Duration {
    // What is no number is no jitter.
    let jitter = Duration::try_from_secs_f32(jitter_ms / 1000.0).unwrap_or_default();
    let buffer = jitter.min(Duration::from_secs(5)) * 2;
    round_trip.unwrap_or_default() / 2 + packet + buffer
}

/// R: 0 to 93.2 (G.107 §7.1).
fn rating(encoding: &str, delay: Duration, loss: f32) -> f32 {
    let equipment = equipment(encoding);
    let percent = loss.clamp(0.0, 1.0) * 100.0;
    // Loss at random: BurstR is 1.
    let lost = (95.0 - equipment.impairment) * percent / (percent + equipment.robustness);
    (R_BEST - delay_impairment(delay) - equipment.impairment - lost).max(0.0)
}

/// Id: small below 177.3 ms, then five times as steep (Cole and Rosenbluth's fit to G.107 §7.4).
fn delay_impairment(delay: Duration) -> f32 {
    let millis = delay.as_secs_f32() * 1000.0;
    0.024 * millis + 0.11 * (millis - 177.3).max(0.0)
}

/// From R to a mean opinion score (G.107 annex B). The cubic dips below 1 for the smallest ratings.
fn score(rating: f32) -> f32 {
    let r = rating.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

fn equipment(encoding: &str) -> Equipment {
    const ALL: [(&str, Equipment); 8] = [
        ("PCMU", Equipment { impairment: 0.0, robustness: 25.1 }),
        ("PCMA", Equipment { impairment: 0.0, robustness: 25.1 }),
        ("G722", Equipment { impairment: 0.0, robustness: 14.0 }),
        ("opus", Equipment { impairment: 0.0, robustness: 27.0 }),
        ("G729", Equipment { impairment: 11.0, robustness: 19.0 }),
        ("GSM", Equipment { impairment: 20.0, robustness: 43.0 }),
        ("iLBC", Equipment { impairment: 11.0, robustness: 32.0 }),
        ("AMR", Equipment { impairment: 5.0, robustness: 10.0 }),
    ];
    let known = ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(encoding));
    known.map_or(Equipment { impairment: 0.0, robustness: 25.1 }, |(_, equipment)| *equipment)
}

#[cfg(test)]
mod tests;
