//! URIs, row by row.

use super::*;
use alloc::string::ToString;

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("ASCII rows")
}

#[test]
fn uris_are_read() {
    // URI, user, password, host, port, parameters, headers
    for (uri, user, password, host, port, params, headers) in [
        ("sip:example.com", None, None, "example.com", None, "", None),
        ("SIPS:alice@example.com.", Some("alice"), None, "example.com.", None, "", None),
        (
            "sip:alice:secret&1@192.0.2.1:5070;lr;transport=tcp?a=b&c=",
            Some("alice"),
            Some("secret&1"),
            "192.0.2.1",
            Some(5070),
            ";lr;transport=tcp",
            Some("a=b&c="),
        ),
        ("sip:a:@b", Some("a"), Some(""), "b", None, "", None),
        ("sip:@b", None, None, "b", None, "", None),
        (
            "sip:+1-212-555-1212;isub=1411@gw.example;user=phone",
            Some("+1-212-555-1212;isub=1411"),
            None,
            "gw.example",
            None,
            ";user=phone",
            None,
        ),
        (
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
            Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"),
            Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"),
            "example.com",
            None,
            "",
            None,
        ),
        ("sip:[2001:db8::10]:5070", None, None, "[2001:db8::10]", Some(5070), "", None),
        (
            "sip:user@[::ffff:192.0.2.2];x=[::1]",
            Some("user"),
            None,
            "[::ffff:192.0.2.2]",
            None,
            ";x=[::1]",
            None,
        ),
        ("sip:docker_host", None, None, "docker_host", None, "", None),
        ("sip:4f5e6d7c8b9a", None, None, "4f5e6d7c8b9a", None, "", None),
        ("tel:+1-201-555-0123;ext=12", Some("+1-201-555-0123"), None, "", None, ";ext=12", None),
        (
            "tel:7042;phone-context=example.com",
            Some("7042"),
            None,
            "",
            None,
            ";phone-context=example.com",
            None,
        ),
        ("tel:*21#;phone-context=+1", Some("*21#"), None, "", None, ";phone-context=+1", None),
        ("soap.beep://192.0.2.103:3002", None, None, "", None, "", None),
        ("urn:service:sos", None, None, "", None, "", None),
    ] {
        let read = Uri::parse(uri.as_bytes()).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(read.user.map(text), user, "{uri}");
        assert_eq!(read.password.map(text), password, "{uri}");
        assert_eq!(read.host.to_string(), host, "{uri}");
        assert_eq!(read.port, port, "{uri}");
        assert_eq!(text(read.params.raw()), params, "{uri}");
        assert_eq!(read.headers.map(text), headers, "{uri}");
        assert_eq!(text(read.raw), uri);
    }
}

#[test]
fn malformed_uris_are_refused_with_the_part_that_is_wrong() {
    for (uri, error) in [
        ("", UriError::Scheme),
        ("example.com", UriError::Scheme),
        ("1sip:a@b", UriError::Scheme),
        (":a@b", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:a%4@example.com", UriError::User),
        ("sip:a%zz@example.com", UriError::User),
        ("sip:a[@example.com", UriError::User),
        ("sip:*21#@example.com", UriError::User),
        ("sip:a:b:c@example.com", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a@192.0.2.256", UriError::Host),
        ("sip:a@192.0.2.01", UriError::Host),
        ("sip:a@192.0.2", UriError::Host),
        ("sip:a@1.2.3.4.5", UriError::Host),
        ("sip:a@a..b", UriError::Host),
        ("sip:a@.b", UriError::Host),
        ("sip:a@b/c", UriError::Host),
        ("sip:2001:db8::10", UriError::Host),
        ("sip:[2001:db8::10", UriError::Host),
        ("sip:[2001:db8:::192.0.2.1]", UriError::Host),
        ("sip:a@b:", UriError::Port),
        ("sip:a@b:65536", UriError::Port),
        ("sip:a@b;", UriError::Params),
        ("sip:a@b;;lr", UriError::Params),
        ("sip:a@b;x=", UriError::Params),
        ("sip:a@b;x=%1", UriError::Params),
        ("sip:a@b;x=a@b", UriError::Params),
        ("sip:a@b?", UriError::Headers),
        ("sip:a@b?x", UriError::Headers),
        ("sip:a@b?x=y&", UriError::Headers),
        ("tel:", UriError::Number),
        ("tel:+", UriError::Number),
        ("tel:+abc", UriError::Number),
        ("tel:---", UriError::Number),
        ("tel:+1?a=b", UriError::Headers),
        ("sip:a b@c", UriError::Character),
        ("<sip:a@b>", UriError::Character),
        ("sip:a@b; lr", UriError::Character),
        ("sip:a@b\r\n", UriError::Character),
        ("sip:\u{e9}@b", UriError::Character),
        ("http://a/%zz", UriError::Character),
        ("urn:", UriError::Character),
    ] {
        assert_eq!(Uri::parse(uri.as_bytes()).map(|read| read.scheme), Err(error), "{uri}");
    }
}

#[test]
fn parts_of_a_uri_have_a_limit() {
    for (begin, part, error) in
        [("sip:a@b", ";x=1", UriError::Params), ("sip:a@b?a=b", "&c=d", UriError::Headers)]
    {
        let room = MAX_URI_PARTS - usize::from(begin.contains('?'));
        let most = begin.to_string() + &part.repeat(room);
        assert!(Uri::parse(most.as_bytes()).is_ok());
        assert_eq!(Uri::parse((most + part).as_bytes()).map(|uri| uri.port), Err(error));
    }
}

#[test]
fn escapes_are_decoded_when_asked() {
    for (uri, user) in [
        ("sip:sips%3Auser%40example.com@example.net", "sips:user@example.com"),
        ("sip:I%20have%20spaces@example.net", "I have spaces"),
        ("sip:null-%00-null@example.com", "null-\0-null"),
        ("sip:%D1%80@example.com", "\u{440}"),
        ("sip:%FF@example.com", "\u{fffd}"),
        ("sip:plain@example.com", "plain"),
        ("sip:example.com", ""),
        ("tel:+1-201", "+1-201"),
    ] {
        assert_eq!(Uri::parse(uri.as_bytes()).expect(uri).user_decoded(), user);
    }
}

#[test]
fn parameters_are_found_though_they_are_escaped() {
    let uri = Uri::parse(b"sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31")
        .expect("valid");
    assert!(uri.is_loose_router());
    assert_eq!(uri.param("NAME"), Some(&b"v%61lue%25%34%31"[..]));
    assert_eq!(uri.param("value"), None);
    let uri = Uri::parse(b"sip:a@b;Transport=TCP").expect("valid");
    assert_eq!(uri.transport(), Some(Transport::Tcp));
    assert!(!uri.is_loose_router());
    assert_eq!(Uri::parse(b"sip:a@b;transport=sctp").expect("valid").transport(), None);
}

/// The examples of RFC 3261 §19.1.4 and RFC 3966 §4, and one of each rule that they leave out.
#[test]
fn equivalence_is_that_of_the_rfc() {
    for (one, other, same) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            true,
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            true,
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
        ("sip:a@b", "sips:a@b", false),
        ("sip:a@b", "sip:b", false),
        ("sip:a:x@b", "sip:a@b", false),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true),
        ("tel:+1-201-555-0123", "tel:+12015550123", true),
        ("tel:+12015550123", "tel:12015550123", false),
        ("tel:7042;phone-context=a.com;ext=1", "tel:7042;ext=1;phone-context=A.com", true),
        ("tel:7042;phone-context=a.com", "tel:7042", false),
        ("urn:service:sos", "URN:service:sos", true),
        ("urn:service:sos", "urn:service:SOS", false),
        ("tel:+1", "sip:+1@a", false),
    ] {
        let read = |text: &'static str| Uri::parse(text.as_bytes()).expect(text);
        assert_eq!(read(one).equivalent(&read(other)), same, "{one} and {other}");
        assert_eq!(read(other).equivalent(&read(one)), same, "{other} and {one}");
    }
}
