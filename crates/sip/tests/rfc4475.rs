//! The 49 torture messages of RFC 4475, one row each: what the RFC asks of the message layer.
//!
//! The messages are read from the folder that the environment variable `RFC4475_DIR` names (the `.dat`
//! files of the RFC's archive); without it the test says so and passes. Where the RFC gives a choice,
//! the stricter one is taken: what is wrong in a message must not be passed on.

use mediator_sip::header::Contacts;
use mediator_sip::message::{Frame, Framer};
use mediator_sip::{
    Fault, HeaderName, Host, Message, Method, Request, Response, Scheme, Writer, check_request,
    check_response, peek_call_id, response_to,
};
use std::net::SocketAddr;
use std::path::Path;

/// What becomes of a message that came as a datagram.
enum Verdict {
    /// A request that a core may act on, and what is in it.
    Request(fn(&Request)),
    /// A response that belongs to a transaction, and what is in it.
    Response(fn(&Response)),
    /// A request that is answered with this status and phrase.
    Refused(u16, &'static str),
    /// A response that is dropped.
    Dropped(&'static str),
}

/// What becomes of the same bytes on a stream.
enum OnStream {
    /// One message, the same.
    Same,
    /// Messages of these lengths, and a pong between them; then the stream cannot be read on.
    TwoThenNoise(usize, usize),
    /// The connection is closed after this answer.
    Closed(u16, &'static str),
    /// The message has not ended.
    Waits,
}

use OnStream::{Closed, Same, TwoThenNoise, Waits};
use Verdict::{Dropped, Refused};

struct Row {
    file: &'static str,
    section: &'static str,
    verdict: Verdict,
    on_stream: OnStream,
}

const fn row(
    file: &'static str,
    section: &'static str,
    verdict: Verdict,
    on_stream: OnStream,
) -> Row {
    Row { file, section, verdict, on_stream }
}

const ROWS: [Row; 49] = [
    row("wsinv", "3.1.1.1", Verdict::Request(wsinv), Same),
    row("intmeth", "3.1.1.2", Verdict::Request(intmeth), Same),
    row("esc01", "3.1.1.3", Verdict::Request(esc01), Same),
    row("escnull", "3.1.1.4", Verdict::Request(escnull), Same),
    row("esc02", "3.1.1.5", Verdict::Request(esc02), Same),
    row("lwsdisp", "3.1.1.6", Verdict::Request(lwsdisp), Same),
    row("longreq", "3.1.1.7", Verdict::Request(longreq), Same),
    row("dblreq", "3.1.1.8", Verdict::Request(dblreq), TwoThenNoise(300, 443)),
    row("semiuri", "3.1.1.9", Verdict::Request(semiuri), Same),
    row("transports", "3.1.1.10", Verdict::Request(transports), Same),
    row("mpart01", "3.1.1.11", Verdict::Request(mpart01), Same),
    row("unreason", "3.1.1.12", Verdict::Response(unreason), Same),
    row("noreason", "3.1.1.13", Verdict::Response(noreason), Same),
    row("badinv01", "3.1.2.1", Refused(400, "Malformed Via"), Same),
    // On a stream the rest of the body may still come.
    row("clerr", "3.1.2.2", Refused(400, "Content-Length larger than the message"), Waits),
    row(
        "ncl",
        "3.1.2.3",
        Refused(400, "Malformed Content-Length"),
        Closed(400, "Malformed Content-Length"),
    ),
    row("scalar02", "3.1.2.4", Refused(400, "CSeq out of range"), Same),
    row("scalarlg", "3.1.2.5", Dropped("CSeq out of range"), Same),
    row("quotbal", "3.1.2.6", Refused(400, "Malformed To"), Same),
    row("ltgtruri", "3.1.2.7", Refused(400, "Character not allowed in Request-URI"), Same),
    row("lwsruri", "3.1.2.8", Refused(400, "White space in Request-URI"), Same),
    row("lwsstart", "3.1.2.9", Refused(400, "Malformed request line"), Same),
    row("trws", "3.1.2.10", Refused(400, "Malformed request line"), Same),
    row("escruri", "3.1.2.11", Refused(400, "Headers in Request-URI"), Same),
    row("baddate", "3.1.2.12", Refused(400, "Malformed Date"), Same),
    row("regbadct", "3.1.2.13", Refused(400, "Malformed Contact"), Same),
    row("badaspec", "3.1.2.14", Refused(400, "Malformed To"), Same),
    // The archive's file has no empty line at its end; with one, From is what is wrong.
    row("baddn", "3.1.2.15", Refused(400, "No empty line after the headers"), Waits),
    row("badvers", "3.1.2.16", Refused(505, "Version Not Supported"), Same),
    row("mismatch01", "3.1.2.17", Refused(400, "CSeq method is not the request's"), Same),
    row("mismatch02", "3.1.2.18", Refused(501, "Not Implemented"), Same),
    row("bigcode", "3.1.2.19", Dropped("Malformed status line"), Same),
    row("badbranch", "3.2.1", Refused(400, "Via branch without an identifier"), Same),
    row("insuf", "3.3.1", Refused(400, "Missing Call-ID"), Same),
    row("unkscm", "3.3.2", Refused(416, "Unsupported URI Scheme"), Same),
    row("novelsc", "3.3.3", Refused(416, "Unsupported URI Scheme"), Same),
    row("unksm2", "3.3.4", Verdict::Request(unksm2), Same),
    row("bext01", "3.3.5", Verdict::Request(bext01), Same),
    row("invut", "3.3.6", Verdict::Request(invut), Same),
    row("regaut01", "3.3.7", Verdict::Request(regaut01), Same),
    row("multi01", "3.3.8", Refused(400, "Duplicate Max-Forwards"), Same),
    row(
        "mcl01",
        "3.3.9",
        Refused(400, "Duplicate Content-Length"),
        Closed(400, "Duplicate Content-Length"),
    ),
    row("bcast", "3.3.10", Dropped("More than one Via in a response"), Same),
    row("zeromf", "3.3.11", Verdict::Request(zeromf), Same),
    row("cparam01", "3.3.12", Verdict::Request(cparam01), Same),
    row("cparam02", "3.3.13", Verdict::Request(cparam02), Same),
    row("regescrt", "3.3.14", Verdict::Request(regescrt), Same),
    row("sdp01", "3.3.15", Verdict::Request(sdp01), Same),
    row("inv2543", "3.3.16", Verdict::Request(inv2543), Closed(400, "Missing Content-Length")),
];

#[test]
fn every_message_is_dealt_with_as_the_rfc_asks() {
    let Some(folder) = std::env::var_os("RFC4475_DIR") else {
        eprintln!("RFC4475_DIR is not set: the torture messages are not read");
        return;
    };
    for row in &ROWS {
        let path = Path::new(&folder).join(row.file).with_extension("dat");
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{} (RFC 4475 section {})", row.file, row.section);
        check_datagram(row, &bytes);
        check_stream(row, &bytes);
        if matches!(row.verdict, Verdict::Request(_) | Verdict::Response(_)) {
            check_peek_and_rewriting(&bytes);
        }
    }
}

const SOURCE: &str = "198.51.100.7:5060";

fn check_datagram(row: &Row, bytes: &[u8]) {
    let source: SocketAddr = SOURCE.parse().expect("an address");
    let parsed = Message::parse(bytes.to_vec().into());
    match (&row.verdict, parsed) {
        (Verdict::Request(look), Ok(Message::Request(request))) => {
            assert_eq!(check_request(&request), Ok(()), "{}", row.file);
            look(&request);
        }
        (Verdict::Response(look), Ok(Message::Response(response))) => {
            assert_eq!(check_response(&response), Ok(()), "{}", row.file);
            look(&response);
        }
        (Refused(status, phrase), Ok(Message::Request(request))) => {
            let fault = Fault { status: *status, phrase };
            assert_eq!(check_request(&request), Err(fault), "{}", row.file);
            let answer = response_to(&request, source, *status, phrase, Some("tag")).finish(None);
            check_answer(&answer, *status);
        }
        (Refused(status, phrase), Err(error)) => {
            assert_eq!(error.fault(), Fault { status: *status, phrase }, "{}", row.file);
            let broken = error.answerable().expect("a request with a Via");
            check_answer(&broken.answer(source, "tag"), *status);
        }
        (Dropped(phrase), Ok(Message::Response(response))) => {
            let fault = check_response(&response).expect_err(row.file);
            assert_eq!(fault.phrase, *phrase, "{}", row.file);
        }
        (Dropped(phrase), Err(error)) => {
            assert_eq!(error.fault().phrase, *phrase, "{}", row.file);
            assert!(error.answerable().is_none(), "{}", row.file);
        }
        (_, other) => panic!("{}: {other:?}", row.file),
    }
}

/// The answer is a response of that status which goes back the way that the request came.
fn check_answer(answer: &[u8], status: u16) {
    let Ok(Message::Response(response)) = Message::parse(answer.to_vec().into()) else {
        panic!("{}", String::from_utf8_lossy(answer));
    };
    assert_eq!(response.status(), status);
    assert!(response.lines(HeaderName::Via).next().is_some());
}

fn check_stream(row: &Row, bytes: &[u8]) {
    let mut framer = Framer::new();
    framer.push(bytes);
    let mut lengths = vec![];
    let error = loop {
        match framer.poll_frame() {
            Ok(Some(Frame::Message(message))) => lengths.push(message.len()),
            Ok(Some(Frame::Ping | Frame::Pong)) => lengths.push(0),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    match (&row.on_stream, error) {
        (Same, None) => assert_eq!(lengths, [bytes.len()], "{}", row.file),
        (Waits, None) => assert!(lengths.is_empty(), "{}", row.file),
        (TwoThenNoise(first, second), Some(_)) => assert_eq!(lengths, [*first, 0, *second]),
        (Closed(status, phrase), Some(error)) => {
            assert_eq!(error.fault(), Fault { status: *status, phrase }, "{}", row.file);
            assert!(error.answerable().is_some());
        }
        (_, error) => panic!("{}: {lengths:?} {error:?}", row.file),
    }
}

/// The shard sees the same Call-ID as the reader; and written again, line by line, the message means the same.
fn check_peek_and_rewriting(bytes: &[u8]) {
    let message = Message::parse(bytes.to_vec().into()).expect("accepted");
    assert_eq!(peek_call_id(bytes), message.headers().call_id().ok());
    let mut writer = match &message {
        Message::Request(request) => Writer::request(request.method_token(), request.uri()),
        Message::Response(response) => {
            Writer::response(response.status(), &String::from_utf8_lossy(response.reason()))
        }
    };
    for (name, value) in message.headers().iter() {
        match name.name {
            HeaderName::ContentLength | HeaderName::ContentType => {}
            HeaderName::Other => {
                writer.other(name.text, value);
            }
            known => {
                writer.header(known, value);
            }
        }
    }
    let media_type = message.headers().first(HeaderName::ContentType).map(String::from_utf8_lossy);
    let body = media_type.as_deref().map(|media_type| (media_type, message.headers().body()));
    let again = Message::parse(writer.finish(body)).expect("what was written is read");
    let (before, after) = (message.headers(), again.headers());
    let unfold = |value: &[u8]| {
        let text = String::from_utf8_lossy(value).into_owned();
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    for name in
        [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CSeq, HeaderName::Contact]
    {
        let values =
            |headers: &mediator_sip::Headers| headers.values(name).map(unfold).collect::<Vec<_>>();
        assert_eq!(values(before), values(after), "{name}");
    }
    assert_eq!(before.body(), after.body());
}

fn wsinv(request: &Request) {
    assert_eq!(request.method(), Method::Invite);
    let uri = request.uri_parsed().expect("a URI");
    assert_eq!(
        (uri.host, uri.param("unknownparam")),
        (Host::Name("chair-dnrc.example.com"), Some(&b""[..]))
    );
    assert_eq!(request.to().expect("To").tag(), Some(&b"1918181833n"[..]));
    let from = request.from().expect("From");
    assert_eq!(from.display_decoded().as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.tag(), Some(&b"98asjd8"[..]));
    assert_eq!(request.max_forwards(), Ok(Some(68)));
    let cseq = request.cseq().expect("CSeq");
    assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
    let vias: Vec<_> = request.vias().map(|via| via.expect("Via")).collect();
    let transports: Vec<_> = vias.iter().map(|via| via.transport_token).collect();
    assert_eq!(transports, ["UDP", "TCP", "UDP"]);
    let branches: Vec<_> = vias.iter().filter_map(mediator_sip::Via::branch).collect();
    assert_eq!(branches, [&b"390skdjuw"[..], b"z9hG4bK9ikj8", b"z9hG4bK30239"]);
    assert_eq!(request.first(HeaderName::Subject), Some(&b""[..]));
    assert_eq!(request.other("newfangledheader").count(), 1);
    assert_eq!(request.other("UnknownHeaderWithUnusualValue").next(), Some(&b";;,,;;,;"[..]));
    let route = request.routes().next().expect("Route").expect("well-formed");
    assert!(route.uri.is_loose_router());
    assert_eq!(route.uri.param("unknownwith"), Some(&b"value"[..]));
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.display_decoded().as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.params.value("newparam"), Some(&b"newvalue"[..]));
    assert_eq!(contact.params.get("secondparam"), Some(None));
    assert_eq!(contact.params.value("q"), Some(&b"0.33"[..]));
    assert_eq!(request.body().len(), 150);
}

fn intmeth(request: &Request) {
    assert_eq!(request.method(), Method::Other);
    assert_eq!(request.method_token(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(request.cseq().map(|cseq| cseq.token), Ok(request.method_token()));
    let uri = request.uri_parsed().expect("a URI");
    assert_eq!(uri.user, Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
    assert_eq!(uri.password, Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
    let to = request.to().expect("To");
    assert_eq!(to.display_decoded().as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    let from = request.from().expect("From");
    assert_eq!(from.display_decoded().as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(
        from.params.value("fromParam''~+*_!.-%"),
        Some("\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}".as_bytes())
    );
    assert_eq!(from.tag(), Some(&b"_token~1'+`*%!-."[..]));
    assert_eq!(request.call_id(), Ok(&b"intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"[..]));
    assert_eq!(request.via().expect("Via").branch(), Some(&b"z9hG4bK-.!%66*_+`'~"[..]));
    assert_eq!(request.max_forwards(), Ok(Some(255)));
    assert_eq!(request.other("extensionHeader-!.%*+_`'~").count(), 1);
}

fn esc01(request: &Request) {
    let uri = request.uri_parsed().expect("a URI");
    assert_eq!((uri.scheme, uri.user_decoded().as_ref()), (Scheme::Sip, "sips:user@example.com"));
    assert_eq!(uri.host, Host::Name("example.net"));
    assert_eq!(request.to().expect("To").uri.user_decoded(), "user");
    assert_eq!(request.from().expect("From").uri.user_decoded(), "I have spaces");
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.uri.user_decoded(), "caller");
    assert!(contact.uri.is_loose_router());
    assert_eq!(contact.uri.param("name"), Some(&b"v%61lue%25%34%31"[..]));
}

fn escnull(request: &Request) {
    assert_eq!(request.to().expect("To").uri.user_decoded(), "null-\0-null");
    let Ok(Contacts::List(contacts)) = request.contacts() else { panic!("no list") };
    let contacts: Vec<_> = contacts.map(|contact| contact.expect("well-formed").uri).collect();
    let [first, second] = contacts.as_slice() else { panic!("{contacts:?}") };
    assert!(!first.equivalent(second));
}

fn esc02(request: &Request) {
    // A method and a header name are tokens: nothing in them is an escape.
    assert_eq!((request.method(), request.method_token()), (Method::Other, "RE%47IST%45R"));
    let display = request.to().expect("To").display_decoded().map(std::borrow::Cow::into_owned);
    assert_eq!(display.as_deref(), Some("%Z%45"));
    let Ok(Contacts::List(contacts)) = request.contacts() else { panic!("no list") };
    assert_eq!(contacts.count(), 2);
    assert_eq!(request.other("C%6Fntact").count(), 1);
}

fn lwsdisp(request: &Request) {
    let from = request.from().expect("From");
    assert_eq!(from.display, Some(&b"caller"[..]));
    assert_eq!(from.uri.user, Some(&b"caller"[..]));
}

fn longreq(request: &Request) {
    assert_eq!(request.vias().flatten().count(), 34);
    let to = request.to().expect("To");
    assert_eq!(to.uri.port, Some(6000));
    assert_eq!(to.display.map(<[u8]>::len), Some(103));
    assert_eq!(request.from().expect("From").params.iter().count(), 3);
    assert_eq!(request.body().len(), 150);
}

fn dblreq(request: &Request) {
    // What is behind the body of a datagram is dropped.
    assert_eq!(request.method(), Method::Register);
    assert_eq!(request.body(), b"");
    assert_eq!(request.bytes().len(), 300);
}

fn semiuri(request: &Request) {
    let uri = request.uri_parsed().expect("a URI");
    assert_eq!(uri.user_decoded(), "user;par=u@example.net");
    assert_eq!(uri.host, Host::Name("example.com"));
    assert!(uri.params.is_empty());
    assert_eq!(request.values(HeaderName::Accept).count(), 6);
}

fn transports(request: &Request) {
    let tokens: Vec<_> = request.vias().map(|via| via.expect("Via").transport_token).collect();
    assert_eq!(tokens, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

fn mpart01(request: &Request) {
    let parts: Vec<_> = request.body_parts().collect();
    let [text, binary] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    assert!(text.content_type.is_some_and(|media| media.is("text", "plain")));
    assert_eq!(text.bytes, b"Hello");
    assert!(binary.content_type.is_some_and(|media| media.is("application", "octet-stream")));
    assert_eq!(binary.bytes.first(), Some(&0x30));
    assert_eq!(request.via().expect("Via").rport(), Some(None));
}

fn unreason(response: &Response) {
    assert_eq!(response.status(), 200);
    let reason = std::str::from_utf8(response.reason()).expect("UTF-8");
    assert!(reason.starts_with("= 2**3 * 5**2 \u{43d}\u{43e}"));
}

fn noreason(response: &Response) {
    assert_eq!((response.status(), response.reason()), (100, &b""[..]));
}

fn unksm2(request: &Request) {
    // Well-formed; that no such address can be registered is for the registrar to say.
    assert_eq!(request.to().expect("To").uri.scheme, Scheme::Other);
    assert_eq!(request.from().expect("From").uri.raw, b"http://www.example.com");
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.uri.raw, b"name:John_Smith");
}

fn bext01(request: &Request) {
    // For the core: 420 with these in Unsupported.
    let required: Vec<_> = request.values(HeaderName::Require).collect();
    assert_eq!(required, [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]);
    assert_eq!(request.values(HeaderName::ProxyRequire).count(), 2);
}

fn invut(request: &Request) {
    // For the core: 415.
    assert!(request.content_type().is_some_and(|media| media.is("application", "unknownformat")));
}

fn regaut01(request: &Request) {
    // For the registrar: as if it were not there.
    assert!(request.first(HeaderName::Authorization).is_some());
    assert_eq!(request.authorization(HeaderName::Authorization).count(), 0);
}

fn zeromf(request: &Request) {
    // For the core: 483 where the request would be passed on.
    assert_eq!(request.max_forwards(), Ok(Some(0)));
}

fn cparam01(request: &Request) {
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.params.get("unknownparam"), Some(None));
    assert_eq!(contact.uri.param("unknownparam"), None);
}

fn cparam02(request: &Request) {
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.params.get("unknownparam"), None);
    assert_eq!(contact.uri.param("unknownparam"), Some(&b""[..]));
}

fn regescrt(request: &Request) {
    let contact = request.contact().expect("Contact").expect("one");
    assert_eq!(contact.uri.headers, Some(&b"Route=%3Csip:sip.example.com%3E"[..]));
}

fn sdp01(request: &Request) {
    // For the core: 406, or the SDP that the offer asks for.
    assert_eq!(request.values(HeaderName::Accept).collect::<Vec<_>>(), [b"text/nobodyKnowsThis"]);
}

fn inv2543(request: &Request) {
    assert_eq!(request.max_forwards(), Ok(None));
    assert_eq!(request.via().expect("Via").branch(), None);
    assert_eq!(request.from().expect("From").tag(), None);
    assert_eq!(request.from().expect("From").uri.param("user"), Some(&b"phone"[..]));
    assert_eq!(request.to().expect("To").params.value("user"), Some(&b"phone"[..]));
    let route = request.record_routes().next().expect("Record-Route").expect("well-formed");
    assert_eq!(route.uri.param("maddr"), Some(&b"ss1.example.com"[..]));
    assert_eq!(request.body().len(), 105);
}
