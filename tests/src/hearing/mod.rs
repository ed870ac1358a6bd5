//! What was heard, measured: which tone when, where silence was, and how long nothing came.
//!
//! A recording is placed by the timestamps of its packets, so that what is measured is what the sender meant and not how
//! busy this machine was; how late packets came is a question of its own ([`Recording::latest`]). It is looked at in
//! windows of 20 ms, one packet each; two tones that lie closer than some 50 Hz are told apart only by
//! [`Recording::loudest`], which looks at as much as it is given.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::rtp::Packet;
use crate::rtp::law::Law;

#[cfg(test)]
mod tests;

/// Samples a second.
const RATE: u32 = 8000;
/// Samples of a window.
const WINDOW: usize = 160;
/// The time of a window.
const WINDOW_TIME: Duration = Duration::from_millis(20);
/// Below this root mean square nothing is heard; a tone of telephony has thousands.
const AUDIBLE: f64 = 60.0;
/// As much of a window's energy lies at the frequencies of what is heard.
const SHARE: f64 = 0.4;
/// The longest recording, in samples: ten minutes.
const LONGEST: usize = 8000 * 600;

/// A sound that is sought: its frequencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// What it is called here.
    pub name: &'static str,
    hertz: Vec<f64>,
}

impl Sought {
    /// A sound of these frequencies at the same time.
    pub fn new(name: &'static str, hertz: &[f64]) -> Self {
        Self { name, hertz: hertz.to_vec() }
    }
}

/// What a window held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A sound that was sought.
    Sound(&'static str),
    /// Something else that is audible.
    Other,
    /// Packets without sound.
    Silence,
    /// No packets.
    Nothing,
}

/// A time in which the same was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// What.
    pub heard: Heard,
    /// From when on, counted from the first packet.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

impl Stretch {
    /// How long it was.
    pub fn length(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// Sound of 8 kHz, and which of it was there at all.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    samples: Vec<f64>,
    there: Vec<bool>,
    /// When the first packet came.
    begun: Option<Instant>,
    latest: Duration,
}

impl Recording {
    /// The sound of packets: `formats` are the payload types of G.711 and their laws; packets of others are left out.
    /// A packet of another source than the first goes where its arrival puts it.
    pub fn of_packets(packets: &[Packet], formats: &[(u8, Law)]) -> Self {
        let mut recording = Self::default();
        let mut sources: HashMap<u32, (u32, i64)> = HashMap::new();
        for packet in packets {
            let law = formats.iter().find(|(number, _)| *number == packet.payload_type());
            let Some((_, law)) = law else { continue };
            let begun = *recording.begun.get_or_insert(packet.at);
            let arrived = packet.at.saturating_duration_since(begun);
            let arrived_at = i64::try_from(arrived.as_micros() / 125).unwrap_or(i64::MAX);
            let (base, offset) =
                *sources.entry(packet.ssrc()).or_insert((packet.timestamp(), arrived_at));
            let ticks = packet.timestamp().wrapping_sub(base).cast_signed();
            let at = offset + i64::from(ticks);
            let late = u64::try_from(arrived_at - at).unwrap_or_default() * 125;
            recording.latest = recording.latest.max(Duration::from_micros(late));
            if let Ok(at) = usize::try_from(at) {
                recording.put(at, packet.payload(), *law);
            }
        }
        recording
    }

    fn put(&mut self, at: usize, payload: &[u8], law: Law) {
        let end = at.saturating_add(payload.len());
        if end > LONGEST {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0.0);
            self.there.resize(end, false);
        }
        let places = self.samples.iter_mut().zip(self.there.iter_mut()).skip(at);
        for ((sample, there), byte) in places.zip(payload) {
            (*sample, *there) = (f64::from(law.decode(*byte)), true);
        }
    }

    /// When its first packet came.
    pub fn begun(&self) -> Option<Instant> {
        self.begun
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_micros(self.samples.len() as u64 * 125)
    }

    /// By how much the latest packet came behind its time.
    pub fn latest(&self) -> Duration {
        self.latest
    }

    /// What was heard when.
    pub fn timeline(&self, sought: &[Sought]) -> Vec<Stretch> {
        let mut line: Vec<Stretch> = Vec::new();
        // A part of a window at the end is too short to tell tones apart.
        let windows = self.samples.chunks_exact(WINDOW).zip(self.there.chunks_exact(WINDOW));
        for (index, (samples, there)) in windows.enumerate() {
            let heard = look(samples, there, sought);
            let from = WINDOW_TIME * u32::try_from(index).unwrap_or(u32::MAX);
            match line.last_mut().filter(|last| last.heard == heard) {
                Some(last) => last.until = from + WINDOW_TIME,
                None => line.push(Stretch { heard, from, until: from + WINDOW_TIME }),
            }
        }
        line
    }

    /// For how long a sound was heard in all.
    pub fn time_of(&self, sought: &Sought) -> Duration {
        let line = self.timeline(std::slice::from_ref(sought));
        line.iter()
            .filter(|part| part.heard == Heard::Sound(sought.name))
            .map(Stretch::length)
            .sum()
    }

    /// The names of the sounds in the order in which each was heard for 60 ms and more; a sound that goes on after a
    /// pause counts once.
    pub fn order(&self, sought: &[Sought]) -> Vec<&'static str> {
        let mut order: Vec<&'static str> = Vec::new();
        for part in self.timeline(sought) {
            if let Heard::Sound(name) = part.heard
                && part.length() >= 3 * WINDOW_TIME
                && order.last() != Some(&name)
            {
                order.push(name);
            }
        }
        order
    }

    /// From the end of one sound to the beginning of the one that follows it; both must have been heard.
    pub fn between(&self, first: &Sought, second: &Sought) -> Result<Duration> {
        let line = self.timeline(&[first.clone(), second.clone()]);
        let long = |name: &'static str| {
            let line = &line;
            move |at: &usize| {
                line.get(*at).is_some_and(|part| {
                    part.heard == Heard::Sound(name) && part.length() >= 3 * WINDOW_TIME
                })
            }
        };
        let second_at = (0..line.len())
            .find(long(second.name))
            .with_context(|| format!("{} was not heard: {line:?}", second.name))?;
        let first_at = (0..second_at)
            .rev()
            .find(long(first.name))
            .with_context(|| format!("{} was not heard before: {line:?}", first.name))?;
        let (end, start) = (line.get(first_at), line.get(second_at));
        Ok(start
            .zip(end)
            .map(|(start, end)| start.from.saturating_sub(end.until))
            .unwrap_or_default())
    }

    /// The longest time in which no packet had anything to say, between the first and the last.
    pub fn longest_hole(&self) -> Duration {
        let (mut longest, mut now) = (0_u64, 0_u64);
        for there in &self.there {
            now = if *there { 0 } else { now + 1 };
            longest = longest.max(now);
        }
        Duration::from_micros(longest * 125)
    }

    /// The strongest frequencies between two times, strongest first, to some 5 Hz; those that are much weaker than the
    /// strongest one are left out. The time should be 200 ms and more.
    pub fn loudest(&self, from: Duration, until: Duration) -> Vec<f64> {
        let at = |time: Duration| usize::try_from(time.as_micros() / 125).unwrap_or(usize::MAX);
        let end = at(until).min(self.samples.len());
        let part = self.samples.get(at(from)..end).unwrap_or_default();
        let grid: Vec<(f64, f64)> = (40..680)
            .map(|step| f64::from(step) * 5.0)
            .map(|hertz| (hertz, power(part, hertz)))
            .collect();
        let strongest = grid.iter().map(|(_, power)| *power).fold(0.0, f64::max);
        let mut peaks: Vec<(f64, f64)> = grid
            .windows(3)
            .filter_map(|three| match three {
                [before, peak, after] => {
                    (peak.1 > before.1 && peak.1 >= after.1 && peak.1 > strongest / 8.0)
                        .then_some(*peak)
                }
                _ => None,
            })
            .collect();
        peaks.sort_by(|one, other| other.1.total_cmp(&one.1));
        peaks.into_iter().map(|(hertz, _)| hertz).collect()
    }
}

/// The longest time between two packets that came, of those of a payload type.
pub fn longest_wait(packets: &[Packet], payload_type: u8) -> Duration {
    let of_type: Vec<_> =
        packets.iter().filter(|packet| packet.payload_type() == payload_type).collect();
    let waits = of_type.windows(2).filter_map(|two| match two {
        [one, next] => Some(next.at.saturating_duration_since(one.at)),
        _ => None,
    });
    waits.max().unwrap_or_default()
}

fn look(samples: &[f64], there: &[bool], sought: &[Sought]) -> Heard {
    if there.iter().filter(|there| **there).count() * 2 < there.len() {
        return Heard::Nothing;
    }
    let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let length = samples.len() as f64;
    if energy < AUDIBLE * AUDIBLE * length {
        return Heard::Silence;
    }
    let shares = sought.iter().map(|sound| {
        let power: f64 = sound.hertz.iter().map(|hertz| power(samples, *hertz)).sum();
        // For a pure sine the power is energy * length / 2.
        (power / (energy * length / 2.0), sound.name)
    });
    match shares.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((share, name)) if share > SHARE => Heard::Sound(name),
        _ => Heard::Other,
    }
}

/// The power at a frequency (Goertzel's algorithm).
fn power(samples: &[f64], hertz: f64) -> f64 {
    let turn = 2.0 * (TAU * hertz / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + turn * last - before, last);
    }
    last * last + before * before - turn * last * before
}
