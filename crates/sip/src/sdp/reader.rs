//! Reads a session description in one pass: RFC 8866 §9, with the tolerance that real peers need.
//!
//! Taken though the RFC forbids it: LF alone as line end, blank lines, NUL or spaces at the end, missing
//! `s=` and `t=`, a user name with spaces in `o=`, unknown letters, several spaces between fields. What is
//! read is written anew before it goes anywhere, so none of that is passed on.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::attribute::ip;
use super::scan::{decimal, decimal_u16, split_once, words};
use super::{
    Attribute, Connection, ConnectionAddress, Direction, MediaDescription, MediaKind, Origin,
    Protocol, SdpError, SessionDescription,
};
use crate::header::find_low;

/// The longest description that is read, in bytes.
pub const MAX_SDP_BYTES: usize = 32 * 1024;
/// The most lines of a description.
pub const MAX_LINES: u16 = 1024;
/// The most media sections of a description.
pub const MAX_MEDIA: usize = 64;
/// The most formats of a media section.
pub const MAX_FORMATS: usize = 64;
/// Room for the attributes of a section, so that most are read without growing.
const USUAL_ATTRIBUTES: usize = 16;
/// The most that `b=AS` may ask for, in kbit/s: five digits are no telephone number.
const MAX_BANDWIDTH_KBIT: u32 = 99_999;

impl<'a> SessionDescription<'a> {
    /// Reads a description.
    ///
    /// ```
    /// use mediator_sip::sdp::{MediaKind, SdpError, SessionDescription};
    /// let sdp = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    /// let read = SessionDescription::parse(sdp)?;
    /// assert_eq!((read.media[0].kind, read.media[0].port), (MediaKind::Audio, 4000));
    /// # Ok::<(), SdpError>(())
    /// ```
    pub fn parse(text: &'a [u8]) -> Result<Self, SdpError> {
        if text.len() > MAX_SDP_BYTES {
            return Err(SdpError::TooLarge { bytes: text.len() });
        }
        let mut lines = Lines { rest: text.trim_ascii_end(), number: 0 };
        // NUL is what a C string's length, counted once too often, leaves at the end of a body.
        while let Some(shorter) = lines.rest.strip_suffix(b"\0") {
            lines.rest = shorter.trim_ascii_end();
        }
        let first = lines.next()?.ok_or(SdpError::Empty)?;
        if first.letter != b'v' || first.value.trim_ascii() != b"0" {
            return Err(SdpError::Version { line: first.number });
        }
        let mut draft = Draft::default();
        while let Some(line) = lines.next()? {
            draft.take(&line)?;
        }
        draft.finish()
    }
}

/// A description while its lines come in.
#[derive(Default)]
struct Draft<'a> {
    origin: Option<Origin<'a>>,
    connection: Option<Connection<'a>>,
    bandwidth_kbit: Option<u32>,
    attributes: Vec<Attribute<'a>>,
    media: Vec<MediaDescription<'a>>,
}

impl<'a> Draft<'a> {
    fn take(&mut self, line: &Line<'a>) -> Result<(), SdpError> {
        match line.letter {
            b'm' => {
                if self.media.len() == MAX_MEDIA {
                    return Err(SdpError::TooManyMedia { line: line.number });
                }
                // Mostly there is one, and it is large.
                self.media.reserve_exact(usize::from(self.media.is_empty()));
                self.media.push(read_media(line)?);
            }
            b'o' if self.origin.is_none() => self.origin = Some(read_origin(line)?),
            b'c' => {
                // A second c= of one section is a layer of a multicast session: the first counts.
                let connection = read_connection(line)?;
                let (slot, _, _) = self.section();
                slot.get_or_insert(connection);
            }
            b'b' => {
                let (_, slot, _) = self.section();
                *slot = slot.or_else(|| read_bandwidth(line.value));
            }
            b'a' => {
                let (name, value) = split_once(line.value, b':');
                let (_, _, attributes) = self.section();
                if attributes.capacity() == 0 {
                    attributes.reserve(USUAL_ATTRIBUTES);
                }
                attributes.push(Attribute { name: name.trim_ascii(), value });
            }
            _ => {}
        }
        Ok(())
    }

    /// What the next line speaks of: the last media section, or the session before the first.
    fn section(
        &mut self,
    ) -> (&mut Option<Connection<'a>>, &mut Option<u32>, &mut Vec<Attribute<'a>>) {
        match self.media.last_mut() {
            Some(media) => {
                (&mut media.connection, &mut media.bandwidth_kbit, &mut media.attributes)
            }
            None => (&mut self.connection, &mut self.bandwidth_kbit, &mut self.attributes),
        }
    }

    /// Hands the session's connection and direction down to the sections (RFC 8866 §5.7 and §6.7).
    fn finish(mut self) -> Result<SessionDescription<'a>, SdpError> {
        let inherited = direction_of(&self.attributes).unwrap_or_default();
        for media in &mut self.media {
            media.connection = media.connection.or(self.connection);
            media.direction = direction_of(&media.attributes).unwrap_or(inherited);
            if media.is_active() && media.connection.is_none() {
                return Err(SdpError::NoConnection { line: media.line });
            }
        }
        Ok(SessionDescription {
            origin: self.origin.ok_or(SdpError::NoOrigin)?,
            connection: self.connection,
            bandwidth_kbit: self.bandwidth_kbit,
            attributes: self.attributes,
            media: self.media,
        })
    }
}

fn direction_of(attributes: &[Attribute<'_>]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| Direction::parse(attribute.name))
}

/// A letter and its value.
struct Line<'a> {
    number: u16,
    letter: u8,
    value: &'a [u8],
}

/// The lines of a text, blank ones left out but counted.
struct Lines<'a> {
    rest: &'a [u8],
    number: u16,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<Option<Line<'a>>, SdpError> {
        while !self.rest.is_empty() {
            if self.number == MAX_LINES {
                return Err(SdpError::TooManyLines);
            }
            self.number += 1;
            let (line, stray) = self.cut_line();
            if stray {
                return Err(SdpError::NotALine { line: self.number });
            }
            if !line.is_empty() {
                return read_line(line, self.number).map(Some);
            }
        }
        Ok(None)
    }

    /// Takes one line off the text, without its end, and tells whether it holds a NUL, or a CR that does
    /// not end it.
    fn cut_line(&mut self) -> (&'a [u8], bool) {
        let (mut at, mut stray) = (0, false);
        let (length, end) = loop {
            let Some(low) = self.rest.get(at..).and_then(find_low) else {
                break (self.rest.len(), self.rest.len());
            };
            at += low;
            match self.rest.get(at..).unwrap_or_default() {
                [b'\n', ..] => break (at, at + 1),
                [b'\r', b'\n', ..] => break (at, at + 2),
                [b'\r' | 0, ..] => stray = true,
                _ => {}
            }
            at += 1;
        };
        let line = self.rest.get(..length).unwrap_or_default();
        self.rest = self.rest.get(end..).unwrap_or_default();
        (line, stray)
    }
}

fn read_line(line: &[u8], number: u16) -> Result<Line<'_>, SdpError> {
    match line {
        [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() => {
            Ok(Line { number, letter: *letter, value })
        }
        _ => Err(SdpError::NotALine { line: number }),
    }
}

/// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`, read from its end,
/// since some user names have spaces.
fn read_origin<'a>(line: &Line<'a>) -> Result<Origin<'a>, SdpError> {
    let fields: SmallVec<[&'a [u8]; 8]> = words(line.value).collect();
    match fields.as_slice() {
        [_, .., session_id, version, _, _, _] => Ok(Origin {
            session_id,
            version: core::str::from_utf8(version).ok().and_then(|text| text.parse().ok()),
        }),
        _ => Err(SdpError::Origin { line: line.number }),
    }
}

/// `c=<nettype> <addrtype> <connection-address>`.
fn read_connection<'a>(line: &Line<'a>) -> Result<Connection<'a>, SdpError> {
    let malformed = SdpError::Connection { line: line.number };
    let mut fields = words(line.value);
    let (Some(network), Some(family), Some(address), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(malformed);
    };
    let is_v6 = family.eq_ignore_ascii_case(b"IP6");
    if !network.eq_ignore_ascii_case(b"IN") || !(is_v6 || family.eq_ignore_ascii_case(b"IP4")) {
        return Err(SdpError::NetworkType { line: line.number });
    }
    let (host, _ttl) = split_once(address, b'/');
    let address = match ip(host) {
        Some(address) => ConnectionAddress::Ip(address),
        None if !is_host_name(host) => return Err(malformed),
        None if is_v6 => ConnectionAddress::NameV6(host),
        None => ConnectionAddress::NameV4(host),
    };
    Ok(Connection { address, line: line.number })
}

/// RFC 3261 §25.1 `hostname`: the last label starts with a letter, so that a bad address is not a name.
fn is_host_name(host: &[u8]) -> bool {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let is_label = |label: &[u8]| {
        !label.is_empty()
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let mut labels = host.split(|byte| *byte == b'.');
    labels.clone().all(is_label)
        && labels.next_back().and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphabetic)
}

/// `m=<media> <port>[/<number of ports>] <proto> <fmt> ...`. A section that is not in use may lack formats.
fn read_media<'a>(line: &Line<'a>) -> Result<MediaDescription<'a>, SdpError> {
    let malformed = SdpError::Media { line: line.number };
    let mut fields = words(line.value);
    let (Some(kind), Some(port), Some(protocol)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(malformed);
    };
    let (port, count) = split_once(port, b'/');
    let port = decimal_u16(port, u16::MAX).ok_or(malformed)?;
    if count.is_some_and(|count| decimal(count, u32::MAX).is_none()) {
        return Err(malformed);
    }
    let mut formats = SmallVec::new();
    for format in fields {
        if formats.len() == MAX_FORMATS {
            return Err(SdpError::TooManyFormats { line: line.number });
        }
        formats.push(format);
    }
    if formats.is_empty() && port != 0 {
        return Err(malformed);
    }
    Ok(MediaDescription {
        kind: MediaKind::parse(kind),
        port,
        protocol: Protocol::parse(protocol),
        formats,
        connection: None,
        direction: Direction::SendRecv,
        bandwidth_kbit: None,
        attributes: Vec::new(),
        line: line.number,
    })
}

/// `b=AS:<kbit/s>`; other kinds and numbers out of range are read over.
fn read_bandwidth(value: &[u8]) -> Option<u32> {
    match split_once(value, b':') {
        (b"AS", Some(number)) => decimal(number.trim_ascii(), MAX_BANDWIDTH_KBIT),
        _ => None,
    }
}
