//! What an agent writes and reads of SDP: a few lines of its own, so that a mistake of ours is not made twice.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::{Agent, Media, Party};

/// What an agent takes where it was told nothing else.
const USUAL: &[(u8, &str)] = &[(0, "PCMU/8000"), (8, "PCMA/8000"), (101, "telephone-event/8000")];

/// What the peer's description says of its first audio.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Described {
    /// Where it receives RTP; `None`: nowhere.
    pub rtp: Option<SocketAddr>,
    /// Where it receives RTCP.
    pub rtcp: Option<SocketAddr>,
    /// Payload types and encodings, `PCMU/8000` for instance.
    pub formats: Vec<(u8, String)>,
    /// It sends.
    pub sends: bool,
    /// It receives.
    pub receives: bool,
    /// RTCP may go to RTP's port.
    pub mux: bool,
}

impl Described {
    /// Reads a description.
    pub fn read(sdp: &str) -> Self {
        let mut it = Self { sends: true, receives: true, ..Self::default() };
        let (mut host, mut port, mut rtcp) = (None, 0, None);
        let mut sections = 0;
        for line in sdp.lines() {
            let Some((kind, value)) = line.split_once('=') else { continue };
            if kind == "m" {
                sections += 1;
                let mut words = value.split(' ');
                let is_audio = words.next() == Some("audio");
                if sections > 1 || !is_audio {
                    break;
                }
                port = words.next().and_then(|port| port.parse().ok()).unwrap_or(0);
                let types = words.skip(1).filter_map(|word| word.parse().ok());
                it.formats = types.map(|number| (number, known(number).to_owned())).collect();
            } else if kind == "c" {
                host = value.split(' ').nth(2).and_then(|host| host.parse::<IpAddr>().ok());
            } else if let Some(rest) = value.strip_prefix("rtpmap:").filter(|_| kind == "a") {
                let (number, encoding) = rest.split_once(' ').unwrap_or_default();
                for (known, name) in &mut it.formats {
                    if number.parse() == Ok(*known) {
                        encoding.clone_into(name);
                    }
                }
            } else if let Some(rest) = value.strip_prefix("rtcp:").filter(|_| kind == "a") {
                rtcp = rest.split(' ').next().and_then(|port| port.parse::<u16>().ok());
            } else if kind == "a" {
                it.direct(value);
            }
        }
        let host = host.filter(|host| !host.is_unspecified() && port != 0);
        it.rtp = host.map(|host| SocketAddr::new(host, port));
        it.rtcp = host.map(|host| SocketAddr::new(host, rtcp.unwrap_or(port.wrapping_add(1))));
        it
    }

    fn direct(&mut self, value: &str) {
        match value {
            "sendrecv" => (self.sends, self.receives) = (true, true),
            "sendonly" => (self.sends, self.receives) = (true, false),
            "recvonly" => (self.sends, self.receives) = (false, true),
            "inactive" => (self.sends, self.receives) = (false, false),
            "rtcp-mux" => self.mux = true,
            _ => {}
        }
    }

    /// The payload type of an encoding.
    pub fn number(&self, encoding: &str) -> Option<u8> {
        let found = self.formats.iter().find(|(_, known)| known.eq_ignore_ascii_case(encoding));
        found.map(|(number, _)| *number)
    }
}

/// The encodings that need no rtpmap.
const fn known(number: u8) -> &'static str {
    match number {
        0 => "PCMU/8000",
        8 => "PCMA/8000",
        9 => "G722/8000",
        18 => "G729/8000",
        _ => "",
    }
}

impl Agent {
    /// What it takes, with its own numbers.
    pub(crate) fn formats(&self) -> &'static [(u8, &'static str)] {
        self.quirks.formats.unwrap_or(USUAL)
    }

    /// Where a call's media is by its SDP.
    pub(crate) fn media_at(&self, call: usize, media: Media) -> SocketAddr {
        let (host, port): (IpAddr, u16) = match self.profile.party {
            Party::A => ([192, 0, 2, 1].into(), 6000),
            Party::B => ([192, 0, 2, 2].into(), 7000),
        };
        let moved = if media == Media::Other { 2 } else { 0 };
        SocketAddr::new(host, port + self.media_offset + 10 * (call % 10) as u16 + moved)
    }

    /// Where its media really comes from and arrives: behind a NAT elsewhere.
    pub(crate) fn media_really_at(&self, call: usize, media: Media) -> SocketAddr {
        let said = self.media_at(call, media);
        self.quirks.nat.map_or(said, |nat| SocketAddr::new(nat, said.port() + NAT_SHIFT))
    }

    /// The call that an address belongs to.
    pub(crate) fn media_call(&self, at: SocketAddr) -> Option<usize> {
        let here = self.media_really_at(0, Media::Active);
        let offset = at.port().checked_sub(here.port())?;
        (at.ip() == here.ip() && offset < 100).then_some(usize::from(offset / 10))
    }

    /// SDP that names everything that SDP can name; an answer where an offer is given.
    pub(crate) fn sdp(
        &self,
        (call, version): (usize, u32),
        media: Media,
        offer: Option<&str>,
    ) -> String {
        let canary = self.profile.party.canary();
        let host = self.profile.at.ip();
        let at = self.media_at(call, media);
        let address = match media {
            Media::OldHold => "0.0.0.0".to_owned(),
            Media::Active | Media::Hold | Media::Inactive | Media::Other => at.ip().to_string(),
        };
        let offer = offer.map(Described::read);
        let may_mux = offer.as_ref().is_none_or(|offer| offer.mux);
        let (mut sends, mut receives) = match media {
            Media::Active | Media::Other | Media::OldHold => (true, true),
            Media::Hold => (true, false),
            Media::Inactive => (false, false),
        };
        let mut formats = self.formats().to_vec();
        if media == Media::Other {
            formats.remove(0);
        }
        if let Some(offer) = offer {
            (sends, receives) = (sends && offer.receives, receives && offer.sends);
            let common = |(_, name): &&(u8, &'static str)| offer.number(name).is_some();
            let both: Vec<_> = formats.iter().filter(common).copied().collect();
            if !both.is_empty() {
                formats = both;
            }
        }
        // An answer has it only where the offer had it.
        let mux = if self.quirks.mux && may_mux { "a=rtcp-mux\r\n" } else { "" };
        let direction = match (sends, receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        };
        let (mut numbers, mut maps) = (String::new(), String::new());
        for (number, name) in &formats {
            let _ = write!(numbers, " {number}");
            let _ = write!(maps, "a=rtpmap:{number} {name}\r\n");
            if name.starts_with("telephone-event") {
                let _ = write!(maps, "a=fmtp:{number} 0-15\r\n");
            }
        }
        format!(
            "v=0\r\no={canary} 1 {version} IN IP4 {host}\r\ns={canary}\r\ni={canary}\r\n\
             u=http://{canary}\r\ne={canary}@{canary}\r\np={user}\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             a=tool:{canary}\r\na=x-{canary}\r\n\
             m=audio {port} RTP/AVP{numbers}\r\ni={canary}\r\n{maps}\
             a=ptime:20\r\na={direction}\r\na=ssrc:1 cname:{canary}\r\n\
             a=label:{canary}\r\na=rtcp:{rtcp} IN IP4 {address}\r\n{mux}",
            user = self.profile.user,
            port = at.port(),
            rtcp = at.port() + 1,
        )
    }

    #[allow(clippy::unnecessary_wraps, reason = "bodies are optional where it is used")]
    pub(crate) fn sdp_body(
        &self,
        session: (usize, u32),
        media: Media,
        offer: Option<&str>,
    ) -> Option<(&'static str, String)> {
        Some(("application/sdp", self.sdp(session, media, offer)))
    }
}

/// A NAT's ports are so much higher.
const NAT_SHIFT: u16 = 20_000;
