//! When two URIs are the same: RFC 3261 §19.1.4, RFC 3966 §4.

use super::escape::{same, same_any_case};
use super::{Scheme, Uri};
use crate::header::Params;

/// Parameters that must be in both or in neither. RFC 3261 §19.1.4 names the first four in its rules and
/// transport in its examples.
const MUST_BE_IN_BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

pub(super) fn equivalent(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    if one.scheme != other.scheme {
        return false;
    }
    match one.scheme {
        Scheme::Sip | Scheme::Sips => same_sip(one, other),
        Scheme::Tel => same_tel(one, other),
        Scheme::Other => same_opaque(one.raw, other.raw),
    }
}

fn same_sip(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    same_option(one.user, other.user)
        && same_option(one.password, other.password)
        && one.host == other.host
        && one.port == other.port
        && params_agree(one, other)
        && params_agree(other, one)
        && headers_within(one, other)
        && headers_within(other, one)
}

fn same_option(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => same(one, other),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Whether no parameter of `one` speaks against `other`.
fn params_agree(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    one.params.iter().all(|(name, value)| match find(&other.params, name) {
        Some(found) => {
            same_any_case(value.unwrap_or_default(), found.unwrap_or_default())
                && value.is_some() == found.is_some()
        }
        None => !MUST_BE_IN_BOTH.iter().any(|must| same_any_case(name, must.as_bytes())),
    })
}

#[expect(clippy::option_option, reason = "absent, present without a value, present with one")]
fn find<'a>(params: &Params<'a>, name: &[u8]) -> Option<Option<&'a [u8]>> {
    params.iter().find(|(found, _)| same_any_case(found, name)).map(|(_, value)| value)
}

/// Whether each header of `one` is in `other`: they are never ignored, and their order does not matter.
fn headers_within(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    each_header(one).all(|(name, value)| {
        each_header(other).any(|(found, its)| same_any_case(name, found) && same(value, its))
    })
}

fn each_header<'a>(uri: &Uri<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
    uri.headers.into_iter().flat_map(|headers| headers.split(|&byte| byte == b'&')).map(|header| {
        let equals = header.iter().position(|&byte| byte == b'=').unwrap_or(header.len());
        let (name, value) = header.split_at_checked(equals).unwrap_or((header, &[]));
        (name, value.get(1..).unwrap_or_default())
    })
}

/// The same digits, visual separators aside, and the same parameters in any order.
fn same_tel(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    fn digits<'a>(uri: &Uri<'a>) -> impl Iterator<Item = u8> + use<'a> {
        uri.user
            .unwrap_or_default()
            .iter()
            .filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')'))
            .map(u8::to_ascii_lowercase)
    }
    let within = |these: &Uri<'_>, those: &Uri<'_>| {
        these.params.iter().all(|(name, value)| {
            find(&those.params, name).is_some_and(|found| {
                same_any_case(value.unwrap_or_default(), found.unwrap_or_default())
            })
        })
    };
    digits(one).eq(digits(other)) && within(one, other) && within(other, one)
}

/// The same text, the scheme in any case.
fn same_opaque(one: &[u8], other: &[u8]) -> bool {
    let split = |text: &[u8]| text.iter().position(|&byte| byte == b':').unwrap_or(0);
    let (scheme, rest) = one.split_at_checked(split(one)).unwrap_or_default();
    let (other_scheme, other_rest) = other.split_at_checked(split(other)).unwrap_or_default();
    scheme.eq_ignore_ascii_case(other_scheme) && rest == other_rest
}
