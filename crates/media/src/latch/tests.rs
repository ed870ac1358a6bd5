//! Who is believed, when, and for how long.

use core::net::{IpAddr, SocketAddr};
use std::vec;
use std::vec::Vec;

use mediator_model::Instant;
use proptest::prelude::*;

use super::{Latch, Verdict, is_sendable};

/// What SDP says, its host at another port, the host that signals, and two strangers.
const SDP: &str = "192.0.2.1:4000";
const SDP_HOST: &str = "192.0.2.1:4999";
const SIGNALLING: &str = "198.51.100.7:61000";
const SIGNALLING_TOO: &str = "198.51.100.7:62000";
const STRANGER: &str = "203.0.113.1:9000";
const OTHER: &str = "203.0.113.2:9000";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn latch() -> Latch {
    let signalling: IpAddr = at(SIGNALLING).ip();
    Latch::new(Instant::ZERO, Some(at(SDP)), signalling)
}

/// Plays packets at times in milliseconds; `a` accepted, `m` moved, `r` refused.
fn check(packets: &[(u64, &str)], verdicts: &str, target: &str) {
    check_of(latch(), packets, (verdicts, target));
}

fn check_of(mut latch: Latch, packets: &[(u64, &str)], (verdicts, target): (&str, &str)) {
    let mut seen = std::string::String::new();
    for (millis, source) in packets {
        seen.push(match latch.accept(Instant::from_millis(*millis), at(source)) {
            Verdict::Accepted => 'a',
            Verdict::Moved => 'm',
            Verdict::Refused => 'r',
        });
    }
    let last = packets.last().map_or(0, |(millis, _)| *millis);
    assert_eq!(seen, verdicts, "{packets:?}");
    assert_eq!(latch.target(Instant::from_millis(last)), Some(at(target)), "{packets:?}");
}

#[test]
fn the_address_of_sdp_locks_at_once() {
    check(&[(0, SDP), (20, STRANGER), (21, SIGNALLING), (22, SDP_HOST), (40, SDP)], "mrrra", SDP);
}

#[test]
fn a_better_source_takes_the_place_of_a_worse_one_while_it_is_learned() {
    check(&[(0, STRANGER), (20, SIGNALLING), (40, STRANGER), (50, SDP)], "mmrm", SDP);
    check(&[(0, STRANGER), (20, OTHER), (40, STRANGER)], "mra", SDP);
    check(&[(0, SIGNALLING), (20, SDP_HOST), (40, SIGNALLING)], "mra", SIGNALLING);
}

#[test]
fn a_source_on_a_known_host_is_locked_after_a_few_packets() {
    let mut packets: Vec<_> = (0..5).map(|n| (n * 20, SIGNALLING)).collect();
    packets.push((120, SDP));
    check(&packets, "maaaar", SIGNALLING);
}

#[test]
fn a_stranger_is_answered_after_a_few_packets_and_locked_after_the_window() {
    check(&[(0, STRANGER), (20, STRANGER), (40, STRANGER), (60, STRANGER)], "maaa", SDP);
    let packets: Vec<_> = (0..5).map(|n| (n * 20, STRANGER)).collect();
    check(&packets, "maaaa", STRANGER);
    check(&[(0, STRANGER), (2999, STRANGER), (3000, SDP)], "mam", SDP);
    check(&[(0, STRANGER), (3000, STRANGER), (3001, SDP), (3002, SIGNALLING)], "marr", STRANGER);
}

#[test]
fn what_is_under_way_from_an_earlier_place_does_not_keep_the_peer_out() {
    let mut packets = vec![(0, SIGNALLING), (10, SIGNALLING_TOO), (190, SIGNALLING_TOO)];
    packets.extend((10..15).map(|n| (n * 20, SIGNALLING_TOO)));
    check(&packets, "mrrmaaaa", SIGNALLING_TOO);
    check(&[(0, STRANGER), (100, OTHER), (200, OTHER)], "mrm", SDP);
    // A worse one waits for longer.
    check(&[(0, SIGNALLING), (1000, STRANGER), (1500, SIGNALLING)], "mra", SIGNALLING);
}

#[test]
fn a_silent_source_may_move_on_its_host_or_to_a_better_one_and_nowhere_else() {
    check(&[(0, SDP), (1999, SDP_HOST), (2000, SDP_HOST), (2001, SDP)], "mrmr", SDP_HOST);
    check(&[(0, SDP), (60_000, STRANGER), (60_001, SIGNALLING)], "mrr", SDP);
    let mut packets: Vec<_> = (0..5).map(|n| (n * 20, SIGNALLING)).collect();
    packets.extend([(2000, SIGNALLING_TOO), (2080, SIGNALLING_TOO), (4079, SDP), (4080, SDP)]);
    check(&packets, "maaaarmrm", SDP);
}

#[test]
fn where_others_may_send_too_strangers_wait_and_only_sdp_locks() {
    let contested = || latch().contested(Instant::ZERO);
    check_of(contested(), &[(0, STRANGER), (999, STRANGER), (1000, STRANGER)], ("rrm", SDP));
    check_of(contested(), &[(0, SDP), (1, SIGNALLING), (2, SDP)], ("mra", SDP));
    // Two behind one NAT: the first one has it for as long as it goes on.
    let mut packets: Vec<_> = (0..10).map(|n| (n * 20, SIGNALLING)).collect();
    packets.extend([(190, SIGNALLING_TOO), (380, SIGNALLING_TOO), (400, SIGNALLING_TOO)]);
    check_of(contested(), &packets, ("maaaaaaaaarma", SIGNALLING_TOO));
    packets.truncate(10);
    packets.extend([(1001, SIGNALLING), (1400, SIGNALLING_TOO)]);
    check_of(contested(), &packets, ("maaaaaaaaaar", SIGNALLING));
}

#[test]
fn another_one_s_source_is_kept_out_as_long_as_it_goes_on() {
    let without = |source| latch().without(Instant::ZERO, at(source));
    for source in [SIGNALLING, SDP_HOST, STRANGER] {
        let mut packets: Vec<_> = (0..100).map(|n| (n * 500, source)).collect();
        check_of(without(source), &packets, (&"r".repeat(100), SDP));
        packets.push((49_510, SIGNALLING_TOO));
        packets.push((49_520, source));
        let verdicts = "r".repeat(100) + "mr";
        check_of(without(source), &packets, (&verdicts, SIGNALLING_TOO));
        // Somebody else may have its port after that.
        packets.truncate(100);
        packets.push((51_500, source));
        let target = if source == STRANGER { SDP } else { source };
        check_of(without(source), &packets, (&("r".repeat(100) + "m"), target));
    }
    // What SDP says is the peer's, whoever was there before.
    check_of(without(SDP), &[(0, SDP), (20, SDP)], ("ma", SDP));
}

#[test]
fn nothing_is_sent_for_long_where_only_sdp_says_so() {
    let millis = Instant::from_millis;
    assert_eq!(latch().target(millis(179_999)), Some(at(SDP)));
    assert_eq!(latch().target(millis(180_000)), None);
    let mut heard = latch();
    assert_eq!(heard.accept(millis(9_000), at(SDP)), Verdict::Moved);
    assert_eq!(heard.target(millis(3_600_000)), Some(at(SDP)));
    let same = Latch::new(Instant::ZERO, Some(at(SDP)), at(SDP).ip());
    assert_eq!(same.target(millis(3_600_000)), Some(at(SDP)));
    let held = Latch::new(Instant::ZERO, None, at(SDP).ip());
    assert_eq!(held.target(millis(0)), None);
}

#[test]
fn once_the_call_is_answered_a_peer_has_to_show_itself_soon() {
    let millis = Instant::from_millis;
    let mut silent = latch();
    silent.talks(millis(1000));
    assert_eq!(silent.target(millis(10_999)), Some(at(SDP)));
    assert_eq!(silent.target(millis(11_000)), None);
    // A later answer gives no new time; a host that reports needs none.
    silent.talks(millis(20_000));
    assert_eq!(silent.target(millis(21_000)), None);
    silent.heard_of(at(STRANGER).ip());
    assert_eq!(silent.target(millis(21_000)), None);
    silent.heard_of(at(SDP).ip());
    silent.talks(millis(22_000));
    assert_eq!(silent.target(millis(3_600_000)), Some(at(SDP)));
}

#[test]
fn nothing_is_sent_to_an_address_that_is_no_hosts() {
    for (address, expected) in [
        ("192.0.2.1:4000", true),
        ("[2001:db8::1]:4000", true),
        ("192.0.2.1:0", false),
        ("0.0.0.0:4000", false),
        ("[::]:4000", false),
        ("224.0.0.1:4000", false),
        ("[ff02::1]:4000", false),
        ("255.255.255.255:4000", false),
    ] {
        assert_eq!(is_sendable(at(address)), expected, "{address}");
        let latch = Latch::new(Instant::ZERO, Some(at(address)), at(address).ip());
        assert_eq!(latch.target(Instant::ZERO).is_some(), expected, "{address}");
    }
}

proptest! {
    /// Once the peer is heard from where SDP says and goes on sending, nobody else is.
    #[test]
    fn nobody_gets_between_a_peer_that_sends(before in prop::collection::vec((0_u64..500, 1_usize..6), 0..20),
                                             after in prop::collection::vec(1_usize..6, 1..200)) {
        let all = [SDP, SDP_HOST, SIGNALLING, SIGNALLING_TOO, STRANGER, OTHER];
        let mut latch = latch();
        let mut now = 0;
        for (millis, who) in before.iter().filter(|(_, who)| *who >= 4) {
            now += millis / 20;
            latch.accept(Instant::from_millis(now), at(all[*who]));
        }
        prop_assert_eq!(latch.accept(Instant::from_millis(now), at(SDP)), Verdict::Moved);
        for who in after {
            now += 20;
            prop_assert_eq!(latch.accept(Instant::from_millis(now), at(all[who])), Verdict::Refused);
            prop_assert_eq!(latch.accept(Instant::from_millis(now), at(SDP)), Verdict::Accepted);
            prop_assert_eq!(latch.target(Instant::from_millis(now)), Some(at(SDP)));
        }
    }
}
