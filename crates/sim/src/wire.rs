//! An independent reader of SIP messages: a plain line splitter, so that mistakes of our parser and writer show.
//!
//! It is strict where we write: CRLF, one `Name: value` a line, a Content-Length that is right.

use std::fmt;

/// A message as a peer sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Wire {
    /// The start line.
    pub start: String,
    /// Names as written, and values.
    pub headers: Vec<(String, String)>,
    /// What follows the empty line.
    pub body: String,
}

impl Wire {
    /// Reads a message; the error says what a peer would stumble over.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("has no empty line")?;
        let mut lines = head.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        if !(start.starts_with("SIP/2.0 ") || start.ends_with(" SIP/2.0")) {
            return Err(format!("starts with {start:?}"));
        }
        let mut headers = Vec::new();
        for line in lines {
            if line.contains(['\r', '\n']) {
                return Err(format!("has a bare CR or LF in {line:?}"));
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| format!("has the line {line:?}"))?;
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(format!("has the header name {name:?}"));
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let wire = Self { start, headers, body: body.to_owned() };
        wire.check()?;
        Ok(wire)
    }

    fn check(&self) -> Result<(), String> {
        for name in ["From", "To", "Call-ID", "CSeq", "Content-Length"] {
            if self.all(name).count() != 1 {
                return Err(format!("has not one {name}"));
            }
        }
        let single = ["Max-Forwards", "Contact", "Content-Type", "Session-Expires", "RSeq", "RAck"];
        // A registrar lists every contact.
        let listed = |name: &&str| *name == "Contact" && self.method() == "REGISTER";
        let twice = |name: &&str| !listed(name) && self.all(name).count() > 1;
        if let Some(twice) = single.into_iter().find(twice) {
            return Err(format!("has {twice} twice"));
        }
        if self.header("Content-Length").and_then(|v| v.parse().ok()) != Some(self.body.len()) {
            return Err("has a wrong Content-Length".to_owned());
        }
        if self.body.is_empty() != self.header("Content-Type").is_none() {
            return Err("has a body without a type, or a type without a body".to_owned());
        }
        if self.is_request() && self.header("Max-Forwards").is_none() {
            return Err("has no Max-Forwards".to_owned());
        }
        if self.all("Via").next().is_none() {
            return Err("has no Via".to_owned());
        }
        Ok(())
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        !self.start.starts_with("SIP/2.0 ")
    }

    /// The method of the request, or the one in CSeq.
    pub fn method(&self) -> &str {
        if self.is_request() {
            self.start.split(' ').next().unwrap_or_default()
        } else {
            self.header("CSeq").and_then(|v| v.split(' ').nth(1)).unwrap_or_default()
        }
    }

    /// The Request-URI.
    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The response's code; 0 for a request.
    pub fn status(&self) -> u16 {
        if self.is_request() {
            return 0;
        }
        self.start.get(8..11).and_then(|code| code.parse().ok()).unwrap_or_default()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a header, a line each.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The number of CSeq.
    pub fn cseq(&self) -> u32 {
        self.header("CSeq").and_then(|v| v.split(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// Call-ID.
    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// The branch of the topmost Via.
    pub fn branch(&self) -> &str {
        self.header("Via").and_then(|via| parameter(via, "branch")).unwrap_or_default()
    }

    /// From's tag.
    pub fn from_tag(&self) -> Option<&str> {
        self.header("From").and_then(tag)
    }

    /// To's tag.
    pub fn to_tag(&self) -> Option<&str> {
        self.header("To").and_then(tag)
    }

    /// The URI in Contact.
    pub fn contact(&self) -> Option<&str> {
        let value = self.header("Contact")?;
        value.split_once('<')?.1.split_once('>').map(|(uri, _)| uri)
    }

    /// Whether an option tag is in Supported, Require or the like.
    pub fn has_option(&self, header: &str, option: &str) -> bool {
        self.all(header).flat_map(|v| v.split(',')).any(|tag| tag.trim() == option)
    }

    /// Whether the body is SDP.
    pub fn has_sdp(&self) -> bool {
        self.header("Content-Type") == Some("application/sdp")
    }

    /// The value of the first SDP line of that letter.
    pub fn sdp_line(&self, letter: char) -> Option<&str> {
        let start = format!("{letter}=");
        self.body.lines().find_map(|line| line.strip_prefix(&start))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.start)?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {value}")?;
        }
        for line in self.body.lines() {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

fn tag(value: &str) -> Option<&str> {
    // Behind the angle brackets: a tag inside them is the URI's.
    parameter(value.rsplit_once('>').map_or(value, |(_, after)| after), "tag")
}

/// The value of a `;name=value` parameter.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|parameter| {
        let (known, value) = parameter.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
