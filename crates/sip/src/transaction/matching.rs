//! Which transaction a message belongs to: RFC 3261 §17.1.3, §17.2.3.
//!
//! A server transaction has a name, the bytes by which a repetition, an ACK or a CANCEL of its request is
//! known. With the magic cookie: method, branch, sent-by. From a peer of RFC 2543, whose branch promises
//! nothing: method, Request-URI, From tag, Call-ID, CSeq number, topmost Via, and last the To tag, which an
//! ACK takes from the response. Names are compared whole; hashes only find them.

use crate::header::MAGIC_COOKIE;
use crate::{HeaderError, HeaderName, Request, Via};
use alloc::vec::Vec;
use core::hash::Hasher;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// The name of a server transaction; a buffer that is used again for each request.
#[derive(Debug, Default)]
pub(super) struct Name {
    bytes: Vec<u8>,
    /// Where the To tag of a name of RFC 2543 begins; the whole length with the magic cookie.
    head: usize,
}

impl Name {
    /// Names the transaction of `method` that `request` belongs to, whose topmost Via is `via`: its own, or
    /// the INVITE that an ACK or a CANCEL means.
    pub(super) fn set(
        &mut self,
        method: &str,
        request: &Request,
        via: &Via<'_>,
    ) -> Result<(), HeaderError> {
        self.bytes.clear();
        let unique = via.branch().filter(|branch| has_cookie(branch));
        self.field(method.as_bytes());
        if let Some(branch) = unique {
            self.field(branch);
            let start = self.bytes.len();
            self.bytes.extend_from_slice(via.sent_by());
            // Host names have no case.
            if let Some(sent_by) = self.bytes.get_mut(start..) {
                sent_by.make_ascii_lowercase();
            }
            self.head = self.bytes.len();
            return Ok(());
        }
        self.field(request.uri());
        self.field(request.from_tag()?.unwrap_or_default());
        self.field(request.call_id()?);
        self.bytes.extend_from_slice(&request.cseq()?.number.to_be_bytes());
        self.field(via.raw());
        self.head = self.bytes.len();
        self.bytes.extend_from_slice(request.to_tag()?.unwrap_or_default());
        Ok(())
    }

    /// The whole name.
    pub(super) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// The name without the To tag.
    pub(super) fn head(&self) -> &[u8] {
        self.bytes.get(..self.head).unwrap_or_default()
    }

    /// Whether the To tag is part of it.
    pub(super) fn has_to_tag(&self) -> bool {
        self.head < self.bytes.len()
    }

    /// No field of a message has a NUL outside quoted strings, so that fields cannot run together.
    fn field(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.bytes.push(0);
    }
}

/// A branch of the cookie alone identifies nothing (RFC 4475 §3.2.1).
fn has_cookie(branch: &[u8]) -> bool {
    branch
        .split_at_checked(MAGIC_COOKIE.len())
        .is_some_and(|(cookie, rest)| cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty())
}

/// Hashes with a secret, so that peers cannot choose names that collide.
#[derive(Clone, Debug)]
pub(super) struct SecretHash {
    shared: SharedSeed,
    seed: u64,
}

impl SecretHash {
    pub(super) const fn new(seed: u64) -> Self {
        Self { shared: SharedSeed::from_u64(seed), seed }
    }

    pub(super) fn of(&self, bytes: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write(bytes);
        hasher.finish()
    }

    /// A fingerprint of what §8.2.2.2 compares: From (with its tag), Call-ID and CSeq. `None` for a request
    /// inside a dialog, which is never a merged one.
    ///
    /// Values are taken as they are written: the copies of one request differ in Via and Route only.
    pub(super) fn of_origin(&self, request: &Request) -> Option<u64> {
        if request.to_tag().ok()?.is_some() {
            return None;
        }
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
            hasher.write(request.first(name)?);
            hasher.write_u8(0);
        }
        Some(hasher.finish())
    }
}
