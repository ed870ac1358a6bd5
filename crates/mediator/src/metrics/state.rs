//! What the engines count, and what the state that shards share holds: read when the page is asked for.

use std::sync::Arc;

use mediator_call::{Counter, Counters};
use mediator_table::{BindingTable, ContactTable, Gate};

use super::{Kind, Page, Source};

/// Every engine's counts.
#[derive(Clone, Debug)]
pub struct EngineCounts(pub Vec<Arc<Counters>>);

impl EngineCounts {
    fn sum(&self, of: fn(&Counters) -> &Counter) -> u64 {
        self.0.iter().map(|counters| of(counters).count()).sum()
    }
}

/// A family of one number.
struct Row {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    of: fn(&Counters) -> &Counter,
}

const ROWS: [Row; 9] = [
    Row {
        name: "mediator_calls_started_total",
        help: "Calls admitted.",
        kind: Kind::Counter,
        of: |own| &own.calls_started,
    },
    Row {
        name: "mediator_calls_answered_total",
        help: "Calls answered.",
        kind: Kind::Counter,
        of: |own| &own.calls_answered,
    },
    Row {
        name: "mediator_calls_reaped_total",
        help: "Calls found stuck and ended; each is a defect of the server.",
        kind: Kind::Counter,
        of: |own| &own.calls_reaped,
    },
    Row {
        name: "mediator_media_ports_exhausted_total",
        help: "Calls refused because no port of media.port_range was free.",
        kind: Kind::Counter,
        of: |own| &own.media_exhausted,
    },
    Row {
        name: "mediator_sounds_failed_total",
        help: "Sounds that a binding or a dialout asks for and that could not be played.",
        kind: Kind::Counter,
        of: |own| &own.sounds_failed,
    },
    Row {
        name: "mediator_sip_transactions_active",
        help: "Transactions now.",
        kind: Kind::Gauge,
        of: |own| &own.transactions_live,
    },
    Row {
        name: "mediator_sip_retransmissions_total",
        help: "Messages sent again.",
        kind: Kind::Counter,
        of: |own| &own.retransmissions,
    },
    Row {
        name: "mediator_sip_challenges_total",
        help: "Challenges sent.",
        kind: Kind::Counter,
        of: |own| &own.challenges,
    },
    Row {
        name: "mediator_sip_stray_responses_total",
        help: "Responses that belong to nothing.",
        kind: Kind::Counter,
        of: |own| &own.stray_responses,
    },
];

impl Source for EngineCounts {
    fn collect(&self, page: &mut Page) {
        page.family("mediator_calls_active", "Calls now.", Kind::Gauge);
        page.sample(&[], self.0.iter().map(|own| own.calls_live()).sum::<u64>());
        for Row { name, help, kind, of } in ROWS {
            page.family(name, help, kind);
            page.sample(&[], self.sum(of));
        }
        page.family(
            "mediator_sip_rejected_total",
            "Messages that could not be used: no SIP, malformed, or from a banned address.",
            Kind::Counter,
        );
        page.sample(&[("reason", "garbage")], self.sum(|own| &own.garbage));
        page.sample(&[("reason", "malformed")], self.sum(|own| &own.malformed));
        page.sample(&[("reason", "banned")], self.sum(|own| &own.silenced));
    }
}

/// Bindings, registrations and the gate.
#[derive(Clone)]
pub struct SharedState {
    /// The binding table.
    pub bindings: Arc<BindingTable>,
    /// The registrar's location service.
    pub contacts: Arc<ContactTable>,
    /// Limits, health, replays and bans.
    pub gate: Arc<Gate>,
}

impl Source for SharedState {
    fn collect(&self, page: &mut Page) {
        page.family("mediator_bindings", "Bindings in the table.", Kind::Gauge);
        page.sample(&[], self.bindings.len());
        page.family("mediator_registered_contacts", "Contacts of registered phones.", Kind::Gauge);
        page.sample(&[], self.contacts.len());
        let gate = self.gate.counters();
        page.family("mediator_bans_total", "Addresses banned for guessing.", Kind::Counter);
        page.sample(&[], gate.bans);
        page.family("mediator_admission_refused_total", "Refusals by a limit.", Kind::Counter);
        for (reason, count) in [
            ("capacity", gate.refused_capacity),
            ("rate", gate.refused_rate),
            ("challenges", gate.challenges_withheld),
            ("replay", gate.replays),
            ("nonces_full", gate.nonces_full),
        ] {
            page.sample(&[("reason", reason)], count);
        }
        page.family(
            "mediator_sources_pushed_out_total",
            "Addresses forgotten early because too many are known: a flood.",
            Kind::Counter,
        );
        page.sample(&[], gate.sources_pushed_out);
    }
}
