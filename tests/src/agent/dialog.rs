//! What an agent knows of one call.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Shared;
use super::sdp::{self, Codec, Read};
use crate::rtp::Media;
use crate::sipp::log::Logged;

/// Our side of a dialog.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    pub(crate) target: String,
    pub(crate) peer: SocketAddr,
}

impl Dialog {
    /// A request in it, with a branch of its own.
    pub(crate) fn request(
        &self,
        shared: &Shared,
        (method, sequence): (&str, u32),
        extra: &str,
        body: &str,
    ) -> String {
        let Self { call, ours, theirs, target, .. } = self;
        let (local, count) = (shared.local, shared.next());
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKg{count}\r\n\
             From: {ours}\r\nTo: {theirs}\r\nCall-ID: {call}\r\nCSeq: {sequence} {method}\r\n\
             Max-Forwards: 70\r\n{extra}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// A call.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) dialog: Dialog,
    pub(crate) media: Arc<Media>,
    /// What our descriptions offer.
    pub(crate) codecs: Vec<Codec>,
    /// What SDP says of where we are, where that is another address than media's.
    pub(crate) shown: Option<SocketAddr>,
    /// The version of our last description.
    pub(crate) version: u32,
    /// Whether an offer of ours stands, or stood, in the INVITE.
    pub(crate) offered: bool,
    /// The last description of the other side.
    pub(crate) remote: Option<Read>,
    /// The INVITE that we sent, for CANCEL.
    pub(crate) sent_invite: String,
    /// The INVITE that we got.
    pub(crate) invite: Option<Logged>,
    /// Whether a final response to it was sent.
    pub(crate) answered: bool,
    /// The number of our last request.
    pub(crate) sequence: u32,
    /// The RSeq numbers that were acknowledged.
    pub(crate) acknowledged: Vec<String>,
    /// Our direction.
    pub(crate) direction: String,
    /// The tone that goes to wherever the other side is, once that is known.
    pub(crate) hertz: Option<f64>,
}

impl Talk {
    pub(crate) fn new(dialog: Dialog, media: Arc<Media>, codecs: Vec<Codec>) -> Self {
        Self {
            dialog,
            media,
            codecs,
            shown: None,
            version: 1,
            offered: false,
            remote: None,
            sent_invite: String::new(),
            invite: None,
            answered: false,
            sequence: 1,
            acknowledged: Vec::new(),
            direction: "sendrecv".to_owned(),
            hertz: None,
        }
    }

    /// Takes in a description of the other side.
    pub(crate) fn hear(&mut self, body: &str) {
        if let Some(read) = Read::of(body) {
            self.remote = Some(read);
            self.go_on();
        }
    }

    /// Speaks to where the other side is by now, in the codec that both have.
    pub(crate) fn go_on(&self) {
        let (Some(hertz), Some(remote)) = (self.hertz, &self.remote) else { return };
        let common = Read { codecs: remote.common(&self.codecs), ..remote.clone() };
        let can = matches!(remote.direction.as_str(), "sendrecv" | "recvonly")
            && remote.address.port() != 0;
        let ours = matches!(self.direction.as_str(), "sendrecv" | "sendonly");
        match common.voice() {
            Some((payload_type, law)) if can && ours => {
                let to = remote.address;
                self.media.speak(crate::rtp::Voice { to, payload_type, law, hertz });
            }
            _ => self.media.hush(),
        }
    }

    /// Our next description: an answer to what the other side has said, or an offer.
    pub(crate) fn describe(&mut self, answering: bool) -> String {
        let at = self.shown.unwrap_or_else(|| self.media.address());
        let version = self.version;
        self.version += 1;
        match &self.remote {
            Some(remote) if answering => {
                let codecs = remote.common(&self.codecs);
                // One codec of voice is chosen, as phones do; events go with it.
                let voice = codecs.iter().find(|codec| !codec.is_events()).cloned();
                let events = codecs.iter().find(|codec| codec.is_events()).cloned();
                let chosen: Vec<Codec> = voice.into_iter().chain(events).collect();
                sdp::write(at, &chosen, sdp::answering(&remote.direction), version)
            }
            _ => sdp::write(at, &self.codecs, &self.direction, version),
        }
    }
}
