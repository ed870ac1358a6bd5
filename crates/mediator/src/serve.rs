//! `mediator serve`: from a config file to `ready`, and from a signal to the end.
//!
//! Everything that can fail is tried before anything is said: a start that fails is one line and exit code 1. Then the
//! main thread only waits for signals; calls, HTTP and logs have threads of their own.

use std::collections::HashSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mediator_call::io::{Input, Listener};
use mediator_model::Sid;
use mediator_net::Clock;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::cli::LogArgs;
use crate::config::{Config, Fault};
use crate::http::{self, HttpServer, Operators};
use crate::metrics::{Metrics, ProcessMetrics};
use crate::provision;
use crate::reload::{Reloaded, reload};
use crate::shards::{Shards, SharedState, Sockets, epoch};
use crate::shutdown::{Phase, Shutdown};
use crate::telemetry::Telemetry;

/// Serves until a signal ends it; the text is the line for standard error where it could not begin.
pub fn serve(path: &Path, log: &LogArgs) -> Result<ExitCode, String> {
    let config = Config::load(path).map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let mut nonce_seed = [0; 32];
    getrandom::fill(&mut nonce_seed).map_err(|error| format!("no random numbers: {error}"))?;
    let state = SharedState::provision(&config, clock.unix_now(), nonce_seed)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let sockets = Sockets::bind(&config.sip).map_err(|error| error.to_string())?;
    let http = HttpServer::bind(config.api.listen)
        .map_err(|error| format!("cannot listen on http {}: {error}", config.api.listen))?;
    let telemetry = Telemetry::start(log).map_err(|error| format!("cannot log: {error}"))?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    let mut listening = sockets.announcements();
    listening.push(http.announcement(None));
    let listeners = sockets.listeners().to_vec();
    let shards =
        Shards::start(&config, sockets, &state, clock).map_err(|error| error.to_string())?;
    let metrics = Metrics::default();
    metrics.add(ProcessMetrics::start());
    metrics.add(telemetry.dropped_lines());
    metrics.add(shards.metrics());
    metrics.add(shards.engine_counts());
    metrics.add(state.tables.clone());
    let shutdown = Shutdown::default();
    let operators = Operators { metrics, phase: shutdown.watch() };
    http.start(http::router(operators), None)
        .map_err(|error| format!("no HTTP thread: {error}"))?;
    let node = Node { path: path.to_owned(), config, state, listeners, shards, clock, shutdown };
    let code = runtime.block_on(node.run(listening))?;
    drop(telemetry);
    Ok(code)
}

/// How often the end of calls is looked for while draining.
const DRAIN_LOOK: Duration = Duration::from_millis(20);
/// How long BYEs may take once the drain is over.
const LAST_BYES: Duration = Duration::from_secs(2);
/// How often bindings and registrations whose time is up are removed; until then they are only not found.
const SWEEP: Duration = Duration::from_secs(1);

/// The process while it runs.
struct Node {
    path: PathBuf,
    config: Config,
    state: SharedState,
    listeners: Vec<Listener>,
    shards: Shards,
    clock: Clock,
    shutdown: Shutdown,
}

impl Node {
    async fn run(mut self, listening: Vec<String>) -> Result<ExitCode, String> {
        let mut signals = Signals::listen().map_err(|error| format!("no signals: {error}"))?;
        self.log_notices();
        announce(listening);
        Ok(self.obey(&mut signals).await)
    }

    /// Waits for signals, and for the end that they ask for.
    async fn obey(&mut self, signals: &mut Signals) -> ExitCode {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = signals.next() => match order {
                    Order::Reload => self.reload(),
                    Order::End => return self.drain(signals).await,
                },
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    /// No new calls; those up have `sip.drain_timeout`, then get BYE.
    async fn drain(&self, signals: &mut Signals) -> ExitCode {
        let drain_timeout = self.config.sip.drain_timeout;
        info!(drain_timeout_seconds = drain_timeout.as_secs(), "draining");
        self.shutdown.advance(Phase::Draining);
        self.shards.order(&Input::Drain);
        let deadline = Instant::now() + drain_timeout;
        tokio::select! {
            () = gone_by(deadline, || self.shards.live_calls()) => {}
            _ = signals.next() => {
                warn!("told to end a second time: calls are cut");
                return ExitCode::FAILURE;
            }
        }
        self.shutdown.advance(Phase::Ending);
        self.shards.order(&Input::HangUpAll);
        gone_by(Instant::now() + LAST_BYES, || self.shards.held_calls()).await;
        info!("ended");
        ExitCode::SUCCESS
    }

    fn sweep(&self) {
        self.state.tables.bindings.expire(self.clock.unix_now());
        self.state.tables.contacts.expire(self.clock.now());
        // Wall clocks are set and slewed; records and bindings go by them.
        self.shards.order(&Input::Epoch(epoch(&self.clock)));
    }

    fn reload(&mut self) {
        match reload(&self.path, &self.config) {
            Ok(reloaded) => self.take(reloaded),
            Err(refused) => {
                for line in refused.to_string().lines() {
                    warn!(reason = line, "config not changed");
                }
            }
        }
    }

    /// Lets a new config count: calls in progress go on with what they have.
    fn take(&mut self, reloaded: Reloaded) {
        let Reloaded { config, directory, changed, after_restart } = reloaded;
        self.config = config;
        let directory = Arc::new(directory);
        self.state.directory.store(directory.clone());
        let trunks = directory.trunk_groups().iter().flat_map(|group| &group.trunks);
        let trunks: HashSet<Sid> = trunks.map(|trunk| trunk.sid).collect();
        let is_known = |sid| trunks.contains(&sid) || directory.endpoint_by_sid(sid).is_some();
        self.state.tables.gate.retain(is_known);
        self.shards.order(&Input::Directory(directory));
        let settings = self.state.settings(&self.config.sip, self.listeners.clone());
        self.shards.order(&Input::Settings(Arc::new(settings)));
        let now = self.clock.unix_now();
        for spec in &changed {
            if let Err(cause) = provision::put(&self.state.tables.bindings, spec, now) {
                warn!(binding = %spec.sid, %cause, "binding not changed");
            }
        }
        self.log_notices();
        for key in after_restart {
            warn!(key, "changed in the file: counts from the next start");
        }
        info!(bindings_changed = changed.len(), "config read again");
    }

    fn log_notices(&self) {
        for Fault { line, key, reason } in &self.config.notices {
            info!(file = %self.path.display(), line, key, "{reason}");
        }
    }
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

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::End,
            _ = self.interrupt.recv() => Order::End,
            _ = self.hang_up.recv() => Order::Reload,
        }
    }
}
