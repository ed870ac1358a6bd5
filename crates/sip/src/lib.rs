//! SIP as values: messages, headers, URIs, SDP, digest, transactions and dialogs (RFC 3261 and its kin).
//!
//! Pure and `no_std`: bytes and `now` come in, bytes, events and deadlines go out. No socket, clock,
//! thread or dice. A [`Message`] is read in one pass over [`bytes::Bytes`] into spans; typed views parse
//! on demand and borrow from it; what is passed on is copied as a slice, never re-rendered.
#![no_std]

extern crate alloc;

pub mod dialog;
pub mod digest;
pub mod header;
pub mod message;
#[cfg(feature = "rsip")]
pub mod rsip;
pub mod sdp;
mod text;
pub mod transaction;
pub mod uri;
pub mod wheel;

pub use header::{
    CSeq, Contacts, HeaderError, HeaderName, HeaderNameRef, MediaType, NameAddr, Params,
    PrivacyFlags, Problem, RAck, Reason, Refresher, SessionExpires, Via,
};
pub use message::{
    BrokenRequest, Fault, Headers, Message, Method, ParseError, Request, Response, Writer,
    check_request, check_response, peek_call_id, reason_phrase, response_to, shard_hash,
};
pub use text::Text;
pub use uri::{Host, Scheme, Uri, UriError};
