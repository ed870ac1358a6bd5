//! Numbers as people read them.

use std::collections::HashSet;

use mediator_model::Number;
use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::{NumberInfo, alpha3, countries};

fn info(digits: &str) -> NumberInfo {
    NumberInfo::of(Number::from_digits(digits).unwrap())
}

#[test]
fn are_shown_in_the_formats_of_their_country() {
    let rows = [
        ("15162065337", Some("USA"), "(516) 206-5337", "+1 516-206-5337"),
        ("14165550123", Some("CAN"), "(416) 555-0123", "+1 416-555-0123"),
        ("18765550123", Some("JAM"), "(876) 555-0123", "+1 876-555-0123"),
        ("442079460123", Some("GBR"), "020 7946 0123", "+44 20 7946 0123"),
        ("493012345678", Some("DEU"), "030 12345678", "+49 30 12345678"),
        ("33142685300", Some("FRA"), "01 42 68 53 00", "+33 1 42 68 53 00"),
        // Toll-free for the world: a plan without a country.
        ("80012345678", None, "1234 5678", "+800 1234 5678"),
    ];
    for (digits, country, national, international) in rows {
        let info = info(digits);
        let found = (info.country_code, &*info.in_country_format, &*info.international_format);
        assert_eq!(found, (country, national, international), "{digits}");
        assert_eq!(*info.e164_format, format!("+{digits}"));
    }
}

#[test]
fn of_nobodys_plan_are_shown_as_their_digits() {
    for digits in ["2100000000", "999", "123456789012345", "1"] {
        let info = info(digits);
        assert_eq!(info.country_code, None, "{digits}");
        let shown: String =
            info.international_format.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(shown, digits);
    }
}

#[test]
fn countries_have_three_letters_for_their_two() {
    for (code, expected) in [
        ("US", Some("USA")),
        ("us", Some("USA")),
        ("USA", Some("USA")),
        ("gbr", Some("GBR")),
        ("XK", Some("XKX")),
        ("UK", None),
        ("", None),
        ("U", None),
        ("USAA", None),
        ("ü", None),
    ] {
        assert_eq!(alpha3(code), expected, "{code}");
    }
}

#[test]
fn every_region_of_the_number_plans_is_a_country() {
    let without: Vec<String> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .map(|region| String::from_utf8((region as u16).to_be_bytes().to_vec()).unwrap())
        .filter(|letters| alpha3(letters).is_none())
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn the_table_is_in_order_and_says_nothing_twice() {
    let all = &countries::COUNTRIES;
    assert!(all.is_sorted());
    assert_eq!(all.iter().map(|(two, _)| two).collect::<HashSet<_>>().len(), all.len());
    assert_eq!(all.iter().map(|(_, three)| three).collect::<HashSet<_>>().len(), all.len());
}
