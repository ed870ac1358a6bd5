//! Mutates the descriptions of `corpus-sdp` and checks what must hold for every input.
//!
//! 30,000 inputs by default, always the same ones; `FUZZ_SECONDS=3600` goes on for that long from a new
//! seed, `FUZZ_SEED` sets it. An input that fails is written to the target folder and named: it belongs
//! into the corpus.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use mediator_sip::sdp::{Crossing, MAX_SDP_BYTES, SessionDescription, rewrite_direct, sdp_body};

const DEFAULT_INPUTS: u64 = 30_000;
/// The most inputs that are kept to mutate further.
const POOL: usize = 4096;
/// The most kinds of outcome that are remembered.
const OUTCOMES: usize = 1_000_000;
/// An input of the largest size must not take longer, on a slow and busy machine.
const SLOWEST: Duration = Duration::from_millis(500);

/// Pieces to splice in: letters of the grammar and numbers that must not cross.
const PIECES: [&str; 44] = [
    "15551230001",
    "+15551230001",
    "4294967296",
    "65536",
    "0",
    "1",
    "-",
    "/",
    ":",
    ";",
    ",",
    "|",
    "=",
    "*",
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    "m=audio 4000 RTP/AVP 0 96\r\n",
    "m=video 4002 RTP/AVP 97\r\n",
    "m=image 4004 udptl t38\r\n",
    "c=IN IP4 0.0.0.0\r\n",
    "c=IN IP6 ::1\r\n",
    "a=rtpmap:96 opus/48000/2\r\n",
    "a=rtpmap:97 H264/90000\r\n",
    "a=fmtp:96 ",
    "a=fmtp:97 ",
    "a=sendonly\r\n",
    "a=inactive\r\n",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk\r\n",
    "2^20",
    "a=rtcp:4001 IN IP4 192.0.2.1\r\n",
    "a=rtcp-fb:* trr-int ",
    "a=T38FaxMaxBuffer:",
    "mode-set=",
    "apt=97",
    "profile-level-id=42e01f",
    "0-15",
    "telephone-event/8000",
    "red/8000",
    "RTP/SAVP",
    ".invalid",
];

/// `SplitMix64`: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-sdp");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sdp"))
        .collect();
    files.sort();
    files.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One to four changes: to bytes, to words, to whole lines, or with another input.
fn mutate(dice: &mut Dice, pool: &[Vec<u8>]) -> Vec<u8> {
    let mut text = dice.pick(pool).clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(text.len() + 1);
        match dice.below(8) {
            0 if at < text.len() => text[at] = (dice.roll() & 255) as u8,
            1 => drop(text.splice(at..at, dice.pick(&PIECES).bytes())),
            2 => {
                let end = (at + dice.below(12)).min(text.len());
                text.splice(at..end, dice.pick(&PIECES).bytes());
            }
            3 => drop(text.drain(at..(at + dice.below(20)).min(text.len()))),
            4 => text.truncate(at),
            5 | 6 => shuffle_lines(dice, &mut text),
            _ => {
                let other = dice.pick(pool);
                let from = dice.below(other.len() + 1);
                text.truncate(at);
                text.extend_from_slice(&other[from..]);
            }
        }
    }
    if dice.below(2000) == 0 && !text.is_empty() {
        // Once in a while as large as may be.
        let times = MAX_SDP_BYTES / text.len() + 1;
        text = text.repeat(times);
        text.truncate(MAX_SDP_BYTES);
    }
    text
}

/// Repeats, drops or moves one line.
fn shuffle_lines(dice: &mut Dice, text: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> =
        text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let from = dice.below(lines.len());
    let line = match dice.below(3) {
        0 => lines[from].clone(),
        _ => lines.remove(from),
    };
    if dice.below(3) > 0 {
        lines.insert(dice.below(lines.len() + 1), line);
    }
    *text = lines.concat();
}

/// Reads and rewrites one input, and says what kind of outcome it had so that new kinds are kept.
fn check(text: &[u8]) -> u64 {
    let crossing =
        Crossing { session_id: 1, session_version: 1, our_address: "203.0.113.1".parse().unwrap() };
    let mut outcome = DefaultHasher::new();
    let _ = sdp_body(Some(b"multipart/mixed;boundary=-"), text);
    let read = SessionDescription::parse(text);
    if let Ok(read) = &read {
        let codecs = read.media.iter().map(|media| media.codecs().count()).sum::<usize>();
        (read.is_hold(), codecs, read.media.len()).hash(&mut outcome);
    }
    match rewrite_direct(text, &crossing) {
        Err(fault) => std::mem::discriminant(&fault).hash(&mut outcome),
        Ok(written) => {
            let read = read.expect("what was rewritten was read");
            let shown = std::str::from_utf8(&written).expect("ASCII");
            check_lines(shown);
            let again = rewrite_direct(&written, &crossing);
            assert_eq!(again.as_deref(), Ok(&written[..]), "written differently the second time");
            assert_eq!(shown.matches("\r\nm=").count(), read.media.len(), "sections lost or made");
            for line in shown.lines() {
                let parameters = line.matches([';', '|', ',']).count();
                (line.split([':', ' ']).next(), parameters).hash(&mut outcome);
            }
        }
    }
    outcome.finish()
}

/// Every line is of a kind that may be there, and none but `o=` and keys has seven digits in a row.
fn check_lines(shown: &str) {
    const KINDS: [&str; 21] = [
        "v=0",
        "o=- 1 1 IN IP4 203.0.113.1",
        "s=-",
        "c=IN IP4 ",
        "c=IN IP6 ",
        "b=AS:",
        "t=0 0",
        "m=",
        "a=rtpmap:",
        "a=fmtp:",
        "a=rtcp-fb:",
        "a=ptime:",
        "a=maxptime:",
        "a=crypto:",
        "a=fingerprint:sha-",
        "a=setup:",
        "a=rtcp:",
        "a=rtcp-",
        "a=T38",
        "a=send",
        "a=",
    ];
    assert!(shown.is_ascii() && shown.ends_with("\r\n"));
    for line in shown.split_terminator("\r\n") {
        let kind =
            KINDS.iter().find(|kind| line.starts_with(**kind)).expect("a kind of line that may be");
        let plain = ["a=recvonly", "a=inactive"];
        assert!(*kind != "a=" || plain.contains(&line), "{line}");
        let line = match line.split_once(" inline:") {
            Some((before, key)) => {
                format!("{before} {}", key.find(['|', ' ']).map_or("", |end| &key[end..]))
            }
            None => line.to_owned(),
        };
        let longest = line.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        assert!(longest < Some(7), "a number crosses: {line}");
    }
}

#[test]
fn holds_for_mutated_descriptions() {
    let seconds =
        env::var("FUZZ_SECONDS").ok().map(|text| text.parse().expect("FUZZ_SECONDS: a number"));
    let limit = seconds.map(Duration::from_secs);
    let fresh = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |age| age.as_secs());
    let seed = match env::var("FUZZ_SEED") {
        Ok(text) => text.parse().expect("FUZZ_SEED: a number"),
        Err(_) if limit.is_some() => fresh(),
        Err(_) => 1,
    };
    let mut dice = Dice(seed);
    let mut pool = seeds();
    let mut outcomes: HashSet<u64> = pool.iter().map(|text| check(text)).collect();
    let start = Instant::now();
    let mut inputs = 0;
    while limit.map_or(inputs < DEFAULT_INPUTS, |limit| start.elapsed() < limit) {
        inputs += 1;
        let text = mutate(&mut dice, &pool);
        let outcome = outcome_in_time(&text, seed);
        if outcomes.len() < OUTCOMES && outcomes.insert(outcome) && text.len() < 8192 {
            let full = pool.len() >= POOL;
            if full { *dice_slot(&mut dice, &mut pool) = text } else { pool.push(text) }
        }
    }
    println!("{inputs} inputs, {} outcomes, seed {seed}", outcomes.len());
}

/// What is made of an input; ends the test where a rule is broken or it takes too long.
fn outcome_in_time(text: &[u8], seed: u64) -> u64 {
    let mut slow_times = 0;
    loop {
        let began = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| check(text)));
        let Ok(outcome) = result else { report(text, seed, "a rule is broken") };
        if text.len() > MAX_SDP_BYTES || began.elapsed() <= SLOWEST {
            return outcome;
        }
        // A machine that did something else is not slow three times.
        slow_times += 1;
        if slow_times == 3 {
            report(text, seed, "too slow");
        }
    }
}

fn dice_slot<'a>(dice: &mut Dice, pool: &'a mut [Vec<u8>]) -> &'a mut Vec<u8> {
    let at = dice.below(pool.len());
    &mut pool[at]
}

fn report(text: &[u8], seed: u64, what: &str) -> ! {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz_sdp-{seed}.sdp"));
    fs::write(&path, text).unwrap();
    panic!("{what}: seed {seed}, input {}", path.display());
}
