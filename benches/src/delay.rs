//! Post-dial delay: from an INVITE's send at the caller to its arrival at the callee.
//!
//! One process is caller and callee, so that one clock stamps both ends; SIPp's clock is too
//! coarse. The call is the same as SIPp's. What crosses a B2BUA is the destination number, so each
//! call of a run uses a binding of its own and is known by it.

use std::collections::{HashSet, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mediator_tests::stage::Loopback;

use crate::message::{Message, in_dialog, invite, response};
use crate::table;

/// How long the callee rings.
const RING: Duration = Duration::from_millis(20);
/// How long after the last INVITE the answers are waited for.
const LINGER: Duration = Duration::from_secs(2);
/// How long one read waits, so that a thread sees that the run is over.
const READ_SLICE: Duration = Duration::from_millis(50);
/// The largest datagram.
const DATAGRAM_BYTES: usize = 65_536;

/// What was measured.
#[derive(Debug)]
pub struct Delays {
    /// From send to arrival, in ascending order.
    sorted: Vec<Duration>,
    /// INVITEs sent.
    pub sent: u32,
    /// Calls whose BYE was answered.
    pub completed: u32,
}

impl Delays {
    /// The delay that `percent` of the calls stayed at or below.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// Who calls whom.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// Who calls.
    pub caller: &'a Loopback,
    /// Who is called.
    pub callee: &'a Loopback,
    /// Where the caller sends its INVITEs: the server, or the callee itself for the floor.
    pub target: SocketAddr,
}

/// When each call's INVITE was sent and seen, in nanoseconds after `start`; 0 is not yet.
struct Times {
    start: Instant,
    sent: Vec<AtomicU64>,
    seen: Vec<AtomicU64>,
}

impl Times {
    fn new(calls: u32) -> Self {
        let slots = || (0..calls).map(|_| AtomicU64::new(0)).collect();
        Self { start: Instant::now(), sent: slots(), seen: slots() }
    }

    /// Stamps a slot that is still empty.
    fn stamp(&self, slot: Option<&AtomicU64>) {
        let now = self.start.elapsed().as_nanos() as u64;
        if let Some(slot) = slot {
            let _ = slot.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn delays(&self) -> Vec<Duration> {
        let pairs = self.sent.iter().zip(&self.seen);
        let mut delays: Vec<Duration> = pairs
            .map(|(sent, seen)| (sent.load(Ordering::Relaxed), seen.load(Ordering::Relaxed)))
            .filter(|(sent, seen)| *sent > 0 && seen >= sent)
            .map(|(sent, seen)| Duration::from_nanos(seen - sent))
            .collect();
        delays.sort_unstable();
        delays
    }
}

/// Places `calls` calls at `rate` a second.
///
/// # Panics
///
/// Where one of its threads has.
pub fn measure(ends: Ends<'_>, rate: u32, calls: u32) -> Result<Delays> {
    let times = Times::new(calls);
    let (caller, callee) = (&socket(ends.caller.sip())?, &socket(ends.callee.sip())?);
    let end = Instant::now() + Duration::from_secs_f64(f64::from(calls) / f64::from(rate)) + LINGER;
    let (ringing, answers) = channel();
    let mut completed = 0;
    thread::scope(|scope| -> Result<()> {
        let uac = scope.spawn(|| play_uac(caller, ends, end));
        let uas = scope.spawn(|| play_uas(callee, &times, end, ringing));
        let ring = scope.spawn(move || answer_after_ringing(callee, &answers));
        place(caller, ends, &times, rate)?;
        completed = uac.join().expect("the thread does not panic")?;
        uas.join().expect("the thread does not panic")?;
        ring.join().expect("the thread does not panic")
    })?;
    Ok(Delays { sorted: times.delays(), sent: calls, completed })
}

fn socket(address: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
    socket.set_read_timeout(Some(READ_SLICE))?;
    Ok(socket)
}

/// Sends the INVITEs, evenly paced.
fn place(socket: &UdpSocket, ends: Ends<'_>, times: &Times, rate: u32) -> Result<()> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let begin = Instant::now();
    for (i, slot) in (0..).zip(&times.sent) {
        let due = begin + Duration::from_secs_f64(f64::from(i) / f64::from(rate));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let invite = invite(ends, run, i);
        times.stamp(Some(slot));
        socket.send_to(invite.as_bytes(), ends.target)?;
    }
    Ok(())
}

/// The caller's side after the INVITE: ACK and BYE for each first 200; counts the answered BYEs.
fn play_uac(socket: &UdpSocket, ends: Ends<'_>, end: Instant) -> Result<u32> {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let (mut answered, mut ended) = (HashSet::new(), HashSet::new());
    while Instant::now() < end {
        let Ok((length, _)) = socket.recv_from(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        let message = Message(&text);
        if !text.starts_with("SIP/2.0 200") {
            continue;
        }
        let call = message.header("Call-ID").unwrap_or_default().to_owned();
        if message.header("CSeq").is_some_and(|cseq| cseq.ends_with("BYE")) {
            ended.insert(call);
            continue;
        }
        socket.send_to(in_dialog(&message, "ACK", ends).as_bytes(), ends.target)?;
        if answered.insert(call) {
            socket.send_to(in_dialog(&message, "BYE", ends).as_bytes(), ends.target)?;
        }
    }
    Ok(u32::try_from(ended.len())?)
}

/// The callee's side: stamps an INVITE, says 100 and 180, hands the 200 on; answers BYE.
fn play_uas(
    socket: &UdpSocket,
    times: &Times,
    end: Instant,
    ringing: Sender<(Instant, SocketAddr, String)>,
) -> Result<()> {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    while Instant::now() < end {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        let message = Message(&text);
        if text.starts_with("INVITE ") {
            let number = text.split(['@', ':']).nth(1).unwrap_or_default();
            let slot = table::binding_of(number).and_then(|i| times.seen.get(i as usize));
            times.stamp(slot);
            socket.send_to(response(&message, socket, "100 Trying")?.as_bytes(), from)?;
            socket.send_to(response(&message, socket, "180 Ringing")?.as_bytes(), from)?;
            let answer = response(&message, socket, "200 OK")?;
            // The other end lives until this one is dropped.
            let _ = ringing.send((Instant::now() + RING, from, answer));
        } else if text.starts_with("BYE ") {
            socket.send_to(response(&message, socket, "200 OK")?.as_bytes(), from)?;
        }
    }
    // Tells the thread that answers that no more calls will come.
    drop(ringing);
    Ok(())
}

/// Sends each 200 when its time has come, so that no arrival waits for it.
fn answer_after_ringing(
    socket: &UdpSocket,
    answers: &Receiver<(Instant, SocketAddr, String)>,
) -> Result<()> {
    let mut waiting = VecDeque::new();
    let mut open = true;
    while open || !waiting.is_empty() {
        let due = waiting.front().map_or(Instant::now() + READ_SLICE, |(due, _, _)| *due);
        match answers.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(answer) => waiting.push_back(answer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                open = false;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        }
        while waiting.front().is_some_and(|(due, _, _)| *due <= Instant::now()) {
            if let Some((_, to, answer)) = waiting.pop_front() {
                socket.send_to(answer.as_bytes(), to)?;
            }
        }
    }
    Ok(())
}
