//! Typed views of a message's headers, parsed on demand.

use super::{Headers, Method};
use crate::header::{
    CSeq, Challenge, Contacts, Credentials, HeaderError, HeaderName, MediaType, NameAddr,
    PrivacyFlags, RAck, Reason, SessionExpires, Via,
};

type Parsed<T> = Result<T, HeaderError>;

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Parsed<Via<'_>> {
        todo!()
    }

    /// Every Via, the topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Parsed<Via<'_>>> {
        core::iter::empty()
    }

    /// From.
    pub fn from(&self) -> Parsed<NameAddr<'_>> {
        todo!()
    }

    /// To.
    pub fn to(&self) -> Parsed<NameAddr<'_>> {
        todo!()
    }

    /// Call-ID.
    pub fn call_id(&self) -> Parsed<&[u8]> {
        todo!()
    }

    /// `CSeq`.
    pub fn cseq(&self) -> Parsed<CSeq<'_>> {
        todo!()
    }

    /// Max-Forwards, 0 to 255; `None` where there is none.
    pub fn max_forwards(&self) -> Parsed<Option<u8>> {
        todo!()
    }

    /// The first Contact; `None` where there is none or it is `*`.
    pub fn contact(&self) -> Parsed<Option<NameAddr<'_>>> {
        todo!()
    }

    /// Every Contact.
    pub fn contacts(&self) -> Parsed<Contacts<'_>> {
        todo!()
    }

    /// Record-Route, in order.
    pub fn record_routes(&self) -> impl Iterator<Item = Parsed<NameAddr<'_>>> {
        core::iter::empty()
    }

    /// Route, in order.
    pub fn routes(&self) -> impl Iterator<Item = Parsed<NameAddr<'_>>> {
        core::iter::empty()
    }

    /// Content-Type; `None` where there is none or it cannot be read.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        todo!()
    }

    /// Expires in seconds; a number beyond 2^32-1 counts as that (RFC 3261 §20.19).
    pub fn expires(&self) -> Parsed<Option<u32>> {
        todo!()
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Parsed<Option<u32>> {
        todo!()
    }

    /// Retry-After in seconds, comment and parameters dropped.
    pub fn retry_after(&self) -> Parsed<Option<u32>> {
        todo!()
    }

    /// `RSeq` (RFC 3262).
    pub fn rseq(&self) -> Parsed<Option<u32>> {
        todo!()
    }

    /// `RAck` (RFC 3262).
    pub fn rack(&self) -> Parsed<Option<RAck<'_>>> {
        todo!()
    }

    /// Session-Expires (RFC 4028).
    pub fn session_expires(&self) -> Parsed<Option<SessionExpires>> {
        todo!()
    }

    /// Min-SE in seconds (RFC 4028).
    pub fn min_se(&self) -> Parsed<Option<u32>> {
        todo!()
    }

    /// Whether Supported, Require, Unsupported or Proxy-Require (`name`) lists that option tag.
    pub fn has_option(&self, _name: HeaderName, _tag: &str) -> bool {
        todo!()
    }

    /// Whether Allow lists that method; `None` where there is no Allow header.
    pub fn allows(&self, _method: Method) -> Option<bool> {
        todo!()
    }

    /// Reason values that can be read, in order (RFC 3326).
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'_>> {
        core::iter::empty()
    }

    /// The privacy asked for (RFC 3323).
    pub fn privacy(&self) -> PrivacyFlags {
        todo!()
    }

    /// P-Asserted-Identity, in order (RFC 3325).
    pub fn asserted_identities(&self) -> impl Iterator<Item = Parsed<NameAddr<'_>>> {
        core::iter::empty()
    }

    /// Remote-Party-ID, the first.
    pub fn remote_party_id(&self) -> Parsed<Option<NameAddr<'_>>> {
        todo!()
    }

    /// Credentials of Authorization or Proxy-Authorization (`name`) that can be read.
    pub fn authorization(&self, _name: HeaderName) -> impl Iterator<Item = Credentials<'_>> {
        core::iter::empty()
    }

    /// Challenges of WWW-Authenticate or Proxy-Authenticate (`name`) that can be read.
    pub fn challenges(&self, _name: HeaderName) -> impl Iterator<Item = Challenge<'_>> {
        core::iter::empty()
    }
}
