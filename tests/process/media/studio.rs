//! A server that relays, a caller and a callee with voices, and an API client.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::agent::{Agent, Call, sdp};
use mediator_tests::api::Api;
use mediator_tests::child::until;
use mediator_tests::config::{CORE_TOKEN, Config};
use mediator_tests::hearing::{Recording, Sought};
use mediator_tests::server::Server;
use mediator_tests::tone;
use mediator_tests::web::Web;
use mediator_tests::wire::http_get;
use serde_json::{Value, json};

use crate::api::desk::merge;
use crate::scene::{CALLER, REDIRECT, Scene};

/// What alice says, in Hz.
pub(crate) const ALICE: f64 = 700.0;
/// What bob says.
pub(crate) const BOB: f64 = 1300.0;
/// What announcements of these tests say.
pub(crate) const PROMPT: f64 = 1000.0;
/// A number of the US that is no DID here.
pub(crate) const FAR: &str = "15162065338";
/// How long an announcement is.
pub(crate) const PROMPT_TIME: Duration = Duration::from_millis(1200);
/// No switch between two sounds may leave more than this unheard.
pub(crate) const GAP: Duration = Duration::from_millis(60);
/// How long something may take that the server does by itself.
const LIMIT: Duration = Duration::from_secs(12);

/// Alice's voice.
pub(crate) fn alice_tone() -> Sought {
    Sought::new("alice", &[ALICE])
}

/// Bob's voice.
pub(crate) fn bob_tone() -> Sought {
    Sought::new("bob", &[BOB])
}

/// An announcement.
pub(crate) fn prompt_tone() -> Sought {
    Sought::new("prompt", &[PROMPT])
}

/// Ringing as in the US.
pub(crate) fn ringing_tone() -> Sought {
    Sought::new("ringing", &[440.0, 480.0])
}

/// An announcement as a file.
pub(crate) fn prompt_wav() -> Result<Vec<u8>> {
    tone::wav(PROMPT, PROMPT_TIME)
}

/// A running server and who talks through it.
pub(crate) struct Studio {
    pub(crate) scene: Scene,
    pub(crate) server: Server,
    /// The caller.
    pub(crate) alice: Agent,
    /// The callee.
    pub(crate) bob: Agent,
    /// Account `masking`, with the DIDs `REDIRECT` and `UNBOUND`.
    pub(crate) mediator: Api,
    /// The operator.
    pub(crate) core: Api,
}

impl Studio {
    /// Starts the usual cast in a directory of that name.
    pub(crate) fn open(name: &str) -> Result<Self> {
        Self::open_with(name, |config| config)
    }

    /// The same with more in the configuration.
    pub(crate) fn open_with(name: &str, more: impl FnOnce(Config) -> Config) -> Result<Self> {
        let scene = Scene::new(&format!("media_{name}"))?;
        let config = more(scene.config());
        Self::on(scene, &config)
    }

    /// The same on a stage and with a configuration of choice.
    pub(crate) fn on(scene: Scene, config: &Config) -> Result<Self> {
        let server = scene.serve(config)?;
        let to = SocketAddr::from((scene.server.ip(), 8080));
        Ok(Self {
            server,
            alice: Agent::start(scene.caller.ip(), sdp::mu())?,
            bob: Agent::start(scene.callee.ip(), sdp::mu())?,
            mediator: Api::mediator(to, "masking", "masking"),
            core: Api::core(to, CORE_TOKEN),
            scene,
        })
    }

    /// A web server at the caller's address: loopback is private, so the configuration must allow it.
    pub(crate) fn web(&self) -> Result<Web> {
        Web::start(SocketAddr::from((self.scene.caller.ip(), 0)))
    }

    /// Where SIP is spoken.
    pub(crate) fn sip(&self) -> SocketAddr {
        self.scene.server.sip()
    }

    /// A binding of `REDIRECT` to [`FAR`] for any caller, with these attributes.
    pub(crate) fn bind(&self, attributes: &Value) -> Result<Value> {
        self.bind_more(&json!({ "attributes": attributes }))
    }

    /// The same with more fields.
    pub(crate) fn bind_more(&self, more: &Value) -> Result<Value> {
        let mut body = json!({
            "redirect_did": REDIRECT,
            "destination_did": FAR,
            "maximum_ttl": -1,
            "wait_origination_did_ttl": -1,
            "attributes": {},
        });
        merge(&mut body, more);
        merge(&mut body["attributes"], &json!({ "hide_origination_did": "true" }));
        self.mediator.post("/bindings", &body)?.ok()
    }

    /// Alice calls the bound number.
    pub(crate) fn dial(&self) -> Result<Call> {
        self.alice.dial(self.sip(), REDIRECT, CALLER)
    }

    /// Alice calls, bob rings and answers; both speak.
    pub(crate) fn talk(&self) -> Result<(Call, Call)> {
        let count = self.bob.calls();
        let leg_a = self.dial()?;
        let leg_b = self.bob.called(count + 1)?;
        leg_b.ring()?;
        leg_b.answer()?;
        leg_a.answered()?;
        leg_b.request("ACK")?;
        leg_a.speak(ALICE)?;
        leg_b.speak(BOB)?;
        Ok((leg_a, leg_b))
    }

    /// Waits for the call record; there must be no other.
    pub(crate) fn record(&self) -> Result<Value> {
        let items = until(LIMIT, "a call record", || {
            let (items, _) = self.core.list("/app/mediator/calls", &[])?;
            Ok((!items.is_empty()).then_some(items))
        })?;
        ensure!(items.len() == 1, "{items:?}");
        items.into_iter().next().context("a record")
    }

    /// The sum of a metric over its labels.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        let to = SocketAddr::from((self.scene.server.ip(), 8080));
        let (_, text) = http_get(to, "/metrics")?;
        let mut found = false;
        let mut sum = 0.0;
        for line in text.lines() {
            let of = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']));
            if let Some(value) = of.and_then(|rest| rest.rsplit(' ').next()) {
                sum += value.parse::<f64>()?;
                found = true;
            }
        }
        ensure!(found, "no metric {name}");
        Ok(sum)
    }

    /// Waits until no call is up, and ends the server, which must have logged no error.
    pub(crate) fn close(self) -> Result<()> {
        until(LIMIT, "the end of every call", || {
            Ok((self.mediator.get("/calls")?.ok()?["items"] == json!([])).then_some(()))
        })?;
        let to = SocketAddr::from((self.scene.server.ip(), 8080));
        let (status, body) = http_get(to, "/healthz")?;
        ensure!(status.contains(" 200 "), "not well: {status} {body}");
        self.server.stop()
    }
}

/// Both hear each other.
pub(crate) fn hear_each_other(leg_a: &Call, leg_b: &Call) -> Result<()> {
    leg_b.hears(&alice_tone())?;
    leg_a.hears(&bob_tone())
}

/// Fails where one source was not one stream: its synchronisation source changed, or its numbers did not go on by one.
pub(crate) fn is_one_stream(call: &Call) -> Result<()> {
    let packets = call.media().heard();
    let first = packets.first().context("no packet came")?;
    for (at, two) in packets.windows(2).enumerate() {
        let [one, next] = two else { continue };
        ensure!(next.ssrc() == first.ssrc(), "another source at packet {at}");
        let step = next.sequence().wrapping_sub(one.sequence());
        ensure!(step == 1, "packet {at} is followed by one that is {step} further");
        ensure!(next.from == first.from, "packet {at} is from {}", next.from);
        ensure!(next.is_plain(), "packet {at} has more than the fixed head");
    }
    Ok(())
}

/// Fails where nothing was sent for longer than is allowed, by the stream's own clock.
pub(crate) fn has_no_hole(recording: &Recording) -> Result<()> {
    let hole = recording.longest_hole();
    ensure!(hole <= GAP, "{hole:?} without a packet");
    Ok(())
}
