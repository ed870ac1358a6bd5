//! What no honest peer sends: garbage, malformed messages, streams cut anywhere, connections that dawdle.
//!
//! The rule is the same for all: who can be answered is answered, and the next honest request is served.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use mediator_tests::wire::{Connection, Datagrams, Request};

use crate::scene::{REDIRECT, Scene};

/// A request to the server.
fn request<'a>(method: &'a str, uri: &'a str, from: SocketAddr, unique: &'a str) -> Request<'a> {
    Request { method, uri, from, unique, extra: "" }
}

/// An honest OPTIONS must be answered with 200.
fn check_alive(scene: &Scene, peer: &Datagrams, unique: &str) -> Result<()> {
    let uri = format!("sip:{}", scene.server.sip());
    let options = request("OPTIONS", &uri, scene.caller.sip(), unique);
    peer.send(scene.server.sip(), options.text("UDP"))?;
    let answer = peer.receive_where("the 200", |message| {
        message.header("Call-ID") == Some(unique) && message.status().is_some()
    })?;
    ensure!(answer.status() == Some(200), "200 wanted: {}", answer.text);
    ensure!(answer.header("Allow").is_some_and(|allow| allow.contains("INVITE")), "no Allow");
    Ok(())
}

#[test]
fn answers_malformed_requests_with_the_code_that_fits() -> Result<()> {
    let scene = Scene::new("malformed")?;
    let server = scene.serve(&scene.config())?;
    let peer = Datagrams::bind(scene.caller.sip())?;
    let uri = format!("sip:{REDIRECT}@{}", scene.server.sip());
    // What is replaced in an honest INVITE, by what, and the answer's code.
    let rows = [
        ("From: ", "X-From: ", 400),
        ("To: ", "X-To: ", 400),
        ("CSeq: 1 INVITE", "CSeq: one INVITE", 400),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400),
        ("CSeq: 1 INVITE", "CSeq: 4294967296 INVITE", 400),
        ("Content-Length: 0", "Content-Length: 50", 400),
        ("Content-Length: 0", "Content-Length: -1", 400),
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("Max-Forwards: 70", "Max-Forwards: 0", 483),
        ("Max-Forwards: 70", "Require: telepathy", 420),
        ("From: <sip:", "From: <sip:<", 400),
        ("INVITE sip:", "INVITE <sip:", 400),
        ("INVITE sip:", "INVITE telepathy:", 416),
        (" SIP/2.0\r\nVia", " SIP/7.0\r\nVia", 505),
    ];
    for (number, (part, bad, status)) in rows.into_iter().enumerate() {
        let unique = format!("malformed{number}");
        let honest = request("INVITE", &uri, scene.caller.sip(), &unique).text("UDP");
        let broken = honest.replacen(part, bad, 1);
        ensure!(broken != honest, "no {part} to replace");
        peer.send(scene.server.sip(), broken)?;
        let answer = peer.receive_where(bad, |message| {
            message.header("Call-ID") == Some(&unique)
                && message.status().is_some_and(|status| status >= 200)
        })?;
        ensure!(answer.status() == Some(status), "{bad}: {status} wanted:\n{}", answer.text);
    }
    check_alive(&scene, &peer, "alive")?;
    server.stop()
}

/// The same bytes over UDP, then over TCP: who asks again on another way is answered there.
#[test]
fn answers_a_copy_over_tcp_of_what_came_over_udp() -> Result<()> {
    let scene = Scene::new("udp_then_tcp")?;
    let server = scene.serve(&scene.config())?;
    let peer = Datagrams::bind(scene.caller.sip())?;
    let uri = format!("sip:{}", scene.server.sip());
    let options = request("OPTIONS", &uri, scene.caller.sip(), "both").text("UDP");
    peer.send(scene.server.sip(), &options)?;
    ensure!(peer.receive()?.status() == Some(200), "no 200 over UDP");
    let mut stream = Connection::open(scene.server.sip())?;
    stream.send(&options)?;
    ensure!(stream.receive()?.status() == Some(200), "no 200 over TCP");
    peer.hears_nothing()?;
    server.stop()
}

/// RFC 3261 section 8.2.3: what is not understood is refused with what would be, unless it is optional.
#[test]
fn refuses_bodies_that_it_does_not_understand() -> Result<()> {
    let scene = Scene::new("bodies")?;
    let server = scene.serve(&scene.config())?;
    let peer = Datagrams::bind(scene.caller.sip())?;
    // A number that nobody has: whose body is passed over gets 404.
    let uri = format!("sip:15550009999@{}", scene.server.sip());
    let sdp = "Content-Type: application/sdp\r\n";
    let rows = [
        ("Content-Type: text/plain\r\n".to_owned(), 415, ("Accept", Some("application/sdp"))),
        (format!("{sdp}Content-Encoding: gzip\r\n"), 415, ("Accept-Encoding", Some("identity"))),
        (
            "Content-Type: text/plain\r\nContent-Disposition: render; Handling=optional\r\n"
                .to_owned(),
            404,
            ("Accept", None),
        ),
        (
            "Content-Type: text/plain\r\nContent-Disposition: render;handling=required\r\n"
                .to_owned(),
            415,
            ("Accept", Some("application/sdp")),
        ),
    ];
    for (number, (headers, status, (name, value))) in rows.into_iter().enumerate() {
        let unique = format!("body{number}");
        let mut invite = request("INVITE", &uri, scene.caller.sip(), &unique);
        invite.extra = &headers;
        let text = invite.text("UDP").replace("Content-Length: 0", "Content-Length: 5") + "v=0\r\n";
        peer.send(scene.server.sip(), text)?;
        let answer = peer.receive_where(&headers, |message| {
            message.header("Call-ID") == Some(&unique)
                && message.status().is_some_and(|status| status >= 200)
        })?;
        ensure!(answer.status() == Some(status), "{headers}: {status} wanted:\n{}", answer.text);
        ensure!(answer.header(name) == value, "{headers}:\n{}", answer.text);
    }
    server.stop()
}

#[test]
fn keeps_silent_at_garbage_and_serves_on() -> Result<()> {
    let scene = Scene::new("garbage")?;
    let server = scene.serve(&scene.config())?;
    let peer = Datagrams::bind(scene.caller.sip())?;
    let uri = format!("sip:{REDIRECT}@{}", scene.server.sip());
    let invite = request("INVITE", &uri, scene.caller.sip(), "cut").text("UDP");
    peer.send(scene.server.sip(), b"")?;
    peer.send(scene.server.sip(), b"\r\n\r\n")?;
    peer.send(scene.server.sip(), [0; 1400])?;
    peer.send(scene.server.sip(), vec![0xFF; 60_000])?;
    peer.send(scene.server.sip(), "SIP/2.0 200 OK\r\n\r\n")?;
    peer.send(scene.server.sip(), "INVITE\r\n\r\n")?;
    check_alive(&scene, &peer, "alive1")?;
    // Every way to cut an INVITE: answered or not, none may do harm.
    for end in 0..invite.len() {
        peer.send(scene.server.sip(), invite.get(..end).unwrap_or_default())?;
        // Hundreds of answers that nobody reads would fill our own socket, and leave no room for the one that counts.
        if end % 50 == 49 {
            check_alive(&scene, &peer, &format!("cut{end}"))?;
        }
    }
    check_alive(&scene, &peer, "alive2")?;
    server.stop()
}

#[test]
fn reads_a_stream_whatever_its_segments() -> Result<()> {
    let scene = Scene::new("segments")?;
    let server = scene.serve(&scene.config())?;
    let uri = format!("sip:{}", scene.server.sip());
    let mut connection = Connection::open(scene.server.sip())?;
    let local = connection.local()?;
    let one = request("OPTIONS", &uri, local, "bytewise").text("TCP");
    for byte in one.as_bytes() {
        connection.send([*byte])?;
    }
    let answer = connection.receive()?;
    ensure!(answer.header("Call-ID") == Some("bytewise"), "{}", answer.text);
    // Two and a half messages, then the rest.
    let names = ["together1", "together2", "halved"];
    let all: String =
        names.iter().map(|name| request("OPTIONS", &uri, local, name).text("TCP")).collect();
    let (begin, rest) = all.split_at(all.len() - 100);
    connection.send(begin)?;
    // Each Call-ID has a shard of its own, so the two answers come in either order.
    let mut answered = [connection.receive()?, connection.receive()?]
        .map(|answer| answer.header("Call-ID").unwrap_or_default().to_owned());
    answered.sort();
    ensure!(answered == ["together1", "together2"], "answers to {answered:?}");
    connection.send(rest)?;
    ensure!(connection.receive()?.header("Call-ID") == Some("halved"), "no answer to the last");
    server.stop()
}

#[test]
fn closes_a_stream_that_is_no_sip() -> Result<()> {
    let scene = Scene::new("no_sip_stream")?;
    let server = scene.serve(&scene.config())?;
    let mut connection = Connection::open(scene.server.sip())?;
    connection.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")?;
    connection.closed()?;
    let mut endless = Connection::open(scene.server.sip())?;
    endless.send("OPTIONS sip:a SIP/2.0\r\nX: ")?;
    // A head without an end is cut off at some size, below a megabyte.
    let _ = endless.send(vec![b'x'; 1 << 20]);
    endless.closed()?;
    let peer = Datagrams::bind(scene.caller.sip())?;
    check_alive(&scene, &peer, "alive")?;
    server.stop()
}

#[test]
fn serves_while_connections_dawdle() -> Result<()> {
    let scene = Scene::new("slow_loris")?;
    let server = scene.serve(&scene.config())?;
    let uri = format!("sip:{}", scene.server.sip());
    let mut slow = Vec::new();
    for _ in 0..60 {
        // Who is refused a connection more than its share is refused early: that is as good.
        let Ok(mut connection) = Connection::open(scene.server.sip()) else { break };
        let _ = connection.send("OPTIONS sip:slow SIP/2.0\r\nVia: SIP/2.0/TCP");
        slow.push(connection);
    }
    ensure!(!slow.is_empty(), "no connection at all");
    let peer = Datagrams::bind(scene.caller.sip())?;
    check_alive(&scene, &peer, "udp")?;
    drop(slow);
    let mut honest = Connection::open(scene.server.sip())?;
    let local = honest.local()?;
    honest.send(request("OPTIONS", &uri, local, "honest").text("TCP"))?;
    let answer = honest.receive()?;
    ensure!(answer.header("Call-ID") == Some("honest"), "{}", answer.text);
    server.stop()
}
