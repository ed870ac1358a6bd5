//! A server with two accounts and two carriers, and clients of both APIs.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::child::until;
use mediator_tests::config::{CORE_TOKEN, Config};
use mediator_tests::phone::{Behaviour, Phone};
use mediator_tests::server::Server;
use mediator_tests::wire::http_get;
use serde_json::{Value, json};

use crate::scene::{REDIRECT, Scene, UNBOUND};

/// A number that is no DID here.
pub(crate) const FAR: &str = "15162065338";
/// Another one.
pub(crate) const FARTHER: &str = "15162065339";
/// A British DID of the second account.
pub(crate) const BRITISH: &str = "442071838750";
/// A French DID of the second account.
pub(crate) const FRENCH: &str = "33142685300";
/// How long something may take that the server does by itself.
const LIMIT: Duration = Duration::from_secs(10);

/// A running server and who talks to it.
pub(crate) struct Desk {
    pub(crate) scene: Scene,
    pub(crate) server: Server,
    /// Account `masking`, with the DIDs [`REDIRECT`] and [`UNBOUND`].
    pub(crate) mediator: Api,
    /// Account `abroad`, with the DIDs [`BRITISH`], [`FRENCH`] and "15162065300".
    pub(crate) abroad: Api,
    /// The operator.
    pub(crate) core: Api,
}

impl Desk {
    /// Starts the usual cast in a directory of that name.
    pub(crate) fn open(name: &str) -> Result<Self> {
        Self::open_with(name, |config| config)
    }

    /// The same with more in the configuration.
    pub(crate) fn open_with(name: &str, more: impl FnOnce(Config) -> Config) -> Result<Self> {
        let scene = Scene::new(&format!("api_{name}"))?;
        let config = more(scene.config().masking(
            "abroad",
            &[BRITISH, FRENCH, "15162065300"],
            "carrier-out",
        ));
        Self::on(scene, &config)
    }

    /// The same on a stage and with a configuration of choice.
    pub(crate) fn on(scene: Scene, config: &Config) -> Result<Self> {
        let server = scene.serve(config)?;
        let to = SocketAddr::from((scene.server.ip(), 8080));
        Ok(Self {
            server,
            mediator: Api::mediator(to, "masking", "masking"),
            abroad: Api::mediator(to, "abroad", "abroad"),
            core: Api::core(to, CORE_TOKEN),
            scene,
        })
    }

    /// Where HTTP is spoken.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((self.scene.server.ip(), 8080))
    }

    /// Where SIP is spoken.
    pub(crate) fn sip(&self) -> SocketAddr {
        self.scene.server.sip()
    }

    /// The phone of the carrier that calls in.
    pub(crate) fn caller(&self) -> Result<Phone> {
        Phone::start(self.scene.caller.sip(), Behaviour::Answers)
    }

    /// The phone behind the carrier that is called.
    pub(crate) fn callee(&self) -> Result<Phone> {
        Phone::start(self.scene.callee.sip(), Behaviour::Answers)
    }

    /// Makes a binding that lasts, for any caller unless `more` says otherwise; gives the object.
    pub(crate) fn lasting(&self, redirect_did: &str, more: &Value) -> Result<Value> {
        let mut body = json!({
            "redirect_did": redirect_did,
            "destination_did": FAR,
            "maximum_ttl": -1,
            "wait_origination_did_ttl": -1,
        });
        merge(&mut body, more);
        self.mediator.post("/bindings", &body)?.ok()
    }

    /// Ends the server, which must be well and have logged no error.
    pub(crate) fn close(self) -> Result<()> {
        let (status, body) = http_get(self.address(), "/healthz")?;
        ensure!(status.contains(" 200 "), "not well: {status} {body}");
        self.server.stop()
    }
}

/// Puts the keys of one object over those of another.
pub(crate) fn merge(onto: &mut Value, more: &Value) {
    if let (Some(onto), Some(more)) = (onto.as_object_mut(), more.as_object()) {
        for (key, value) in more {
            onto.insert(key.clone(), value.clone());
        }
    }
}

/// Text of a field.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> Result<&'a str> {
    object[field].as_str().with_context(|| format!("no text {field} in {object}"))
}

/// The names of an object's fields, in order.
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        object.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    keys.sort_unstable();
    keys
}

/// Waits until a list is as wanted; gives its items.
pub(crate) fn list_until(
    api: &Api,
    path: &str,
    what: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Result<Vec<Value>> {
    let mut last = Vec::new();
    until(LIMIT, what, || {
        last = api.list(path, &[])?.0;
        Ok(wanted(&last).then_some(()))
    })
    .with_context(|| format!("{path}: {last:?}"))?;
    Ok(last)
}

/// Waits until a path gives that status.
pub(crate) fn status_until(api: &Api, path: &str, status: u16) -> Result<()> {
    until(LIMIT, &format!("{status} of {path}"), || {
        Ok((api.get(path)?.status() == status).then_some(()))
    })
}

/// A version 4 UUID, written as everybody does.
pub(crate) fn is_sid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.char_indices().all(|(at, char)| match char {
            '-' => dashes.contains(&at),
            _ => !dashes.contains(&at) && matches!(char, '0'..='9' | 'a'..='f'),
        })
        && text.get(14..15) == Some("4")
        && text.get(19..20).is_some_and(|char| "89ab".contains(char))
}

/// A time in UTC with milliseconds: `2018-10-09T22:47:56.609Z`.
pub(crate) fn is_date(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == shape.len()
        && text.chars().zip(shape.chars()).all(|(char, shape)| match shape {
            'd' => char.is_ascii_digit(),
            other => char == other,
        })
}

/// The DIDs of account `masking`.
pub(crate) const DIDS: [&str; 2] = [REDIRECT, UNBOUND];
