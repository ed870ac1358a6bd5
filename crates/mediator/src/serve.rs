//! `mediator serve`: from a config file to `ready`, and from a signal to the end.
//!
//! Everything that can fail is tried before anything is said: a start that fails is one line and exit code 1. Then the
//! main thread only waits for signals; calls, HTTP and logs have threads of their own.

use std::convert::Infallible;
use std::fmt::Display;
use std::future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::cli::LogArgs;
use crate::config::{Config, Fault};
use crate::http::{self, HttpServer, Operators};
use crate::metrics::{Metrics, ProcessMetrics};
use crate::reload::{Reloaded, reload};
use crate::shutdown::{Phase, Shutdown};
use crate::telemetry::Telemetry;

/// Serves until a signal ends it; the text is the line for standard error where it could not begin.
pub fn serve(path: &Path, log: &LogArgs) -> Result<ExitCode, String> {
    let config = Config::load(path).map_err(|error| error.to_string())?;
    config.objects.directory().map_err(|error| format!("{}: {error}", path.display()))?;
    let http = HttpServer::bind(config.api.listen)
        .map_err(|error| format!("cannot listen on http {}: {error}", config.api.listen))?;
    let telemetry = Telemetry::start(log).map_err(|error| format!("cannot log: {error}"))?;
    let metrics = Metrics::default();
    metrics.add(ProcessMetrics::start());
    metrics.add(telemetry.dropped_lines());
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    let node = Node { path: path.to_owned(), config, metrics, shutdown: Shutdown::default() };
    let code = runtime.block_on(node.run(http))?;
    drop(telemetry);
    Ok(code)
}

/// The process while it runs.
struct Node {
    path: PathBuf,
    config: Config,
    metrics: Metrics,
    shutdown: Shutdown,
}

impl Node {
    async fn run(mut self, http: HttpServer) -> Result<ExitCode, String> {
        let mut signals = Signals::listen().map_err(|error| format!("no signals: {error}"))?;
        self.log_notices();
        let listening = [format!("listening api http {}", http.address())];
        let operators = Operators { metrics: self.metrics.clone(), phase: self.shutdown.watch() };
        http.start(http::router(operators)).map_err(|error| format!("no HTTP thread: {error}"))?;
        // Whoever serves calls holds a clone of `alive` until its last call is over.
        let (alive, over) = mpsc::channel(1);
        drop(alive);
        announce(listening);
        Ok(self.obey(&mut signals, over).await)
    }

    /// Waits for signals, and for the end that they ask for.
    async fn obey(
        &mut self,
        signals: &mut Signals,
        mut over: mpsc::Receiver<Infallible>,
    ) -> ExitCode {
        let mut draining_until: Option<Instant> = None;
        loop {
            tokio::select! {
                order = signals.next() => match order {
                    Order::Reload => self.reload(),
                    Order::End if draining_until.is_some() => {
                        warn!("told to end a second time: calls are cut");
                        return ExitCode::FAILURE;
                    }
                    Order::End => {
                        let drain_timeout = self.config.sip.drain_timeout;
                        info!(drain_timeout_seconds = drain_timeout.as_secs(), "draining");
                        draining_until = Some(Instant::now() + drain_timeout);
                        self.shutdown.advance(Phase::Draining);
                    }
                },
                _ = over.recv(), if draining_until.is_some() => return ExitCode::SUCCESS,
                () = until(draining_until), if self.shutdown.phase() == Phase::Draining => {
                    self.shutdown.advance(Phase::Ending);
                }
            }
        }
    }

    fn reload(&mut self) {
        match reload(&self.path, &self.config) {
            Ok(Reloaded { config, directory: _, changed, after_restart }) => {
                self.config = config;
                self.log_notices();
                for key in after_restart {
                    warn!(key, "changed in the file: counts from the next start");
                }
                info!(bindings_changed = changed.len(), "config read again");
            }
            Err(refused) => {
                for line in refused.to_string().lines() {
                    warn!(reason = line, "config not changed");
                }
            }
        }
    }

    fn log_notices(&self) {
        for Fault { line, key, reason } in &self.config.notices {
            info!(file = %self.path.display(), line, key, "{reason}");
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => future::pending().await,
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
