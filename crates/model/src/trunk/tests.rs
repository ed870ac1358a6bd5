//! Lists of codes, and the order of trunks.

use std::string::ToString;

use super::*;

#[test]
fn reads_code_lists_as_the_api_writes_them() {
    for (text, want) in [
        ("408;", Some("408;")),
        ("408;500;503;", Some("408;500;503;")),
        (" 408 ; 503", Some("408;503;")),
        ("408;408;503;408;", Some("408;503;")),
        ("", Some("")),
        (";;", Some("")),
        ("300;699;", Some("300;699;")),
        ("299;", None),
        ("700;", None),
        ("200;", None),
        ("+408;", None),
        ("0408;", None),
        ("408,503", None),
        ("4xx;", None),
        ("4080000000;", None),
    ] {
        let read = CodeList::parse(text).map(|list| list.to_string());
        assert_eq!(read.as_deref(), want, "{text:?}");
    }
}

#[test]
fn knows_what_is_in_a_list() {
    let list = CodeList::parse("408;503;").unwrap();
    assert!(list.contains(408) && list.contains(503) && !list.contains(500));
    assert_eq!(CodeList::timeouts().to_string(), "408;");
    assert!(!CodeList::default().contains(408));
}

#[test]
fn the_default_policy_is_the_core_apis() {
    let policy = FailurePolicy::default();
    assert_eq!(policy.hard_codes.to_string(), "408;");
    assert_eq!(policy.soft_codes.to_string(), "408;");
    assert_eq!((policy.hard_threshold, policy.options_threshold), (3, 3));
    assert_eq!(policy.hard_interval, Duration::from_mins(1));
    assert_eq!(policy.hard_cooldown, Duration::from_mins(2));
    assert_eq!(policy.last_resort, LastResort::First);
    assert_eq!(policy.options_interval, None);
}
