//! A binding's or dialout's attributes, checked once where they enter.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A header that an attribute `sip_header_X-Name` puts on the INVITE of leg B.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtraHeader {
    /// `X-` and a token.
    pub name: Box<str>,
    /// Without CR, LF and other control characters.
    pub value: Box<str>,
}

/// What the caller hears while the other side is dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ringback {
    /// Ringing: 180 is passed on.
    #[default]
    Ringing,
    /// Silence and no 180 (`"false"`).
    Silence,
    /// Hold music (`"moh"`).
    HoldMusic,
    /// What the other side sends (`"passthrough"`).
    Passthrough,
}

/// The attributes that Mediator acts on; what it does not know is kept by the store as it came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// The other side sees `redirect_did`, never the caller.
    pub hide_origination_did: bool,
    /// Only an anonymous caller is shown as `redirect_did`.
    pub fix_anonymous_cid: bool,
    /// Display name of From and P-Asserted-Identity.
    pub cnam: Option<Box<str>>,
    /// Headers for leg B's INVITE.
    pub headers: Vec<ExtraHeader>,
    /// URL or file played to the caller first.
    pub announce: Option<Box<str>>,
    /// What the caller hears while leg B is dialled.
    pub ringback: Ringback,
    /// Of a dialout: stage one is asked to press a key before it is connected; the prompt's URL, or `default`.
    pub confirmation: Option<Box<str>>,
    /// All attributes as they came, those included that nothing here acts on: a JSON object, for call records.
    pub json: Option<Box<str>>,
}

/// Why an attribute is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AttributeError {
    /// A boolean attribute that is neither true nor false.
    #[error("attributes.{0}: expected true or false")]
    NotBoolean(Box<str>),
    /// A header's name is not `X-` and a token (RFC 3261 §25.1).
    #[error("attributes.{0}: the header name must be \"X-\" and a token")]
    HeaderName(Box<str>),
    /// A value holds CR, LF or another control character.
    #[error("attributes.{0}: the value must not hold control characters")]
    ControlCharacter(Box<str>),
    /// A ringback that is none of false, moh, passthrough.
    #[error("attributes.ringback: expected \"false\", \"moh\" or \"passthrough\"")]
    Ringback,
    /// A name longer than [`Attributes::MAX_NAME_BYTES`], a value longer than [`Attributes::MAX_VALUE_BYTES`], or more
    /// headers than [`Attributes::MAX_HEADERS`].
    #[error("attributes.{0}: too long or too many")]
    TooLarge(Box<str>),
}

impl Attributes {
    /// The longest name, in bytes.
    pub const MAX_NAME_BYTES: usize = 256;
    /// The longest value, in bytes.
    pub const MAX_VALUE_BYTES: usize = 1024;
    /// The most `sip_header_` attributes.
    pub const MAX_HEADERS: usize = 32;

    /// Takes one attribute as the API and the config write it: a key and its value as text
    /// (`true` and `"true"` alike). Unknown keys are accepted and not kept here. On an error nothing is changed.
    ///
    /// ```
    /// use mediator_model::Attributes;
    ///
    /// let mut attributes = Attributes::default();
    /// attributes.set("hide_origination_did", "true")?;
    /// attributes.set("sip_header_X-Campaign", "spring")?;
    /// assert!(attributes.set("sip_header_X-Campaign", "a\r\nVia: b").is_err());
    /// assert_eq!(attributes.headers.len(), 1);
    /// # Ok::<(), mediator_model::AttributeError>(())
    /// ```
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), AttributeError> {
        if key.len() > Self::MAX_NAME_BYTES || value.len() > Self::MAX_VALUE_BYTES {
            return Err(AttributeError::TooLarge(clipped(key).into()));
        }
        match key {
            "hide_origination_did" => self.hide_origination_did = boolean(key, value)?,
            "fix_anonymous_cid" => self.fix_anonymous_cid = boolean(key, value)?,
            "cnam" => self.cnam = Some(printable(key, value)?),
            "announce" => self.announce = Some(printable(key, value)?),
            "ringback" => {
                self.ringback = match value {
                    "false" => Ringback::Silence,
                    "moh" => Ringback::HoldMusic,
                    "passthrough" => Ringback::Passthrough,
                    _ => return Err(AttributeError::Ringback),
                }
            }
            "use_call_confirmation" => {
                self.confirmation = match value {
                    "false" => None,
                    "true" | "" => Some("default".into()),
                    url => Some(printable(key, url)?),
                }
            }
            _ => {
                if let Some(name) = key.strip_prefix("sip_header_") {
                    self.set_header(key, name, value)?;
                }
            }
        }
        Ok(())
    }

    /// Whether nothing is set, so that a binding needs no box for it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn set_header(&mut self, key: &str, name: &str, value: &str) -> Result<(), AttributeError> {
        let token = name.strip_prefix("X-").or_else(|| name.strip_prefix("x-"));
        if !token.is_some_and(|token| !token.is_empty() && token.bytes().all(is_token_byte)) {
            return Err(AttributeError::HeaderName(key.into()));
        }
        let value = printable(key, value)?;
        if let Some(known) = self.headers.iter_mut().find(|h| h.name.eq_ignore_ascii_case(name)) {
            known.value = value;
        } else if self.headers.len() < Self::MAX_HEADERS {
            self.headers.push(ExtraHeader { name: name.into(), value });
        } else {
            return Err(AttributeError::TooLarge(key.into()));
        }
        Ok(())
    }
}

/// An error must not carry a peer's megabyte.
fn clipped(key: &str) -> &str {
    key.get(..key.floor_char_boundary(Attributes::MAX_NAME_BYTES)).unwrap_or_default()
}

fn boolean(key: &str, value: &str) -> Result<bool, AttributeError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(AttributeError::NotBoolean(key.into())),
    }
}

fn printable(key: &str, value: &str) -> Result<Box<str>, AttributeError> {
    if value.chars().any(char::is_control) {
        return Err(AttributeError::ControlCharacter(key.into()));
    }
    Ok(value.into())
}

/// RFC 3261 §25.1 `token`.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

#[cfg(test)]
mod tests;
