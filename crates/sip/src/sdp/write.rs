//! Writes what the allow-list kept: RFC 8866 §9, one canonical way.

use core::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use super::crypto::FLAGS;
use super::fax::FaxValue;
use super::{
    Allowed, AllowedFormat, AllowedMedia, Crypto, FaxParameter, Feedback, Formats, MediaKind,
    SdpError, SessionDescription, Transporting,
};
use crate::Text;

/// What `o=` of the new description says: the session is ours towards each side (RFC 3264 §5, §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crossing {
    /// The same for the life of a dialog.
    pub session_id: u64,
    /// One more for each description that differs from the last: see [`content_hash`].
    pub session_version: u64,
    /// Our own address towards that side.
    pub our_address: IpAddr,
}

/// Writes a description anew so that it may cross a masked call whose media goes directly between the
/// two sides: ports and addresses stay, everything else goes through the allow-list of [`Allowed`].
///
/// ```
/// use mediator_sip::sdp::{Crossing, SdpError, rewrite_direct};
/// let theirs = b"v=0\no=bob 1 1 IN IP4 pc.example\ns=Bob's phone\nc=IN IP4 192.0.2.1\nt=0 0\n\
///     m=audio 4000 RTP/AVP 0 97\na=rtpmap:97 secret-codec/8000\na=label:bob\n";
/// let ours = Crossing { session_id: 7, session_version: 1, our_address: "198.51.100.1".parse().unwrap() };
/// assert_eq!(
///     rewrite_direct(theirs, &ours)?,
///     "v=0\r\no=- 7 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
///      m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n",
/// );
/// # Ok::<(), SdpError>(())
/// ```
pub fn rewrite_direct(sdp: &[u8], crossing: &Crossing) -> Result<Bytes, SdpError> {
    let description = SessionDescription::parse(sdp)?;
    Ok(Allowed::from_description(&description)?.write(crossing))
}

/// Whether two descriptions say the same but for `o=`: then the version of a third made from them need
/// not grow (RFC 3264 §8). Line ends do not count.
pub fn same_content(one: &[u8], other: &[u8]) -> bool {
    content_lines(one).eq(content_lines(other))
}

/// A number that is equal for descriptions with [`same_content`], so that a dialog can remember in eight
/// bytes what it sent last. Not seeded; two that differ share it only by a chance of 1 in 2^64, or by
/// design of who wrote them, whose only gain is a version that does not grow.
pub fn content_hash(sdp: &[u8]) -> u64 {
    // Words of eight bytes, multiplied in; a line's length ends it.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut take = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    };
    for line in content_lines(sdp) {
        let words = line
            .chunks(8)
            .map(|chunk| chunk.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
        words.for_each(&mut take);
        take(line.len() as u64);
    }
    hash
}

fn content_lines(sdp: &[u8]) -> impl Iterator<Item = &[u8]> {
    sdp.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"o="))
}

impl Allowed<'_> {
    /// Writes the description with our origin.
    pub fn write(&self, crossing: &Crossing) -> Bytes {
        let mut out = Text::with_capacity(160 + self.media.len() * 320);
        // The session's c= is that of the first section in use, so that one phone's one line stays one.
        let shared = self.media.iter().find(|media| media.port != 0).map(|media| media.address);
        let shared = shared.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        out.put("v=0\r\no=- ").number(crossing.session_id);
        out.put(" ").number(crossing.session_version);
        out.put(" ");
        put_address(&mut out, crossing.our_address);
        out.put("\r\ns=-\r\nc=");
        put_address(&mut out, shared);
        out.end();
        put_bandwidth(&mut out, self.bandwidth_kbit);
        out.put("t=0 0\r\n");
        for media in &self.media {
            media.put(&mut out, shared);
        }
        out.into_bytes()
    }
}

impl AllowedMedia<'_> {
    fn put(&self, out: &mut Text, shared: IpAddr) {
        out.put("m=").put(self.kind.as_str()).put(" ").number(self.port);
        out.put(" ").put(self.protocol.as_str());
        match &self.formats {
            Formats::Rtp(formats) => {
                for format in formats {
                    out.put(" ").number(format.payload_type);
                }
            }
            Formats::Fax(_) | Formats::Refused { payload_type: None } => {
                let is_fax = self.protocol.transporting() == Transporting::Udptl;
                out.put(if is_fax { " t38" } else { " *" });
            }
            Formats::Refused { payload_type: Some(number) } => {
                out.put(" ").number(*number);
            }
        }
        out.end();
        if self.port == 0 {
            return;
        }
        if self.address != shared {
            out.put("c=");
            put_address(out, self.address);
            out.end();
        }
        put_bandwidth(out, self.bandwidth_kbit);
        match &self.formats {
            Formats::Rtp(formats) => formats.iter().for_each(|format| format.put(out, self.kind)),
            Formats::Fax(parameters) => parameters.iter().for_each(|one| one.put(out)),
            Formats::Refused { .. } => {}
        }
        self.put_attributes(out);
        out.put("a=").put(self.direction.as_str()).end();
    }

    fn put_attributes(&self, out: &mut Text) {
        self.feedback.iter().for_each(|one| one.put(out));
        if let Some(millis) = self.ptime_ms {
            out.put("a=ptime:").number(millis).end();
        }
        if let Some(millis) = self.maxptime_ms {
            out.put("a=maxptime:").number(millis).end();
        }
        self.crypto.iter().for_each(|one| one.put(out));
        if let Some(fingerprint) = self.fingerprint {
            out.put("a=fingerprint:").put(fingerprint.hash);
            out.put(" ").put(fingerprint.digest).end();
        }
        if let Some(setup) = self.setup {
            out.put("a=setup:").put(setup.as_str()).end();
        }
        if let Some(rtcp) = self.rtcp {
            out.put("a=rtcp:").number(rtcp.port);
            if let Some(address) = rtcp.address {
                out.put(" ");
                put_address(out, address);
            }
            out.end();
        }
        if self.rtcp_mux {
            out.put("a=rtcp-mux\r\n");
        }
        if self.rtcp_rsize {
            out.put("a=rtcp-rsize\r\n");
        }
    }
}

impl AllowedFormat {
    fn put(&self, out: &mut Text, kind: MediaKind) {
        if self.is_mapped {
            out.put("a=rtpmap:").number(self.payload_type).put(" ").put(self.encoding.name());
            out.put("/").number(self.clock_rate);
            if self.channels > 1 && kind == MediaKind::Audio {
                out.put("/").number(self.channels);
            }
            out.end();
        }
        if !self.fmtp.is_empty() {
            out.put("a=fmtp:").number(self.payload_type).put(" ").put(&self.fmtp).end();
        }
    }
}

impl FaxParameter {
    fn put(&self, out: &mut Text) {
        out.put("a=").put(self.name);
        match self.value {
            FaxValue::Present => out,
            FaxValue::Number(number) => out.put(":").number(number),
            FaxValue::Word(word) => out.put(":").put(word),
        }
        .end();
    }
}

impl Feedback {
    fn put(&self, out: &mut Text) {
        out.put("a=rtcp-fb:");
        match self.payload_type {
            Some(number) => out.number(number),
            None => out.put("*"),
        };
        out.put(" ").put(self.kind);
        if let Some(millis) = self.interval_ms {
            out.put(" ").number(millis);
        }
        out.end();
    }
}

impl Crypto<'_> {
    fn put(&self, out: &mut Text) {
        out.put("a=crypto:").number(self.tag).put(" ").put(self.suite_name);
        out.put(" inline:").put(self.key);
        if let Some(power) = self.lifetime {
            out.put("|2^").number(power);
        }
        if let Some((identifier, length)) = self.mki {
            out.put("|").number(identifier).put(":").number(length);
        }
        if let Some(power) = self.derivation_rate {
            out.put(" KDR=").number(power);
        }
        for (index, flag) in FLAGS.iter().enumerate() {
            if self.flags & (1 << index) != 0 {
                out.put(" ").put(flag);
            }
        }
        if let Some(size) = self.window {
            out.put(" WSH=").number(size);
        }
        out.end();
    }
}

/// `IN IP4 <address>` or `IN IP6 <address>`.
fn put_address(out: &mut Text, address: IpAddr) {
    out.put(if address.is_ipv4() { "IN IP4 " } else { "IN IP6 " }).ip(address);
}

fn put_bandwidth(out: &mut Text, kbit: Option<u32>) {
    if let Some(kbit) = kbit {
        out.put("b=AS:").number(kbit).end();
    }
}
