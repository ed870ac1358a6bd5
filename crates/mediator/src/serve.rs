//! `mediator serve`: from a config file to `ready`, and from a signal to the end.
//!
//! Everything that can fail is tried before anything is said: a start that fails is one line and exit code 1. Then the
//! main thread only waits for signals; calls, HTTP and logs have threads of their own.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mediator_call::io::{Input, Listener};
use mediator_model::{MediaPorts as _, UnixMillis};
use mediator_net::{Clock, RtpPorts, raise_descriptor_limit};
use mediator_store::{Op, Store, Write as StoreWrite};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use crate::cli::LogArgs;
use crate::config::{Config, Fault, MediaMode, MediaSettings, Objects};
use crate::http::{HttpServer, Operators, ReloadableTls};
use crate::media::{Media, MediaError, MediaParts};
use crate::memory::Memory;
use crate::metrics::{Metrics, ProcessMetrics};
use crate::provision::{Provisioned, provision, read_picture};
use crate::reload::{Reread, reread};
use crate::services::{Ears, ServiceParts, Services};
use crate::shards::{OfProcess, Shards, SharedState, Sockets, epoch, gate, media_address};
use crate::shutdown::{Phase, Shutdown};
use crate::sounds::Sounds;
use crate::storage::{Storage, StorageError};
use crate::telemetry::Telemetry;

/// Serves until a signal ends it; the text is the line for standard error where it could not begin.
pub fn serve(path: &Path, log: &LogArgs) -> Result<ExitCode, String> {
    let config = Config::load(path).map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let mut nonce_seed = [0; 32];
    getrandom::fill(&mut nonce_seed).map_err(|error| format!("no random numbers: {error}"))?;
    let tls = config.api.tls.as_ref().map(ReloadableTls::load).transpose();
    let tls = tls.map_err(|error| format!("{}: api.tls: {error}", path.display()))?.map(Arc::new);
    let sockets = Sockets::bind(&config.sip).map_err(|error| error.to_string())?;
    let http = HttpServer::bind(config.api.listen)
        .map_err(|error| format!("cannot listen on http {}: {error}", config.api.listen))?;
    let media_ports = media_ports(&config.media, nonce_seed)?;
    let storage = Storage::open(&config, Arc::new(gate(&config.sip)), clock.unix_now());
    let storage = storage.map_err(|error| match error {
        StorageError::Provision(error) => format!("{}: {error}", path.display()),
        error => error.to_string(),
    })?;
    let telemetry = Telemetry::start(log).map_err(|error| format!("cannot log: {error}"))?;
    if let Err(cause) = raise_descriptor_limit() {
        tracing::warn!(%cause, "fewer files can be open than the system allows");
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    let mut listening = sockets.announcements();
    listening.push(http.announcement(tls.as_deref()));
    let metrics = Metrics::default();
    metrics.add(ProcessMetrics::start());
    metrics.add(telemetry.dropped_lines());
    let cache = config.media.sounds.cache_folder(&config.store);
    let sounds = Sounds::new(&config.media, cache.as_deref());
    metrics.add(sounds.clone());
    let media =
        start_media(&config, &media_ports, sounds, clock).map_err(|error| error.to_string())?;
    metrics.add(media.metrics());
    let own = OfProcess { nonce_seed, media_ports, media };
    let start = Start { path, config, clock, own, metrics };
    let node = start.node(storage, sockets, http, tls)?;
    let code = runtime.block_on(node.run(listening))?;
    drop(telemetry);
    Ok(code)
}

/// What a node is made of beside what was opened for it.
struct Start<'a> {
    path: &'a Path,
    config: Config,
    clock: Clock,
    own: OfProcess,
    metrics: Metrics,
}

impl Start<'_> {
    /// Starts the shards and what runs beside them.
    fn node(
        self,
        storage: Storage,
        sockets: Sockets,
        http: HttpServer,
        tls: Option<Arc<ReloadableTls>>,
    ) -> Result<Node, String> {
        let Self { path, mut config, clock, own, metrics } = self;
        let Storage { store, calls, memory, dialouts, metrics: counts, provisioned } = storage;
        // They are in the store now; with many of them they take more memory here than there.
        config.objects = Objects::default();
        let listeners = sockets.listeners().to_vec();
        let ears = Ears::new(calls.clone(), memory.catalog.clone(), listeners.clone());
        let audience = ears.audience.clone();
        let state = SharedState::new(&memory, store.clone(), audience, own);
        let shards =
            Shards::start(&config, sockets, &state, clock).map_err(|error| error.to_string())?;
        let orders = shards.orders();
        memory.tell(orders.clone());
        metrics.add(counts);
        metrics.add(shards.metrics());
        metrics.add(shards.engine_counts());
        metrics.add(state.tables.clone());
        let shutdown = Shutdown::default();
        let operators = Operators { metrics, phase: shutdown.watch() };
        let parts = ServiceParts {
            config: &config,
            store: store.clone(),
            calls,
            memory: memory.clone(),
            state: state.clone(),
            orders,
            ears,
            dialouts,
            clock,
        };
        let services = Services::start(parts, http, tls.clone(), operators)?;
        tell_provisioned(&provisioned);
        Ok(Node {
            path: path.to_owned(),
            config,
            store,
            memory,
            state,
            listeners,
            shards,
            services,
            tls,
            clock,
            shutdown,
            expiring: Arc::default(),
            reloading: None,
            reload_again: false,
            ports_told: Told::default(),
        })
    }
}

/// The ports of `[media]`, from any one of them on, where there are any to be had.
fn media_ports(media: &MediaSettings, seed: [u8; 32]) -> Result<Arc<RtpPorts>, String> {
    let (address, (first, last)) = (media.listen_address, media.port_range);
    // Whether the address is one of this machine at all is another question than whether a port is free.
    UdpSocket::bind((address, 0)).map_err(|error| format!("cannot receive media on {address}: {error}: set media.listen_address to an address of this machine"))?;
    let [a, b, c, d, ..] = seed;
    let ports = RtpPorts::new(address, first..=last, u32::from_le_bytes([a, b, c, d]));
    let pair = ports.reserve().map_err(|_| format!("cannot receive media on {address}: no pair of ports of media.port_range {first}-{last} is free"))?;
    ports.release(pair);
    Ok(Arc::new(ports))
}

/// The threads that carry media.
fn start_media(
    config: &Config,
    ports: &Arc<RtpPorts>,
    sounds: Sounds,
    clock: Clock,
) -> Result<Media, MediaError> {
    let Config { sip, media, .. } = config;
    let address = media_address(media, sip);
    let mut addresses = vec![media.listen_address, address];
    if media.listen_address.is_unspecified() {
        addresses.extend([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    }
    let started = Media::start(MediaParts {
        threads: media.threads,
        addresses,
        ports: ports.clone(),
        sounds: Arc::new(sounds),
        clock,
    })?;
    let mode = match media.mode {
        MediaMode::Relay => "relay",
        MediaMode::Direct => "direct",
    };
    let (first, last) = media.port_range;
    let (listens, threads, pairs) = (media.listen_address, started.threads(), ports.free());
    info!(mode, %listens, advertised = %address, ports = %format_args!("{first}-{last}"), pairs, threads, "media");
    Ok(started)
}

/// How often the end of calls is looked for while draining.
const DRAIN_LOOK: Duration = Duration::from_millis(20);
/// How long BYEs may take once the drain is over.
const LAST_BYES: Duration = Duration::from_secs(2);
/// How often bindings and registrations whose time is up are removed; until then they are only not found.
const SWEEP: Duration = Duration::from_secs(1);
/// How long nothing more is said of calls that found no ports.
const WARN_AGAIN: Duration = Duration::from_mins(1);
/// How often the store clears away what no table here knows of: bindings whose end came while the process was down, and
/// answers kept for repeated requests.
const CLEAR: Duration = Duration::from_secs(10);
/// Bindings that one write removes because their time is up.
const EXPIRIES_A_WRITE: usize = 2_000;

/// What a reload comes to: the file, and what it changed in the store; or why nothing changed.
type ReloadOutcome = Result<(Reread, Provisioned), String>;

/// The process while it runs.
struct Node {
    path: PathBuf,
    config: Config,
    store: Arc<dyn Store>,
    memory: Arc<Memory>,
    state: SharedState,
    listeners: Vec<Listener>,
    shards: Shards,
    services: Services,
    tls: Option<Arc<ReloadableTls>>,
    clock: Clock,
    shutdown: Shutdown,
    /// Whether a removal of bindings is under way.
    expiring: Arc<AtomicBool>,
    reloading: Option<JoinHandle<ReloadOutcome>>,
    /// SIGHUP came while the file was being read.
    reload_again: bool,
    ports_told: Told,
}

/// What was warned of last.
#[derive(Clone, Copy, Default)]
struct Told {
    /// How many calls had been refused for want of ports.
    refused: u64,
    /// When.
    at: Option<Instant>,
}

impl Node {
    async fn run(mut self, listening: Vec<String>) -> Result<ExitCode, String> {
        let mut signals = Signals::listen().map_err(|error| format!("no signals: {error}"))?;
        self.log_notices();
        announce(listening);
        self.obey(&mut signals).await;
        Ok(self.end(&mut signals).await)
    }

    /// Waits for signals until one of them asks for the end.
    async fn obey(&mut self, signals: &mut Signals) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut clear = interval(CLEAR);
        clear.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = signals.next() => match order {
                    Order::Reload => self.reload(),
                    Order::End => return,
                },
                outcome = reloaded(&mut self.reloading) => self.end_reload(outcome),
                _ = sweep.tick() => self.sweep(),
                _ = clear.tick() => self.expire(),
            }
        }
    }

    /// No new calls; those up have `sip.drain_timeout`, then get BYE. Then the API ends, and all is on disk.
    async fn end(self, signals: &mut Signals) -> ExitCode {
        let drain_timeout = self.config.sip.drain_timeout;
        info!(drain_timeout_seconds = drain_timeout.as_secs(), "draining");
        self.shutdown.advance(Phase::Draining);
        self.services.drain();
        self.shards.order(&Input::Drain);
        let deadline = Instant::now() + drain_timeout;
        tokio::select! {
            () = gone_by(deadline, || self.shards.live_calls()) => {}
            () = signals.end() => {
                warn!("told to end a second time: calls are cut");
                return ExitCode::FAILURE;
            }
        }
        self.shutdown.advance(Phase::Ending);
        self.shards.order(&Input::HangUpAll);
        gone_by(Instant::now() + LAST_BYES, || self.shards.held_calls()).await;
        self.services.stop().await;
        self.store.flush();
        info!("ended");
        ExitCode::SUCCESS
    }

    /// Asks for what is past its end to be removed, unless that is under way.
    fn expire(&self) {
        if !self.expiring.swap(true, Ordering::AcqRel) {
            expire(&self.store, &self.expiring, self.clock.unix_now());
        }
    }

    fn sweep(&mut self) {
        let now = self.clock.unix_now();
        if self.memory.bindings.next_expiry().is_some_and(|due| due <= now) {
            self.expire();
        }
        self.state.tables.contacts.expire(self.clock.now());
        self.warn_of_ports();
        // Wall clocks are set and slewed; records and bindings go by them.
        self.shards.order(&Input::Epoch(epoch(&self.clock)));
    }

    /// Warns of calls that found no ports for their media, at most once a minute.
    fn warn_of_ports(&mut self) {
        let (refused, now) = (self.state.media_ports.exhausted(), Instant::now());
        let Told { refused: before, at } = self.ports_told;
        if refused > before && at.is_none_or(|at| now.duration_since(at) >= WARN_AGAIN) {
            let (used, free) = (self.state.media_ports.used(), self.state.media_ports.free());
            let calls = refused - before;
            warn!(
                calls,
                used, free, "no ports for media: calls were refused; widen media.port_range"
            );
            self.ports_told = Told { refused, at: Some(now) };
        }
    }

    /// Reads the file, and provisions what it says, away from this thread: both take as long as the file is long.
    fn reload(&mut self) {
        if self.reloading.is_some() {
            self.reload_again = true;
            return;
        }
        let (path, running) = (self.path.clone(), self.config.clone());
        let (store, now) = (self.store.clone(), self.clock.unix_now());
        self.reloading = Some(spawn_blocking(move || {
            let reread = reread(&path, &running).map_err(|error| error.to_string())?;
            let refused = |error: &dyn Display| format!("{}: {error}", path.display());
            let picture = read_picture(&*store, &reread.objects, now);
            let picture = picture.map_err(|error| refused(&error))?;
            let provisioned = provision(&*store, (&reread.objects, &reread.core), picture, now);
            let provisioned = provisioned.map_err(|error| refused(&error))?;
            Ok((reread, provisioned))
        }));
    }

    fn end_reload(&mut self, outcome: Result<ReloadOutcome, JoinError>) {
        self.reloading = None;
        match outcome {
            Ok(Ok((reread, provisioned))) => self.take(reread, &provisioned),
            Ok(Err(refused)) => {
                for line in refused.lines() {
                    warn!(reason = line, "config not changed");
                }
            }
            Err(cause) => error!(%cause, "a defect: the config was not read to its end"),
        }
        if std::mem::take(&mut self.reload_again) {
            self.reload();
        }
    }

    /// Lets a new config count: calls in progress go on with what they have.
    fn take(&mut self, reread: Reread, provisioned: &Provisioned) {
        self.config = reread.config;
        let settings = self.state.settings(&self.config, self.listeners.clone());
        self.shards.order(&Input::Settings(Arc::new(settings)));
        if let (Some(tls), Some(files)) = (&self.tls, &self.config.api.tls)
            && let Err(cause) = tls.reload(files)
        {
            warn!(%cause, "the API goes on with the certificate that it has");
        }
        self.log_notices();
        for key in reread.after_restart {
            warn!(key, "changed in the file: counts from the next start");
        }
        tell_provisioned(provisioned);
        info!("config read again");
    }

    fn log_notices(&self) {
        for Fault { line, key, reason } in &self.config.notices {
            info!(file = %self.path.display(), line, key, "{reason}");
        }
    }
}

fn tell_provisioned(provisioned: &Provisioned) {
    let Provisioned { objects, bindings, notes } = provisioned;
    for note in notes {
        warn!("{note}");
    }
    if *objects + *bindings > 0 {
        info!(objects, bindings, "the file's new and changed objects are in the store");
    }
}

/// The outcome of the reload under way; waits for ever where there is none.
async fn reloaded(
    reloading: &mut Option<JoinHandle<ReloadOutcome>>,
) -> Result<ReloadOutcome, JoinError> {
    match reloading {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

/// Asks the store to remove what is past its end, until nothing is left that is.
fn expire(store: &Arc<dyn Store>, expiring: &Arc<AtomicBool>, now: UnixMillis) {
    let (again, expiring) = (store.clone(), expiring.clone());
    let op = Op::Expire { limit: EXPIRIES_A_WRITE };
    let done = move |outcome: Result<mediator_store::Committed, mediator_store::Refused>| {
        if outcome.is_ok_and(|committed| committed.changes.len() >= EXPIRIES_A_WRITE) {
            expire(&again, &expiring, now);
        } else {
            expiring.store(false, Ordering::Release);
        }
    };
    store.submit(StoreWrite::one(now, op), Box::new(done));
}

/// Waits until nothing is left of what is counted, or the deadline.
async fn gone_by(deadline: Instant, left: impl Fn() -> u64) {
    while left() > 0 && Instant::now() < deadline {
        sleep(DRAIN_LOOK).await;
    }
}

/// Says on standard output that everything listens. Who started us may have closed it: that is no reason not to serve.
fn announce(listening: impl IntoIterator<Item = impl Display>) {
    let mut stdout = io::stdout().lock();
    for line in listening {
        let _ = writeln!(stdout, "{line}");
    }
    let _ = writeln!(stdout, "ready");
    let _ = stdout.flush();
}

/// What a signal asks for.
enum Order {
    End,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the end is asked for; what else is asked for counts no more.
    async fn end(&mut self) {
        while !matches!(self.next().await, Order::End) {}
    }

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::End,
            _ = self.interrupt.recv() => Order::End,
            _ = self.hang_up.recv() => Order::Reload,
        }
    }
}
