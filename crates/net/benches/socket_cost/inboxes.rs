//! Handing messages from the thread that reads a socket to the shard that owns them.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mediator_model::{ConnectionId, Flow, ListenerId, Transport};
use mediator_net::{NetEvent, inbox};

use super::{RUN, Spent, ThreadCpu, message, micros_each, runtime, table};

#[derive(Clone, Copy)]
enum Way {
    Inbox,
    Mpsc,
}

/// Which side's cost.
#[derive(Clone, Copy)]
enum Side {
    Reader,
    Shard,
}

pub(super) fn run() {
    println!("inbox: from thread to thread; CPU us a message");
    let ways = [
        ("Inbox, reader", (Way::Inbox, Side::Reader)),
        ("tokio mpsc, reader", (Way::Mpsc, Side::Reader)),
        ("Inbox, shard", (Way::Inbox, Side::Shard)),
        ("tokio mpsc, shard", (Way::Mpsc, Side::Shard)),
    ];
    let loads =
        [("7000/s", (7_000, 1)), ("7000/s by 4", (7_000, 4)), ("100000/s by 16", (100_000, 16))];
    table(&ways, &loads, |(way, side), (rate, batch)| {
        let (reader, shard) = match way {
            Way::Inbox => through_inbox(rate, batch),
            Way::Mpsc => through_mpsc(rate, batch),
        };
        micros_each(match side {
            Side::Reader => reader,
            Side::Shard => shard,
        })
    });
}

const END: NetEvent = NetEvent::ConnectionClosed(ConnectionId::new(0));

fn event(bytes: &Bytes) -> NetEvent {
    let flow = Flow {
        transport: Transport::Udp,
        listener: ListenerId(0),
        remote: (Ipv4Addr::LOCALHOST, 5060).into(),
        connection: None,
    };
    NetEvent::Message { flow, bytes: bytes.clone() }
}

/// Calls `post` with batches of `batch` at `rate` messages a second in all. The time is that of the
/// calls alone: their median times their number, for the thread may be interrupted in one.
fn feed(rate: u32, batch: u32, mut post: impl FnMut(&mut Vec<NetEvent>)) -> Spent {
    let bytes = Bytes::from(message());
    let start = Instant::now();
    let (mut sent, mut posts) = (0_u32, Vec::new());
    let mut events = Vec::new();
    while start.elapsed() < RUN {
        let due = Duration::from_secs_f64(f64::from(sent) / f64::from(rate));
        while start.elapsed() < due {
            std::hint::spin_loop();
        }
        events.extend((0..batch).map(|_| event(&bytes)));
        let begun = Instant::now();
        post(&mut events);
        posts.push(begun.elapsed());
        sent += batch;
    }
    posts.sort_unstable();
    let median = posts.get(posts.len() / 2).copied().unwrap_or_default();
    (sent, median * posts.len() as u32)
}

fn through_inbox(rate: u32, batch: u32) -> (Spent, Spent) {
    let (post, mut inbox) = inbox::<NetEvent>(65_536);
    let shard = std::thread::spawn(move || {
        runtime().block_on(async {
            let cpu = ThreadCpu::start();
            let mut ended = false;
            while !ended {
                inbox.ready().await;
                inbox.drain(64, &mut |event| {
                    ended |= event == END;
                    black_box(event);
                });
            }
            cpu.elapsed()
        })
    });
    let reader = feed(rate, batch, |events| post.offer_all(events));
    post.post_always(END);
    (reader, (reader.0, shard.join().expect("the shard")))
}

fn through_mpsc(rate: u32, batch: u32) -> (Spent, Spent) {
    let (post, mut inbox) = tokio::sync::mpsc::channel::<NetEvent>(65_536);
    let shard = std::thread::spawn(move || {
        runtime().block_on(async {
            let cpu = ThreadCpu::start();
            let mut ended = false;
            let mut events = Vec::with_capacity(64);
            while !ended {
                inbox.recv_many(&mut events, 64).await;
                for event in events.drain(..) {
                    ended |= event == END;
                    black_box(event);
                }
            }
            cpu.elapsed()
        })
    });
    let reader = feed(rate, batch, |events| {
        for event in events.drain(..) {
            let _ = post.try_send(event);
        }
    });
    let _ = post.try_send(END);
    (reader, (reader.0, shard.join().expect("the shard")))
}
