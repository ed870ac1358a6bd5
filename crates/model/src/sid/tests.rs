//! Sids as they are written and read.

use std::format;
use std::string::ToString;

use super::*;

#[test]
fn is_written_as_a_uuid_and_read_back() {
    for bits in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
        let sid = Sid::from_random(bits);
        let text = sid.to_string();
        assert_eq!(text.parse(), Ok(sid), "{text}");
        assert_eq!(text.to_uppercase().parse(), Ok(sid), "{text}");
        assert_eq!(Sid::from_u128(sid.as_u128()), sid);
        assert_eq!(format!("{sid:?}"), text);
    }
}

#[test]
fn carries_version_4_and_the_variant_of_rfc_9562() {
    assert_eq!(Sid::from_random(0).to_string(), "00000000-0000-4000-8000-000000000000");
    assert_eq!(Sid::from_random(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

#[test]
fn keeps_the_bits_of_a_store_whatever_their_version() {
    let text = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    assert_eq!(text.parse::<Sid>().unwrap().to_string(), text);
}

#[test]
fn refuses_what_is_no_uuid() {
    for text in [
        "",
        "00000000-0000-4000-8000-00000000000",
        "00000000-0000-4000-8000-0000000000000",
        "00000000000040008000000000000000",
        "0000000000000-4000-8000-000000000000",
        "00000000-0000-4000-8000-00000000000g",
        "00000000-0000-4000-8000-0000000000é",
        "+0000000-0000-4000-8000-000000000000",
        "{0000000-0000-4000-8000-00000000000}",
    ] {
        assert_eq!(text.parse::<Sid>(), Err(SidError::Malformed), "{text}");
    }
}
