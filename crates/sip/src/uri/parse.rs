//! The reader of URIs: RFC 3261 §25.1 `SIP-URI`, RFC 3966 §3.
//!
//! Strict: what a URI may not hold must be escaped, and an escape is two hex digits.

use super::{Host, Scheme, Uri, UriError};
use crate::header::{Class, Params, Scanner, find};

/// The most parameters that a URI may have, and the most headers behind its `?`: comparing two URIs
/// compares each with each.
pub const MAX_URI_PARTS: usize = 64;

impl<'a> Uri<'a> {
    /// Reads a whole URI.
    pub fn parse(text: &'a [u8]) -> Result<Self, UriError> {
        Self::read(text).map_err(|error| {
            // Which part holds it matters less than that nothing may hold it.
            if Class::URI.holds(text) { error } else { UriError::Character }
        })
    }

    fn read(text: &'a [u8]) -> Result<Self, UriError> {
        let colon = find(b':', text).ok_or(UriError::Scheme)?;
        let (name, rest) = text.split_at_checked(colon).ok_or(UriError::Scheme)?;
        let rest = rest.get(1..).unwrap_or_default();
        let scheme = match name.len() {
            3 if name.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
            4 if name.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            3 if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            _ => Scheme::Other,
        };
        let blank = Uri {
            scheme,
            user: None,
            password: None,
            host: Host::Name(""),
            port: None,
            params: Params::default(),
            headers: None,
            raw: text,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => blank.with_sip_part(rest),
            Scheme::Tel => blank.with_tel_part(rest),
            Scheme::Other if !is_scheme(name) => Err(UriError::Scheme),
            Scheme::Other if rest.is_empty() || !Class::URIC.holds_escaped(rest) => {
                Err(UriError::Character)
            }
            Scheme::Other => Ok(blank),
        }
    }

    /// Fills in what follows `sip:`.
    fn with_sip_part(mut self, text: &'a [u8]) -> Result<Self, UriError> {
        let mut scanner = Scanner::new(text);
        // Everywhere else an @ is escaped, so the first one ends the user part.
        let run = Class::USER.run(text);
        match text.get(run) {
            // Gateways write an anonymous caller as `sip:@host`: nobody's name is no name.
            Some(b'@') => {
                self.user = Some(scanner.take(run)).filter(|user| !user.is_empty());
                scanner.eat(b'@');
            }
            Some(_) => {
                if let Some(at) = find(b'@', text) {
                    (self.user, self.password) = user_info(scanner.take(at))?;
                    scanner.eat(b'@');
                }
            }
            None => {}
        }
        self.host = Host::take(&mut scanner).ok_or(UriError::Host)?;
        if scanner.eat(b':') {
            let port = scanner.number().ok_or(UriError::Port)?;
            self.port = Some(u16::try_from(port).map_err(|_| UriError::Port)?);
        }
        self.with_tail(scanner)
    }

    /// Fills in what follows `tel:`.
    fn with_tel_part(mut self, text: &'a [u8]) -> Result<Self, UriError> {
        let mut scanner = Scanner::new(text);
        let global = scanner.eat(b'+');
        let digits = scanner.run(Class::PHONE);
        // Only a local number may have letters, * and # (RFC 3966 §3).
        let valid = if global {
            digits.iter().any(u8::is_ascii_digit)
                && !digits.iter().any(|byte| byte.is_ascii_alphabetic() || b"*#".contains(byte))
        } else {
            digits.iter().any(|byte| byte.is_ascii_hexdigit() || b"*#".contains(byte))
        };
        if !valid {
            return Err(UriError::Number);
        }
        self.user = text.get(..usize::from(global) + digits.len());
        self.with_tail(scanner)
    }

    /// Fills in parameters and headers.
    fn with_tail(mut self, mut scanner: Scanner<'a>) -> Result<Self, UriError> {
        let tail = scanner.rest();
        if tail.is_empty() {
            return Ok(self);
        }
        let end = tail.iter().position(|&byte| byte == b'?').unwrap_or(tail.len());
        let params = scanner.take(end);
        match params.split_first() {
            None => {}
            Some((b';', list)) if all_of(list, b';', is_param) => {
                self.params = Params::checked(params);
            }
            Some((b';', _)) => return Err(UriError::Params),
            Some(_) => return Err(UriError::Host),
        }
        if scanner.eat(b'?') {
            let headers = scanner.rest();
            if self.scheme == Scheme::Tel || !all_of(headers, b'&', is_header) {
                return Err(UriError::Headers);
            }
            self.headers = Some(headers);
        }
        Ok(self)
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`
fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic) && Class::SCHEME.holds(text)
}

type UserInfo<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Splits `user [ ":" password ]`.
fn user_info(text: &[u8]) -> Result<UserInfo<'_>, UriError> {
    let colon = text.iter().position(|&byte| byte == b':');
    let (user, password) =
        text.split_at_checked(colon.unwrap_or(text.len())).unwrap_or((text, &[]));
    let password = colon.and(password.get(1..));
    let user_is_valid = !user.is_empty() && Class::USER.holds_escaped(user);
    if !user_is_valid || !password.is_none_or(|text| Class::PASSWORD.holds_escaped(text)) {
        return Err(UriError::User);
    }
    Ok((Some(user), password))
}

/// Whether there are no more than [`MAX_URI_PARTS`] parts between the separators, each as it should be.
fn all_of(text: &[u8], separator: u8, is_valid: fn(&[u8]) -> bool) -> bool {
    let mut parts = text.split(|&byte| byte == separator);
    parts.by_ref().take(MAX_URI_PARTS).all(is_valid) && parts.next().is_none()
}

/// `pname [ "=" pvalue ]`
fn is_param(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&byte| byte == b'=');
    parts.all(|part| !part.is_empty() && Class::PARAM.holds_escaped(part))
}

/// `hname "=" hvalue`
fn is_header(text: &[u8]) -> bool {
    let Some(equals) = text.iter().position(|&byte| byte == b'=') else {
        return false;
    };
    let (name, value) = text.split_at_checked(equals).unwrap_or((text, &[]));
    !name.is_empty()
        && Class::HEADER.holds_escaped(name)
        && Class::HEADER.holds_escaped(value.get(1..).unwrap_or_default())
}
