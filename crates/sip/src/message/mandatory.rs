//! What the headers say that every message has: RFC 3261 §8.1.1, §8.2.6.2.
//!
//! Every step on a message's way asks for its topmost Via, its tags, its Call-ID or its `CSeq`, so they are
//! read once, with the message, and kept as places in its bytes. A value that cannot be read is kept as
//! that: it is told when somebody asks for it.

use super::Method;
use super::headers::{Line, Span};
use crate::Host;
use crate::header::{
    CSeq, Class, HeaderError, HeaderName, NameAddr, Params, Problem, Scanner, Via, ascii,
};
use core::net::{Ipv4Addr, Ipv6Addr};

/// A value's outcome: its places, or why there is none.
type Read<T> = Result<T, Problem>;

/// The five headers; of each the first line.
#[derive(Clone, Debug)]
pub(super) struct Mandatory {
    via: Read<TopVia>,
    from_tag: Read<Option<Span>>,
    to_tag: Read<Option<Span>>,
    call_id: Read<Span>,
    cseq: Read<Sequence>,
}

#[derive(Clone, Copy, Debug)]
struct TopVia {
    transport_token: Span,
    host: HostPlace,
    port: Option<u16>,
    params: Span,
    sent_by: Span,
    raw: Span,
    /// No other one stands behind it on its line.
    is_alone: bool,
}

#[derive(Clone, Copy, Debug)]
enum HostPlace {
    Name(Span),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

#[derive(Clone, Copy, Debug)]
struct Sequence {
    number: u32,
    method: Method,
    token: Span,
}

impl Mandatory {
    /// Reads them from the lines of a message.
    pub(super) fn read(text: &[u8], lines: &[Line]) -> Self {
        let missing = Problem::Missing;
        let mut read = Self {
            via: Err(missing),
            from_tag: Err(missing),
            to_tag: Err(missing),
            call_id: Err(missing),
            cseq: Err(missing),
        };
        for line in lines {
            let value = || line.value.of(text);
            match line.name {
                HeaderName::Via => first(&mut read.via, || TopVia::read(text, value())),
                HeaderName::From => first(&mut read.from_tag, || tag(text, value())),
                HeaderName::To => first(&mut read.to_tag, || tag(text, value())),
                HeaderName::CallId => first(&mut read.call_id, || call_id(value(), line.value)),
                HeaderName::CSeq => first(&mut read.cseq, || Sequence::read(text, value())),
                _ => {}
            }
        }
        read
    }

    pub(super) fn via<'a>(&self, text: &'a [u8]) -> Result<Via<'a>, HeaderError> {
        self.via.map(|via| via.of(text)).map_err(at(HeaderName::Via))
    }

    /// Whether nothing stands behind the topmost Via on its line.
    pub(super) fn via_is_alone(&self) -> bool {
        self.via.is_ok_and(|via| via.is_alone)
    }

    pub(super) fn tag_of_from<'a>(&self, text: &'a [u8]) -> Result<Option<&'a [u8]>, HeaderError> {
        self.from_tag.map(|tag| tag.map(|tag| tag.of(text))).map_err(at(HeaderName::From))
    }

    pub(super) fn tag_of_to<'a>(&self, text: &'a [u8]) -> Result<Option<&'a [u8]>, HeaderError> {
        self.to_tag.map(|tag| tag.map(|tag| tag.of(text))).map_err(at(HeaderName::To))
    }

    pub(super) fn call_id<'a>(&self, text: &'a [u8]) -> Result<&'a [u8], HeaderError> {
        self.call_id.map(|value| value.of(text)).map_err(at(HeaderName::CallId))
    }

    pub(super) fn cseq<'a>(&self, text: &'a [u8]) -> Result<CSeq<'a>, HeaderError> {
        self.cseq.map(|cseq| cseq.of(text)).map_err(at(HeaderName::CSeq))
    }
}

/// Fills in what the first line of a header says.
fn first<T>(slot: &mut Read<T>, read: impl FnOnce() -> Read<T>) {
    if matches!(slot, Err(Problem::Missing)) {
        *slot = read();
    }
}

fn at(header: HeaderName) -> impl Fn(Problem) -> HeaderError {
    move |problem| HeaderError { header, problem }
}

/// The tag of an address, which must be well-formed as a whole.
fn tag(text: &[u8], value: &[u8]) -> Read<Option<Span>> {
    let address = NameAddr::parse(value).ok_or(Problem::Malformed)?;
    Ok(address.tag().map(|tag| Span::within(text, tag)))
}

/// Any visible text: it is compared byte by byte and never taken apart (RFC 3261 §20.8).
fn call_id(value: &[u8], place: Span) -> Read<Span> {
    let valid = !value.is_empty() && Class::VISIBLE.holds(value);
    valid.then_some(place).ok_or(Problem::Malformed)
}

impl Sequence {
    fn read(text: &[u8], value: &[u8]) -> Read<Self> {
        let CSeq { number, method, token } = CSeq::parse(value)?;
        Ok(Self { number, method, token: Span::within(text, token.as_bytes()) })
    }

    fn of(self, text: &[u8]) -> CSeq<'_> {
        let token = match self.method {
            Method::Other => ascii(self.token.of(text)),
            known => known.as_str(),
        };
        CSeq { number: self.number, method: self.method, token }
    }
}

impl TopVia {
    fn read(text: &[u8], value: &[u8]) -> Read<Self> {
        let mut scanner = Scanner::new(value);
        let via = Via::take(&mut scanner).ok_or(Problem::Malformed)?;
        let is_alone = scanner.is_end();
        if !is_alone && !scanner.eat_separator(b',') {
            return Err(Problem::Malformed);
        }
        let place = |part: &[u8]| Span::within(text, part);
        Ok(Self {
            transport_token: place(via.transport_token.as_bytes()),
            host: match via.host {
                Host::Name(name) => HostPlace::Name(place(name.as_bytes())),
                Host::V4(address) => HostPlace::V4(address),
                Host::V6(address) => HostPlace::V6(address),
            },
            port: via.port,
            params: place(via.params.raw()),
            sent_by: place(via.sent_by()),
            raw: place(via.raw()),
            is_alone,
        })
    }

    fn of(self, text: &[u8]) -> Via<'_> {
        Via {
            transport_token: ascii(self.transport_token.of(text)),
            host: match self.host {
                HostPlace::Name(name) => Host::Name(ascii(name.of(text))),
                HostPlace::V4(address) => Host::V4(address),
                HostPlace::V6(address) => Host::V6(address),
            },
            port: self.port,
            params: Params::checked(self.params.of(text)),
            sent_by: self.sent_by.of(text),
            raw: self.raw.of(text),
        }
    }
}
