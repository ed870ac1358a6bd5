//! Whoever speaks on a leg for us: a voice that it hears in place of the other side, and keys that are dialled to it.
//!
//! Keys go beside what the leg hears: as RFC 4733 events where it has them, else as a sound of tones. While they are sent
//! nothing else is: the voice goes on in time, unheard, and the other side's packets are left out.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::net::SocketAddr;

use mediator_model::{Instant, Sid};

use crate::event::{Dialer, ON};
use crate::outgoing::Outgoing;
use crate::relay::{Lane, Outlet};
use crate::rtp::Header;
use crate::stream::{Stamp, Stream};
use crate::surroundings::Surroundings;
use crate::voice::{Tongue, Voice};
use crate::{Play, Repeat, Side, Sound};

/// Rows of keys that wait behind one that is being sent as tones.
const MOST_ROWS: usize = 16;
/// Tokens of our own plays begin here; the engine's are below.
pub(crate) const OWN_TOKENS: u32 = 1 << 31;

/// A leg, as events name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Whose {
    pub(crate) call: Sid,
    pub(crate) side: Side,
}

/// Where a leg's packets go.
pub(crate) struct Mouth<'a> {
    pub(crate) stream: &'a mut Stream,
    pub(crate) tongue: Option<Tongue>,
    /// Payload type and clock rate of events.
    pub(crate) events: Option<(u8, u32)>,
    pub(crate) whose: Whose,
    pub(crate) lane: Lane,
    /// `None`: it gets nothing now.
    pub(crate) to: Option<SocketAddr>,
    pub(crate) out: &'a mut dyn Outlet,
}

/// The speaker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speaker {
    /// What the leg hears.
    pub(crate) voice: Option<Voice>,
    dialer: Option<Box<Dialer>>,
    tones: Option<Box<Tones>>,
}

/// Keys as tones.
#[derive(Clone, Debug)]
struct Tones {
    voice: Voice,
    waiting: VecDeque<Box<str>>,
}

impl Speaker {
    /// The voice; one is there from now on.
    pub(crate) fn voice(&mut self, now: Instant) -> &mut Voice {
        self.voice.get_or_insert_with(|| Voice::new(now))
    }

    /// Dials keys as events.
    pub(crate) fn dial_events(&mut self, now: Instant, keys: &str) {
        self.dialer.get_or_insert_default().dial(now, keys);
    }

    /// Dials keys as tones; those that are dialled meanwhile wait.
    pub(crate) fn dial_tones(&mut self, now: Instant, token: u32, keys: Box<str>) {
        if let Some(tones) = &mut self.tones {
            if tones.waiting.len() < MOST_ROWS {
                tones.waiting.push_back(keys);
            }
            return;
        }
        let mut voice = Voice::new(now);
        voice.play(now, digits(token, keys));
        self.tones = Some(Box::new(Tones { voice, waiting: VecDeque::new() }));
    }

    /// All voices.
    pub(crate) fn voices(&mut self) -> impl Iterator<Item = &mut Voice> {
        self.voice.iter_mut().chain(self.tones.iter_mut().map(|tones| &mut tones.voice))
    }

    /// When something is due next.
    pub(crate) fn due(&self) -> Option<Instant> {
        let voice = self.voice.as_ref().map(Voice::due);
        let tones = self.tones.as_ref().map(|tones| tones.voice.due());
        let keys = self.dialer.as_ref().and_then(|dialer| dialer.next_deadline());
        [voice, tones, keys].into_iter().flatten().min()
    }

    /// Whether keys are being sent just now.
    pub(crate) fn is_aside(&self) -> bool {
        let presses = self.dialer.as_ref().is_some_and(|dialer| dialer.is_pressing());
        presses || self.tones.as_ref().is_some_and(|tones| tones.voice.is_playing())
    }

    /// Whether nothing is left to say.
    pub(crate) const fn is_done(&self) -> bool {
        self.voice.is_none() && self.dialer.is_none() && self.tones.is_none()
    }

    /// Says all that is due.
    pub(crate) fn speak(&mut self, around: &mut Surroundings, now: Instant, mouth: &mut Mouth<'_>) {
        self.press(around, now, mouth);
        self.sound_tones(around, now, mouth);
        let is_aside = self.is_aside();
        let Some(voice) = &mut self.voice else { return };
        while voice.due() <= now {
            if let Some(ended) = voice.turn(now) {
                around.sound_ended(mouth.whose, ended);
            }
            if !is_aside {
                mouth.say(around, voice);
            }
            voice.advance();
        }
    }

    /// Presses the keys whose time has come.
    fn press(&mut self, around: &mut Surroundings, now: Instant, mouth: &mut Mouth<'_>) {
        let Some(dialer) = &mut self.dialer else { return };
        while let Some(press) = dialer.poll(now) {
            // A leg that is held gets none, and no number is spent on it.
            let events = mouth.events.filter(|_| mouth.to.is_some());
            let Some((payload_type, clock_rate)) = events else { continue };
            let stamp = if press.starts {
                let stamp = mouth.stream.own_event(press.began, ON, clock_rate);
                Some(Stamp { begins: true, ..stamp })
            } else {
                mouth.stream.own_again()
            };
            if let Some(stamp) = stamp {
                mouth.send(around, (stamp, payload_type), &press.payload(clock_rate));
            }
        }
        if dialer.is_done() {
            self.dialer = None;
        }
    }

    /// Sounds the keys that are dialled as tones.
    fn sound_tones(&mut self, around: &mut Surroundings, now: Instant, mouth: &mut Mouth<'_>) {
        let Some(tones) = &mut self.tones else { return };
        while tones.voice.due() <= now {
            let ended = tones.voice.turn(now);
            if tones.voice.is_playing() {
                mouth.say(around, &tones.voice);
            }
            tones.voice.advance();
            let Some(ended) = ended else { continue };
            around.sound_ended(mouth.whose, ended);
            break;
        }
        self.go_on_with_tones(around, (now, mouth.whose), mouth.tongue);
    }

    /// Begins the next row of keys, where one is over.
    pub(crate) fn go_on_with_tones(
        &mut self,
        around: &mut Surroundings,
        (now, whose): (Instant, Whose),
        tongue: Option<Tongue>,
    ) {
        while let Some(tones) = self.tones.as_mut().filter(|tones| tones.voice.is_silent()) {
            let Some(keys) = tones.waiting.pop_front() else {
                self.tones = None;
                return;
            };
            tones.voice.play(now, digits(around.own_token(), keys));
            if let Some(tongue) = tongue {
                around.fulfil(whose, tones.voice.adapt(now, tongue));
            }
        }
    }
}

impl Mouth<'_> {
    /// Says the packet of a voice that is due.
    fn say(&mut self, around: &mut Surroundings, voice: &Voice) {
        let tongue = self.tongue.filter(|_| self.to.is_some());
        let Some((tongue, speech)) = tongue.and_then(|tongue| Some((tongue, tongue.speech?)))
        else {
            self.stream.interrupt();
            return;
        };
        let payload = voice.payload(speech);
        // A packet of nothing is a pause of the codec's own making.
        if !payload.is_empty() {
            let stamp = self.stream.own(voice.due(), speech.clock_rate(), voice.span(speech));
            self.send(around, (stamp, tongue.payload_type), payload);
        }
    }

    fn send(
        &mut self,
        around: &mut Surroundings,
        (stamp, payload_type): (Stamp, u8),
        payload: &[u8],
    ) {
        let Some(to) = self.to else { return };
        let header = Header {
            marker: stamp.begins,
            payload_type,
            sequence: stamp.sequence,
            timestamp: stamp.timestamp,
            ssrc: self.stream.ssrc(),
        };
        self.stream.count(payload.len());
        around.counters.generated += 1;
        let buffer = &mut around.packet;
        Outgoing { out: &mut *self.out, buffer, lane: self.lane, to }.send(header, payload);
    }
}

fn digits(token: u32, keys: Box<str>) -> Play {
    Play { token, sound: Sound::Digits(keys), repeat: Repeat::Once }
}
