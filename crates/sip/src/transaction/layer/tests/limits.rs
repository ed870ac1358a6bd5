//! Rules of the layer itself: limits, stale keys, memory, what cannot be read.

use super::*;

#[test]
fn message_without_its_name_is_unreadable() {
    let request = INVITE.text();
    let response = text(answer_response(&OURS.request(), 200).bytes()).to_string();
    let old = Ask { via: "192.0.2.9", ..INVITE }.text();
    let rows = [
        request.replace("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKb1\r\n", ""),
        request.replace("SIP/2.0/UDP 192", "@@@"),
        request.replace("INVITE", "ACK").replace("SIP/2.0/UDP 192", "@@@"),
        old.replace("Call-ID: c1\r\n", ""),
        old.replace("CSeq: 1", "CSeq: one"),
        response.replace("CSeq: 1 INVITE\r\n", ""),
    ];
    for message in rows {
        let mut layer = layer();
        let received = layer.receive(ms(0), parse(&message), udp());
        assert_eq!(kind(&received), "unreadable", "{message}");
        assert!(layer.is_empty() && outputs(&mut layer).is_empty());
    }
}

#[test]
fn stale_key_does_nothing() {
    let mut layer = layer();
    let options = Ask { method: "OPTIONS", ..INVITE };
    let (stale, request) = server(&mut layer, options);
    respond(&mut layer, stale, &request, 200);
    outputs(&mut layer);
    run_until(&mut layer, ms(60_000));
    let (next, _) = server(&mut layer, options);
    assert_ne!(stale, next);
    respond(&mut layer, stale, &request, 500);
    assert_eq!(outputs(&mut layer), Vec::<String>::new());
    assert_eq!(layer.server_flow(stale), None);
    assert!(layer.server_flow(next).is_some());

    let stale = send(&mut layer, OURS, udp(), 1);
    run_until(&mut layer, ms(200_000));
    send(&mut layer, OURS, udp(), 2);
    outputs(&mut layer);
    layer.transport_failed(ms(200_000), stale);
    assert_eq!(layer.cancel(ms(200_000), stale, None, 3), None);
    assert_eq!(layer.client_flow(stale), None);
    assert_eq!(outputs(&mut layer), Vec::<String>::new());
}

#[test]
fn full_layer_refuses_what_begins_and_serves_what_ends() {
    let settings = LayerSettings { max_transactions: 8, ..LayerSettings::default() };
    let mut layer = Layer::new(settings);
    let mut branches = (0..).map(|n| format!("192.0.2.9;branch=z9hG4bKn{n}"));
    let mut next = |method, to_tag| {
        let (via, call_id) = (branches.next().unwrap(), branches.next().unwrap());
        let ask = Ask { method, to_tag, via: &via, call_id: &call_id, ..INVITE };
        take(&mut layer, ask).0
    };
    for _ in 0..8 {
        assert_eq!(next("INVITE", ""), "request INVITE");
    }
    assert_eq!(next("INVITE", ""), "overloaded");
    assert_eq!(next("OPTIONS", ""), "overloaded");
    assert_eq!(next("BYE", ";tag=x"), "request BYE");
    assert_eq!(next("CANCEL", ""), "cancel false");
    assert_eq!(next("BYE", ";tag=x"), "overloaded", "ten of ten");
    assert_eq!(next("CANCEL", ""), "overloaded");
    assert_eq!(next("ACK", ";tag=x"), "ack", "an ACK needs no room");
    let again = Ask { via: "192.0.2.9;branch=z9hG4bKn0", ..INVITE };
    assert_eq!(take(&mut layer, again).0, "absorbed", "nor does a repetition");
    assert_eq!(layer.live().total(), 10);
    assert_eq!(layer.counters().overloaded, 4);
    let client = send(&mut layer, OURS, udp(), 1);
    assert!(layer.client_flow(client).is_some(), "what we begin ourselves is never refused");
}

#[test]
fn long_sleep_is_caught_up_in_steps() {
    let mut layer = layer();
    for n in 0..3_000 {
        let via = format!("192.0.2.1;branch=z9hG4bK{n}");
        send(&mut layer, Ask { method: "OPTIONS", via: &via, ..OURS }, tcp(1), n);
    }
    outputs(&mut layer);
    let late = ms(3_600_000);
    let mut steps = Vec::new();
    while layer.next_deadline().is_some_and(|at| at <= late) {
        layer.handle_deadline(late);
        steps.push(outputs(&mut layer).len());
    }
    assert_eq!(steps, [MAX_TIMERS_A_STEP, MAX_TIMERS_A_STEP, 3_000 - 2 * MAX_TIMERS_A_STEP]);
    assert!(layer.is_empty());
}

#[test]
fn no_buffer_is_kept_alive() {
    let mut layer = layer();
    let datagram = Bytes::from(INVITE.text().into_bytes());
    let received = layer.receive(ms(0), crate::Message::parse(datagram.clone()).unwrap(), udp());
    let Received::Request { server, request } = received else { panic!("{received:?}") };
    let reply = Bytes::from(answer(&request, 486, ";tag=t1").into_bytes());
    layer.respond(ms(0), server, 486, reply.clone());
    let ours = OURS.request().bytes().clone();
    layer.send_request(ms(0), Method::Invite, OUR_BRANCH, ours.clone(), udp(), 1);
    outputs(&mut layer);
    drop(request);
    assert!(datagram.is_unique(), "the request's datagram");
    assert!(reply.is_unique(), "the core's response");
    assert!(ours.is_unique(), "the core's request");
}

#[test]
fn transactions_are_small() {
    use crate::transaction::{clients::Client, servers::Server};
    assert!(size_of::<Server>() <= 240, "{}", size_of::<Server>());
    assert!(size_of::<Client<u32>>() <= 216, "{}", size_of::<Client<u32>>());
}

#[test]
fn ended_transaction_leaves_no_timer() {
    let mut layer = layer();
    let received = layer.receive(ms(0), INVITE.message(), tcp(1));
    let Received::Request { server, request } = received else { panic!("{received:?}") };
    respond(&mut layer, server, &request, 486);
    let ack = Ask { method: "ACK", to_tag: ";tag=t1", ..INVITE };
    layer.receive(ms(9), ack.message(), tcp(1));
    assert_is_clean(&layer);
    let options = Ask { method: "OPTIONS", ..INVITE };
    let received = layer.receive(ms(10), options.message(), tcp(1));
    let Received::Request { server, request } = received else { panic!("{received:?}") };
    respond(&mut layer, server, &request, 200);
    assert_is_clean(&layer);
    for ask in [OURS, Ask { method: "OPTIONS", ..OURS }] {
        send(&mut layer, ask, tcp(1), 1);
        layer.receive(ms(11), answer_message(&ask.request(), 486), tcp(1));
        assert_is_clean(&layer);
    }
}
