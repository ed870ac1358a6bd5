//! The floor: what the kernel alone takes for a call's datagrams.
//!
//! A call is 14 messages, seven in and seven out; a process that does nothing but receive 900
//! bytes and send them on shows what that costs on this machine, in this run.

use std::env;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::child::Actor;
use mediator_tests::stage::{Loopback, Stage, Transport, wait_bound};

use mediator_benches::usage;

/// The size of a middling SIP message.
const MESSAGE_BYTES: usize = 900;
/// Messages in, of a call.
const MESSAGES_A_CALL: u32 = 7;

/// Echoes datagrams until it is killed: the other end of [`measure`].
pub(crate) fn echo(address: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind(address)?;
    let mut buffer = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        socket.send_to(buffer.get(..length).unwrap_or_default(), from)?;
    }
}

/// CPU time for the datagrams of one call, at `rate` calls a second for `length`.
pub(crate) fn measure(stage: &Stage, rate: u32, length: Duration) -> Result<Duration> {
    let (here, there) = (Loopback::lease()?, Loopback::lease()?);
    let mut command = Command::new(env::current_exe()?);
    command.arg("echo").arg(there.sip().to_string());
    let echo = Actor::start(stage.dir(), "echo", &command)?;
    wait_bound(there.sip(), Transport::Udp).with_context(|| echo.tail())?;
    let socket = UdpSocket::bind(here.sip())?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let messages = rate * MESSAGES_A_CALL;
    let gap = Duration::from_secs(1) / messages.max(1);
    let count = u32::try_from(length.as_secs())? * messages;
    let before = usage::run_time(echo.pid())?;
    let begin = Instant::now();
    let (message, mut buffer) = ([b'x'; MESSAGE_BYTES], [0; 2048]);
    for i in 0..count {
        std::thread::sleep((begin + gap * i).saturating_duration_since(Instant::now()));
        socket.send_to(&message, there.sip())?;
        socket.recv_from(&mut buffer).context("a datagram was lost on loopback")?;
    }
    let used = usage::run_time(echo.pid())?.saturating_sub(before);
    ensure!(count > 0, "no time to measure in");
    Ok(used * MESSAGES_A_CALL / count)
}
