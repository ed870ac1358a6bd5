//! What must be so at the end of every run.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mediator_call::io::Event;

use crate::agent::{Party, Standing, Talk};
use crate::world::Sim;

/// Longer than any transaction, any ringing and any patience.
const LONG: Duration = Duration::from_mins(4);

impl Sim {
    /// Ends what is left, one side after the other, and checks every rule; gives what was broken.
    pub fn settle(&mut self, first: Party) -> Vec<String> {
        let second = if first == Party::A { Party::B } else { Party::A };
        self.finish(first);
        // The end of one side must have reached the other.
        for agent in self.agents.iter().filter(|agent| agent.profile.party == second) {
            let open = agent.confirmed();
            if open > 0 && !agent.quirks.silent {
                self.faults.push(format!("{}: {open} calls did not end", agent.profile.name));
            }
        }
        self.finish(second);
        self.check_engines();
        self.check_media();
        self.check_talks();
        self.check_agents();
        self.check_sdp();
        self.check_events();
        let mut faults = std::mem::take(&mut self.faults);
        for agent in &mut self.agents {
            faults.append(&mut agent.faults);
        }
        faults
    }

    fn finish(&mut self, party: Party) {
        for place in 0..self.agents.len() {
            if self.ua(place).profile.party == party {
                self.ua(place).finish();
            }
        }
        self.run_for(LONG);
    }

    fn check_engines(&mut self) {
        let (calls, transactions) = (self.live_calls(), self.live_transactions());
        if calls + transactions > 0 {
            self.faults.push(format!("{calls} calls and {transactions} transactions are left"));
        }
        let held: Vec<String> = self
            .directory
            .endpoints()
            .iter()
            .filter(|endpoint| self.gate.calls_of(endpoint.sid) > 0)
            .map(|endpoint| format!("capacity of {} is not given back", endpoint.name))
            .collect();
        self.faults.extend(held);
    }

    /// What we send is one stream a call, whatever it is made of.
    fn check_talks(&mut self) {
        let us = self.room.us;
        for agent in self.agents.iter().filter(|agent| !agent.replayed) {
            let ours = |talk: &&Talk| talk.heard.iter().all(|heard| heard.from.ip() == us);
            for fault in agent.talks.iter().filter(ours).flat_map(Talk::faults) {
                self.faults.push(format!("{}: {fault}", agent.profile.name));
            }
        }
    }

    fn check_agents(&mut self) {
        for agent in &self.agents {
            if agent.quirks.silent {
                continue;
            }
            let name = agent.profile.name;
            for call in &agent.calls {
                if call.outcome.is_none() {
                    self.faults.push(format!("{name}: an INVITE without a final response"));
                }
                if call.dialogs.iter().any(|dialog| dialog.standing == Standing::Confirmed) {
                    self.faults.push(format!("{name}: a call did not end"));
                }
            }
            for reply in agent.servers.iter().flat_map(|tx| &tx.finals) {
                if !(reply.acked || reply.late && reply.status >= 300) {
                    let status = reply.status;
                    self.faults.push(format!("{name}: no ACK for its {status}"));
                }
            }
        }
    }

    /// RFC 3264 §8: one session in a dialog, and a version for each of its descriptions. RFC 3261 §13.2.1: no 2xx
    /// without an answer.
    fn check_sdp(&mut self) {
        for agent in &self.agents {
            let name = agent.profile.name;
            for dialog in agent.dialogs() {
                let mut known: HashMap<&str, &str> = HashMap::new();
                for sdp in &dialog.heard {
                    let origin = sdp.lines().nth(1).unwrap_or_default();
                    if known.insert(origin, sdp).is_some_and(|other| other != sdp) {
                        self.faults.push(format!("{name}: two descriptions under {origin}"));
                    }
                }
                let session = |origin: &&str| origin.split(' ').nth(1).map(str::to_owned);
                let sessions: HashSet<_> = known.keys().map(session).collect();
                if sessions.len() > 1 {
                    self.faults.push(format!("{name}: several sessions in one dialog"));
                }
                if dialog.unanswered_offers > 0 {
                    self.faults.push(format!("{name}: a 2xx without an answer"));
                }
            }
        }
    }

    fn check_events(&mut self) {
        let mut calls: HashMap<_, String> = HashMap::new();
        for (_, event) in &self.events {
            match event {
                Event::CallStarted { call, .. } => calls.entry(*call).or_default().push('s'),
                Event::CallEnded(record) => calls.entry(record.call).or_default().push('e'),
                Event::CallGone { call } => calls.entry(*call).or_default().push('g'),
                _ => {}
            }
        }
        let odd = calls.values().filter(|stages| *stages != "seg").count();
        if odd > 0 {
            self.faults.push(format!("{odd} calls did not start, end and go once, in this order"));
        }
    }
}
