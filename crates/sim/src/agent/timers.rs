//! An agent's time: retransmissions, patience, cues.

use super::{Agent, Standing, T2};
use mediator_model::Instant;

impl Agent {
    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let clients = self
            .clients
            .iter()
            .filter(|tx| !tx.done)
            .map(|tx| tx.resend.map_or(tx.give_up, |(at, _)| at.min(tx.give_up)));
        let finals = self
            .servers
            .iter()
            .flat_map(|tx| &tx.finals)
            .filter(|reply| !reply.acked && !reply.gave_up)
            .map(|reply| reply.at.min(reply.give_up));
        let reliable = self.dialogs().filter_map(|d| d.reliable.as_ref()).map(|r| r.at);
        let cues = self.cues.iter().map(|(at, _, _)| *at);
        clients.chain(finals).chain(reliable).chain(cues).chain(self.next_talk()).min()
    }

    /// Does what is due.
    pub(crate) fn handle_deadline(&mut self, now: Instant) {
        self.now = now;
        self.run_clients();
        self.run_finals();
        self.run_reliable();
        while let Some(at) = self.cues.iter().position(|(at, _, _)| *at <= now) {
            let (_, call, what) = self.cues.remove(at);
            self.act(call, what);
        }
        self.run_talks();
    }

    fn run_clients(&mut self) {
        let now = self.now;
        let mut out = Vec::new();
        let mut lost = Vec::new();
        for tx in self.clients.iter_mut().filter(|tx| !tx.done) {
            if tx.give_up <= now {
                tx.done = true;
                lost.push((tx.call, tx.method.clone()));
                continue;
            }
            if let Some((at, interval)) = tx.resend
                && at <= now
            {
                out.push(tx.bytes.clone());
                let doubled = interval * 2;
                let next = if tx.method == "INVITE" { doubled } else { doubled.min(T2) };
                tx.resend = Some((now + next, next));
            }
        }
        for bytes in out {
            self.send(bytes);
        }
        for (call, method) in lost {
            if method == "INVITE"
                && let Some(call) = self.calls.get_mut(call)
                && call.dialogs.iter().all(|dialog| dialog.standing == Standing::Early)
            {
                call.outcome.get_or_insert(408);
            }
        }
    }

    fn run_finals(&mut self) {
        let now = self.now;
        let mut out = Vec::new();
        let mut ended = Vec::new();
        for tx in &mut self.servers {
            for reply in tx.finals.iter_mut().filter(|reply| !reply.acked && !reply.gave_up) {
                if reply.give_up <= now {
                    reply.gave_up = true;
                    if reply.status < 300 {
                        ended.push((tx.call, reply.tag.clone()));
                    }
                } else if reply.at <= now {
                    out.push(reply.bytes.clone());
                    reply.interval = (reply.interval * 2).min(T2);
                    reply.at = now + reply.interval;
                }
            }
        }
        for bytes in out {
            self.send(bytes);
        }
        for (call, tag) in ended {
            let Some(at) = call else { continue };
            let found = self
                .calls
                .get(at)
                .and_then(|call| call.dialogs.iter().position(|dialog| dialog.local_tag == tag));
            // RFC 3261 §13.3.1.4: without an ACK the session ends.
            if let Some(dialog) = found {
                self.bye(at, dialog);
            }
        }
    }

    fn run_reliable(&mut self) {
        let now = self.now;
        let mut out = Vec::new();
        for dialog in self.calls.iter_mut().flat_map(|call| &mut call.dialogs) {
            let Some(sent) = &mut dialog.reliable else { continue };
            if sent.give_up <= now || dialog.standing == Standing::Ended {
                dialog.reliable = None;
            } else if sent.at <= now {
                out.push(sent.bytes.clone());
                sent.interval *= 2;
                sent.at = now + sent.interval;
            }
        }
        for bytes in out {
            self.send(bytes);
        }
    }
}
