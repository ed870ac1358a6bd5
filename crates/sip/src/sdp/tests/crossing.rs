//! The allow-list, part by part: what becomes of one line.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::sdp::{
    Allowed, Crossing, Direction, SdpError, SessionDescription, content_hash, rewrite_direct,
    same_content,
};

const HEAD: &str = "v=0\no=- 17 42 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n";

fn crossing(session_version: u64) -> Crossing {
    Crossing { session_id: 1, session_version, our_address: "203.0.113.1".parse().unwrap() }
}

fn rewritten(lines: &str) -> Result<String, SdpError> {
    let text = format!("{HEAD}{lines}");
    rewrite_direct(text.as_bytes(), &crossing(1))
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n"))
}

/// What is left of an audio section's `lines` behind `m=audio 4000 <protocol and formats>`.
fn audio(media: &str, lines: &str) -> Vec<String> {
    let text = rewritten(&format!("m=audio 4000 {media}\n{lines}\n")).unwrap();
    let section = text.split("m=").nth(1).unwrap();
    section.lines().skip(1).filter(|line| *line != "a=sendrecv").map(ToString::to_string).collect()
}

#[test]
fn fmtp_crosses_by_parameter_and_shape() {
    let rows = [
        ("opus/48000/2", "useinbandfec=1; stereo=0;x=1", "useinbandfec=1;stereo=0"),
        ("opus/48000/2", "useinbandfec=1;useinbandfec=0", "useinbandfec=1"),
        ("opus/48000/2", "MaxPlaybackRate=016000", "maxplaybackrate=16000"),
        ("opus/48000/2", "maxplaybackrate=48001;maxaveragebitrate=5999", ""),
        ("opus/48000/2", "stereo;stereo=;stereo=2;=1;;", ""),
        ("AMR/8000", "mode-set=7, 0,0,2", "mode-set=0,2,7"),
        ("AMR/8000", "mode-set=9;octet-align=1", "octet-align=1"),
        ("EVS/16000", "br=5.9-24.4;bw=NB-SWB;cmr=-1", "br=5.9-24.4;bw=nb-swb;cmr=-1"),
        ("EVS/16000", "br=5.9-24.4-32;bw=xb", ""),
        ("G729/8000", "annexb=NO", "annexb=no"),
        ("iLBC/8000", "mode=25", ""),
        ("telephone-event/8000", "0-15", "0-15"),
        ("telephone-event/8000", "15,0-11,66,12-14,70", "0-15,66,70"),
        ("telephone-event/8000", "events=0-15", "0-15"),
        ("telephone-event/8000", "0-255", "0-255"),
        ("telephone-event/8000", "0-256", ""),
        ("telephone-event/8000", "5,5,1,2", "1-2,5"),
        ("telephone-event/8000", "15-0", ""),
        ("telephone-event/8000", "0-15,,", ""),
        ("red/8000", "0/0", "0/0"),
        ("red/8000", "0/99", ""),
        ("red/8000", "0/0/0/0/0/0/0/0/0", ""),
        ("PCMU/8000", "anything=1", ""),
    ];
    for (rtpmap, fmtp, expected) in rows {
        let found = audio("RTP/AVP 0 97", &format!("a=rtpmap:97 {rtpmap}\na=fmtp:97 {fmtp}"));
        let mut wanted = Vec::from([format!("a=rtpmap:97 {rtpmap}")]);
        if !expected.is_empty() {
            wanted.push(format!("a=fmtp:97 {expected}"));
        }
        assert_eq!(found, wanted, "{rtpmap} {fmtp}");
    }
}

#[test]
fn formats_cross_by_name_and_clock_rate() {
    let rows = [
        ("RTP/AVP 0 8", "", "4000 RTP/AVP 0 8"),
        ("RTP/AVP 0 0 8", "", "4000 RTP/AVP 0 8"),
        ("RTP/AVP 0 97", "a=rtpmap:97 x-bob/8000", "4000 RTP/AVP 0"),
        ("RTP/AVP 0 97", "a=rtpmap:97 opus/5551234/2", "4000 RTP/AVP 0"),
        ("RTP/AVP 0 97", "a=rtpmap:97 opus/48000/9", "4000 RTP/AVP 0"),
        ("RTP/AVP 0 97", "a=rtpmap:97 H264/90000", "4000 RTP/AVP 0"),
        ("RTP/AVP 0 97", "", "4000 RTP/AVP 0"),
        ("RTP/AVP 97 0", "a=rtpmap:97 OPUS/48000/2", "4000 RTP/AVP 97 0"),
        // Events and comfort noise alone are no call.
        ("RTP/AVP 97 13", "a=rtpmap:97 telephone-event/8000", "0 RTP/AVP 97"),
        ("RTP/AVP 97", "a=rtpmap:97 x-bob/8000", "0 RTP/AVP 97"),
        ("RTP/AVP x", "", "0 RTP/AVP 0"),
        ("RTP/Bob 0", "", "0 RTP/AVP 0"),
        ("udptl t38", "", "0 udptl t38"),
        ("TCP/RTP/AVP 0", "", "0 TCP/RTP/AVP *"),
    ];
    for (media, lines, expected) in rows {
        let text = rewritten(&format!("m=audio 4000 {media}\n{lines}\n")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
        assert_eq!(line, expected, "{media} {lines}");
    }
}

#[test]
fn a_retransmission_format_needs_the_format_it_repeats() {
    let rows =
        [("apt=96", "97 96 98"), ("apt=99", "96 98"), ("apt=15551230001", "96 98"), ("", "96 98")];
    for (fmtp, expected) in rows {
        let text = rewritten(&format!(
            "m=video 4000 RTP/AVP 97 96 98\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 {fmtp}\na=rtpmap:98 red/90000\n",
        ))
        .unwrap();
        assert!(text.contains(&format!("m=video 4000 RTP/AVP {expected}\n")), "{fmtp}: {text}");
    }
}

#[test]
fn keys_cross_whole_or_not_at_all() {
    let key30 = "BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk";
    let key46 = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1L9RIvNEVUxTveLruM0g==";
    let aes128 = "AES_CM_128_HMAC_SHA1_80";
    let same = [
        format!("1 {aes128} inline:{key30}"),
        format!("2 {aes128} inline:{key30}|2^20|1:4"),
        format!("3 {aes128} inline:{key30}|1:4"),
        format!("9999 {aes128} inline:{key30}|2^31 KDR=1 UNENCRYPTED_SRTCP WSH=128"),
        format!("1 AES_256_CM_HMAC_SHA1_80 inline:{key46}"),
        format!("1 AES_CM_256_HMAC_SHA1_32 inline:{}", key46.trim_end_matches('=')),
        "1 AEAD_AES_128_GCM inline:bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBg==".to_string(),
    ];
    for line in &same {
        assert_eq!(audio("RTP/SAVP 0", &format!("a=crypto:{line}")), [format!("a=crypto:{line}")]);
    }
    let none = [
        format!("10000 {aes128} inline:{key30}"),
        format!("x {aes128} inline:{key30}"),
        format!("1 AES_CM_128_HMAC_SHA1_8 inline:{key30}"),
        format!("1 {aes128} inline:{key46}"),
        format!("1 {aes128} inline:{}", &key30[1..]),
        format!("1 {aes128} inline:{}!", &key30[1..]),
        format!("1 {aes128} inline:{key30}="),
        format!("1 AES_256_CM_HMAC_SHA1_80 inline:{}", key46.trim_end_matches("=="))
            .replace("M0g", "M0"),
        format!("1 {aes128} uri:{key30}"),
        format!("1 {aes128} {key30}"),
        format!("1 {aes128} inline:{key30}|2^49"),
        format!("1 {aes128} inline:{key30}|5551234567"),
        format!("1 {aes128} inline:{key30}|5551234:4"),
        format!("1 {aes128} inline:{key30}|1:129"),
        format!("1 {aes128} inline:{key30} KDR=25"),
        format!("1 {aes128} inline:{key30} X-BOB"),
        format!("1 {aes128} inline:{key30} X-BOB=1"),
        format!("1 {aes128} inline:{key30};inline:{key30}"),
        format!("1 {aes128}"),
        String::new(),
    ];
    for line in &none {
        assert_eq!(audio("RTP/SAVP 0", &format!("a=crypto:{line}")), [""; 0], "{line}");
    }
    let decimal = audio("RTP/SAVP 0", &format!("a=crypto:1 {aes128} inline:{key30}|1048576"));
    assert_eq!(decimal, [format!("a=crypto:1 {aes128} inline:{key30}|2^20")]);
    let odd = audio("RTP/SAVP 0", &format!("a=crypto:1 {aes128} inline:{key30}|5551234"));
    assert_eq!(odd, [format!("a=crypto:1 {aes128} inline:{key30}")]);
}

#[test]
fn sixteen_key_lines_cross_and_no_more() {
    let line = |tag: usize| {
        format!(
            "a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk\n"
        )
    };
    let lines: String = (1..=20).map(line).collect();
    assert_eq!(audio("RTP/SAVP 0", lines.trim_end()).len(), 16);
}

#[test]
fn feedback_crosses_once_and_at_most_sixty_four_lines() {
    assert_eq!(audio("RTP/AVPF 0", "a=rtcp-fb:0 nack\na=rtcp-fb:0  NACK\n").len(), 1);
    let lines: Vec<_> = (0..70).map(|millis| format!("a=rtcp-fb:* trr-int {millis}")).collect();
    assert_eq!(audio("RTP/AVPF 0", &lines.join("\n")).len(), 64);
}

#[test]
fn attributes_cross_with_sane_values() {
    let fingerprint = format!("a=fingerprint:sha-1 {}", ["AB"; 20].join(":"));
    let kept = [
        "a=ptime:20",
        "a=maxptime:150",
        "a=rtcp:4001",
        "a=rtcp:4001 IN IP6 2001:db8::1",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=setup:actpass",
        "a=rtcp-fb:* trr-int 5000",
        "a=rtcp-fb:0 nack",
        "b=AS:64",
        fingerprint.as_str(),
    ];
    for line in kept {
        assert_eq!(audio("RTP/AVP 0", line), [line]);
    }
    let dropped = [
        "a=ptime:0",
        "a=ptime:10000",
        "a=ptime:20.5",
        "a=ptime",
        "a=rtcp:65536",
        "a=rtcp:4001 IN IP4 bob.example",
        "a=rtcp:4001 IN IP4",
        "a=rtcp:4001 IN IP4 192.0.2.1 15551230001",
        "a=rtcp:4001 IN IP4 224.0.0.1",
        "a=rtcp-mux:15551230001",
        "a=setup:bob",
        "a=rtcp-fb:8 nack",
        "a=rtcp-fb:* nack bob",
        "a=rtcp-fb:* trr-int",
        "a=rtcp-fb:* trr-int 100000",
        "a=rtcp-fb:*",
        "a=rtcp-fb:* transport-cc",
        "a=fingerprint:sha-1 AB:CD",
        "a=fingerprint:md5 AB:CD",
        "a=sendrecv ",
        "a=PTIME:20",
        "a=x",
        "a=T38FaxVersion:0",
        "b=AS:100000",
        "b=CT:64",
        "b=RS:0",
    ];
    for line in dropped {
        assert_eq!(audio("RTP/AVP 0", line), [""; 0], "{line}");
    }
}

#[test]
fn fax_parameters_cross_by_name_and_shape() {
    let rows = [
        ("T38FaxVersion:0", "T38FaxVersion:0"),
        ("T38FaxVersion:10", ""),
        ("T38MaxBitRate:33600", "T38MaxBitRate:33600"),
        ("T38MaxBitRate:1000000", ""),
        ("T38FaxMaxBuffer:2000", "T38FaxMaxBuffer:2000"),
        ("T38FaxMaxBuffer:100000", ""),
        ("T38FaxMaxDatagram: 400", "T38FaxMaxDatagram:400"),
        ("T38FaxMaxDatagram:100000", ""),
        ("t38faxmaxifp:40", "T38FaxMaxIFP:40"),
        ("T38FaxMaxIFP:100000", ""),
        ("T38FaxFillBitRemoval", "T38FaxFillBitRemoval"),
        ("T38FaxFillBitRemoval:1", "T38FaxFillBitRemoval:1"),
        ("T38FaxFillBitRemoval:2", ""),
        ("T38FaxUdpEC:t38UDPfec", "T38FaxUdpEC:t38UDPFEC"),
        ("T38FaxUdpEC:bob", ""),
        ("T38FaxUdpEC", ""),
        ("T38VendorInfo:1 2 3", ""),
        ("T38FaxVersion:0\na=T38FaxVersion:3", "T38FaxVersion:0"),
        ("ptime:20", "ptime:20"),
        ("rtcp:4001", ""),
        ("rtcp-mux", ""),
        ("crypto:1 AES_CM_128_HMAC_SHA1_80 inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk", ""),
    ];
    for (line, expected) in rows {
        let text = rewritten(&format!("m=image 4000 udptl t38\na={line}\n")).unwrap();
        let section = text.split("m=image 4000 udptl t38\n").nth(1).unwrap();
        let expected = if expected.is_empty() { String::new() } else { format!("a={expected}\n") };
        assert_eq!(section, format!("{expected}a=sendrecv\n"), "{line}");
    }
}

#[test]
fn session_level_keys_and_directions_come_down_to_each_section() {
    let fingerprint = format!("a=fingerprint:sha-256 {}", ["0F"; 32].join(":"));
    let own = format!("a=fingerprint:sha-256 {}", ["1E"; 32].join(":"));
    let text = rewritten(&format!(
        "{fingerprint}\na=setup:passive\na=sendonly\nm=audio 1 UDP/TLS/RTP/SAVP 0\nm=audio 2 UDP/TLS/RTP/SAVP 0\n{own}\na=inactive\n",
    ))
    .unwrap();
    let sections: Vec<&str> = text.split("m=audio ").skip(1).collect();
    let expected = [
        format!("1 UDP/TLS/RTP/SAVP 0\n{fingerprint}\na=setup:passive\na=sendonly\n"),
        format!("2 UDP/TLS/RTP/SAVP 0\n{own}\na=setup:passive\na=inactive\n"),
    ];
    assert_eq!(sections, expected);
}

#[test]
fn sections_keep_count_and_order_whatever_becomes_of_them() {
    let text = rewritten(
        "m=message 5000 TCP/MSRP *\nm=audio 0 RTP/AVP 96\nm=bob 1 X y\nm=image 3 UDPTL T38\nm=video 5 RTP/AVP 31\nm=image 7 RTP/AVP 0\nm=audio 9 udptl t38\n",
    )
    .unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    let expected = [
        "m=message 0 TCP/MSRP *",
        "m=audio 0 RTP/AVP 96",
        "m=application 0 RTP/AVP 0",
        "m=image 3 UDPTL t38",
        "m=video 5 RTP/AVP 31",
        "m=image 0 RTP/AVP 0",
        "m=audio 0 udptl t38",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn addresses_that_name_or_flood_do_not_cross() {
    let media = |address: &str| rewritten(&format!("m=audio 4000 RTP/AVP 0\nc=IN IP4 {address}\n"));
    assert_eq!(media("bob.example").unwrap_err(), SdpError::HostName { line: 7 });
    assert_eq!(media("224.2.1.1/127").unwrap_err(), SdpError::Multicast { line: 7 });
    assert_eq!(media("255.255.255.255").unwrap_err(), SdpError::Multicast { line: 7 });
    assert_eq!(media("ff02::1").unwrap_err(), SdpError::Multicast { line: 7 });
    assert_eq!(media("::ffff:224.0.0.1").unwrap_err(), SdpError::Multicast { line: 7 });
    let held = media("15551230001.invalid").unwrap();
    assert!(held.contains("c=IN IP4 0.0.0.0\n") && !held.contains("1555"), "{held}");
    // The address of a section that is not in use is not shown, so it does not matter.
    let refused =
        rewritten("m=audio 0 RTP/AVP 0\nc=IN IP4 bob.example\nm=audio 2 RTP/AVP 0\n").unwrap();
    assert!(refused.contains("m=audio 0 RTP/AVP 0\nm=audio 2 RTP/AVP 0\n"), "{refused}");
}

#[test]
fn sections_with_other_addresses_say_so() {
    let text = rewritten(
        "m=audio 1 RTP/AVP 0\nc=IN IP4 198.51.100.7\nm=audio 2 RTP/AVP 0\nm=audio 0 RTP/AVP 0\nc=IN IP4 198.51.100.9\n",
    )
    .unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("c=")).collect();
    assert_eq!(lines, ["c=IN IP4 198.51.100.7", "c=IN IP4 192.0.2.1"]);
}

#[test]
fn a_relay_can_change_what_is_written() {
    let text = format!("{HEAD}m=audio 4000 RTP/AVP 0 8\nm=video 4002 RTP/AVP 31\na=sendonly\n");
    let read = SessionDescription::parse(text.as_bytes()).unwrap();
    let mut allowed = Allowed::from_description(&read).unwrap();
    for (media, port) in allowed.media.iter_mut().zip([30_000, 30_002]) {
        media.port = port;
        media.address = "203.0.113.9".parse().unwrap();
    }
    allowed.limit_direction(Direction::RecvOnly);
    let written = String::from_utf8(allowed.write(&crossing(3)).to_vec()).unwrap();
    assert_eq!(
        written.replace("\r\n", "\n"),
        "v=0\no=- 1 3 IN IP4 203.0.113.1\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n\
         m=audio 30000 RTP/AVP 0 8\na=recvonly\nm=video 30002 RTP/AVP 31\na=inactive\n",
    );
}

#[test]
fn versions_do_not_make_content_differ() {
    let text = format!("{HEAD}m=audio 4000 RTP/AVP 0\n");
    let first = rewrite_direct(text.as_bytes(), &crossing(1)).unwrap();
    let second = rewrite_direct(text.as_bytes(), &crossing(2)).unwrap();
    assert_ne!(first, second);
    assert!(same_content(&first, &second));
    assert_eq!(content_hash(&first), content_hash(&second));
    let held = format!("{text}a=sendonly\n");
    let third = rewrite_direct(held.as_bytes(), &crossing(2)).unwrap();
    assert!(!same_content(&first, &third));
    assert_ne!(content_hash(&first), content_hash(&third));
    let joined: [&[u8]; 2] = [b"s=12345\nt=0", b"s=12345t=0"];
    assert_ne!(content_hash(joined[0]), content_hash(joined[1]));
    let split: [&[u8]; 2] = [b"s=123456\nt=0", b"s=123456t=0"];
    assert_ne!(content_hash(split[0]), content_hash(split[1]));
    assert!(same_content(b"v=0\no=x\n\ns=-", b"v=0\r\ns=-\r\n"));
}
