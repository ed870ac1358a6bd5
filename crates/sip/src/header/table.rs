//! The header fields that have a name here, one row each: RFC 3261 §20 and the registry of RFC 3968.
//!
//! A new header is one row. Names compare without case (RFC 3261 §7.3.1); the compact form of §7.3.3
//! names the same header. Everything else is [`HeaderName::Other`] and is found by its text.

use core::fmt;

macro_rules! compact {
    () => {
        None
    };
    ($letter:literal) => {
        Some($letter)
    };
}

macro_rules! header_table {
    ($( $variant:ident $name:literal $(, $compact:literal)? ; )*) => {
        /// A header field's name, whatever its case or form on the wire.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderName {
            $( #[doc = concat!("`", $name, "`")] $variant, )*
            /// A name that has no row; its text is kept in the message.
            Other,
        }

        /// One row: the name, its canonical text, its compact text.
        const ROWS: &[(HeaderName, &str, Option<u8>)] = &[
            $( (HeaderName::$variant, $name, compact!($($compact)?) ), )*
        ];

        impl HeaderName {
            /// The canonical text (`Call-ID`); empty for [`HeaderName::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )*
                    Self::Other => "",
                }
            }

            /// The start of a header line: the canonical text, colon and space.
            pub(crate) const fn line_start(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!($name, ": "), )*
                    Self::Other => "",
                }
            }

            /// The phrase of a fault: the header must be there and is not.
            pub const fn missing(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!("Missing ", $name), )*
                    Self::Other => "Missing header",
                }
            }

            /// The phrase of a fault: the header is there more often than it may be.
            pub const fn repeated(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!("Duplicate ", $name), )*
                    Self::Other => "Duplicate header",
                }
            }

            /// The phrase of a fault: the header's value cannot be read.
            pub const fn malformed(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!("Malformed ", $name), )*
                    Self::Other => "Malformed header",
                }
            }

            /// The phrase of a fault: a number in the header's value is beyond its limit.
            pub const fn out_of_range(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!($name, " out of range"), )*
                    Self::Other => "Header out of range",
                }
            }
        }
    };
}

header_table! {
    Accept "Accept";
    AcceptContact "Accept-Contact", b'a';
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    AlertInfo "Alert-Info";
    Allow "Allow";
    AllowEvents "Allow-Events", b'u';
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID", b'i';
    CallInfo "Call-Info";
    Contact "Contact", b'm';
    ContentDisposition "Content-Disposition";
    ContentEncoding "Content-Encoding", b'e';
    ContentLanguage "Content-Language";
    ContentLength "Content-Length", b'l';
    ContentType "Content-Type", b'c';
    CSeq "CSeq";
    Date "Date";
    Diversion "Diversion";
    ErrorInfo "Error-Info";
    Event "Event", b'o';
    Expires "Expires";
    From "From", b'f';
    Geolocation "Geolocation";
    HistoryInfo "History-Info";
    Identity "Identity", b'y';
    IdentityInfo "Identity-Info", b'n';
    InReplyTo "In-Reply-To";
    Join "Join";
    MaxForwards "Max-Forwards";
    MimeVersion "MIME-Version";
    MinExpires "Min-Expires";
    MinSe "Min-SE";
    Organization "Organization";
    PAccessNetworkInfo "P-Access-Network-Info";
    PAssertedIdentity "P-Asserted-Identity";
    PAssertedService "P-Asserted-Service";
    PCalledPartyId "P-Called-Party-ID";
    PChargingVector "P-Charging-Vector";
    PPreferredIdentity "P-Preferred-Identity";
    Path "Path";
    Priority "Priority";
    Privacy "Privacy";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferTo "Refer-To", b'r';
    ReferredBy "Referred-By", b'b';
    RejectContact "Reject-Contact", b'j';
    RemotePartyId "Remote-Party-ID";
    Replaces "Replaces";
    ReplyTo "Reply-To";
    RequestDisposition "Request-Disposition", b'd';
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    RSeq "RSeq";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires", b'x';
    SipEtag "SIP-ETag";
    SipIfMatch "SIP-If-Match";
    Subject "Subject", b's';
    SubscriptionState "Subscription-State";
    Supported "Supported", b'k';
    Timestamp "Timestamp";
    To "To", b't';
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    UserToUser "User-to-User";
    Via "Via", b'v';
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

impl HeaderName {
    /// The name that `text` spells, in any case, full or compact.
    pub fn recognise(text: &[u8]) -> Self {
        if let [letter] = text {
            let index = usize::from(letter.to_ascii_lowercase().wrapping_sub(b'a'));
            return COMPACT.get(index).copied().unwrap_or(Self::Other);
        }
        let mut slot = home_slot(text);
        // Most slots are free, so that the search ends.
        while let Some((name, full, _)) =
            SLOTS.get(slot).and_then(|row| ROWS.get(usize::from(*row)))
        {
            // Nearly every peer writes the canonical text.
            if full.as_bytes() == text || full.as_bytes().eq_ignore_ascii_case(text) {
                return *name;
            }
            slot = (slot + 1) % SLOTS.len();
        }
        Self::Other
    }
}

/// The names of the compact forms `a` to `z`.
static COMPACT: [HeaderName; 26] = compact_names();

/// Rows by the hash of their name, as indexes into [`ROWS`]; [`FREE`] where there is none.
static SLOTS: [u8; 256] = row_slots();

const FREE: u8 = u8::MAX;

/// Where a name is looked for first: told by its length and three of its letters, in any case. The factors
/// keep the names of the table apart; any would do.
const fn home_slot(text: &[u8]) -> usize {
    let (Some(first), Some(last)) = (text.first(), text.last()) else {
        return 0;
    };
    let middle = match text.split_at_checked(text.len() / 2) {
        Some((_, [middle, ..])) => *middle,
        _ => 0,
    };
    let (first, middle, last) = (lower(*first), lower(middle), lower(*last));
    (text.len() * 45 + first * 62 + middle * 114 + last * 43) % 256
}

/// Letters in lower case; what else there is in names stays apart well enough.
const fn lower(byte: u8) -> usize {
    byte as usize | 0x20
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time")]
const fn row_slots() -> [u8; 256] {
    let mut slots = [FREE; 256];
    let mut row = 0;
    while row < ROWS.len() {
        let mut slot = home_slot(ROWS[row].1.as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = row as u8;
        row += 1;
    }
    slots
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time")]
const fn compact_names() -> [HeaderName; 26] {
    let mut names = [HeaderName::Other; 26];
    let mut row = 0;
    while row < ROWS.len() {
        if let (name, _, Some(letter)) = ROWS[row] {
            names[(letter - b'a') as usize] = name;
        }
        row += 1;
    }
    names
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A header's name as one message spells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderNameRef<'a> {
    /// Which header it is.
    pub name: HeaderName,
    /// The text on the wire: `i`, `CALL-ID`, `X-Custom`.
    pub text: &'a str,
}

#[cfg(test)]
pub(super) fn every_name() -> impl Iterator<Item = (HeaderName, &'static str, Option<u8>)> {
    ROWS.iter().copied()
}
