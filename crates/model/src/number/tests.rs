//! Numbers as they are written, and what is none.

use std::string::{String, ToString};

use super::*;

#[track_caller]
fn check(text: &str, want: Result<&str, NumberError>) {
    let read = Number::from_user(text).map(|number| number.to_string());
    assert_eq!(read, want.map(String::from), "{text:?}");
}

#[test]
fn reads_every_form_that_the_contract_names() {
    const FULL: &str = "15162065337";
    for text in [
        "15162065337",
        "+15162065337",
        "+1-516-206-5337",
        "+1 (516) 206.5337",
        "(+1) 516 206 5337",
        " 15162065337 ",
        "tel:+15162065337",
        "TEL:15162065337",
        "tel:+1-516-206-5337;ext=42",
        "sip:15162065337@carrier.example",
        "SIP:+15162065337@[2001:db8::1]:5060;transport=udp;user=phone",
        "sips:+15162065337;npdi;rn=+15165550000@carrier.example",
        "sip:15162065337:secret@carrier.example",
        "15162065337;npdi",
        "+15162065337;rn=+1-516-555-0000;npdi",
        "+15162065337;phone-context=+1",
        "15162065337;phone-context=carrier.example",
    ] {
        check(text, Ok(FULL));
    }
}

#[test]
fn leaves_local_numbers_and_dialling_prefixes_as_they_are() {
    check("tel:5162065337;phone-context=+1", Ok("5162065337"));
    check("911;phone-context=+1", Ok("911"));
    check("tel:863-1234;phone-context=+1-914-784", Ok("8631234"));
    check("0015162065337", Ok("0015162065337"));
    check("01144207946000", Ok("01144207946000"));
    check("0", Ok("0"));
}

#[test]
fn says_why_a_text_is_no_number() {
    use NumberError::{Empty, NotADigit, TooLong};
    for (text, want) in [
        ("", Empty),
        ("+", Empty),
        (" - ", Empty),
        (";npdi", Empty),
        ("tel:", Empty),
        ("sip:@carrier.example", Empty),
        ("sip:10.0.0.1", Empty),
        ("sip:15162065337", Empty),
        ("anonymous", NotADigit),
        ("++15162065337", NotADigit),
        ("1516+2065337", NotADigit),
        ("%2B15162065337", NotADigit),
        ("1516206533x", NotADigit),
        ("*67", NotADigit),
        ("1\u{661}", NotADigit),
        ("mailto:15162065337@mail.example", NotADigit),
        ("sip:anonymous@anonymous.invalid", NotADigit),
        ("1234567890123456", TooLong),
        ("0000000000000000", TooLong),
    ] {
        check(text, Err(want));
    }
}

#[test]
fn takes_plain_digits_only_where_plain_digits_are_meant() {
    assert_eq!(Number::from_digits("15162065337").unwrap().to_string(), "15162065337");
    assert_eq!(Number::from_digits("+1"), Err(NumberError::NotADigit));
    assert_eq!(Number::from_digits("1 2"), Err(NumberError::NotADigit));
    assert_eq!(Number::from_digits(""), Err(NumberError::Empty));
}

#[test]
fn keeps_leading_zeros_and_tells_them_apart() {
    let numbers = ["7", "07", "007", "999999999999999", "000000000000000"];
    for text in numbers {
        let number = Number::from_digits(text).unwrap();
        assert_eq!(number.to_string(), text);
        assert_eq!(number.len(), text.len());
        assert!(!number.is_empty());
    }
    let distinct: hashbrown::HashSet<Number> =
        numbers.iter().map(|text| Number::from_digits(text).unwrap()).collect();
    assert_eq!(distinct.len(), numbers.len());
}

#[test]
fn comes_back_from_its_word_and_from_no_other() {
    for text in ["0", "7", "15162065337", "999999999999999", "000000000000000"] {
        let number = Number::from_digits(text).unwrap();
        assert_eq!(Number::from_u64(number.as_u64()), Some(number));
    }
    let packed = |count: u64, value: u64| (count << COUNT_SHIFT) + value;
    for word in [0, 5, packed(1, 10), packed(15, 1_000_000_000_000_000), u64::MAX] {
        assert_eq!(Number::from_u64(word), None, "{word:#x}");
    }
}

#[test]
fn costs_one_word_even_when_optional() {
    assert_eq!(size_of::<Option<Number>>(), 8);
}

#[test]
fn text_parses_as_users_write_it() {
    assert_eq!("+1 516".parse(), Number::from_digits("1516"));
}
