//! What a side hears of ours, and what follows when it is over.

use mediator_media::{Hear, Order, Play, Repeat, Side, Sound, SoundOutcome};

use super::CallMedia;
use crate::call::Call;
use crate::context::Core;

/// What a sound is played for: what follows when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// What a binding has played to the caller first: then leg B is dialled.
    Announcement,
    /// What is heard until leg B answers.
    Ringback,
    /// Why nobody answers: then it is hung up.
    Farewell,
    /// A dialout goes on.
    Dialout,
}

/// A sound under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Playing {
    token: u32,
    purpose: Purpose,
}

impl CallMedia {
    /// The next play, for this purpose, of a side.
    fn next_play(&mut self, side: Side, purpose: Purpose, sound: (Sound, Repeat)) -> Play {
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        self.side_mut(side).playing = Some(Playing { token, purpose });
        Play { token, sound: sound.0, repeat: sound.1 }
    }
}

impl Call {
    /// Makes a side hear the other one, silence or nothing.
    pub(crate) fn hear(&mut self, cx: &mut Core, side: Side, hear: Hear) {
        let call = self.sid;
        if let Some(media) = &mut self.media {
            media.hear(cx, call, (side, hear));
        }
    }

    /// Plays a sound to a side.
    pub(crate) fn play(
        &mut self,
        cx: &mut Core,
        (side, purpose): (Side, Purpose),
        sound: (Sound, Repeat),
    ) {
        let call = self.sid;
        if let Some(media) = &mut self.media {
            let play = media.next_play(side, purpose, sound);
            media.hear(cx, call, (side, Hear::Sound(play)));
        }
    }

    /// Plays a sound to a side until the other side is heard.
    pub(crate) fn play_until_peer(
        &mut self,
        cx: &mut Core,
        (side, purpose): (Side, Purpose),
        sound: (Sound, Repeat),
    ) {
        let call = self.sid;
        if let Some(media) = &mut self.media {
            let play = media.next_play(side, purpose, sound);
            media.hear(cx, call, (side, Hear::SoundThenPeer(play)));
        }
    }

    /// Whether the keys that a side presses are told.
    pub(crate) fn listen(&self, cx: &mut Core, side: Side, keys: bool) {
        if self.media.is_some() {
            cx.media(Order::Listen { call: self.sid, side, keys });
        }
    }

    /// A sound has ended; that of a play which another one has replaced is none of ours any more.
    pub(crate) fn sound_ended(
        &mut self,
        cx: &mut Core,
        (side, token): (Side, u32),
        outcome: SoundOutcome,
    ) {
        let Some(media) = &mut self.media else { return };
        let known = media.side_mut(side);
        let Some(playing) = known.playing.take_if(|playing| playing.token == token) else {
            return;
        };
        match playing.purpose {
            Purpose::Announcement => self.announcement_over(cx, outcome),
            Purpose::Ringback => {
                if let SoundOutcome::Failed(reason) = outcome {
                    self.sound_failed(cx, "ringback", reason);
                }
            }
            Purpose::Farewell => self.farewell_over(cx),
            Purpose::Dialout => self.dialout_sound_ended(cx, outcome),
        }
    }
}
