//! Responses made from requests: RFC 3261 §8.2.6, §18.2.1, RFC 3581.

use super::{Request, Writer};
use crate::header::{HeaderName, Scanner, Via, trim};
use core::net::SocketAddr;

/// A response started from a request: each Via (the topmost with `received` and `rport` filled in from
/// `source`), From, To, Call-ID, `CSeq`; Timestamp for a 100.
///
/// `to_tag` is added to To where To has none. What the request lacks, the response lacks.
pub fn response_to(
    request: &Request,
    source: SocketAddr,
    status: u16,
    reason: &str,
    to_tag: Option<&str>,
) -> Writer {
    let mut writer = Writer::response(status, reason);
    let mut lines = request.lines(HeaderName::Via);
    if let Some(top) = lines.next() {
        put_top_via(&mut writer, top, source);
    }
    for line in lines {
        writer.line(HeaderName::Via, line);
    }
    writer.copy(request, HeaderName::From);
    put_to(&mut writer, request, to_tag);
    writer.copy(request, HeaderName::CallId).copy(request, HeaderName::CSeq);
    if status == 100 {
        writer.copy(request, HeaderName::Timestamp);
    }
    writer
}

/// Writes the line with the topmost Via, which may hold more of them.
///
/// `received` is added where sent-by is a name or another address than the packet's (RFC 3261 §18.2.1),
/// and with `rport` always (RFC 3581 §4). What the client itself put into either is not believed.
fn put_top_via(writer: &mut Writer, line: &[u8], source: SocketAddr) {
    let mut scanner = Scanner::new(line);
    let via = Via::take(&mut scanner);
    scanner.skip_lws();
    let Some(via) = via.filter(|_| matches!(scanner.peek(), None | Some(b','))) else {
        writer.line(HeaderName::Via, line);
        return;
    };
    let source_ip = source.ip().to_canonical();
    let wants_rport = via.rport().is_some();
    let is_told = |param: &[u8]| {
        let name = param.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = trim(name);
        name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport")
    };
    let is_source = via.host.ip().map(|ip| ip.to_canonical()) == Some(source_ip);
    if is_source && !via.params.iter_raw().any(is_told) {
        writer.line(HeaderName::Via, line);
        return;
    }
    let head = via.raw().len().saturating_sub(via.params.raw().len());
    writer.put(b"Via: ");
    writer.put_unfolded(trim(via.raw().get(..head).unwrap_or_default()));
    for param in via.params.iter_raw().filter(|param| !is_told(param)) {
        writer.put(b";");
        writer.put_unfolded(param);
    }
    writer.put(b";received=");
    writer.text.ip(source_ip);
    if wants_rport {
        writer.put(b";rport=");
        writer.text.number(source.port());
    }
    writer.put_unfolded(scanner.rest());
    writer.put(b"\r\n");
}

fn put_to(writer: &mut Writer, request: &Request, to_tag: Option<&str>) {
    let lacks_tag = request.to_tag().is_ok_and(|tag| tag.is_none());
    match (request.first(HeaderName::To), to_tag) {
        (Some(to), Some(tag)) if lacks_tag => {
            writer.put(b"To: ");
            writer.put_unfolded(to);
            writer.put(b";tag=");
            writer.put_unfolded(tag.as_bytes());
            writer.put(b"\r\n");
        }
        _ => {
            writer.copy(request, HeaderName::To);
        }
    }
}

/// The standard phrase of a status code (RFC 3261 §21 and the registry); of one that has none, that of
/// its class (§8.1.3.2); empty beyond 100 to 699.
pub fn reason_phrase(status: u16) -> &'static str {
    let phrase = |code| {
        let found = PHRASES.binary_search_by_key(&code, |(known, _)| *known).ok();
        found.and_then(|index| PHRASES.get(index)).map(|(_, phrase)| *phrase)
    };
    phrase(status).or_else(|| phrase(status / 100 * 100)).unwrap_or_default()
}

/// Phrases by code, in order; those of a class under its first code.
const PHRASES: &[(u16, &str)] = &[
    (100, "Trying"),
    (180, "Ringing"),
    (181, "Call Is Being Forwarded"),
    (182, "Queued"),
    (183, "Session Progress"),
    (199, "Early Dialog Terminated"),
    (200, "OK"),
    (202, "Accepted"),
    (204, "No Notification"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Moved Temporarily"),
    (305, "Use Proxy"),
    (380, "Alternative Service"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (410, "Gone"),
    (412, "Conditional Request Failed"),
    (413, "Request Entity Too Large"),
    (414, "Request-URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Unsupported URI Scheme"),
    (417, "Unknown Resource-Priority"),
    (420, "Bad Extension"),
    (421, "Extension Required"),
    (422, "Session Interval Too Small"),
    (423, "Interval Too Brief"),
    (424, "Bad Location Information"),
    (428, "Use Identity Header"),
    (429, "Provide Referrer Identity"),
    (430, "Flow Failed"),
    (433, "Anonymity Disallowed"),
    (436, "Bad Identity Info"),
    (437, "Unsupported Credential"),
    (438, "Invalid Identity Header"),
    (439, "First Hop Lacks Outbound Support"),
    (440, "Max-Breadth Exceeded"),
    (469, "Bad Info Package"),
    (470, "Consent Needed"),
    (480, "Temporarily Unavailable"),
    (481, "Call/Transaction Does Not Exist"),
    (482, "Loop Detected"),
    (483, "Too Many Hops"),
    (484, "Address Incomplete"),
    (485, "Ambiguous"),
    (486, "Busy Here"),
    (487, "Request Terminated"),
    (488, "Not Acceptable Here"),
    (489, "Bad Event"),
    (491, "Request Pending"),
    (493, "Undecipherable"),
    (494, "Security Agreement Required"),
    (500, "Server Internal Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Server Time-out"),
    (505, "Version Not Supported"),
    (513, "Message Too Large"),
    (555, "Push Notification Service Not Supported"),
    (580, "Precondition Failure"),
    (600, "Busy Everywhere"),
    (603, "Decline"),
    (604, "Does Not Exist Anywhere"),
    (606, "Not Acceptable"),
    (607, "Unwanted"),
    (608, "Rejected"),
];
