//! Session descriptions: RFC 8866, read as RFC 3264 uses them, and written anew where they cross.
//!
//! Three steps, apart so that each can be used alone: [`SessionDescription::parse`] reads what a peer
//! sent; [`Allowed::from_description`] keeps of it what may reach the other side, as typed values that an
//! allow-list knows; [`Allowed::write`] writes those. [`rewrite_direct`] is all three.
//!
//! Invariants of what is written: as many `m=` lines as were read, in their order, port 0 kept (RFC 3264
//! §6); nothing but the values of [`Allowed`], each a number within its range, an IP address, a word of a
//! table here, or key material of the right length; so writing what was written changes nothing.
//!
//! Not here: whether an offer or an answer is due ([`dialog`](crate::dialog)), and which codecs two sides
//! have in common.

mod allow;
mod attribute;
mod body;
mod codec;
mod crypto;
mod description;
mod encodings;
mod fault;
mod fax;
mod feedback;
mod fmtp;
mod protocol;
mod reader;
mod scan;
mod write;

#[cfg(test)]
mod tests;

pub use allow::{Allowed, AllowedMedia, Formats, MAX_CRYPTO, Rtcp};
pub use body::sdp_body;
pub use codec::{AllowedFormat, Codec, Encoding};
pub use crypto::{Crypto, Fingerprint, Setup, Suite};
pub use description::{
    Attribute, Connection, ConnectionAddress, Direction, MediaDescription, MediaKind, Origin,
    SessionDescription,
};
pub use fault::SdpError;
pub use fax::{FaxParameter, FaxValue};
pub use feedback::{Feedback, MAX_FEEDBACK};
pub use protocol::{Protocol, Transporting};
pub use reader::{MAX_FORMATS, MAX_LINES, MAX_MEDIA, MAX_SDP_BYTES};
pub use write::{Crossing, content_hash, rewrite_direct, same_content};
