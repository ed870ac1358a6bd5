//! The usual cast: a caller's carrier, the called side's, and what every run must end with.

use std::time::Duration;

use mediator_call::io::MediaMode;
use mediator_sim::{CALLED, CALLER, Party, REDIRECT, Sim, Stage, Wire};

/// The caller's place among the agents.
pub(crate) const ALICE: usize = 0;
/// The called side's.
pub(crate) const BOB: usize = 1;

/// A world with Alice at 10.1.0.1 and Bob at 10.2.0.1, who rings and answers.
pub(crate) fn world(seed: u64, stage: Stage) -> Sim {
    let mut sim = Sim::new(seed, stage);
    cast(&mut sim);
    sim
}

/// Brings in Alice and Bob.
pub(crate) fn cast(sim: &mut Sim) {
    sim.agent("alice", Party::A, "10.1.0.1:5060", CALLER);
    sim.agent("bob", Party::B, "10.2.0.1:5060", CALLED);
    sim.ua(BOB).answers();
}

/// The usual stage, where we carry media.
pub(crate) fn relayed() -> Stage {
    let mut stage = Stage::usual();
    stage.settings.media.mode = MediaMode::Relay;
    stage
}

/// As [`masked`], where we carry media and both sides speak.
pub(crate) fn speaking(seed: u64) -> Sim {
    speaking_on(seed, relayed())
}

/// As [`speaking`], on another stage.
pub(crate) fn speaking_on(seed: u64, stage: Stage) -> Sim {
    let mut sim = world(seed, stage);
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.voice = true;
    }
    sim
}

/// As [`world`], where neither side may learn the other's number.
pub(crate) fn masked(seed: u64) -> Sim {
    let mut sim = world(seed, Stage::usual());
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    sim
}

/// Alice calls; gives the call once both sides are connected.
pub(crate) fn connect(sim: &mut Sim) -> usize {
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).confirmed(), 1, "alice is connected");
    assert_eq!(sim.ua(BOB).confirmed(), 1, "bob is connected");
    call
}

/// Everything ends, and nothing is left or leaked.
pub(crate) fn ends_well(sim: &mut Sim) {
    let faults = sim.settle(Party::A);
    assert!(faults.is_empty(), "{}\n{}", sim.trace(), faults.join("\n"));
}

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many milliseconds.
pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Alice calls a number and the world runs for so long; gives what she was answered in the end.
pub(crate) fn outcome(sim: &mut Sim, number: &str, span: Duration) -> Option<Wire> {
    let call = sim.ua(ALICE).invite(number);
    sim.run_for(span);
    sim.ua(ALICE).calls[call].answer.clone()
}

/// The code of a final response; 0 without one.
pub(crate) fn code(answer: Option<&Wire>) -> u16 {
    answer.map_or(0, Wire::status)
}
