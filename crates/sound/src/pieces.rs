//! The built-in pieces: made for this project, see `pieces/README.md`.

use bytes::Bytes;

/// A piece that is built in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Piece {
    /// Music for who waits; its end leads over to its beginning.
    HoldMusic,
    /// "Press one to be connected."
    ConfirmationPrompt,
    /// "Please hold while we connect your call."
    Announcement,
}

impl Piece {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HoldMusic, Self::ConfirmationPrompt, Self::Announcement];

    /// Its file.
    pub const fn file(self) -> Bytes {
        Bytes::from_static(match self {
            Self::HoldMusic => include_bytes!("../pieces/hold-music.mp3"),
            Self::ConfirmationPrompt => include_bytes!("../pieces/confirmation-prompt.wav"),
            Self::Announcement => include_bytes!("../pieces/announcement.wav"),
        })
    }
}
