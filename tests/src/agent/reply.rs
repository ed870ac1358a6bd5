//! What an agent does by itself when a message comes in.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;

use super::dialog::{Dialog, Talk};
use super::{Shared, lock};
use crate::rtp::Media;
use crate::sipp::log::Logged;
use crate::wire::response;

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";

impl Shared {
    pub(crate) fn react(&self, message: &Logged, peer: SocketAddr) -> Result<()> {
        let again = message.header("To").is_some_and(|to| to.contains(";tag="));
        match (message.method(), message.status()) {
            (Some("INVITE"), _) if again => self.offered_again(message, peer),
            (Some("INVITE"), _) => self.called(message, peer),
            (Some("ACK"), _) => self.described(message),
            (Some("CANCEL"), _) => self.cancelled(message, peer),
            (Some("UPDATE"), _) if !message.body().is_empty() => self.offered_again(message, peer),
            (Some("PRACK"), _) => {
                self.described(message)?;
                self.send(peer, &response(message, "200 OK", "", "", ""))
            }
            (Some("BYE"), _) => {
                // The call may be unknown here: the answer is the same.
                let _ = self.with(call_of(message), |talk| talk.media.hush());
                self.send(peer, &response(message, "200 OK", "", "", ""))
            }
            (Some(_), _) => self.send(peer, &response(message, "200 OK", "", "", "")),
            (None, Some(status)) => self.answered(message, peer, status),
            (None, None) => Ok(()),
        }
    }

    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:agent@{}>\r\n", self.local)
    }

    /// A call came in: the test is told, and leads it from here on.
    fn called(&self, invite: &Logged, peer: SocketAddr) -> Result<()> {
        let call = call_of(invite).to_owned();
        if lock(&self.talks).contains_key(&call) {
            return Ok(());
        }
        let header = |name| invite.header(name).unwrap_or_default();
        let dialog = Dialog {
            ours: format!("{};tag=b{}", header("To"), self.next()),
            theirs: header("From").to_owned(),
            target: uri(header("Contact")),
            peer,
            call: call.clone(),
        };
        let mut talk = Talk::new(dialog, Arc::new(Media::open(self.ip)?), self.own_codecs());
        talk.hear(invite.body());
        talk.invite = Some(invite.clone());
        lock(&self.talks).insert(call.clone(), talk);
        self.send(peer, &response(invite, "100 Trying", "", "", ""))?;
        lock(&self.incoming).push(call);
        Ok(())
    }

    /// A re-INVITE or UPDATE: answered at once, with an offer where there was none.
    fn offered_again(&self, request: &Logged, peer: SocketAddr) -> Result<()> {
        let body = self.with(call_of(request), |talk| {
            let offered = !request.body().is_empty();
            talk.hear(request.body());
            talk.describe(offered)
        })?;
        let extra = format!("{}{SDP_TYPE}", self.contact());
        self.send(peer, &response(request, "200 OK", "", &extra, &body))
    }

    /// A description came in an ACK or a PRACK.
    fn described(&self, message: &Logged) -> Result<()> {
        if message.body().is_empty() {
            return Ok(());
        }
        self.with(call_of(message), |talk| talk.hear(message.body()))
    }

    fn cancelled(&self, cancel: &Logged, peer: SocketAddr) -> Result<()> {
        self.send(peer, &response(cancel, "200 OK", "", "", ""))?;
        let refusal = self.with(call_of(cancel), |talk| {
            let open = !talk.answered;
            talk.answered = true;
            talk.media.hush();
            talk.invite
                .as_ref()
                .filter(|_| open)
                .map(|invite| response(invite, "487 Request Terminated", tag(&talk.dialog), "", ""))
        })?;
        refusal.map_or(Ok(()), |refusal| self.send(peer, &refusal))
    }

    /// A response to a request of ours.
    fn answered(&self, message: &Logged, peer: SocketAddr, status: u16) -> Result<()> {
        let cseq = message.header("CSeq").unwrap_or_default();
        let (number, method) = cseq.split_once(' ').unwrap_or_default();
        if method == "UPDATE" && status < 300 {
            return self.described(message);
        }
        if method != "INVITE" || status == 100 {
            return Ok(());
        }
        if status >= 300 {
            return self.send(peer, &refusal_ack(message, peer, number));
        }
        let number: u32 = number.parse()?;
        let out =
            self.with(call_of(message), |talk| self.go_along(talk, message, (status, number)))?;
        out.map_or(Ok(()), |request| self.send(peer, &request))
    }

    /// What a response that is no refusal makes of a call; gives the ACK or PRACK.
    fn go_along(
        &self,
        talk: &mut Talk,
        message: &Logged,
        (status, number): (u16, u32),
    ) -> Option<String> {
        let header = |name| message.header(name).unwrap_or_default();
        header("To").clone_into(&mut talk.dialog.theirs);
        if !header("Contact").is_empty() {
            talk.dialog.target = uri(header("Contact"));
        }
        let first = talk.remote.is_none();
        talk.hear(message.body());
        // Theirs is the offer where ours was not: the answer goes out with what acknowledges it.
        let answering = !talk.offered && !message.body().is_empty();
        let rseq = header("RSeq").to_owned();
        if status >= 200 {
            let body = if answering && (first || number > 1) {
                talk.describe(true)
            } else {
                String::new()
            };
            let kind = if body.is_empty() { "" } else { SDP_TYPE };
            return Some(talk.dialog.request(self, ("ACK", number), kind, &body));
        }
        if rseq.is_empty() || talk.acknowledged.contains(&rseq) {
            return None;
        }
        let body = if answering && first { talk.describe(true) } else { String::new() };
        let kind = if body.is_empty() { "" } else { SDP_TYPE };
        let rack = format!("RAck: {rseq} {number} INVITE\r\n{kind}");
        talk.acknowledged.push(rseq);
        talk.sequence += 1;
        Some(talk.dialog.request(self, ("PRACK", talk.sequence), &rack, &body))
    }
}

/// The ACK of a refusal has the INVITE's branch (RFC 3261 section 17.1.1.3).
fn refusal_ack(message: &Logged, peer: SocketAddr, number: &str) -> String {
    let header = |name| message.header(name).unwrap_or_default();
    format!(
        "ACK sip:gone@{peer} SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} ACK\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        header("Via"),
        header("From"),
        header("To"),
        header("Call-ID"),
    )
}

fn call_of(message: &Logged) -> &str {
    message.header("Call-ID").unwrap_or_default()
}

/// Our tag.
pub(crate) fn tag(dialog: &Dialog) -> &str {
    dialog.ours.rsplit(";tag=").next().unwrap_or_default()
}

/// The URI in a Contact.
fn uri(contact: &str) -> String {
    contact.split(['<', '>']).nth(1).unwrap_or(contact).to_owned()
}
