//! What an agent writes: messages full of what must not cross.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{Agent, AgentCall, Dialog};
use crate::Wire;
use crate::stage::bytes_of;

/// The parts of a message that differ.
pub(crate) struct Parts<'a> {
    pub(crate) start: String,
    pub(crate) vias: Vec<String>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: String,
    pub(crate) extra: Vec<(String, String)>,
    pub(crate) body: Option<(&'static str, String)>,
}

impl Agent {
    /// Writes a message.
    pub(crate) fn compose(&self, parts: &Parts<'_>) -> Bytes {
        let mut text = format!("{}\r\n", parts.start);
        for via in &parts.vias {
            let _ = write!(text, "Via: {via}\r\n");
        }
        let _ = write!(text, "From: {}\r\nTo: {}\r\n", parts.from, parts.to);
        let _ = write!(text, "Call-ID: {}\r\nCSeq: {}\r\n", parts.call_id, parts.cseq);
        if !self.quirks.no_contact {
            let _ = write!(text, "Contact: <{}>\r\n", self.contact());
        }
        if self.quirks.allows_update {
            text += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE\r\n";
        } else {
            text += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK\r\n";
        }
        for (name, value) in &parts.extra {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !self.quirks.plain {
            text += &self.betraying();
        }
        let body = match &parts.body {
            Some((content_type, body)) => {
                let _ = write!(text, "Content-Type: {content_type}\r\n");
                body.as_str()
            }
            None => "",
        };
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        bytes_of(&text)
    }

    /// Every header that a peer can put its name, number or address into.
    fn betraying(&self) -> String {
        let canary = self.profile.party.canary();
        let host = self.profile.at;
        let user = &self.profile.user;
        let uri = format!("\"{canary}\" <sip:{user}@{host}>");
        format!(
            "Subject: {canary}\r\nOrganization: {canary}\r\nUser-Agent: {canary}/1\r\n\
             Server: {canary}/1\r\nReply-To: {uri}\r\nReferred-By: {uri}\r\nCall-Info: <http://{canary}>\r\n\
             Remote-Party-ID: {uri};party=calling\r\nDiversion: {uri};reason=unknown\r\n\
             History-Info: <sip:{user}@{host}>;index=1\r\nX-Foo: {canary}\r\nGeolocation: <cid:{canary}>\r\n\
             Identity: {canary}\r\nWarning: 399 {host} \"{canary}\"\r\nAlert-Info: <http://{canary}>\r\n\
             User-to-User: {canary}\r\nP-Charging-Vector: icid-value={canary}\r\nIn-Reply-To: {canary}\r\n\
             Reason: SIP;cause=200;text=\"{canary}\"\r\nP-Preferred-Identity: {uri}\r\nError-Info: <sip:{canary}@{host}>\r\n"
        )
    }

    pub(crate) fn contact(&self) -> String {
        let Self { profile, .. } = self;
        let transport = if profile.transport.is_reliable() { ";transport=tcp" } else { "" };
        format!("sip:{}@{}{transport}", profile.party.canary(), profile.at)
    }

    pub(crate) fn via(&self, branch: &str) -> String {
        let Self { profile, .. } = self;
        format!("SIP/2.0/{} {};branch={branch};rport", profile.transport.via_token(), profile.at)
    }

    /// A response to a request that came.
    pub(crate) fn respond(
        &self,
        request: &Wire,
        (status, tag): (u16, Option<&str>),
        extra: Vec<(String, String)>,
        body: Option<(&'static str, String)>,
    ) -> Bytes {
        let canary = self.profile.party.canary();
        let mut extra = extra;
        let route = self.quirks.record_route.iter().filter(|_| request.method() == "INVITE");
        extra.extend(route.map(|uri| ("Record-Route".to_owned(), format!("<{uri};lr>"))));
        let to = request.header("To").unwrap_or_default();
        let to = match tag {
            Some(tag) if request.to_tag().is_none() => format!("{to};tag={tag}"),
            Some(_) | None => to.to_owned(),
        };
        self.compose(&Parts {
            start: format!("SIP/2.0 {status} {canary}"),
            vias: request.all("Via").map(str::to_owned).collect(),
            from: request.header("From").unwrap_or_default().to_owned(),
            to,
            call_id: request.call_id(),
            cseq: request.header("CSeq").unwrap_or_default().to_owned(),
            extra,
            body,
        })
    }

    /// A request in a dialog.
    pub(crate) fn in_dialog(
        &self,
        (call, dialog): (&AgentCall, &Dialog),
        (method, cseq, branch): (&str, u32, &str),
        extra: Vec<(String, String)>,
        body: Option<(&'static str, String)>,
    ) -> Bytes {
        let mut extra = extra;
        extra.push(("Max-Forwards".into(), "70".into()));
        self.compose(&Parts {
            start: format!("{method} {} SIP/2.0", dialog.target),
            vias: vec![self.via(branch)],
            from: format!("{};tag={}", call.local, dialog.local_tag),
            to: format!("{};tag={}", call.remote, dialog.remote_tag),
            call_id: &call.call_id,
            cseq: format!("{cseq} {method}"),
            extra,
            body,
        })
    }
}
