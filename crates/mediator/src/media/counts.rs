//! What media threads count: published by each thread, read when the metrics page is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_media::{Counters, SoundFailure};
use mediator_net::{RtpCounts, RtpPorts};

use crate::metrics::{Kind, Page, Source};

/// What one thread has counted.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tally {
    /// By its relay.
    pub(super) relay: Counters,
    /// By its sockets.
    pub(super) sockets: RtpCounts,
    /// By the thread itself.
    pub(super) own: OwnTally,
}

/// What a thread counts itself.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct OwnTally {
    /// Bytes sent, with the headers of RTP and RTCP.
    pub(super) bytes_out: u64,
    /// Packets that did not come, in sessions that are over.
    pub(super) lost: u64,
    /// Sounds heard to their end.
    pub(super) played: u64,
    /// Sounds that could not be played, as [`SoundFailure`] has them.
    pub(super) unplayed: [u64; 4],
    /// Sessions in which neither side sent for too long.
    pub(super) timeouts: u64,
    /// Sessions that a defect of ours ended.
    pub(super) broken: u64,
}

impl OwnTally {
    pub(super) const fn count_unplayed(&mut self, failure: SoundFailure) {
        let [unfetched, undecoded, no_codec, late] = &mut self.unplayed;
        *match failure {
            SoundFailure::Unfetched => unfetched,
            SoundFailure::Undecoded => undecoded,
            SoundFailure::NoCodec => no_codec,
            SoundFailure::Late => late,
        } += 1;
    }
}

/// A label's value, and the number that it has.
type Sample = (&'static str, fn(&Tally) -> u64);

/// A family of the page: one number for each value of its label.
struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    /// The label's name; empty where there is one number.
    label: &'static str,
    samples: &'static [Sample],
}

const FAMILIES: &[Family] = &[
    Family {
        name: "mediator_media_sessions",
        help: "Calls whose audio passes here now.",
        kind: Kind::Gauge,
        label: "",
        samples: &[("", |all| all.relay.sessions)],
    },
    Family {
        name: "mediator_media_sessions_opened_total",
        help: "Calls whose audio passed here, or was made here.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.relay.opened)],
    },
    Family {
        name: "mediator_media_timeouts_total",
        help: "Calls in which neither side sent audio for media.media_timeout.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.own.timeouts)],
    },
    Family {
        name: "mediator_media_sessions_broken_total",
        help: "Calls whose audio was ended by a defect of the server.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.own.broken)],
    },
    Family {
        name: "mediator_rtp_packets_total",
        help: "RTP packets taken, handed on to the other side, and made here (sounds, silence, DTMF).",
        kind: Kind::Counter,
        label: "kind",
        samples: &[
            ("received", |all| all.relay.packets),
            ("forwarded", |all| all.relay.forwarded),
            ("generated", |all| all.relay.generated),
        ],
    },
    Family {
        name: "mediator_rtp_bytes_total",
        help: "Bytes of packets, without the headers of UDP and IP.",
        kind: Kind::Counter,
        label: "direction",
        samples: &[("in", |all| all.relay.bytes), ("out", |all| all.own.bytes_out)],
    },
    Family {
        name: "mediator_rtp_transcoded_total",
        help: "RTP packets handed on in the other law of G.711.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.relay.transcoded)],
    },
    Family {
        name: "mediator_rtp_lost_total",
        help: "RTP packets that did not come, in calls that are over.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.own.lost)],
    },
    Family {
        name: "mediator_rtp_rejected_total",
        help: "Datagrams not taken: from a stranger, not RTP, of a payload type that was not agreed on, out of its place; and destinations that nothing is sent to.",
        kind: Kind::Counter,
        label: "reason",
        samples: &[
            ("source", |all| all.relay.refused),
            ("malformed", |all| all.relay.malformed),
            ("unroutable", |all| all.relay.unroutable),
            ("misplaced", |all| all.relay.misplaced),
            ("destination", |all| all.relay.forbidden),
        ],
    },
    Family {
        name: "mediator_rtp_unsent_total",
        help: "Datagrams that the kernel did not take.",
        kind: Kind::Counter,
        label: "reason",
        samples: &[("full", |all| all.sockets.dropped), ("refused", |all| all.sockets.refused)],
    },
    Family {
        name: "mediator_rtcp_packets_total",
        help: "RTCP packets read, left unread (malformed, or too many), and sent.",
        kind: Kind::Counter,
        label: "kind",
        samples: &[
            ("received", |all| all.relay.rtcp),
            ("ignored", |all| all.relay.rtcp_ignored),
            ("sent", |all| all.relay.rtcp_sent),
        ],
    },
    Family {
        name: "mediator_sounds_played_total",
        help: "Sounds played to their end.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.own.played)],
    },
    Family {
        name: "mediator_sounds_unplayed_total",
        help: "Sounds that could not be played.",
        kind: Kind::Counter,
        label: "reason",
        samples: &[
            ("unfetched", |all| all.own.unplayed[0]),
            ("undecoded", |all| all.own.unplayed[1]),
            ("no_codec", |all| all.own.unplayed[2]),
            ("late", |all| all.own.unplayed[3]),
        ],
    },
    Family {
        name: "mediator_media_wake_ups_total",
        help: "Wake-ups of media threads.",
        kind: Kind::Counter,
        label: "",
        samples: &[("", |all| all.sockets.wake_ups)],
    },
];

/// One thread's numbers as it last published them, a place for each sample. Two threads' never share a cache line.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Published(Box<[AtomicU64]>);

impl Default for Published {
    fn default() -> Self {
        let samples = FAMILIES.iter().flat_map(|family| family.samples);
        Self(samples.map(|_| AtomicU64::new(0)).collect())
    }
}

impl Published {
    /// Publishes. Only the owning thread may.
    pub(super) fn publish(&self, tally: &Tally) {
        let samples = FAMILIES.iter().flat_map(|family| family.samples);
        for (number, (_, of)) in self.0.iter().zip(samples) {
            number.store(of(tally), Ordering::Relaxed);
        }
    }
}

/// All media threads and the ports, for the page.
#[derive(Clone, Debug)]
pub struct MediaMetrics {
    pub(super) threads: Vec<Arc<Published>>,
    pub(super) ports: Arc<RtpPorts>,
}

impl Source for MediaMetrics {
    fn collect(&self, page: &mut Page) {
        let mut at = 0;
        for Family { name, help, kind, label, samples } in FAMILIES {
            page.family(name, help, *kind);
            for (value, _) in *samples {
                let numbers = self.threads.iter().filter_map(|thread| thread.0.get(at));
                let sum: u64 = numbers.map(|number| number.load(Ordering::Relaxed)).sum();
                let labels = [(*label, *value)];
                page.sample(if label.is_empty() { &[] } else { &labels }, sum);
                at += 1;
            }
        }
        page.family("mediator_media_ports", "Pairs of media ports.", Kind::Gauge);
        page.sample(&[("state", "used")], self.ports.used());
        page.sample(&[("state", "free")], self.ports.free());
    }
}
