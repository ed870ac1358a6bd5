//! What names a place, and which addresses are asked.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::allowed::{Allowed, Guard};
use super::super::told::Told;
use super::*;

#[test]
fn reads_paths_and_urls() {
    let rows = [
        ("welcome.wav", Ok("welcome.wav")),
        ("de/./welcome.mp3", Ok("de/welcome.mp3")),
        ("file:welcome.wav", Ok("welcome.wav")),
        ("file:/welcome.wav", Ok("welcome.wav")),
        ("FILE:///a/b%20c.wav", Ok("a/b c.wav")),
        ("file://localhost/a.wav", Ok("a.wav")),
        ("http://files.example/a.wav", Ok("http://files.example/a.wav")),
        ("HTTPS://Files.Example:8443/a.wav", Ok("https://files.example:8443/a.wav")),
        // What may be a secret is not shown.
        ("https://user:pass@files.example/a.wav?token=1#x", Ok("https://files.example/a.wav")),
        ("http://0x7f000001/a.wav", Ok("http://127.0.0.1/a.wav")),
        ("", Err(BadPlace::Unprintable)),
        (" \t ", Err(BadPlace::Unprintable)),
        ("a\nb", Err(BadPlace::Unprintable)),
        ("file:a%0ab", Err(BadPlace::Unprintable)),
        (".", Err(BadPlace::Outside)),
        ("/etc/passwd", Err(BadPlace::Outside)),
        ("../secret.wav", Err(BadPlace::Outside)),
        ("a/../../secret.wav", Err(BadPlace::Outside)),
        ("file:../secret.wav", Err(BadPlace::Outside)),
        ("file:///..%2f..%2fetc/passwd", Err(BadPlace::Outside)),
        ("file:////etc/passwd", Err(BadPlace::Outside)),
        ("file://other/a.wav", Err(BadPlace::BadUrl)),
        ("file:a%zz", Err(BadPlace::BadUrl)),
        ("ftp://files.example/a.wav", Err(BadPlace::BadUrl)),
        ("gopher://files.example/", Err(BadPlace::BadUrl)),
        ("http://", Err(BadPlace::BadUrl)),
        ("http:///", Err(BadPlace::BadUrl)),
    ];
    for (text, expected) in rows {
        let shown = Place::parse(text).map(|place| place.to_string());
        assert_eq!(shown.as_deref().map_err(|error| *error), expected, "{text:?}");
    }
    assert_eq!(Place::parse(&"a".repeat(4096)), Err(BadPlace::Unprintable));
    let place = Place::parse("http://user:pass@h/?key=1").unwrap();
    assert_eq!(format!("{place:?}"), "Place(http://h/)");
}

#[test]
fn asks_public_addresses_only() {
    let refused = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    let asked = [
        "1.1.1.1",
        "9.255.255.255",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
    ];
    let guard = Guard::default();
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    for text in refused {
        assert!(!guard.permits(address(text)), "{text}");
    }
    for text in asked {
        assert!(guard.permits(address(text)), "{text}");
    }
}

#[test]
fn asks_what_the_operator_has_named() {
    let entries = ["10.1.0.0/16", "192.168.7.7", "[fd00::7]", "Files.Internal."];
    let allow: Vec<Allowed> = entries.map(|text| Allowed::parse(text).unwrap()).into();
    let guard = Guard::new(&allow);
    let rows = [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("10.2.0.1", false),
        ("192.168.7.7", true),
        ("192.168.7.8", false),
        ("fd00::7", true),
        ("fd00::8", false),
        ("127.0.0.1", false),
    ];
    for (text, expected) in rows {
        assert_eq!(guard.permits(text.parse().unwrap()), expected, "{text}");
    }
    assert!(guard.trusts_host("files.internal") && guard.trusts_host("FILES.internal."));
    assert!(!guard.trusts_host("other.files.internal") && !guard.trusts_host("internal"));
    for text in ["", "a b", "10.0.0.0/33", "http://files.internal", "a/b"] {
        assert_eq!(Allowed::parse(text), None, "{text:?}");
    }
}

#[test]
fn says_the_same_once_a_minute() {
    let (told, begin) = (Told::default(), Instant::now());
    let is_due = |source: &str, second| told.is_due(source, begin + Duration::from_secs(second));
    assert!(is_due("a", 0) && !is_due("a", 0) && is_due("b", 0));
    assert!(!is_due("a", 59));
    assert!(is_due("a", 61) && !is_due("a", 61));
    let heard = (0..5_000).filter(|at| is_due(&at.to_string(), 62)).count();
    assert!(heard < 1_100, "{heard} of 5,000 at once");
    assert!(is_due("new", 200), "those of a minute ago make room");
}
