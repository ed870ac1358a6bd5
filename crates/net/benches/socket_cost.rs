//! What a message costs on the way through this crate: CPU microseconds of the server's thread.
//!
//! `cargo bench -p mediator-net [-- SECTION]`, with SECTION one of `udp`, `inbox`, `tcp`, `copy`.
//! A peer thread offers 900-byte messages at a fixed rate; the server thread answers each one. What
//! is printed is the run time of the server's thread (Linux, `/proc/thread-self/schedstat`), so
//! the figures are costs, not latencies, and the peer's work is not in them. Rows in one section
//! are alternatives, run in turn: compare rows, not days.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use mediator_model::{Flow, ListenerId, Transport};
use mediator_net::{NetEvent, UdpListener, inbox};

const MESSAGE_BYTES: usize = 900;
const RUN: Duration = Duration::from_millis(700);
const ROUNDS: usize = 5;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let section = |name: &str| wanted.is_empty() || wanted.iter().any(|arg| arg == name);
    if section("udp") {
        udp();
    }
    if section("copy") {
        copy();
    }
    if section("inbox") {
        hand_over();
    }
}

/// The time that this thread has run on a CPU.
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok()).expect("a number");
    Duration::from_nanos(nanos)
}

fn message() -> Vec<u8> {
    let mut text = b"OPTIONS sip:bench@127.0.0.1 SIP/2.0\r\nCall-ID: 1\r\n".to_vec();
    text.resize(MESSAGE_BYTES, b'x');
    text
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

// ---------------------------------------------------------------------------------------- UDP

/// How the server thread reads.
#[derive(Clone, Copy)]
enum UdpVariant {
    /// [`mediator_net::UdpReader`]: readiness, then drain.
    Drain,
    /// As before, and after each drain that emptied the socket a short sleep lets more come.
    DrainModerated(Duration),
    /// tokio's `recv_from().await` for each datagram.
    AwaitEach,
    /// A blocking socket, no runtime.
    Blocking,
}

fn udp() {
    println!("UDP: {MESSAGE_BYTES} bytes in, {MESSAGE_BYTES} bytes out; CPU us a message");
    println!("{:<28}{:>9}{:>9}{:>9}{:>9}", "", "1000/s", "7000/s", "30000/s", "flood");
    let variants = [
        ("drain (UdpReader)", UdpVariant::Drain),
        ("drain, 100 us pause", UdpVariant::DrainModerated(Duration::from_micros(100))),
        ("drain, 300 us pause", UdpVariant::DrainModerated(Duration::from_micros(300))),
        ("recv_from().await each", UdpVariant::AwaitEach),
        ("blocking thread", UdpVariant::Blocking),
    ];
    let rates = [1_000, 7_000, 30_000, 0];
    let mut costs = vec![vec![Vec::new(); rates.len()]; variants.len()];
    for _ in 0..ROUNDS {
        for (row, (_, variant)) in costs.iter_mut().zip(variants) {
            for (cell, rate) in row.iter_mut().zip(rates) {
                cell.push(udp_run(variant, rate));
            }
        }
    }
    for (row, (name, _)) in costs.into_iter().zip(variants) {
        print!("{name:<28}");
        for cell in row {
            print!("{:>9.2}", median(cell));
        }
        println!();
    }
}

/// CPU us of the server thread for each message; `rate` 0 is as fast as the peer can.
fn udp_run(variant: UdpVariant, rate: u32) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let (tell, told) = std::sync::mpsc::channel();
    let server = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || match variant {
            UdpVariant::Drain => udp_drain(&tell, &stop, Duration::ZERO),
            UdpVariant::DrainModerated(pause) => udp_drain(&tell, &stop, pause),
            UdpVariant::AwaitEach => udp_await_each(&tell, &stop),
            UdpVariant::Blocking => udp_blocking(&tell, &stop),
        })
    };
    let server_address = told.recv().expect("the server's address");
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    peer.connect(server_address).expect("loopback");
    peer.set_nonblocking(true).expect("a socket");
    let mut scratch = [0; 2048];
    offer(rate, &stop, |message| {
        let _ = peer.send(message);
        while peer.recv(&mut scratch).is_ok() {}
    });
    for _ in 0..3 {
        let _ = peer.send(&message()); // whatever the server waits for, it wakes and sees the end
    }
    let (messages, cpu) = server.join().expect("the server");
    cpu.as_secs_f64() * 1e6 / f64::from(messages)
}

/// Calls `send` at `rate` a second for [`RUN`], then sets `stop`.
fn offer(rate: u32, stop: &AtomicBool, mut send: impl FnMut(&[u8])) {
    let message = message();
    let start = Instant::now();
    let mut sent = 0_u32;
    while start.elapsed() < RUN {
        if rate == 0 {
            send(&message);
            continue;
        }
        // Evenly spaced, as independent calls are; the peer's core is its own to burn.
        let due = Duration::from_secs_f64(f64::from(sent) / f64::from(rate));
        while start.elapsed() < due {
            std::hint::spin_loop();
        }
        send(&message);
        sent += 1;
    }
    stop.store(true, Ordering::Relaxed);
}

type Tell = std::sync::mpsc::Sender<SocketAddr>;

fn udp_drain(tell: &Tell, stop: &AtomicBool, pause: Duration) -> (u32, Duration) {
    let reply = message();
    runtime().block_on(async {
        let loopback = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = UdpListener::bind(ListenerId(0), loopback).expect("a port");
        let mut reader = listener.reader().expect("a reader");
        tell.send(listener.local_address()).expect("the bench waits");
        let before = thread_cpu();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            reader.readable().await.expect("a socket");
            let drained = reader.drain(64, &mut |event| {
                if let NetEvent::Message { flow, .. } = black_box(event) {
                    listener.send(&reply, flow.remote).expect("loopback");
                }
            });
            messages += drained.events as u32;
            if drained.empty && !pause.is_zero() {
                std::thread::sleep(pause);
            }
        }
        (messages, thread_cpu() - before)
    })
}

fn udp_await_each(tell: &Tell, stop: &AtomicBool) -> (u32, Duration) {
    let reply = message();
    runtime().block_on(async {
        let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        tell.send(socket.local_addr().expect("bound")).expect("the bench waits");
        let mut scratch = vec![0; 65_536];
        let before = thread_cpu();
        let mut messages = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            let (length, to) = socket.recv_from(&mut scratch).await.expect("loopback");
            black_box(Bytes::copy_from_slice(&scratch[..length]));
            socket.send_to(&reply, to).await.expect("loopback");
            messages += 1;
        }
        (messages, thread_cpu() - before)
    })
}

fn udp_blocking(tell: &Tell, stop: &AtomicBool) -> (u32, Duration) {
    let reply = message();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    tell.send(socket.local_addr().expect("bound")).expect("the bench waits");
    let mut scratch = vec![0; 65_536];
    let before = thread_cpu();
    let mut messages = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        let (length, to) = socket.recv_from(&mut scratch).expect("loopback");
        black_box(Bytes::copy_from_slice(&scratch[..length]));
        socket.send_to(&reply, to).expect("loopback");
        messages += 1;
    }
    (messages, thread_cpu() - before)
}

// --------------------------------------------------------------------------------------- copy

/// An exact copy of each datagram, or slices of a shared buffer that is taken back when free.
fn copy() {
    println!("\ncopy: from the scratch buffer to a message and back to nothing; ns a message");
    const COUNT: u32 = 2_000_000;
    let source = message();
    let exact = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        for _ in 0..COUNT {
            black_box(Bytes::copy_from_slice(black_box(&source)));
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
    });
    println!("{:<28}{:>9.1}", "Bytes::copy_from_slice", median(exact.collect()));
    let shared = (0..ROUNDS).map(|_| {
        let mut pool = BytesMut::new();
        let start = Instant::now();
        for _ in 0..COUNT {
            pool.reserve(65_536); // takes the same memory back when no message holds it
            pool.extend_from_slice(black_box(&source)); // stands in for the kernel's copy
            black_box(pool.split().freeze());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
    });
    println!("{:<28}{:>9.1}", "BytesMut, split and reclaim", median(shared.collect()));
}

// -------------------------------------------------------------------------------------- inbox

fn event(bytes: &Bytes) -> NetEvent {
    let flow = Flow {
        transport: Transport::Udp,
        listener: ListenerId(0),
        remote: (Ipv4Addr::LOCALHOST, 5060).into(),
        connection: None,
    };
    NetEvent::Message { flow, bytes: bytes.clone() }
}

fn hand_over() {
    println!("\ninbox: reader's CPU us + shard's CPU us a message, from thread to thread");
    println!("{:<28}{:>16}{:>16}{:>16}", "", "7000/s", "7000/s by 4", "100000/s by 16");
    for (name, run) in
        [("Inbox", inbox_run as fn(u32, u32) -> (f64, f64)), ("tokio mpsc, recv_many", mpsc_run)]
    {
        print!("{name:<28}");
        for (rate, batch) in [(7_000, 1), (7_000, 4), (100_000, 16)] {
            let runs: Vec<_> = (0..ROUNDS).map(|_| run(rate, batch)).collect();
            let reader = median(runs.iter().map(|run| run.0).collect());
            let shard = median(runs.iter().map(|run| run.1).collect());
            print!("{:>16}", format!("{reader:.2} + {shard:.2}"));
        }
        println!();
    }
}

/// Calls `post` with batches of `batch` at `rate` messages a second in all; says how many messages
/// there were and the CPU time of the calls alone.
fn feed(rate: u32, batch: u32, mut post: impl FnMut(&mut Vec<NetEvent>)) -> (u32, Duration) {
    let bytes = Bytes::from(message());
    let start = Instant::now();
    let (mut sent, mut spent) = (0_u32, Duration::ZERO);
    let mut events = Vec::new();
    while start.elapsed() < RUN {
        let due = Duration::from_secs_f64(f64::from(sent) / f64::from(rate));
        while start.elapsed() < due {
            std::hint::spin_loop();
        }
        events.extend((0..batch).map(|_| event(&bytes)));
        let begun = Instant::now();
        post(&mut events);
        spent += begun.elapsed();
        sent += batch;
    }
    (sent, spent)
}

fn inbox_run(rate: u32, batch: u32) -> (f64, f64) {
    let (post, mut inbox) = inbox::<NetEvent>(65_536);
    let shard = std::thread::spawn(move || {
        runtime().block_on(async {
            let before = thread_cpu();
            let mut ended = false;
            while !ended {
                inbox.ready().await;
                inbox.drain(64, &mut |event| {
                    ended |= matches!(event, NetEvent::ConnectionClosed(_));
                    black_box(event);
                });
            }
            thread_cpu() - before
        })
    });
    let (sent, spent) = feed(rate, batch, |events| post.offer_all(events));
    post.offer(NetEvent::ConnectionClosed(mediator_model::ConnectionId(0)));
    costs(sent, spent, shard.join().expect("the shard"))
}

fn mpsc_run(rate: u32, batch: u32) -> (f64, f64) {
    let (post, mut inbox) = tokio::sync::mpsc::channel::<NetEvent>(65_536);
    let shard = std::thread::spawn(move || {
        runtime().block_on(async {
            let before = thread_cpu();
            let mut ended = false;
            let mut events = Vec::with_capacity(64);
            while !ended {
                inbox.recv_many(&mut events, 64).await;
                for event in events.drain(..) {
                    ended |= matches!(event, NetEvent::ConnectionClosed(_));
                    black_box(event);
                }
            }
            thread_cpu() - before
        })
    });
    let (sent, spent) = feed(rate, batch, |events| {
        for event in events.drain(..) {
            let _ = post.try_send(event);
        }
    });
    let _ = post.try_send(NetEvent::ConnectionClosed(mediator_model::ConnectionId(0)));
    costs(sent, spent, shard.join().expect("the shard"))
}

fn costs(sent: u32, reader: Duration, shard: Duration) -> (f64, f64) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(sent);
    (each(reader), each(shard))
}
