//! What all shards share: bindings, registrations, limits, the directory and the resolver.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use mediator_call::io::{Listener, MediaMode, MediaSettings, Ports, Settings};
use mediator_model::{Directory, Instant, UnixMillis};
use mediator_net::{Clock, RtpPorts};
use mediator_sip::digest::NonceKey;
use mediator_store::Store;
use mediator_table::{BanSettings, ContactTable, Gate, GateSettings};

use crate::config::{self, Config, SipSettings};
use crate::live::LiveCalls;
use crate::media::Media;
use crate::memory::Memory;
use crate::metrics;
use crate::records::Recorder;

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
    /// Where claims are made durable.
    pub store: Arc<dyn Store>,
    /// The ports for media.
    pub media_ports: Arc<RtpPorts>,
    /// The threads that carry it.
    pub media: Media,
    nonce_key: NonceKey,
}

/// What ends with the process.
pub struct OfProcess {
    /// Fresh, so that nonces do not outlive the process.
    pub nonce_seed: [u8; 32],
    /// The ports for media.
    pub media_ports: Arc<RtpPorts>,
    /// The threads that carry it.
    pub media: Media,
}

/// The gate of `[sip]`.
pub fn gate(sip: &SipSettings) -> Gate {
    let ban = sip.ban;
    Gate::new(GateSettings {
        ban: BanSettings { failures: ban.failures, window: ban.window, duration: ban.duration },
        ..GateSettings::default()
    })
}

impl SharedState {
    /// What memory holds of a store, and what ends with the process.
    pub fn new(memory: &Memory, store: Arc<dyn Store>, audience: Audience, own: OfProcess) -> Self {
        let tables = metrics::SharedState {
            bindings: memory.bindings.clone(),
            contacts: Arc::new(ContactTable::new()),
            gate: memory.gate.clone(),
        };
        let directory = memory.directory.clone();
        let OfProcess { nonce_seed, media_ports, media } = own;
        let nonce_key = NonceKey::new(nonce_seed);
        Self { tables, directory, audience, store, media_ports, media, nonce_key }
    }

    /// What engines read of it.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            bindings: self.tables.bindings.clone(),
            locations: self.tables.contacts.clone(),
            admission: self.tables.gate.clone(),
            media: self.media_ports.clone(),
        }
    }

    /// The engine's settings from the config's.
    pub fn settings(&self, config: &Config, listeners: Vec<Listener>) -> Settings {
        let Config { sip, media, dialout, .. } = config;
        let media = media_settings(media, sip);
        let dialout = mediator_call::io::DialoutSettings {
            confirmation_key: dialout.confirmation_key,
            confirmation_attempts: dialout.confirmation_attempts,
            confirmation_wait: dialout.confirmation_wait,
        };
        Settings {
            media,
            dialout,
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

/// What SDP names as ours: `media.advertised_address`, else `sip.advertised_address` where it is of media's family, else
/// the address that media listens on; for a wildcard the one that leads out of this machine.
pub fn media_address(media: &config::MediaSettings, sip: &SipSettings) -> IpAddr {
    let listens = media.listen_address;
    let of_sip = sip.advertised_address.filter(|address| address.is_ipv4() == listens.is_ipv4());
    media.advertised_address.or(of_sip).unwrap_or_else(|| super::own_ip(listens))
}

/// `[media]` as engines need it.
fn media_settings(media: &config::MediaSettings, sip: &SipSettings) -> MediaSettings {
    MediaSettings {
        mode: match media.mode {
            config::MediaMode::Relay => MediaMode::Relay,
            config::MediaMode::Direct => MediaMode::Direct,
        },
        address: media_address(media, sip),
        timeout: media.media_timeout,
        answer_before_announce: media.answer_before_announce,
    }
}

/// The wall clock at the monotonic clock's zero.
pub fn epoch(clock: &Clock) -> UnixMillis {
    let since: Duration = clock.now().saturating_since(Instant::ZERO);
    UnixMillis(clock.unix_now().0.saturating_sub(since.as_millis() as u64))
}
