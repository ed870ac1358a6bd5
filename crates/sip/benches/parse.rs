//! What reading an INVITE costs, and reading, typing, rewriting and writing it, beside rsip.
//!
//! Time: `cargo bench -p mediator-sip --bench parse`. Instructions, which do not depend on the machine's
//! mood: the difference between two runs under callgrind, such as
//! `PARSE_LOOPS=100 PARSE_CASE=ours/parse valgrind --tool=callgrind <the bench's binary>` and one with
//! 1100 loops, divided by 1000. Cases: `ours/parse`, `ours/check`, `ours/leg_b`, `ours/reply`,
//! `ours/peek`, `rsip/parse`, `rsip/leg_b`.

use bytes::Bytes;
use criterion::Criterion;
use mediator_sip::header::Quoted;
use mediator_sip::{
    HeaderName, Message, Request, Writer, check_request, peek_call_id, response_to, shard_hash,
};
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};

/// 981 bytes: what a carrier's border controller sends, with SDP.
const INVITE: &[u8] = include_bytes!("invite.sip");

type Case = (&'static str, fn(&Bytes));

const CASES: [Case; 7] = [
    ("ours/parse", |bytes| drop(black_box(read(bytes)))),
    ("ours/check", |bytes| assert!(check_request(&read(bytes)).is_ok())),
    ("ours/leg_b", |bytes| drop(black_box(leg_b(&read(bytes))))),
    ("ours/reply", |bytes| drop(black_box(reply(&read(bytes))))),
    ("ours/peek", |bytes| assert!(black_box(peek_call_id(bytes).map(shard_hash)).is_some())),
    ("rsip/parse", |bytes| drop(black_box(read_by_rsip(bytes)))),
    ("rsip/leg_b", |bytes| drop(black_box(leg_b_by_rsip(&read_by_rsip(bytes))))),
];

fn read(bytes: &Bytes) -> Request {
    match Message::parse(bytes.clone()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn reply(request: &Request) -> Bytes {
    let source = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 23), 5060));
    response_to(request, source, 180, "Ringing", Some("a6c85cf")).finish(None)
}

/// The INVITE of leg B, from what leg A's says: another caller, other identifiers, one hop less.
fn leg_b(request: &Request) -> Bytes {
    let from = request.from().expect("From");
    let to = request.to().expect("To");
    let via = request.via().expect("Via");
    let cseq = request.cseq().expect("CSeq");
    let contact = request.contact().expect("Contact").expect("one");
    let hops = request.max_forwards().expect("Max-Forwards").unwrap_or(70);
    black_box((via.branch(), from.tag(), contact.uri.host, cseq.number, request.call_id().ok()));
    let display = from.display_decoded().unwrap_or_default();
    let number = to.uri.user_decoded();
    let mut writer = Writer::request("INVITE", b"sip:15550001001@192.0.2.40:5060");
    writer
        .header(HeaderName::Via, "SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKb1f3c1d2a4;rport")
        .header_fmt(HeaderName::MaxForwards, format_args!("{}", hops - 1))
        .header_fmt(
            HeaderName::From,
            format_args!("{} <sip:{number}@203.0.113.7>;tag=9fb31", Quoted(&display)),
        )
        .header(HeaderName::To, "<sip:15550001001@192.0.2.40>")
        .header(HeaderName::CallId, "5f1c9a0e77d24b6d")
        .header(HeaderName::CSeq, "1 INVITE")
        .header(HeaderName::Contact, "<sip:203.0.113.7:5060>")
        .header(HeaderName::Allow, "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK, INFO")
        .header(HeaderName::Supported, "timer, 100rel");
    writer.finish(Some(("application/sdp", request.body())))
}

fn read_by_rsip(bytes: &Bytes) -> rsip::Request {
    rsip::Request::try_from(bytes.as_ref()).expect("within what rsip knows")
}

fn leg_b_by_rsip(request: &rsip::Request) -> Vec<u8> {
    let from = request.from_header().and_then(ToTypedHeader::typed).expect("From");
    let to = request.to_header().and_then(ToTypedHeader::typed).expect("To");
    let via = request.via_header().and_then(ToTypedHeader::typed).expect("Via");
    let cseq = request.cseq_header().and_then(ToTypedHeader::typed).expect("CSeq");
    let contact = request.contact_header().and_then(ToTypedHeader::typed).expect("Contact");
    let hops = request
        .max_forwards_header()
        .and_then(rsip::headers::MaxForwards::num)
        .expect("Max-Forwards");
    let call_id = request.call_id_header().map(|id| id.value().to_string()).ok();
    black_box((via.branch(), from.tag(), contact.uri.host(), cseq.seq, call_id));
    let display = from.display_name.clone().unwrap_or_default();
    let number = to.uri.user().unwrap_or_default();
    let own = |value: &str| value.to_string();
    let headers: Vec<rsip::Header> = vec![
        rsip::headers::Via::from(own(
            "SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKb1f3c1d2a4;rport",
        ))
        .into(),
        rsip::headers::MaxForwards::from(hops - 1).into(),
        rsip::headers::From::from(format!("{display} <sip:{number}@203.0.113.7>;tag=9fb31")).into(),
        rsip::headers::To::from(own("<sip:15550001001@192.0.2.40>")).into(),
        rsip::headers::CallId::from(own("5f1c9a0e77d24b6d")).into(),
        rsip::headers::CSeq::from(own("1 INVITE")).into(),
        rsip::headers::Contact::from(own("<sip:203.0.113.7:5060>")).into(),
        rsip::headers::Allow::from(own("INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK, INFO"))
            .into(),
        rsip::headers::Supported::from(own("timer, 100rel")).into(),
        rsip::headers::ContentType::from(own("application/sdp")).into(),
        rsip::headers::ContentLength::from(request.body.len() as u32).into(),
    ];
    let new = rsip::Request {
        method: rsip::Method::Invite,
        uri: rsip::Uri::try_from("sip:15550001001@192.0.2.40:5060").expect("a URI"),
        version: rsip::Version::V2,
        headers: headers.into(),
        body: request.body.clone(),
    };
    new.into()
}

fn main() {
    let bytes = Bytes::from_static(INVITE);
    let wanted = std::env::var("PARSE_CASE").unwrap_or_default();
    if let Some(loops) = std::env::var("PARSE_LOOPS").ok().and_then(|text| text.parse::<u32>().ok())
    {
        for (_, run) in CASES.iter().filter(|(name, _)| *name == wanted) {
            for _ in 0..loops {
                run(black_box(&bytes));
            }
        }
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    for (name, run) in CASES {
        criterion.bench_function(name, |bencher| bencher.iter(|| run(black_box(&bytes))));
    }
    criterion.final_summary();
}
