//! Changed messages, as datagrams and on streams, from those in `corpus`: see `support/fuzz.rs`.

mod support;

use mediator_sip::message::{Frame, Framer, MAX_MESSAGE_BYTES};
use std::hash::{DefaultHasher, Hash, Hasher};
use support::exercise;
use support::fuzz::{Target, corpus};

const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"\r",
    b"\n",
    b"\0",
    b" ",
    b"\t",
    b"\"",
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"=",
    b"?",
    b"@",
    b"%",
    b"%00",
    b"%41",
    b"(",
    b")",
    b"[",
    b"]",
    b"*",
    b"/",
    b"&",
    b"\xff",
    b"\xc3\xa9",
    b"0",
    b"4294967296",
    b"2147483648",
    b"99999999999999999999999",
    b"-1",
    b"SIP/2.0",
    b"SIP/3.0",
    b"INVITE",
    b"ACK",
    b"sip:",
    b"sips:",
    b"tel:+1",
    b"urn:x",
    b";tag=",
    b";branch=z9hG4bK",
    b";rport",
    b";received=",
    b";lr",
    b"[2001:db8::1]",
    b"192.0.2.1",
    b":5060",
    b"Via: ",
    b"v: SIP/2.0/UDP a\r\n",
    b"From: ",
    b"To: ",
    b"i: ",
    b"CSeq: 1 INVITE\r\n",
    b"Max-Forwards: ",
    b"Contact: *\r\n",
    b"l: 0\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Type: multipart/mixed;boundary=x\r\n",
    b"\r\n--x\r\n",
    b"\r\n--x--",
    b"Digest ",
    b"nonce=\"",
    b"Route: <sip:a;lr>\r\n",
    b"Date: ",
    b"RAck: 1 1 INVITE\r\n",
    b"X: y\r\n",
];

#[test]
fn holds_for_changed_messages() {
    let mut seeds = corpus("corpus", "sip");
    seeds.extend(longest());
    Target {
        name: "message",
        seeds,
        pieces: PIECES,
        inputs: 30_000,
        largest: MAX_MESSAGE_BYTES + 1,
        check: exercise,
    }
    .run();
}

#[test]
fn holds_for_changed_streams() {
    let messages = corpus("corpus", "sip");
    // Two messages each, with a ping between them.
    let seeds = messages
        .iter()
        .zip(messages.iter().cycle().skip(1))
        .map(|(one, other)| [one.as_slice(), b"\r\n\r\n", other].concat())
        .collect();
    let largest = 2 * MAX_MESSAGE_BYTES;
    Target { name: "stream", seeds, pieces: PIECES, inputs: 10_000, largest, check: check_stream }
        .run();
}

/// Messages as long as may be that are nothing but the beginnings of what never ends.
fn longest() -> impl Iterator<Item = Vec<u8>> {
    let headers = [
        "Supported",
        "Contact",
        "Via",
        "Record-Route",
        "Reason",
        "Authorization",
        "Privacy",
        "User-Agent",
    ];
    let begun = [
        "\"",
        "<",
        " (",
        "(",
        "\\",
        ";",
        ",",
        ";a=",
        "<sip:a;b",
        "\r\n ",
        "Digest a=\"",
        "a=b,",
        "%",
    ];
    headers.into_iter().flat_map(move |header| {
        begun.into_iter().map(move |begun| {
            let value = begun.repeat(60_000 / begun.len());
            let head = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nCall-ID: c\r\n";
            format!("{head}{header}: sip:a@b;x=\"{value}\r\n\r\n").into_bytes()
        })
    })
}

/// However a stream is cut into pieces, the same messages and the same end come out of it.
fn check_stream(stream: &[u8]) -> u64 {
    let whole = frames(stream, &[stream.len().max(1)]);
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    let odd = hasher.finish();
    for pieces in
        [&[1][..], &[7, 1, 64], &[(odd % 97) as usize + 1, (odd >> 8) as usize % 1500 + 1]]
    {
        // One byte at a time is dear for the longest of them.
        if pieces != [1] || stream.len() < 4096 {
            assert_eq!(frames(stream, pieces), whole, "in pieces of {pieces:?}");
        }
    }
    let (messages, end) = &whole;
    let mut outcome = DefaultHasher::new();
    end.hash(&mut outcome);
    for message in messages {
        exercise(message).hash(&mut outcome);
    }
    outcome.finish()
}

type Frames = (Vec<Vec<u8>>, Option<&'static str>);

fn frames(stream: &[u8], pieces: &[usize]) -> Frames {
    let mut framer = Framer::new();
    let mut found = vec![];
    let mut rest = stream;
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        rest = later;
        framer.push(now);
        loop {
            match framer.poll_frame() {
                Ok(Some(Frame::Message(message))) => {
                    assert!(message.len() <= MAX_MESSAGE_BYTES);
                    found.push(message.to_vec());
                }
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(error) => return (found, Some(error.fault().phrase)),
            }
        }
        assert!(framer.pending_bytes() <= MAX_MESSAGE_BYTES);
        if rest.is_empty() {
            break;
        }
    }
    (found, None)
}
