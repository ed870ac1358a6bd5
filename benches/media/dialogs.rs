//! Calls through Mediator by SIP, one set up after the other: both phones answer at once.

use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mediator_benches::message::Message;
use mediator_benches::table;

use crate::sdp;
use crate::traffic::Towards;

/// How long one step of a call may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one read waits.
const READ_SLICE: Duration = Duration::from_millis(100);

/// The caller, the callee, and the calls between them.
#[derive(Debug)]
pub(crate) struct Dialogs {
    caller: UdpSocket,
    callee: UdpSocket,
    server: SocketAddr,
    /// The 200 of each call that is up.
    answers: Vec<String>,
}

impl Dialogs {
    /// Binds the phones' signalling.
    pub(crate) fn new(caller: SocketAddr, callee: SocketAddr, server: SocketAddr) -> Result<Self> {
        let open = |address| -> Result<UdpSocket> {
            let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
            socket.set_read_timeout(Some(READ_SLICE))?;
            Ok(socket)
        };
        Ok(Self { caller: open(caller)?, callee: open(callee)?, server, answers: Vec::new() })
    }

    /// Sets call `i` of the table up.
    pub(crate) fn place(&mut self, i: u32, phones: [SocketAddr; 2]) -> Result<Towards> {
        let [a, b] = phones;
        let (me, server) = (self.caller.local_addr()?, self.server);
        let (caller, dialled, offer) = (table::caller(i), table::redirect_did(i), sdp::describe(a));
        let invite = format!(
            "INVITE sip:{dialled}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKi{i}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{caller}@{me}>;tag=c{i}\r\nTo: <sip:{dialled}@{server}>\r\n\
             Call-ID: media-{i}@{}\r\nCSeq: 1 INVITE\r\nContact: <sip:{caller}@{me}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
            me.ip(),
            offer.len(),
        );
        self.caller.send_to(invite.as_bytes(), server)?;
        let (invite, from) =
            receive(&self.callee, "an INVITE", |text| text.starts_with("INVITE "))?;
        let for_b = sdp::address(&invite)?;
        let answer = self.answer(&Message(&invite), &sdp::describe(b))?;
        self.callee.send_to(answer.as_bytes(), from)?;
        let id = format!("media-{i}@");
        let (answer, _) = receive(&self.caller, "a 200", |text| {
            let ours = Message(text).header("Call-ID").is_some_and(|call| call.starts_with(&id));
            ours && text.starts_with("SIP/2.0 200")
        })?;
        let for_a = sdp::address(&answer)?;
        self.say("ACK", &answer)?;
        receive(&self.callee, "an ACK", |text| text.starts_with("ACK "))?;
        self.answers.push(answer);
        Ok([for_a, for_b])
    }

    /// Ends all calls.
    pub(crate) fn hang_up(&mut self) -> Result<()> {
        for answer in std::mem::take(&mut self.answers) {
            self.say("BYE", &answer)?;
            let (bye, from) = receive(&self.callee, "a BYE", |text| text.starts_with("BYE "))?;
            let done = self.answer(&Message(&bye), "")?;
            self.callee.send_to(done.as_bytes(), from)?;
        }
        Ok(())
    }

    /// A request of the caller in the dialog of that 200.
    fn say(&self, method: &str, answer: &str) -> Result<()> {
        let answer = Message(answer);
        let contact = answer.header("Contact").unwrap_or_default();
        let target = contact.split(['<', '>']).nth(1).unwrap_or(contact);
        let header = |name: &str| answer.header(name).unwrap_or_default();
        let (from, to, call) = (header("From"), header("To"), header("Call-ID"));
        let cseq = if method == "ACK" { 1 } else { 2 };
        let request = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{call}\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq} \
             {method}\r\nContent-Length: 0\r\n\r\n",
            self.caller.local_addr()?,
        );
        self.caller.send_to(request.as_bytes(), self.server)?;
        Ok(())
    }

    /// The callee's 200; without a body where that is empty.
    fn answer(&self, request: &Message<'_>, body: &str) -> Result<String> {
        let mut text = String::from("SIP/2.0 200 OK\r\n");
        for value in request.headers("Via") {
            let _ = write!(text, "Via: {value}\r\n");
        }
        let header = |name: &str| request.header(name).unwrap_or_default();
        let (from, to, call, cseq) =
            (header("From"), header("To"), header("Call-ID"), header("CSeq"));
        let tag = if to.contains("tag=") { "" } else { ";tag=callee" };
        let me = self.callee.local_addr()?;
        let _ = write!(
            text,
            "From: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\nContact: \
             <sip:callee@{me}>\r\n"
        );
        if !body.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        Ok(text)
    }
}

/// The next message that is wanted; others are what belongs to calls that are up, and need no answer here.
fn receive(
    socket: &UdpSocket,
    what: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<(String, SocketAddr)> {
    let (end, mut buffer) = (Instant::now() + PATIENCE, vec![0; 65_536]);
    while Instant::now() < end {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        if wanted(&text) {
            return Ok((text.into_owned(), from));
        }
        if text.starts_with("SIP/2.0 4") || text.starts_with("SIP/2.0 5") {
            bail!("the call was refused: {text}");
        }
    }
    bail!("{what} did not come")
}
