//! Mutates filters and bodies of `corpus-filter` and `corpus-body`: none may panic or take long.

#[path = "../../sip/tests/support/fuzz.rs"]
mod fuzz;

use fuzz::{Target, corpus};

/// Words of the filter language, and what it must not trip over.
const FILTER_PIECES: &[&[u8]] = &[
    b"eq",
    b"ne",
    b"gt",
    b"ge",
    b"lt",
    b"le",
    b"like",
    b"ilike",
    b"in",
    b"notin",
    b"and",
    b"or",
    b"(",
    b")",
    b"((",
    b",",
    b"'",
    b"\"",
    b"\\",
    b"''",
    b"%",
    b" ",
    b".",
    b"-",
    b"+",
    b"null",
    b"true",
    b"1e999",
    b"9223372036854775808",
    b"-0",
    b"1.",
    b".5",
    b"NaN",
    b"a.b.c",
    b"list.a",
    b"date_created",
    b"2018-10-09",
    b"\0",
    b"\xff",
    b"\xc3\xa4",
    b"==",
];

/// Pieces of JSON.
const BODY_PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b":",
    b",",
    b"null",
    b"true",
    b"-",
    b"0",
    b"1e999",
    b"1e-999",
    b"18446744073709551616",
    b"1.5",
    b"\"1800\"",
    b"\"-1\"",
    b"\"+1 (516) 206-5337\"",
    b"\"tel:\"",
    b"{\"a\":",
    b"[[[[",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"attributes",
    b"destination_did",
    b"\r\n",
];

#[test]
fn any_filter_is_read_or_refused() {
    Target {
        name: "fuzz_filter",
        seeds: corpus("corpus-filter", "txt"),
        pieces: FILTER_PIECES,
        inputs: 20_000,
        largest: 64 * 1024,
        check: mediator_api::fuzzing::filter,
    }
    .run();
}

#[test]
fn any_body_is_read_or_refused() {
    Target {
        name: "fuzz_body",
        seeds: corpus("corpus-body", "json"),
        pieces: BODY_PIECES,
        inputs: 20_000,
        largest: 1024 * 1024,
        check: mediator_api::fuzzing::body,
    }
    .run();
}
