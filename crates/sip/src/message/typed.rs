//! Typed views of a message's headers, parsed on demand.

use super::{Headers, Method};
use crate::digest::{Challenge, Credentials};
use crate::header::{
    CSeq, Class, Contacts, HeaderError, HeaderName, MediaType, NameAddr, NameAddrs, PrivacyFlags,
    Problem, RAck, Reason, Scanner, SessionExpires, Via, Vias, seconds,
};

type Parsed<T> = Result<T, HeaderError>;

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Parsed<Via<'_>> {
        self.mandatory.via(&self.bytes)
    }

    /// Every Via, the topmost first.
    pub fn vias(&self) -> Vias<'_> {
        Vias::new(self.lines(HeaderName::Via))
    }

    /// From.
    pub fn from(&self) -> Parsed<NameAddr<'_>> {
        self.address(HeaderName::From)
    }

    /// To.
    pub fn to(&self) -> Parsed<NameAddr<'_>> {
        self.address(HeaderName::To)
    }

    /// The tag of From; `None` where it has none. The whole of From has been read to find it.
    pub fn from_tag(&self) -> Parsed<Option<&[u8]>> {
        self.mandatory.tag_of_from(&self.bytes)
    }

    /// The tag of To; `None` where it has none. The whole of To has been read to find it.
    pub fn to_tag(&self) -> Parsed<Option<&[u8]>> {
        self.mandatory.tag_of_to(&self.bytes)
    }

    /// Call-ID. Any visible text: it is compared byte by byte and never taken apart (RFC 3261 §20.8).
    pub fn call_id(&self) -> Parsed<&[u8]> {
        self.mandatory.call_id(&self.bytes)
    }

    /// `CSeq`.
    pub fn cseq(&self) -> Parsed<CSeq<'_>> {
        self.mandatory.cseq(&self.bytes)
    }

    /// Max-Forwards, 0 to 255 (RFC 3261 §20.22); `None` where there is none.
    pub fn max_forwards(&self) -> Parsed<Option<u8>> {
        let header = HeaderName::MaxForwards;
        let Some(value) = self.first(header) else { return Ok(None) };
        let number = whole_number(value).ok_or(malformed(header))?;
        let problem = HeaderError { header, problem: Problem::OutOfRange };
        u8::try_from(number).map(Some).map_err(|_| problem)
    }

    /// The first Contact; `None` where there is none or it is `*`.
    pub fn contact(&self) -> Parsed<Option<NameAddr<'_>>> {
        match self.contacts()? {
            Contacts::Star => Ok(None),
            Contacts::List(mut list) => list.next().transpose(),
        }
    }

    /// Every Contact.
    pub fn contacts(&self) -> Parsed<Contacts<'_>> {
        let mut lines = self.lines(HeaderName::Contact);
        let star = lines.any(|line| line == b"*");
        if !star {
            return Ok(Contacts::List(NameAddrs::new(self.lines(HeaderName::Contact))));
        }
        // It stands alone (RFC 3261 §10.3).
        match self.lines(HeaderName::Contact).nth(1) {
            None => Ok(Contacts::Star),
            Some(_) => Err(malformed(HeaderName::Contact)),
        }
    }

    /// Record-Route, in order.
    pub fn record_routes(&self) -> NameAddrs<'_> {
        NameAddrs::new(self.lines(HeaderName::RecordRoute))
    }

    /// Route, in order.
    pub fn routes(&self) -> NameAddrs<'_> {
        NameAddrs::new(self.lines(HeaderName::Route))
    }

    /// Content-Type; `None` where there is none or it cannot be read.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        self.first(HeaderName::ContentType).and_then(MediaType::parse)
    }

    /// Expires in seconds; a number beyond 2^32-1 counts as that (RFC 3261 §20.19).
    pub fn expires(&self) -> Parsed<Option<u32>> {
        self.seconds(HeaderName::Expires)
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Parsed<Option<u32>> {
        self.seconds(HeaderName::MinExpires)
    }

    /// Retry-After in seconds, its comment and parameters left out.
    pub fn retry_after(&self) -> Parsed<Option<u32>> {
        self.seconds(HeaderName::RetryAfter)
    }

    /// `RSeq`, 1 to 2^32-1 (RFC 3262 §7.1).
    pub fn rseq(&self) -> Parsed<Option<u32>> {
        let header = HeaderName::RSeq;
        let Some(value) = self.first(header) else { return Ok(None) };
        let number = whole_number(value).ok_or(malformed(header))?;
        let problem = HeaderError { header, problem: Problem::OutOfRange };
        u32::try_from(number).ok().filter(|number| *number > 0).map(Some).ok_or(problem)
    }

    /// `RAck` (RFC 3262 §7.2).
    pub fn rack(&self) -> Parsed<Option<RAck<'_>>> {
        self.first(HeaderName::RAck)
            .map(RAck::parse)
            .transpose()
            .map_err(|problem| HeaderError { header: HeaderName::RAck, problem })
    }

    /// Session-Expires (RFC 4028 §4).
    pub fn session_expires(&self) -> Parsed<Option<SessionExpires>> {
        self.first(HeaderName::SessionExpires)
            .map(SessionExpires::parse)
            .transpose()
            .map_err(|problem| HeaderError { header: HeaderName::SessionExpires, problem })
    }

    /// Min-SE in seconds (RFC 4028 §5).
    pub fn min_se(&self) -> Parsed<Option<u32>> {
        self.seconds(HeaderName::MinSe)
    }

    /// Whether Supported, Require, Unsupported or Proxy-Require (`name`) lists that option tag.
    pub fn has_option(&self, name: HeaderName, tag: &str) -> bool {
        self.values(name).any(|value| value.eq_ignore_ascii_case(tag.as_bytes()))
    }

    /// Whether Allow lists that method; `None` where there is no Allow header.
    pub fn allows(&self, method: Method) -> Option<bool> {
        self.first(HeaderName::Allow)?;
        let text = method.as_str().as_bytes();
        Some(!text.is_empty() && self.values(HeaderName::Allow).any(|value| value == text))
    }

    /// Reason values that can be read, in order (RFC 3326).
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'_>> {
        self.values(HeaderName::Reason).filter_map(Reason::parse)
    }

    /// The privacy asked for (RFC 3323).
    pub fn privacy(&self) -> PrivacyFlags {
        let mut flags = PrivacyFlags::default();
        self.lines(HeaderName::Privacy).for_each(|line| flags.add_line(line));
        flags
    }

    /// P-Asserted-Identity, in order (RFC 3325).
    pub fn asserted_identities(&self) -> NameAddrs<'_> {
        NameAddrs::new(self.lines(HeaderName::PAssertedIdentity))
    }

    /// Remote-Party-ID, the first.
    pub fn remote_party_id(&self) -> Parsed<Option<NameAddr<'_>>> {
        NameAddrs::new(self.lines(HeaderName::RemotePartyId)).next().transpose()
    }

    /// Digest credentials of Authorization or Proxy-Authorization (`name`) that can be read, a line each.
    pub fn authorization(&self, name: HeaderName) -> impl Iterator<Item = Credentials<'_>> {
        self.lines(name).filter_map(|value| Credentials::parse(value).ok())
    }

    /// Digest challenges of WWW-Authenticate or Proxy-Authenticate (`name`) that can be read, a line each.
    pub fn challenges(&self, name: HeaderName) -> impl Iterator<Item = Challenge<'_>> {
        self.lines(name).filter_map(|value| Challenge::parse(value).ok())
    }

    fn required(&self, header: HeaderName) -> Parsed<&[u8]> {
        self.first(header).ok_or(HeaderError { header, problem: Problem::Missing })
    }

    fn address(&self, header: HeaderName) -> Parsed<NameAddr<'_>> {
        NameAddr::parse(self.required(header)?).ok_or(malformed(header))
    }

    fn seconds(&self, header: HeaderName) -> Parsed<Option<u32>> {
        match self.first(header).map(seconds) {
            None => Ok(None),
            Some(Ok((seconds, _))) => Ok(Some(seconds)),
            Some(Err(problem)) => Err(HeaderError { header, problem }),
        }
    }
}

/// `1*DIGIT` and nothing else.
fn whole_number(value: &[u8]) -> Option<u64> {
    Scanner::new(value).number().filter(|_| Class::DIGIT.holds(value))
}

const fn malformed(header: HeaderName) -> HeaderError {
    HeaderError { header, problem: Problem::Malformed }
}
