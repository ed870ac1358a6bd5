//! The typed views, value by value.

use super::table::every_name;
use super::*;
use crate::{Host, Method, Scheme};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("ASCII rows")
}

fn param_list(params: &Params<'_>) -> String {
    let one = |(name, value): Param<'_>| match value {
        Some(value) => alloc::format!("{}={}", text(name), text(value)),
        None => text(name).to_string(),
    };
    params.iter().map(one).collect::<Vec<_>>().join("|")
}

#[test]
fn every_name_is_recognised_in_any_case_and_form() {
    for (name, full, compact) in every_name() {
        assert_eq!(HeaderName::recognise(full.as_bytes()), name);
        assert_eq!(HeaderName::recognise(full.to_ascii_lowercase().as_bytes()), name);
        assert_eq!(HeaderName::recognise(full.to_ascii_uppercase().as_bytes()), name);
        assert_eq!(name.as_str(), full);
        if let Some(letter) = compact {
            assert_eq!(HeaderName::recognise(&[letter]), name);
            assert_eq!(HeaderName::recognise(&[letter.to_ascii_uppercase()]), name);
        }
    }
    for unknown in ["", "X-Custom", "Call-I", "Call-IDs", "g", "1", "\u{e9}", "Vib", "C%6Fntact"] {
        assert_eq!(HeaderName::recognise(unknown.as_bytes()), HeaderName::Other, "{unknown}");
    }
}

#[test]
fn addresses_are_read() {
    // value, display, URI, header parameters
    for (value, display, uri, params) in [
        ("sip:a@b.example", None, "sip:a@b.example", ""),
        ("sip:a@b.example;tag=1", None, "sip:a@b.example", "tag=1"),
        ("<sip:a@b.example;lr>;tag=1", None, "sip:a@b.example;lr", "tag=1"),
        ("\"A \\\"B\\\"\" <sip:a@b>", Some("A \"B\""), "sip:a@b", ""),
        ("\"\" <sip:a@b>", Some(""), "sip:a@b", ""),
        ("\"a, <b>;c\"<sip:a@b>", Some("a, <b>;c"), "sip:a@b", ""),
        (
            "caller<sip:caller@example.com>;tag=323",
            Some("caller"),
            "sip:caller@example.com",
            "tag=323",
        ),
        ("Mr. Watson  <sip:w@b>", Some("Mr. Watson"), "sip:w@b", ""),
        ("J\u{f6}rg <sip:j@b>", Some("J\u{f6}rg"), "sip:j@b", ""),
        ("\"a\r\n b\" <sip:a@b>", Some("a b"), "sip:a@b", ""),
        (" <sip:a@b> \r\n ; tag = 98asjd8", None, "sip:a@b", "tag=98asjd8"),
        ("<tel:+1-201-555-0123;ext=5>;tag=a", None, "tel:+1-201-555-0123;ext=5", "tag=a"),
        (
            "<http://www.example.com/a?b>;x=\"q;\\\"\"",
            None,
            "http://www.example.com/a?b",
            "x=q;\\\"",
        ),
        (
            "<sip:a@[2001:db8::1]:5070>;q=0.7;+sip.x=\"<urn:y>\"",
            None,
            "sip:a@[2001:db8::1]:5070",
            "q=0.7|+sip.x=<urn:y>",
        ),
        (
            "sip:+19725552222@gw1.example.net;unknownparam",
            None,
            "sip:+19725552222@gw1.example.net",
            "unknownparam",
        ),
        (
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            Some("Anonymous"),
            "sip:anonymous@anonymous.invalid",
            "",
        ),
    ] {
        let address = NameAddr::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
        assert_eq!(address.display_decoded().as_deref(), display, "{value}");
        assert_eq!(text(address.uri.raw), uri, "{value}");
        assert_eq!(param_list(&address.params), params, "{value}");
    }
}

#[test]
fn malformed_addresses_are_refused() {
    for value in [
        "",
        "*",
        "\"Watson, Thomas\" < sip:t.watson@example.org >",
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        "\"Mr. J. User <sip:j.user@example.com>",
        "\"Joe\" <sip:joe@example.org>;;;;",
        "<sip:joe@example.org>;",
        "<sip:joe@example.org>;=5",
        "<sip:joe@example.org>;tag=",
        "<sip:joe@example.org>;tag=\"open",
        "<sip:joe@example.org> junk",
        "<sip:joe@example.org",
        "sip:joe@example.org>",
        "\"joe\" sip:joe@example.org",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        "<sip:a@b>, <sip:c@d>",
        "<<sip:a@b>>",
        "<joe>",
        "\"a\u{7}b\" <sip:a@b>",
        "\"a\0b\" <sip:a@b>",
    ] {
        assert!(NameAddr::parse(value.as_bytes()).is_none(), "{value}");
    }
}

#[test]
fn quotes_escape_what_would_end_them() {
    for (name, quoted) in [
        ("Ann", "\"Ann\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("a\r\nX-Injected: 1", "\"a  X-Injected: 1\""),
        ("\u{440}\u{443}", "\"\u{440}\u{443}\""),
    ] {
        let written = Quoted(name).to_string();
        assert_eq!(written, quoted);
        let value = alloc::format!("{written} <sip:a@b>");
        assert!(NameAddr::parse(value.as_bytes()).is_some(), "{value}");
    }
}

#[test]
fn vias_are_read() {
    // value, transport, sent-by, host, port, branch
    for (value, transport, sent_by, host, port, branch) in [
        (
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
            "UDP",
            "192.0.2.1",
            "192.0.2.1",
            None,
            Some("z9hG4bKa"),
        ),
        (
            "SIP / 2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw",
            "UDP",
            "192.0.2.2",
            "192.0.2.2",
            None,
            Some("390skdjuw"),
        ),
        (
            "SIP/2.0/TLS host.example.com:5061",
            "TLS",
            "host.example.com:5061",
            "host.example.com",
            Some(5061),
            None,
        ),
        (
            "SIP/2.0/UNKNOWN t4.example.com ; branch = \r\n z9hG4bKx",
            "UNKNOWN",
            "t4.example.com",
            "t4.example.com",
            None,
            Some("z9hG4bKx"),
        ),
        (
            "SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111",
            "UDP",
            "[2001:db8::9:1]:6050",
            "[2001:db8::9:1]",
            Some(6050),
            Some("z9hG4bKas3-111"),
        ),
        (
            "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19",
            "UDP",
            "[::ffff:192.0.2.10]:19823",
            "[::ffff:192.0.2.10]",
            Some(19823),
            Some("z9hG4bKbh19"),
        ),
        (
            "SIP/2.0/UDP  first.example.com: 4000;ttl=16;maddr=224.2.0.1",
            "UDP",
            "first.example.com: 4000",
            "first.example.com",
            Some(4000),
            None,
        ),
    ] {
        let via = Via::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
        assert_eq!(via.transport_token, transport);
        assert_eq!(text(via.sent_by()), sent_by);
        assert_eq!(via.host.to_string(), host);
        assert_eq!(via.port, port);
        assert_eq!(via.branch().map(text), branch);
        assert_eq!(text(via.raw()), value);
    }
    for value in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ;branch=a",
        "SIP/2.0 192.0.2.1",
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP 192.0.2.1:99999",
        "SIP/2.0/UDP 192.0.2.1:",
        "SIP/2.0/UDP 192.0.2.256",
        "SIP/2.0/UDP [2001:db8::1",
        "SIP/2.0/UDP a b",
    ] {
        assert!(Via::parse(value.as_bytes()).is_none(), "{value}");
    }
}

#[test]
fn via_tells_where_it_was_received() {
    for (params, received, rport) in [
        ("", None, None),
        (";rport", None, Some(None)),
        (";rport=5070;received=192.0.2.9", Some("192.0.2.9"), Some(Some(5070))),
        (";received=2001:db8::9:255", Some("2001:db8::9:255"), None),
        (";received=[2001:db8::9:255]", Some("2001:db8::9:255"), None),
        (";received=here;rport=x", None, Some(None)),
    ] {
        let value = alloc::format!("SIP/2.0/UDP a{params}");
        let via = Via::parse(value.as_bytes()).expect("well-formed");
        assert_eq!(via.received(), received.map(|ip| ip.parse::<IpAddr>().expect("address")));
        assert_eq!(via.rport(), rport);
    }
}

#[test]
fn cseqs_are_read() {
    for (value, expected) in [
        ("1 INVITE", Ok((1, Method::Invite, "INVITE"))),
        ("0009\r\n  INVITE", Ok((9, Method::Invite, "INVITE"))),
        ("2147483647 BYE", Ok((MAX_CSEQ, Method::Bye, "BYE"))),
        ("0 invite", Ok((0, Method::Other, "invite"))),
        ("2147483648 BYE", Err(Problem::OutOfRange)),
        ("36893488147419103232 REGISTER", Err(Problem::OutOfRange)),
        ("1INVITE", Err(Problem::Malformed)),
        ("INVITE 1", Err(Problem::Malformed)),
        ("1 INVITE x", Err(Problem::Malformed)),
        ("-1 INVITE", Err(Problem::Malformed)),
        ("1", Err(Problem::Malformed)),
        ("", Err(Problem::Malformed)),
    ] {
        let read = CSeq::parse(value.as_bytes()).map(|cseq| (cseq.number, cseq.method, cseq.token));
        assert_eq!(read, expected, "{value}");
    }
    let rack = RAck::parse(b"776656 1 INVITE").expect("well-formed");
    assert_eq!((rack.rseq, rack.cseq.number, rack.cseq.method), (776_656, 1, Method::Invite));
    assert_eq!(RAck::parse(b"4294967296 1 INVITE"), Err(Problem::OutOfRange));
    assert_eq!(RAck::parse(b"1 INVITE"), Err(Problem::Malformed));
}

#[test]
fn lists_split_at_commas_that_are_not_hidden() {
    for (line, elements) in [
        ("", &[][..]),
        (" \r\n ", &[]),
        ("a", &["a"]),
        ("a , b\r\n ,c", &["a", "b", "c"]),
        ("a,,b", &["a", "", "b"]),
        ("a,", &["a", ""]),
        ("\"x,\\\",y\" <sip:a,b@c>;p=\"1,2\", z", &["\"x,\\\",y\" <sip:a,b@c>;p=\"1,2\"", "z"]),
        ("120 (busy, (really) now), 5", &["120 (busy, (really) now)", "5"]),
        ("sip:a(b@c, sip:d)e@f", &["sip:a(b@c", "sip:d)e@f"]),
        ("\"open, b", &["\"open", "b"]),
        ("<open, b", &["<open", "b"]),
    ] {
        let found: Vec<_> = Elements::new(line.as_bytes()).map(text).collect();
        assert_eq!(found, elements, "{line}");
    }
}

#[test]
fn parameters_are_found_in_any_case() {
    let address =
        NameAddr::parse(b"<sip:a@b> ; A=1;b ;C = \"x;y\\\"z\" ;a=2").expect("well-formed");
    assert_eq!(address.params.get("a"), Some(Some(&b"1"[..])));
    assert_eq!(address.params.get("B"), Some(None));
    assert_eq!(address.params.value("b"), None);
    assert_eq!(address.params.value("c"), Some(&b"x;y\\\"z"[..]));
    assert_eq!(address.params.get("d"), None);
    assert_eq!(address.params.iter().count(), 4);
    assert!(!address.params.is_empty());
}

#[test]
fn dates_are_those_of_sip() {
    for (date, valid) in [
        ("Sat, 13 Nov 2010 23:29:00 GMT", true),
        ("Fri, 01 Jan 2010 16:00:00 EST", false),
        ("Fri, 1 Jan 2010 16:00:00 GMT", false),
        ("Fri, 01 Jam 2010 16:00:00 GMT", false),
        ("Fri, 32 Jan 2010 16:00:00 GMT", false),
        ("Fri, 01 Jan 2010 24:00:00 GMT", false),
        ("Sunday, 06-Nov-94 08:49:37 GMT", false),
        ("", false),
    ] {
        assert_eq!(is_date(date.as_bytes()), valid, "{date}");
    }
}

#[test]
fn seconds_are_read_with_what_follows() {
    for (value, expected) in [
        ("3600", Ok(3600)),
        ("18000;duration=3600", Ok(18000)),
        ("120 (I'm in a meeting)", Ok(120)),
        ("120 (a (nested) one);duration=5", Ok(120)),
        ("4294967296", Ok(u32::MAX)),
        ("1000000000000000000000000000000", Ok(u32::MAX)),
        ("-1", Err(Problem::Malformed)),
        ("", Err(Problem::Malformed)),
        ("12 x", Err(Problem::Malformed)),
        ("120 (open", Err(Problem::Malformed)),
    ] {
        assert_eq!(seconds(value.as_bytes()).map(|(number, _)| number), expected, "{value}");
    }
    for (value, seconds, refresher) in [
        ("1800", 1800, None),
        ("1800;refresher=uac", 1800, Some(Refresher::Uac)),
        ("90 ; Refresher = UAS", 90, Some(Refresher::Uas)),
        ("90;refresher=both", 90, None),
    ] {
        let expected = Ok(SessionExpires { seconds, refresher });
        assert_eq!(SessionExpires::parse(value.as_bytes()), expected);
    }
}

#[test]
fn small_values_are_read() {
    let media = MediaType::parse(b"Multipart / Mixed ; boundary=\"a b\"").expect("well-formed");
    assert!(media.is("multipart", "MIXED"));
    assert_eq!(media.params.value("boundary"), Some(&b"a b"[..]));
    for malformed in ["", "application", "application/", "/sdp", "application/sdp x"] {
        assert!(MediaType::parse(malformed.as_bytes()).is_none(), "{malformed}");
    }
    let reason = Reason::parse(b"Q.850 ;cause=16 ;text=\"Terminated\"").expect("well-formed");
    assert_eq!((reason.protocol, reason.cause), ("Q.850", Some(16)));
    assert_eq!(reason.text, Some(&b"Terminated"[..]));
    assert_eq!(Reason::parse(b"SIP;cause=x").expect("well-formed").cause, None);
    assert!(Reason::parse(b"").is_none());
    let mut privacy = PrivacyFlags::default();
    privacy.add_line(b"ID ; user, critical;unknown");
    assert_eq!(
        privacy,
        PrivacyFlags { id: true, user: true, critical: true, ..PrivacyFlags::default() }
    );
}

#[test]
fn hosts_of_every_form_are_kept_apart() {
    let via = Via::parse(b"SIP/2.0/UDP 192.0.2.1").expect("well-formed");
    assert_eq!(via.host, Host::V4("192.0.2.1".parse().expect("address")));
    let address = NameAddr::parse(b"isbn:2983792873").expect("well-formed");
    assert_eq!(address.uri.scheme, Scheme::Other);
}
