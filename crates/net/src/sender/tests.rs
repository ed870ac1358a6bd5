//! Which socket a flow leads to.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use mediator_model::ListenerId;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::*;
use crate::dispatch::Dispatch;
use crate::event::NetEvent;
use crate::inbox::{Inbox, inbox};
use crate::listeners::Listeners;
use crate::stream::{Frame, FrameReader, StreamParts, StreamPolicy, StreamSettings};

struct Silent;

impl FrameReader for Silent {
    fn push(&mut self, _bytes: &[u8]) {}

    fn poll_frame(&mut self) -> Frame {
        Frame::Incomplete
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}

impl StreamPolicy for Silent {
    fn framer(&self, _flow: &Flow) -> Box<dyn FrameReader> {
        Box::new(Self)
    }

    fn is_known_peer(&self, _peer: IpAddr) -> bool {
        false
    }
}

const MESSAGE: Bytes = Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n");

/// Shard 1 of two, with listeners tcp, udp, udp; and the inboxes of both.
fn stage() -> (Sender, Listeners, Vec<Inbox<NetEvent>>) {
    let loopback: SocketAddr = ([127, 0, 0, 2], 0).into();
    let wanted = [Transport::Tcp, Transport::Udp, Transport::Udp].map(|one| (one, loopback));
    let mut listeners = Listeners::bind(&wanted).unwrap();
    let (posts, inboxes) = [inbox(8), inbox(8)].into_iter().unzip();
    let streams = Streams::start(StreamParts {
        settings: StreamSettings::default(),
        policy: Arc::new(Silent),
        dispatch: Dispatch::new(posts, |_| 0),
        runtimes: vec![Handle::current(), Handle::current()],
        listeners: std::mem::take(&mut listeners.streams),
    });
    (Sender::new(1, &listeners.udp, streams.unwrap()), listeners, inboxes)
}

fn flow(transport: Transport, listener: u8, remote: SocketAddr) -> Flow {
    Flow { transport, listener: ListenerId(listener), remote, connection: None }
}

#[tokio::test]
async fn a_datagram_leaves_from_the_listener_that_the_flow_names() {
    let (sender, listeners, _inboxes) = stage();
    let peer = UdpSocket::bind("127.0.0.3:0").unwrap();
    let remote = peer.local_addr().unwrap();
    for (place, listener) in [(1, &listeners.udp[0]), (2, &listeners.udp[1])] {
        sender.send(&flow(Transport::Udp, place, remote), &MESSAGE, 1).unwrap();
        let mut bytes = [0; 100];
        let (length, from) = peer.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..length], from), (&MESSAGE[..], listener.local_address()));
    }
}

#[tokio::test]
async fn a_stream_is_opened_and_its_failures_come_back_to_the_shard_that_sent() {
    let (sender, _listeners, mut inboxes) = stage();
    let peer = TcpListener::bind("127.0.0.3:0").await.unwrap();
    let remote = peer.local_addr().unwrap();
    sender.send(&flow(Transport::Tcp, 0, remote), &MESSAGE, 1).unwrap();
    let (mut stream, _) = peer.accept().await.unwrap();
    let mut bytes = vec![0; MESSAGE.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, MESSAGE);

    let gone = TcpListener::bind("127.0.0.3:0").await.unwrap().local_addr().unwrap();
    let flow = flow(Transport::Tcp, 0, gone);
    sender.send(&flow, &MESSAGE, 77).unwrap();
    inboxes[1].ready().await;
    let mut seen = Vec::new();
    inboxes[1].drain(8, &mut |event| seen.push(event));
    assert_eq!(seen, [NetEvent::SendFailed { flow, tag: 77 }]);
    assert_eq!(inboxes[0].drain(8, &mut |_| {}), 0);
}

#[tokio::test]
async fn a_flow_that_leads_nowhere_is_refused_at_once() {
    let (sender, _listeners, _inboxes) = stage();
    let remote = ([127, 0, 0, 3], 5060).into();
    let check = |transport, listener, expected: &str| {
        let error = sender.send(&flow(transport, listener, remote), &MESSAGE, 1).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(Transport::Udp, 0, "no udp listener 0");
    check(Transport::Udp, 9, "no udp listener 9");
    check(Transport::Tcp, 1, "no tcp listener 1");
    check(Transport::Tls, 0, "tls is not built in");
    check(Transport::Ws, 0, "ws is not built in");
}
