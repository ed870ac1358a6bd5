//! The wheel against a plain sorted list.

use super::{TICK_BITS, TimerId, Wheel};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use mediator_model::Instant;
use proptest::prelude::*;

const TICK: Duration = Duration::from_nanos(1 << TICK_BITS);

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn drain<K: Copy>(wheel: &mut Wheel<K>, now: Instant) -> Vec<K> {
    core::iter::from_fn(|| wheel.expire(now)).collect()
}

/// Fires one timer by waking exactly when the wheel asks for it; tells when it fired and how often it woke.
fn ride(wheel: &mut Wheel<u8>) -> (Instant, usize) {
    let mut wakes = 0;
    loop {
        let now = wheel.next_deadline().unwrap();
        wakes += 1;
        if wheel.expire(now).is_some() {
            return (now, wakes);
        }
    }
}

#[test]
fn fires_within_a_tick_and_never_early() {
    let starts = [0, 1, 62, 63, 64, 4_095, 4_096, 262_143, 123_456_789];
    let spans =
        [1, 2, 10, 66, 67, 68, 500, 4_000, 4_294, 4_295, 5_000, 32_000, 120_000, 14_400_000];
    for start in starts {
        for span in spans {
            let mut wheel = Wheel::new();
            assert_eq!(wheel.expire(ms(start)), None);
            let deadline = ms(start + span) + Duration::from_nanos(1);
            wheel.insert(deadline, 0);
            let (fired, wakes) = ride(&mut wheel);
            assert!(fired >= deadline, "{start} {span}");
            assert!(fired - deadline < TICK, "{start} {span}");
            // One for each digit of the span, and one where the sum carries.
            let most = 2 + span.ilog2() as usize / 6;
            assert!(wakes <= most, "{start} {span}: {wakes}");
            assert!(wheel.is_empty() && wheel.next_deadline().is_none());
        }
    }
}

#[test]
fn past_deadline_fires_at_once() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.expire(ms(10_000)), None);
    wheel.insert(ms(3), 'a');
    wheel.insert(ms(10_000), 'b');
    assert_eq!(drain(&mut wheel, ms(10_002)).len(), 2);
}

#[test]
fn long_sleep_gives_out_everything_in_order() {
    let mut wheel = Wheel::new();
    for n in 0..10_000_u64 {
        // A fixed permutation: 7919 is prime to 10,000.
        let millis = n * 7_919 % 10_000 * 37;
        wheel.insert(ms(millis), millis);
    }
    let fired = drain(&mut wheel, ms(86_400_000));
    assert_eq!(fired.len(), 10_000);
    assert!(fired.is_sorted());
    assert!(wheel.is_empty());
}

#[test]
fn later_timers_stay_when_earlier_ones_fire() {
    let mut wheel = Wheel::new();
    wheel.insert(ms(5_000), 5);
    wheel.insert(ms(32_000), 32);
    wheel.insert(ms(500), 0);
    assert_eq!(drain(&mut wheel, ms(31_999)), vec![0, 5]);
    assert_eq!(drain(&mut wheel, ms(32_002)), vec![32]);
}

#[test]
fn cancelled_timer_never_fires_and_its_id_stays_stale() {
    let mut wheel = Wheel::new();
    let first = wheel.insert(ms(100), 1);
    assert_eq!(wheel.cancel(first), Some(1));
    assert_eq!(wheel.cancel(first), None);
    let second = wheel.insert(ms(100), 2);
    assert_eq!(wheel.cancel(first), None, "the entry is used again, the id is not");
    assert_ne!(first, second);
    assert_eq!(drain(&mut wheel, ms(200)), vec![2]);
    assert_eq!(wheel.cancel(second), None);
}

#[test]
fn arm_moves_both_ways_and_cancels() {
    let mut wheel = Wheel::new();
    let mut timer = None;
    wheel.arm(&mut timer, Some(ms(1_000)), 'x');
    wheel.arm(&mut timer, Some(ms(50)), 'x');
    assert_eq!(wheel.len(), 1);
    assert_eq!(drain(&mut wheel, ms(52)), vec!['x']);
    wheel.arm(&mut timer, Some(ms(60)), 'y');
    wheel.arm(&mut timer, Some(ms(9_000)), 'z');
    assert_eq!(drain(&mut wheel, ms(8_999)), vec![]);
    wheel.arm(&mut timer, None, 'z');
    assert!(timer.is_none() && wheel.is_empty());
    wheel.arm(&mut timer, None, 'z');
    assert!(timer.is_none());
}

#[test]
fn memory_is_that_of_the_most_timers_at_once() {
    let mut wheel = Wheel::new();
    let mut timer = None;
    for n in 0..100_000_u64 {
        wheel.arm(&mut timer, Some(ms(n + 32_000)), n);
        let other = wheel.insert(ms(n + 10), n);
        if n % 2 == 0 {
            wheel.cancel(other);
        }
        while wheel.expire(ms(n)).is_some() {}
    }
    assert!(wheel.entries.len() < 20, "{}", wheel.entries.len());
    assert!(size_of::<super::Entry<u64>>() <= 32);
}

#[test]
fn clock_that_steps_back_fires_nothing_early() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.expire(ms(1_000)), None);
    wheel.insert(ms(1_500), 'a');
    assert_eq!(wheel.expire(ms(400)), None);
    wheel.insert(ms(1_200), 'b');
    assert_eq!(drain(&mut wheel, ms(1_202)), vec!['b']);
    assert_eq!(drain(&mut wheel, ms(1_502)), vec!['a']);
}

#[test]
fn end_of_time_is_a_deadline_like_any_other() {
    let mut wheel = Wheel::new();
    wheel.insert(Instant::FAR_FUTURE, 'z');
    wheel.insert(ms(1), 'a');
    assert_eq!(drain(&mut wheel, ms(1_000_000_000_000)), vec!['a']);
    assert_eq!(wheel.len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    InsertPast(u64),
    Move(usize, u64),
    Cancel(usize),
    Advance(u64),
}

fn span() -> impl Strategy<Value = u64> {
    // Microseconds up to about five hours, every magnitude equally likely.
    (0_u32..34, any::<u64>()).prop_map(|(bits, value)| value & ((1 << bits) - 1))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => span().prop_map(Step::Insert),
        1 => span().prop_map(Step::InsertPast),
        2 => (any::<usize>(), span()).prop_map(|(which, span)| Step::Move(which, span)),
        2 => any::<usize>().prop_map(Step::Cancel),
        3 => span().prop_map(Step::Advance),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_list(steps in prop::collection::vec(step(), 1..200)) {
        let mut wheel = Wheel::new();
        let mut list: Vec<(usize, Instant, TimerId)> = Vec::new();
        let mut now = Instant::ZERO;
        for (key, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(micros) => {
                    let deadline = now + Duration::from_micros(micros);
                    list.push((key, deadline, wheel.insert(deadline, key)));
                }
                Step::InsertPast(micros) => {
                    let past = Duration::from_micros(micros).as_nanos() as u64;
                    let deadline = Instant::from_nanos(now.as_nanos().saturating_sub(past));
                    // It is due now, and so counts from now.
                    list.push((key, now, wheel.insert(deadline, key)));
                }
                Step::Move(which, micros) if !list.is_empty() => {
                    let which = which % list.len();
                    list[which].1 = now + Duration::from_micros(micros);
                    let mut timer = Some(list[which].2);
                    wheel.arm(&mut timer, Some(list[which].1), list[which].0);
                    prop_assert_eq!(timer, Some(list[which].2));
                }
                Step::Cancel(which) if !list.is_empty() => {
                    let (key, _, timer) = list.swap_remove(which % list.len());
                    prop_assert_eq!(wheel.cancel(timer), Some(key));
                }
                Step::Move(..) | Step::Cancel(_) => {}
                Step::Advance(micros) => {
                    now += Duration::from_micros(micros);
                    let mut last = Instant::ZERO;
                    while let Some(key) = wheel.expire(now) {
                        let at = list.iter().position(|timer| timer.0 == key).unwrap();
                        let (_, deadline, _) = list.swap_remove(at);
                        prop_assert!(deadline <= now, "early");
                        prop_assert!(deadline + TICK >= last, "out of order");
                        last = deadline;
                    }
                    prop_assert!(list.iter().all(|timer| timer.1 + TICK > now), "late");
                }
            }
            prop_assert_eq!(wheel.len(), list.len());
            let first = list.iter().map(|timer| timer.1).min();
            prop_assert_eq!(wheel.next_deadline().is_some(), first.is_some());
            if let (Some(wake), Some(first)) = (wheel.next_deadline(), first) {
                prop_assert!(wake <= first + TICK, "the driver would sleep too long");
            }
        }
    }
}
