//! A phone with a voice and an ear, which a test leads step by step: it rings when told, answers when told, and keeps every
//! message and every packet.
//!
//! What no test wants to lead it does by itself: ACK, PRACK for reliable responses, 200 to BYE, CANCEL, INFO and UPDATE, an
//! answer to a re-INVITE. Over UDP; it repeats nothing, as loopback loses nothing. It is no SIP stack: it trusts the
//! server to be the only peer.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child::until;
use crate::rtp::Media;
use crate::sipp::log::{Direction, Logged};

mod call;
mod dialog;
mod reply;
pub mod sdp;
#[cfg(test)]
mod tests;

pub use call::Call;
use dialog::{Dialog, Talk};
use sdp::Codec;

/// How long something may take to happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(12);
/// How long one read waits, so that the thread sees that it shall end.
const READ_SLICE: Duration = Duration::from_millis(10);

/// How a call is offered.
#[derive(Debug, Clone)]
pub struct Dial<'a> {
    /// The number dialled.
    pub number: &'a str,
    /// The number shown.
    pub caller: &'a str,
    /// What the INVITE says of media.
    pub offer: Offer,
    /// Further header lines, each with its line end.
    pub extra: &'a str,
}

/// What an INVITE says of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// The agent's own description.
    Own,
    /// Nothing: the other side offers.
    Late,
    /// This text; `{ip}` and `{port}` stand for the agent's media.
    Text(String),
}

/// The phone; dropped, it falls silent.
#[derive(Debug)]
pub struct Agent {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Two steps of the test and the listening thread meet here.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) socket: UdpSocket,
    pub(crate) local: SocketAddr,
    pub(crate) ip: Ipv4Addr,
    codecs: Mutex<Vec<Codec>>,
    pub(crate) heard: Mutex<Vec<(Instant, Logged)>>,
    pub(crate) talks: Mutex<HashMap<String, Talk>>,
    /// The Call-IDs of calls that came in, in order.
    pub(crate) incoming: Mutex<Vec<String>>,
    pub(crate) counter: AtomicU32,
    over: AtomicBool,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    /// A phone at port 5060 of `ip` that speaks these codecs, most wanted first.
    pub fn start(ip: Ipv4Addr, codecs: Vec<Codec>) -> Result<Self> {
        let local = SocketAddr::from((ip, 5060));
        let socket = UdpSocket::bind(local).with_context(|| format!("bind {local}"))?;
        socket.set_read_timeout(Some(READ_SLICE))?;
        let shared = Arc::new(Shared {
            socket,
            local,
            ip,
            codecs: Mutex::new(codecs),
            heard: Mutex::default(),
            talks: Mutex::default(),
            incoming: Mutex::default(),
            counter: AtomicU32::new(1),
            over: AtomicBool::new(false),
        });
        let listener = Arc::clone(&shared);
        let thread = thread::spawn(move || listener.listen());
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Speaks other codecs from the next description on.
    pub fn codecs(&self, codecs: Vec<Codec>) {
        *lock(&self.shared.codecs) = codecs;
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.shared.local
    }

    /// Everything that came in, and when.
    pub fn heard(&self) -> Vec<Logged> {
        lock(&self.shared.heard).iter().map(|(_, message)| message.clone()).collect()
    }

    /// Calls a number with the agent's own offer.
    pub fn dial(&self, server: SocketAddr, number: &str, caller: &str) -> Result<Call> {
        self.dial_as(server, &Dial { number, caller, offer: Offer::Own, extra: "" })
    }

    /// Calls.
    pub fn dial_as(&self, server: SocketAddr, dial: &Dial<'_>) -> Result<Call> {
        let shared = &self.shared;
        let local = shared.local;
        let count = shared.next();
        let media = Arc::new(Media::open(shared.ip)?);
        let codecs = shared.own_codecs();
        let Dial { number, caller, offer, extra } = dial;
        let body = match offer {
            Offer::Own => sdp::write(media.address(), &codecs, "sendrecv", 1),
            Offer::Late => String::new(),
            Offer::Text(text) => text
                .replace("{ip}", &shared.ip.to_string())
                .replace("{port}", &media.address().port().to_string()),
        };
        let dialog = Dialog {
            call: format!("{}-{count}-{}@{}", std::process::id(), rough_time(), local.ip()),
            ours: format!("<sip:{caller}@{local}>;tag=a{count}"),
            theirs: format!("<sip:{number}@{server}>"),
            target: format!("sip:{number}@{server}"),
            peer: server,
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let invite = dialog.request(
            shared,
            ("INVITE", 1),
            &format!("Contact: <sip:agent@{local}>\r\n{extra}{kind}"),
            &body,
        );
        let id = dialog.call.clone();
        let mut talk = Talk::new(dialog, media, codecs);
        talk.sent_invite.clone_from(&invite);
        talk.offered = !body.is_empty();
        lock(&shared.talks).insert(id.clone(), talk);
        shared.send(server, &invite)?;
        Call::of(shared, &id)
    }

    /// Waits for the call that comes in as number `count` (from 1); 100 has been sent.
    pub fn called(&self, count: usize) -> Result<Call> {
        let what = format!("call {count} at {}", self.shared.local);
        let id = until(LIMIT, &what, || {
            Ok(lock(&self.shared.incoming).get(count.saturating_sub(1)).cloned())
        })?;
        Call::of(&self.shared, &id)
    }

    /// How many calls came in so far.
    pub fn calls(&self) -> usize {
        lock(&self.shared.incoming).len()
    }

    /// Waits until a request of a method came in that is new to `seen`; gives it.
    pub fn request(&self, method: &str, seen: usize) -> Result<Logged> {
        until(LIMIT, &format!("{method} number {} at {}", seen + 1, self.shared.local), || {
            let heard = self.heard();
            let mut of = heard.into_iter().filter(|message| message.method() == Some(method));
            Ok(of.nth(seen))
        })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    pub(crate) fn next(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn own_codecs(&self) -> Vec<Codec> {
        lock(&self.codecs).clone()
    }

    pub(crate) fn send(&self, to: SocketAddr, text: &str) -> Result<()> {
        self.socket.send_to(text.as_bytes(), to).map(drop).context("send")
    }

    /// Does something to a call's state.
    pub(crate) fn with<T>(&self, call: &str, act: impl FnOnce(&mut Talk) -> T) -> Result<T> {
        let mut talks = lock(&self.talks);
        match talks.get_mut(call) {
            Some(talk) => Ok(act(talk)),
            None => bail!("no call {call}"),
        }
    }

    fn listen(&self) {
        let mut buffer = vec![0; 65_535];
        while !self.over.load(Ordering::Relaxed) {
            // ICMP of a server that is gone is an error as well as the end of the wait.
            let Ok((length, peer)) = self.socket.recv_from(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            let text = text.replace("\r\n", "\n");
            let message = Logged { direction: Direction::Received, text };
            // Acted on first: who waits for a message may rely on what it brought about.
            let done = self.react(&message, peer);
            lock(&self.heard).push((Instant::now(), message));
            if let Err(error) = done {
                eprintln!("agent at {}: {error:#}", self.local);
            }
        }
    }
}

/// Something that differs from run to run, for Call-IDs.
fn rough_time() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default().subsec_nanos()
}
