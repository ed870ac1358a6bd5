//! Real sockets on loopback, and the backlog with a kernel played by the test.

use std::cell::RefCell;
use std::net::Ipv4Addr;

use bytes::Bytes;

use super::*;
use crate::event::NetEvent;

const OPTIONS: &[u8] = b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nCall-ID: 1\r\n\r\n";

fn loopback(last: u8) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 0, last), 0).into()
}

fn listener(last: u8) -> Arc<UdpListener> {
    UdpListener::bind(ListenerId(3), loopback(last)).unwrap()
}

async fn next_messages(reader: &mut UdpReader, wanted: usize) -> Vec<(SocketAddr, Bytes)> {
    let mut seen = Vec::new();
    while seen.len() < wanted {
        reader.readable().await.unwrap();
        reader.drain(64, &mut |event| match event {
            NetEvent::Message { flow, bytes } => {
                assert_eq!(flow.listener, ListenerId(3));
                assert_eq!((flow.transport, flow.connection), (Transport::Udp, None));
                seen.push((flow.remote, bytes));
            }
            other => panic!("{other:?}"),
        });
    }
    seen
}

#[tokio::test]
async fn a_datagram_comes_with_its_flow_and_is_answered_over_it() {
    let (here, there) = (listener(1), listener(2));
    let (mut reader, mut answers) = (here.reader().unwrap(), there.reader().unwrap());
    there.send(OPTIONS, here.local_address()).unwrap();
    let request = next_messages(&mut reader, 1).await;
    assert_eq!(request, [(there.local_address(), Bytes::from_static(OPTIONS))]);
    here.send(b"SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n", there.local_address()).unwrap();
    let response = next_messages(&mut answers, 1).await;
    assert_eq!(response[0].0, here.local_address());
    assert_eq!(here.counts().received, 1);
}

#[tokio::test]
async fn the_longest_datagram_arrives_whole() {
    let (here, there) = (listener(1), listener(2));
    let mut reader = here.reader().unwrap();
    let longest = vec![b'x'; 65_507];
    there.send(&longest, here.local_address()).unwrap();
    assert_eq!(next_messages(&mut reader, 1).await[0].1, longest);
    let error = there.send(&vec![b'x'; 65_508], here.local_address()).unwrap_err();
    assert!(matches!(error, SendError::Refused { .. }), "{error}");
    assert_eq!(there.counts().refused, 1);
}

#[tokio::test]
async fn keep_alives_and_stun_are_counted_and_dropped() {
    let (here, there) = (listener(1), listener(2));
    let mut reader = here.reader().unwrap();
    let mut stun = [0_u8; 20];
    stun[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
    for datagram in [&b"\r\n\r\n"[..], b"", b"jaK", &[0; 4], &stun, OPTIONS] {
        there.send(datagram, here.local_address()).unwrap();
    }
    assert_eq!(next_messages(&mut reader, 1).await[0].1, OPTIONS);
    let counts = here.counts();
    assert_eq!((counts.received, counts.keep_alives, counts.stun), (1, 4, 1));
}

#[tokio::test]
async fn a_drain_stops_at_its_limit_and_says_so() {
    let (here, there) = (listener(1), listener(2));
    let mut reader = here.reader().unwrap();
    for _ in 0..3 {
        there.send(OPTIONS, here.local_address()).unwrap();
    }
    reader.readable().await.unwrap();
    assert_eq!(reader.drain(2, &mut |_| {}), Drained { events: 2, empty: false });
    reader.readable().await.unwrap();
    assert_eq!(reader.drain(2, &mut |_| {}), Drained { events: 1, empty: true });
}

#[test]
fn an_occupied_port_is_an_error_that_names_it() {
    let first = listener(1);
    let error = UdpListener::bind(ListenerId(1), first.local_address()).err().unwrap().to_string();
    let expected = format!("cannot listen on udp {}: ", first.local_address());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn the_other_address_family_is_refused_at_once() {
    let error = listener(1).send(OPTIONS, "[::1]:5060".parse().unwrap()).unwrap_err();
    assert!(matches!(error, SendError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn what_waited_leaves_when_the_kernel_has_room() {
    let (here, there) = (listener(1), listener(2));
    let mut reader = here.reader().unwrap();
    let _flusher = there.reader().unwrap();
    there.backlog.push(b"first, a line of some length", here.local_address()).unwrap();
    there.send(b"second, a line of some length", here.local_address()).unwrap();
    let seen = next_messages(&mut reader, 2).await;
    assert_eq!(seen[0].1, &b"first, a line of some length"[..]);
    assert_eq!(seen[1].1, &b"second, a line of some length"[..]);
    assert_eq!(there.counts().deferred, 2);
    assert!(there.backlog.is_empty());
}

#[test]
fn the_backlog_keeps_order_over_a_full_kernel() {
    let backlog = Backlog::default();
    for text in ["a", "b", "c"] {
        backlog.push(text.as_bytes(), loopback(2)).unwrap();
    }
    let sent = RefCell::new(String::new());
    let room = RefCell::new(1);
    let mut kernel = |bytes: &[u8], _: SocketAddr| {
        if *room.borrow() == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        *room.borrow_mut() -= 1;
        sent.borrow_mut().push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    };
    assert!(!backlog.flush(&mut kernel));
    assert!(!backlog.is_empty());
    room.replace(9);
    assert!(backlog.flush(&mut kernel));
    assert!(backlog.is_empty());
    assert_eq!(*sent.borrow(), "abc");
}

#[test]
fn a_refused_datagram_does_not_hold_up_the_rest() {
    let backlog = Backlog::default();
    backlog.push(b"to nowhere", loopback(2)).unwrap();
    backlog.push(b"onward", loopback(2)).unwrap();
    let mut sent = 0;
    let flushed = backlog.flush(&mut |bytes, _| {
        if bytes == b"to nowhere" {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        sent += 1;
        Ok(bytes.len())
    });
    assert!(flushed);
    assert_eq!((sent, backlog.dropped()), (1, 1));
}

#[test]
fn a_full_backlog_drops_and_counts() {
    let backlog = Backlog::default();
    for _ in 0..backlog::BACKLOG_DATAGRAMS {
        backlog.push(b"x", loopback(2)).unwrap();
    }
    assert_eq!(backlog.push(b"x", loopback(2)), Err(backlog::Full));
    assert_eq!(backlog.dropped(), 1);
}

#[test]
fn kinds_of_datagrams() {
    fn check(bytes: &[u8], kind: DatagramKind) {
        assert_eq!(datagram_kind(bytes), kind, "{bytes:?}");
    }
    check(b"", DatagramKind::KeepAlive);
    check(b"\r\n", DatagramKind::KeepAlive);
    check(&b"\r\n".repeat(100), DatagramKind::KeepAlive);
    check(&[0; 500], DatagramKind::KeepAlive);
    check(b"INVITE", DatagramKind::KeepAlive);
    check(b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n", DatagramKind::Message);
    check(b"X sip:a SIP/2.0\r\ni:1\r\n\r\n", DatagramKind::Message);
    check(&[0xFF; 300], DatagramKind::Message);
    check(&[0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 0, 0], DatagramKind::Stun);
    check(&[1, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 0, 0], DatagramKind::Stun);
    check(&[1, 1, 0, 8, 0x21, 0x12, 0xA4, 0x43, 0, 0], DatagramKind::KeepAlive);
}
