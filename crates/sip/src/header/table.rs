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
            let lower = letter.to_ascii_lowercase();
            return ROWS
                .iter()
                .find(|(_, _, compact)| *compact == Some(lower))
                .map_or(Self::Other, |(name, _, _)| *name);
        }
        ROWS.iter()
            .find(|(_, full, _)| full.as_bytes().eq_ignore_ascii_case(text))
            .map_or(Self::Other, |(name, _, _)| *name)
    }
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
