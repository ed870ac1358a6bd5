//! Random calls under 20 % loss, repetition and reordering: whatever both sides do, every call confirms or ends, and
//! nothing is left or leaked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_call::io::{Input, MediaMode};
use mediator_media::SoundFailure;
use mediator_model::{
    AllowForward, EndpointIndex, Secret, SipCredentials, Transport, TrunkGroupIndex,
};
use mediator_sim::{
    Answering, CALLED, CALLER, Dice, Media, Move, Party, Quirks, REDIRECT, Sim, Stage, What,
};

use crate::support::{ALICE, BOB, world};

/// Seeds of the normal suite.
const SEEDS: u64 = 10_000;
/// Seeds in a hundred in which both sides speak.
const SPEAKING: u64 = 15;

#[test]
fn every_call_confirms_or_ends() {
    play_all(SEEDS, play);
}

#[test]
fn the_same_seed_plays_the_same_call() {
    for seed in 0..20 {
        let (mut one, mut other) = (prepare(seed).0, prepare(seed).0);
        one.settle(Party::A);
        other.settle(Party::A);
        for who in [ALICE, BOB] {
            assert_eq!(one.ua(who).received, other.ua(who).received, "seed {seed}");
        }
    }
}

#[test]
fn many_of_them_have_media() {
    let (mut forwarded, mut generated, mut rewritten) = (0, 0, 0);
    for seed in 0..200 {
        let mut sim = prepare(seed).0;
        sim.settle(Party::A);
        let counters = sim.media_counters();
        forwarded += usize::from(counters.forwarded > 100);
        generated += usize::from(counters.generated > 50);
        rewritten += usize::from(counters.transcoded > 50);
    }
    assert!(forwarded > 2 && generated > 20, "{forwarded} {generated} {rewritten}");
    assert!(rewritten > 0, "both laws of G.711 meet");
}

/// Plays so many seeds, or those that the environment asks for; what is found broken fails the test.
pub(crate) fn play_all(usual: u64, play: fn(u64) -> (Vec<String>, String)) {
    if let Some(seed) = number_in("SIM_SEED") {
        let (faults, trace) = play(seed);
        assert!(faults.is_empty(), "{trace}\nseed {seed}:\n{}", faults.join("\n"));
        return;
    }
    let seeds = number_in("SIM_SEEDS").unwrap_or(usual);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, Into::into);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let run = || {
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return failed;
                }
                let played = std::panic::catch_unwind(|| play(seed).0);
                match played {
                    Ok(faults) if faults.is_empty() => {}
                    Ok(faults) => failed.push(format!("seed {seed}: {}", faults.join("; "))),
                    Err(_) => failed.push(format!("seed {seed}: panicked")),
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let shown: Vec<&str> = failed.iter().take(20).map(String::as_str).collect();
    assert!(failed.is_empty(), "{} of {seeds} failed:\n{}", failed.len(), shown.join("\n"));
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn play(seed: u64) -> (Vec<String>, String) {
    let (mut sim, first) = prepare(seed);
    let faults = sim.settle(first);
    (faults, sim.trace())
}

/// A call of that seed, about to be ended by the side that is named.
fn prepare(seed: u64) -> (Sim, Party) {
    let mut dice = Dice::new(seed);
    let stage = stage(&mut dice);
    let others = stage.endpoints.len().saturating_sub(4);
    let mut sim = world(seed, stage);
    for _ in 0..others {
        let host = sim.agents().len();
        sim.agent("carol", Party::B, &format!("10.2.0.{host}:5060"), CALLED);
    }
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    let udp = |at: &str| (Transport::Udp, at.parse().expect("an address"));
    sim.names.insert("bob.test".to_owned(), vec![udp("10.2.0.9:5060"), udp("10.2.0.1:5060")]);
    sim.claim_delay = match dice.below(10) {
        0 => None,
        1 => Some(Duration::from_secs(3)),
        _ => Some(dice.millis(0, 50)),
    };
    if dice.percent(90) {
        sim.net.loss(dice.below(21)).duplicates(dice.below(21)).delay(1, 2 + dice.below(700));
    }
    if dice.percent(50) {
        sim.media_net.loss(dice.below(21)).duplicates(dice.below(21)).delay(1, 2 + dice.below(200));
    }
    let speak = dice.percent(SPEAKING);
    for place in 0..sim.agents().len() {
        sim.ua(place).quirks = quirks(&mut dice);
        if speak {
            voice(&mut sim.ua(place).quirks, &mut dice);
        }
        if dice.percent(15) && place == ALICE {
            sim.ua(place).profile.transport = Transport::Tcp;
        }
        if place != ALICE {
            sim.ua(place).script = callee(&mut dice);
        }
    }
    if dice.percent(40) {
        phones(&mut sim, &mut dice);
    }
    for what in [What::Announcement, What::HoldMusic, What::Ringing] {
        if dice.percent(10) {
            sim.sounds.fails(what, SoundFailure::Undecoded);
        } else if dice.percent(30) {
            sim.sounds.lasts(what, dice.millis(0, 8000));
        }
    }
    sim.sounds.delay = dice.millis(0, 500);
    let calls = 1 + dice.below(3);
    for _ in 0..calls {
        let number = if dice.percent(30) { PHONE } else { REDIRECT };
        let call = sim.ua(ALICE).invite(number);
        for (after, what) in caller(&mut dice) {
            sim.ua(ALICE).later(call, after, what);
        }
        sim.run_for(dice.millis(0, 2000));
    }
    sim.run_for(dice.millis(500, 90_000));
    if dice.percent(5) {
        sim.tell(&Input::HangUpAll);
    }
    let first = if dice.percent(50) { Party::A } else { Party::B };
    (sim, first)
}

/// How an agent speaks.
fn voice(quirks: &mut Quirks, dice: &mut Dice) {
    const FORMATS: [&[(u8, &str)]; 4] = [
        &[(0, "PCMU/8000"), (101, "telephone-event/8000")],
        &[(8, "PCMA/8000"), (96, "telephone-event/8000"), (0, "PCMU/8000")],
        &[(9, "G722/8000"), (8, "PCMA/8000")],
        &[(111, "opus/48000/2"), (0, "PCMU/8000"), (110, "telephone-event/8000")],
    ];
    quirks.voice = dice.percent(80);
    quirks.early_voice = dice.percent(50);
    if dice.percent(50) {
        quirks.formats = dice.pick(&FORMATS).copied();
    }
    if dice.percent(20) {
        quirks.nat = Some([203, 0, 113, dice.below(4) as u8].into());
    }
}

/// The account's second number, whose binding leads to phones.
const PHONE: &str = "15162065347";

fn stage(dice: &mut Dice) -> Stage {
    let mut stage = Stage::usual();
    stage.shards = if dice.percent(30) { 4 } else { 1 };
    stage.phone("phil", "15550001001");
    stage.did(PHONE, TrunkGroupIndex(1));
    stage.bind(PHONE, None, "15550001001", &[("hide_origination_did", "true")]);
    let others = if dice.percent(25) { 1 + dice.below(2) } else { 0 };
    for host in 0..others {
        stage.way_out(2 + host as u8, dice.below(2) as u16, dice.below(3) as u16);
    }
    if dice.percent(10) {
        stage.wait_for_first_caller(Duration::from_mins(5));
    }
    if dice.percent(10) {
        stage.endpoints[1].capacity = 1;
    }
    if dice.percent(10) {
        stage.endpoints[2].cps_limit = 1;
    }
    if dice.percent(10) {
        stage.endpoints[1].addresses.clear();
        let name = if dice.percent(70) { "bob.test" } else { "never.test" };
        stage.address(EndpointIndex(1), name, 0);
    }
    if dice.percent(30) {
        let password = if dice.percent(70) { "secret" } else { "wrong" };
        stage.endpoints[1].out_credentials =
            Some(SipCredentials { username: "us".into(), password: Secret::new(password) });
    }
    if dice.percent(20) {
        stage.settings.session_expires = Duration::from_secs(90 + dice.below(60));
    }
    if dice.percent(10) {
        stage.settings.max_call_duration = dice.millis(500, 20_000);
    }
    if dice.percent(20) {
        let modes = [
            AllowForward::Direct,
            AllowForward::DirectUri,
            AllowForward::Protected,
            AllowForward::Reroute,
        ];
        stage.groups[0].trunks[0].allow_forward =
            dice.pick(&modes).copied().unwrap_or(AllowForward::Direct);
    }
    if dice.percent(60) {
        stage.settings.media.mode = MediaMode::Relay;
    }
    media_of(&mut stage, dice);
    stage
}

/// What the bindings have our media do.
fn media_of(stage: &mut Stage, dice: &mut Dice) {
    let ringbacks = ["false", "moh", "passthrough"];
    for binding in &mut stage.bindings {
        let attributes = binding.attributes.get_or_insert_default();
        if dice.percent(25) {
            attributes.set("announce", "welcome.wav").expect("a name of a file");
        }
        if let Some(ringback) = dice.pick(&ringbacks).filter(|_| dice.percent(40)) {
            attributes.set("ringback", ringback).expect("one of the words");
        }
        if dice.percent(20) {
            binding.dtmf = Some("1,2".into());
        }
    }
    stage.settings.media.answer_before_announce = dice.percent(30);
}

/// One to three phones of one user, behind UDP or TCP.
fn phones(sim: &mut Sim, dice: &mut Dice) {
    for host in 1..2 + dice.below(3) {
        let at = format!("10.3.0.{host}:5062");
        let phone = sim.agent("phone", Party::B, &at, "phil");
        if dice.percent(40) {
            sim.ua(phone).profile.transport = Transport::Tcp;
        }
        sim.ua(phone).quirks = quirks(dice);
        sim.ua(phone).quirks.challenges = false;
        sim.ua(phone).quirks.login = Some(("phil", "secret"));
        sim.ua(phone).script = callee(dice);
        sim.ua(phone).register_as(&format!("registration{host}"), 300);
    }
    sim.run_for(Duration::from_secs(5));
}

pub(crate) fn quirks(dice: &mut Dice) -> Quirks {
    let answering = |dice: &mut Dice| match dice.below(10) {
        0 => Answering::Refuse(488),
        1 => Answering::Refuse(491),
        2 => Answering::Refuse(500),
        3 => Answering::Silence,
        _ => Answering::Accept,
    };
    let requires_100rel = dice.percent(10);
    let login = dice.percent(20).then_some(("us", "secret"));
    Quirks {
        late_offer: dice.percent(15),
        supports_100rel: requires_100rel || dice.percent(30),
        requires_100rel,
        session_expires: dice.percent(30).then(|| {
            let role = dice.pick(&["", ";refresher=uac", ";refresher=uas"]).copied();
            format!("{}{}", 90 + dice.below(100), role.unwrap_or_default())
        }),
        min_se: dice.percent(5).then_some(1900),
        allows_update: dice.percent(60),
        reinvites: answering(dice),
        pracks_lost: dice.below(3) as u32,
        prackless: dice.percent(2),
        login,
        challenges: login.is_some() && dice.percent(50),
        acks_lost: if dice.percent(15) { dice.below(4) as u32 } else { 0 },
        ..Quirks::default()
    }
}

fn media(dice: &mut Dice) -> Media {
    dice.pick(&[Media::Active, Media::Hold, Media::OldHold, Media::Other])
        .copied()
        .unwrap_or(Media::Active)
}

fn in_call(dice: &mut Dice) -> Move {
    match dice.below(12) {
        0 | 1 => Move::Reinvite(media(dice)),
        2 => Move::LateReinvite,
        3 => Move::Update(None),
        4 => Move::Update(Some(media(dice))),
        5 => Move::Info('5'),
        6 => Move::OddInfo,
        7 => Move::Options,
        8 => Move::Replay,
        9 => Move::WrongTag,
        10 => Move::Key('#'),
        _ => Move::Garbage,
    }
}

fn more(dice: &mut Dice, script: &mut Vec<(Duration, Move)>) {
    for _ in 0..dice.below(5) {
        let when = dice.millis(100, 8000);
        script.push((when, in_call(dice)));
    }
    if dice.percent(40) {
        let when = dice.millis(200, 60_000);
        script.push((when, Move::Bye));
    }
}

fn caller(dice: &mut Dice) -> Vec<(Duration, Move)> {
    let mut script = Vec::new();
    if dice.percent(25) {
        script.push((dice.millis(0, 3000), Move::Cancel));
    }
    more(dice, &mut script);
    script
}

pub(crate) fn callee(dice: &mut Dice) -> Vec<(Duration, Move)> {
    let mut script = Vec::new();
    let forks = if dice.percent(15) { 3 } else { 1 };
    for _ in 0..dice.below(4) {
        let status = dice.pick(&[100, 180, 181, 183, 199]).copied().unwrap_or(180);
        let ring = Move::Ring {
            status,
            fork: dice.below(forks) as usize,
            sdp: dice.percent(40),
            reliable: dice.percent(50),
        };
        script.push((dice.millis(1, 3000), ring));
    }
    let end = dice.millis(10, 6000);
    match dice.below(20) {
        0..12 => script.push((end, Move::Answer { fork: dice.below(forks) as usize })),
        12 => {
            script.push((end, Move::Answer { fork: 0 }));
            script.push((end + dice.millis(0, 500), Move::Answer { fork: 1 }));
        }
        13 => script.push((end, Move::BrokenResponse)),
        14 => {}
        _ => {
            let codes = [302, 400, 404, 408, 480, 481, 486, 487, 488, 500, 503, 600, 603];
            let status = dice.pick(&codes).copied().unwrap_or(486);
            let headers = vec![("Contact".to_owned(), "<sip:19005550000@CanaryB.test>".to_owned())];
            script.push((end, Move::Refuse { status, headers }));
        }
    }
    more(dice, &mut script);
    script
}
