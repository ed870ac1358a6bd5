//! Limits, health, replays and bans, under many threads too.

use std::net::Ipv4Addr;
use std::sync::Barrier;
use std::thread;

use super::*;

fn sid(n: u128) -> Sid {
    Sid::from_random(n)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn source(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const ATTACKER: &str = "192.0.2.66:5060";

#[test]
fn admits_as_many_calls_as_the_capacity_and_counts_them_back() {
    let gate = Gate::default();
    let refused = Err(AdmissionRefused::Capacity);
    assert_eq!(gate.admit_call(sid(1), 2), Ok(()));
    assert_eq!(gate.admit_call(sid(1), 2), Ok(()));
    assert_eq!(gate.admit_call(sid(1), 2), refused);
    assert_eq!(gate.admit_call(sid(2), 1), Ok(()), "another endpoint has its own");
    gate.release_call(sid(1));
    assert_eq!(gate.admit_call(sid(1), 2), Ok(()));
    assert_eq!((gate.calls_of(sid(1)), gate.calls_of(sid(2)), gate.calls_of(sid(3))), (2, 1, 0));
    assert_eq!(gate.counters().refused_capacity, 1);
}

#[test]
fn counts_calls_without_a_limit_too_for_one_may_be_set_later() {
    let gate = Gate::default();
    for _ in 0..3 {
        gate.admit_call(sid(1), 0).unwrap();
    }
    assert_eq!(gate.admit_call(sid(1), 3), Err(AdmissionRefused::Capacity));
    gate.release_call(sid(1));
    assert_eq!(gate.admit_call(sid(1), 3), Ok(()));
}

#[test]
fn a_trunk_takes_none_any_or_so_many() {
    let gate = Gate::default();
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::Out, Some(0)), Err(AdmissionRefused::Capacity));
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::Out, None), Ok(()));
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::Out, Some(1)), Err(AdmissionRefused::Capacity));
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::In, Some(1)), Ok(()), "each way has its own");
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::In, Some(1)), Err(AdmissionRefused::Capacity));
    gate.release_trunk(sid(1), TrunkWay::Out);
    assert_eq!(gate.admit_trunk(sid(1), TrunkWay::Out, Some(1)), Ok(()));
    assert_eq!(gate.admit_call(sid(1), 1), Ok(()), "endpoints and trunks are counted apart");
}

#[test]
#[should_panic(expected = "given back that nobody took")]
#[cfg(debug_assertions)]
fn giving_back_what_nobody_took_is_a_bug() {
    Gate::default().release_call(sid(1));
}

#[test]
fn capacity_holds_when_eight_threads_ask_at_once() {
    const CAPACITY: u32 = 100;
    let gate = Gate::default();
    let start = Barrier::new(8);
    let admitted: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    (0..1000).filter(|_| gate.admit_call(sid(1), CAPACITY).is_ok()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, CAPACITY as usize);
    assert_eq!(gate.calls_of(sid(1)), CAPACITY);
}

#[test]
fn lets_a_seconds_worth_start_at_once_and_then_so_many_a_second() {
    let gate = Gate::default();
    let starts =
        |millis| (0..100).filter(|_| gate.admit_start(sid(1), 5, at(millis)).is_ok()).count();
    assert_eq!(starts(10_000), 5);
    assert_eq!(starts(10_199), 0);
    assert_eq!(starts(10_200), 1);
    assert_eq!(starts(10_600), 2);
    assert_eq!(starts(60_000), 5, "what was not used in a minute does not pile up");
    let refused = gate.admit_start(sid(1), 5, at(60_000));
    assert_eq!(refused, Err(AdmissionRefused::Rate { retry_after: Duration::from_millis(200) }));
    assert!(gate.admit_start(sid(1), 5, at(60_200)).is_ok(), "the time told is the right one");
    assert!(gate.counters().refused_rate > 0);
}

#[test]
fn an_even_flow_at_the_limit_passes_with_its_jitter() {
    let gate = Gate::default();
    for n in 0..10_000_u64 {
        let jitter = (n * 7919) % 40;
        assert!(gate.admit_start(sid(1), 50, at(1000 + n * 20 + jitter)).is_ok(), "{n}");
    }
}

#[test]
fn a_rate_of_zero_is_none_and_a_huge_one_passes() {
    let gate = Gate::default();
    assert!((0..1000).all(|_| gate.admit_start(sid(1), 0, at(0)).is_ok()));
    assert!((0..1000).all(|_| gate.admit_start(sid(2), u32::MAX, at(0)).is_ok()));
    assert!(
        gate.admit_start(sid(3), 1, Instant::FAR_FUTURE).is_ok(),
        "the end of time does not overflow"
    );
}

#[test]
fn a_rate_holds_when_eight_threads_ask_at_once() {
    let gate = Gate::default();
    let admitted: usize = thread::scope(|scope| {
        let ask = || (0..1000).filter(|_| gate.admit_start(sid(1), 300, at(5)).is_ok()).count();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 300);
}

const MINUTE: Duration = Duration::from_mins(1);
const COOLDOWN: Duration = Duration::from_mins(2);

fn fails_at(gate: &Gate, millis: u64) {
    gate.hard_failure(sid(1), 3, MINUTE, COOLDOWN, at(millis));
}

#[test]
fn a_trunk_is_dead_from_so_many_failures_in_the_interval_for_the_cooldown() {
    let gate = Gate::default();
    for millis in [0, 30_000, 60_000] {
        assert!(!gate.is_dead(sid(1), at(millis)));
        fails_at(&gate, millis);
    }
    assert!(!gate.is_dead(sid(1), at(60_000)), "the first is a minute old by the third");
    fails_at(&gate, 89_999);
    assert!(gate.is_dead(sid(1), at(89_999)));
    assert!(!gate.is_dead(sid(2), at(89_999)));
    // Calls that were under way fail too: that prolongs nothing.
    for millis in [100_000, 160_000, 209_998, 209_998] {
        fails_at(&gate, millis);
    }
    assert!(gate.is_dead(sid(1), at(209_998)));
    assert!(!gate.is_dead(sid(1), at(209_999)));
    // And then it begins to count anew.
    fails_at(&gate, 210_000);
    fails_at(&gate, 210_001);
    assert!(!gate.is_dead(sid(1), at(210_001)));
    fails_at(&gate, 210_002);
    assert!(gate.is_dead(sid(1), at(210_002)));
}

#[test]
fn a_trunk_is_dead_from_so_many_unanswered_options_until_one_is_answered() {
    let gate = Gate::default();
    for answered in [false, false, true, false, false] {
        gate.probe_result(sid(1), answered, 3, at(0));
        assert!(!gate.is_dead(sid(1), at(0)), "not three in a row");
    }
    gate.probe_result(sid(1), false, 3, at(0));
    assert!(gate.is_dead(sid(1), Instant::FAR_FUTURE));
    gate.probe_result(sid(1), true, 3, at(0));
    assert!(!gate.is_dead(sid(1), at(0)));
}

#[test]
fn an_answered_options_ends_a_cooldown_and_forgives_nothing_else() {
    let gate = Gate::default();
    for millis in 0..3 {
        fails_at(&gate, millis);
    }
    assert!(gate.is_dead(sid(1), at(3)));
    gate.probe_result(sid(1), true, 3, at(3));
    assert!(!gate.is_dead(sid(1), at(3)));
    fails_at(&gate, 4);
    fails_at(&gate, 5);
    gate.probe_result(sid(1), true, 3, at(5));
    fails_at(&gate, 6);
    assert!(gate.is_dead(sid(1), at(6)), "OPTIONS between failures do not hide them");
}

#[test]
fn a_threshold_of_zero_never_kills() {
    let gate = Gate::default();
    for _ in 0..100 {
        gate.hard_failure(sid(1), 0, MINUTE, COOLDOWN, at(0));
        gate.probe_result(sid(1), false, 0, at(0));
    }
    assert!(!gate.is_dead(sid(1), at(0)));
}

#[test]
fn forgets_what_left_the_directory_but_not_calls_that_are_up() {
    let gate = Gate::default();
    gate.admit_call(sid(1), 0).unwrap();
    gate.admit_call(sid(2), 0).unwrap();
    gate.release_call(sid(2));
    gate.admit_trunk(sid(3), TrunkWay::Out, None).unwrap();
    for _ in 0..3 {
        fails_at(&gate, 0);
    }
    gate.retain(|known| known == sid(2));
    assert!(!gate.is_dead(sid(1), at(0)));
    assert_eq!(gate.calls_of(sid(1)), 1);
    gate.release_call(sid(1));
    gate.release_trunk(sid(3), TrunkWay::Out);
    gate.retain(|_| false);
    assert_eq!(gate.calls_of(sid(1)), 0);
}

#[test]
fn a_count_of_a_nonce_is_good_once() {
    let gate = Gate::default();
    for (count, fresh) in [
        (1, true),
        (1, false),
        (2, true),
        (4, true),
        (3, true),
        (3, false),
        (2, false),
        (100, true),
        (37, true),
        (36, false),
        (37, false),
        (u32::MAX, true),
        (u32::MAX, false),
        (100, false),
    ] {
        assert_eq!(gate.nonce_fresh(7, count, at(0)), fresh, "nc {count}");
    }
    assert!(gate.nonce_fresh(8, 1, at(0)), "another nonce counts for itself");
    // Without qop there is no count, and the nonce is good for one request.
    assert!(gate.nonce_fresh(9, 0, at(0)));
    assert!(!gate.nonce_fresh(9, 0, at(0)));
    assert_eq!(gate.counters().replays, 8);
}

#[test]
fn a_nonce_is_remembered_while_it_could_be_replayed() {
    let nonces = Nonces::with_limit(Duration::from_secs(10), 1 << 10);
    for start in [0, 3_000, 9_999] {
        let nonce = start * 64;
        assert!(nonces.take(nonce, 1, at(start)));
    }
    for start in [0, 3_000, 9_999] {
        assert!(!nonces.take(start * 64, 1, at(start + 9_999)), "{start}");
    }
    // All is forgotten two generations later, and not only when the same nonce comes again.
    assert!(nonces.take(64, 1, at(60_000)));
    assert_eq!(nonces.remembered(), 1);
}

#[test]
fn a_full_memory_of_nonces_refuses_new_ones_and_forgets_none() {
    const LIMIT: u64 = 640;
    let nonces = Nonces::with_limit(Duration::from_secs(10), LIMIT as usize);
    assert!((0..LIMIT).all(|nonce| nonces.take(nonce, 1, at(0))));
    assert!((LIMIT..LIMIT * 2).all(|nonce| !nonces.take(nonce, 1, at(9_999))));
    assert!((0..LIMIT).all(|nonce| nonces.take(nonce, 2, at(9_999))));
    assert_eq!(nonces.full(), LIMIT);
    // The next generation has room again, and two are all there ever is.
    for generation in 1..5 {
        let first = generation * 10_000;
        (first..first + 10_000).for_each(|nonce| {
            nonces.take(nonce, 1, at(generation * 10_000));
        });
        assert!(nonces.remembered() as u64 <= LIMIT * 2);
    }
}

#[test]
fn ten_wrong_credentials_in_a_minute_bring_five_minutes_of_silence() {
    let gate = Gate::default();
    let guess = |millis| gate.wrong_credentials(source(ATTACKER), at(millis));
    for n in 0..9 {
        guess(n * 1000);
    }
    assert!(!gate.is_banned(source(ATTACKER), at(9_000)));
    guess(59_999);
    assert!(gate.is_banned(source(ATTACKER), at(59_999)));
    assert!(gate.is_banned(source("192.0.2.66:40000"), at(60_000)), "the address, not the port");
    assert!(gate.is_banned(source("[::ffff:192.0.2.66]:1"), at(60_000)));
    assert!(!gate.is_banned(source("192.0.2.67:5060"), at(60_000)));
    assert!(gate.is_banned(source(ATTACKER), at(359_998)));
    assert!(!gate.is_banned(source(ATTACKER), at(359_999)));
    assert_eq!(gate.counters().bans, 1);
}

#[test]
fn guesses_spread_thin_are_no_reason_for_a_ban() {
    let gate = Gate::default();
    for n in 0..1000 {
        gate.wrong_credentials(source(ATTACKER), at(n * 6_667));
        assert!(!gate.is_banned(source(ATTACKER), at(n * 6_667)), "nine in any minute");
    }
}

#[test]
fn what_comes_during_a_ban_does_not_prolong_it() {
    let gate = Gate::default();
    for n in 0..100 {
        gate.wrong_credentials(source(ATTACKER), at(n * 1000));
    }
    assert!(!gate.is_banned(source(ATTACKER), at(309_000)));
    gate.wrong_credentials(source(ATTACKER), at(309_000));
    assert!(!gate.is_banned(source(ATTACKER), at(309_000)), "one guess after a ban is the first");
}

#[test]
fn a_ban_keeps_to_its_settings() {
    let second = Duration::from_secs(1);
    let ban = BanSettings { failures: 2, window: second, duration: second * 2 };
    let gate = Gate::new(GateSettings { ban, ..GateSettings::default() });
    gate.wrong_credentials(source(ATTACKER), at(0));
    gate.wrong_credentials(source(ATTACKER), at(1000));
    assert!(!gate.is_banned(source(ATTACKER), at(1000)));
    gate.wrong_credentials(source(ATTACKER), at(1999));
    assert!(gate.is_banned(source(ATTACKER), at(3998)));
    assert!(!gate.is_banned(source(ATTACKER), at(3999)));

    let brief = BanSettings { failures: 2, window: second * 10, duration: second };
    let gate = Gate::new(GateSettings { ban: brief, ..GateSettings::default() });
    gate.wrong_credentials(source(ATTACKER), at(0));
    gate.wrong_credentials(source(ATTACKER), at(0));
    assert!(gate.is_banned(source(ATTACKER), at(999)));
    gate.wrong_credentials(source(ATTACKER), at(1000));
    assert!(!gate.is_banned(source(ATTACKER), at(1000)), "a ban settles what led to it");

    let never = BanSettings { failures: 0, ..ban };
    let gate = Gate::new(GateSettings { ban: never, ..GateSettings::default() });
    (0..1000).for_each(|_| gate.wrong_credentials(source(ATTACKER), at(0)));
    assert!(!gate.is_banned(source(ATTACKER), at(0)));
}

#[test]
fn an_ipv6_peer_is_its_network() {
    let gate = Gate::default();
    for host in 0..10 {
        gate.wrong_credentials(source(&format!("[2001:db8:1:2::{host:x}]:5060")), at(0));
    }
    assert!(gate.is_banned(source("[2001:db8:1:2:ffff::1]:9"), at(0)));
    assert!(!gate.is_banned(source("[2001:db8:1:3::1]:5060"), at(0)));

    let whole = Gate::new(GateSettings { ipv6_prefix: 128, ..GateSettings::default() });
    for host in 0..10 {
        whole.wrong_credentials(source(&format!("[2001:db8:1:2::{host:x}]:5060")), at(0));
    }
    assert!(!whole.is_banned(source("[2001:db8:1:2::1]:5060"), at(0)));
    assert_eq!(network(Ipv6Addr::LOCALHOST, 0), 0, "a prefix of nothing is one network");
}

#[test]
fn challenges_ten_times_a_second_and_address() {
    let gate = Gate::default();
    let challenged =
        |text, millis| (0..50).filter(|_| gate.admit_challenge(source(text), at(millis))).count();
    assert_eq!(challenged(ATTACKER, 1000), 10);
    assert_eq!(challenged("192.0.2.66:9999", 1000), 0, "the address, not the port");
    assert_eq!(challenged("192.0.2.67:5060", 1000), 10);
    assert_eq!(challenged(ATTACKER, 1500), 5);
    assert_eq!(challenged(ATTACKER, 9000), 10);
    assert!(gate.counters().challenges_withheld > 0);

    let free = Gate::new(GateSettings { challenges_per_second: 0, ..GateSettings::default() });
    assert!((0..1000).all(|_| free.admit_challenge(source(ATTACKER), at(0))));
}

#[test]
fn a_flood_of_addresses_costs_bounded_memory_and_frees_no_banned_one() {
    let gate = Gate::default();
    for _ in 0..10 {
        gate.wrong_credentials(source(ATTACKER), at(0));
    }
    for n in 0..500_000_u32 {
        let flood = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + n).into(), 5060);
        gate.wrong_credentials(flood, at(1));
        gate.admit_challenge(flood, at(1));
    }
    assert!(gate.bans.known() <= MAX_SOURCES && gate.challenges.known() <= MAX_SOURCES);
    assert!(gate.bans.known() > MAX_SOURCES / 2, "the flood has really filled it");
    assert!(gate.counters().sources_pushed_out > 500_000, "and was counted");
    assert!(gate.is_banned(source(ATTACKER), at(2)), "a ban outlives what matters less");
}

#[test]
fn an_address_that_matters_no_more_makes_way_unnoticed() {
    let gate = Gate::default();
    for n in 0..100_000_u32 {
        // Each a second apart: the one before has all its challenges again.
        let one = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + n).into(), 5060);
        assert!(gate.admit_challenge(one, at(1000 + u64::from(n) * 1000)));
    }
    assert_eq!(gate.counters().sources_pushed_out, 0);
}
