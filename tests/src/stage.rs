//! A stage: a directory and loopback addresses that one test has for itself.
//!
//! Linux answers on all of 127.0.0.0/8, so each actor has an address of its own and the usual port
//! 5060. Two tests that run at the same time, in one process or in several, never share an
//! address: who has bound [`GUARD_PORT`] there owns it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::child::until;

/// The TCP port that is held on an address as long as it is in use; below the range that the
/// kernel gives to outgoing connections, and no actor listens there.
const GUARD_PORT: u16 = 17_991;
/// Addresses tried before giving up.
const TRIES: u32 = 4096;
/// How long an actor may take to open its socket.
const BIND_LIMIT: Duration = Duration::from_secs(10);

/// A loopback address that nobody else uses until this is dropped.
#[derive(Debug)]
pub struct Loopback {
    ip: Ipv4Addr,
    _guard: TcpListener,
}

impl Loopback {
    /// Takes a free address out of 127.64.0.0/10.
    pub fn lease() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Processes start far apart, so that the first try nearly always succeeds.
        let start = std::process::id().wrapping_mul(2_654_435_761) >> 8;
        for _ in 0..TRIES {
            let slot = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (64 * 254 * 254);
            let (low, rest) = (slot % 254 + 1, slot / 254);
            let (middle, high) = (rest % 254 + 1, 64 + rest / 254);
            let ip = Ipv4Addr::from((127 << 24) | (high << 16) | (middle << 8) | low);
            if let Ok(guard) = TcpListener::bind((ip, GUARD_PORT)) {
                return Ok(Self { ip, _guard: guard });
            }
        }
        bail!("no free loopback address in {TRIES} tries")
    }

    /// The address.
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// The address with the SIP port, 5060.
    pub fn sip(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.ip), 5060)
    }
}

/// The directory of one test.
#[derive(Debug)]
pub struct Stage {
    dir: PathBuf,
}

impl Stage {
    /// Makes the empty directory `name` in `parent`; what an earlier run left there is removed.
    pub fn new(parent: impl AsRef<Path>, name: &str) -> Result<Self> {
        let dir = parent.as_ref().join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("empty {}", dir.display()))?;
        }
        fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
        Ok(Self { dir })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file into the directory.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

/// The transport of an actor's listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RFC 3261 over UDP.
    Udp,
    /// RFC 3261 over TCP.
    Tcp,
}

/// Waits until somebody has bound `address`: the kernel's own table says so, nothing is sent.
pub fn wait_bound(address: SocketAddr, transport: Transport) -> Result<()> {
    let SocketAddr::V4(v4) = address else { bail!("{address} is not IPv4") };
    // The kernel prints the address as one number in the machine's byte order.
    let wanted = format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port());
    let (table, listening) = match transport {
        Transport::Udp => ("/proc/net/udp", None),
        Transport::Tcp => ("/proc/net/tcp", Some("0A")),
    };
    until(BIND_LIMIT, &format!("a socket on {address}"), || {
        let text = fs::read_to_string(table).with_context(|| format!("read {table}"))?;
        let bound = text.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let local = fields.next();
            let state = fields.nth(1);
            local == Some(wanted.as_str()) && (listening.is_none() || state == listening)
        });
        Ok(bound.then_some(()))
    })
}

/// A socket that is open and says nothing: a far side that is up but silent.
pub fn silent_peer(address: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
    socket.set_read_timeout(Some(BIND_LIMIT))?;
    Ok(socket)
}
