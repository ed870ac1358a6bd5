//! What the call engine asks of media, and what it is told.
//!
//! Whoever carries out orders may be this crate in this process, or a relay outside of it (rtpengine, say): the orders are
//! that seam. A call's session lives from [`Order::Open`] to [`Order::Close`]; orders for a call that is not open are
//! ignored.

use alloc::boxed::Box;
use core::time::Duration;

use mediator_model::{MediaPort, Number, Sid};

use crate::{Figures, Side, Terms};

/// What the call engine asks for.
#[derive(Clone, Debug)]
pub enum Order {
    /// A call's session begins, on two pairs of ports that were reserved for it: A's and B's. Both sides hear nothing.
    Open {
        /// The call.
        call: Sid,
        /// The ports of side A and side B.
        ports: [MediaPort; 2],
    },
    /// A leg has agreed on something.
    Terms {
        /// The call.
        call: Sid,
        /// The leg.
        side: Side,
        /// What it has agreed on now.
        terms: Box<Terms>,
    },
    /// What a side hears from now on.
    Hear {
        /// The call.
        call: Sid,
        /// Who hears it.
        side: Side,
        /// What.
        hear: Hear,
    },
    /// Sends DTMF to a side, beside what it hears: RFC 4733 events where the leg has them, else tones in its audio.
    Dial {
        /// The call.
        call: Sid,
        /// Who gets them.
        side: Side,
        /// `0-9*#A-D`, and `,` for half a second of waiting.
        digits: Box<str>,
    },
    /// Whether the keys that a side presses are told: RFC 4733 events, and tones in its audio where it has none.
    Listen {
        /// The call.
        call: Sid,
        /// Who presses.
        side: Side,
        /// Whether each is told as [`Event::Key`].
        keys: bool,
    },
    /// From now on the call is told of when neither side sends for so long and no side is held; `None`: not any more.
    Supervise {
        /// The call.
        call: Sid,
        /// `media_timeout`.
        silence: Option<Duration>,
    },
    /// The session ends: its ports are given back, and its figures told in [`Event::Closed`].
    Close {
        /// The call.
        call: Sid,
    },
}

impl Order {
    /// The call that it is for.
    pub const fn call(&self) -> Sid {
        match self {
            Self::Open { call, .. }
            | Self::Terms { call, .. }
            | Self::Hear { call, .. }
            | Self::Dial { call, .. }
            | Self::Listen { call, .. }
            | Self::Supervise { call, .. }
            | Self::Close { call } => *call,
        }
    }
}

/// What a side hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hear {
    /// Nothing is sent.
    Nothing,
    /// Packets without sound, so that the way stays open and nobody wonders.
    Silence,
    /// The other side.
    Peer,
    /// A sound.
    Sound(Play),
    /// A sound until media of the other side comes, and from then on the other side.
    SoundThenPeer(Play),
}

/// A sound to be played to a side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Play {
    /// Names it in [`Event::SoundEnded`]; the engine's, grows with each.
    pub token: u32,
    /// What.
    pub sound: Sound,
    /// For how long.
    pub repeat: Repeat,
}

/// How often a sound is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Once, then silence.
    Once,
    /// Over and over.
    Forever,
    /// Over and over for so long, then silence.
    For(Duration),
}

/// What can be played. Whoever drives media finds it and encodes it: see [`Event::TrackNeeded`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sound {
    /// An announcement: an http or https URL, a `file:` URL or a relative path inside the media folder, or `default`.
    Announcement(Box<str>),
    /// Hold music: the operator's, else the built-in piece.
    HoldMusic,
    /// "Press 1 to be connected": at this URL, else, or where that cannot be played, the operator's or the built-in one.
    Confirmation(Option<Box<str>>),
    /// A tone as the country of a number has it.
    Tone {
        /// Which.
        tone: Tone,
        /// Whose country's plan; a number of no known country has the plan of the US.
        number: Number,
    },
    /// DTMF as tones, for a leg without events: `0-9*#A-D` and `,`.
    Digits(Box<str>),
}

/// A tone of a country's plan (ITU-T E.180).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tone {
    /// The far side rings.
    Ringing,
    /// The far side is busy.
    Busy,
    /// The call cannot be completed (congestion).
    Reorder,
}

/// What the call engine, or whoever drives media, is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A sound is to be played in this codec: the driver finds and encodes it, and hands over a track. For the driver
    /// alone; the engine hears nothing of it.
    TrackNeeded {
        /// The call.
        call: Sid,
        /// Who hears it.
        side: Side,
        /// The play's.
        token: u32,
        /// What.
        sound: Sound,
        /// In which codec.
        speech: crate::Speech,
        /// Milliseconds a packet.
        packet_ms: u16,
    },
    /// A sound is over: played to its end, or not playable. Not told of a sound that an order has replaced.
    SoundEnded {
        /// The call.
        call: Sid,
        /// Who heard it.
        side: Side,
        /// The play's.
        token: u32,
        /// How.
        outcome: SoundOutcome,
    },
    /// A side has pressed a key; told once for each press, while it is listened to.
    Key {
        /// The call.
        call: Sid,
        /// Who.
        side: Side,
        /// `0-9*#A-D`.
        key: char,
    },
    /// Neither side has sent anything for as long as [`Order::Supervise`] says.
    Silent {
        /// The call.
        call: Sid,
    },
    /// The session is over.
    Closed {
        /// The call.
        call: Sid,
        /// What was counted of side A and side B.
        figures: [Figures; 2],
    },
}

impl Event {
    /// The call that it is of.
    pub const fn call(&self) -> Sid {
        match self {
            Self::TrackNeeded { call, .. }
            | Self::SoundEnded { call, .. }
            | Self::Key { call, .. }
            | Self::Silent { call }
            | Self::Closed { call, .. } => *call,
        }
    }
}

/// How a sound ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SoundOutcome {
    /// It was heard to its end.
    Played,
    /// It could not be played.
    Failed(SoundFailure),
}

/// Why a sound could not be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SoundFailure {
    /// It could not be fetched or read.
    #[error("it cannot be fetched")]
    Unfetched,
    /// It is no audio, or of a kind that cannot be decoded.
    #[error("it cannot be decoded")]
    Undecoded,
    /// The leg has no codec that we speak.
    #[error("the leg has no codec that can be played")]
    NoCodec,
    /// It did not come in time.
    #[error("it did not come in time")]
    Late,
}
