//! What all shards share: bindings, registrations, limits, the directory and the resolver.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use mediator_call::io::{Listener, Ports, Settings};
use mediator_model::{Directory, DirectoryError, Instant, UnixMillis};
use mediator_net::Clock;
use mediator_sip::digest::NonceKey;
use mediator_table::{BanSettings, ContactTable, DuplicateKey, Gate, GateSettings};

use crate::config::{Config, SipSettings};
use crate::live::LiveCalls;
use crate::records::Recorder;
use crate::{metrics, provision};

/// Why a config makes no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Its objects do not fit together.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    /// Two bindings with one key.
    #[error("{0}")]
    Bindings(#[from] DuplicateKey),
}

/// Who hears of calls beside logs and metrics.
#[derive(Clone, Default)]
pub struct Audience {
    /// The calls that are up.
    pub live: Arc<LiveCalls>,
    /// Keeps their records; `None`: nobody does.
    pub recorder: Option<Arc<Recorder>>,
}

/// What all shards share.
#[derive(Clone)]
pub struct SharedState {
    /// Bindings, registrations and the gate.
    pub tables: metrics::SharedState,
    /// Endpoints, trunk groups and DIDs as they are now.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Who hears of calls beside logs and metrics.
    pub audience: Audience,
    nonce_key: NonceKey,
}

impl SharedState {
    /// The state that a config provisions at `now`. `nonce_seed` is fresh, so that nonces do not outlive the process.
    pub fn provision(
        config: &Config,
        now: UnixMillis,
        nonce_seed: [u8; 32],
    ) -> Result<Self, StateError> {
        let ban = config.sip.ban;
        let gate = Gate::new(GateSettings {
            ban: BanSettings { failures: ban.failures, window: ban.window, duration: ban.duration },
            ..GateSettings::default()
        });
        let tables = metrics::SharedState {
            bindings: Arc::new(provision::table(&config.objects.bindings, now)?),
            contacts: Arc::new(ContactTable::new()),
            gate: Arc::new(gate),
        };
        Ok(Self {
            tables,
            directory: Arc::new(ArcSwap::from_pointee(config.objects.directory()?)),
            audience: Audience::default(),
            nonce_key: NonceKey::new(nonce_seed),
        })
    }

    /// What engines read of it.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            bindings: self.tables.bindings.clone(),
            locations: self.tables.contacts.clone(),
            admission: self.tables.gate.clone(),
        }
    }

    /// The engine's settings from the config's.
    pub fn settings(&self, sip: &SipSettings, listeners: Vec<Listener>) -> Settings {
        Settings {
            realm: sip.realm.clone(),
            digest: sip.digest.clone(),
            ring_timeout: sip.ring_timeout,
            trunk_timeout: sip.trunk_timeout,
            max_call_duration: sip.max_call_duration,
            session_expires: sip.session_expires,
            min_se: sip.min_se,
            ..Settings::new(listeners, self.nonce_key.clone())
        }
    }
}

/// The wall clock at the monotonic clock's zero.
pub fn epoch(clock: &Clock) -> UnixMillis {
    let since: Duration = clock.now().saturating_since(Instant::ZERO);
    UnixMillis(clock.unix_now().0.saturating_sub(since.as_millis() as u64))
}
