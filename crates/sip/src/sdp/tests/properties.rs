//! What holds for every input: no panic, nothing twice, no telephone number.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::sdp::{Crossing, SessionDescription, rewrite_direct, sdp_body};

fn crossing() -> Crossing {
    Crossing { session_id: 1, session_version: 1, our_address: "203.0.113.1".parse().unwrap() }
}

/// The runs of seven digits or more outside of keys: what could be a telephone number.
fn numbers(text: &str) -> Vec<String> {
    let shown = text.lines().map(|line| match line.split_once(" inline:") {
        Some((before, key)) => {
            let end = key.find(['|', ' ']).unwrap_or(key.len());
            format!("{before} {}\n", &key[end..])
        }
        None => format!("{line}\n"),
    });
    let shown: String = shown.collect();
    let runs = shown.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| run.len() >= 7).map(ToString::to_string).collect()
}

/// Pieces that grammar-shaped lines are made of, telephone numbers among them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[0-9]{7,15}",
        2 => (0u32..200_000).prop_map(|number| number.to_string()),
        3 => prop::sample::select(PIECES.as_slice()).prop_map(String::from),
        1 => "[a-zA-Z0-9=;:/,|^*. -]{0,12}",
    ]
}

const PIECES: [&str; 48] = [
    "audio",
    "video",
    "image",
    "text",
    "RTP/AVP",
    "RTP/SAVP",
    "udptl",
    "t38",
    "0",
    "8",
    "96",
    "97",
    "101",
    "4000",
    "PCMU/8000",
    "opus/48000/2",
    "telephone-event/8000",
    "H264/90000",
    "rtx/90000",
    "red/8000",
    "AMR/8000",
    "0-15",
    "useinbandfec=1",
    "mode-set=0,2",
    "profile-level-id=42e01f",
    "apt=96",
    "max-mbps=245760",
    "annexb=no",
    "IN",
    "IP4",
    "IP6",
    "192.0.2.1",
    "2001:db8::1",
    "0.0.0.0",
    "bob.invalid",
    "bob.example",
    "1",
    "AES_CM_128_HMAC_SHA1_80",
    "inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk",
    "2^20",
    "|",
    ";",
    ",",
    "/",
    "-",
    "=",
    "*",
    "nack",
];

/// Beginnings after which anything may come without the whole being refused.
const STARTS: [&str; 46] = [
    "m=audio 4000 RTP/AVP 0 96 97 101 ",
    "m=audio 4000 RTP/SAVP 0 96 ",
    "m=video 4002 RTP/AVP 96 97 ",
    "m=image 4004 udptl t38 ",
    "m=text 4006 RTP/AVP 98 ",
    "m=audio 0 RTP/AVP ",
    "b=AS:",
    "b=TIAS:",
    "b=",
    "a=rtpmap:",
    "a=rtpmap:96 ",
    "a=rtpmap:97 ",
    "a=rtpmap:96 opus/48000/2",
    "a=rtpmap:96 AMR/8000",
    "a=rtpmap:96 H264/90000",
    "a=rtpmap:97 rtx/90000",
    "a=rtpmap:97 red/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:96 ",
    "a=fmtp:97 ",
    "a=fmtp:101 ",
    "a=fmtp:96 mode-set=",
    "a=fmtp:97 apt=",
    "a=fmtp:96 max-mbps=",
    "a=fmtp:",
    "a=ptime:",
    "a=maxptime:",
    "a=crypto:",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk",
    "a=fingerprint:",
    "a=setup:",
    "a=rtcp:",
    "a=rtcp:5000 IN IP4 ",
    "a=rtcp-fb:",
    "a=rtcp-fb:* ",
    "a=rtcp-fb:* trr-int ",
    "a=T38MaxBitRate:",
    "a=rtcp-mux",
    "a=sendonly",
    "a=inactive",
    "a=T38FaxVersion:",
    "a=T38FaxMaxBuffer:",
    "a=ssrc:",
    "a=",
    "s=",
];

/// Beginnings that mostly make a description that is refused.
const RISKY: [&str; 5] = ["m=", "m=audio ", "c=", "c=IN IP4 ", "c=IN IP6 "];

fn line() -> impl Strategy<Value = String> {
    let start = prop_oneof![
        60 => prop::sample::select(STARTS.as_slice()),
        1 => prop::sample::select(RISKY.as_slice()),
    ];
    let separated = (piece(), prop::sample::select([" ", "", ";", ",", "|", "/"].as_slice()));
    (start, prop::collection::vec(separated, 0..6)).prop_map(|(start, pieces)| {
        let mut line = String::from(start);
        for (piece, separator) in pieces {
            line.push_str(&piece);
            line.push_str(separator);
        }
        line
    })
}

/// Mostly well-formed descriptions with numbers in every place that a line has.
fn description() -> impl Strategy<Value = String> {
    (prop::sample::select(&STARTS[..6]), prop::collection::vec(line(), 0..24)).prop_map(
        |(media, lines)| {
            let lines = lines.join("\n");
            format!(
                "v=0\no=5551230001 15551230001 15551230001 IN IP4 h\nc=IN IP4 192.0.2.1\n{media}\n{lines}\n",
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = SessionDescription::parse(&bytes);
        let _ = rewrite_direct(&bytes, &crossing());
        let _ = sdp_body(Some(b"multipart/mixed;boundary=a"), &bytes);
        let _ = sdp_body(Some(&bytes), b"--a\r\n\r\nv=0\r\n--a--");
    }

    #[test]
    fn nothing_that_looks_like_a_number_crosses(text in description()) {
        if let Ok(bytes) = rewrite_direct(text.as_bytes(), &crossing()) {
            let written = core::str::from_utf8(&bytes).unwrap();
            prop_assert!(numbers(written).is_empty(), "{:?} in {written}", numbers(written));
        }
    }

    #[test]
    fn what_was_written_is_written_the_same_again(text in description()) {
        if let Ok(once) = rewrite_direct(text.as_bytes(), &crossing()) {
            let twice = rewrite_direct(&once, &crossing());
            prop_assert_eq!(twice.as_deref(), Ok(&once[..]));
        }
    }

    #[test]
    fn sections_are_as_many_and_the_same_kinds(text in description()) {
        if let Ok(bytes) = rewrite_direct(text.as_bytes(), &crossing()) {
            let before = SessionDescription::parse(text.as_bytes()).unwrap();
            let after = SessionDescription::parse(&bytes).unwrap();
            prop_assert_eq!(before.media.len(), after.media.len());
            for (before, after) in before.media.iter().zip(&after.media) {
                prop_assert_eq!(before.kind.as_str(), after.kind.as_str());
                prop_assert!(after.port == before.port || after.port == 0);
                prop_assert!(after.port == 0 || after.direction == before.direction);
            }
        }
    }
}

#[test]
fn numbers_are_found_where_they_are() {
    assert_eq!(numbers("a=x 15551230001 \nb=1555123"), ["15551230001", "1555123"]);
    assert_eq!(numbers("a=crypto:1 S inline:15551230001|2^20"), [""; 0]);
    assert_eq!(numbers("a=crypto:1 S inline:AAAA|15551230001"), ["15551230001"]);
}
