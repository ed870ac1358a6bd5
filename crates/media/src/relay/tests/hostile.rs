//! Any bytes from anywhere, and any orders in any order.

use alloc::vec;

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Act {
    Bytes(Side, LaneKind, u8, Vec<u8>),
    Packet { side: Side, from: u8, ssrc: u8, payload_type: u8, ahead: u16, payload: Vec<u8> },
    Terms(Side, u8),
    Hear(Side, u8),
    Dial(Side, u8),
    Listen(Side, bool),
    Supervise(Option<u16>),
    Track(Side, u32, Speech, u16, u8),
    Pass(u16),
    Reopen,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

fn act() -> impl Strategy<Value = Act> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..64);
    let lane = prop_oneof![Just(LaneKind::Rtp), Just(LaneKind::Rtcp)];
    let types = prop_oneof![Just(0_u8), Just(8), Just(101), Just(111), any::<u8>()];
    let ahead = prop_oneof![8 => Just(1_u16), 2 => 0..5_u16, 1 => Just(u16::MAX), 1 => 65_500..u16::MAX, 1 => any::<u16>()];
    let packet =
        (side(), 0..4_u8, 0..3_u8, types, ahead, proptest::collection::vec(any::<u8>(), 0..40));
    let speech = prop_oneof![Just(Speech::Pcmu), Just(Speech::Opus)];
    prop_oneof![
        2 => (side(), lane, 0..5_u8, bytes).prop_map(|(side, kind, from, bytes)| Act::Bytes(side, kind, from, bytes)),
        12 => packet.prop_map(|(side, from, ssrc, payload_type, ahead, payload)| {
            Act::Packet { side, from, ssrc, payload_type, ahead, payload }
        }),
        1 => (side(), any::<u8>()).prop_map(|(side, kind)| Act::Terms(side, kind)),
        2 => (side(), any::<u8>()).prop_map(|(side, kind)| Act::Hear(side, kind)),
        1 => (side(), any::<u8>()).prop_map(|(side, digits)| Act::Dial(side, digits)),
        1 => (side(), any::<bool>()).prop_map(|(side, keys)| Act::Listen(side, keys)),
        1 => any::<Option<u16>>().prop_map(Act::Supervise),
        2 => (side(), 0..4_u32, speech, 1..7_u16, 0..9_u8)
            .prop_map(|(side, token, speech, tens, packets)| Act::Track(side, token, speech, tens * 10, packets)),
        6 => any::<u16>().prop_map(|time| Act::Pass(time % 400)),
        1 => any::<u16>().prop_map(Act::Pass),
        1 => Just(Act::Reopen),
    ]
}

fn source(side: Side, from: u8) -> SocketAddr {
    match from {
        0 | 1 => peer(side),
        2 => SocketAddr::new(peer(side).ip(), 4001),
        3 => SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 5000),
        _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 30_002),
    }
}

fn some_terms(side: Side, kind: u8) -> Terms {
    let all = [
        format(0, Speech::Pcmu),
        format(8, Speech::Pcma),
        format(111, Speech::Opus),
        event(101, 8000),
        event(102, 48_000),
        Format { payload_type: 200, encoding: "odd", clock_rate: 0, channels: 0 },
    ];
    let chosen = all.iter().enumerate().filter(|(at, _)| kind & (1 << at) != 0);
    let formats: Vec<Format> = chosen.map(|(_, format)| *format).collect();
    let remote = match kind >> 6 {
        0 => None,
        1 => Some(source(side, 4)),
        _ => Some(peer(side)),
    };
    Terms {
        remote,
        peer_receives: kind & 0x21 != 0x21,
        rtcp_mux: kind & 3 == 3,
        peer: Peer {
            number: u16::from(kind >> 5 & 1),
            dialog: u16::from(kind >> 3 & 3),
            has_rivals: kind & 8 != 0,
        },
        ptime_ms: (kind & 4 != 0).then_some(u16::from(kind)),
        ..terms(side, &formats)
    }
}

fn some_hear(kind: u8) -> Hear {
    let repeat = match kind >> 4 & 3 {
        0 => Repeat::Forever,
        1 => Repeat::For(MS * u32::from(kind)),
        _ => Repeat::Once,
    };
    let play = play(u32::from(kind >> 6), repeat);
    match kind & 7 {
        0 => Hear::Nothing,
        1 => Hear::Silence,
        2 => Hear::Sound(play),
        3 => Hear::SoundThenPeer(play),
        _ => Hear::Peer,
    }
}

/// What was sent on each leg so far.
#[derive(Default)]
struct Seen {
    ssrc: Option<u32>,
    /// The sequence numbers of the last two hundred packets.
    recent: Vec<u16>,
}

impl Seen {
    /// One SSRC, and no number for two packets.
    fn check(&mut self, sent: &Sent) {
        let header = sent.header();
        assert_eq!(*self.ssrc.get_or_insert(header.ssrc), header.ssrc);
        assert!(header.payload_type < 128);
        assert!(!self.recent.contains(&header.sequence), "a number for two packets");
        self.recent.push(header.sequence);
        if self.recent.len() > 200 {
            self.recent.remove(0);
        }
    }
}

fn check_sent(world: &mut World, seen: &mut [Seen; 2]) {
    for sent in core::mem::take(&mut world.wire.1) {
        assert_ne!(sent.to, source(Side::A, 4), "to ourselves");
        assert_ne!(sent.to.port(), 0);
        if sent.bytes.len() >= 12 && !(192..=223).contains(&sent.bytes[1]) {
            seen[usize::from(sent.from.side == Side::B)].check(&sent);
        }
    }
}

fn perform(world: &mut World, numbers: &mut [u16; 6], act: Act) {
    match act {
        Act::Bytes(side, kind, from, mut bytes) => {
            let at = world.lane(side, kind);
            let length = bytes.len();
            let now = world.now;
            if let Some(forward) = world.relay.receive(now, at, source(side, from), &mut bytes) {
                assert!(
                    forward.range.end <= length && forward.range.start + 12 <= forward.range.end
                );
                let bytes = bytes[forward.range].to_vec();
                world.wire.1.push(Sent { at: now, from: forward.from, to: forward.to, bytes });
            }
        }
        Act::Packet { side, from, ssrc, payload_type, ahead, payload } => {
            let number = &mut numbers[usize::from(ssrc) * 2 + usize::from(side == Side::B)];
            *number = number.wrapping_add(ahead);
            let header = Header {
                marker: false,
                payload_type: payload_type & 0x7f,
                sequence: *number,
                timestamp: u32::from(*number) * 160,
                ssrc: u32::from(ssrc),
            };
            let bytes = [&header.to_bytes()[..], &payload].concat();
            world.datagram(side, source(side, from), &bytes);
        }
        Act::Terms(side, kind) => world.terms(side, some_terms(side, kind)),
        Act::Hear(side, kind) => world.hear(side, some_hear(kind)),
        Act::Dial(side, digits) => {
            let digits = std::format!("{}#,x", digits % 100);
            world.order(Order::Dial { call: CALL, side, digits: digits.into() });
        }
        Act::Listen(side, keys) => {
            world.order(Order::Listen { call: CALL, side, keys });
        }
        Act::Supervise(silence) => {
            let silence = silence.map(|silence| MS * u32::from(silence));
            world.order(Order::Supervise { call: CALL, silence });
        }
        Act::Track(side, token, speech, packet_ms, packets) => {
            world.track(side, token, tone(speech, packet_ms, packets.into(), 1));
        }
        Act::Pass(time) => world.pass(MS * u32::from(time)),
        Act::Reopen => unreachable!("done by the test"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_comes_breaks_a_stream(acts in proptest::collection::vec(act(), 1..200)) {
        let mut world = World::joined(
            &[format(0, Speech::Pcmu), event(101, 8000)],
            &[format(8, Speech::Pcma), event(101, 8000)],
        );
        let mut seen = <[Seen; 2]>::default();
        let mut numbers = [0; 6];
        for act in acts {
            if let Act::Reopen = act {
                world.order(Order::Close { call: CALL });
                check_sent(&mut world, &mut seen);
                let ports = [MediaPort::new(30_000).unwrap(), MediaPort::new(30_002).unwrap()];
                let opened = world.order(Order::Open { call: CALL, ports });
                let Opened::Session(session, _) = opened else { panic!("it opens again") };
                world.session = session;
                seen = Default::default();
            } else {
                perform(&mut world, &mut numbers, act);
                check_sent(&mut world, &mut seen);
            }
            for event in world.events() {
                if let Event::Closed { figures, .. } = event {
                    for leg in figures {
                        assert!(leg.jitter_ms.is_finite());
                        assert!(leg.mos.is_none_or(|mos| (1.0..=4.5).contains(&mos)));
                    }
                }
            }
        }
        world.order(Order::Close { call: CALL });
        world.pass(MS * 60_000);
        prop_assert_eq!(world.relay.next_deadline(), None, "nothing is left of it");
    }
}
