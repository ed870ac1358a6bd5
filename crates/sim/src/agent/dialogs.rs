//! What an agent does and hears inside dialogs, and how its moves are made.

use mediator_model::Instant;

use super::{Agent, Dialog, Media, Move, Standing};
use crate::Wire;

impl Dialog {
    pub(crate) fn new(local_tag: &str, remote_tag: &str, target: &str) -> Self {
        Self {
            local_tag: local_tag.to_owned(),
            remote_tag: remote_tag.to_owned(),
            standing: Standing::Early,
            bye_received: false,
            bye_reason: None,
            unanswered_offers: 0,
            heard: Vec::new(),
            target: target.to_owned(),
            cseq_out: 0,
            cseq_in: 0,
            sdp_version: 1,
            media: Media::Active,
            agreed: Media::Active,
            agreed_at: Instant::ZERO,
            described: false,
            reliable: None,
            next_rseq: 1,
            last_rseq: 0,
            answered: false,
        }
    }

    pub(crate) fn tags(&self) -> (String, String) {
        (self.local_tag.clone(), self.remote_tag.clone())
    }

    /// What we said last of our media is agreed on.
    pub(crate) fn agree(&mut self, now: Instant) {
        if self.agreed != self.media {
            self.agreed = self.media;
            self.agreed_at = now;
        }
    }

    /// Keeps the SDP of a message.
    pub(crate) fn hear(&mut self, wire: &Wire) {
        if wire.has_sdp() {
            self.heard.push(wire.body.clone());
        }
    }
}

impl Agent {
    pub(crate) fn dialog(&self, call: usize, dialog: usize) -> Option<&Dialog> {
        self.calls.get(call)?.dialogs.get(dialog)
    }

    pub(crate) fn dialog_mut(&mut self, call: usize, dialog: usize) -> Option<&mut Dialog> {
        self.calls.get_mut(call)?.dialogs.get_mut(dialog)
    }

    /// Makes a move; where it makes no sense now, nothing happens.
    pub fn act(&mut self, call: usize, what: Move) {
        if call >= self.calls.len() {
            return;
        }
        let confirmed = self.place(call, Standing::Confirmed);
        let early = self.place(call, Standing::Early);
        match what {
            Move::Ring { status, fork, sdp, reliable } => {
                self.ring(call, fork, status, (sdp, reliable));
            }
            Move::Answer { fork } => self.answer(call, fork),
            Move::AnswerAfterFailure => self.answer_after_failure(call),
            Move::Refuse { status, headers } => self.refuse(call, status, headers),
            Move::BrokenResponse => self.broken_response(call),
            Move::Cancel => self.cancel(call),
            Move::Bye => {
                if let Some(dialog) = confirmed.or(early) {
                    self.bye(call, dialog);
                }
            }
            Move::Silence => self.quirks.silent = true,
            Move::Key(key) => self.press(call, key),
            Move::Garbage => {
                for text in ["\r\n\r\n", "\0\u{1}garbage", "INVITE sip:x SIP/2.0\r\n\r\n"] {
                    self.send(crate::stage::bytes_of(text));
                }
            }
            Move::Replay => {
                let old = self.dice.pick(&self.sent_requests).cloned();
                if let Some(old) = old {
                    self.replayed |= old.starts_with(b"INVITE");
                    self.send(old);
                }
            }
            Move::Reinvite(_)
            | Move::LateReinvite
            | Move::Update(_)
            | Move::Info(_)
            | Move::OddInfo
            | Move::Options
            | Move::Refer
            | Move::WrongTag => {
                if let Some(dialog) = confirmed {
                    self.act_in_dialog(call, dialog, &what);
                } else if let (Some(dialog), Move::Update(_) | Move::Info(_)) = (early, &what) {
                    self.act_in_dialog(call, dialog, &what);
                }
            }
        }
    }

    fn place(&self, call: usize, standing: Standing) -> Option<usize> {
        self.calls.get(call)?.dialogs.iter().position(|dialog| dialog.standing == standing)
    }

    /// Whether a re-INVITE or an offer of ours is under way.
    fn busy(&self, call: usize, dialog: usize) -> bool {
        let Some(it) = self.dialog(call, dialog) else { return true };
        self.clients.iter().any(|tx| {
            tx.call == call
                && !tx.done
                && tx.tags.as_ref() == Some(&it.tags())
                && matches!(tx.method.as_str(), "INVITE" | "UPDATE")
        })
    }

    fn act_in_dialog(&mut self, call: usize, dialog: usize, what: &Move) {
        let body = |media: Media, agent: &mut Self| {
            let it = agent.dialog_mut(call, dialog)?;
            it.sdp_version += 1;
            it.media = media;
            let version = it.sdp_version;
            agent.sdp_body((call, version), media, None)
        };
        let refresh: Vec<(String, String)> = self
            .quirks
            .session_expires
            .iter()
            .map(|value| ("Session-Expires".to_owned(), value.clone()))
            .chain([("Supported".to_owned(), "timer".to_owned())])
            .collect();
        match what {
            Move::Reinvite(_) | Move::LateReinvite | Move::Update(_) if self.busy(call, dialog) => {
            }
            Move::Reinvite(media) => {
                let body = body(*media, self);
                self.request_in(call, dialog, "INVITE", refresh, body);
            }
            Move::LateReinvite => self.request_in(call, dialog, "INVITE", refresh, None),
            Move::Update(Some(media)) => {
                let body = body(*media, self);
                self.request_in(call, dialog, "UPDATE", refresh, body);
            }
            Move::Update(None) => self.request_in(call, dialog, "UPDATE", refresh, None),
            Move::Info(key) => {
                let body = Some((
                    "application/dtmf-relay",
                    format!(
                        "Signal={key}\r\nDuration=160\r\nX={}\r\n",
                        self.profile.party.canary()
                    ),
                ));
                self.request_in(call, dialog, "INFO", Vec::new(), body);
            }
            Move::OddInfo => {
                let body = Some(("text/plain", self.profile.party.canary().to_owned()));
                self.request_in(call, dialog, "INFO", Vec::new(), body);
            }
            Move::Options => self.request_in(call, dialog, "OPTIONS", Vec::new(), None),
            Move::Refer => {
                let to = vec![("Refer-To".to_owned(), "<sip:19005550000@evil.test>".to_owned())];
                self.request_in(call, dialog, "REFER", to, None);
            }
            Move::WrongTag => self.wrong_tag(call, dialog),
            _ => {}
        }
    }

    fn wrong_tag(&mut self, call: usize, dialog: usize) {
        let Some(it) = self.calls.get(call).cloned() else { return };
        let Some(mut wrong) = it.dialogs.get(dialog).cloned() else { return };
        wrong.remote_tag = format!("{}0", wrong.remote_tag);
        let branch = format!("z9hG4bK{}", self.mint("wrong"));
        let cseq = wrong.cseq_out + 1;
        let mut it = it;
        it.local = super::caller::bare(&it.local);
        let bytes = self.in_dialog((&it, &wrong), ("BYE", cseq, &branch), Vec::new(), None);
        self.start_client(("BYE", cseq, branch), (call, Some(wrong.tags())), bytes);
    }

    /// Sends a request in a dialog.
    pub(crate) fn request_in(
        &mut self,
        at: usize,
        dialog: usize,
        method: &str,
        extra: Vec<(String, String)>,
        body: Option<(&'static str, String)>,
    ) {
        let branch = format!("z9hG4bK{}", self.mint("b"));
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        it.cseq_out += 1;
        let (cseq, tags) = (it.cseq_out, it.tags());
        let Some(mut call) = self.calls.get(at).cloned() else { return };
        call.local = super::caller::bare(&call.local);
        let Some(it) = call.dialogs.get(dialog) else { return };
        let bytes = self.in_dialog((&call, it), (method, cseq, &branch), extra, body);
        self.start_client((method, cseq, branch), (at, Some(tags)), bytes);
        if method == "PRACK" && self.quirks.pracks_lost > 0 {
            self.quirks.pracks_lost -= 1;
            self.outbox.pop();
        }
    }

    /// Ends a confirmed dialog.
    pub(crate) fn bye(&mut self, at: usize, dialog: usize) {
        let Some(call) = self.calls.get(at) else { return };
        let is_caller = call.is_caller;
        let Some(it) = call.dialogs.get(dialog) else { return };
        // A UAS must not send BYE in an early dialog (RFC 3261 §15).
        let may = match it.standing {
            Standing::Confirmed => true,
            Standing::Early => is_caller && call.outcome.is_none(),
            Standing::Ended => false,
        };
        if !may {
            return;
        }
        let tag = it.local_tag.clone();
        let unacknowledged =
            self.servers.iter().filter(|tx| tx.call == Some(at)).flat_map(|tx| &tx.finals).any(
                |reply| reply.tag == tag && reply.status < 300 && !reply.acked && !reply.gave_up,
            );
        if unacknowledged {
            // Nor before the ACK (§15): later.
            return self.later(at, super::T1, Move::Bye);
        }
        if let Some(it) = self.dialog_mut(at, dialog) {
            it.standing = Standing::Ended;
        }
        self.request_in(at, dialog, "BYE", Vec::new(), None);
    }

    /// The response to a re-INVITE.
    pub(crate) fn reinvite_response(
        &mut self,
        tx: usize,
        (at, tags): (usize, &(String, String)),
        wire: &Wire,
    ) {
        let place = self
            .calls
            .get(at)
            .and_then(|call| call.dialogs.iter().position(|dialog| dialog.tags() == *tags));
        let Some(dialog) = place else { return };
        let now = self.now;
        match wire.status() {
            ..200 => {}
            200..300 => {
                let offered = self
                    .clients
                    .get(tx)
                    .is_some_and(|tx| tx.bytes.windows(15).any(|w| w == b"application/sdp"));
                if let Some(it) = self.dialog_mut(at, dialog) {
                    it.hear(wire);
                    it.agree(now);
                    it.unanswered_offers += u32::from(!wire.has_sdp());
                }
                if self.quirks.acks_lost > 0 {
                    self.quirks.acks_lost -= 1;
                } else {
                    self.send_ack(at, dialog, wire.cseq(), wire.has_sdp() && !offered);
                }
            }
            _ => {
                if let Some(it) = self.dialog_mut(at, dialog) {
                    it.media = it.agreed;
                }
                self.ack_failure(tx, wire);
            }
        }
    }

    /// The response to an UPDATE.
    pub(crate) fn update_response(&mut self, (at, tags): (usize, &(String, String)), wire: &Wire) {
        let now = self.now;
        let dialogs = self.calls.get_mut(at).into_iter().flat_map(|call| &mut call.dialogs);
        let Some(it) = dialogs.into_iter().find(|dialog| dialog.tags() == *tags) else { return };
        match wire.status() {
            ..200 => {}
            200..300 => {
                it.hear(wire);
                it.agree(now);
            }
            _ => it.media = it.agreed,
        }
    }

    /// A request inside a dialog.
    pub(crate) fn dialog_request(&mut self, tx: usize, wire: &Wire, tag: &str) {
        let found = self.calls.iter().enumerate().find_map(|(at, call)| {
            let dialog = call.dialogs.iter().position(|dialog| {
                dialog.local_tag == tag
                    && wire.from_tag() == Some(&dialog.remote_tag)
                    && call.call_id == wire.call_id()
            })?;
            Some((at, dialog))
        });
        let Some((at, dialog)) = found else {
            if !self.replayed {
                self.fault(format!("a request in no dialog: {wire:?}"));
            }
            return self.fail(tx, 481);
        };
        let (busy, refused) = (self.busy(at, dialog), self.quirks.updates);
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        if wire.cseq() <= it.cseq_in {
            // It was overtaken on its way (RFC 3261 §12.2.2).
            return self.fail(tx, 500);
        }
        it.cseq_in = wire.cseq();
        if it.standing == Standing::Ended && wire.method() != "BYE" {
            return self.fail(tx, 481);
        }
        match wire.method() {
            "BYE" => self.byed(tx, (at, dialog), wire),
            "INVITE" | "UPDATE" if busy => self.fail(tx, 491),
            "INVITE" => {
                if let Some(contact) = wire.contact() {
                    contact.clone_into(&mut it.target);
                }
                it.hear(wire);
                if !self.other_than_200(tx, self.quirks.reinvites) {
                    self.accept_reinvite(tx, (at, dialog));
                }
            }
            "UPDATE" => {
                if let Some(status) = refused {
                    return self.reply(tx, status, None);
                }
                it.hear(wire);
                let body = if wire.has_sdp() {
                    it.sdp_version += 1;
                    let (version, media) = (it.sdp_version, it.media);
                    self.sdp_body((at, version), media, Some(&wire.body))
                } else {
                    None
                };
                self.reply(tx, 200, body);
            }
            "PRACK" => self.pracked(tx, (at, dialog), wire),
            "INFO" | "OPTIONS" => self.reply(tx, 200, None),
            _ => self.reply(tx, 405, None),
        }
    }

    fn fail(&mut self, tx: usize, status: u16) {
        let invite = self.servers.get(tx).is_some_and(|tx| tx.request.method() == "INVITE");
        if invite {
            self.finish_invite(tx, status, Vec::new());
        } else {
            self.reply(tx, status, None);
        }
    }

    fn byed(&mut self, tx: usize, (at, dialog): (usize, usize), wire: &Wire) {
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        it.standing = Standing::Ended;
        it.bye_received = true;
        it.reliable = None;
        it.bye_reason = wire.header("Reason").map(str::to_owned);
        let tag = it.local_tag.clone();
        // What waited for its ACK is over.
        for reply in self.servers.iter_mut().flat_map(|tx| &mut tx.finals) {
            if reply.tag == tag && reply.status < 300 {
                reply.acked = true;
            }
        }
        if !self.other_than_200(tx, self.quirks.byes) {
            self.reply(tx, 200, None);
        }
    }

    fn pracked(&mut self, tx: usize, (at, dialog): (usize, usize), wire: &Wire) {
        let Some(it) = self.dialog_mut(at, dialog) else { return };
        let rseq: u32 = wire
            .header("RAck")
            .and_then(|value| value.split(' ').next()?.parse().ok())
            .unwrap_or_default();
        let matches = it.reliable.as_ref().is_some_and(|sent| sent.rseq == rseq);
        if matches {
            it.reliable = None;
            it.hear(wire);
        }
        self.reply(tx, if matches { 200 } else { 481 }, None);
    }
}
