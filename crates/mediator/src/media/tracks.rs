//! Tracks for sounds: found away from the media threads, and handed back to the one that asked.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use mediator_media::{Side, Sound, SoundFailure, Speech, Track};
use mediator_model::Sid;
use tokio::runtime::Handle;

use super::inbox::{Command, MediaPost, TrackFound};

/// Finds sounds and encodes them.
pub trait TrackSource: Send + Sync {
    /// The sound in packets of this codec and length.
    fn track(
        self: Arc<Self>,
        sound: Sound,
        speech: Speech,
        packet_ms: u16,
    ) -> BoxFuture<'static, Result<Arc<Track>, SoundFailure>>;
}

/// A track that a session wants.
pub(super) struct Wanted {
    /// The call.
    pub(super) call: Sid,
    /// Who hears it.
    pub(super) side: Side,
    /// The play's.
    pub(super) token: u32,
    /// What.
    pub(super) sound: Sound,
    /// In which codec.
    pub(super) speech: Speech,
    /// Milliseconds a packet.
    pub(super) packet_ms: u16,
}

/// The way to the source, and back.
#[derive(Clone)]
pub(super) struct Tracks {
    pub(super) source: Arc<dyn TrackSource>,
    /// Where finding runs.
    pub(super) runtime: Handle,
}

impl Tracks {
    /// Begins to find a track; what is found, or why nothing is, comes to `inbox`.
    pub(super) fn find(&self, wanted: Wanted, inbox: MediaPost) {
        let Wanted { call, side, token, sound, speech, packet_ms } = wanted;
        let track = self.source.clone().track(sound, speech, packet_ms);
        let mut asked = Asked {
            inbox,
            found: Some(TrackFound { call, side, token, track: Err(SoundFailure::Unfetched) }),
        };
        self.runtime.spawn(async move {
            let track = track.await;
            if let Some(found) = &mut asked.found {
                found.track = track;
            }
        });
    }
}

/// A session that waits for a track. It hears of it however this ends, a panic of the source included.
struct Asked {
    inbox: MediaPost,
    found: Option<TrackFound>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(found) = self.found.take() {
            self.inbox.post(Command::Track(found));
        }
    }
}
