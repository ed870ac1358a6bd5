//! The messages of [`crate::delay`]'s two ends, written and read as text.

use std::fmt::Write as _;
use std::net::UdpSocket;

use anyhow::Result;

use crate::delay::Ends;
use crate::table;

/// A received message, read line by line: this end meets only what the servers write.
pub struct Message<'a>(pub &'a str);

impl<'a> Message<'a> {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// The values of all headers of that name.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.split("\r\n").skip(1).take_while(|line| !line.is_empty()).filter_map(move |line| {
            let (before, value) = line.split_once(':')?;
            before.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A body as SIPp's scenarios have it.
fn sdp(ip: &str) -> String {
    format!(
        "v=0\r\no=load 53655765 2353687637 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio \
         6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// The INVITE of call `i` in a run: a server still knows the calls of the run before.
pub fn invite(ends: Ends<'_>, run: u32, i: u32) -> String {
    let (me, target) = (ends.caller.sip(), ends.target);
    // Sent straight to the callee, the call shows the number that a server would have put there.
    let direct = target == ends.callee.sip();
    let dialled = if direct { table::destination(i) } else { table::redirect_did(i) };
    let (caller, body) = (table::caller(i), sdp(&me.ip().to_string()));
    format!(
        "INVITE sip:{dialled}@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKr{run}i{i}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{caller}@{me}>;tag=c{i}\r\nTo: <sip:{dialled}@{target}>\r\n\
         Call-ID: delay-{run}-{i}@{}\r\nCSeq: 1 INVITE\r\nContact: <sip:{caller}@{me}>\r\nContent-Type: \
         application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        me.ip(),
        body.len(),
    )
}

/// ACK or BYE in the dialog that a 200 has confirmed.
pub fn in_dialog(answer: &Message<'_>, method: &str, ends: Ends<'_>) -> String {
    let contact = answer.header("Contact").unwrap_or_default();
    let target = contact.split(['<', '>']).nth(1).unwrap_or(contact);
    let mut routes: Vec<&str> = answer.headers("Record-Route").collect();
    routes.reverse();
    let routes = routes.iter().fold(String::new(), |all, route| all + "Route: " + route + "\r\n");
    let header = |name: &str| answer.header(name).unwrap_or_default();
    let (from, to, call_id) = (header("From"), header("To"), header("Call-ID"));
    let cseq = if method == "ACK" { 1 } else { 2 };
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{call_id}\r\n\
         {routes}Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: \
         {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        ends.caller.sip(),
    )
}

/// The answer of the callee whose socket it is.
pub fn response(request: &Message<'_>, socket: &UdpSocket, status: &str) -> Result<String> {
    let me = socket.local_addr()?;
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "Record-Route"] {
        for value in request.headers(name) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let header = |name: &str| request.header(name).unwrap_or_default();
    let (to, cseq) = (header("To"), header("CSeq"));
    let tag = if to.contains("tag=") || status.starts_with("100") { "" } else { ";tag=callee" };
    let (from, call_id) = (header("From"), header("Call-ID"));
    let _ = write!(text, "From: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n");
    if cseq.ends_with("INVITE") {
        let _ = write!(text, "Contact: <sip:callee@{me}>\r\n");
    }
    if cseq.ends_with("INVITE") && status.starts_with("200") {
        let body = sdp(&me.ip().to_string());
        let _ = write!(
            text,
            "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    } else {
        text.push_str("Content-Length: 0\r\n\r\n");
    }
    Ok(text)
}
