//! Media threads relay between real sockets on loopback, give back what they had, and answer whatever they are told.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use futures_util::future::BoxFuture;
use mediator_media::{
    Event, Format, Hear, Peer, Play, Repeat, Side, Sound, SoundFailure, SoundOutcome, Speech,
    Terms, Tone, Track,
};
use mediator_model::{MediaPort, MediaPorts, Number};
use mediator_net::{Inbox, inbox};
use mediator_sound::{Form, track_of_digits};

use super::*;
use crate::metrics::Metrics;

const CALL: Sid = Sid::from_random(7);

/// No sounds at all.
struct NoSounds;

impl TrackSource for NoSounds {
    fn track(
        self: Arc<Self>,
        _: Sound,
        _: Speech,
        _: u16,
    ) -> BoxFuture<'static, Result<Arc<Track>, SoundFailure>> {
        Box::pin(std::future::ready(Err(SoundFailure::Unfetched)))
    }
}

/// Two peers, and the threads between them.
struct Stage {
    media: Media,
    ports: Arc<RtpPorts>,
    orders: MediaOrders,
    told: Inbox<Input>,
    peers: [UdpSocket; 2],
}

fn peer() -> UdpSocket {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    peer
}

impl Stage {
    /// On an address of its own, for tests run side by side.
    fn new(last: u8) -> Self {
        let address = IpAddr::from([127, 0, 41, last]);
        let ports = Arc::new(RtpPorts::new(address, 42_000..=42_007, 0));
        let media = Media::start(MediaParts {
            threads: Some(2),
            addresses: vec![address],
            ports: ports.clone(),
            sounds: Arc::new(NoSounds),
            clock: Clock::start(),
        })
        .unwrap();
        let (post, told) = inbox(100);
        Self { orders: media.orders(post), media, ports, told, peers: [peer(), peer()] }
    }

    fn open(&self, call: Sid) -> [MediaPort; 2] {
        let ports = [self.ports.reserve().unwrap(), self.ports.reserve().unwrap()];
        self.orders.give(Order::Open { call, ports });
        for (side, peer) in Side::BOTH.into_iter().zip(&self.peers) {
            let remote = peer.local_addr().unwrap();
            self.orders.give(Order::Terms { call, side, terms: Box::new(terms(remote)) });
            self.orders.give(Order::Hear { call, side, hear: Hear::Peer });
        }
        ports
    }

    /// The next thing that the shard is told.
    async fn next(&mut self) -> Input {
        timeout(Duration::from_secs(10), self.told.ready()).await.expect("something is told");
        let mut next = None;
        self.told.drain(1, &mut |input| next = Some(input));
        next.expect("one")
    }

    async fn closed(&mut self) -> [Figures; 2] {
        match self.next().await {
            Input::Media(Event::Closed { call: CALL, figures }) => figures,
            other => panic!("{other:?}"),
        }
    }
}

fn terms(remote: SocketAddr) -> Terms {
    let pcmu = Format { payload_type: 0, encoding: "PCMU", clock_rate: 8000, channels: 1 };
    Terms {
        remote: Some(remote),
        remote_rtcp: None,
        rtcp_mux: false,
        signalling: remote.ip(),
        peer: Peer::default(),
        send: [pcmu].into_iter().collect(),
        receive: [pcmu].into_iter().collect(),
        peer_sends: true,
        peer_receives: true,
        ptime_ms: None,
    }
}

fn packet(sequence: u8) -> Vec<u8> {
    let header = [0x80, 0, 0, sequence, 0, 0, 0, sequence, 9, 9, 9, 9];
    header.into_iter().chain([0xd5; 160]).collect()
}

#[tokio::test]
async fn a_session_relays_counts_and_gives_its_ports_back() {
    let mut stage = Stage::new(1);
    let [a, b] = stage.open(CALL);
    let to_a = SocketAddr::new([127, 0, 41, 1].into(), a.rtp());
    let mut bytes = [0; 2000];
    for sequence in 0..20 {
        stage.peers[0].send_to(&packet(sequence), to_a).unwrap();
        let (length, source) = stage.peers[1].recv_from(&mut bytes).unwrap();
        assert_eq!((length, source), (172, SocketAddr::new([127, 0, 41, 1].into(), b.rtp())));
        assert_eq!(bytes[12..172], packet(0)[12..]);
        assert_ne!(bytes[8..12], [9; 4], "our own SSRC");
    }
    let figures = stage.media.figures(&[CALL, Sid::from_random(8)]).await;
    assert_eq!(figures.len(), 1);
    assert_eq!((figures[&CALL][0].packets, figures[&CALL][1].packets_sent), (20, 20));
    assert_eq!(stage.ports.used(), 2);
    stage.orders.give(Order::Close { call: CALL });
    let [a, b] = stage.closed().await;
    assert_eq!((a.packets, b.packets, b.packets_sent), (20, 0, 20));
    assert!(a.mos.is_some());
    // A thread gives back before it looks for the next order.
    stage.orders.give(Order::Close { call: CALL });
    assert_eq!(stage.closed().await, [Figures::default(); 2], "there is none any more");
    assert_eq!(stage.ports.used(), 0);
    let metrics = Metrics::default();
    metrics.add(stage.media.metrics());
    let page = metrics.render();
    for line in [
        "mediator_media_sessions 0",
        "mediator_media_sessions_opened_total 1",
        "mediator_rtp_packets_total{kind=\"received\"} 20",
        "mediator_rtp_packets_total{kind=\"forwarded\"} 20",
        "mediator_rtp_bytes_total{direction=\"in\"} 3440",
        "mediator_rtp_rejected_total{reason=\"source\"} 0",
        "mediator_media_ports{state=\"free\"} 4",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} in\n{page}");
    }
}

#[tokio::test]
async fn sockets_that_cannot_be_had_end_the_call_and_nothing_else() {
    let mut stage = Stage::new(2);
    let reserved = stage.ports.reserve().unwrap();
    let never_reserved = MediaPort::new(42_006).unwrap();
    stage.orders.give(Order::Open { call: CALL, ports: [reserved, never_reserved] });
    assert!(matches!(stage.next().await, Input::HangUp(CALL)));
    stage.orders.give(Order::Close { call: CALL });
    assert_eq!(stage.closed().await, [Figures::default(); 2]);
    assert_eq!(stage.ports.used(), 0);
    stage.open(CALL);
    stage.orders.give(Order::Close { call: CALL });
    stage.closed().await;
}

#[tokio::test]
async fn what_cannot_be_played_is_told() {
    let mut stage = Stage::new(3);
    stage.open(CALL);
    let number = Number::from_digits("442071234567").unwrap();
    let sound = Sound::Tone { tone: Tone::Busy, number };
    let hear = Hear::Sound(Play { token: 5, sound, repeat: Repeat::Once });
    stage.orders.give(Order::Hear { call: CALL, side: Side::A, hear });
    match stage.next().await {
        Input::Media(Event::SoundEnded { call, side, token, outcome }) => {
            assert_eq!((call, side, token), (CALL, Side::A, 5));
            assert_eq!(outcome, SoundOutcome::Failed(SoundFailure::Unfetched));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_are_heard_as_tones_in_other_codecs_than_g711() {
    let mut stage = Stage::new(9);
    for speech in [Speech::G722, Speech::Opus] {
        let ports = [stage.ports.reserve().unwrap(), stage.ports.reserve().unwrap()];
        stage.orders.give(Order::Open { call: CALL, ports });
        let format = Format {
            payload_type: speech.payload_type(),
            encoding: speech.name(),
            clock_rate: speech.clock_rate(),
            channels: speech.channels(),
        };
        let mut terms = terms(stage.peers[0].local_addr().unwrap());
        (terms.send, terms.receive) = ([format][..].into(), [format][..].into());
        let terms = Box::new(terms);
        stage.orders.give(Order::Terms { call: CALL, side: Side::A, terms });
        stage.orders.give(Order::Listen { call: CALL, side: Side::A, keys: true });
        let to = SocketAddr::new([127, 0, 41, 9].into(), ports[0].rtp());
        let track = track_of_digits("1", Form::new(speech, 20)).unwrap();
        for at in 0..track.packets() {
            let mut packet = packet(u8::try_from(at).unwrap());
            packet[1] = speech.payload_type();
            packet.truncate(12);
            packet.extend(track.packet(at).unwrap());
            stage.peers[0].send_to(&packet, to).unwrap();
        }
        let told = stage.next().await;
        let heard = Event::Key { call: CALL, side: Side::A, key: '1' };
        assert!(matches!(&told, Input::Media(event) if *event == heard), "{told:?}");
        stage.orders.give(Order::Close { call: CALL });
        stage.closed().await;
    }
}
