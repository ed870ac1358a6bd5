//! One trunk with all its traffic on one connection; many phones with none.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use mediator_model::{Flow, ListenerId};
use mediator_net::{
    Dispatch, Frame, FrameReader, INBOX_LIMIT, Inbox, NetEvent, StreamListener, StreamParts,
    StreamPolicy, StreamSettings, Streams, inbox,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{MESSAGE_BYTES, Spent, ThreadCpu, message, micros_each, offer, runtime, table};

/// Messages of one length, so that framing costs next to nothing.
#[derive(Default)]
struct Fixed(BytesMut);

impl FrameReader for Fixed {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn poll_frame(&mut self) -> Frame {
        let Some(whole) = self.0.get(..MESSAGE_BYTES) else {
            if self.0.is_empty() {
                self.0 = BytesMut::new();
            }
            return Frame::Incomplete;
        };
        let frame = Frame::Message(Bytes::copy_from_slice(whole));
        self.0.advance(MESSAGE_BYTES);
        frame
    }

    fn pending_bytes(&self) -> usize {
        self.0.len()
    }
}

struct Policy;

impl StreamPolicy for Policy {
    fn framer(&self, _flow: &Flow) -> Box<dyn FrameReader> {
        Box::new(Fixed::default())
    }

    fn is_known_peer(&self, _peer: IpAddr) -> bool {
        true
    }
}

fn streams() -> (Arc<Streams>, Inbox<NetEvent>, SocketAddr) {
    let (post, inbox) = inbox(INBOX_LIMIT);
    let loopback = (Ipv4Addr::LOCALHOST, 0).into();
    let listener = StreamListener::bind(ListenerId(0), loopback).expect("a port");
    let address = listener.local_address();
    let streams = Streams::start(StreamParts {
        // A flood is slower to read than to answer.
        settings: StreamSettings { max_queued_bytes: 1 << 30, ..StreamSettings::default() },
        policy: Arc::new(Policy),
        dispatch: Dispatch::new(vec![post], |_| 0),
        runtimes: vec![tokio::runtime::Handle::current()],
        listeners: vec![listener],
    });
    (streams.expect("a runtime"), inbox, address)
}

#[derive(Clone, Copy)]
enum Way {
    /// This crate: a task reads, the shard takes from its inbox and writes to the socket itself.
    Streams,
    /// A task reads, a task writes, channels between them and the shard.
    TasksAndChannels,
    /// A blocking socket: what the system calls and waking alone cost.
    Blocking,
}

pub(super) fn run() {
    println!("tcp: a message in, a message out, on one connection; CPU us a message");
    let ways = [
        ("Streams", Way::Streams),
        ("tasks and channels", Way::TasksAndChannels),
        ("blocking thread", Way::Blocking),
    ];
    let rates = [("1000/s", 1_000), ("7000/s", 7_000), ("30000/s", 30_000), ("flood", 0)];
    table(&ways, &rates, |way, rate| micros_each(serve(way, rate)));
}

fn serve(way: Way, rate: u32) -> Spent {
    let stop = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    let server = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || match way {
            Way::Streams => through_streams(&tell, &stop),
            Way::TasksAndChannels => through_channels(&tell, &stop),
            Way::Blocking => blocking(&tell, &stop),
        })
    };
    let mut peer = TcpStream::connect(told.recv().expect("the server's address")).expect("it");
    peer.set_nodelay(true).expect("a socket");
    let mut replies = peer.try_clone().expect("a socket");
    let reading = std::thread::spawn(move || {
        let mut scratch = vec![0; 65_536];
        while replies.read(&mut scratch).is_ok_and(|read| read > 0) {}
    });
    offer(rate, &stop, |message| {
        peer.write_all(message).expect("the server reads");
    });
    while !server.is_finished() {
        let _ = peer.write_all(&message());
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(peer);
    let spent = server.join().expect("the server");
    reading.join().expect("the peer's reader");
    spent
}

type Tell = mpsc::Sender<SocketAddr>;

fn through_streams(tell: &Tell, stop: &AtomicBool) -> Spent {
    let reply = Bytes::from(message());
    runtime().block_on(async {
        let (streams, mut inbox, address) = streams();
        tell.send(address).expect("the bench waits");
        let cpu = ThreadCpu::start();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            inbox.ready().await;
            inbox.drain(64, &mut |event| {
                if let NetEvent::Message { flow, .. } = black_box(event) {
                    let _ = streams.send(0, &flow, &reply, 0);
                    messages += 1;
                }
            });
        }
        (messages, cpu.elapsed())
    })
}

fn through_channels(tell: &Tell, stop: &AtomicBool) -> Spent {
    let reply = Bytes::from(message());
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("it");
        tell.send(listener.local_addr().expect("bound")).expect("the bench waits");
        let (stream, _) = listener.accept().await.expect("the peer");
        stream.set_nodelay(true).expect("a socket");
        let (mut reader, mut writer) = stream.into_split();
        let (to_shard, mut shard) = tokio::sync::mpsc::channel::<Bytes>(4096);
        let (to_writer, mut outgoing) = tokio::sync::mpsc::channel::<Bytes>(4096);
        tokio::spawn(async move {
            let mut framer = Fixed::default();
            let mut scratch = vec![0; 65_536];
            while let Ok(read) = reader.read(&mut scratch).await {
                framer.push(scratch.get(..read).unwrap_or_default());
                while let Frame::Message(bytes) = framer.poll_frame() {
                    let _ = to_shard.send(bytes).await;
                }
            }
        });
        tokio::spawn(async move {
            while let Some(bytes) = outgoing.recv().await {
                let _ = writer.write_all(&bytes).await;
            }
        });
        let cpu = ThreadCpu::start();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            black_box(shard.recv().await);
            let _ = to_writer.send(reply.clone()).await;
            messages += 1;
        }
        (messages, cpu.elapsed())
    })
}

fn blocking(tell: &Tell, stop: &AtomicBool) -> Spent {
    let reply = message();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    tell.send(listener.local_addr().expect("bound")).expect("the bench waits");
    let (mut stream, _) = listener.accept().expect("the peer");
    stream.set_nodelay(true).expect("a socket");
    let mut framer = Fixed::default();
    let mut scratch = vec![0; 65_536];
    let cpu = ThreadCpu::start();
    let mut messages = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        let read = stream.read(&mut scratch).expect("loopback");
        framer.push(scratch.get(..read).unwrap_or_default());
        while let Frame::Message(bytes) = framer.poll_frame() {
            black_box(bytes);
            stream.write_all(&reply).expect("loopback");
            messages += 1;
        }
    }
    (messages, cpu.elapsed())
}

/// Memory of connections that said something once and are silent now.
pub(super) fn run_idle() {
    const CONNECTIONS: usize = 5_000;
    println!("idle: resident bytes of the server a silent connection ({CONNECTIONS} of them)");
    runtime().block_on(async {
        let (streams, mut inbox, address) = streams();
        let mut phones = Vec::with_capacity(CONNECTIONS);
        let mut before = 0;
        for count in 0..CONNECTIONS + 100 {
            if count == 100 {
                before = resident_bytes(); // what the first ones bring for all is not theirs
            }
            let mut phone = TcpStream::connect(address).expect("the server");
            phone.write_all(&message()).expect("loopback");
            phones.push(phone);
            let mut came = false;
            while !came {
                inbox.ready().await;
                inbox.drain(1, &mut |event| came |= matches!(event, NetEvent::Message { .. }));
            }
        }
        assert_eq!(streams.counts().connections, CONNECTIONS + 100);
        let bytes = (resident_bytes() - before) / CONNECTIONS;
        println!("{:<28}{bytes:>18}", "Streams");
    });
}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = text.split(' ').nth(1).and_then(|field| field.parse().ok()).expect("it");
    pages * 4096
}
