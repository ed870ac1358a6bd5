//! The reader: what it finds, what it forgives, where it stops.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::sdp::{
    ConnectionAddress, Direction, MAX_FORMATS, MAX_LINES, MAX_MEDIA, MAX_SDP_BYTES, MediaKind,
    Protocol, SdpError, SessionDescription, Transporting,
};

const HEAD: &str = "v=0\r\no=- 17 42 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

/// A description with these lines behind the session's usual ones, of which line 6 is the first.
fn described(lines: &str) -> String {
    format!("{HEAD}{}", lines.replace('\n', "\r\n"))
}

#[track_caller]
fn error_of(text: &[u8]) -> SdpError {
    SessionDescription::parse(text).map(|_| ()).unwrap_err()
}

#[test]
fn reads_sections_with_their_own_and_the_sessions_values() {
    let text = described(
        "a=recvonly\nb=AS:64\nm=audio 4000 RTP/AVP 0 8\na=ptime:20\nm=video 4002/2 rtp/savp 97\nc=IN IP6 2001:db8::2\nb=AS:512\na=sendonly\nm=x-thing 0 UDP/Weird\n",
    );
    let read = SessionDescription::parse(text.as_bytes()).unwrap();
    assert_eq!((read.origin.session_id, read.origin.version), (&b"17"[..], Some(42)));
    assert_eq!(read.bandwidth_kbit, Some(64));
    let [audio, video, other] = read.media.as_slice() else { panic!("{:?}", read.media) };

    assert_eq!((audio.kind, audio.port, audio.line), (MediaKind::Audio, 4000, 8));
    assert_eq!(audio.direction, Direction::RecvOnly);
    assert_eq!(audio.formats.as_slice(), [b"0", b"8"]);
    assert_eq!(audio.attribute("ptime"), Some(Some(&b"20"[..])));
    assert_eq!(audio.attribute("maxptime"), None);
    assert_eq!(audio.connection.map(|found| found.line), Some(4));

    assert_eq!((video.kind, video.port), (MediaKind::Video, 4002));
    assert_eq!(video.direction, Direction::SendOnly);
    assert_eq!(video.protocol.map(Protocol::as_str), Some("RTP/SAVP"));
    assert_eq!(video.bandwidth_kbit, Some(512));
    let address = "2001:db8::2".parse().unwrap();
    assert_eq!(video.connection.map(|found| found.address), Some(ConnectionAddress::Ip(address)));

    assert_eq!((other.kind, other.is_active(), other.protocol), (MediaKind::Other, false, None));
}

#[test]
fn forgives_what_real_peers_do() {
    let rows = [
        "\r\nv=0\r\no=- 1 1 IN IP4 h\r\n",
        "v=0\no=- 1 1 IN IP4 h\n",
        "v=0 \r\no=Bob's desk 1 1 IN IP4 h\r\n\r\n \r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=\r\nX=unknown letter\r\n\0\0\r\n",
        "v=0\r\no=- 99999999999999999999999 -1 IN IP4 h\r\nv=1\r\no=again",
        "v=0\r\no=- 1 1 IN IP4 h\r\nb=\r\nb=AS:x\r\nb=TIAS:64000\r\na=\r\na=:\r\na=rtpmap\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 0 RTP/AVP\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\nc=in ip4 192.0.2.1\r\nm=Audio 1 RTP/AVP 0\r\n",
    ];
    for row in rows {
        assert!(SessionDescription::parse(row.as_bytes()).is_ok(), "{row:?}");
    }
}

#[test]
fn names_the_line_at_fault() {
    let rows: [(&str, SdpError); 25] = [
        ("", SdpError::Empty),
        ("\r\n \0\r\n", SdpError::Empty),
        ("hello", SdpError::NotALine { line: 1 }),
        ("v=1\r\n", SdpError::Version { line: 1 }),
        ("o=- 1 1 IN IP4 h\r\nv=0\r\n", SdpError::Version { line: 1 }),
        ("v=0\r\ns=-\r\n", SdpError::NoOrigin),
        ("v=0\r\no=1 1 IN IP4 h\r\n", SdpError::Origin { line: 2 }),
        ("v=0\r\no=\r\n", SdpError::Origin { line: 2 }),
        ("v=0\r\n\r\ns =-\r\n", SdpError::NotALine { line: 3 }),
        ("v=0\r\n5=x\r\n", SdpError::NotALine { line: 2 }),
        ("v=0\r\n=\r\n", SdpError::NotALine { line: 2 }),
        ("v=0\r\ns=a\0b\r\n", SdpError::NotALine { line: 2 }),
        ("v=0\r\ns=a\rm=b\r\n", SdpError::NotALine { line: 2 }),
        ("v=0\r\nc=IN IP4\r\n", SdpError::Connection { line: 2 }),
        ("v=0\r\nc=IN IP4 192.0.2.1 x\r\n", SdpError::Connection { line: 2 }),
        ("v=0\r\nc=IN IP4 300.0.2.1\r\n", SdpError::Connection { line: 2 }),
        ("v=0\r\nc=IN IP6 [::1]\r\n", SdpError::Connection { line: 2 }),
        ("v=0\r\nc=IN IP4 a..b\r\n", SdpError::Connection { line: 2 }),
        ("v=0\r\nc=IN X25 1\r\n", SdpError::NetworkType { line: 2 }),
        ("v=0\r\nc=TN RFC2543 +15551230001\r\n", SdpError::NetworkType { line: 2 }),
        ("v=0\r\nm=audio 4000\r\n", SdpError::Media { line: 2 }),
        ("v=0\r\nm=audio 65536 RTP/AVP 0\r\n", SdpError::Media { line: 2 }),
        ("v=0\r\nm=audio -1 RTP/AVP 0\r\n", SdpError::Media { line: 2 }),
        ("v=0\r\nm=audio 4000/x RTP/AVP 0\r\n", SdpError::Media { line: 2 }),
        ("v=0\r\nm=audio 4000 RTP/AVP\r\n", SdpError::Media { line: 2 }),
    ];
    for (text, expected) in rows {
        assert_eq!(error_of(text.as_bytes()), expected, "{text:?}");
    }
    let orphan = "v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 0 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n";
    assert_eq!(error_of(orphan.as_bytes()), SdpError::NoConnection { line: 4 });
}

#[test]
fn stops_at_its_limits() {
    let section = "m=audio 0 RTP/AVP 0\n";
    let most = described(&section.repeat(MAX_MEDIA));
    assert_eq!(SessionDescription::parse(most.as_bytes()).unwrap().media.len(), MAX_MEDIA);
    let line = 6 + u16::try_from(MAX_MEDIA).unwrap();
    let many = described(&section.repeat(MAX_MEDIA + 1));
    assert_eq!(error_of(many.as_bytes()), SdpError::TooManyMedia { line });

    let formats = |count: usize| described(&format!("m=audio 1 RTP/AVP{}\n", " 0".repeat(count)));
    assert!(SessionDescription::parse(formats(MAX_FORMATS).as_bytes()).is_ok());
    assert_eq!(error_of(formats(MAX_FORMATS + 1).as_bytes()), SdpError::TooManyFormats { line: 6 },);

    let lines = |count: usize| described(&"a=x\n".repeat(count));
    assert!(SessionDescription::parse(lines(usize::from(MAX_LINES) - 5).as_bytes()).is_ok());
    assert_eq!(error_of(lines(usize::from(MAX_LINES) - 4).as_bytes()), SdpError::TooManyLines,);

    let mut long = described("a=").into_bytes();
    long.resize(MAX_SDP_BYTES, b'x');
    assert!(SessionDescription::parse(&long).is_ok());
    long.push(b'x');
    assert_eq!(error_of(&long), SdpError::TooLarge { bytes: MAX_SDP_BYTES + 1 });
}

#[test]
fn every_fault_has_a_line_or_none_and_a_status() {
    assert_eq!(SdpError::NoOrigin.line(), None);
    assert_eq!(SdpError::Media { line: 9 }.line(), Some(9));
    assert_eq!(SdpError::Media { line: 9 }.status(), 400);
    assert_eq!(SdpError::TooLarge { bytes: 9 }.status(), 413);
    assert_eq!(SdpError::HostName { line: 9 }.status(), 488);
    assert_eq!(format!("{}", SdpError::Media { line: 9 }), "SDP line 9: malformed m=");
}

#[test]
fn tells_hold_by_direction_and_by_address() {
    let rows = [
        ("m=audio 4000 RTP/AVP 0\n", false),
        ("m=audio 4000 RTP/AVP 0\na=sendonly\n", true),
        ("m=audio 4000 RTP/AVP 0\na=inactive\n", true),
        ("m=audio 4000 RTP/AVP 0\na=recvonly\n", false),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", true),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 ::\n", true),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 hold.invalid\n", true),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 invalid.example\n", false),
        ("a=sendonly\nm=audio 4000 RTP/AVP 0\n", true),
        ("a=sendonly\nm=audio 4000 RTP/AVP 0\na=sendrecv\n", false),
        ("m=audio 4000 RTP/AVP 0\na=sendonly\nm=video 4002 RTP/AVP 97\n", false),
        ("m=audio 4000 RTP/AVP 0\na=sendonly\nm=video 4002 RTP/AVP 97\na=inactive\n", true),
        ("m=audio 4000 RTP/AVP 0\na=sendonly\nm=video 0 RTP/AVP 97\n", true),
        ("m=audio 0 RTP/AVP 0\na=sendonly\n", false),
        ("", false),
    ];
    for (lines, expected) in rows {
        let text = described(lines);
        let read = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(read.is_hold(), expected, "{lines:?}");
    }
}

#[test]
fn directions_meet() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let rows = [
        (SendRecv, SendRecv, SendRecv),
        (SendRecv, SendOnly, SendOnly),
        (SendOnly, RecvOnly, Inactive),
        (RecvOnly, SendRecv, RecvOnly),
        (Inactive, SendRecv, Inactive),
    ];
    for (one, other, both) in rows {
        assert_eq!((one.and(other), other.and(one)), (both, both));
        assert_eq!(one.reversed().reversed(), one);
        assert_eq!(Direction::parse(one.as_str().as_bytes()), Some(one));
        assert_eq!(
            (one.reversed().sends(), one.reversed().receives()),
            (one.receives(), one.sends())
        );
    }
    assert_eq!(Direction::parse(b"SendRecv"), None);
}

#[test]
fn lists_codecs_known_or_not() {
    let text = described(
        "m=audio 4000 RTP/AVP 0 18 97 98 98 99 x 128 101 3 10\na=fmtp:97 stereo=1\na=rtpmap:97 opus/48000/2\na=rtpmap:97 other/8000\na=rtpmap:98 X-Thing/8000\na=rtpmap:99 broken\na=fmtp:18  annexb=no \na=rtpmap:101 telephone-event/8000/0\na=rtpmap:3\n",
    );
    let read = SessionDescription::parse(text.as_bytes()).unwrap();
    let found: Vec<_> = read.media[0]
        .codecs()
        .map(|codec| {
            let name = core::str::from_utf8(codec.name).unwrap();
            let fmtp = codec.fmtp.map_or("", |fmtp| core::str::from_utf8(fmtp).unwrap());
            format!(
                "{} {name}/{}/{} {fmtp} {}",
                codec.payload_type, codec.clock_rate, codec.channels, codec.is_mapped
            )
        })
        .collect();
    let expected = [
        "0 PCMU/8000/1  false",
        "18 G729/8000/1 annexb=no false",
        "97 opus/48000/2 stereo=1 true",
        "98 X-Thing/8000/1  true",
        "3 GSM/8000/1  false",
        "10 L16/44100/2  false",
    ];
    assert_eq!(found, expected);
}

#[test]
fn protocols_keep_the_spelling_peers_use() {
    let rows = [
        ("RTP/AVP", "RTP/AVP", Transporting::Rtp),
        ("udptl", "udptl", Transporting::Udptl),
        ("UDPTL", "UDPTL", Transporting::Udptl),
        ("Udptl", "udptl", Transporting::Udptl),
        ("tcp/msrp", "TCP/MSRP", Transporting::Other),
    ];
    for (token, written, transporting) in rows {
        let found = Protocol::parse(token.as_bytes()).unwrap();
        assert_eq!((found.as_str(), found.transporting()), (written, transporting));
    }
    assert_eq!(Protocol::parse(b"RTP/AVP2"), None);
}
