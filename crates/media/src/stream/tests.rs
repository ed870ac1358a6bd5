//! The numbers of a stream.

use super::*;
use crate::reception::Reception;
use crate::rtp::Header;

const MS: Duration = Duration::from_millis(1);

/// A peer of one SSRC, as its packets arrive.
#[derive(Default)]
struct Peer(Reception);

impl Peer {
    fn packet(&mut self, now: Instant, ssrc: u32, sequence: u16, timestamp: u32) -> Incoming {
        let header = Header { sequence, timestamp, ssrc, ..Header::default() };
        Incoming { ssrc, sequence, timestamp, arrival: self.0.receive(now, &header, 8000) }
    }
}

fn begin() -> (Stream, Instant) {
    let now = Instant::from_millis(5000);
    (Stream::new(0x1234_5678_9abc_fffe, now), now)
}

#[test]
fn a_late_packet_of_before_a_seam_has_no_place() {
    let (mut stream, now) = begin();
    let mut peer = Peer::default();
    let first = peer.packet(now, 1, 100, 0);
    let third = peer.packet(now, 1, 102, 320);
    stream.forward(now, first, 8000).unwrap();
    stream.count(160);
    stream.own(now + MS * 20, 8000, 160);
    let resumed = stream.forward(now + MS * 40, third, 8000).unwrap();
    assert!(resumed.begins);
    let second = peer.packet(now, 1, 101, 160);
    assert_eq!(stream.forward(now + MS * 41, second, 8000), None);
}

#[test]
fn what_is_left_out_leaves_no_gap_and_what_was_lost_before_it_does() {
    let (mut stream, now) = begin();
    let mut peer = Peer::default();
    let one = stream.forward(now, peer.packet(now, 1, 0xfffe, 0), 8000).unwrap();
    stream.count(160);
    // 0xffff is lost.
    stream.skip(peer.packet(now, 1, 0, 320));
    let next = stream.forward(now, peer.packet(now, 1, 1, 480), 8000).unwrap();
    assert_eq!(next.sequence.wrapping_sub(one.sequence), 2);
    assert_eq!(next.timestamp.wrapping_sub(one.timestamp), 480);
}

#[test]
fn a_seam_takes_as_long_as_it_took_and_no_less_than_the_packet_before_it() {
    for (after, expected) in [(0, 160), (5, 160), (20, 160), (100, 800)] {
        let (mut stream, now) = begin();
        let one = stream.own(now, 8000, 160);
        stream.count(160);
        let incoming = Peer::default().packet(now, 1, 9, 77);
        let other = stream.forward(now + MS * after, incoming, 8000).unwrap();
        assert_eq!(other.timestamp.wrapping_sub(one.timestamp), expected, "{after} ms");
    }
}

#[test]
fn a_seam_between_clocks_is_told_in_the_new_one() {
    let (mut stream, now) = begin();
    let one = stream.own(now, 8000, 160);
    stream.count(160);
    let incoming = Peer::default().packet(now, 1, 9, 77);
    let other = stream.forward(now + MS * 30, incoming, 48_000).unwrap();
    assert_eq!(other.timestamp.wrapping_sub(one.timestamp), 1440);
}

#[test]
fn a_peer_that_was_interrupted_keeps_its_place_in_time() {
    let (mut stream, now) = begin();
    let mut peer = Peer::default();
    let one = stream.forward(now, peer.packet(now, 1, 0, 1000), 8000).unwrap();
    stream.count(160);
    stream.own_event(now + MS * 20, MS * 100, 8000);
    stream.count(4);
    // It comes 13 ms late, which its timestamp does not show.
    let at = now + MS * 153;
    let other = stream.forward(at, peer.packet(at, 1, 7, 1000 + 140 * 8), 8000).unwrap();
    assert_eq!(other.timestamp.wrapping_sub(one.timestamp), 140 * 8);
}

#[test]
fn an_event_whose_beginning_was_not_sent_does_not_go_on() {
    let (mut stream, now) = begin();
    assert_eq!(stream.own_again(), None);
    let began = stream.own_event(now, MS * 100, 8000);
    let again = stream.own_again().unwrap();
    assert_eq!(again.timestamp, began.timestamp);
    assert_eq!(again.sequence, began.sequence.wrapping_add(1));
}

#[test]
fn ticks_and_clocks_do_not_overflow() {
    assert_eq!(ticks(MS * 20, 8000), 160);
    assert_eq!(ticks(Duration::from_secs(u64::MAX), 48_000), u64::MAX.wrapping_mul(48_000) as u32);
    assert_eq!(rescale(160, 8000, 48_000), 960);
    assert_eq!(rescale(u32::MAX, 1, u32::MAX), u32::MAX);
    assert_eq!(rescale(5, 0, 8000), 40_000);
}
