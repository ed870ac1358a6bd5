//! The cast that most calls have: a carrier that calls in, the server, a carrier that is called.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mediator_tests::config::{Config, Direction};
use mediator_tests::server::Server;
use mediator_tests::sipp::Sipp;
use mediator_tests::sipp::log::{self, Logged};
use mediator_tests::stage::{Loopback, Stage};

/// A DID with a binding.
pub(crate) const REDIRECT: &str = "15162065346";
/// A DID without a binding.
pub(crate) const UNBOUND: &str = "15162065337";
/// Where the binding leads.
pub(crate) const DESTINATION: &str = "442071234567";
/// Who calls.
pub(crate) const CALLER: &str = "14155550100";
/// A header that has no business on the other leg.
pub(crate) const PRIVATE_HEADER: &str = "X-Leg-A-Only: not for leg B";

/// A stage with the usual three addresses.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) server: Loopback,
    pub(crate) caller: Loopback,
    pub(crate) callee: Loopback,
}

impl Scene {
    /// `name` is the directory of the test.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("process");
        Ok(Self {
            stage: Stage::new(parent, name)?,
            server: Loopback::lease()?,
            caller: Loopback::lease()?,
            callee: Loopback::lease()?,
        })
    }

    /// Two carriers, the mediator endpoint `masking` with both DIDs, no binding yet.
    pub(crate) fn config(&self) -> Config {
        Config::new(self.server.ip())
            .carrier("carrier-in", self.caller.sip(), Direction::Inbound)
            .carrier("carrier-out", self.callee.sip(), Direction::Outbound)
            .masking("masking", &[REDIRECT, UNBOUND], "carrier-out")
    }

    /// Starts the server.
    pub(crate) fn serve(&self, config: &Config) -> Result<Server> {
        Server::start(&self.stage, &config.text())
    }

    /// A SIPp at the caller's address that shows [`CALLER`].
    pub(crate) fn uac(&self, scenario: &str) -> Sipp {
        let from = format!("\"Carol\" <sip:{CALLER}@{}>", self.caller.sip());
        Sipp::new("caller", scenario, self.caller.sip())
            .key("caller", &from)
            .key("extra", PRIVATE_HEADER)
    }

    /// A SIPp at the callee's address.
    pub(crate) fn uas(&self, scenario: &str) -> Sipp {
        Sipp::new("callee", scenario, self.callee.sip())
    }
}

/// The messages that came in.
pub(crate) fn received(messages: &[Logged]) -> impl Iterator<Item = &Logged> {
    messages.iter().filter(|message| message.direction == log::Direction::Received)
}

/// The first request of that method that came in.
pub(crate) fn request<'a>(messages: &'a [Logged], method: &str) -> Result<&'a Logged> {
    received(messages)
        .find(|message| message.method() == Some(method))
        .with_context(|| format!("no {method} came in"))
}

/// The final response to the first INVITE.
pub(crate) fn final_response(messages: &[Logged]) -> Result<&Logged> {
    received(messages)
        .find(|message| {
            message.status().is_some_and(|status| status >= 200)
                && message.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
        })
        .context("no final response came in")
}

/// Whether a provisional response of that code came in.
pub(crate) fn heard_status(messages: &[Logged], status: u16) -> bool {
    received(messages).any(|message| message.status() == Some(status))
}

/// Fails where any message that came in shows one of `secrets`; says which, and where.
pub(crate) fn hides(messages: &[Logged], secrets: &[&str]) -> Result<()> {
    for message in received(messages) {
        for secret in secrets {
            ensure!(!message.text.contains(secret), "{secret} leaks:\n{}", message.text);
        }
    }
    Ok(())
}

/// The user part of the URI in a From, To or P-Asserted-Identity, or in a Request-URI.
pub(crate) fn user(value: &str) -> &str {
    let uri = value.split_once("sip:").map_or(value, |(_, rest)| rest);
    let end = uri.find(['@', '>', ';']).unwrap_or(uri.len());
    uri.get(..end).unwrap_or_default()
}

/// An address as it appears in a message.
pub(crate) fn shown(address: SocketAddr) -> String {
    address.to_string()
}
