//! What is written to one side of the other's SDP, and what a leg has agreed on.

#![allow(clippy::unwrap_used, reason = "every function here belongs to a test")]

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use mediator_media::{Format, Speech, Terms};
use mediator_sip::sdp::{Allowed, Crossing, SessionDescription};

use super::edit::Uncrossed;
use super::own::{OUR_OFFER, restricted};
use super::terms::terms;
use super::{OurEnd, Role, Way, written};

/// Our end: 10.0.0.1:30000.
const END: OurEnd = OurEnd {
    at: std::net::SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
        30_000,
    ),
    rtcp_mux: false,
    events: false,
};

/// SDP of a peer at 192.0.2.1: `m=` and what follows.
fn sdp(media: &str) -> String {
    let (session, media) = media.trim().split_at(media.trim().find("m=").unwrap_or(0));
    let head = "v=0\no=bob 1 1 IN IP4 192.0.2.1\ns=secret\nc=IN IP4 192.0.2.1\n";
    let text = format!("{head}{session}t=0 0\n{media}");
    text.lines().fold(String::new(), |text, line| text + line.trim() + "\r\n")
}

/// What crosses, behind `t=`.
fn crossed(theirs: &str, role: Role<'_>, end: OurEnd) -> Result<String, Uncrossed> {
    let way = Way { origin: END.at.ip(), end: Some(end) };
    let crossing = Crossing { session_id: 1, session_version: 1, our_address: way.origin };
    let bytes = written(theirs.as_bytes(), (role, way), |allowed| allowed.write(&crossing))?;
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains("192.0.2.") && !text.contains("secret"), "{text}");
    let (head, media) = text.split_once("t=0 0\r\n").unwrap();
    let connection = head.strip_prefix("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN ");
    assert_eq!(connection.unwrap().lines().count(), 1, "{head}");
    Ok(media.replace("\r\n", "\n").trim_end().to_string())
}

fn offered(media: &str) -> Result<String, Uncrossed> {
    crossed(&sdp(media), Role::Offer, END)
}

fn answered(answer: &str, to: &str) -> Result<String, Uncrossed> {
    crossed(&sdp(answer), Role::AnswerTo(sdp(to).as_bytes()), END)
}

fn lines(text: &str) -> String {
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn terms_of(theirs: &str, ours: &str) -> Terms {
    terms(sdp(theirs).as_bytes(), sdp(ours).as_bytes(), "192.0.2.9".parse().unwrap()).unwrap()
}

fn numbers(formats: &[Format]) -> Vec<u8> {
    formats.iter().map(|format| format.payload_type).collect()
}

#[test]
fn an_offer_shows_our_port_the_twin_and_events_at_each_clock_rate() {
    let rows = [
        // One law of G.711: the other one behind the codecs, before events.
        (
            "m=audio 4000 RTP/AVP 0 18 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=ptime:30",
            "m=audio 30000 RTP/AVP 0 18 8 101\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n\
             a=fmtp:101 0-16\na=ptime:30\na=sendrecv",
        ),
        ("m=audio 4000 RTP/AVP 8", "m=audio 30000 RTP/AVP 8 0\na=rtpmap:0 PCMU/8000\na=sendrecv"),
        // Both laws, or none: nothing to add.
        ("m=audio 4000 RTP/AVP 8 0", "m=audio 30000 RTP/AVP 8 0\na=sendrecv"),
        (
            "m=audio 4000 RTP/AVP 18\na=fmtp:18 annexb=no",
            "m=audio 30000 RTP/AVP 18\na=fmtp:18 annexb=no\na=sendrecv",
        ),
        // Opus beside G.711: events at both rates, under a number that is free.
        (
            "m=audio 4000 RTP/AVP 96 0 8 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000",
            "m=audio 30000 RTP/AVP 96 0 8 101 102\na=rtpmap:96 opus/48000/2\n\
             a=rtpmap:101 telephone-event/8000\na=rtpmap:102 telephone-event/48000\na=sendrecv",
        ),
        // A dynamic number for PCMU is still PCMU; a number that is taken is left alone.
        (
            "m=audio 4000 RTP/AVP 97\na=rtpmap:97 PCMU/8000",
            "m=audio 30000 RTP/AVP 97 8\na=rtpmap:97 PCMU/8000\na=rtpmap:8 PCMA/8000\na=sendrecv",
        ),
        // Feedback, RTCP, ICE, keys and what names somebody are the leg's own.
        (
            "m=audio 4000 RTP/AVPF 8 0\na=rtcp:5001 IN IP4 192.0.2.7\na=rtcp-mux\na=rtcp-rsize\n\
             a=rtcp-fb:* nack\na=candidate:1 1 UDP 1 192.0.2.3 4000 typ host\na=ssrc:1 cname:secret\n\
             a=fingerprint:sha-256 00:11\na=setup:actpass\na=sendonly",
            "m=audio 30000 RTP/AVP 8 0\na=sendonly",
        ),
        // What its line carries is a peer's own, too.
        ("b=AS:177\nm=audio 4000 RTP/AVP 8 0\nb=AS:64", "m=audio 30000 RTP/AVP 8 0\na=sendrecv"),
        // The first audio section in use alone; the others keep their places.
        (
            "m=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP 0\n\
             m=audio 4000 RTP/AVP 0 8\nm=audio 4002 RTP/AVP 0 8\nm=image 4004 udptl t38",
            "m=video 0 RTP/AVP 96\nm=audio 0 RTP/AVP 0\nm=audio 30000 RTP/AVP 0 8\na=sendrecv\n\
             m=audio 0 RTP/AVP 0 8\nm=image 0 udptl t38",
        ),
        // SRTP beside plain RTP.
        (
            "m=audio 4000 RTP/SAVP 0 8\nm=audio 4002 RTP/AVP 0 8",
            "m=audio 0 RTP/SAVP 0 8\nm=audio 30000 RTP/AVP 0 8\na=sendrecv",
        ),
        // The old hold, and an address that is a name of nowhere.
        ("m=audio 4000 RTP/AVP 0 8\nc=IN IP4 0.0.0.0", "m=audio 30000 RTP/AVP 0 8\na=sendonly"),
        (
            "m=audio 4000 RTP/AVP 0 8\nc=IN IP4 0.0.0.0\na=recvonly",
            "m=audio 30000 RTP/AVP 0 8\na=inactive",
        ),
        ("m=audio 4000 RTP/AVP 0 8\nc=IN IP6 ::", "m=audio 30000 RTP/AVP 0 8\na=sendonly"),
        ("m=audio 4000 RTP/AVP 0 8\na=inactive", "m=audio 30000 RTP/AVP 0 8\na=inactive"),
    ];
    for (theirs, ours) in rows {
        assert_eq!(offered(theirs).unwrap(), lines(ours), "{theirs}");
    }
}

#[test]
fn an_offer_without_plain_audio_cannot_cross() {
    let rows = [
        "m=audio 4000 RTP/SAVP 0 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 0 8",
        "m=video 4000 RTP/AVP 96\na=rtpmap:96 VP8/90000",
        "m=audio 0 RTP/AVP 0 8",
        "m=image 4000 udptl t38",
        "",
    ];
    for theirs in rows {
        assert_eq!(offered(theirs), Err(Uncrossed::NoAudio), "{theirs}");
    }
}

#[test]
fn what_the_leg_has_of_its_own_is_in_the_offer_to_it() {
    let plain = sdp("m=audio 4000 RTP/AVP 0 8");
    let muxed = crossed(&plain, Role::Offer, OurEnd { rtcp_mux: true, ..END }).unwrap();
    assert!(muxed.contains("a=rtcp-mux"), "{muxed}");
    let keys = crossed(&plain, Role::Offer, OurEnd { events: true, ..END }).unwrap();
    assert!(keys.contains("0 8 101\n") && keys.contains("a=fmtp:101 0-15"), "{keys}");
    let six = OurEnd { at: "[2001:db8::1]:30002".parse().unwrap(), ..END };
    let written = crossed(&plain, Role::Offer, six);
    // The session's c= is above the lines that are compared here.
    assert_eq!(written.unwrap(), "m=audio 30002 RTP/AVP 0 8\na=sendrecv");
}

#[test]
fn an_answer_has_what_was_offered_in_the_offers_numbers() {
    let rows = [
        // Fewer codecs, in the order of the answer.
        (
            "m=audio 4000 RTP/AVP 0 8 9 101\na=rtpmap:101 telephone-event/8000",
            "m=audio 5000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20",
            "m=audio 30000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n\
             a=ptime:20\na=sendrecv",
        ),
        // More than was offered: what nobody asked for is left out.
        (
            "m=audio 4000 RTP/AVP 8 0",
            "m=audio 5000 RTP/AVP 9 8",
            "m=audio 30000 RTP/AVP 8\na=sendrecv",
        ),
        // The twin that we offered comes back as the offerer's own law.
        ("m=audio 4000 RTP/AVP 0", "m=audio 5000 RTP/AVP 8", "m=audio 30000 RTP/AVP 0\na=sendrecv"),
        (
            "m=audio 4000 RTP/AVP 8",
            "m=audio 5000 RTP/AVP 8 0",
            "m=audio 30000 RTP/AVP 8\na=sendrecv",
        ),
        (
            "m=audio 4000 RTP/AVP 97\na=rtpmap:97 PCMU/8000",
            "m=audio 5000 RTP/AVP 8",
            "m=audio 30000 RTP/AVP 97\na=rtpmap:97 PCMU/8000\na=sendrecv",
        ),
        // Other dynamic numbers for the same codec.
        (
            "m=audio 4000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/48000",
            "m=audio 5000 RTP/AVP 111 110\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n\
             a=rtpmap:110 telephone-event/48000",
            "m=audio 30000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\n\
             a=rtpmap:101 telephone-event/48000\na=sendrecv",
        ),
        // Two formats that differ in their parameters alone: the number tells them apart.
        (
            "m=audio 4000 RTP/AVP 96 97\na=rtpmap:96 AMR/8000\na=rtpmap:97 AMR/8000\na=fmtp:97 octet-align=1",
            "m=audio 5000 RTP/AVP 97\na=rtpmap:97 AMR/8000\na=fmtp:97 octet-align=1",
            "m=audio 30000 RTP/AVP 97\na=rtpmap:97 AMR/8000\na=fmtp:97 octet-align=1\na=sendrecv",
        ),
        // Events at the rate of the speech that was chosen, whatever rate the answerer's have.
        (
            "m=audio 4000 RTP/AVP 96 0 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000",
            "m=audio 5000 RTP/AVP 96 102\na=rtpmap:96 opus/48000/2\na=rtpmap:102 telephone-event/48000",
            "m=audio 30000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=sendrecv",
        ),
        (
            "m=audio 4000 RTP/AVP 96 0 101 102\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n\
             a=rtpmap:102 telephone-event/48000",
            "m=audio 5000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000",
            "m=audio 30000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\na=sendrecv",
        ),
        // Events that were not offered are not answered.
        (
            "m=audio 4000 RTP/AVP 0",
            "m=audio 5000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000",
            "m=audio 30000 RTP/AVP 0\na=sendrecv",
        ),
        // The offer's protocol and its mux; the sections that it has beside.
        (
            "m=video 4002 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 4000 RTP/AVPF 0 8\na=rtcp-mux\na=rtcp-fb:* nack",
            "m=video 0 RTP/AVP 96\nm=audio 5000 RTP/AVP 0 8",
            "m=video 0 RTP/AVP 96\nm=audio 30000 RTP/AVPF 0 8\na=sendrecv\na=rtcp-mux",
        ),
        // Hold, old and new.
        (
            "m=audio 4000 RTP/AVP 0 8\na=sendonly",
            "m=audio 5000 RTP/AVP 0 8\na=recvonly",
            "m=audio 30000 RTP/AVP 0 8\na=recvonly",
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\na=sendonly",
            "m=audio 5000 RTP/AVP 0 8",
            "m=audio 30000 RTP/AVP 0 8\na=recvonly",
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\nc=IN IP4 0.0.0.0",
            "m=audio 5000 RTP/AVP 0 8\na=recvonly",
            "m=audio 30000 RTP/AVP 0 8\na=recvonly",
        ),
        (
            "m=audio 4000 RTP/AVP 0 8",
            "m=audio 5000 RTP/AVP 0 8\nc=IN IP4 0.0.0.0",
            "m=audio 30000 RTP/AVP 0 8\na=sendonly",
        ),
    ];
    for (offer, answer, ours) in rows {
        let mut written: Vec<String> =
            answered(answer, offer).unwrap().lines().map(str::to_string).collect();
        let mut wanted: Vec<String> = lines(ours).lines().map(str::to_string).collect();
        // The order of attributes is the writer's.
        written.sort();
        wanted.sort();
        assert_eq!(written, wanted, "{offer}\n{answer}");
    }
}

#[test]
fn an_answer_that_leaves_nothing_cannot_cross() {
    let offer = "m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000";
    for answer in [
        "m=audio 5000 RTP/AVP 18",
        "m=audio 0 RTP/AVP 0",
        "m=audio 5000 RTP/AVP 9 101\na=rtpmap:101 telephone-event/8000",
        "",
    ] {
        assert_eq!(answered(answer, offer), Err(Uncrossed::NoCodec), "{answer}");
    }
}

#[test]
fn we_answer_with_what_we_speak_in_the_offers_order() {
    let rows = [
        (
            "m=audio 4000 RTP/AVP 18 96 9 0 101\na=rtpmap:96 opus/48000/2\na=fmtp:96 stereo=1\n\
             a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=ptime:20",
            Ok("m=audio 30000 RTP/AVP 96 9 0 101\na=rtpmap:96 opus/48000/2\n\
                a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv"),
        ),
        (
            "m=audio 4000 RTP/AVPF 8\na=rtcp-mux\na=sendonly",
            Ok("m=audio 30000 RTP/AVPF 8\na=rtcp-mux\na=recvonly"),
        ),
        ("m=audio 4000 RTP/AVP 18", Err(Uncrossed::NoCodec)),
        ("m=audio 4000 RTP/SAVP 0", Err(Uncrossed::NoAudio)),
    ];
    for (offer, ours) in rows {
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(|line| line.trim().to_string()).collect();
            lines.sort();
            lines
        };
        let written = crossed(&sdp(offer), Role::Ours, END);
        assert_eq!(written.map(|text| sorted(&text)), ours.map(sorted), "{offer}");
    }
}

#[test]
fn our_offer_is_every_codec_that_we_speak_and_their_events() {
    let text = std::str::from_utf8(OUR_OFFER).unwrap();
    let description = SessionDescription::parse(OUR_OFFER).unwrap();
    let allowed = Allowed::from_description(&description).unwrap();
    let formats = super::edit::formats(super::edit::audio(&allowed).unwrap());
    let speech: Vec<Speech> = formats.iter().filter_map(super::edit::speech).collect();
    assert_eq!(speech, Speech::ALL);
    for format in formats.iter().filter(|format| format.encoding.is_media()) {
        let known = super::edit::speech(format).unwrap();
        assert_eq!(
            (format.payload_type, format.channels),
            (known.payload_type(), known.channels())
        );
        let has = |f: &&mediator_sip::sdp::AllowedFormat| {
            super::edit::is_events(f) && f.clock_rate == format.clock_rate
        };
        assert!(formats.iter().any(|f| has(&f)), "events for {format:?}");
    }
    let written = crossed(text, Role::Offer, END).unwrap();
    assert!(written.starts_with("m=audio 30000 RTP/AVP 0 8 9 107 101 102\n"), "{written}");
}

#[test]
fn what_is_agreed_on_with_one_side_is_offered_to_the_next() {
    let theirs =
        sdp("m=audio 4000 RTP/AVP 18 0 101\na=rtpmap:101 telephone-event/8000\na=sendonly");
    let ours = sdp("m=audio 30000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\na=recvonly");
    let offer = restricted(theirs.as_bytes(), ours.as_bytes()).unwrap();
    let written = crossed(std::str::from_utf8(&offer).unwrap(), Role::Offer, END).unwrap();
    assert!(written.starts_with("m=audio 30000 RTP/AVP 0 8 101\n"), "{written}");
    // Its hold is between it and us: it may be over before the other side answers.
    assert!(written.ends_with("a=sendrecv"), "{written}");
}

#[test]
fn terms_are_what_both_have_said() {
    let offer = "m=audio 4000 RTP/AVP 0 8 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=ptime:30";
    let answer = "m=audio 30000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000";
    let terms = terms_of(offer, answer);
    assert_eq!(terms.remote, Some("192.0.2.1:4000".parse().unwrap()));
    assert_eq!(terms.remote_rtcp, Some("192.0.2.1:4001".parse().unwrap()));
    assert_eq!(terms.signalling.to_string(), "192.0.2.9");
    assert_eq!(
        (numbers(&terms.send), numbers(&terms.receive)),
        (std::vec![8, 101], std::vec![8, 101])
    );
    assert_eq!((terms.peer_sends, terms.peer_receives, terms.rtcp_mux), (true, true, false));
    assert_eq!(terms.ptime_ms, Some(30));
}

#[test]
fn a_peer_is_heard_under_our_numbers_and_under_its_own() {
    let answer =
        "m=audio 5000 RTP/AVP 111 98\na=rtpmap:111 opus/48000/2\na=rtpmap:98 telephone-event/48000";
    let offer = "m=audio 30000 RTP/AVP 96 0 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/48000";
    let terms = terms_of(answer, offer);
    assert_eq!(numbers(&terms.send), [111, 98]);
    assert_eq!(numbers(&terms.receive), [96, 101, 111, 98]);
    // Where its number means something else of ours, ours counts.
    let swapped =
        "m=audio 5000 RTP/AVP 101 96\na=rtpmap:101 opus/48000/2\na=rtpmap:96 telephone-event/48000";
    assert_eq!(numbers(&terms_of(swapped, offer).receive), [96, 101]);
}

#[test]
fn terms_know_holds_rtcp_and_mux() {
    let rows = [
        // Their SDP, ours: whether the peer sends, receives, has an address.
        ("a=sendrecv", "a=sendrecv", (true, true, true)),
        ("a=sendonly", "a=recvonly", (true, false, true)),
        ("a=recvonly", "a=sendonly", (false, true, true)),
        ("a=inactive", "a=inactive", (false, false, true)),
        ("a=sendrecv", "a=sendonly", (false, true, true)),
        ("c=IN IP4 0.0.0.0", "a=recvonly", (true, false, false)),
    ];
    for (theirs, ours, wanted) in rows {
        let audio = |more: &str| format!("m=audio 4000 RTP/AVP 0\n{more}");
        let terms = terms_of(&audio(theirs), &audio(ours));
        assert_eq!(
            (terms.peer_sends, terms.peer_receives, terms.remote.is_some()),
            wanted,
            "{theirs} {ours}"
        );
    }
    let mux = "m=audio 4000 RTP/AVP 0\na=rtcp-mux\na=rtcp:5001 IN IP4 192.0.2.5";
    let terms = terms_of(mux, "m=audio 4000 RTP/AVP 0\na=rtcp-mux");
    assert!(terms.rtcp_mux);
    assert_eq!(terms.remote_rtcp, Some("192.0.2.5:5001".parse().unwrap()));
    assert!(!terms_of(mux, "m=audio 4000 RTP/AVP 0").rtcp_mux);
}
