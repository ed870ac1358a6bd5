//! An agent as UAS: requests that come, and its answers to INVITE.

use mediator_model::Instant;
use mediator_sip::digest::{Credentials, verify_password};

use super::{
    Agent, AgentCall, Answering, Dialog, Final, Media, PATIENCE, Reliable, ServerTx, Standing, T1,
};
use crate::Wire;

impl Agent {
    /// A request that came.
    pub(crate) fn request(&mut self, wire: &Wire) {
        if wire.method() == "ACK" {
            return self.acked(wire);
        }
        let known = self
            .servers
            .iter()
            .find(|tx| tx.branch == wire.branch() && tx.request.method() == wire.method());
        if let Some(tx) = known {
            if tx.request != *wire {
                let what = format!("another request of the same branch: {:?} {wire:?}", tx.request);
                self.fault(what);
            } else if let Some(last) = tx.last.clone() {
                self.send(last);
            }
            return;
        }
        self.servers.push(ServerTx {
            branch: wire.branch().to_owned(),
            request: wire.clone(),
            came: self.now,
            call: None,
            last: None,
            finals: Vec::new(),
        });
        let tx = self.servers.len() - 1;
        match (wire.method(), wire.to_tag()) {
            ("CANCEL", _) => self.cancelled(tx, wire),
            ("INVITE", None) => self.invited(tx, wire),
            (_, None) => self.reply(tx, if wire.method() == "OPTIONS" { 200 } else { 481 }, None),
            (_, Some(tag)) => self.dialog_request(tx, wire, tag),
        }
    }

    /// A plain final response to anything but INVITE.
    pub(crate) fn reply(&mut self, tx: usize, status: u16, body: Option<(&'static str, String)>) {
        let Some(it) = self.servers.get(tx) else { return };
        let request = it.request.clone();
        let tag = format!("{}-stray", self.profile.party.canary());
        let extra = if body.is_some() { self.timer_header(&request) } else { Vec::new() };
        let bytes = self.respond(&request, (status, Some(&tag)), extra, body);
        if let Some(it) = self.servers.get_mut(tx) {
            it.last = Some(bytes.clone());
        }
        self.send(bytes);
    }

    fn cancelled(&mut self, tx: usize, wire: &Wire) {
        let invite = self
            .servers
            .iter()
            .position(|it| it.branch == wire.branch() && it.request.method() == "INVITE");
        let Some(invite) = invite else { return self.reply(tx, 481, None) };
        self.reply(tx, 200, None);
        let call = self.servers.get(invite).and_then(|it| it.call);
        if let Some(call) = call.and_then(|at| self.calls.get_mut(at)) {
            call.cancelled = true;
        }
        if self.servers.get(invite).is_some_and(|it| it.finals.is_empty()) {
            self.finish_invite(invite, 487, Vec::new());
        }
    }

    fn invited(&mut self, tx: usize, wire: &Wire) {
        if self.quirks.challenges && !self.proves_itself(wire) {
            let nonce = self.mint("nonce");
            let value = format!("Digest realm=\"{nonce}\", nonce=\"{nonce}\", qop=\"auth\"");
            return self.finish_invite(tx, 407, vec![("Proxy-Authenticate".into(), value)]);
        }
        let interval: u32 = wire
            .header("Session-Expires")
            .and_then(|v| v.split(';').next()?.trim().parse().ok())
            .unwrap_or(u32::MAX);
        if let Some(least) = self.quirks.min_se.filter(|least| interval < *least) {
            return self.finish_invite(tx, 422, vec![("Min-SE".into(), least.to_string())]);
        }
        let at = self.calls.len();
        self.calls.push(AgentCall {
            is_caller: false,
            call_id: wire.call_id().to_owned(),
            invite: Some(wire.clone()),
            dialogs: Vec::new(),
            outcome: None,
            answer: None,
            heard: Vec::new(),
            cancelled: false,
            local: wire.header("To").unwrap_or_default().to_owned(),
            remote: super::caller::bare(wire.header("From").unwrap_or_default()),
            uri: wire.uri().to_owned(),
            cseq: wire.cseq(),
            challenged: false,
            wants_100rel: wire.has_option("Supported", "100rel")
                || wire.has_option("Require", "100rel"),
        });
        if let Some(it) = self.servers.get_mut(tx) {
            it.call = Some(at);
        }
        for (after, what) in self.script.clone() {
            self.later(at, after, what);
        }
    }

    /// Whether an INVITE has the credentials that were asked for.
    fn proves_itself(&self, wire: &Wire) -> bool {
        let (Some(value), Some((_, password))) =
            (wire.header("Proxy-Authorization"), self.quirks.login)
        else {
            return false;
        };
        Credentials::parse(value.as_bytes())
            .is_ok_and(|credentials| verify_password(&credentials, "INVITE", password))
    }

    /// The transaction of a call's INVITE.
    fn invite_tx(&self, at: usize) -> Option<usize> {
        self.servers.iter().position(|tx| tx.call == Some(at) && tx.request.to_tag().is_none())
    }

    /// The dialog of a fork.
    fn fork(&mut self, at: usize, fork: usize) -> usize {
        loop {
            let Some(call) = self.calls.get(at) else { return 0 };
            if call.dialogs.len() > fork {
                return fork;
            }
            let invite = call.invite.clone();
            let tag = self.mint("tag");
            let Some(call) = self.calls.get_mut(at) else { return 0 };
            let Some(invite) = invite else { return 0 };
            let target = invite.contact().unwrap_or_default().to_owned();
            let mut dialog = Dialog::new(&tag, invite.from_tag().unwrap_or_default(), &target);
            dialog.cseq_in = invite.cseq();
            dialog.hear(&invite);
            call.dialogs.push(dialog);
        }
    }

    pub(crate) fn ring(
        &mut self,
        at: usize,
        fork: usize,
        status: u16,
        (sdp, reliable): (bool, bool),
    ) {
        let Some(tx) = self.invite_tx(at) else { return };
        let Some(call) = self.calls.get(at) else { return };
        if call.outcome.is_some() {
            return;
        }
        // A 100 is never reliable (RFC 3262 §3).
        let reliable = reliable && call.wants_100rel && status > 100;
        let offered = call.invite.as_ref().is_some_and(Wire::has_sdp);
        let fork = self.fork(at, fork);
        let Some(request) = self.servers.get(tx).map(|tx| tx.request.clone()) else { return };
        let Some(dialog) = self.dialog(at, fork).cloned() else { return };
        if reliable && dialog.reliable.is_some() {
            let what = super::Move::Ring { status, fork, sdp, reliable };
            return self.later(at, T1, what);
        }
        // SDP of a 1xx that is not reliable is a preview; an offer has to be reliable.
        let sdp = sdp && (offered || reliable) && !dialog.answered;
        let offer = dialog.heard.last().filter(|_| offered).map(String::as_str);
        let body =
            if sdp { self.sdp_body((at, dialog.sdp_version), dialog.media, offer) } else { None };
        let mut extra = Vec::new();
        if reliable {
            extra.push(("Require".to_owned(), "100rel".to_owned()));
            extra.push(("RSeq".to_owned(), dialog.next_rseq.to_string()));
        }
        let bytes = self.respond(&request, (status, Some(&dialog.local_tag)), extra, body);
        if let Some(tx) = self.servers.get_mut(tx) {
            tx.last = Some(bytes.clone());
        }
        let now = self.now;
        if let Some(dialog) = self.dialog_mut(at, fork).filter(|_| reliable) {
            dialog.reliable = Some(Reliable {
                rseq: dialog.next_rseq,
                bytes: bytes.clone(),
                at: now + T1,
                interval: T1,
                give_up: now + PATIENCE,
            });
            dialog.next_rseq += 1;
            dialog.answered |= sdp;
        }
        if let Some(dialog) = self.dialog_mut(at, fork) {
            dialog.described |= sdp;
        }
        self.send(bytes);
    }

    pub(crate) fn answer(&mut self, at: usize, fork: usize) {
        let Some(tx) = self.invite_tx(at) else { return };
        let fork = self.fork(at, fork);
        let Some(dialog) = self.dialog(at, fork).cloned() else { return };
        let failed = self.calls.get(at).is_none_or(|call| call.outcome.is_some_and(|o| o >= 300));
        if failed || dialog.standing != Standing::Early {
            return;
        }
        if dialog.reliable.is_some() && dialog.answered {
            // RFC 3262 §3: not before the SDP has arrived; a fork that is late then has been cancelled by its proxy.
            if self.calls.get(at).is_some_and(|call| call.outcome == Some(200)) {
                return;
            }
            return self.later(at, T1, super::Move::Answer { fork });
        }
        let Some(request) = self.servers.get(tx).map(|tx| tx.request.clone()) else { return };
        let mut extra = self.timer_header(&request);
        extra.push(("Supported".into(), "timer".into()));
        let offer = dialog.heard.last().filter(|_| request.has_sdp()).map(String::as_str);
        let body = if dialog.answered {
            None
        } else {
            self.sdp_body((at, dialog.sdp_version), dialog.media, offer)
        };
        let offered = body.is_some() && !request.has_sdp();
        let bytes = self.respond(&request, (200, Some(&dialog.local_tag)), extra, body);
        self.push_final(tx, (200, &dialog.local_tag), bytes, offered);
        if let Some(call) = self.calls.get_mut(at) {
            call.outcome.get_or_insert(200);
        }
        if let Some(dialog) = self.dialog_mut(at, fork) {
            dialog.standing = Standing::Confirmed;
            dialog.answered = true;
            dialog.reliable = None;
        }
    }

    /// Another fork answers, whatever was said before.
    pub(crate) fn answer_after_failure(&mut self, at: usize) {
        let Some(call) = self.calls.get_mut(at) else { return };
        let (fork, outcome) = (call.dialogs.len(), call.outcome.take());
        self.answer(at, fork);
        if let Some(call) = self.calls.get_mut(at) {
            call.outcome = outcome;
        }
    }

    /// Session-Expires of a 2xx: what was asked, the peer refreshing.
    fn timer_header(&self, request: &Wire) -> Vec<(String, String)> {
        let Some(asked) = request.header("Session-Expires") else { return Vec::new() };
        if self.quirks.session_expires.is_none() {
            return Vec::new();
        }
        let seconds = asked.split(';').next().unwrap_or_default();
        let refresher = match asked.split_once("refresher=") {
            Some((_, named)) => named.to_owned(),
            None => "uas".to_owned(),
        };
        vec![("Session-Expires".into(), format!("{seconds};refresher={refresher}"))]
    }

    pub(crate) fn push_final(
        &mut self,
        tx: usize,
        (status, tag): (u16, &str),
        bytes: bytes::Bytes,
        offered: bool,
    ) {
        let now = self.now;
        let at = if status >= 300 && self.profile.transport.is_reliable() {
            Instant::FAR_FUTURE
        } else {
            now + T1
        };
        if let Some(tx) = self.servers.get_mut(tx) {
            tx.last = Some(bytes.clone());
            tx.finals.push(Final {
                tag: tag.to_owned(),
                status,
                bytes: bytes.clone(),
                at,
                interval: T1,
                give_up: now + PATIENCE,
                acked: false,
                gave_up: false,
                offered,
                late: now.saturating_since(tx.came) > PATIENCE * 3 / 4,
            });
        }
        self.send(bytes);
    }

    /// A failure response to an INVITE.
    pub(crate) fn finish_invite(&mut self, tx: usize, status: u16, extra: Vec<(String, String)>) {
        let Some(it) = self.servers.get(tx) else { return };
        if !it.finals.is_empty() {
            return;
        }
        let (request, call) = (it.request.clone(), it.call);
        let tag = request.to_tag().map_or_else(|| self.mint("failed"), str::to_owned);
        let bytes = self.respond(&request, (status, Some(&tag)), extra, None);
        self.push_final(tx, (status, &tag), bytes, false);
        if let Some(call) = call.and_then(|at| self.calls.get_mut(at))
            && request.to_tag().is_none()
        {
            call.outcome = Some(status);
            for dialog in &mut call.dialogs {
                dialog.standing = Standing::Ended;
                dialog.reliable = None;
            }
        }
    }

    pub(crate) fn refuse(&mut self, at: usize, status: u16, headers: Vec<(String, String)>) {
        if let Some(tx) = self.invite_tx(at) {
            self.finish_invite(tx, status, headers);
        }
    }

    /// A response to the INVITE that nobody can use.
    pub(crate) fn broken_response(&mut self, at: usize) {
        let Some(tx) = self.invite_tx(at) else { return };
        let Some(request) = self.servers.get(tx).map(|tx| tx.request.clone()) else { return };
        let good = self.respond(&request, (180, Some("CanaryB-broken")), Vec::new(), None);
        let text = String::from_utf8_lossy(&good).into_owned();
        for (from, to) in [("CSeq: ", "CSeq: x"), ("Call-ID:", "Call-JD:"), ("\r\nTo:", "\r\nT:o:")]
        {
            self.send(crate::stage::bytes_of(&text.replacen(from, to, 1)));
        }
    }

    /// An ACK: of a 2xx by CSeq and tag, of a failure by its branch.
    fn acked(&mut self, wire: &Wire) {
        let tag = wire.to_tag().unwrap_or_default().to_owned();
        let mut heard = None;
        for tx in &mut self.servers {
            if tx.request.method() != "INVITE"
                || tx.request.call_id() != wire.call_id()
                || tx.request.cseq() != wire.cseq()
            {
                continue;
            }
            for reply in tx.finals.iter_mut().filter(|reply| reply.tag == tag) {
                let same = reply.status < 300 || tx.branch == wire.branch();
                if same && !reply.acked {
                    reply.acked = true;
                    heard = Some((tx.call, reply.offered, reply.status));
                }
            }
        }
        let Some((Some(call), offered, status)) = heard else { return };
        if status < 300
            && let Some(call) = self.calls.get_mut(call)
            && let Some(dialog) = call.dialogs.iter_mut().find(|d| d.local_tag == tag)
        {
            dialog.hear(wire);
            if offered && !wire.has_sdp() {
                dialog.answered = false;
            }
        }
    }

    /// How a request inside a dialog is answered, where not with 200.
    pub(crate) fn other_than_200(&mut self, tx: usize, how: Answering) -> bool {
        match how {
            Answering::Accept => false,
            Answering::Silence => true,
            Answering::Ring => {
                if let Some(request) = self.servers.get(tx).map(|tx| tx.request.clone()) {
                    let bytes = self.respond(&request, (180, None), Vec::new(), None);
                    self.send(bytes);
                }
                true
            }
            Answering::Refuse(status) => {
                let invite = self.servers.get(tx).is_some_and(|tx| tx.request.method() == "INVITE");
                if invite {
                    self.finish_invite(tx, status, Vec::new());
                } else {
                    self.reply(tx, status, None);
                }
                true
            }
        }
    }

    /// Says 200 to the last INVITE of a call, though it has been refused.
    pub fn accept_last_invite(&mut self, at: usize) {
        let last = self.servers.iter().rposition(|tx| tx.request.method() == "INVITE");
        if let Some(tx) = last {
            self.accept_reinvite(tx, (at, 0));
        }
    }

    /// The 200 to a re-INVITE.
    pub(crate) fn accept_reinvite(&mut self, tx: usize, (at, dialog): (usize, usize)) {
        let Some(request) = self.servers.get(tx).map(|tx| tx.request.clone()) else { return };
        let now = self.now;
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        it.sdp_version += 1;
        it.media = Media::Active;
        it.agree(now);
        let (version, tag) = (it.sdp_version, it.local_tag.clone());
        let offer = request.has_sdp().then_some(request.body.as_str());
        let body = self.sdp_body((at, version), Media::Active, offer);
        let mut extra = self.timer_header(&request);
        extra.push(("Supported".into(), "timer".into()));
        let bytes = self.respond(&request, (200, Some(&tag)), extra, body);
        if let Some(it) = self.servers.get_mut(tx) {
            it.call = Some(at);
        }
        self.push_final(tx, (200, &tag), bytes, !request.has_sdp());
    }
}
