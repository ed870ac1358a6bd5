//! What holds of every message: valid ones are read as what they are however they are spelled, and no
//! bytes at all do harm.

mod support;

use mediator_sip::message::{Frame, Framer};
use mediator_sip::{HeaderName, Message, Uri, check_request, check_response};
use proptest::prelude::*;
use support::{Parts, Start, USER, exercise, lines, message, rewrite, uri};

fn expected_lines(parts: &Parts) -> Vec<(String, Vec<u8>)> {
    let known = |name: &str| match HeaderName::recognise(name.as_bytes()) {
        HeaderName::Other => name.to_ascii_lowercase(),
        name => name.as_str().into(),
    };
    parts.headers.iter().map(|(name, value)| (known(name), value.clone().into_bytes())).collect()
}

fn assert_is(read: &Message, parts: &Parts) -> Result<(), TestCaseError> {
    match (&parts.start, read) {
        (Start::Request(method, uri), Message::Request(request)) => {
            prop_assert_eq!(request.method_token(), method);
            prop_assert_eq!(request.uri(), uri.as_bytes());
            prop_assert_eq!(check_request(request), Ok(()));
        }
        (Start::Response(status, reason), Message::Response(response)) => {
            prop_assert_eq!(response.status(), *status);
            prop_assert_eq!(response.reason(), reason.as_bytes());
            prop_assert_eq!(check_response(response), Ok(()));
        }
        _ => prop_assert!(false, "the other kind"),
    }
    prop_assert_eq!(lines(read.headers()), expected_lines(parts));
    prop_assert_eq!(read.headers().body(), parts.body.as_slice());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_messages_are_read_as_what_they_are(parts in message(USER)) {
        let read = Message::parse(parts.plain().into()).expect("valid");
        assert_is(&read, &parts)?;
    }

    #[test]
    fn spelling_changes_nothing(parts in message(USER), seed in any::<u64>()) {
        let spelled = |name: &str| {
            let compact = [("Via", "v"), ("From", "F"), ("To", "t"), ("Call-ID", "I"), ("Contact", "m"), ("Supported", "K")];
            let short = compact.iter().find(|(full, _)| *full == name && seed & 1 == 1).map(|(_, short)| *short);
            let name = match (short, seed >> 1 & 3) {
                (Some(short), _) => short.to_string(),
                (None, 0) => name.to_ascii_uppercase(),
                (None, 1) => name.to_ascii_lowercase(),
                (None, _) => name.to_string(),
            };
            let colon = [":", " : ", "\t:", ":\r\n ", ": \r\n\t "];
            name + colon.get((seed >> 3) as usize % colon.len()).expect("in range")
        };
        // Space between the words of a value may be folded.
        let folded = |value: &str| match seed >> 8 & 3 {
            0 => value.to_string(),
            1 => value.replace(' ', "\r\n "),
            2 => value.replace(' ', " \r\n\t"),
            _ => format!("{value} \t"),
        };
        let read = Message::parse(parts.wire(spelled, folded).into()).expect("valid");
        let words = |lines: Vec<(String, Vec<u8>)>| -> Vec<(String, Vec<String>)> {
            let split = |value: Vec<u8>| String::from_utf8_lossy(&value).split_ascii_whitespace().map(String::from).collect();
            lines.into_iter().map(|(name, value)| (name, split(value))).collect()
        };
        prop_assert_eq!(words(lines(read.headers())), words(expected_lines(&parts)));
        match &read {
            Message::Request(request) => prop_assert_eq!(check_request(request), Ok(())),
            Message::Response(response) => prop_assert_eq!(check_response(response), Ok(())),
        }
    }

    #[test]
    fn what_is_written_is_read_again(parts in message(USER)) {
        let read = Message::parse(parts.plain().into()).expect("valid");
        let again = Message::parse(rewrite(&read)).expect("written");
        prop_assert_eq!(again.headers().body(), parts.body.as_slice());
        let mut before = lines(read.headers());
        let mut after = lines(again.headers());
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn typed_views_agree_with_the_parts(parts in message(USER)) {
        let read = Message::parse(parts.plain().into()).expect("valid");
        let headers = read.headers();
        let value = |name: &str| parts.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
        let from = headers.from().expect("valid");
        let tag = value("From").and_then(|from| from.rsplit_once(";tag=")).map(|(_, tag)| tag.as_bytes());
        prop_assert_eq!(from.tag(), tag);
        let cseq = headers.cseq().expect("valid");
        let written = format!("{} {}", cseq.number, cseq.token);
        prop_assert_eq!(Some(written.as_str()), value("CSeq"));
        prop_assert_eq!(headers.call_id().ok(), value("Call-ID").map(str::as_bytes));
        let hops = headers.max_forwards().expect("valid").map(|hops| hops.to_string());
        prop_assert_eq!(hops.as_deref(), value("Max-Forwards"));
        let vias = parts.headers.iter().filter(|(name, _)| name == "Via").count();
        prop_assert_eq!(headers.vias().flatten().count(), vias);
    }

    #[test]
    fn a_stream_gives_the_messages_that_went_in(
        messages in prop::collection::vec(message(USER), 1..4),
        pieces in prop::collection::vec(1_usize..200, 1..20),
    ) {
        let wires: Vec<_> = messages.iter().map(Parts::plain).collect();
        let stream = wires.concat();
        let mut framer = Framer::new();
        let mut found = vec![];
        let mut rest = stream.as_slice();
        for piece in pieces.into_iter().cycle() {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            rest = later;
            framer.push(now);
            while let Some(frame) = framer.poll_frame().expect("valid messages") {
                if let Frame::Message(bytes) = frame {
                    found.push(bytes.to_vec());
                }
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, wires);
        prop_assert_eq!(framer.pending_bytes(), 0);
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
        let _ = Uri::parse(&bytes);
    }

    #[test]
    fn no_text_does_harm(text in "[A-Za-z0-9 :;,<>\"()\\\\@=/?\r\n\t%.\\[\\]-]{0,300}") {
        exercise(text.as_bytes());
        exercise(format!("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n{text}\r\n\r\n").as_bytes());
        let _ = Uri::parse(text.as_bytes());
    }

    #[test]
    fn broken_values_do_no_harm(
        name in prop::sample::select(vec!["Via", "From", "To", "Contact", "CSeq", "Route", "Content-Type", "Authorization",
            "Session-Expires", "Reason", "Retry-After", "Date", "Content-Length", "Privacy", "RAck"]),
        value in "[A-Za-z0-9 :;,<>\"()\\\\@=/?\t%.\\[\\]*+-]{0,60}",
    ) {
        exercise(format!("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n{name}: {value}\r\n\r\nbody").as_bytes());
    }

    #[test]
    fn a_uri_is_read_from_what_it_was_read_from(text in uri(USER)) {
        let read = Uri::parse(text.as_bytes()).expect("valid");
        prop_assert_eq!(read.raw, text.as_bytes());
        prop_assert!(read.equivalent(&read));
        let user = read.user.map(|user| String::from_utf8_lossy(user).into_owned() + "@").unwrap_or_default();
        let port = read.port.map(|port| format!(":{port}")).unwrap_or_default();
        let params = String::from_utf8_lossy(read.params.raw()).into_owned();
        prop_assert_eq!(format!("sip:{user}{}{port}{params}", read.host), text);
    }
}
