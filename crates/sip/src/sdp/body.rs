//! Finds the session description in a body: alone, or as a part of a multipart (RFC 2046 §5.1, RFC 5621).

/// How deep multiparts may stand in multiparts.
const MAX_NESTING: usize = 3;
/// The most parts of one multipart that are looked at.
const MAX_PARTS: usize = 16;
/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The `application/sdp` of a body, or `None`.
///
/// `content_type` is the value of Content-Type as received. Without one, a body that begins as a session
/// description is taken for one: to read it is kinder than to ring the other side without an offer. Of a
/// multipart the first part counts that is `application/sdp`, is not encoded, and is there for the
/// session (no Content-Disposition, or `session`): `early-session` and the like are something else.
///
/// ```
/// use mediator_sip::sdp::sdp_body;
/// assert_eq!(sdp_body(Some(b"application/sdp"), b"v=0\r\n"), Some(&b"v=0\r\n"[..]));
/// assert_eq!(sdp_body(Some(b"text/plain"), b"v=0\r\n"), None);
/// ```
pub fn sdp_body<'a>(content_type: Option<&[u8]>, body: &'a [u8]) -> Option<&'a [u8]> {
    match content_type {
        Some(value) => find(value, body, MAX_NESTING),
        None => body.starts_with(b"v=0").then_some(body),
    }
}

fn find<'a>(content_type: &[u8], body: &'a [u8], depth: usize) -> Option<&'a [u8]> {
    let (kind, params) = media_type(content_type)?;
    if kind.is("application", "sdp") {
        return (!body.trim_ascii().is_empty()).then_some(body);
    }
    if !kind.name.eq_ignore_ascii_case(b"multipart") || depth == 0 {
        return None;
    }
    let boundary = boundary(params)?;
    let mut parts = Parts { rest: body, boundary }.take(MAX_PARTS).filter_map(|part| {
        let part = Part::read(part);
        part.is_for_session().then(|| find(part.content_type?, part.body, depth - 1)).flatten()
    });
    // The last of an alternative is the sender's favourite (RFC 2046 §5.1.4).
    if kind.subtype.eq_ignore_ascii_case(b"alternative") { parts.last() } else { parts.next() }
}

struct Kind<'a> {
    name: &'a [u8],
    subtype: &'a [u8],
}

impl Kind<'_> {
    fn is(&self, name: &str, subtype: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }
}

/// `type/subtype` and the parameters behind it; white space may stand anywhere between.
fn media_type(value: &[u8]) -> Option<(Kind<'_>, &[u8])> {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (both, params) = value.split_at_checked(end)?;
    let slash = both.iter().position(|byte| *byte == b'/')?;
    let (name, subtype) = both.split_at_checked(slash)?;
    let subtype = subtype.get(1..)?;
    Some((Kind { name: name.trim_ascii(), subtype: subtype.trim_ascii() }, params))
}

/// The value of `;boundary=`, with or without quotes. A boundary has no character that needs an escape.
fn boundary(params: &[u8]) -> Option<&[u8]> {
    let mut rest = params;
    loop {
        rest = rest.trim_ascii_start().strip_prefix(b";")?.trim_ascii_start();
        let equals = rest.iter().position(|byte| matches!(byte, b'=' | b';'))?;
        let (name, value) = rest.split_at_checked(equals)?;
        let Some(value) = value.strip_prefix(b"=") else {
            rest = value;
            continue;
        };
        let value = value.trim_ascii_start();
        let (text, behind) = if let Some(inside) = value.strip_prefix(b"\"") {
            let end = inside.iter().position(|byte| *byte == b'"')?;
            (inside.get(..end)?, inside.get(end + 1..)?)
        } else {
            let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
            let (text, behind) = value.split_at_checked(end)?;
            (text.trim_ascii_end(), behind)
        };
        if name.trim_ascii().eq_ignore_ascii_case(b"boundary") {
            return (1..=MAX_BOUNDARY_BYTES).contains(&text.len()).then_some(text);
        }
        rest = behind;
    }
}

/// The parts of a multipart: what stands between two delimiter lines. A last part that is not closed
/// counts, since its sender meant it and Content-Length has bounded it.
struct Parts<'a, 'b> {
    rest: &'a [u8],
    boundary: &'b [u8],
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let opening = find_delimiter(self.rest, self.boundary)?;
        if opening.closes {
            self.rest = &[];
            return None;
        }
        let text = self.rest.get(opening.end..)?;
        let Some(closing) = find_delimiter(text, self.boundary) else {
            self.rest = &[];
            return Some(text);
        };
        self.rest = text.get(closing.start..)?;
        let part = text.get(..closing.start)?;
        // The line end before a delimiter belongs to the delimiter.
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    }
}

struct Delimiter {
    start: usize,
    end: usize,
    closes: bool,
}

/// The first line that is `--boundary`, or `--boundary--`, and white space.
fn find_delimiter(text: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let line = rest.get(..length)?;
        let tail = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if let Some(tail) = tail {
            let (tail, closes) = match tail.strip_prefix(b"--") {
                Some(tail) => (tail, true),
                None => (tail, false),
            };
            if tail.trim_ascii().is_empty() {
                return Some(Delimiter { start, end: start + length, closes });
            }
        }
        start += length;
    }
    None
}

/// A part's headers that matter, and its body.
struct Part<'a> {
    content_type: Option<&'a [u8]>,
    disposition: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(part: &'a [u8]) -> Self {
        let mut read = Self { content_type: None, disposition: None, encoding: None, body: &[] };
        let mut rest = part;
        while let Some(length) = header_length(rest) {
            let (line, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = behind;
            let line = line.trim_ascii();
            if line.is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
            let value = Some(value.get(1..).unwrap_or_default().trim_ascii());
            match name.trim_ascii() {
                n if n.eq_ignore_ascii_case(b"Content-Type") => read.content_type = value,
                n if n.eq_ignore_ascii_case(b"c") => read.content_type = value,
                n if n.eq_ignore_ascii_case(b"Content-Disposition") => read.disposition = value,
                n if n.eq_ignore_ascii_case(b"Content-Transfer-Encoding") => read.encoding = value,
                _ => {}
            }
        }
        read.body = rest;
        read
    }

    fn is_for_session(&self) -> bool {
        let is_session = self.disposition.is_none_or(|value| {
            let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
            value.get(..end).is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"session"))
        });
        let is_plain = self.encoding.is_none_or(|value| {
            [&b"binary"[..], b"8bit", b"7bit"].iter().any(|plain| value.eq_ignore_ascii_case(plain))
        });
        is_session && is_plain
    }
}

/// The length of the first header of `text` with the lines that continue it, or of the empty line that
/// ends the headers; `None` at the end of the text.
fn header_length(text: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        let rest = text.get(length..).filter(|rest| !rest.is_empty())?;
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let is_blank = rest.get(..line).is_none_or(|line| line.trim_ascii().is_empty());
        length += line;
        let continues = text.get(length).is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if is_blank || !continues {
            return Some(length);
        }
    }
}
