//! Events of an engine as log lines and metrics.
//!
//! INFO tells of a call's start, answer and end, of calls that are refused, and of phones that come and go; WARN of
//! a trunk that is dead. Endpoints and trunks go by the names that the operator gave them. Numbers, URIs and
//! addresses stay below INFO; hidden numbers are never told.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use mediator_call::CallRecord;
use mediator_call::io::Event;
use mediator_model::{Directory, Sid, SourceMatch};
use mediator_net::Clock;
use mediator_store::Store;
use tracing::{debug, error, info, warn};

use super::{Audience, SharedState};
use crate::dialouts::remove;
use crate::metrics::ShardMetrics;

/// Tells one shard's events.
pub(super) struct Teller {
    metrics: Arc<ShardMetrics>,
    directory: Arc<ArcSwap<Directory>>,
    audience: Audience,
    /// Dialouts are in it until their stages are joined, or their call has failed.
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Teller {
    pub(super) fn new(metrics: Arc<ShardMetrics>, state: &SharedState, clock: Clock) -> Self {
        let (directory, audience) = (state.directory.clone(), state.audience.clone());
        let store = state.store.clone();
        Self { metrics, directory, audience, store, clock }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.audience.live.note(&event);
        match event {
            Event::CallStarted { call, started } => {
                let caller = started.caller.as_ref();
                let from = caller.map(|(endpoint, _)| self.endpoint_name(*endpoint));
                let reference = started.reference.map(tracing::field::display);
                info!(%call, flow = started.kind.as_str(), from, reference, "call started");
                debug!(
                    %call,
                    redirect = %started.number_redirect,
                    call_id = caller.map(|(_, call_id)| &**call_id),
                    "call routed"
                );
                self.audience.live.begin(call, *started);
            }
            Event::CallRinging { call } => debug!(%call, "call ringing"),
            Event::StageTwoRinging { .. }
            | Event::LegAUp { .. }
            | Event::LegDialled { .. }
            | Event::CodecAgreed { .. }
            | Event::CallGone { .. } => {}
            Event::CallAnswered { call, setup, .. } => {
                self.metrics.setup.observe(setup);
                info!(%call, setup_ms = setup.as_millis() as u64, "call answered");
                if let Some(dialout) = self.audience.live.dialout_of(call) {
                    remove(&*self.store, dialout, self.clock.unix_now());
                }
            }
            Event::CallEnded(record) => self.call_ended(&record),
            Event::CallUnrouted(record) => self.keep(&record),
            Event::Dialled { delay } => self.metrics.added_delay.observe(delay),
            Event::Registration { endpoint, before, contacts, source } => {
                let endpoint = self.endpoint_name(endpoint);
                // Phones refresh all the time: only what changes is news.
                if before != contacts {
                    info!(endpoint, contacts, "registration changed");
                }
                debug!(endpoint, contacts, %source, "registration");
            }
            Event::TrunkFailed { call, trunk, code } => {
                info!(%call, trunk = self.trunk_name(trunk), code, "trunk failed");
            }
            Event::TrunkHealth { trunk, alive: true } => {
                info!(trunk = self.trunk_name(trunk), "trunk is alive");
            }
            Event::TrunkHealth { trunk, alive: false } => {
                warn!(trunk = self.trunk_name(trunk), "trunk is dead");
            }
            Event::Refused { status, reason, source } => {
                self.metrics.refused(status);
                info!(code = status, reason, from = self.name_at(source), "refused");
                debug!(code = status, reason, %source, "refused");
            }
            Event::SoundFailed { call, reference, attribute, reason } => {
                let reference = reference.map(|sid| sid.to_string());
                warn!(%call, reference, attribute, %reason, "not played");
            }
            Event::Bug { call: Some(call), what } => error!(%call, what, "a defect ended a call"),
            Event::Bug { call: None, what } => error!(what, "a defect"),
        }
    }

    /// What the operator calls an endpoint; its sid where a reload has just taken it away.
    fn endpoint_name(&self, sid: Sid) -> String {
        let directory = self.directory.load();
        let found = directory.endpoint_by_sid(sid).and_then(|index| directory.endpoint(index));
        found.map_or_else(|| sid.to_string(), |endpoint| endpoint.name.to_string())
    }

    /// The endpoint that lives at an address: `None` where none does, or several.
    fn name_at(&self, source: IpAddr) -> Option<String> {
        let directory = self.directory.load();
        // The port only tells apart endpoints that share the address.
        let SourceMatch::One(index) = directory.identify(source, 0) else { return None };
        directory.endpoint(index).map(|endpoint| endpoint.name.to_string())
    }

    /// What the operator calls a trunk, behind the name of its group.
    fn trunk_name(&self, sid: Sid) -> String {
        let directory = self.directory.load();
        let mut all = directory
            .trunk_groups()
            .iter()
            .flat_map(|group| group.trunks.iter().map(move |trunk| (group, trunk)));
        let found = all.find(|(_, trunk)| trunk.sid == sid);
        found.map_or_else(
            || sid.to_string(),
            |(group, trunk)| format!("{}/{}", group.name, trunk.name),
        )
    }

    fn call_ended(&self, record: &CallRecord) {
        self.metrics.call_ended(record.kind, record.sip_cause);
        let talked =
            record.date_talk.map_or(0, |talk| record.date_stop.saturating_since(talk).as_millis());
        info!(
            call = %record.call,
            code = record.sip_cause,
            by = record.disconnect_originator.as_str(),
            talked_ms = talked as u64,
            "call ended"
        );
        self.keep(record);
        if let Some(dialout) = &record.dialout {
            // Where its stages were joined it is gone by now, unless the store could not.
            remove(&*self.store, dialout.sid, record.date_stop);
        }
    }

    fn keep(&self, record: &CallRecord) {
        if let Some(recorder) = &self.audience.recorder {
            recorder.call_ended(record);
        }
    }
}
