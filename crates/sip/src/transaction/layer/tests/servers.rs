//! Rules of server transactions: who a request belongs to, and what answers it.

use super::*;

#[test]
fn request_is_new_once() {
    let mut layer = layer();
    assert_eq!(take(&mut layer, INVITE), ("request INVITE".into(), vec![]));
    assert_eq!(take(&mut layer, INVITE), ("absorbed".into(), vec![]), "nothing to repeat yet");
    assert_eq!(layer.live(), Live { server_invite: 1, ..Live::default() });
    let counters = Counters { requests_repeated: 1, ..Counters::default() };
    assert_eq!(layer.counters(), counters);
}

#[test]
fn repeated_request_gets_the_last_response_again() {
    let mut layer = layer();
    let (key, request) = server(&mut layer, INVITE);
    for status in [100, 180, 486] {
        respond(&mut layer, key, &request, status);
        assert_eq!(outputs(&mut layer), [status.to_string()]);
        assert_eq!(take(&mut layer, INVITE), ("absorbed".into(), vec![status.to_string()]));
    }
    let bye = Ask { method: "BYE", via: "h;branch=z9hG4bKb2", ..INVITE };
    let (key, request) = server(&mut layer, bye);
    respond(&mut layer, key, &request, 200);
    assert_eq!(outputs(&mut layer), ["200"]);
    assert_eq!(take(&mut layer, bye), ("absorbed".into(), vec!["200".into()]));
    assert_eq!(layer.counters().responses_resent, 4);
    assert_leaves_nothing(&mut layer);
}

/// §17.2.3: method, branch and sent-by; the case of a host name is no difference.
#[test]
fn transaction_is_known_by_method_branch_and_sent_by() {
    let first = Ask { via: "Host.example:5070;branch=z9hG4bKb1", ..INVITE };
    let rows = [
        ("host.EXAMPLE:5070;branch=z9hG4bKb1", "INVITE", "absorbed"),
        ("host.example:5070;rport;branch=z9hG4bKb1;x=y", "INVITE", "absorbed"),
        ("host.example:5070;branch=z9hG4bKb1", "OPTIONS", "request OPTIONS"),
        ("host.example:5070;branch=z9hG4bKb1", "NEWONE", "request "),
        ("host.example:5070;branch=z9hG4bKb2", "INVITE", "request INVITE"),
        ("host.example:5070;branch=z9hG4bKB1", "INVITE", "request INVITE"),
        ("host.example:5071;branch=z9hG4bKb1", "INVITE", "request INVITE"),
        ("host.example;branch=z9hG4bKb1", "INVITE", "request INVITE"),
        ("other.example:5070;branch=z9hG4bKb1", "INVITE", "request INVITE"),
    ];
    for (via, method, expected) in rows {
        let mut layer = layer();
        take(&mut layer, first);
        let (what, _) = take(&mut layer, Ask { method, via, ..first });
        assert_eq!(what, expected, "{via} {method}");
    }
}

/// §17.2.3, peers of RFC 2543: a branch without the cookie (or of the cookie alone) promises nothing.
#[test]
fn old_peer_is_known_by_the_whole_request() {
    for via in ["192.0.2.9", "192.0.2.9:5060;branch=1", "192.0.2.9;branch=z9hG4bK"] {
        let first = Ask { via, ..INVITE };
        let rows = [
            (first, "absorbed"),
            (Ask { uri: "sip:1003@192.0.2.1", ..first }, "request INVITE"),
            (Ask { from_tag: "f2", ..first }, "request INVITE"),
            (Ask { to_tag: ";tag=t9", ..first }, "request INVITE"),
            (Ask { call_id: "c2", ..first }, "request INVITE"),
            (Ask { cseq: 2, ..first }, "request INVITE"),
            (Ask { via: "192.0.2.8", ..first }, "request INVITE"),
            (Ask { method: "OPTIONS", ..first }, "request OPTIONS"),
        ];
        for (ask, expected) in rows {
            let mut layer = layer();
            take(&mut layer, first);
            assert_eq!(take(&mut layer, ask).0, expected, "{ask:?}");
        }
    }
}

#[test]
fn ack_of_failure_is_absorbed() {
    for via in [INVITE.via, "192.0.2.9;branch=old"] {
        let mut layer = layer();
        let invite = Ask { via, ..INVITE };
        let (key, request) = server(&mut layer, invite);
        respond(&mut layer, key, &request, 486);
        let ack = Ask { method: "ACK", to_tag: ";tag=t1", ..invite };
        assert_eq!(take(&mut layer, ack), ("absorbed".into(), vec!["486".into()]));
        assert_eq!(take(&mut layer, ack), ("absorbed".into(), vec![]));
        assert_eq!(take(&mut layer, invite), ("absorbed".into(), vec![]));
        assert_eq!(run_until(&mut layer, ms(60_000)), Vec::<String>::new(), "no more 486");
        assert!(layer.is_empty());
    }
}

#[test]
fn failure_without_ack_is_told() {
    let mut layer = layer();
    let (key, request) = server(&mut layer, INVITE);
    respond(&mut layer, key, &request, 486);
    let told = run_until(&mut layer, ms(60_000));
    assert_eq!(told.iter().filter(|what| *what == "486").count(), 11);
    assert_eq!(told.last().unwrap(), "ack missing");
    assert_eq!(layer.counters().acks_missing, 1);
    assert!(layer.is_empty());
}

/// §17.2.3: an old peer's ACK has the To tag of the response that it acknowledges.
#[test]
fn old_peers_ack_is_known_by_our_to_tag() {
    let mut layer = layer();
    let invite = Ask { via: "192.0.2.9;branch=old", ..INVITE };
    let (key, request) = server(&mut layer, invite);
    respond(&mut layer, key, &request, 486);
    outputs(&mut layer);
    assert_eq!(take(&mut layer, Ask { method: "ACK", to_tag: ";tag=other", ..invite }).0, "ack");
    let waits = run_until(&mut layer, ms(600));
    assert_eq!(waits, ["486"], "a stranger's ACK stops nothing");
    assert_eq!(take(&mut layer, Ask { method: "ACK", to_tag: ";tag=t1", ..invite }).0, "absorbed");
    assert_eq!(run_until(&mut layer, ms(60_000)), Vec::<String>::new());
}

#[test]
fn ack_of_2xx_goes_up_whatever_its_branch() {
    for via in [INVITE.via, "192.0.2.9:5060;branch=z9hG4bKnew", "192.0.2.9"] {
        let mut layer = layer();
        let (key, request) = server(&mut layer, INVITE);
        respond(&mut layer, key, &request, 200);
        outputs(&mut layer);
        let ack = Ask { method: "ACK", via, to_tag: ";tag=t1", ..INVITE };
        assert_eq!(take(&mut layer, ack), ("ack".into(), vec![]));
        assert_eq!(take(&mut layer, ack), ("ack".into(), vec![]), "dialogs see each");
        assert_eq!(take(&mut layer, INVITE), ("absorbed".into(), vec![]));
        respond(&mut layer, key, &request, 200);
        assert_eq!(outputs(&mut layer), ["200"], "the dialog repeats its 2xx");
        assert_leaves_nothing(&mut layer);
    }
}

#[test]
fn cancel_is_a_transaction_of_its_own_and_finds_its_invite() {
    for via in [INVITE.via, "192.0.2.9;branch=old"] {
        let mut layer = layer();
        let invite = Ask { via, ..INVITE };
        let cancel = Ask { method: "CANCEL", ..invite };
        let (key, _) = server(&mut layer, invite);
        let received = layer.receive(ms(0), cancel.message(), udp());
        let Received::Cancel { server, request, invite: found } = received else {
            panic!("{received:?}");
        };
        assert_eq!(found, Some(key));
        respond(&mut layer, server, &request, 200);
        outputs(&mut layer);
        assert_eq!(take(&mut layer, cancel), ("absorbed".into(), vec!["200".into()]));
        let live = Live { server_invite: 1, server_non_invite: 1, ..Live::default() };
        assert_eq!(layer.live(), live);
    }
}

#[test]
fn cancel_without_its_invite_says_so() {
    let cancel = Ask { method: "CANCEL", ..INVITE };
    assert_eq!(take(&mut layer(), cancel).0, "cancel false");
    let mut layer = layer();
    take(&mut layer, Ask { method: "OPTIONS", ..INVITE });
    assert_eq!(take(&mut layer, cancel).0, "cancel false", "only INVITE can be cancelled");
    take(&mut layer, Ask { via: "192.0.2.9:5060;branch=z9hG4bKb2", ..INVITE });
    assert_eq!(take(&mut layer, cancel).0, "absorbed");
}

/// §8.2.2.2: the same request on two ways, but not a second try after a refusal, nor inside a dialog.
#[test]
fn merged_request_is_known() {
    let second = Ask { via: "192.0.2.9:5060;branch=z9hG4bKfork", ..INVITE };
    let rows: [(&str, Ask<'_>, Ask<'_>, Option<u16>, bool); 8] = [
        ("a fork that meets itself", INVITE, second, None, true),
        ("while the first rings", INVITE, second, Some(180), true),
        ("after it was answered", INVITE, second, Some(200), true),
        ("serial forking", INVITE, second, Some(503), false),
        ("another call", INVITE, Ask { call_id: "c2", ..second }, None, false),
        ("with credentials", INVITE, Ask { cseq: 2, ..second }, None, false),
        ("another caller", INVITE, Ask { from_tag: "f2", ..second }, None, false),
        (
            "inside a dialog",
            Ask { to_tag: ";tag=x", ..INVITE },
            Ask { to_tag: ";tag=x", ..second },
            None,
            false,
        ),
    ];
    for (why, first, second, status, merged) in rows {
        let mut layer = layer();
        let (key, request) = server(&mut layer, first);
        if let Some(status) = status {
            respond(&mut layer, key, &request, status);
        }
        let (other, _) = server(&mut layer, second);
        assert_eq!(layer.is_merged(other), merged, "{why}");
        assert!(!layer.is_merged(key), "{why}: the first is no copy");
    }
}

#[test]
fn merged_request_is_forgotten_with_the_first() {
    let mut layer = layer();
    let (key, request) = server(&mut layer, INVITE);
    respond(&mut layer, key, &request, 200);
    run_until(&mut layer, ms(60_000));
    let second = Ask { via: "192.0.2.9:5060;branch=z9hG4bKfork", ..INVITE };
    let (other, _) = server(&mut layer, second);
    assert!(!layer.is_merged(other));
    assert!(!layer.is_merged(key), "a stale key is nobody's");
}

#[test]
fn request_that_the_core_forgets_is_given_up() {
    let mut layer = layer();
    server(&mut layer, Ask { method: "OPTIONS", ..INVITE });
    assert_eq!(run_until(&mut layer, ms(60_000)), ["unanswered"]);
    assert!(layer.is_empty());
    assert_eq!(layer.counters().unanswered, 1);
}

#[test]
fn response_follows_a_repetition_over_a_new_connection() {
    let mut layer = layer();
    let received = layer.receive(ms(0), INVITE.message(), tcp(1));
    let Received::Request { server, request } = received else { panic!("{received:?}") };
    layer.receive(ms(900), INVITE.message(), tcp(2));
    respond(&mut layer, server, &request, 486);
    let Some(Output::Send { flow, client: None, .. }) = layer.poll_output() else { panic!() };
    assert_eq!(flow.connection, Some(ConnectionId::new(2)));
}

/// §17.2.2: who repeats itself from elsewhere, after a NAT has moved it or over TCP instead, is answered there.
#[test]
fn copy_from_elsewhere_is_answered_there() {
    let ask = Ask { method: "OPTIONS", via: "192.0.2.9:5070;rport;branch=z9hG4bK1", ..INVITE };
    let moved = Flow { remote: "192.0.2.9:40001".parse().unwrap(), ..udp() };
    for elsewhere in [moved, tcp(7)] {
        let mut layer = layer();
        let received = layer.receive(ms(0), ask.message(), udp());
        let Received::Request { server, request } = received else { panic!("{received:?}") };
        respond(&mut layer, server, &request, 200);
        let Some(Output::Send { flow, .. }) = layer.poll_output() else { panic!() };
        assert_eq!(flow, udp());
        assert!(matches!(layer.receive(ms(500), ask.message(), elsewhere), Received::Absorbed));
        let Some(Output::Send { flow, .. }) = layer.poll_output() else { panic!() };
        assert_eq!(flow, response_flow(&ask.request(), elsewhere));
        assert_eq!((flow.transport, flow.connection), (elsewhere.transport, elsewhere.connection));
        assert_eq!(layer.server_flow(server), Some(udp()));
    }
}

/// §18.2.2, RFC 3581 §4.
#[test]
fn response_goes_to_source_address_and_rport_or_sent_by_port() {
    let source = Flow { remote: "198.51.100.4:34567".parse().unwrap(), ..udp() };
    let tls = Flow { transport: Transport::Tls, ..source };
    let stream = Flow { remote: source.remote, ..tcp(3) };
    let rows = [
        (source, "192.0.2.9:5070;rport;branch=z9hG4bK1", "198.51.100.4:34567"),
        (source, "192.0.2.9:5070;branch=z9hG4bK1", "198.51.100.4:5070"),
        (source, "192.0.2.9;branch=z9hG4bK1", "198.51.100.4:5060"),
        (source, "192.0.2.9;maddr=203.0.113.1;branch=z9hG4bK1", "198.51.100.4:5060"),
        (tls, "h.example;branch=z9hG4bK1", "198.51.100.4:5061"),
        (stream, "192.0.2.9:5070;rport;branch=z9hG4bK1", "198.51.100.4:5070"),
        (stream, "192.0.2.9;rport;branch=z9hG4bK1", "198.51.100.4:5060"),
    ];
    for (source, via, expected) in rows {
        let ask = Ask { via, ..INVITE };
        let flow = response_flow(&ask.request(), source);
        assert_eq!(flow.remote.to_string(), expected, "{via}");
        let mut layer = layer();
        let received = layer.receive(ms(0), ask.message(), source);
        let Received::Request { server, .. } = received else { panic!("{received:?}") };
        assert_eq!(layer.server_flow(server), Some(flow));
        assert_eq!(layer.server_source(server), Some(source));
    }
}
