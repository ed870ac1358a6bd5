//! What runs beside the shards: call records, dialouts, callbacks, retention and the API, tied to one another.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use mediator_api::callbacks::{self, Deliverer, Wake};
use mediator_api::catalog::Catalog;
use mediator_api::ports::Backend;
use mediator_api::{PublicScheme, Settings};
use mediator_call::io::Listener;
use mediator_net::Clock;
use mediator_store::record::DialoutRecord;
use mediator_store::{Calls, Store, Versioned};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::dialouts::{DialoutParts, Dialouts};
use crate::http::{self, HttpServer, Operators, ReloadableTls, Serving};
use crate::live::LiveCalls;
use crate::memory::Memory;
use crate::metrics::{CallbackMetrics, RequestCounts, count_request};
use crate::process::Running;
use crate::records::{Recorder, RecorderParts};
use crate::retention::Retention;
use crate::shards::{Audience, Orders, SharedState};

/// The partner's callback for records of the Mediator API.
const CALLBACK: &str = "app_mediator";
/// How long requests and posts under way may take when the process ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What hears of calls, made before the shards.
pub struct Ears {
    /// Live calls and records.
    pub audience: Audience,
    recorder: Arc<Recorder>,
    wake: Wake,
}

impl Ears {
    /// Keeps records in `calls`, and queues them for the callback that the catalog names.
    pub fn new(calls: Arc<dyn Calls>, catalog: Arc<Catalog>, listeners: Vec<Listener>) -> Self {
        let wake = Wake::default();
        let waker = wake.clone();
        let recorder = Arc::new(Recorder::new(RecorderParts {
            calls,
            callback: Box::new(move || callback_url(&catalog)),
            listeners,
            delivery_queued: Box::new(move || waker.wake()),
        }));
        let audience =
            Audience { live: Arc::new(LiveCalls::default()), recorder: Some(recorder.clone()) };
        Self { audience, recorder, wake }
    }
}

fn callback_url(catalog: &Catalog) -> Option<Box<str>> {
    let partner = catalog.partner()?;
    partner.record.callbacks.get(CALLBACK)?.as_str().filter(|url| !url.is_empty()).map(Into::into)
}

/// What the services are made of.
pub struct ServiceParts<'a> {
    /// The settings.
    pub config: &'a Config,
    /// Objects.
    pub store: Arc<dyn Store>,
    /// Call records and deliveries.
    pub calls: Arc<dyn Calls>,
    /// The objects in memory.
    pub memory: Arc<Memory>,
    /// What shards share.
    pub state: SharedState,
    /// The way to the shards.
    pub orders: Orders,
    /// What hears of calls.
    pub ears: Ears,
    /// Dialouts that the store held at start.
    pub dialouts: Vec<Versioned<Arc<DialoutRecord>>>,
    /// The clock.
    pub clock: Clock,
}

/// The services while they run.
pub struct Services {
    serving: Serving,
    deliverer: Deliverer,
    schedule: JoinHandle<()>,
}

impl Services {
    /// Starts them all; HTTP answers from here on.
    pub fn start(
        parts: ServiceParts<'_>,
        http: HttpServer,
        tls: Option<Arc<ReloadableTls>>,
        operators: Operators,
    ) -> Result<Self, String> {
        let ServiceParts { config, store, calls, memory, state, orders, ears, dialouts, clock } =
            parts;
        let schedule = Arc::new(Dialouts::new(DialoutParts {
            store: store.clone(),
            recorder: ears.recorder,
            grace: config.dialout.grace,
            dialer: Arc::new(orders.clone()),
        }));
        schedule.begin(dialouts, clock.unix_now());
        memory.schedule(schedule.clone());
        let waker = ears.wake.clone();
        let process = Running {
            clock,
            state,
            orders,
            dialouts: schedule.clone(),
            wake_deliverer: Box::new(move || waker.wake()),
        };
        let backend = Backend {
            store,
            calls: calls.clone(),
            catalog: memory.catalog.clone(),
            process: Arc::new(process),
        };
        let requests = RequestCounts::default();
        let metrics = operators.metrics.clone();
        metrics.add(requests.clone());
        let router = mediator_api::router(backend.clone(), settings(config, &http, tls.is_some()))
            .layer(from_fn_with_state(requests, count_request))
            .merge(http::router(operators));
        let serving =
            http.start(router, tls).map_err(|error| format!("no HTTP thread: {error}"))?;
        let runtime = serving.runtime().clone();
        let deliverer =
            callbacks::start(&backend, ears.wake, &runtime).map_err(|error| error.to_string())?;
        metrics.add(CallbackMetrics(deliverer.counts()));
        let schedule = runtime.spawn(async move { schedule.run(clock).await });
        start_retention(config, calls, &runtime, clock);
        Ok(Self { serving, deliverer, schedule })
    }

    /// No dialout is dialled any more; they wait for the next start.
    pub fn drain(&self) {
        self.schedule.abort();
    }

    /// Ends them: what is under way is answered, nothing new is taken.
    pub async fn stop(self) {
        self.deliverer.stop(LAST_ANSWERS).await;
        self.serving.stop(LAST_ANSWERS).await;
    }
}

fn settings(config: &Config, http: &HttpServer, with_tls: bool) -> Settings {
    Settings {
        public_scheme: if with_tls { PublicScheme::Https } else { PublicScheme::Http },
        public_base: None,
        listen: http.address(),
        core_username: config.core.username.clone(),
        core_password: config.core.password.clone(),
    }
}

fn start_retention(config: &Config, calls: Arc<dyn Calls>, runtime: &Handle, clock: Clock) {
    let Some(keep) = config.store.cdr_retention else { return };
    runtime.spawn(Retention { calls, keep }.run(clock));
}
