//! What a peer can do wrong with a dialog.

use crate::{HeaderError, HeaderName, Problem};

/// A message that a dialog cannot be made from or that does not fit into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DialogFault {
    /// A header that the dialog needs is missing or cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// More routes than [`super::MAX_ROUTES`].
    #[error("Too Many Record-Route Values")]
    TooManyRoutes,
    /// The `CSeq` number is not above the last one of this peer (RFC 3261 §12.2.2).
    #[error("CSeq Out Of Order")]
    OutOfOrder,
}

impl DialogFault {
    /// The status of the answer, where the fault is in a request.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Header(_) | Self::TooManyRoutes => 400,
            Self::OutOfOrder => 500,
        }
    }

    /// The reason phrase of that answer; says what is wrong.
    pub const fn phrase(&self) -> &'static str {
        match self {
            Self::Header(HeaderError { header, problem }) => match problem {
                Problem::Missing => header.missing(),
                Problem::Repeated => header.repeated(),
                Problem::Malformed | Problem::OutOfRange => header.malformed(),
            },
            Self::TooManyRoutes => "Too Many Record-Route Values",
            Self::OutOfOrder => "CSeq Out Of Order",
        }
    }

    pub(super) const fn missing(header: HeaderName) -> Self {
        Self::Header(HeaderError { header, problem: Problem::Missing })
    }

    pub(super) const fn malformed(header: HeaderName) -> Self {
        Self::Header(HeaderError { header, problem: Problem::Malformed })
    }
}
