//! Ways to read a UDP socket.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use mediator_model::ListenerId;
use mediator_net::{Clock, Moderation, NetEvent, UdpListener};

use super::{Spent, ThreadCpu, message, micros_each, offer, runtime, table};

#[derive(Clone, Copy)]
enum Way {
    /// [`mediator_net::UdpReader`]: readiness, then drain.
    Drain,
    /// As before, with the pauses of [`Moderation`].
    DrainModerated,
    /// tokio's `recv_from().await` for each datagram.
    AwaitEach,
    /// A blocking socket and no runtime: what waking alone costs.
    Blocking,
}

pub(super) fn run() {
    println!("udp: a message in, a message out; CPU us a message");
    let ways = [
        ("UdpReader: drain", Way::Drain),
        ("drain, moderated", Way::DrainModerated),
        ("recv_from().await each", Way::AwaitEach),
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
            Way::Drain => drain(&tell, &stop, None),
            Way::DrainModerated => drain(&tell, &stop, Some(Moderation::default())),
            Way::AwaitEach => await_each(&tell, &stop),
            Way::Blocking => blocking(&tell, &stop),
        })
    };
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    peer.connect(told.recv().expect("the server's address")).expect("loopback");
    peer.set_nonblocking(true).expect("a socket");
    let mut scratch = [0; 2048];
    offer(rate, &stop, |message| {
        let _ = peer.send(message);
        while peer.recv(&mut scratch).is_ok() {}
    });
    // One more, so that a server that waits wakes and sees the end.
    while !server.is_finished() {
        let _ = peer.send(&message());
        std::thread::sleep(Duration::from_millis(1));
    }
    server.join().expect("the server")
}

type Tell = mpsc::Sender<SocketAddr>;

fn drain(tell: &Tell, stop: &AtomicBool, mut moderation: Option<Moderation>) -> Spent {
    let reply = message();
    runtime().block_on(async {
        let loopback = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = UdpListener::bind(ListenerId(0), loopback).expect("a port");
        let mut reader = listener.reader().expect("a reader");
        tell.send(listener.local_address()).expect("the bench waits");
        let clock = Clock::start();
        let cpu = ThreadCpu::start();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            reader.readable().await.expect("a socket");
            let drained = reader.drain(64, &mut |event| {
                if let NetEvent::Message { flow, .. } = black_box(event) {
                    listener.send(&reply, flow.remote).expect("loopback");
                }
            });
            messages += drained.events as u32;
            if let Some(moderation) = &mut moderation {
                moderation.count(clock.now(), drained.events);
                if let Some(pause) = moderation.pause().filter(|_| drained.empty) {
                    std::thread::sleep(pause);
                }
            }
        }
        (messages, cpu.elapsed())
    })
}

fn await_each(tell: &Tell, stop: &AtomicBool) -> Spent {
    let reply = message();
    runtime().block_on(async {
        let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        tell.send(socket.local_addr().expect("bound")).expect("the bench waits");
        let mut scratch = vec![0; 65_536];
        let cpu = ThreadCpu::start();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            let (length, from) = socket.recv_from(&mut scratch).await.expect("loopback");
            black_box(scratch.get(..length).map(Bytes::copy_from_slice));
            socket.send_to(&reply, from).await.expect("loopback");
            messages += 1;
        }
        (messages, cpu.elapsed())
    })
}

fn blocking(tell: &Tell, stop: &AtomicBool) -> Spent {
    let reply = message();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    tell.send(socket.local_addr().expect("bound")).expect("the bench waits");
    let mut scratch = vec![0; 65_536];
    let cpu = ThreadCpu::start();
    let mut messages = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        let (length, from) = socket.recv_from(&mut scratch).expect("loopback");
        black_box(scratch.get(..length).map(Bytes::copy_from_slice));
        socket.send_to(&reply, from).expect("loopback");
        messages += 1;
    }
    (messages, cpu.elapsed())
}
