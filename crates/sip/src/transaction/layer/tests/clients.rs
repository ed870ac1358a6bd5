//! Rules of client transactions: who a response belongs to, CANCEL, lost connections.

use super::*;

#[test]
fn response_finds_its_request_by_branch_and_method() {
    let mut layer = layer();
    let invite = send(&mut layer, OURS, udp(), 1);
    assert_eq!(outputs(&mut layer), ["INVITE"]);
    let received = layer.receive(ms(9), answer_message(&OURS.request(), 180), udp());
    assert_eq!(kind(&received), "180 for 1");
    let cancel = layer.cancel(ms(10), invite, None, 2).unwrap();
    assert_ne!(cancel, invite);
    assert_eq!(outputs(&mut layer), ["CANCEL"]);
    let cancel = Ask { method: "CANCEL", ..OURS }.request();
    let received = layer.receive(ms(11), answer_message(&cancel, 200), udp());
    assert_eq!(kind(&received), "200 for 2", "the same branch, another method");
    let received = layer.receive(ms(12), answer_message(&OURS.request(), 487), udp());
    assert_eq!(kind(&received), "487 for 1");
    assert_eq!(outputs(&mut layer), ["ACK"]);
    let received = layer.receive(ms(13), answer_message(&OURS.request(), 487), udp());
    assert_eq!(kind(&received), "absorbed");
    assert_eq!(outputs(&mut layer), ["ACK"]);
    let counters = Counters { acks_resent: 1, responses_repeated: 1, ..Counters::default() };
    assert_eq!(layer.counters(), counters);
    assert_leaves_nothing(&mut layer);
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut layer = layer();
    let invite = send(&mut layer, OURS, udp(), 1);
    assert_eq!(layer.cancel(ms(1), invite, None, 2), None);
    let bye = send(&mut layer, Ask { method: "BYE", ..OURS }, udp(), 3);
    assert_eq!(layer.cancel(ms(1), bye, None, 2), None, "§9.1: only INVITE");
    assert_eq!(layer.live().total(), 2);
}

/// §9.1: also where the core wrote the CANCEL itself.
#[test]
fn cancelled_invite_times_out_without_final_response() {
    let mut layer = layer();
    send(&mut layer, OURS, udp(), 1);
    layer.receive(ms(9), answer_message(&OURS.request(), 180), udp());
    send(&mut layer, Ask { method: "CANCEL", ..OURS }, udp(), 2);
    layer.receive(ms(9), answer_message(&Ask { method: "CANCEL", ..OURS }.request(), 200), udp());
    outputs(&mut layer);
    assert_eq!(run_until(&mut layer, ms(60_000)), ["timed out 1"]);
    assert!(layer.is_empty());
}

#[test]
fn each_2xx_goes_up_and_late_ones_are_stray() {
    let mut layer = layer();
    send(&mut layer, OURS, udp(), 1);
    for at in [100, 600, 1_600] {
        let received = layer.receive(ms(at), answer_message(&OURS.request(), 200), udp());
        assert_eq!(kind(&received), "200 for 1");
    }
    outputs(&mut layer);
    assert_eq!(run_until(&mut layer, ms(60_000)), Vec::<String>::new());
    assert!(layer.is_empty());
    let received = layer.receive(ms(60_000), answer_message(&OURS.request(), 200), udp());
    assert_eq!(kind(&received), "stray 200");
}

#[test]
fn response_that_matches_nothing_is_stray() {
    let rows = [
        Ask { via: "192.0.2.1:5060;branch=z9hG4bKwho", ..OURS },
        Ask { via: "192.0.2.1:5060", ..OURS },
        Ask { method: "BYE", ..OURS },
        Ask { via: "192.0.2.1:5060;branch=z9hG4bKOURS", ..OURS },
    ];
    for ask in rows {
        let mut layer = layer();
        send(&mut layer, OURS, udp(), 1);
        let received = layer.receive(ms(0), answer_message(&ask.request(), 200), udp());
        assert_eq!(kind(&received), "stray 200", "{ask:?}");
        assert_eq!(layer.live().client_invite, 1);
    }
}

/// §8.1.3.3. A comma makes two Vias as a second line does.
#[test]
fn response_with_several_vias_or_none_is_foreign() {
    let response = text(answer_response(&OURS.request(), 200).bytes()).to_string();
    let via = format!("Via: SIP/2.0/UDP {}\r\n", OURS.via);
    let rows = [
        format!("{via}Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\n"),
        format!("Via: SIP/2.0/UDP {}, SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\n", OURS.via),
        String::new(),
    ];
    for vias in rows {
        let mut layer = layer();
        send(&mut layer, OURS, udp(), 1);
        let received = layer.receive(ms(0), parse(&response.replace(&via, &vias)), udp());
        assert_eq!(kind(&received), "foreign 200", "{vias}");
        assert_eq!(outputs(&mut layer), ["INVITE"]);
    }
}

#[test]
fn unanswered_requests_time_out_on_every_transport() {
    for flow in [udp(), tcp(1)] {
        let mut layer = layer();
        send(&mut layer, OURS, flow, 1);
        send(&mut layer, Ask { method: "OPTIONS", ..OURS }, flow, 2);
        let done = run_until(&mut layer, ms(60_000));
        assert_eq!(done[done.len() - 2..].iter().filter(|it| it.starts_with("timed")).count(), 2);
        let resent = if flow.transport == Transport::Udp { 6 + 10 } else { 0 };
        let counters = Counters { requests_resent: resent, timed_out: 2, ..Counters::default() };
        assert_eq!(layer.counters(), counters);
        assert!(layer.is_empty());
    }
}

#[test]
fn lost_transport_is_told_to_those_who_wait() {
    let mut layer = layer();
    let refused = send(&mut layer, OURS, tcp(7), 1);
    let waiting = Ask { method: "BYE", via: "h;branch=z9hG4bK2", ..OURS };
    let accepted = Ask { via: "h;branch=z9hG4bK3", ..OURS };
    let elsewhere = Ask { via: "h;branch=z9hG4bK4", ..OURS };
    send(&mut layer, waiting, tcp(7), 2);
    send(&mut layer, accepted, tcp(7), 3);
    send(&mut layer, elsewhere, tcp(8), 4);
    layer.receive(ms(1), answer_message(&accepted.request(), 200), tcp(7));
    outputs(&mut layer);
    layer.transport_failed(ms(2), refused);
    assert_eq!(outputs(&mut layer), ["failed 1"]);
    layer.connection_closed(ms(3), ConnectionId::new(7));
    assert_eq!(outputs(&mut layer), ["failed 2"]);
    layer.connection_closed(ms(3), ConnectionId::new(7));
    assert_eq!(outputs(&mut layer), Vec::<String>::new());
    assert_eq!(layer.live(), Live { client_invite: 2, ..Live::default() });
    assert_leaves_nothing(&mut layer);
}

/// A response over a new connection (§18.2.2) takes the rest of the transaction there.
#[test]
fn client_follows_the_connection_of_its_responses() {
    let mut layer = layer();
    let unconnected = Flow { connection: None, ..tcp(0) };
    let key = send(&mut layer, OURS, unconnected, 1);
    layer.receive(ms(1), answer_message(&OURS.request(), 180), tcp(7));
    assert_eq!(layer.client_flow(key), Some(tcp(7)));
    layer.receive(ms(1), answer_message(&OURS.request(), 183), tcp(9));
    outputs(&mut layer);
    layer.connection_closed(ms(2), ConnectionId::new(7));
    assert_eq!(outputs(&mut layer), Vec::<String>::new());
    layer.cancel(ms(3), key, None, 2).unwrap();
    let Some(Output::Send { flow, .. }) = layer.poll_output() else { panic!() };
    assert_eq!(flow, tcp(9));
    layer.connection_closed(ms(4), ConnectionId::new(9));
    assert_eq!(outputs(&mut layer), ["failed 1", "failed 2"]);
    assert!(layer.is_empty());
}
