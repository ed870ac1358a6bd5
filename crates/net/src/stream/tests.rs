//! Real connections on loopback. Where time matters it jumps ([`pass`]); bytes travel while it runs,
//! for a paused clock would not wait for them.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use mediator_model::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::event::NetEvent;
use crate::inbox::{Inbox, inbox};

mod limits;

/// Messages end with an empty line; one that begins with `!` is none.
struct Lines {
    unread: Vec<u8>,
    frames: VecDeque<Frame>,
    bytes_read: Arc<AtomicUsize>,
}

impl FrameReader for Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes_read.fetch_add(bytes.len(), Ordering::SeqCst);
        self.unread.extend_from_slice(bytes);
        loop {
            if self.unread.starts_with(b"\r\n\r\n") {
                self.unread.drain(..4);
                self.frames.push_back(Frame::Ping);
            } else if self.unread.starts_with(b"!") {
                self.unread.clear();
                let answer = Some(Bytes::from_static(b"400\r\n\r\n"));
                self.frames.push_back(Frame::Broken { answer });
            } else if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                let message: Vec<u8> = self.unread.drain(..at + 4).collect();
                self.frames.push_back(Frame::Message(message.into()));
            } else {
                return;
            }
        }
    }

    fn poll_frame(&mut self) -> Frame {
        self.frames.pop_front().unwrap_or(Frame::Incomplete)
    }

    fn pending_bytes(&self) -> usize {
        self.unread.len()
    }
}

struct Policy {
    known: bool,
    bytes_read: Arc<AtomicUsize>,
}

impl StreamPolicy for Policy {
    fn framer(&self, flow: &Flow) -> Box<dyn FrameReader> {
        assert!(flow.connection.is_some());
        let bytes_read = Arc::clone(&self.bytes_read);
        Box::new(Lines { unread: Vec::new(), frames: VecDeque::new(), bytes_read })
    }

    fn is_known_peer(&self, _peer: IpAddr) -> bool {
        self.known
    }
}

/// The server: streams with as many inboxes as shards, all on this runtime.
struct Stage {
    streams: Arc<Streams>,
    inboxes: Vec<Inbox<NetEvent>>,
    address: SocketAddr,
    /// What the framers have been given so far, of all connections.
    bytes_read: Arc<AtomicUsize>,
}

/// How the stage differs from what is usual.
struct Setup {
    settings: StreamSettings,
    shards: usize,
    known: bool,
    inbox_limit: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self { settings: StreamSettings::default(), shards: 1, known: false, inbox_limit: 64 }
    }
}

const LISTENER: ListenerId = ListenerId(7);

impl Setup {
    fn start(self) -> Stage {
        let runtimes = vec![Handle::current(); self.shards];
        self.start_on(runtimes)
    }

    fn start_on(self, runtimes: Vec<Handle>) -> Stage {
        let (posts, inboxes) = (0..self.shards).map(|_| inbox(self.inbox_limit)).unzip();
        // The owner of a message is told by its first byte: `0` or `1`.
        let route = |bytes: &[u8]| u64::from(bytes[0] & 1);
        let listener = StreamListener::bind(LISTENER, (Ipv4Addr::new(127, 0, 0, 2), 0).into());
        let listener = listener.unwrap();
        let address = listener.local_address();
        let bytes_read = Arc::default();
        let streams = Streams::start(StreamParts {
            settings: self.settings,
            policy: Arc::new(Policy { known: self.known, bytes_read: Arc::clone(&bytes_read) }),
            dispatch: Dispatch::new(posts, route),
            runtimes,
            listeners: vec![listener],
        });
        Stage { streams: streams.unwrap(), inboxes, address, bytes_read }
    }
}

impl Stage {
    async fn event(&mut self) -> NetEvent {
        self.event_of(0).await
    }

    async fn event_of(&mut self, shard: usize) -> NetEvent {
        let inbox = &mut self.inboxes[shard];
        inbox.ready().await;
        let mut event = None;
        inbox.drain(1, &mut |one| event = Some(one));
        event.unwrap()
    }

    /// The next event must be a message.
    async fn message(&mut self) -> (Flow, String) {
        match self.event().await {
            NetEvent::Message { flow, bytes } => {
                (flow, String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    fn send(&self, flow: &Flow, text: &str, tag: u64) -> Result<(), SendError> {
        self.streams.send(0, flow, &Bytes::from(format!("{text}\r\n\r\n")), tag)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Waits until the server has read so many bytes.
    async fn has_read(&self, bytes: usize) {
        while self.bytes_read.load(Ordering::SeqCst) < bytes {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the server has accepted so many connections.
    async fn has_accepted(&self, connections: u64) {
        while self.streams.counts().accepted < connections {
            tokio::task::yield_now().await;
        }
    }
}

/// Lets `seconds` pass at once; every timer on the way fires.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

fn towards(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Tcp, listener: LISTENER, remote, connection: None }
}

async fn peer() -> TcpListener {
    TcpListener::bind((Ipv4Addr::new(127, 0, 0, 3), 0)).await.unwrap()
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    peer().await.local_addr().unwrap()
}

async fn read_text(stream: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads until the server closes; says what came.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_message_is_joined_from_its_segments() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.set_nodelay(true).unwrap();
    for piece in ["0 hel", "lo", "\r", "\n\r\n1 next\r\n\r", "\n2 third\r\n\r\n3 beg"] {
        phone.write_all(piece.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
    }
    let (flow, first) = stage.message().await;
    assert_eq!(first, "0 hello");
    assert_eq!((flow.transport, flow.listener), (Transport::Tcp, LISTENER));
    assert_eq!(flow.remote, phone.local_addr().unwrap());
    assert_eq!(stage.message().await, (flow, "1 next".to_owned()));
    assert_eq!(stage.message().await, (flow, "2 third".to_owned()));
    phone.write_all(b"un\r\n\r\n").await.unwrap();
    assert_eq!(stage.message().await, (flow, "3 begun".to_owned()));
    assert_eq!(stage.streams.counts().received, 4);
}

#[tokio::test]
async fn an_answer_goes_over_the_connection_of_the_request() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    stage.send(&flow, "answer", 1).unwrap();
    stage.send(&flow, "once more", 2).unwrap();
    assert_eq!(read_text(&mut phone, 23).await, "answer\r\n\r\nonce more\r\n\r\n");
    assert_eq!(stage.streams.counts().connections, 1);
}

#[tokio::test]
async fn a_double_crlf_is_answered_with_one() {
    let stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_text(&mut phone, 2).await, "\r\n");
}

#[tokio::test]
async fn a_connection_that_we_opened_serves_every_request_to_its_address() {
    let mut stage = Setup::default().start();
    let carrier = peer().await;
    let flow = towards(carrier.local_addr().unwrap());
    // The first two wait while the connection is being opened.
    stage.send(&flow, "one", 1).unwrap();
    stage.send(&flow, "two", 2).unwrap();
    assert_eq!(stage.streams.unsent(), 1);
    let (mut trunk, from) = carrier.accept().await.unwrap();
    assert_eq!(from.ip(), stage.address.ip(), "we speak from the listener's address");
    assert_eq!(read_text(&mut trunk, 14).await, "one\r\n\r\ntwo\r\n\r\n");
    assert_eq!(stage.streams.unsent(), 0);
    stage.send(&flow, "three", 3).unwrap();
    assert_eq!(read_text(&mut trunk, 9).await, "three\r\n\r\n");
    trunk.write_all(b"0 answer\r\n\r\n").await.unwrap();
    let (answered, _) = stage.message().await;
    assert_eq!(answered, Flow { connection: answered.connection, ..flow });
    stage.send(&answered, "ack", 4).unwrap();
    assert_eq!(read_text(&mut trunk, 7).await, "ack\r\n\r\n");
    let counts = stage.streams.counts();
    assert_eq!((counts.connections, counts.opened), (1, 1));
}

#[tokio::test]
async fn a_peers_connection_is_not_used_for_who_only_has_its_address() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    let unnamed = Flow { connection: None, ..flow };
    stage.send(&unnamed, "not for this connection", 9).unwrap();
    // Nobody listens on the phone's own port.
    assert_eq!(stage.event().await, NetEvent::SendFailed { flow: unnamed, tag: 9 });
    stage.send(&flow, "answer", 1).unwrap();
    assert_eq!(read_text(&mut phone, 10).await, "answer\r\n\r\n");
}

#[tokio::test]
async fn where_the_named_connection_is_gone_a_new_one_is_opened() {
    let mut stage = Setup::default().start();
    let carrier = peer().await;
    let flow = towards(carrier.local_addr().unwrap());
    stage.send(&flow, "one", 1).unwrap();
    let (mut first, _) = carrier.accept().await.unwrap();
    first.write_all(b"0 hello\r\n\r\n").await.unwrap();
    let (named, _) = stage.message().await;
    drop(first);
    assert_eq!(stage.event().await, NetEvent::ConnectionClosed(named.connection.unwrap()));
    stage.send(&named, "two", 2).unwrap();
    let (mut second, _) = carrier.accept().await.unwrap();
    assert_eq!(read_text(&mut second, 7).await, "two\r\n\r\n");
}

#[tokio::test]
async fn a_refused_connection_fails_all_that_waited_for_it() {
    let mut stage = Setup::default().start();
    let flow = towards(nobody().await);
    stage.send(&flow, "one", 11).unwrap();
    stage.send(&flow, "two", 12).unwrap();
    assert_eq!(stage.event().await, NetEvent::SendFailed { flow, tag: 11 });
    assert_eq!(stage.event().await, NetEvent::SendFailed { flow, tag: 12 });
    let counts = stage.streams.counts();
    assert_eq!((counts.connect_failed, counts.send_failed, counts.connections), (1, 2, 0));
}

#[tokio::test]
async fn every_shard_hears_of_a_closed_connection() {
    let mut stage = Setup { shards: 2, ..Setup::default() }.start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    phone.set_zero_linger().unwrap();
    drop(phone);
    let closed = NetEvent::ConnectionClosed(flow.connection.unwrap());
    assert_eq!(stage.event_of(0).await, closed);
    assert_eq!(stage.event_of(1).await, closed);
    assert_eq!(stage.streams.counts().connections, 0);
}

#[tokio::test]
async fn a_message_goes_to_its_owner() {
    let mut stage = Setup { shards: 2, ..Setup::default() }.start();
    let mut phone = stage.connect().await;
    phone.write_all(b"1 odd\r\n\r\n0 even\r\n\r\n").await.unwrap();
    assert!(matches!(stage.event_of(0).await,
        NetEvent::Message { bytes, .. } if bytes.starts_with(b"0 even")));
    assert!(matches!(stage.event_of(1).await,
        NetEvent::Message { bytes, .. } if bytes.starts_with(b"1 odd")));
}

#[tokio::test]
async fn a_full_inbox_makes_the_peer_wait_and_loses_nothing() {
    let mut stage = Setup { inbox_limit: 1, ..Setup::default() }.start();
    let mut phone = stage.connect().await;
    let all: Vec<String> = (0..100).map(|number| format!("{number}\r\n\r\n")).collect();
    phone.write_all(all.concat().as_bytes()).await.unwrap();
    for number in 0..100 {
        assert_eq!(stage.message().await.1, number.to_string());
    }
}

#[tokio::test]
async fn a_peer_that_closed_its_side_still_gets_its_answer() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    phone.shutdown().await.unwrap();
    let (flow, _) = stage.message().await;
    pass(1).await;
    stage.send(&flow, "answer", 1).unwrap();
    assert_eq!(read_text(&mut phone, 10).await, "answer\r\n\r\n");
    pass(2).await;
    assert_eq!(stage.event().await, NetEvent::ConnectionClosed(flow.connection.unwrap()));
    assert_eq!(read_to_end(&mut phone).await, "");
}

#[tokio::test]
async fn a_broken_stream_is_answered_and_closed() {
    async fn check(peer_closes: bool) {
        let mut stage = Setup::default().start();
        let mut phone = stage.connect().await;
        phone.write_all(b"0 request\r\n\r\n!no message").await.unwrap();
        let (flow, _) = stage.message().await;
        phone.write_all(b"and more of it").await.unwrap();
        assert_eq!(read_text(&mut phone, 7).await, "400\r\n\r\n");
        if peer_closes {
            phone.shutdown().await.unwrap();
        } else {
            pass(3).await;
        }
        assert_eq!(stage.event().await, NetEvent::ConnectionClosed(flow.connection.unwrap()));
        assert_eq!(stage.streams.counts().closed_malformed, 1);
    }
    check(true).await;
    check(false).await;
}

#[tokio::test]
async fn a_flow_without_a_listener_is_refused_at_once() {
    let stage = Setup::default().start();
    let remote = nobody().await;
    let flow = Flow { listener: ListenerId(1), ..towards(remote) };
    let error = stage.send(&flow, "one", 1).unwrap_err();
    assert!(matches!(error, SendError::NoListener { listener: 1, .. }), "{error}");
    let error = stage.send(&towards("[::1]:5060".parse().unwrap()), "one", 1).unwrap_err();
    assert!(matches!(error, SendError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_can_be_closed_from_here() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    stage.streams.close(flow.connection.unwrap());
    assert_eq!(read_to_end(&mut phone).await, "");
    assert_eq!(stage.event().await, NetEvent::ConnectionClosed(flow.connection.unwrap()));
}

#[test]
fn connections_are_spread_over_the_shards_runtimes() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(1).enable_all();
    let (first, second) = (builder.build().unwrap(), builder.build().unwrap());
    first.block_on(async {
        let setup = Setup { shards: 2, ..Setup::default() };
        let mut stage = setup.start_on(vec![first.handle().clone(), second.handle().clone()]);
        let mut phones = Vec::new();
        for _ in 0..2 {
            let mut phone = stage.connect().await;
            phone.write_all(b"0 request\r\n\r\n").await.unwrap();
            let (flow, _) = stage.message().await;
            stage.send(&flow, "answer", 1).unwrap();
            assert_eq!(read_text(&mut phone, 10).await, "answer\r\n\r\n");
            phones.push(phone);
        }
        assert_eq!(second.metrics().num_alive_tasks(), 1);
        // The acceptor, and one connection.
        assert_eq!(first.metrics().num_alive_tasks(), 2);
    });
}
