//! A phone of the plainest kind: it answers what it is asked, places calls, hangs up, and keeps every message.
//!
//! SIPp plays a scenario that is known beforehand; this one takes calls as they come, which tests of an API need:
//! dialouts that ring two numbers at one address, re-INVITEs or none, calls that the server ends. Over UDP; it
//! repeats nothing, as loopback loses nothing. It is no SIP stack: it trusts the server to be the only peer.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::until;
use crate::sipp::log::{Direction, Logged};
use crate::wire::response;

/// How long something may take to happen.
const LIMIT: Duration = Duration::from_secs(10);
/// How long one read waits, so that the thread sees that it shall end.
const READ_SLICE: Duration = Duration::from_millis(20);

/// What the phone does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Rings and answers at once.
    Answers,
    /// Rings and goes on ringing.
    Rings,
    /// 486.
    Busy,
}

/// A phone; dropped, it falls silent.
#[derive(Debug)]
pub struct Phone {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    local: SocketAddr,
    behaviour: Mutex<Behaviour>,
    heard: Mutex<Vec<Logged>>,
    dialogs: Mutex<HashMap<String, Dialog>>,
    counter: AtomicU32,
    over: AtomicBool,
}

/// Our side of a dialog.
#[derive(Debug, Clone)]
struct Dialog {
    target: String,
    ours: String,
    theirs: String,
    peer: SocketAddr,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Phone {
    /// A phone at `local`.
    pub fn start(local: SocketAddr, behaviour: Behaviour) -> Result<Self> {
        let socket = UdpSocket::bind(local).with_context(|| format!("bind {local}"))?;
        socket.set_read_timeout(Some(READ_SLICE))?;
        let shared = Arc::new(Shared {
            socket,
            local,
            behaviour: Mutex::new(behaviour),
            heard: Mutex::default(),
            dialogs: Mutex::default(),
            counter: AtomicU32::new(1),
            over: AtomicBool::new(false),
        });
        let listener = Arc::clone(&shared);
        let thread = thread::spawn(move || listener.listen());
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Behaves otherwise from the next call on.
    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.shared.behaviour) = behaviour;
    }

    /// Everything that came in.
    pub fn heard(&self) -> Vec<Logged> {
        lock(&self.shared.heard).clone()
    }

    /// The requests of a method that came in; of INVITE those that begin a call.
    pub fn requests(&self, method: &str) -> Vec<Logged> {
        let mut heard = self.heard();
        heard.retain(|message| {
            let first =
                method != "INVITE" || !message.header("To").is_some_and(|to| to.contains(";tag="));
            message.method() == Some(method) && first
        });
        heard
    }

    /// Waits until so many calls came in; gives the last of them.
    pub fn rung(&self, calls: usize) -> Result<Logged> {
        until(LIMIT, &format!("call {calls} at {}", self.shared.local), || {
            Ok(self.requests("INVITE").get(calls.saturating_sub(1)).cloned())
        })
    }

    /// Waits until so many requests of a method came in.
    pub fn heard_request(&self, method: &str, times: usize) -> Result<()> {
        until(LIMIT, &format!("{method} number {times} at {}", self.shared.local), || {
            Ok((self.requests(method).len() >= times).then_some(()))
        })
    }

    /// Calls `number` at `server` as `caller`; gives the Call-ID.
    pub fn dial(&self, server: SocketAddr, number: &str, caller: &str) -> Result<String> {
        let local = self.shared.local;
        let count = self.shared.counter.fetch_add(1, Ordering::Relaxed);
        let call = format!("{}-{count}@{}", std::process::id(), local.ip());
        let body = sdp(local);
        let invite = format!(
            "INVITE sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKp{count}\r\n\
             From: <sip:{caller}@{local}>;tag=p{count}\r\nTo: <sip:{number}@{server}>\r\nCall-ID: {call}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:phone@{local}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.shared.send(server, &invite)?;
        Ok(call)
    }

    /// Waits for the final response to a call's INVITE.
    pub fn final_status(&self, call: &str) -> Result<u16> {
        until(LIMIT, "a final response", || {
            Ok(self.statuses(call).into_iter().find(|status| *status >= 200))
        })
    }

    /// The status codes that came in for a call's INVITE.
    pub fn statuses(&self, call: &str) -> Vec<u16> {
        let heard = self.heard();
        let of_call = heard.iter().filter(|message| {
            message.header("Call-ID") == Some(call)
                && message.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
        });
        of_call.filter_map(Logged::status).collect()
    }

    /// Calls and waits for the final response; gives it and the Call-ID.
    pub fn call(&self, server: SocketAddr, number: &str, caller: &str) -> Result<(u16, String)> {
        let call = self.dial(server, number, caller)?;
        Ok((self.final_status(&call)?, call))
    }

    /// Sends BYE in a dialog, ours or one that was begun here.
    pub fn hang_up(&self, call: &str) -> Result<()> {
        // Its answer is heard a moment before it has become a dialog.
        let dialog = until(LIMIT, "a dialog to hang up", || {
            Ok(lock(&self.shared.dialogs).get(call).cloned())
        })?;
        let bye = self.shared.in_dialog("BYE", call, &dialog, 70_000);
        self.shared.send(dialog.peer, &bye)
    }

    /// Places a call that is answered and hung up by the caller; fails where it is not answered.
    pub fn talk(&self, server: SocketAddr, number: &str, caller: &str) -> Result<String> {
        let (status, call) = self.call(server, number, caller)?;
        anyhow::ensure!(status == 200, "call to {number}: {status}");
        self.hang_up(&call)?;
        until(LIMIT, "the answer to a BYE", || {
            let heard = self.heard();
            let done = heard.iter().any(|message| {
                message.status() == Some(200)
                    && message.header("Call-ID") == Some(&call)
                    && message.header("CSeq").is_some_and(|cseq| cseq.ends_with("BYE"))
            });
            Ok(done.then_some(()))
        })?;
        Ok(call)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn listen(&self) {
        let mut buffer = vec![0; 65_535];
        while !self.over.load(Ordering::Relaxed) {
            let (length, peer) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                // ICMP of a server that is gone.
                Err(_) => continue,
            };
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            let text = text.replace("\r\n", "\n");
            let message = Logged { direction: Direction::Received, text };
            // Noted first: what the answer brings about may be over before this thread goes on.
            lock(&self.heard).push(message.clone());
            self.react(&message, peer);
        }
    }

    fn react(&self, message: &Logged, peer: SocketAddr) {
        // A datagram to a server that has just ended goes nowhere, which is no fault here.
        let _ = match (message.method(), message.status()) {
            (Some("INVITE"), _) => self.called(message, peer),
            (Some("ACK"), _) => Ok(()),
            (Some("CANCEL"), _) => self.cancelled(message, peer),
            (Some(_), _) => self.send(peer, &response(message, "200 OK", "", "", "")),
            (None, Some(status)) if status >= 200 => self.answered(message, peer, status),
            (None, _) => Ok(()),
        };
    }

    fn contact(&self) -> String {
        format!("Contact: <sip:phone@{}>\r\n", self.local)
    }

    /// An INVITE came in: a new call, or one within a dialog.
    fn called(&self, invite: &Logged, peer: SocketAddr) -> Result<()> {
        let call = invite.header("Call-ID").unwrap_or_default();
        let tag = format!("u{call}").replace(['@', '.'], "");
        let again = invite.header("To").is_some_and(|to| to.contains(";tag="));
        let behaviour = if again { Behaviour::Answers } else { *lock(&self.behaviour) };
        let to = invite.header("To").unwrap_or_default();
        let ours = if again { to.to_owned() } else { format!("{to};tag={tag}") };
        self.keep(invite, call, (ours, invite.header("From").unwrap_or_default().to_owned()), peer);
        if behaviour == Behaviour::Busy {
            return self.send(peer, &response(invite, "486 Busy Here", &tag, "", ""));
        }
        if !again {
            self.send(peer, &response(invite, "180 Ringing", &tag, &self.contact(), ""))?;
        }
        if behaviour == Behaviour::Answers {
            let extra = format!("{}Content-Type: application/sdp\r\n", self.contact());
            self.send(peer, &response(invite, "200 OK", &tag, &extra, &sdp(self.local)))?;
        }
        Ok(())
    }

    fn cancelled(&self, cancel: &Logged, peer: SocketAddr) -> Result<()> {
        self.send(peer, &response(cancel, "200 OK", "", "", ""))?;
        let call = cancel.header("Call-ID").unwrap_or_default();
        let tag = format!("u{call}").replace(['@', '.'], "");
        let heard = lock(&self.heard);
        let invite = heard.iter().find(|message| {
            message.method() == Some("INVITE") && message.header("Call-ID") == Some(call)
        });
        match invite {
            Some(invite) => {
                self.send(peer, &response(invite, "487 Request Terminated", &tag, "", ""))
            }
            None => Ok(()),
        }
    }

    /// A final response to a request of ours.
    fn answered(&self, message: &Logged, peer: SocketAddr, status: u16) -> Result<()> {
        if !message.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE")) {
            return Ok(());
        }
        let call = message.header("Call-ID").unwrap_or_default();
        let header = |name| message.header(name).unwrap_or_default().to_owned();
        if status < 300 {
            self.keep(message, call, (header("From"), header("To")), peer);
            let dialog = lock(&self.dialogs).get(call).cloned().context("no dialog")?;
            return self.send(peer, &self.in_dialog("ACK", call, &dialog, 1));
        }
        // RFC 3261 section 17.1.1.3: the ACK has the INVITE's branch.
        let via = header("Via");
        let ack = format!(
            "ACK sip:gone@{peer} SIP/2.0\r\nVia: {via}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {call}\r\n\
             CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            header("From"),
            header("To"),
        );
        self.send(peer, &ack)
    }

    /// Notes the dialog that a message makes or goes on with; `sides` are our and their From or To.
    fn keep(&self, message: &Logged, call: &str, sides: (String, String), peer: SocketAddr) {
        let contact = message.header("Contact").unwrap_or_default();
        let target = contact.split(['<', '>']).nth(1).unwrap_or(contact).to_owned();
        let dialog = Dialog { target, ours: sides.0, theirs: sides.1, peer };
        lock(&self.dialogs).insert(call.to_owned(), dialog);
    }

    fn in_dialog(&self, method: &str, call: &str, dialog: &Dialog, sequence: u32) -> String {
        let Dialog { target, ours, theirs, .. } = dialog;
        let (local, count) = (self.local, self.counter.fetch_add(1, Ordering::Relaxed));
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKd{count}\r\nFrom: {ours}\r\n\
             To: {theirs}\r\nCall-ID: {call}\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    fn send(&self, to: SocketAddr, text: &str) -> Result<()> {
        self.socket.send_to(text.as_bytes(), to).map(drop).context("send")
    }
}

/// One stream of G.711, at the phone's address.
fn sdp(local: SocketAddr) -> String {
    let ip = local.ip();
    format!(
        "v=0\r\no=phone 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 8\r\n"
    )
}
