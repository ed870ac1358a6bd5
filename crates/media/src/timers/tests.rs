//! The heap and the wheel.

use core::time::Duration;

use slotmap::SlotMap;

use super::*;

fn keys() -> [SessionKey; 3] {
    let mut sessions = SlotMap::<SessionKey, ()>::with_key();
    [(); 3].map(|()| sessions.insert(()))
}

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn due(timers: &mut Timers, now: Instant) -> Vec<(u64, SessionKey)> {
    let mut all = Vec::new();
    let mut tickers = Vec::new();
    while let Some(tick) = timers.pop_grid(now, &mut tickers) {
        all.extend(tickers.iter().map(|ticker| (tick * 5, ticker.session)));
    }
    all
}

#[test]
fn ticks_come_in_order_on_the_grid_and_never_before_they_are_due() {
    let [a, b, c] = keys();
    let mut timers = Timers::default();
    let now = ms(1_000_002);
    for (session, at) in [(a, 1_000_031), (b, 1_000_002), (c, 1_000_005)] {
        timers.tick_at(now, ms(at), Ticker { session, side: Side::A });
    }
    assert_eq!(timers.next(), Some(ms(1_000_005)));
    assert_eq!(due(&mut timers, ms(1_000_004)), []);
    assert_eq!(due(&mut timers, ms(1_000_005)), [(1_000_005, b), (1_000_005, c)]);
    assert_eq!(timers.next(), Some(ms(1_000_035)));
    assert_eq!(due(&mut timers, ms(2_000_000)), [(1_000_035, a)]);
    assert_eq!(timers.next(), None);
}

#[test]
fn what_is_due_far_off_is_looked_at_on_the_way() {
    let [a, ..] = keys();
    let mut timers = Timers::default();
    let ticker = Ticker { session: a, side: Side::A };
    let tick = timers.tick_at(ms(10), ms(5000), ticker);
    assert!(tick * 5 <= 330);
    assert_eq!(due(&mut timers, ms(330)).len(), 1);
    // The wheel has turned; a long rest does not make it late.
    timers.tick_at(ms(90_000), ms(90_010), ticker);
    assert_eq!(timers.next(), Some(ms(90_010)));
}

#[test]
fn a_driver_that_is_late_misses_nothing() {
    let [a, b, _] = keys();
    let mut timers = Timers::default();
    timers.tick_at(ms(0), ms(100), Ticker { session: a, side: Side::A });
    timers.tick_at(ms(900), ms(905), Ticker { session: b, side: Side::B });
    let all: Vec<SessionKey> = due(&mut timers, ms(1000)).into_iter().map(|due| due.1).collect();
    assert_eq!(all, [a, b]);
}

#[test]
fn far_times_come_in_order() {
    let [a, b, c] = keys();
    let mut timers = Timers::default();
    for (session, at) in [(a, 70), (b, 50), (c, 60)] {
        timers.arm(ms(at), session);
    }
    timers.tick_at(ms(0), ms(55), Ticker { session: a, side: Side::A });
    assert_eq!(timers.next(), Some(ms(50)));
    assert_eq!(timers.pop_far(ms(60)), Some((ms(50), b)));
    assert_eq!(timers.pop_far(ms(60)), Some((ms(60), c)));
    assert_eq!(timers.pop_far(ms(60)), None);
    assert_eq!(timers.next(), Some(ms(55)));
    let rest = ms(70) - ms(60);
    assert_eq!(rest, Duration::from_millis(10));
    assert_eq!(timers.pop_far(ms(70)), Some((ms(70), a)));
}
