//! A sound in packets: encoded once, played to any number of calls.

use alloc::vec::Vec;
use core::time::Duration;

use crate::Speech;

/// A sound encoded for one codec, cut into packets of one length. Shared by all calls that hear it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Track {
    speech: Speech,
    packet_ms: u16,
    /// Where each packet ends in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Track {
    /// An empty track of packets of so many milliseconds: 10 to 60, in tens.
    pub const fn new(speech: Speech, packet_ms: u16) -> Self {
        Self { speech, packet_ms, ends: Vec::new(), bytes: Vec::new() }
    }

    /// Adds the next packet's payload. Payloads beyond 4 GiB are left out.
    pub fn push(&mut self, payload: &[u8]) {
        let end = self.bytes.len().saturating_add(payload.len());
        if let Ok(end) = u32::try_from(end) {
            self.bytes.extend_from_slice(payload);
            self.ends.push(end);
        }
    }

    /// Its codec.
    pub const fn speech(&self) -> Speech {
        self.speech
    }

    /// Milliseconds a packet.
    pub const fn packet_ms(&self) -> u16 {
        self.packet_ms
    }

    /// RTP ticks a packet.
    pub const fn packet_ticks(&self) -> u32 {
        self.speech.clock_rate() / 1000 * self.packet_ms as u32
    }

    /// How many packets.
    pub const fn packets(&self) -> usize {
        self.ends.len()
    }

    /// The payload of a packet; `None` behind the end.
    pub fn packet(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)? as usize;
        let begin = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.bytes.get(begin..end)
    }

    /// How long it plays.
    pub fn length(&self) -> Duration {
        Duration::from_millis(u64::from(self.packet_ms)) * self.ends.len() as u32
    }
}
