//! Events of an engine as log lines and metrics.
//!
//! INFO tells of a call's start, answer and end, and of phones and trunks that come and go. Numbers, URIs and
//! addresses stay below INFO; hidden numbers are never told.

use std::collections::HashSet;
use std::sync::Arc;

use mediator_call::CallRecord;
use mediator_call::io::Event;
use mediator_model::Sid;
use tracing::{debug, error, info, warn};

use crate::metrics::ShardMetrics;

/// Bindings whose unserved attributes have been told; more are told again.
const MAX_TOLD: usize = 10_000;

/// Tells one shard's events.
pub(super) struct Teller {
    metrics: Arc<ShardMetrics>,
    told: HashSet<(Sid, &'static str)>,
}

impl Teller {
    pub(super) fn new(metrics: Arc<ShardMetrics>) -> Self {
        Self { metrics, told: HashSet::new() }
    }

    pub(super) fn tell(&mut self, event: Event) {
        match event {
            Event::CallStarted { call, started } => {
                info!(%call, flow = started.kind.as_str(), "call started");
                debug!(
                    %call,
                    endpoint = %started.endpoint,
                    redirect = %started.number_redirect,
                    call_id = %started.call_id,
                    "call routed"
                );
            }
            Event::CallRinging { call } => debug!(%call, "call ringing"),
            Event::CallAnswered { call, setup } => {
                self.metrics.setup.observe(setup);
                info!(%call, setup_ms = setup.as_millis() as u64, "call answered");
            }
            Event::CallEnded(record) => self.call_ended(&record),
            Event::Dialled { delay } => self.metrics.added_delay.observe(delay),
            Event::Registration { endpoint, contacts, source } => {
                info!(%endpoint, contacts, "registration");
                debug!(%endpoint, %source, "registered from");
            }
            Event::TrunkHealth { trunk, alive: true } => info!(%trunk, "trunk is alive"),
            Event::TrunkHealth { trunk, alive: false } => warn!(%trunk, "trunk is dead"),
            Event::Refused { status, reason, source } => {
                self.metrics.refused(status);
                debug!(status, reason, %source, "refused");
            }
            Event::AttributeUnserved { binding, attribute } => {
                if self.told.len() >= MAX_TOLD {
                    self.told.clear();
                }
                if self.told.insert((binding, attribute)) {
                    warn!(%binding, attribute, "needs media, which this version does not have: not played");
                }
            }
            Event::Bug { call: Some(call), what } => error!(%call, what, "a defect ended a call"),
            Event::Bug { call: None, what } => error!(what, "a defect"),
        }
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
    }
}
