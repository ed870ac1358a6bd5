//! What conditional headers mean.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue};

use super::{Preconditions, tag};
use crate::fault::Fault;

fn read(if_match: &[&'static str], if_none_match: &[&'static str]) -> Preconditions {
    let mut headers = HeaderMap::new();
    for value in if_match {
        headers.append(IF_MATCH, HeaderValue::from_static(value));
    }
    for value in if_none_match {
        headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
    }
    Preconditions::read(&headers)
}

#[test]
fn a_tag_is_the_revision_in_quotes() {
    assert_eq!(tag(42), HeaderValue::from_static("\"42\""));
}

#[test]
fn writes_go_through_where_the_version_is_named() {
    let rows: &[(&[&str], &[&str], bool)] = &[
        (&[], &[], true),
        (&["\"7\""], &[], true),
        (&["*"], &[], true),
        (&["\"6\", \"7\""], &[], true),
        (&["\"6\"", "\"7\""], &[], true),
        (&["\"6\""], &[], false),
        (&["7"], &[], false),
        (&["\"seven\""], &[], false),
        (&[""], &[], false),
        // A weak tag never matches strongly (RFC 9110 §8.8.3.2).
        (&["W/\"7\""], &[], false),
        (&[], &["\"7\""], false),
        (&[], &["*"], false),
        (&[], &["\"6\""], true),
    ];
    for (if_match, if_none_match, passes) in rows {
        let expected = if *passes { Ok(()) } else { Err(Fault::PreconditionFailed) };
        assert_eq!(
            read(if_match, if_none_match).check(7),
            expected,
            "{if_match:?} {if_none_match:?}"
        );
    }
}

#[test]
fn reads_are_unchanged_where_the_client_has_the_version() {
    assert!(read(&[], &["\"7\""]).has(7));
    assert!(read(&[], &["W/\"7\""]).has(7));
    assert!(read(&[], &["*"]).has(7));
    assert!(!read(&[], &["\"6\""]).has(7));
    assert!(!read(&["\"7\""], &[]).has(7));
}

#[test]
fn only_a_named_version_is_insisted_on() {
    assert!(read(&["\"7\""], &[]).insist());
    assert!(!read(&["*"], &[]).insist());
    assert!(!read(&[], &[]).insist());
}
