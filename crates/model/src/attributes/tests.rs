//! What attributes may say, what is refused, and what of them reaches leg B.

use std::format;
use std::string::{String, ToString};

use super::*;

fn set(key: &str, value: &str) -> Result<Attributes, AttributeError> {
    let mut attributes = Attributes::default();
    attributes.set(key, value).map(|()| attributes)
}

#[track_caller]
fn refuses(key: &str, value: &str, message: &str) {
    assert_eq!(set(key, value).unwrap_err().to_string(), message);
}

#[test]
fn takes_each_attribute_of_the_contract() {
    let none = Attributes::default();
    for (key, value, want) in [
        ("hide_origination_did", "true", Attributes { hide_origination_did: true, ..none.clone() }),
        ("hide_origination_did", "false", none.clone()),
        ("fix_anonymous_cid", "true", Attributes { fix_anonymous_cid: true, ..none.clone() }),
        (
            "cnam",
            "Bäckerei \"Süß\"",
            Attributes { cnam: Some("Bäckerei \"Süß\"".into()), ..none.clone() },
        ),
        (
            "announce",
            "https://h.example/a.wav",
            Attributes { announce: Some("https://h.example/a.wav".into()), ..none.clone() },
        ),
        ("ringback", "false", Attributes { ringback: Ringback::Silence, ..none.clone() }),
        ("ringback", "moh", Attributes { ringback: Ringback::HoldMusic, ..none.clone() }),
        ("ringback", "passthrough", Attributes { ringback: Ringback::Passthrough, ..none.clone() }),
        ("whatever", "kept by the store\r\n", none.clone()),
    ] {
        assert_eq!(set(key, value), Ok(want), "{key} {value}");
    }
}

#[test]
fn takes_headers_that_are_x_and_a_token() {
    for name in ["X-Name", "x-name", "X-a.b!c%d*e_f+g`h'i~j-9"] {
        let attributes = set(&format!("sip_header_{name}"), "ü; a=\"b\"").unwrap();
        let want = ExtraHeader { name: name.into(), value: "ü; a=\"b\"".into() };
        assert_eq!(attributes.headers, [want]);
    }
    for name in ["", "X-", "X", "From", "X-a b", "X-a:b", "X-ä", "X-a\r\nVia", " X-a", "XY-a"] {
        let key = format!("sip_header_{name}");
        assert_eq!(set(&key, "v"), Err(AttributeError::HeaderName(key.clone().into())), "{key:?}");
    }
}

#[test]
fn refuses_control_characters_wherever_a_value_reaches_the_wire() {
    for key in ["cnam", "announce", "sip_header_X-Name"] {
        for value in ["a\rb", "a\nb", "a\r\nVia: x", "\t", "\0", "\u{7f}", "\u{85}"] {
            refuses(
                key,
                value,
                &format!("attributes.{key}: the value must not hold control characters"),
            );
        }
    }
}

#[test]
fn says_what_a_value_should_have_been() {
    refuses(
        "hide_origination_did",
        "yes",
        "attributes.hide_origination_did: expected true or false",
    );
    refuses("fix_anonymous_cid", "", "attributes.fix_anonymous_cid: expected true or false");
    let ringback = "attributes.ringback: expected \"false\", \"moh\" or \"passthrough\"";
    for value in ["true", "MOH", ""] {
        refuses("ringback", value, ringback);
    }
}

#[test]
fn a_header_set_again_replaces_the_first_in_any_case() {
    let mut attributes = set("sip_header_X-Name", "first").unwrap();
    attributes.set("sip_header_x-name", "second").unwrap();
    assert_eq!(attributes.headers, [ExtraHeader { name: "X-Name".into(), value: "second".into() }]);
}

#[test]
fn limits_names_values_and_the_count_of_headers() {
    let longest = "v".repeat(Attributes::MAX_VALUE_BYTES);
    assert!(set("cnam", &longest).is_ok());
    assert_eq!(set("cnam", &(longest + "v")), Err(AttributeError::TooLarge("cnam".into())));

    let huge = format!("sip_header_X-{}é", "n".repeat(1 << 20));
    let AttributeError::TooLarge(name) = set(&huge, "v").unwrap_err() else {
        panic!("other error")
    };
    assert_eq!(name.len(), Attributes::MAX_NAME_BYTES);
    // The cut falls within "é".
    let split = "n".repeat(Attributes::MAX_NAME_BYTES - 1) + "é";
    let AttributeError::TooLarge(name) = set(&split, "v").unwrap_err() else {
        panic!("other error")
    };
    assert_eq!(name.len(), Attributes::MAX_NAME_BYTES - 1);

    let mut attributes = Attributes::default();
    for n in 0..Attributes::MAX_HEADERS {
        attributes.set(&format!("sip_header_X-{n}"), "v").unwrap();
    }
    let full = attributes.clone();
    let one_more: String = "sip_header_X-more".into();
    assert_eq!(attributes.set(&one_more, "v"), Err(AttributeError::TooLarge(one_more.into())));
    assert_eq!(attributes.set("sip_header_X-0", "again"), Ok(()));
    assert_eq!(attributes.headers.len(), full.headers.len());
}

#[test]
fn an_error_changes_nothing() {
    let mut attributes = set("ringback", "moh").unwrap();
    let before = attributes.clone();
    for (key, value) in [
        ("ringback", "loud"),
        ("cnam", "\n"),
        ("hide_origination_did", "2"),
        ("sip_header_From", "x"),
    ] {
        assert!(attributes.set(key, value).is_err());
    }
    assert_eq!(attributes, before);
}

#[test]
fn is_empty_until_something_is_set() {
    assert!(Attributes::default().is_empty());
    assert!(set("hide_origination_did", "false").unwrap().is_empty());
    assert!(!set("cnam", "x").unwrap().is_empty());
}
