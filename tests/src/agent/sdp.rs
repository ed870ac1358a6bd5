//! Session descriptions as an agent writes and reads them: one audio section, or whatever a test writes itself.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::rtp::law::Law;

/// One codec of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// The payload type.
    pub payload_type: u8,
    /// `PCMU/8000`.
    pub encoding: String,
}

impl Codec {
    /// A codec.
    pub fn new(payload_type: u8, encoding: &str) -> Self {
        Self { payload_type, encoding: encoding.to_owned() }
    }

    /// Whether it carries keys and no voice.
    pub fn is_events(&self) -> bool {
        self.encoding.to_ascii_lowercase().starts_with("telephone-event")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.encoding.eq_ignore_ascii_case(&other.encoding)
    }
}

/// G.711 u and telephone-events.
pub fn mu() -> Vec<Codec> {
    vec![Codec::new(0, "PCMU/8000"), Codec::new(101, "telephone-event/8000")]
}

/// G.711 A and telephone-events, under another number.
pub fn a() -> Vec<Codec> {
    vec![Codec::new(8, "PCMA/8000"), Codec::new(97, "telephone-event/8000")]
}

/// A description with the address `at`; the session's version is `version`.
pub fn write(at: SocketAddr, codecs: &[Codec], direction: &str, version: u32) -> String {
    let (ip, port) = (at.ip(), at.port());
    let mut text = format!(
        "v=0\r\no=agent-of-{ip} 4711 {version} IN IP4 {ip}\r\ns=talk of {ip}\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP"
    );
    for codec in codecs {
        let _ = write!(text, " {}", codec.payload_type);
    }
    text.push_str("\r\n");
    for codec in codecs {
        let _ = write!(text, "a=rtpmap:{} {}\r\n", codec.payload_type, codec.encoding);
        if codec.is_events() {
            let _ = write!(text, "a=fmtp:{} 0-16\r\n", codec.payload_type);
        }
    }
    let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
    text
}

/// What a description says of its first section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Where media goes; port 0: refused.
    pub address: SocketAddr,
    /// The codecs, most wanted first.
    pub codecs: Vec<Codec>,
    /// `sendrecv` where none is named.
    pub direction: String,
}

impl Read {
    /// Reads a body; `None` where there is no audio section.
    pub fn of(body: &str) -> Option<Self> {
        let line =
            |start: &'static str| body.lines().filter_map(move |line| line.strip_prefix(start));
        let mut media = line("m=audio ").next()?.split(' ');
        let port: u16 = media.next()?.parse().ok()?;
        let ip: IpAddr = line("c=IN IP4 ").next_back()?.trim().parse().ok()?;
        let codecs = media.skip(1).filter_map(|word| {
            let payload_type: u8 = word.trim().parse().ok()?;
            let named = line("a=rtpmap:")
                .filter_map(|map| map.split_once(' '))
                .find(|(number, _)| *number == word.trim());
            let encoding = match (named, payload_type) {
                (Some((_, encoding)), _) => encoding.trim(),
                (None, 0) => "PCMU/8000",
                (None, 8) => "PCMA/8000",
                (None, 9) => "G722/8000",
                (None, _) => return None,
            };
            Some(Codec::new(payload_type, encoding))
        });
        let directions = ["sendrecv", "sendonly", "recvonly", "inactive"];
        let direction = line("a=").map(str::trim).find(|name| directions.contains(name));
        Some(Self {
            address: SocketAddr::new(ip, port),
            codecs: codecs.collect(),
            direction: direction.unwrap_or("sendrecv").to_owned(),
        })
    }

    /// Those of ours that are here too, under the numbers that are here.
    pub fn common(&self, ours: &[Codec]) -> Vec<Codec> {
        let known = |codec: &&Codec| ours.iter().any(|own| own.is_same(codec));
        self.codecs.iter().filter(known).cloned().collect()
    }

    /// The first codec of voice that an agent speaks.
    pub fn voice(&self) -> Option<(u8, Law)> {
        self.codecs
            .iter()
            .find_map(|codec| Some((codec.payload_type, Law::named(&codec.encoding)?)))
    }

    /// The payload type of telephone-events.
    pub fn events(&self) -> Option<u8> {
        self.codecs.iter().find(|codec| codec.is_events()).map(|codec| codec.payload_type)
    }
}

/// The direction that answers one.
pub fn answering(direction: &str) -> &'static str {
    match direction {
        "sendonly" => "recvonly",
        "recvonly" => "sendonly",
        "inactive" => "inactive",
        _ => "sendrecv",
    }
}
