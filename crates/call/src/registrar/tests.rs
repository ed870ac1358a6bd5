//! The numbers of REGISTER.

use super::{number_in, thousandths};

#[test]
fn q_is_read_in_thousandths_and_counts_as_1_where_it_cannot_be_read() {
    for (text, expected) in [
        ("1", 1000),
        ("1.000", 1000),
        ("0", 0),
        ("0.7", 700),
        ("0.123", 123),
        ("0.1239", 123),
        (" 0.5 ", 500),
        ("x", 1000),
        ("", 1000),
    ] {
        assert_eq!(thousandths(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn an_expiry_that_is_no_number_is_none() {
    assert_eq!(number_in(b" 60 "), Some(60));
    assert_eq!(number_in(b"4294967296"), None);
    assert_eq!(number_in(b"-1"), None);
}
