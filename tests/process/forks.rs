//! Leg B forks: a proxy behind the carrier rings several phones, and more than one may answer.

use anyhow::{Result, ensure};
use mediator_tests::sipp::log::Logged;
use mediator_tests::wire::{Datagrams, SDP, response};

use crate::scene::{DESTINATION, REDIRECT, Scene, heard_status, user};

/// The header lines of a response that makes a dialog with the phone at `name`.
fn contact(scene: &Scene, name: &str, with_sdp: bool) -> String {
    let kind = if with_sdp { "Content-Type: application/sdp\r\n" } else { "" };
    format!("Contact: <sip:{name}@{}>\r\n{kind}", scene.callee.sip())
}

/// Whether a request belongs to the dialog of that To tag.
fn is(message: &Logged, method: &str, tag: &str) -> bool {
    message.method() == Some(method)
        && message.header("To").is_some_and(|to| to.ends_with(&format!(";tag={tag}")))
}

#[test]
fn talks_to_the_first_that_answers_and_hangs_up_on_the_second() -> Result<()> {
    let scene = Scene::new("forks")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, "hide_origination_did = true");
    let server = scene.serve(&config)?;
    let peer = Datagrams::bind(scene.callee.sip())?;
    let caller = scene.uac("uac_call").pause(std::time::Duration::from_millis(500));
    let caller = caller.call(&scene.stage, REDIRECT, scene.server.sip())?;
    let invite = peer.receive()?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == DESTINATION, "{}", invite.text);
    let answer = |status: &str, tag: &str, sdp: &str| {
        let extra = contact(&scene, tag, !sdp.is_empty());
        peer.send(scene.server.sip(), response(&invite, status, tag, &extra, sdp))
    };
    answer("180 Ringing", "one", "")?;
    answer("183 Session Progress", "two", SDP)?;
    answer("180 Ringing", "two", "")?;
    answer("200 OK", "two", SDP)?;
    answer("200 OK", "one", SDP)?;
    // The loser: ACK, then BYE, both to its own Contact.
    let mut pending = vec![("ACK", "two"), ("ACK", "one"), ("BYE", "one")];
    while !pending.is_empty() {
        let what = format!("{pending:?}");
        let message = peer.receive_where(&what, |message| {
            pending.iter().any(|(method, tag)| is(message, method, tag))
        })?;
        let uri = message.request_uri().unwrap_or_default();
        let at = pending.iter().position(|(method, tag)| is(&message, method, tag));
        let (method, tag) = pending.remove(at.unwrap_or_default());
        ensure!(user(uri) == tag, "{method} for {tag} goes to {uri}");
        if method == "BYE" {
            peer.send(scene.server.sip(), response(&message, "200 OK", "", "", ""))?;
        }
    }
    // RFC 3261 section 13.2.2.4: each further 200 gets its ACK again.
    answer("200 OK", "two", SDP)?;
    peer.receive_where("a second ACK", |message| is(message, "ACK", "two"))?;
    let bye = peer.receive_where("the caller's BYE", |message| is(message, "BYE", "two"))?;
    peer.send(scene.server.sip(), response(&bye, "200 OK", "", "", ""))?;
    let leg_a = caller.succeed()?;
    ensure!(heard_status(&leg_a, 183), "the early media of the second phone is not passed on");
    server.stop()
}
