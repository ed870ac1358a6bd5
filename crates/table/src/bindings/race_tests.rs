//! Races on real threads.

use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::thread;

use super::tests::{number, sid, to};
use super::*;

const THREADS: usize = 8;
const NOW: UnixMillis = UnixMillis(0);

fn did(n: usize) -> Number {
    number(&format!("1516{n:07}"))
}

fn caller(thread: usize) -> Number {
    number(&format!("1555000{thread:04}"))
}

fn waiting_at(n: usize) -> Binding {
    Binding {
        key: BindingKey { redirect_did: did(n), origination_did: None },
        claim: ClaimWindow::OpenUntil(UnixMillis(300).into()),
        ..to(n as u128, None)
    }
}

fn table_of_waiting(count: usize) -> BindingTable {
    let table = BindingTable::with_capacity(count);
    for n in 0..count {
        table.insert(Arc::new(waiting_at(n)), NOW).unwrap();
    }
    table
}

/// Runs `act` with each thread's number, all from the same moment on, and collects what they return.
fn at_once<R: Send>(act: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let start = Barrier::new(THREADS);
    let run = |thread| {
        start.wait();
        act(thread)
    };
    thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || run(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn exactly_one_of_simultaneous_callers_wins_each_binding() {
    const BINDINGS: usize = 5000;
    let table = table_of_waiting(BINDINGS);
    let wins = at_once(|thread| {
        let claims = |n: &usize| {
            let found = table.lookup(did(*n), Some(caller(thread)), NOW);
            let claim = match &found {
                Some(found) if found.rule == MatchRule::Claim => {
                    table.claim(did(*n), found.binding.sid, caller(thread), NOW)
                }
                Some(_) | None => Claim::Lost,
            };
            match claim {
                Claim::Won(binding) => {
                    assert_eq!(binding.key.origination_did, Some(caller(thread)));
                    true
                }
                Claim::Lost => {
                    // "Look up once more": it is somebody else's by now.
                    assert!(table.lookup(did(*n), Some(caller(thread)), NOW).is_none());
                    false
                }
            }
        };
        // Each thread begins elsewhere and all meet everywhere.
        let from = thread * BINDINGS / THREADS;
        (0..BINDINGS).map(|n| (n + from) % BINDINGS).filter(claims).collect::<Vec<_>>()
    });
    let mut winners = vec![None; BINDINGS];
    for (thread, won) in wins.iter().enumerate() {
        for n in won {
            assert_eq!(winners[*n].replace(thread), None, "two winners of {n}");
        }
    }
    for (n, winner) in winners.into_iter().enumerate() {
        let winner = winner.expect("one winner each");
        let found = table.lookup(did(n), Some(caller(winner)), NOW).unwrap();
        assert_eq!((found.rule, found.binding.sid), (MatchRule::Exact, sid(n as u128)));
    }
    assert_eq!(table.len(), BINDINGS);
}

#[test]
fn eight_threads_at_one_binding_have_one_winner_a_thousand_times() {
    const ROUNDS: usize = 1000;
    let table = table_of_waiting(ROUNDS);
    let round = Barrier::new(THREADS);
    let wins: usize = at_once(|thread| {
        let wins = (0..ROUNDS).filter(|n| {
            round.wait();
            match table.claim(did(*n), sid(*n as u128), caller(thread), NOW) {
                Claim::Won(_) => true,
                Claim::Lost => false,
            }
        });
        wins.count()
    })
    .into_iter()
    .sum();
    assert_eq!(wins, ROUNDS);
}

#[test]
fn the_claiming_caller_finds_its_binding_at_every_moment() {
    const BINDINGS: usize = 4000;
    let table = table_of_waiting(BINDINGS);
    let me = caller(0);
    // Second calls of the same caller, at the very time of the claim: each binding is looked up until it has moved.
    let reached: [AtomicUsize; THREADS] = Default::default();
    at_once(|thread| {
        for n in 0..BINDINGS {
            if thread == 0 {
                table.claim(did(n), sid(n as u128), me, NOW);
                // Let one reader catch up, or the claims would run ahead of them all; but not for ever, should all fail.
                let caught_up = || reached.iter().skip(1).any(|at| at.load(Ordering::Relaxed) > n);
                for _ in 0..1000 {
                    if caught_up() {
                        break;
                    }
                    thread::yield_now();
                }
                continue;
            }
            loop {
                let found = table.lookup(did(n), Some(me), NOW);
                if found.unwrap_or_else(|| panic!("{n} is nowhere")).rule == MatchRule::Exact {
                    break;
                }
            }
            reached[thread].store(n + 1, Ordering::Relaxed);
        }
    });
}

#[test]
fn readers_see_whole_bindings_while_writers_work() {
    const BINDINGS: usize = 64;
    let table = table_of_waiting(BINDINGS);
    let done = AtomicBool::new(false);
    at_once(|thread| {
        if thread < 2 {
            for round in 0..20_000_u64 {
                let n = (round as usize * 7 + thread) % BINDINGS;
                let Some(read) = table.by_sid(sid(n as u128), NOW) else { continue };
                let mut next = waiting_at(n);
                next.expires = Some(UnixMillis(1000 + round).into());
                next.claim = ClaimWindow::OpenUntil(UnixMillis(1000 + round).into());
                match table.replace(&read, Arc::new(next), NOW) {
                    Ok(_) | Err(WriteError::Stale) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            done.store(true, Ordering::Relaxed);
        } else {
            while !done.load(Ordering::Relaxed) {
                for n in 0..BINDINGS {
                    let found = table.lookup(did(n), None, NOW).expect("it is always there");
                    let binding = found.binding;
                    assert_eq!(binding.sid, sid(n as u128));
                    match (binding.claim, binding.expires) {
                        (ClaimWindow::OpenUntil(until), Some(end)) => assert_eq!(until, end),
                        (_, None) => {}
                        (ClaimWindow::Closed, Some(_)) => panic!("nobody closes it"),
                    }
                }
            }
        }
    });
    assert_eq!(table.iter(NOW).count(), BINDINGS);
}

#[test]
fn inserts_of_one_key_have_one_winner() {
    const KEYS: usize = 2000;
    let table = BindingTable::with_capacity(KEYS);
    let wins: usize = at_once(|thread| {
        let insert = |n: &usize| {
            let sid = sid((thread * KEYS + n) as u128);
            table.insert(Arc::new(Binding { sid, ..waiting_at(*n) }), NOW).is_ok()
        };
        (0..KEYS).filter(insert).count()
    })
    .into_iter()
    .sum();
    assert_eq!((wins, table.len()), (KEYS, KEYS));
}
