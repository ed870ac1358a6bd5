//! What the relay costs a packet, without sockets: 200 calls of G.711, their streams in turn.
//!
//! Only [`Relay::receive`] is timed, and the writing of a few bytes of the packet; the streams' packets come in order.
//!
//! With `PACKETS=n` in the environment it relays that many packets and nothing else, for callgrind: what a packet takes is
//! the difference of two runs, divided.

use std::env;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use criterion::{Criterion, Throughput};
use mediator_benches::session::{Law, open};
use mediator_media::{Lane, LaneKind, NoEars, Relay, RelaySetup, SessionKey, Side};
use mediator_model::{Instant, MediaPort};

const CALLS: u32 = 200;
/// RTP's header, and 20 ms of G.711.
const PACKET_BYTES: usize = 12 + 160;

fn main() -> Result<()> {
    if let Ok(packets) = env::var("PACKETS") {
        let packets: u32 = packets.parse().context("PACKETS is a number")?;
        let mut stage = Stage::new([Law::U, Law::U])?;
        let forwarded = (0..packets).filter(|_| stage.packet()).count();
        ensure!(forwarded == packets as usize, "{forwarded} of {packets} packets went on");
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("a packet");
    group.throughput(Throughput::Elements(1));
    for (name, laws) in [("passed on", [Law::U, Law::U]), ("of the other law", [Law::U, Law::A])] {
        let mut stage = Stage::new(laws)?;
        ensure!((0..CALLS * 4).all(|_| stage.packet()), "a packet was not passed on");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(stage.packet())));
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// A relay, and whose turn it is to send.
struct Stage {
    relay: Relay,
    /// Where the packets of each stream come in and from, and their payload type.
    streams: Vec<(Lane, SocketAddr, u8)>,
    packet: [u8; PACKET_BYTES],
    /// Packets so far.
    count: u32,
}

impl Stage {
    fn new(laws: [Law; 2]) -> Result<Self> {
        let addresses = vec![Ipv4Addr::LOCALHOST.into()];
        let mut relay = Relay::new(RelaySetup {
            seed: [7; 32],
            addresses,
            ports: 30_000..=39_999,
            ears: Arc::new(NoEars),
        });
        let mut streams = Vec::new();
        for call in 0..CALLS {
            let number = u16::try_from(call)? * 4;
            let ports = [30_000, 30_002].map(|first| MediaPort::new(first + number));
            let [Some(a), Some(b)] = ports else { continue };
            let phones =
                [[127, 0, 0, 2], [127, 0, 0, 3]].map(|ip| SocketAddr::from((ip, 10_000 + number)));
            let [law_a, law_b] = laws;
            let [phone_a, phone_b] = phones;
            let session = open(&mut relay, call, [a, b], [(phone_a, law_a), (phone_b, law_b)]);
            let session = session.context("a session of this number")?;
            streams.push((rtp(session, Side::A), phone_a, law_a.payload_type()));
            streams.push((rtp(session, Side::B), phone_b, law_b.payload_type()));
        }
        Ok(Self { relay, streams, packet: [0xd5; PACKET_BYTES], count: 0 })
    }

    /// The next packet; whether it went on.
    fn packet(&mut self) -> bool {
        let streams = CALLS * 2;
        let (stream, number) = (self.count % streams, self.count / streams);
        // 400 streams of 50 packets a second.
        let now = Instant::ZERO + Duration::from_micros(50) * self.count;
        self.count += 1;
        let Some(&(lane, source, payload_type)) = self.streams.get(stream as usize) else {
            return false;
        };
        let sequence = (number as u16).to_be_bytes();
        let timestamp = number.wrapping_mul(160).to_be_bytes();
        let header: [&[u8]; 4] =
            [&[0x80, payload_type], &sequence, &timestamp, &stream.to_be_bytes()];
        for (to, from) in self.packet.iter_mut().zip(header.into_iter().flatten()) {
            *to = *from;
        }
        self.relay.receive(now, lane, source, &mut self.packet).is_some()
    }
}

fn rtp(session: SessionKey, side: Side) -> Lane {
    Lane { session, side, kind: LaneKind::Rtp }
}
