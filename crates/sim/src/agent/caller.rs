//! An agent as UAC: its INVITE, responses to everything that it sent.

use bytes::Bytes;
use mediator_sip::digest::{Asked, Challenge, Counted, Login, answer, choose};

use super::compose::Parts;
use super::{Agent, AgentCall, ClientTx, Dialog, Media, PATIENCE, Standing, T1};
use crate::Wire;

impl Agent {
    /// Calls a number; gives the call's place in [`Agent::calls`].
    pub fn invite(&mut self, number: &str) -> usize {
        let server = self.server;
        let host = self.profile.at.ip();
        let call_id = format!("{}@{host}", self.mint("call"));
        let from = self.quirks.from.clone().unwrap_or_else(|| {
            let canary = self.profile.party.canary();
            let display = if self.quirks.plain { "" } else { canary };
            format!("\"{display}\" <sip:{}@{}>", self.profile.user, self.profile.at)
        });
        let tag = self.mint("tag");
        let call = self.calls.len();
        self.calls.push(AgentCall {
            is_caller: true,
            call_id,
            invite: None,
            dialogs: Vec::new(),
            outcome: None,
            answer: None,
            heard: Vec::new(),
            cancelled: false,
            local: format!("{from};tag={tag}"),
            remote: format!("<sip:{number}@{server}>"),
            uri: format!("sip:{number}@{server}"),
            cseq: 0,
            challenged: false,
            wants_100rel: false,
        });
        self.send_invite(call, Vec::new());
        call
    }

    /// Sends a request outside every dialog, written by the test.
    pub fn say(&mut self, text: &str) {
        self.send(crate::stage::bytes_of(text));
    }

    fn send_invite(&mut self, at: usize, mut extra: Vec<(String, String)>) {
        let branch = format!("z9hG4bK{}", self.mint("b"));
        let Some(call) = self.calls.get_mut(at) else { return };
        call.cseq += 1;
        let call = call.clone();
        let mut supported = Vec::new();
        if self.quirks.session_expires.is_some() {
            supported.push("timer");
        }
        if self.quirks.supports_100rel {
            supported.push("100rel");
        }
        if !supported.is_empty() {
            extra.push(("Supported".into(), supported.join(", ")));
        }
        if self.quirks.requires_100rel {
            extra.push(("Require".into(), "100rel".into()));
        }
        if let Some(expires) = &self.quirks.session_expires {
            extra.push(("Session-Expires".into(), expires.clone()));
        }
        let hops = self.quirks.max_forwards.unwrap_or(70);
        extra.push(("Max-Forwards".into(), hops.to_string()));
        extra.extend(self.quirks.extra.iter().cloned());
        let body =
            if self.quirks.late_offer { None } else { self.sdp_body((at, 1), Media::Active, None) };
        let bytes = self.compose(&Parts {
            start: format!("INVITE {} SIP/2.0", call.uri),
            vias: vec![self.via(&branch)],
            from: call.local.clone(),
            to: call.remote.clone(),
            call_id: &call.call_id,
            cseq: format!("{} INVITE", call.cseq),
            extra,
            body,
        });
        self.start_client(("INVITE", call.cseq, branch), (at, None), bytes);
    }

    pub(crate) fn start_client(
        &mut self,
        (method, cseq, branch): (&str, u32, String),
        (call, tags): (usize, Option<(String, String)>),
        bytes: Bytes,
    ) {
        let resend =
            if self.profile.transport.is_reliable() { None } else { Some((self.now + T1, T1)) };
        self.clients.push(ClientTx {
            branch,
            method: method.to_owned(),
            cseq,
            call,
            tags,
            bytes: bytes.clone(),
            resend,
            give_up: self.now + PATIENCE,
            proceeding: false,
            done: false,
        });
        self.sent_requests.push(bytes.clone());
        self.send(bytes);
    }

    /// A response that came.
    pub(crate) fn response(&mut self, wire: &Wire) {
        let found = self
            .clients
            .iter()
            .position(|tx| tx.branch == wire.branch() && tx.method == wire.method());
        let Some(at) = found else {
            if self.quirks.careless {
                return;
            }
            return self.fault(format!("a response to nothing: {wire:?}"));
        };
        if wire.to_tag().is_none() && wire.status() > 100 {
            self.fault(format!("a response without a To tag: {wire:?}"));
        }
        let Some(tx) = self.clients.get_mut(at) else { return };
        let (call, tags, method) = (tx.call, tx.tags.clone(), tx.method.clone());
        match wire.status() {
            ..200 => {
                tx.proceeding = true;
                if method == "INVITE" {
                    tx.resend = None;
                    // Ringing may take long; the test's end is the end.
                    tx.give_up = mediator_model::Instant::FAR_FUTURE;
                }
            }
            _ => tx.done = true,
        }
        match (method.as_str(), tags) {
            ("INVITE", None) => self.invite_response(at, call, wire),
            ("REGISTER", _) => self.register_response(at, wire),
            ("INVITE", Some(tags)) => self.reinvite_response(at, (call, &tags), wire),
            ("UPDATE", Some(tags)) => self.update_response((call, &tags), wire),
            (_, _) => {}
        }
    }

    fn invite_response(&mut self, tx: usize, at: usize, wire: &Wire) {
        let cseq = self.clients.get(tx).map_or(0, |tx| tx.cseq);
        let Some(call) = self.calls.get_mut(at) else { return };
        match wire.status() {
            ..200 => {
                call.heard.push(wire.status());
                if call.outcome.is_none() && wire.to_tag().is_some() && wire.status() > 100 {
                    let dialog = self.dialog_of(at, wire);
                    self.heard_provisional(at, dialog, wire);
                }
            }
            200..300 => {
                self.note_final(at, cseq, wire);
                let dialog = self.dialog_of(at, wire);
                self.answered(at, dialog, wire);
            }
            status => {
                self.ack_failure(tx, wire);
                let Some(call) = self.calls.get_mut(at) else { return };
                let again = matches!(status, 401 | 407) && !call.challenged && cseq == call.cseq;
                if again && self.quirks.login.is_some() {
                    call.challenged = true;
                    return self.authenticate(at, wire);
                }
                if cseq == call.cseq {
                    self.note_final(at, cseq, wire);
                }
            }
        }
    }

    /// Exactly one final response an INVITE: whatever comes again must be the same.
    fn note_final(&mut self, at: usize, cseq: u32, wire: &Wire) {
        let replayed = self.replayed;
        let Some(call) = self.calls.get_mut(at) else { return };
        if cseq != call.cseq {
            return;
        }
        match &call.answer {
            None => {
                call.outcome = Some(wire.status());
                call.answer = Some(wire.clone());
            }
            Some(first) if first == wire || replayed => {}
            Some(first) => {
                let what = format!("a second final response: {first:?} then {wire:?}");
                self.fault(what);
            }
        }
    }

    fn authenticate(&mut self, at: usize, wire: &Wire) {
        let Some((username, password)) = self.quirks.login else { return };
        let (asked, name) = if wire.status() == 407 {
            ("Proxy-Authenticate", "Proxy-Authorization")
        } else {
            ("WWW-Authenticate", "Authorization")
        };
        let value = {
            let all = wire.all(asked).filter_map(|value| Challenge::parse(value.as_bytes()).ok());
            let uri = self.calls.get(at).map_or("", |call| &call.uri);
            choose(all).and_then(|challenge| {
                answer(
                    &challenge,
                    &Login { username, password },
                    &Asked { method: "INVITE", uri: uri.as_bytes() },
                    &Counted { cnonce: "c", nc: 1 },
                )
            })
        };
        let Some(value) = value else { return self.fault("a challenge without an answer") };
        let value = String::from_utf8_lossy(&value).into_owned();
        self.send_invite(at, vec![(name.to_owned(), value)]);
    }

    /// The dialog that a response to the INVITE is in; a new one for a new To tag.
    fn dialog_of(&mut self, at: usize, wire: &Wire) -> usize {
        let server = self.server;
        let Some(call) = self.calls.get_mut(at) else { return 0 };
        let tag = wire.to_tag().unwrap_or_default();
        if let Some(known) = call.dialogs.iter().position(|dialog| dialog.remote_tag == tag) {
            return known;
        }
        let local_tag = wire.from_tag().unwrap_or_default();
        let target = wire.contact().map_or(format!("sip:{server}"), str::to_owned);
        let mut dialog = Dialog::new(local_tag, tag, &target);
        dialog.cseq_out = call.cseq;
        call.dialogs.push(dialog);
        call.dialogs.len() - 1
    }

    fn heard_provisional(&mut self, at: usize, dialog: usize, wire: &Wire) {
        let late = self.quirks.late_offer;
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        if it.standing == Standing::Ended {
            return;
        }
        let reliable = wire.has_option("Require", "100rel");
        if !reliable {
            it.hear(wire);
            return;
        }
        let rseq: u32 = wire.header("RSeq").and_then(|v| v.parse().ok()).unwrap_or_default();
        if it.last_rseq != 0 && rseq != it.last_rseq + 1 {
            return;
        }
        it.last_rseq = rseq;
        it.hear(wire);
        let body = if late && wire.has_sdp() && !self.quirks.bare_pracks {
            self.sdp_body((at, 1), Media::Active, Some(&wire.body))
        } else {
            None
        };
        let cseq = self.calls.get(at).map_or(0, |call| call.cseq);
        let rack = vec![("RAck".to_owned(), format!("{rseq} {cseq} INVITE"))];
        if body.is_some()
            && let Some(it) = self.dialog_mut(at, dialog)
        {
            it.answered = true;
        }
        if !self.quirks.prackless {
            self.request_in(at, dialog, "PRACK", rack, body);
        }
    }

    /// A 2xx: ACK it, each time; a dialog that is not wanted gets BYE.
    fn answered(&mut self, at: usize, dialog: usize, wire: &Wire) {
        let Some(call) = self.calls.get_mut(at) else { return };
        let cancelled = call.cancelled;
        let other = call
            .dialogs
            .iter()
            .enumerate()
            .any(|(place, it)| place != dialog && it.standing == Standing::Confirmed);
        let Some(it) = call.dialogs.get_mut(dialog) else { return };
        let first = it.standing == Standing::Early;
        if first {
            it.standing = Standing::Confirmed;
            it.hear(wire);
            it.unanswered_offers += u32::from(it.heard.is_empty());
            if let Some(contact) = wire.contact() {
                contact.clone_into(&mut it.target);
            }
        }
        if self.quirks.acks_lost > 0 {
            self.quirks.acks_lost -= 1;
        } else {
            self.ack(at, dialog, wire);
        }
        if first && (cancelled || other) {
            self.bye(at, dialog);
        }
    }

    /// The ACK of a 2xx; with the answer where the 2xx has made the offer.
    fn ack(&mut self, at: usize, dialog: usize, wire: &Wire) {
        let late = self.quirks.late_offer;
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        let owes = wire.has_sdp() && late && !it.answered;
        self.send_ack(at, dialog, wire.cseq(), owes);
    }

    pub(crate) fn send_ack(&mut self, at: usize, dialog: usize, cseq: u32, answers: bool) {
        let branch = format!("z9hG4bK{}", self.mint("ack"));
        let Some(call) = self.calls.get(at).cloned() else { return };
        let Some(it) = call.dialogs.get(dialog) else { return };
        let offer = it.heard.last().map(String::as_str);
        let body =
            if answers { self.sdp_body((at, it.sdp_version), it.media, offer) } else { None };
        let mut call = call.clone();
        call.local = bare(&call.local);
        let bytes = self.in_dialog((&call, it), ("ACK", cseq, &branch), Vec::new(), body);
        self.send(bytes);
    }

    /// A failure is acknowledged in its transaction (RFC 3261 §17.1.1.3).
    pub(crate) fn ack_failure(&mut self, tx: usize, wire: &Wire) {
        let Some(tx) = self.clients.get(tx) else { return };
        let uri = {
            let text = String::from_utf8_lossy(&tx.bytes);
            text.split(' ').nth(1).unwrap_or_default().to_owned()
        };
        let bytes = self.compose(&Parts {
            start: format!("ACK {uri} SIP/2.0"),
            vias: vec![self.via(&tx.branch)],
            from: wire.header("From").unwrap_or_default().to_owned(),
            to: wire.header("To").unwrap_or_default().to_owned(),
            call_id: wire.call_id(),
            cseq: format!("{} ACK", wire.cseq()),
            extra: vec![("Max-Forwards".into(), "70".into())],
            body: None,
        });
        self.send(bytes);
    }

    pub(crate) fn cancel(&mut self, at: usize) {
        let Some(call) = self.calls.get_mut(at) else { return };
        if call.outcome.is_some() || !call.is_caller {
            return;
        }
        let cseq = call.cseq;
        call.cancelled = true;
        let (call_id, uri) = (call.call_id.clone(), call.uri.clone());
        let (local, remote) = (call.local.clone(), call.remote.clone());
        let invite = self
            .clients
            .iter()
            .find(|tx| tx.call == at && tx.method == "INVITE" && tx.cseq == cseq);
        let Some(branch) = invite.map(|tx| tx.branch.clone()) else { return };
        let bytes = self.compose(&Parts {
            start: format!("CANCEL {uri} SIP/2.0"),
            vias: vec![self.via(&branch)],
            from: local,
            to: remote,
            call_id: &call_id,
            cseq: format!("{cseq} CANCEL"),
            extra: vec![("Max-Forwards".into(), "70".into())],
            body: None,
        });
        self.start_client(("CANCEL", cseq, branch), (at, None), bytes);
    }
}

/// A From or To value without its tag.
pub(crate) fn bare(value: &str) -> String {
    value.rsplit_once(";tag=").map_or(value, |(before, _)| before).to_owned()
}
