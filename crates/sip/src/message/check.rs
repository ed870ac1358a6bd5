//! The checks that a message passes before anybody acts on it: RFC 3261 §8.1.1, §8.2, §16.3, §18.1.2.
//!
//! Strict where the RFC leaves a choice: what is wrong on one leg must not be met again on the other.
//! Not here, since they need to know what the server can do: 405, 415, 420, and 501 for a method that is
//! merely unknown.

use super::fault::Fault;
use super::{Headers, Method, Request, Response};
use crate::header::{Contacts, HeaderError, HeaderName, MAGIC_COOKIE, Problem, is_date};
use crate::{Scheme, UriError};

/// Headers that no message may have twice: what is done with it hangs on them (RFC 3261 §7.3.1).
const SINGLE: u128 = set(&[
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::From,
    HeaderName::MaxForwards,
    HeaderName::To,
]);

/// Headers that no request may have twice whose answer hangs on them: their grammar is no list.
const SINGLE_IN_FULL: u128 = SINGLE
    | set(&[
        HeaderName::ContentType,
        HeaderName::Date,
        HeaderName::Event,
        HeaderName::Expires,
        HeaderName::MinExpires,
        HeaderName::MinSe,
        HeaderName::RAck,
        HeaderName::ReferTo,
        HeaderName::Replaces,
        HeaderName::RSeq,
        HeaderName::SessionExpires,
    ]);

/// Headers that every message has (RFC 3261 §8.1.1, §8.2.6.2), in the order in which their absence is told.
const MANDATORY: [HeaderName; 5] =
    [HeaderName::Via, HeaderName::CallId, HeaderName::From, HeaderName::To, HeaderName::CSeq];

const _: () = assert!((HeaderName::Other as u32) < u128::BITS, "a bit for each name");

const fn bit(name: HeaderName) -> u128 {
    1 << name as u8
}

const fn set(names: &[HeaderName]) -> u128 {
    let mut rest = names;
    let mut set = 0;
    while let [name, others @ ..] = rest {
        set |= bit(*name);
        rest = others;
    }
    set
}

impl From<HeaderError> for Fault {
    fn from(error: HeaderError) -> Self {
        Self::bad_request(match error.problem {
            Problem::Missing => error.header.missing(),
            Problem::Repeated => error.header.repeated(),
            Problem::Malformed => error.header.malformed(),
            Problem::OutOfRange => error.header.out_of_range(),
        })
    }
}

impl From<UriError> for Fault {
    /// A fault of the Request-URI.
    fn from(error: UriError) -> Self {
        Self::bad_request(match error {
            UriError::Scheme => "No scheme in Request-URI",
            UriError::User => "Malformed user in Request-URI",
            UriError::Host => "Malformed host in Request-URI",
            UriError::Port => "Malformed port in Request-URI",
            UriError::Params => "Malformed parameter in Request-URI",
            UriError::Headers => "Malformed headers in Request-URI",
            UriError::Number => "Malformed number in Request-URI",
            UriError::Character => "Character not allowed in Request-URI",
        })
    }
}

/// Checks what a UAS core relies on: every mandatory header there, once and well-formed, the `CSeq`'s method
/// the request's, the Request-URI one that can be routed.
///
/// Max-Forwards and the tag of From may be missing, as in requests of RFC 2543. ACK, BYE, CANCEL, PRACK and
/// INFO go on an existing call, which must not stay up for a header that they do not need: there what is
/// malformed otherwise is not looked at (RFC 3261 §8.2.2).
pub fn check_request(request: &Request) -> Result<(), Fault> {
    let headers: &Headers = request;
    let is_full = !matches!(
        request.method(),
        Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Info
    );
    let present = check_names(headers, if is_full { SINGLE_IN_FULL } else { SINGLE })?;
    check_vias(headers)?;
    check_core(headers)?;
    check_cseq(request)?;
    check_uri(request)?;
    headers.max_forwards()?;
    if !is_full {
        return Ok(());
    }
    if present & bit(HeaderName::Contact) != 0 {
        check_contacts(request)?;
    }
    if present & set(&[HeaderName::RecordRoute, HeaderName::Route]) != 0 {
        headers.record_routes().chain(headers.routes()).try_for_each(|route| route.map(drop))?;
    }
    check_rest(headers, present)
}

/// Checks a response; one with a fault is dropped (RFC 3261 §8.1.3, §18.1.2).
///
/// Only what ties it to its transaction and makes a dialog of it: a dropped 2xx is a call lost, so other
/// headers may be as they like.
pub fn check_response(response: &Response) -> Result<(), Fault> {
    let headers: &Headers = response;
    let present = check_names(headers, SINGLE)?;
    check_vias(headers)?;
    // A UAC sends one Via, so more of them came the wrong way (RFC 3261 §8.1.3.3).
    if headers.vias().nth(1).is_some() {
        return Err(Fault::MANY_VIAS);
    }
    check_core(headers)?;
    headers.cseq()?;
    if response.status() >= 300 {
        return Ok(());
    }
    if present & bit(HeaderName::Contact) != 0 {
        headers.contact()?;
    }
    if present & bit(HeaderName::RecordRoute) != 0 {
        headers.record_routes().try_for_each(|route| route.map(drop))?;
    }
    Ok(())
}

/// Whether all are there that must be and none of `single` twice; gives the set of those there.
fn check_names(headers: &Headers, single: u128) -> Result<u128, Fault> {
    let mut present = 0;
    let mut repeated = 0;
    for name in headers.lines.iter().map(|line| line.name) {
        repeated |= present & bit(name);
        present |= bit(name);
    }
    if let Some(name) = MANDATORY.into_iter().find(|name| present & bit(*name) == 0) {
        return Err(HeaderError { header: name, problem: Problem::Missing }.into());
    }
    if repeated & single != 0 {
        let twice = headers.lines.iter().find(|line| repeated & single & bit(line.name) != 0);
        let header = twice.map_or(HeaderName::Other, |line| line.name);
        return Err(HeaderError { header, problem: Problem::Repeated }.into());
    }
    Ok(present)
}

fn check_vias(headers: &Headers) -> Result<(), Fault> {
    // The cookie alone names no transaction (RFC 4475 §3.2.1).
    if headers.via()?.branch() == Some(MAGIC_COOKIE) {
        return Err(Fault::BRANCH);
    }
    if !has_one_via(headers) {
        headers.vias().try_for_each(|via| via.map(drop))?;
    }
    Ok(())
}

/// Whether the topmost Via is the only one.
fn has_one_via(headers: &Headers) -> bool {
    headers.mandatory.via_is_alone() && headers.lines(HeaderName::Via).nth(1).is_none()
}

fn check_core(headers: &Headers) -> Result<(), Fault> {
    headers.call_id()?;
    headers.from_tag()?;
    headers.to_tag()?;
    Ok(())
}

fn check_cseq(request: &Request) -> Result<(), Fault> {
    if request.cseq()?.token == request.method_token() {
        return Ok(());
    }
    match request.method() {
        // 501 tells more than 400 about a method that nobody here knows (RFC 4475 §3.1.2.18).
        Method::Other => Err(Fault::METHOD),
        _ => Err(Fault::METHOD_MISMATCH),
    }
}

fn check_uri(request: &Request) -> Result<(), Fault> {
    let uri = request.uri_parsed()?;
    match uri.scheme {
        Scheme::Other => Err(Fault::SCHEME),
        // No headers in a Request-URI (RFC 3261 §19.1.1, table 1).
        Scheme::Sip | Scheme::Sips | Scheme::Tel if uri.headers.is_some() => {
            Err(Fault::URI_HEADERS)
        }
        Scheme::Sip | Scheme::Sips | Scheme::Tel => Ok(()),
    }
}

/// In a request that can make a dialog or refresh its target, Contact is one SIP URI (RFC 3261 §8.1.1.8).
fn check_contacts(request: &Request) -> Result<(), Fault> {
    let is_register = request.method() == Method::Register;
    let contacts = match request.contacts()? {
        Contacts::Star if is_register => return Ok(()),
        Contacts::Star => return Err(Fault::CONTACT_STAR),
        Contacts::List(contacts) => contacts,
    };
    let makes_dialog = matches!(
        request.method(),
        Method::Invite | Method::Update | Method::Subscribe | Method::Refer | Method::Notify
    );
    for (index, contact) in contacts.enumerate() {
        let is_sip = contact?.uri.is_sip();
        if makes_dialog && !is_sip {
            return Err(Fault::CONTACT_SCHEME);
        }
        if makes_dialog && index > 0 {
            return Err(Fault::CONTACT_MANY);
        }
    }
    Ok(())
}

/// Headers that may be missing and must be well-formed where they are there.
fn check_rest(headers: &Headers, present: u128) -> Result<(), Fault> {
    const NUMBERS: u128 = set(&[
        HeaderName::Expires,
        HeaderName::MinExpires,
        HeaderName::RSeq,
        HeaderName::RAck,
        HeaderName::SessionExpires,
        HeaderName::MinSe,
    ]);
    if present & bit(HeaderName::ContentType) != 0 && headers.content_type().is_none() {
        return Err(Fault::bad_request(HeaderName::ContentType.malformed()));
    }
    // A body has a type (RFC 3261 §20.15).
    if present & bit(HeaderName::ContentType) == 0 && !headers.body().is_empty() {
        return Err(Fault::bad_request(HeaderName::ContentType.missing()));
    }
    if headers.lines(HeaderName::Date).any(|date| !is_date(date)) {
        return Err(Fault::bad_request(HeaderName::Date.malformed()));
    }
    if present & NUMBERS != 0 {
        headers.expires()?;
        headers.min_expires()?;
        headers.rseq()?;
        headers.rack()?;
        headers.session_expires()?;
        headers.min_se()?;
    }
    Ok(())
}
