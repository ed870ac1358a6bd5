//! Whole calls between two ends that know each other only by what is on the wire: RFC 3665 §3.1, §3.2, §3.7,
//! with reliable provisional responses (RFC 3262), UPDATE (RFC 3311), and session timers (RFC 4028).

use super::*;
use crate::{HeaderName, Message, Method, Request, Response, Writer, response_to};
use bytes::Bytes;
use core::net::SocketAddr;
use core::time::Duration;
use mediator_model::Instant;

const START: Instant = Instant::from_millis(0);
const TIMER: SessionTimerSettings = SessionTimerSettings { session_expires: 1800, min_se: 90 };
const RECORD_ROUTES: [&str; 2] =
    ["<sip:ss2.biloxi.example.com;lr>", "<sip:ss1.atlanta.example.com;lr>"];
const SDP: Option<(&str, &[u8])> = Some(("application/sdp", b"v=0\r\n"));

fn method_name(method: Method) -> &'static str {
    method.as_str()
}

fn read_request(bytes: Bytes) -> Request {
    match Message::parse(bytes).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

fn read_response(bytes: Bytes) -> Response {
    match Message::parse(bytes).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a request"),
    }
}

/// Writes a request as a core does; the first one gets the Record-Route of two proxies on its way.
fn write(parts: &RequestParts<'_>, method: Method, contact: &str) -> Writer {
    let mut writer = Writer::request(method_name(method), parts.uri);
    writer.header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    for route in parts.routes {
        writer.header(HeaderName::Route, route);
    }
    writer
        .header(HeaderName::MaxForwards, "70")
        .header(HeaderName::From, parts.from)
        .header(HeaderName::To, parts.to)
        .header(HeaderName::CallId, parts.call_id)
        .header_fmt(HeaderName::CSeq, format_args!("{} {}", parts.cseq, method_name(method)))
        .header(HeaderName::Contact, contact);
    writer
}

fn reply(request: &Request, status: u16) -> Writer {
    let source: SocketAddr = "192.0.2.1:5060".parse().unwrap();
    let mut writer = response_to(request, source, status, "Whatever", Some("bobs"));
    writer.copy(request, HeaderName::RecordRoute).header(HeaderName::Contact, BOB);
    writer
}

const ALICE: &str = "<sip:alice@client.atlanta.example.com>";
const BOB: &str = "<sip:bob@client.biloxi.example.com>";

fn sdp_of(message: &crate::Headers) -> Sdp {
    if message.body().is_empty() { Sdp::Absent } else { Sdp::Present }
}

/// Alice, who has sent an INVITE with SDP, and Bob, who has it.
struct Call {
    alices: EarlyDialogs,
    alice_offers: OfferAnswer,
    bobs: Dialog,
    bob_offers: OfferAnswer,
    invite: Request,
}

fn invited() -> Call {
    let alices = EarlyDialogs::new(&NewDialog {
        call_id: b"3848276298220188511",
        local: b"Alice <sip:alice@atlanta.example.com>",
        local_tag: b"alices",
        remote: b"Bob <sip:bob@biloxi.example.com>",
        target: b"sip:bob@biloxi.example.com",
        routes: &[],
        cseq: 314,
    });
    let mut writer = write(&alices.invite_parts(), Method::Invite, ALICE);
    for hop in RECORD_ROUTES {
        writer.header(HeaderName::RecordRoute, hop);
    }
    writer.header(HeaderName::Supported, "100rel, timer");
    let offer = SessionTimer::new().offer(&TIMER).session_expires.seconds;
    writer.header_fmt(HeaderName::SessionExpires, format_args!("{offer}"));
    let invite = read_request(writer.finish(SDP));
    let mut alice_offers = OfferAnswer::new();
    let mut bob_offers = OfferAnswer::new();
    let sdp = sdp_of(&invite);
    assert_eq!(alice_offers.handle(Side::Local, Carrier::InviteRequest, sdp), Meaning::Offer);
    assert_eq!(bob_offers.handle(Side::Remote, Carrier::InviteRequest, sdp), Meaning::Offer);
    let bobs = Dialog::from_request(&invite, b"bobs").unwrap();
    Call { alices, alice_offers, bobs, bob_offers, invite }
}

/// Sends a request of Bob's to Alice's dialog, which must know it for its own.
fn from_bob(call: &mut Call, alice: &mut Dialog, method: Method) -> Request {
    let request = read_request(write(&call.bobs.request_parts(method), method, BOB).finish(None));
    assert!(alice.is_target_of(&request));
    assert_eq!(alice.handle_request(&request), Ok(()));
    request
}

fn from_alice(call: &mut Call, alice: &mut Dialog, method: Method) -> Request {
    let request = read_request(write(&alice.request_parts(method), method, ALICE).finish(None));
    assert!(call.bobs.is_target_of(&request));
    assert_eq!(call.bobs.handle_request(&request), Ok(()));
    request
}

#[test]
fn a_call_rings_is_answered_acknowledged_and_ended_by_either() {
    for bob_hangs_up in [false, true] {
        let mut call = invited();
        let ringing = read_response(reply(&call.invite, 180).finish(None));
        let DialogChange::NewEarly(fork) = call.alices.handle_response(&ringing) else {
            panic!("a new early dialog");
        };
        let ok = reply(&call.invite, 200).finish(SDP);
        call.bobs.confirm();
        let mut waiting = Retransmit2xx::new(START, 314, ok.clone(), RetransmitTimes::default());
        assert_eq!(
            call.bob_offers.handle(Side::Local, Carrier::Final2xx, Sdp::Present),
            Meaning::Answer
        );

        // The first 200 is lost.
        let later = waiting.next_deadline();
        assert_eq!(waiting.handle_deadline(later), Retransmission::Resend);
        let ok = read_response(waiting.bytes().clone());
        assert_eq!(call.alices.handle_response(&ok), DialogChange::Confirmed(fork));
        assert_eq!(
            call.alice_offers.handle(Side::Remote, Carrier::Final2xx, sdp_of(&ok)),
            Meaning::Answer
        );
        assert_eq!(call.alices.handle_response(&ok), DialogChange::Repeated2xx(fork));

        let mut alice = call.alices.clone().into_confirmed().unwrap();
        let ack = read_request(write(&alice.ack_parts(314), Method::Ack, ALICE).finish(None));
        assert!(call.bobs.is_target_of(&ack));
        assert!(waiting.is_acknowledged_by(ack.cseq().unwrap().number));
        assert_eq!(ack.uri(), b"sip:bob@client.biloxi.example.com");
        let path: alloc::vec::Vec<&[u8]> = ack.values(HeaderName::Route).collect();
        assert_eq!(path, [RECORD_ROUTES[1].as_bytes(), RECORD_ROUTES[0].as_bytes()]);
        call.alice_offers.handle(Side::Local, Carrier::Ack, Sdp::Absent);
        call.bob_offers.handle(Side::Remote, Carrier::Ack, Sdp::Absent);
        assert!(call.alice_offers.is_stable() && call.bob_offers.is_stable());

        if bob_hangs_up {
            let bye = from_bob(&mut call, &mut alice, Method::Bye);
            assert_eq!(bye.uri(), b"sip:alice@client.atlanta.example.com");
            let path: alloc::vec::Vec<&[u8]> = bye.values(HeaderName::Route).collect();
            assert_eq!(path, RECORD_ROUTES.map(str::as_bytes));
        } else {
            let bye = from_alice(&mut call, &mut alice, Method::Bye);
            assert_eq!(bye.cseq().unwrap().number, 315);
        }
    }
}

#[test]
fn early_media_is_agreed_reliably_and_updated_before_the_answer() {
    let mut call = invited();
    let mut provisionals = ReliableSender::new(314, 7, RetransmitTimes::default());
    let mut writer = reply(&call.invite, 183);
    writer
        .header(HeaderName::Require, "100rel")
        .header_fmt(HeaderName::RSeq, format_args!("{}", provisionals.next_rseq()));
    provisionals.send(START, writer.finish(SDP), Sdp::Present).unwrap();
    call.bob_offers.handle(Side::Local, Carrier::ReliableProvisional, Sdp::Present);

    // The first 183 is lost.
    let ReliableEvent::Resend(progress) =
        provisionals.handle_deadline(START + Duration::from_millis(500))
    else {
        panic!("it is sent again");
    };
    let progress = read_response(progress);
    let DialogChange::NewEarly(fork) = call.alices.handle_response(&progress) else {
        panic!("a new early dialog");
    };
    let mut received = ReliableReceiver::new();
    let ReliableVerdict::Acknowledge { rseq, cseq } = received.handle_response(&progress) else {
        panic!("it wants a PRACK");
    };
    assert_eq!(received.handle_response(&progress), ReliableVerdict::Duplicate);
    assert_eq!(
        call.alice_offers.handle(Side::Remote, Carrier::ReliableProvisional, Sdp::Present),
        Meaning::Answer
    );

    let early = call.alices.dialog_mut(fork).unwrap();
    let mut prack = write(&early.request_parts(Method::Prack), Method::Prack, ALICE);
    prack.header_fmt(HeaderName::RAck, format_args!("{rseq} {cseq} INVITE"));
    let prack = read_request(prack.finish(None));
    assert_eq!(call.bobs.handle_request(&prack), Ok(()));
    assert!(provisionals.holds_2xx());
    provisionals.handle_prack(START, &prack).unwrap();
    assert!(!provisionals.holds_2xx());
    for (machine, side) in
        [(&mut call.alice_offers, Side::Local), (&mut call.bob_offers, Side::Remote)]
    {
        assert_eq!(machine.handle(side, Carrier::PrackRequest, Sdp::Absent), Meaning::Nothing);
    }

    // Bob moves and changes the session while it rings.
    let moved = "<sip:bob@192.0.2.77>";
    let parts = call.bobs.request_parts(Method::Update);
    let update = read_request(write(&parts, Method::Update, moved).finish(SDP));
    let early = call.alices.dialog_mut(fork).unwrap();
    assert!(early.is_target_of(&update));
    assert_eq!(early.handle_request(&update), Ok(()));
    assert_eq!(early.refresh_target(&update), Ok(true));
    assert_eq!(call.bob_offers.may_offer(OfferIn::Update), Ok(()));
    for (machine, side) in
        [(&mut call.alice_offers, Side::Remote), (&mut call.bob_offers, Side::Local)]
    {
        assert_eq!(machine.handle(side, Carrier::UpdateRequest, Sdp::Present), Meaning::Offer);
        assert_eq!(machine.handle(side.other(), Carrier::Update2xx, Sdp::Present), Meaning::Answer);
    }
    assert_eq!(early.request_parts(Method::Update).uri, b"sip:bob@192.0.2.77");
}

#[test]
fn a_session_is_refreshed_by_the_peer_and_ends_when_it_does_not() {
    let call = invited();
    let mut bobs_timer = SessionTimer::new();
    let agreed = bobs_timer.negotiate_uas(&call.invite, &TIMER).unwrap();
    assert!(!agreed.we_refresh(), "Alice can, so she does");
    let mut writer = reply(&call.invite, 200);
    assert!(agreed.requires_timer());
    let seconds = agreed.session_expires().seconds;
    writer
        .header(HeaderName::Require, "timer")
        .header_fmt(HeaderName::SessionExpires, format_args!("{seconds};refresher=uac"));
    let ok = read_response(writer.finish(SDP));
    bobs_timer.start(START, agreed);

    let mut alices_timer = SessionTimer::new();
    let offered = alices_timer.offer(&TIMER);
    alices_timer.start(START, alices_timer.negotiate_uac(&ok, &offered));
    let half = alices_timer.next_deadline().unwrap();
    assert_eq!(half - START, Duration::from_mins(15));
    assert_eq!(alices_timer.handle_deadline(half), TimerEvent::Refresh);

    // The refresh is lost for good: Bob hangs up before Alice would.
    let bobs_end = bobs_timer.next_deadline().unwrap();
    let alices_end = alices_timer.next_deadline().unwrap();
    assert!(bobs_end < alices_end);
    assert_eq!(bobs_timer.handle_deadline(bobs_end), TimerEvent::Expired);
    assert_eq!(alices_timer.handle_deadline(alices_end), TimerEvent::Expired);
}

#[test]
fn crossing_reinvites_are_sent_again_one_after_the_other() {
    let mut call = invited();
    call.alice_offers.handle(Side::Remote, Carrier::Final2xx, Sdp::Present);
    call.alice_offers.handle(Side::Local, Carrier::Ack, Sdp::Absent);
    let mut ends = [call.alice_offers, call.alice_offers];
    for end in &mut ends {
        assert_eq!(end.may_offer(OfferIn::Invite), Ok(()));
        end.handle(Side::Local, Carrier::InviteRequest, Sdp::Present);
    }
    for end in &mut ends {
        let crossed = end.handle(Side::Remote, Carrier::InviteRequest, Sdp::Present);
        assert_eq!(crossed, Meaning::Refused(Refusal::Glare));
    }
    for end in &mut ends {
        end.request_failed(Side::Local, OfferIn::Invite);
        assert!(end.is_stable());
    }
    let alice = call.alices.invite_parts().cseq;
    let waits = glare_backoff(CallIdOwner::Local, alice);
    assert!(waits > glare_backoff(call.bobs.call_id_owner(), alice), "Bob's goes first");
}
