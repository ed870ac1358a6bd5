//! Formats of RTP: payload types with what `a=rtpmap` and `a=fmtp` say of them (RFC 8866 §6.6 and §6.15).

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::encodings::{ENCODINGS, STATIC};
use super::fmtp::Fmtp;
use super::scan::{decimal, payload_type, split_once, words};
use super::{MediaDescription, MediaKind};

/// The most channels of an audio format.
const MAX_CHANNELS: u32 = 8;

/// A row of the table of encodings that may cross.
#[derive(PartialEq, Eq, Debug)]
pub struct Encoding {
    pub(super) name: &'static str,
    pub(super) kind: MediaKind,
    pub(super) rates: &'static [u32],
    pub(super) fmtp: Fmtp,
}

impl Encoding {
    /// The row for a name, in any case, that a section of this kind may have.
    pub fn find(kind: MediaKind, name: &[u8]) -> Option<&'static Self> {
        ENCODINGS
            .iter()
            .find(|row| row.kind == kind && row.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The name as it is registered.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is speech or video, rather than events, noise, redundancy or repair.
    pub fn is_media(&self) -> bool {
        !matches!(self.name, "telephone-event" | "tone" | "CN" | "red" | "rtx" | "ulpfec")
    }
}

/// A format as the peer describes it: known to a table here or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Codec<'a> {
    /// Its number in RTP, 0 to 127.
    pub payload_type: u8,
    /// The encoding's name, as received or as RFC 3551 assigns it.
    pub name: &'a [u8],
    /// RTP ticks a second.
    pub clock_rate: u32,
    /// Channels of audio.
    pub channels: u8,
    /// What `a=fmtp` says.
    pub fmtp: Option<&'a [u8]>,
    /// Whether an `a=rtpmap` said so, not the payload type alone.
    pub is_mapped: bool,
}

/// A format that may cross.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowedFormat {
    /// Its number in RTP, 0 to 127.
    pub payload_type: u8,
    /// What it is.
    pub encoding: &'static Encoding,
    /// RTP ticks a second: one of the encoding's rates.
    pub clock_rate: u32,
    /// Channels of audio, 1 to 8.
    pub channels: u8,
    /// Parameters for `a=fmtp`, empty where there are none; every one checked.
    pub fmtp: String,
    /// Whether `a=rtpmap` is written.
    pub is_mapped: bool,
}

/// A payload type of the `m=` line, and the lines that describe it as they were found.
#[derive(Clone, Copy)]
struct Described<'a> {
    payload_type: u8,
    rtpmap: Option<&'a [u8]>,
    fmtp: Option<&'a [u8]>,
}

impl<'a> MediaDescription<'a> {
    /// The RTP formats that the section describes, the sender's favourite first. A format that is no
    /// payload type, is repeated, or is described neither by `a=rtpmap` nor by RFC 3551, is left out.
    pub fn codecs(&self) -> impl Iterator<Item = Codec<'a>> + use<'a> {
        self.described().into_iter().filter_map(|format| format.codec())
    }

    /// One pass over the attributes, so that many formats with many lines stay cheap.
    fn described(&self) -> SmallVec<[Described<'a>; 12]> {
        let mut found: SmallVec<[Described<'a>; 12]> = SmallVec::new();
        for format in &self.formats {
            let Some(payload_type) = payload_type(format) else { continue };
            if found.iter().all(|other| other.payload_type != payload_type) {
                found.push(Described { payload_type, rtpmap: None, fmtp: None });
            }
        }
        for attribute in &self.attributes {
            let is_rtpmap = attribute.name == b"rtpmap";
            if !is_rtpmap && attribute.name != b"fmtp" {
                continue;
            }
            let Some(value) = attribute.value else { continue };
            let (number, text) = split_once(value.trim_ascii(), b' ');
            let (Some(number), Some(text)) = (payload_type(number), text) else { continue };
            let Some(format) = found.iter_mut().find(|format| format.payload_type == number) else {
                continue;
            };
            let slot = if is_rtpmap { &mut format.rtpmap } else { &mut format.fmtp };
            slot.get_or_insert(text.trim_ascii());
        }
        found
    }
}

impl<'a> Described<'a> {
    fn codec(&self) -> Option<Codec<'a>> {
        let Self { payload_type, rtpmap, fmtp } = *self;
        if let Some(text) = rtpmap {
            // Words behind the first are a peer's slip; the encoding is what counts.
            let mut parts = words(text).next()?.split(|byte| *byte == b'/');
            let name = parts.next().filter(|name| !name.is_empty())?;
            let clock_rate = decimal(parts.next()?, u32::MAX)?;
            let channels = match parts.next() {
                None => 1,
                Some(channels) => decimal(channels, MAX_CHANNELS).filter(|count| *count > 0)?,
            };
            let channels = u8::try_from(channels).ok()?;
            return Some(Codec { payload_type, name, clock_rate, channels, fmtp, is_mapped: true });
        }
        let row = STATIC.iter().find(|row| row.payload_type == payload_type)?;
        Some(Codec {
            payload_type,
            name: row.name.as_bytes(),
            clock_rate: row.clock_rate,
            channels: row.channels,
            fmtp,
            is_mapped: false,
        })
    }
}

/// The formats of a section that may cross, in their order.
pub(super) fn allowed_formats(media: &MediaDescription<'_>) -> Vec<AllowedFormat> {
    let described = media.described();
    let mut known: SmallVec<[(Codec<'_>, &'static Encoding); 12]> = SmallVec::new();
    let mut kept: SmallVec<[u8; 12]> = SmallVec::new();
    for codec in described.iter().filter_map(Described::codec) {
        let encoding = Encoding::find(media.kind, codec.name);
        if let Some(encoding) = encoding.filter(|row| row.rates.contains(&codec.clock_rate)) {
            known.push((codec, encoding));
            kept.push(codec.payload_type);
        }
    }
    let mut allowed = Vec::with_capacity(known.len());
    allowed.extend(known.iter().filter_map(|(codec, encoding)| {
        let fmtp = encoding.fmtp.rewrite(codec.fmtp.unwrap_or_default(), &kept)?;
        Some(AllowedFormat {
            payload_type: codec.payload_type,
            encoding,
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            fmtp,
            is_mapped: codec.is_mapped,
        })
    }));
    allowed
}
