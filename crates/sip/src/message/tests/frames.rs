//! Streams cut into messages, in pieces of every size.

use super::*;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;

fn message(body: &str) -> String {
    format!("OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/TCP a\nl: {}\n\n{body}", wire(body).len())
}

/// What a stream gives when it comes in pieces of that size: frames by name, the fault at its end.
fn frames(stream: &[u8], piece: usize) -> Vec<String> {
    let mut framer = Framer::new();
    let mut found = vec![];
    for piece in stream.chunks(piece) {
        framer.push(piece);
        loop {
            match framer.poll_frame() {
                Ok(None) => break,
                Ok(Some(Frame::Message(bytes))) => {
                    let message =
                        Message::parse(bytes).map(|message| message.headers().body().to_vec());
                    found.push(match message {
                        Ok(body) => format!("message {}", String::from_utf8_lossy(&body)),
                        Err(error) => format!("refused {error}"),
                    });
                }
                Ok(Some(frame)) => found.push(format!("{frame:?}")),
                Err(error) => {
                    let kind = if error.answerable().is_some() { "answer" } else { "close" };
                    found.push(format!("{kind} {error}"));
                }
            }
        }
    }
    found
}

#[track_caller]
fn check(stream: &str, expected: &[&str]) {
    let stream = wire(stream);
    for piece in [1, 2, 3, 7, 64, stream.len().max(1)] {
        assert_eq!(frames(&stream, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn messages_come_out_whole_however_they_come_in() {
    check(&message(""), &["message "]);
    check(&message("body"), &["message body"]);
    check(&(message("one") + &message("two")), &["message one", "message two"]);
    check(&message("cut short")[..50], &[]);
    check(&message("\n\n\n"), &["message \r\n\r\n\r\n"]);
}

#[test]
fn a_body_may_hold_what_looks_like_a_message() {
    let inner = "INVITE sip:x@y SIP/2.0\nl: 5\n\nbody\n\n";
    check(&message(inner), &[&format!("message {}", inner.replace('\n', "\r\n"))]);
}

#[test]
fn keep_alives_are_told_apart() {
    let whole = |stream: &str| frames(&wire(stream), 1000);
    assert_eq!(whole("\n\n"), ["Ping"]);
    assert_eq!(whole("\n"), ["Pong"]);
    assert_eq!(whole(&("\n\n".to_string() + &message("a"))), ["Ping", "message a"]);
    assert_eq!(whole(&(message("a") + "\n" + &message("b"))), ["message a", "Pong", "message b"]);
    assert_eq!(whole("\n\n\n\n"), ["Ping", "Ping"]);
    // The first half of a ping cannot be told from a pong; the second half makes it one.
    assert_eq!(frames(b"\r\n\r\n", 2), ["Pong", "Ping"]);
    assert_eq!(frames(b"\r\n\r\n", 1), ["Pong", "Ping"]);
    assert_eq!(frames(b"\r\n\r\n", 3), ["Ping"]);
}

#[test]
fn a_stream_that_cannot_be_cut_ends() {
    let head = "OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/TCP a\n";
    for (stream, fault) in [
        (format!("{head}\nbody"), "answer 400 Missing Content-Length"),
        (format!("{head}l: -1\n\n"), "answer 400 Malformed Content-Length"),
        (format!("{head}l: 1x\n\n"), "answer 400 Malformed Content-Length"),
        (format!("{head}l: 4\nContent-Length: 4\n\nbody"), "answer 400 Duplicate Content-Length"),
        (format!("{head}l: 65535\n\n"), "answer 513 Message Too Large"),
        (format!("{head}l: 99999999999999999999999\n\n"), "answer 513 Message Too Large"),
        ("GET / HTTP/1.1\nHost: a\n\n".to_string(), "close 400 Missing Content-Length"),
        ("\u{16}\u{3}\u{1}\u{2}".to_string(), "close 400 Malformed start line"),
        (" OPTIONS".to_string(), "close 400 Malformed start line"),
    ] {
        check(&stream, &[fault]);
    }
}

#[test]
fn nothing_is_read_after_the_end() {
    let mut framer = Framer::new();
    framer.push(b"\x16\x03\x01");
    assert!(framer.poll_frame().is_err());
    framer.push(&wire(&message("late")));
    assert_eq!(framer.poll_frame().expect("no further error"), None);
    assert_eq!(framer.pending_bytes(), 0);
}

#[test]
fn lines_without_crlf_are_cut_and_then_refused() {
    for stream in [
        "OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/TCP a\nl: 0\n\n",
        "OPTIONS sip:u@h SIP/2.0\r\nl: 0\n\r\n",
    ] {
        for piece in [1, 3, 100] {
            assert_eq!(frames(stream.as_bytes(), piece), ["refused 400 Line not ended by CRLF"]);
        }
    }
}

#[test]
fn what_never_ends_is_not_kept_for_ever() {
    let mut framer = Framer::new();
    framer.push(b"OPTIONS sip:u@h SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n");
    let mut pushed = 0;
    let error = loop {
        framer.push(b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
        pushed += 34;
        assert!(pushed < 2 * MAX_MESSAGE_BYTES);
        if let Err(error) = framer.poll_frame() {
            break error;
        }
    };
    assert_eq!(error.fault().status, 513);
    assert!(error.answerable().is_some());
    assert_eq!(framer.pending_bytes(), 0);
}

#[test]
fn an_idle_stream_holds_no_message() {
    let mut framer = Framer::new();
    framer.push(&wire(&message("body")));
    assert!(matches!(framer.poll_frame(), Ok(Some(Frame::Message(_)))));
    assert_eq!(framer.poll_frame().expect("idle"), None);
    assert_eq!(framer.pending_bytes(), 0);
}
