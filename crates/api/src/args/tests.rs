//! How the query's arguments are read.

use axum::extract::FromRequestParts;
use axum::http::Request;

use super::Args;
use crate::fault::Fault;

#[test]
fn decodes_and_takes_the_last_of_several() {
    let rows: &[(&str, &str, Option<&str>)] = &[
        ("filter=name+eq+%22a%2Bb%22", "filter", Some("name eq \"a+b\"")),
        ("limit=1&limit=2", "limit", Some("2")),
        ("a=1&&b=2&", "b", Some("2")),
        ("a=1=2", "a", Some("1=2")),
        ("a", "a", None),
        ("a=", "a", None),
        ("", "a", None),
        ("%6Cimit=5", "limit", Some("5")),
        ("a=%zz%", "a", Some("%zz%")),
        ("a=%C3%A4", "a", Some("ä")),
    ];
    for (query, name, expected) in rows {
        assert_eq!(Args::read(query).text(name), *expected, "{query}");
    }
}

#[test]
fn reads_booleans() {
    let read = |text: &str| Args::read(text).boolean("reuse");
    assert_eq!(read("reuse=true"), Ok(Some(true)));
    assert_eq!(read("reuse=false"), Ok(Some(false)));
    assert_eq!(read("other=1"), Ok(None));
    assert_eq!(read("reuse=maybe"), Err(Fault::bad_argument("reuse", "expected true or false")));
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused() {
    for query in ["a=%ff", "%ff=1", "filter=%C3"] {
        let request = Request::builder().uri(format!("/x?{query}")).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let refused = Args::from_request_parts(&mut parts, &()).await;
        assert!(matches!(refused, Err(Fault::BadRequest { .. })), "{query}");
    }
}
