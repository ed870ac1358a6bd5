//! OPTIONS probing of trunks: dead after some unanswered in a row, alive at the first answer (contract §1).
//!
//! One shard probes each trunk: the one that its sid hashes to.

use alloc::format;
use alloc::vec::Vec;
use core::net::SocketAddr;

use hashbrown::{HashMap, HashSet};
use mediator_model::{AddressHost, Flow, Sid, Transport};
use mediator_sip::message::Method;

use crate::context::{ClientUse, Core, Hop, Resolving, TimerKey};
use crate::engine::Engine;
use crate::io::Event;
use crate::request::MAX_FORWARDS;

/// A trunk by its number in [`TimedTrunks`]: every timer and transaction has room for one, so it is small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TrunkNumber(u32);

/// The trunks that were probed or cooled down here; no more than there ever were.
#[derive(Debug, Default)]
pub(crate) struct TimedTrunks(Vec<Sid>);

impl TimedTrunks {
    /// The trunk's number, the same each time.
    pub(crate) fn number(&mut self, trunk: Sid) -> TrunkNumber {
        let known = self.0.iter().position(|sid| *sid == trunk);
        let number = known.unwrap_or_else(|| {
            self.0.push(trunk);
            self.0.len() - 1
        });
        TrunkNumber(number as u32)
    }

    pub(crate) fn sid(&self, number: TrunkNumber) -> Option<Sid> {
        self.0.get(number.0 as usize).copied()
    }
}

/// A trunk that is probed; stale once the directory has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProbeKey {
    trunk: TrunkNumber,
    generation: u32,
}

/// What this shard probes.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    generation: u32,
    /// Whether the trunk was alive when last asked.
    alive: HashMap<Sid, bool>,
}

impl Core {
    /// A trunk's cooldown should be over; it is not where the trunk has died again or does not answer OPTIONS.
    pub(crate) fn cooldown_over(&mut self, trunk: TrunkNumber) {
        let Some(trunk) = self.timed.sid(trunk) else { return };
        if !self.ports.admission.is_dead(trunk, self.now) {
            self.event(Event::TrunkHealth { trunk, alive: true });
        }
    }
}

impl Engine {
    /// Starts over with the trunks of the directory; health is kept by trunk.
    pub(crate) fn plan_probes(&mut self) {
        self.probes.generation = self.probes.generation.wrapping_add(1);
        let generation = self.probes.generation;
        let core = &mut self.core;
        let directory = core.directory.clone();
        let trunks = directory.trunk_groups().iter().flat_map(|group| &group.trunks);
        let known: HashSet<Sid> = trunks.map(|trunk| trunk.sid).collect();
        self.probes.alive.retain(|trunk, _| known.contains(trunk));
        for group in directory.trunk_groups() {
            for trunk in &group.trunks {
                if trunk.sid.as_u128() % core.shards as u128 != core.shard as u128 {
                    continue;
                }
                let Some(interval) = group.failure.options_interval else {
                    // Nothing would ever tell that it is back: calls find out.
                    if self.probes.alive.remove(&trunk.sid) == Some(false) {
                        core.ports.admission.probe_result(trunk.sid, true, 0, core.now);
                        core.event(Event::TrunkHealth { trunk: trunk.sid, alive: true });
                    }
                    continue;
                };
                let probe = ProbeKey { trunk: core.timed.number(trunk.sid), generation };
                // Spread over the first interval, so that a start is no burst.
                let share = core.dice.below(1000) as u32;
                let first = core.now + interval * share / 1000;
                core.wheel.insert(first, TimerKey::Probe(probe));
            }
        }
    }

    pub(crate) fn probe_due(&mut self, probe: ProbeKey) {
        if probe.generation != self.probes.generation {
            return;
        }
        let core = &mut self.core;
        let Some(trunk_sid) = core.timed.sid(probe.trunk) else { return };
        let directory = core.directory.clone();
        let found = directory.trunk_groups().iter().find_map(|group| {
            let trunk = group.trunks.iter().find(|trunk| trunk.sid == trunk_sid)?;
            Some((group.failure.options_interval?, directory.endpoint(trunk.endpoint)?))
        });
        let Some((interval, endpoint)) = found else { return };
        core.wheel.insert(core.now + interval, TimerKey::Probe(probe));
        let address = endpoint
            .addresses
            .iter()
            .filter(|address| address.direction.admits_outbound())
            .min_by_key(|address| address.priority);
        let Some(address) = address else { return };
        let transport = address.transport.unwrap_or(Transport::Udp);
        let hop = match &address.host {
            AddressHost::Ip(ip) => {
                let remote = SocketAddr::new(*ip, address.port.unwrap_or(transport.default_port()));
                core.flow_to(transport, remote).map_or(Hop::Unreachable, Hop::Flow)
            }
            AddressHost::Name(name) => Hop::Name {
                host: name.clone(),
                port: address.port,
                transport: address.transport,
                sips: false,
            },
            AddressHost::Block(_) => Hop::Unreachable,
        };
        match hop {
            Hop::Flow(flow) => send_options(core, probe, flow),
            name @ Hop::Name { .. } => {
                core.resolve(name, Resolving::Probe(probe));
            }
            Hop::Unreachable => self.probe_answered(probe, 503),
        }
    }

    pub(crate) fn probe_resolved(&mut self, probe: ProbeKey, flow: Option<Flow>) {
        match flow {
            Some(flow) => send_options(&mut self.core, probe, flow),
            None => self.probe_answered(probe, 503),
        }
    }

    /// Any final answer but 408 and 503 shows that somebody is there.
    pub(crate) fn probe_answered(&mut self, probe: ProbeKey, status: u16) {
        if status < 200 {
            return;
        }
        let core = &mut self.core;
        let Some(trunk) = core.timed.sid(probe.trunk) else { return };
        let threshold = core
            .directory
            .trunk_groups()
            .iter()
            .find(|group| group.trunks.iter().any(|known| known.sid == trunk))
            .map_or(3, |group| group.failure.options_threshold);
        let answered = !matches!(status, 408 | 503);
        core.ports.admission.probe_result(trunk, answered, threshold, core.now);
        let alive = !core.ports.admission.is_dead(trunk, core.now);
        let before = self.probes.alive.insert(trunk, alive).unwrap_or(true);
        if before != alive {
            core.event(Event::TrunkHealth { trunk, alive });
        }
    }
}

fn send_options(core: &mut Core, probe: ProbeKey, flow: Flow) {
    use mediator_sip::HeaderName;
    let Some(us) = core.listener(&flow).map(|listener| listener.advertised) else { return };
    let branch = core.dice.branch();
    let uri = format!("sip:{}", flow.remote);
    let mut writer = core.begin_request("OPTIONS", uri.as_bytes(), &flow, &branch, MAX_FORWARDS);
    let call_id = core.dice.call_id(core.shard, core.shards);
    let tag = core.stray_tag();
    writer.header_fmt(HeaderName::From, format_args!("<sip:{us}>;tag={tag}"));
    writer.header_fmt(HeaderName::To, format_args!("<sip:{}>", flow.remote));
    writer.header(HeaderName::CallId, call_id.as_bytes());
    writer.header(HeaderName::CSeq, "1 OPTIONS");
    core.write_contact(&mut writer, &flow);
    writer.header(HeaderName::Accept, "application/sdp");
    let bytes = writer.finish(None);
    core.start_client(Method::Options, &branch, bytes, flow, ClientUse::Probe(probe));
}
