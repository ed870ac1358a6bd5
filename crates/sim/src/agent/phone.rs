//! An agent as a phone that registers, and its requests outside every dialog.

use mediator_sip::digest::{Asked, Challenge, Counted, Login, answer, choose};

use super::Agent;
use super::compose::Parts;
use crate::Wire;

/// The place of what is no call.
const NO_CALL: usize = usize::MAX;

impl Agent {
    /// Registers its Contact for so many seconds as the user of its login; challenges are answered.
    pub fn register(&mut self, expires: u32) {
        self.register_as("registration", expires);
    }

    /// As [`Agent::register`], under a Call-ID of its own.
    pub fn register_as(&mut self, call_id: &str, expires: u32) {
        let call_id = format!("{}-{call_id}", self.profile.party.canary());
        self.send_register(&call_id, &expires.to_string(), None);
    }

    /// Sends the last request of a method again with another branch: the same words, a new transaction.
    pub fn replay_last(&mut self, method: &str) -> bool {
        let last = self.clients.iter().rfind(|tx| tx.method == method).cloned();
        let Some(last) = last else { return false };
        let branch = format!("z9hG4bK{}", self.mint("again"));
        let text = String::from_utf8_lossy(&last.bytes).replace(&last.branch, &branch);
        let (bytes, cseq) = (crate::stage::bytes_of(&text), last.cseq);
        self.start_client((method, cseq, branch), (NO_CALL, None), bytes);
        true
    }

    fn send_register(&mut self, call_id: &str, expires: &str, credentials: Option<String>) {
        let (username, _) = self.quirks.login.unwrap_or(("nobody", ""));
        let branch = format!("z9hG4bK{}", self.mint("register"));
        self.minted += 1;
        let cseq = self.minted;
        let tag = self.mint("tag");
        let mut extra = vec![
            ("Max-Forwards".to_owned(), "70".to_owned()),
            ("Expires".to_owned(), expires.to_owned()),
        ];
        extra.extend(credentials.map(|value| ("Authorization".to_owned(), value)));
        let aor = format!("<sip:{username}@{}>", self.server.ip());
        let bytes = self.compose(&Parts {
            start: format!("REGISTER sip:{} SIP/2.0", self.server.ip()),
            vias: vec![self.via(&branch)],
            from: format!("{aor};tag={tag}"),
            to: aor,
            call_id,
            cseq: format!("{cseq} REGISTER"),
            extra,
            body: None,
        });
        self.start_client(("REGISTER", cseq, branch), (NO_CALL, None), bytes);
    }

    /// A response to a REGISTER; the first challenge is answered.
    pub(crate) fn register_response(&mut self, tx: usize, wire: &Wire) {
        let Some((username, password)) = self.quirks.login else { return };
        let Some(sent) = self.clients.get(tx).map(|tx| tx.bytes.clone()) else { return };
        let sent = String::from_utf8_lossy(&sent).into_owned();
        let again = wire.status() == 401 && !sent.contains("Authorization:");
        if !again {
            return;
        }
        let uri = format!("sip:{}", self.server.ip());
        let asked =
            wire.all("WWW-Authenticate").filter_map(|v| Challenge::parse(v.as_bytes()).ok());
        let value = choose(asked).and_then(|challenge| {
            answer(
                &challenge,
                &Login { username, password },
                &Asked { method: "REGISTER", uri: uri.as_bytes() },
                &Counted { cnonce: "c", nc: 1 },
            )
        });
        let expires = sent
            .lines()
            .find_map(|line| line.strip_prefix("Expires: "))
            .unwrap_or_default()
            .to_owned();
        if let Some(value) = value {
            let value = String::from_utf8_lossy(&value).into_owned();
            self.send_register(wire.call_id(), &expires, Some(value));
        }
    }
}
