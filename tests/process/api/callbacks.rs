//! Call records posted to the partner's callback: signed, tried again, not lost with the process.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, Mac as _};
use mediator_tests::child::until;
use mediator_tests::receiver::{Posted, Receiver};
use serde_json::{Value, json};
use sha2::Sha256;

use super::desk::{Desk, list_until, text};
use crate::scene::{CALLER, REDIRECT, Scene};

/// The first retry comes 5 s after the failure.
const LIMIT: Duration = Duration::from_secs(20);

/// Sets the callback; gives the path of the partner and the key that signs.
fn subscribe(desk: &Desk, to: SocketAddr) -> Result<String> {
    let me = desk.core.get("/oauth/whoami")?.ok()?;
    let path = format!("/partners/{}", text(&me, "partner_sid")?);
    let url = json!({ "callbacks": { "app_mediator": format!("http://{to}/hook?a=b") } });
    Ok(text(&desk.core.patch(&path, &url)?.ok()?, "callbacks_secret")?.to_owned())
}

fn posted(receiver: &Receiver, times: usize) -> Result<Vec<Posted>> {
    until(LIMIT, &format!("post number {times}"), || {
        let posted = receiver.posted();
        Ok((posted.len() >= times).then_some(posted))
    })
}

/// Checks type, signature and age of a post; gives the record in it.
fn check(post: &Posted, secret: &str) -> Result<Value> {
    ensure!(post.start_line == "POST /hook?a=b HTTP/1.1", "{}", post.start_line);
    let kind = post.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("application/json"), "{kind}");
    let signature = post.header("x-mediator-signature").context("no signature")?;
    let (time, mac) = signature
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
        .with_context(|| signature.to_owned())?;
    let age = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().abs_diff(time.parse()?);
    ensure!(age < 60, "signed {age} s ago");
    let own = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut own = own.ok().context("a key of any length will do")?;
    own.update(format!("{time}.").as_bytes());
    own.update(&post.body);
    ensure!(format!("{:x}", own.finalize().into_bytes()) == mac, "another signature: {mac}");
    serde_json::from_slice(&post.body).context("no JSON")
}

#[test]
fn posts_each_record_once_signed() -> Result<()> {
    let desk = Desk::open("callback")?;
    let receiver = Receiver::start(SocketAddr::from((desk.scene.callee.ip(), 0)), &[])?;
    let secret = subscribe(&desk, receiver.address())?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({ "attributes": { "mine": "☂" } }))?;
    for _ in 0..2 {
        caller.talk(desk.sip(), REDIRECT, CALLER)?;
    }
    let posts = posted(&receiver, 2)?;
    let records = list_until(&desk.core, "/app/mediator/calls", "two records", |r| r.len() == 2)?;
    for post in &posts {
        let record = check(post, &secret)?;
        ensure!(records.contains(&record), "{record} is not among {records:?}");
        ensure!(record["attributes"]["mine"] == "☂", "{record}");
    }
    ensure!(posts[0].body != posts[1].body && receiver.posted().len() == 2, "posted twice");
    desk.close()
}

#[test]
fn tries_again_after_a_failure_and_a_restart() -> Result<()> {
    let scene = Scene::new("api_callback_retry")?;
    let store = format!("file:{}", scene.stage.path("data").display());
    let config = scene.config().store(&store);
    let desk = Desk::on(scene, &config)?;
    let receiver = Receiver::start(SocketAddr::from((desk.scene.callee.ip(), 0)), &[500])?;
    let secret = subscribe(&desk, receiver.address())?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    posted(&receiver, 1)?;
    drop((caller, callee));
    let Desk { scene, server, .. } = desk;
    server.stop()?;
    let desk = Desk::on(scene, &config)?;
    let posts = posted(&receiver, 2)?;
    let (first, second) = (check(&posts[0], &secret)?, check(&posts[1], &secret)?);
    ensure!(first == second, "{first} {second}");
    ensure!(receiver.posted().len() == 2, "posted after it was taken");
    desk.close()
}

#[test]
fn goes_on_with_calls_while_nobody_takes_the_post() -> Result<()> {
    let desk = Desk::open("callback_down")?;
    let closed = Receiver::start(SocketAddr::from((desk.scene.callee.ip(), 0)), &[])?;
    let address = closed.address();
    drop(closed);
    let secret = subscribe(&desk, address)?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    for _ in 0..3 {
        caller.talk(desk.sip(), REDIRECT, CALLER)?;
    }
    let receiver = Receiver::start(address, &[])?;
    for post in posted(&receiver, 3)? {
        check(&post, &secret)?;
    }
    desk.close()
}
