//! A fuzzer for a stable compiler: inputs are changed at random, those that show something new are kept
//! and changed further, and one that breaks a rule is written down.
//!
//! By default a fixed number of inputs, always the same ones. `FUZZ_SECONDS=3600` goes on for that long
//! from a new seed; `FUZZ_SEED` sets it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

/// The most inputs that are kept to change further.
const POOL: usize = 4096;
/// The most kinds of outcome that are remembered.
const OUTCOMES: usize = 1_000_000;
/// No input may take longer, on a slow and busy machine.
const SLOWEST: Duration = Duration::from_millis(500);
/// Longer inputs are not kept to be changed further.
const LONGEST_KEPT: usize = 8192;

/// What is tried.
pub(crate) struct Target<'a> {
    /// Names the file of an input that fails.
    pub(crate) name: &'a str,
    /// The inputs to begin with.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Pieces of the grammar, to be put in.
    pub(crate) pieces: &'a [&'a [u8]],
    /// How many inputs are tried by default.
    pub(crate) inputs: u64,
    /// Once in a while an input is made this long.
    pub(crate) largest: usize,
    /// Panics where a rule is broken; else tells what kind of outcome it was.
    pub(crate) check: fn(&[u8]) -> u64,
}

/// The files of a folder beside the tests, by name.
pub(crate) fn corpus(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.into_iter().map(|path| fs::read(path).expect("a readable file")).collect()
}

impl Target<'_> {
    /// Tries inputs until there have been enough.
    pub(crate) fn run(self) {
        let number = |name| -> Option<u64> {
            env::var(name)
                .ok()
                .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
        };
        let limit = number("FUZZ_SECONDS").map(Duration::from_secs);
        let now = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |age| age.as_secs());
        let seed = number("FUZZ_SEED").unwrap_or_else(|| if limit.is_some() { now() } else { 1 });
        let mut dice = Dice(seed);
        let mut pool = self.seeds.clone();
        let mut outcomes: HashSet<u64> =
            pool.iter().map(|input| self.try_one(input, seed)).collect();
        let start = Instant::now();
        let mut tried = 0;
        while limit.map_or(tried < self.inputs, |limit| start.elapsed() < limit) {
            tried += 1;
            let input = self.change(&mut dice, &pool);
            let outcome = self.try_one(&input, seed);
            let is_new = outcomes.len() < OUTCOMES && outcomes.insert(outcome);
            if is_new && input.len() <= LONGEST_KEPT {
                // A full pool forgets one at random.
                if pool.len() == POOL {
                    pool.swap_remove(dice.below(POOL));
                }
                pool.push(input);
            }
        }
        println!("{}: {tried} inputs, {} outcomes, seed {seed}", self.name, outcomes.len());
    }

    /// The outcome of one input; ends the test where a rule is broken or it takes too long.
    fn try_one(&self, input: &[u8], seed: u64) -> u64 {
        let mut slow_times = 0;
        loop {
            let began = Instant::now();
            let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| (self.check)(input))) else {
                self.report(input, seed, "a rule is broken")
            };
            if began.elapsed() <= SLOWEST {
                return outcome;
            }
            // A machine that did something else is not slow three times.
            slow_times += 1;
            if slow_times == 3 {
                self.report(input, seed, "too slow");
            }
        }
    }

    /// One to four changes: to bytes, to words, to whole lines, or with another input.
    fn change(&self, dice: &mut Dice, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut input = dice.pick(pool).clone();
        for _ in 0..=dice.below(4) {
            let at = dice.below(input.len() + 1);
            let end = (at + dice.below(20)).min(input.len());
            match dice.below(9) {
                0 => {
                    let byte = dice.below(256) as u8;
                    input.iter_mut().skip(at).take(1).for_each(|old| *old = byte);
                }
                1 | 2 => drop(input.splice(at..at, dice.pick(self.pieces).iter().copied())),
                3 => drop(input.splice(at..end, dice.pick(self.pieces).iter().copied())),
                4 => drop(input.drain(at..end)),
                5 => input.truncate(at),
                6 | 7 => move_line(dice, &mut input),
                _ => {
                    let other = dice.pick(pool);
                    let from = dice.below(other.len() + 1);
                    input.truncate(at);
                    input.extend(other.iter().skip(from));
                }
            }
        }
        if dice.below(2000) == 0 && !input.is_empty() {
            input = input.repeat(self.largest / input.len() + 1);
            input.truncate(self.largest);
        }
        input
    }

    fn report(&self, input: &[u8], seed: u64, what: &str) -> ! {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{seed}", self.name));
        fs::write(&path, input).expect("a folder for what fails");
        panic!("{}: {what}: seed {seed}, input {}", self.name, path.display());
    }
}

/// Repeats, drops or moves one line.
fn move_line(dice: &mut Dice, input: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> =
        input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let from = dice.below(lines.len());
    let line = match dice.below(3) {
        0 => dice.pick(&lines).clone(),
        _ => lines.remove(from),
    };
    if dice.below(3) > 0 {
        lines.insert(dice.below(lines.len() + 1), line);
    }
    *input = lines.concat();
}

/// `SplitMix64`: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        all.get(self.below(all.len())).expect("not empty")
    }
}
