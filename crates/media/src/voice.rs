//! What we say on a leg ourselves: a sound, and silence before, between and after.
//!
//! A voice sends at a steady pace from its beginning to its end. Its sound is asked for by codec and length of packet; a
//! leg that agrees on another codec in the middle of it gets the rest in that one. A sound that is to be played once or for
//! some time leaves silence behind.

use alloc::sync::Arc;
use core::time::Duration;

use mediator_model::Instant;

use crate::silence::silence;
use crate::{Play, Repeat, Sound, SoundFailure, SoundOutcome, Speech, Track};

/// A track that takes longer than this to come is not waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A voice that is further behind goes on from now: the machine stood still.
const MOST_BEHIND: Duration = Duration::from_millis(100);

/// How a leg is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tongue {
    /// `None`: it has no codec that we speak.
    pub(crate) speech: Option<Speech>,
    pub(crate) payload_type: u8,
    pub(crate) packet_ms: u16,
}

/// What a voice says.
#[derive(Clone, Debug)]
enum State {
    Silent,
    /// A track was asked for, as soon as it is known in which codec.
    Waiting {
        play: Play,
        played: Duration,
        asked: Option<(Speech, u16)>,
        until: Instant,
    },
    /// `next` is the packet of the track that is due.
    Playing {
        play: Play,
        played: Duration,
        track: Arc<Track>,
        next: usize,
    },
}

/// A sound that is over: its token, and how.
pub(crate) type Ended = (u32, SoundOutcome);

/// What a voice needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    Nothing,
    /// A track.
    Track {
        token: u32,
        sound: Sound,
        speech: Speech,
        packet_ms: u16,
    },
    /// The leg cannot hear it.
    Codec(Ended),
}

/// A voice.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    /// When the next packet is to be sent.
    due: Instant,
    packet_ms: u16,
    state: State,
}

impl Voice {
    /// A voice that says nothing yet.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { due: now, packet_ms: 20, state: State::Silent }
    }

    /// Says nothing any more.
    pub(crate) fn hush(&mut self) {
        self.state = State::Silent;
    }

    /// Plays a sound in place of what it says; one without end that it is playing already goes on.
    pub(crate) fn play(&mut self, now: Instant, play: Play) {
        if let State::Playing { play: known, .. } = &mut self.state
            && known.sound == play.sound
            && (known.repeat, play.repeat) == (Repeat::Forever, Repeat::Forever)
        {
            known.token = play.token;
            return;
        }
        let until = now + PATIENCE;
        self.state = State::Waiting { play, played: Duration::ZERO, asked: None, until };
    }

    /// Adapts to what the leg has agreed on.
    pub(crate) fn adapt(&mut self, now: Instant, tongue: Tongue) -> Need {
        self.packet_ms = tongue.packet_ms;
        let (play, played, has) = match &self.state {
            State::Silent => return Need::Nothing,
            State::Waiting { play, played, asked, .. } => (play, *played, *asked),
            State::Playing { play, played, track, .. } => {
                (play, *played, Some((track.speech(), track.packet_ms())))
            }
        };
        let token = play.token;
        let Some(speech) = tongue.speech else {
            return Need::Codec(self.fail(token, SoundFailure::NoCodec));
        };
        let wanted = (speech, tongue.packet_ms);
        if has == Some(wanted) {
            return Need::Nothing;
        }
        let play = play.clone();
        let sound = play.sound.clone();
        let until = now + PATIENCE;
        self.state = State::Waiting { play, played, asked: Some(wanted), until };
        Need::Track { token, sound, speech, packet_ms: tongue.packet_ms }
    }

    /// Whether it waits for the track of this play.
    pub(crate) fn waits_for(&self, token: u32) -> bool {
        matches!(&self.state, State::Waiting { play, .. } if play.token == token)
    }

    /// Takes the track that was asked for; another one is nobody's.
    pub(crate) fn take(
        &mut self,
        token: u32,
        offered: Result<Arc<Track>, SoundFailure>,
    ) -> Option<Ended> {
        let State::Waiting { play, played, asked, .. } = &self.state else { return None };
        if play.token != token {
            return None;
        }
        let track = match offered {
            Ok(track) if *asked != Some((track.speech(), track.packet_ms())) => return None,
            Ok(track) if track.packets() == 0 => {
                return Some(self.fail(token, SoundFailure::Undecoded));
            }
            Ok(track) => track,
            Err(failure) => return Some(self.fail(token, failure)),
        };
        let packets = played.as_millis() / u128::from(track.packet_ms().max(1));
        let next = match play.repeat {
            Repeat::Once => usize::try_from(packets).unwrap_or(usize::MAX),
            Repeat::Forever | Repeat::For(_) => (packets % track.packets() as u128) as usize,
        };
        self.state = State::Playing { play: play.clone(), played: *played, track, next };
        None
    }

    /// When the next packet is due.
    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    /// Ticks of a packet.
    pub(crate) fn span(&self, speech: Speech) -> u32 {
        speech.clock_rate() / 1000 * u32::from(self.packet_ms)
    }

    /// Whether a sound is being played.
    pub(crate) const fn is_playing(&self) -> bool {
        matches!(self.state, State::Playing { .. })
    }

    /// Whether it has nothing to say, and waits for nothing.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(self.state, State::Silent)
    }

    /// Comes to the next packet, which is due: ends what is over, and begins anew what goes on and on.
    pub(crate) fn turn(&mut self, now: Instant) -> Option<Ended> {
        if now - self.due > MOST_BEHIND {
            self.due = now;
        }
        match &mut self.state {
            State::Silent => None,
            State::Waiting { play, until, .. } => {
                let token = play.token;
                (*until <= now).then(|| self.fail(token, SoundFailure::Late))
            }
            State::Playing { play, played, track, next } => {
                let at_end = *next >= track.packets();
                let over = match play.repeat {
                    Repeat::Once => at_end,
                    Repeat::Forever => false,
                    Repeat::For(time) => *played >= time,
                };
                if over {
                    let token = play.token;
                    self.state = State::Silent;
                    return Some((token, SoundOutcome::Played));
                }
                if at_end {
                    *next = 0;
                }
                None
            }
        }
    }

    /// The payload that is due, in this codec.
    pub(crate) fn payload(&self, speech: Speech) -> &[u8] {
        let quiet = silence(speech, self.packet_ms);
        match &self.state {
            State::Silent | State::Waiting { .. } => quiet,
            State::Playing { track, next, .. } => track.packet(*next).unwrap_or(quiet),
        }
    }

    /// The packet that was due is sent, or its time has passed.
    pub(crate) fn advance(&mut self) {
        let length = Duration::from_millis(u64::from(self.packet_ms));
        self.due += length;
        if let State::Playing { played, next, .. } = &mut self.state {
            *played += length;
            *next += 1;
        }
    }

    fn fail(&mut self, token: u32, failure: SoundFailure) -> Ended {
        self.state = State::Silent;
        (token, SoundOutcome::Failed(failure))
    }
}
