//! The codecs that Mediator itself speaks and hears. Everything else passes through as it is.

/// A codec that tracks are made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Speech {
    /// G.711 u-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus (RFC 7587), mono.
    Opus,
}

impl Speech {
    /// All of them, in the order in which we offer them: what every carrier takes comes first, so that two legs that are
    /// agreed on one after the other mostly agree on the same.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// The encoding's registered name (RFC 3551, RFC 7587).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The codec of a registered name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|speech| speech.name().eq_ignore_ascii_case(name))
    }

    /// RTP ticks a second. G.722's is half its sampling rate (RFC 3551 §4.5.2).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8000,
            Self::Opus => 48_000,
        }
    }

    /// Samples a second.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// The channels that `a=rtpmap` names.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 1,
            Self::Opus => 2,
        }
    }

    /// The payload type that RFC 3551 assigns, else the one that we offer it with.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 107,
        }
    }

    /// The codec that we can rewrite it into byte by byte: the two laws of G.711.
    pub const fn twin(self) -> Option<Self> {
        match self {
            Self::Pcmu => Some(Self::Pcma),
            Self::Pcma => Some(Self::Pcmu),
            Self::G722 | Self::Opus => None,
        }
    }
}
