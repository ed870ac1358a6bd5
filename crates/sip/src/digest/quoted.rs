//! Quoted strings: RFC 3261 §25.1 `quoted-string`; extended values: RFC 8187 §3.2.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// What stands between the quotes, with escapes resolved and each folded line end made one space.
pub(super) fn unquote(inside: &[u8]) -> Cow<'_, [u8]> {
    if !inside.iter().any(|byte| matches!(byte, b'\\' | b'\r' | b'\n')) {
        return Cow::Borrowed(inside);
    }
    let mut text = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\\' => {
                if let Some((escaped, tail)) = rest.split_first() {
                    text.push(if matches!(escaped, b'\r' | b'\n') { b' ' } else { *escaped });
                    rest = tail;
                }
            }
            b'\r' | b'\n' => {
                text.push(b' ');
                rest = rest.trim_ascii_start();
            }
            _ => text.push(*byte),
        }
    }
    Cow::Owned(text)
}

/// Appends `name="text"`, preceded by `, ` or by the scheme's space; CR and LF become spaces.
pub(super) fn push_quoted(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    push_name(out, name);
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\r' | b'\n' => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// Appends `name=token`, preceded by `, ` or by the scheme's space.
pub(super) fn push_token(out: &mut Vec<u8>, name: &str, token: &str) {
    push_name(out, name);
    out.extend_from_slice(token.as_bytes());
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(if out.contains(&b'=') { b", " } else { b" " });
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
}

/// Reads `UTF-8''percent-encoded` (RFC 8187); `None` for another charset or a bad escape.
pub(super) fn decode_extended(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let charset = parts.next()?;
    let _language = parts.next()?;
    let mut rest = parts.next()?;
    if !charset.eq_ignore_ascii_case(b"UTF-8") {
        return None;
    }
    let mut text = Vec::with_capacity(rest.len());
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%' {
            let (pair, tail) = rest.split_at_checked(2)?;
            let pair = core::str::from_utf8(pair).ok()?;
            text.push(u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))?);
            rest = tail;
        } else {
            text.push(*byte);
        }
    }
    Some(text)
}
