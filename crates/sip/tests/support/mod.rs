//! What the tests share: messages made to order, and everything that can be asked of one.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod fuzz;

use mediator_sip::header::Contacts;
use mediator_sip::{
    HeaderName, Headers, Message, Method, ParseError, Writer, check_request, check_response,
    peek_call_id, response_to, shard_hash,
};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;

/// A message as its parts, before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// Method and Request-URI, or status and reason phrase.
    pub(crate) start: Start,
    /// Header names and values, in order, without Content-Length.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A start line.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// Method and Request-URI.
    Request(String, String),
    /// Status and reason phrase.
    Response(u16, String),
}

impl Parts {
    /// The message in the plainest form: a line each, CRLF, Content-Length at the end.
    pub(crate) fn plain(&self) -> Vec<u8> {
        self.wire(|name| format!("{name}: "), ToString::to_string)
    }

    /// The message with names and values put by the caller's leave.
    pub(crate) fn wire(
        &self,
        name: impl Fn(&str) -> String,
        value: impl Fn(&str) -> String,
    ) -> Vec<u8> {
        let mut text = match &self.start {
            Start::Request(method, uri) => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response(status, reason) => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (header, content) in &self.headers {
            let _ = write!(text, "{}{}\r\n", name(header), value(content));
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,12}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9]{0,8}(\\.[a-z][a-z0-9-]{0,6}[a-z0-9]){0,2}",
        any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}")),
    ]
}

fn port() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), (1_u16..).prop_map(|port| format!(":{port}"))]
}

/// What users of generated URIs are made of.
pub(crate) const USER: &str = "[a-zA-Z0-9+._-]{1,16}";

/// A SIP URI, its user by that pattern.
pub(crate) fn uri(user: &'static str) -> impl Strategy<Value = String> {
    let param = prop::sample::select(vec!["lr", "transport=udp", "user=phone", "x=1", "ttl=5"]);
    let params = prop::collection::vec(param, 0..4).prop_map(|mut params| {
        params.sort_unstable();
        params.dedup();
        params
    });
    (user, host(), port(), params).prop_map(|(user, host, port, params)| {
        let mut uri = format!("sip:{user}@{host}{port}");
        for param in params {
            uri += ";";
            uri += param;
        }
        uri
    })
}

fn display() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\"[a-zA-Z0-9 ,;<>.]{0,14}\" ", "[a-zA-Z0-9]{1,9} "]
}

fn address(user: &'static str) -> impl Strategy<Value = String> {
    (display(), uri(user)).prop_map(|(display, uri)| format!("{display}<{uri}>"))
}

fn via() -> impl Strategy<Value = String> {
    let transport = prop_oneof![Just("UDP"), Just("TCP"), Just("TLS"), Just("WS"), Just("WSS")];
    let rport = prop_oneof![Just(""), Just(";rport")];
    (transport, host(), port(), "[a-zA-Z0-9.-]{1,20}", rport).prop_map(
        |(transport, host, port, branch, rport)| {
            format!("SIP/2.0/{transport} {host}{port};branch=z9hG4bK{branch}{rport}")
        },
    )
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "REGISTER",
        "PRACK",
        "UPDATE",
        "INFO",
        "REFER",
        "SUBSCRIBE",
        "NOTIFY",
        "MESSAGE",
        "PUBLISH",
    ])
}

fn extra_header(user: &'static str) -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        ("X-[A-Za-z0-9]{1,8}", "[a-zA-Z0-9 ,;=/\"().-]{0,20}")
            .prop_map(|(name, value)| (name, value.trim().to_string())),
        "[a-zA-Z0-9/. ]{1,16}".prop_map(|agent| ("User-Agent".into(), agent.trim().to_string())),
        prop::collection::vec(token(), 1..4).prop_map(|tags| ("Supported".into(), tags.join(", "))),
        any::<u32>().prop_map(|seconds| ("Expires".into(), seconds.to_string())),
        uri(user).prop_map(|uri| ("Record-Route".into(), format!("<{uri};lr>"))),
        uri(user).prop_map(|uri| ("Route".into(), format!("<{uri};lr>"))),
        address(user).prop_map(|address| ("P-Asserted-Identity".into(), address)),
    ]
}

/// A whole and valid message in its plainest form, the users of its URIs by that pattern.
pub(crate) fn message(user: &'static str) -> impl Strategy<Value = Parts> {
    let start = prop_oneof![
        uri(user).prop_map(|uri| (None, uri)),
        (100_u16..700, "[A-Za-z][A-Za-z ]{0,10}[a-z]")
            .prop_map(|(status, reason)| (Some(status), reason)),
    ];
    let core = (
        prop::collection::vec(via(), 1..4),
        (address(user), token()),
        (address(user), prop::option::of(token())),
        "[a-zA-Z0-9.-]{1,24}@[a-z0-9.]{1,10}",
        0_u32..0x8000_0000,
        address(user),
        any::<u8>(),
    );
    let rest = (
        prop::collection::vec(extra_header(user), 0..6),
        prop::collection::vec(any::<u8>(), 0..80),
    );
    (start, method(), core, rest).prop_map(|(start, method, core, (extra, body))| {
        let (vias, (from, from_tag), (to, to_tag), call_id, cseq, contact, max_forwards) = core;
        let (start, single_via) = match start {
            (None, uri) => (Start::Request(method.into(), uri), false),
            (Some(status), reason) => (Start::Response(status, reason), true),
        };
        let mut headers: Vec<(String, String)> = vec![];
        let count = if single_via { 1 } else { vias.len() };
        headers.extend(vias.into_iter().take(count).map(|via| ("Via".into(), via)));
        let to_tag = to_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
        headers.push(("From".into(), format!("{from};tag={from_tag}")));
        headers.push(("To".into(), format!("{to}{to_tag}")));
        headers.push(("Call-ID".into(), call_id));
        headers.push(("CSeq".into(), format!("{cseq} {method}")));
        headers.push(("Max-Forwards".into(), max_forwards.to_string()));
        headers.push(("Contact".into(), contact));
        let mut seen_expires = false;
        headers.extend(
            extra.into_iter().filter(|(name, _)| {
                name != "Expires" || !std::mem::replace(&mut seen_expires, true)
            }),
        );
        if !body.is_empty() {
            headers.push(("Content-Type".into(), "application/octet-stream".into()));
        }
        Parts { start, headers, body }
    })
}

/// A value without its folds.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::response(200, "OK");
    let message = {
        writer.header(HeaderName::Subject, value);
        Message::parse(writer.finish(None)).expect("one clean line")
    };
    message.headers().first(HeaderName::Subject).expect("the line").to_vec()
}

/// Every line but Content-Length, unfolded, by the name that it is known under.
pub(crate) fn lines(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    let known = |name: HeaderName, text: &str| match name {
        HeaderName::Other => text.to_ascii_lowercase(),
        name => name.as_str().into(),
    };
    headers
        .iter()
        .filter(|(name, _)| name.name != HeaderName::ContentLength)
        .map(|(name, value)| (known(name.name, name.text), unfold(value)))
        .collect()
}

/// Writes a message that was read again, line by line.
pub(crate) fn rewrite(message: &Message) -> bytes::Bytes {
    let mut writer = match message {
        Message::Request(request) => Writer::request(request.method_token(), request.uri()),
        Message::Response(response) => {
            Writer::response(response.status(), &String::from_utf8_lossy(response.reason()))
        }
    };
    let headers = message.headers();
    // Only a lone Content-Type is the body's; more of them are lines like others.
    let media_type = headers
        .first(HeaderName::ContentType)
        .filter(|_| headers.lines(HeaderName::ContentType).nth(1).is_none())
        .and_then(|value| std::str::from_utf8(value).ok());
    for (name, value) in headers.iter() {
        match name.name {
            HeaderName::ContentLength => {}
            HeaderName::ContentType if media_type.is_some() => {}
            HeaderName::Other => {
                writer.other(name.text, value);
            }
            known => {
                writer.header(known, value);
            }
        }
    }
    writer.finish(media_type.map(|media_type| (media_type, headers.body())))
}

/// Reads bytes, asks everything of what was read, and checks what must hold of any message. Tells what
/// kind of outcome it was: the fault, or the headers that are there.
pub(crate) fn exercise(bytes: &[u8]) -> u64 {
    let mut outcome = DefaultHasher::new();
    let source = "192.0.2.7:5060".parse().expect("an address");
    if let Some(call_id) = peek_call_id(bytes) {
        black_box(shard_hash(call_id));
    }
    let message = match Message::parse(bytes.to_vec().into()) {
        Ok(message) => message,
        Err(error) => {
            assert!((400..600).contains(&error.fault().status));
            (error.fault().phrase, error.answerable().is_some()).hash(&mut outcome);
            if let Some(broken) = error.answerable() {
                let reply = check_reply(&broken.answer(source, "tag"), broken.fault().status);
                assert!(reply.is_none_or(|reply| reply.via().is_ok()), "it has a way back");
            }
            return outcome.finish();
        }
    };
    assert_eq!(peek_call_id(bytes), message.headers().first(HeaderName::CallId));
    ask_everything(message.headers());
    match &message {
        Message::Request(request) => {
            let checked = check_request(request);
            checked.map_err(|fault| fault.phrase).hash(&mut outcome);
            let reply = response_to(request, source, 404, "Not Found", Some("tag")).finish(None);
            if let Some(reply) = check_reply(&reply, 404) {
                assert_eq!(reply.via().is_ok(), request.via().is_ok(), "it has a way back");
                if checked.is_ok() && request.vias().count() == 1 {
                    assert_eq!(check_response(&reply), Ok(()), "a good request, a good response");
                }
            }
            if checked.is_ok() {
                assert!(request.uri_parsed().is_ok() && request.contacts().is_ok());
                assert!(request.method() == Method::Other || !request.method_token().is_empty());
            }
        }
        Message::Response(response) => {
            assert!((100..700).contains(&response.status()));
            check_response(response).map_err(|fault| fault.phrase).hash(&mut outcome);
        }
    }
    let again = match Message::parse(rewrite(&message)) {
        Ok(again) => again,
        // Names written out make it longer.
        Err(error) if is_too_long(&error) => return outcome.finish(),
        Err(error) => panic!("what was read cannot be read again: {error}"),
    };
    let mut before = lines(message.headers());
    let mut after = lines(again.headers());
    before.sort();
    after.sort();
    assert_eq!(before, after);
    message.headers().iter().for_each(|(name, _)| name.name.hash(&mut outcome));
    message.headers().body_parts().count().hash(&mut outcome);
    outcome.finish()
}

/// Whether a message has more bytes or more lines than are read.
fn is_too_long(error: &ParseError) -> bool {
    error.fault().status == 513 || error.fault().phrase == "Too many header lines"
}

/// Reads an answer; `None` where what it mirrors makes it longer than any message that is read here.
fn check_reply(reply: &[u8], status: u16) -> Option<mediator_sip::Response> {
    match Message::parse(reply.to_vec().into()) {
        Ok(Message::Response(response)) => {
            assert_eq!(response.status(), status);
            Some(response)
        }
        Err(error) if is_too_long(&error) => None,
        Ok(Message::Request(_)) => panic!("an answer that is a request"),
        Err(error) => panic!("an answer that cannot be read: {error}"),
    }
}

/// Asks for every view; none may panic, none may run for ever.
fn ask_everything(headers: &Headers) {
    for via in headers.vias().flatten() {
        black_box((via.branch(), via.received(), via.rport(), via.sent_by()));
    }
    let addresses = [headers.from(), headers.to()].into_iter().flatten();
    let listed =
        headers.record_routes().chain(headers.routes()).chain(headers.asserted_identities());
    for address in addresses.chain(listed.flatten()) {
        black_box((address.tag(), address.display_decoded(), address.uri.user_decoded()));
        black_box((address.uri.transport(), address.uri.is_loose_router()));
        black_box(address.uri.equivalent(&address.uri));
    }
    if let Ok(Contacts::List(contacts)) = headers.contacts() {
        black_box(contacts.flatten().filter(|contact| contact.uri.is_sip()).count());
    }
    for part in headers.body_parts() {
        assert!(part.bytes.len() <= headers.body().len());
    }
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        black_box((headers.authorization(name).count(), headers.challenges(name).count()));
    }
    black_box((headers.cseq().ok(), headers.call_id().ok(), headers.max_forwards().ok()));
    black_box((headers.session_expires().ok(), headers.min_se().ok(), headers.expires().ok()));
    black_box((headers.rack().ok(), headers.rseq().ok(), headers.retry_after().ok()));
    black_box((headers.min_expires().ok(), headers.privacy(), headers.reasons().count()));
    black_box((headers.allows(Method::Invite), headers.remote_party_id().is_ok()));
    black_box(headers.has_option(HeaderName::Supported, "100rel"));
    for (name, _) in headers.iter() {
        black_box(headers.values(name.name).map(<[u8]>::len).sum::<usize>());
        black_box(headers.other(name.text).count());
    }
}
