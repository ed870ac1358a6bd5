//! Random dialouts under 20 % loss, repetition and reordering: whatever both stages do, each ends with one record, and
//! nothing is left or leaked.

use mediator_model::{AllowForward, Secret, SipCredentials};
use mediator_sim::Dice;

use super::*;
use crate::random::{callee, play_all, quirks};

/// Seeds of the normal suite.
const SEEDS: u64 = 2000;
/// A number whose binding leads to Bob.
const BOUND: &str = "15162065399";
/// A phone's number.
const PHONE: &str = "15550001001";

#[test]
fn every_dialout_ends_with_one_record() {
    play_all(SEEDS, play);
}

fn play(seed: u64) -> (Vec<String>, String) {
    let (mut sim, first, dialled) = prepare(seed);
    let mut faults = sim.settle(first);
    if sim.records.len() != dialled {
        faults.push(format!("{} records of {dialled} dialouts", sim.records.len()));
    }
    for record in &sim.records {
        if record.sip_cause == 0 || (record.sip_cause == 200) != record.date_talk.is_some() {
            faults.push(format!("a record says {}", record.sip_cause));
        }
        let talked = record.date_talk.is_some();
        let both = matches!(record.leg_a, LegA::Dialled(Some(_))) && record.leg_b.is_some();
        if talked && !both {
            faults.push("two were joined, and not both were dialled".to_owned());
        }
    }
    (faults, sim.trace())
}

/// Dialouts of that seed, about to be ended by the side that is named; and how many there were.
fn prepare(seed: u64) -> (Sim, Party, usize) {
    let mut dice = Dice::new(seed ^ 0xd1a1);
    let mut sim = world(seed, random_stage(&mut dice));
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    sim.claim_delay = if dice.percent(80) { Some(dice.millis(0, 2000)) } else { None };
    if dice.percent(90) {
        sim.net.loss(dice.below(21)).duplicates(dice.below(21)).delay(1, 2 + dice.below(700));
    }
    sim.sounds.lasts(What::Announcement, dice.millis(0, 20_000));
    if dice.percent(20) {
        sim.sounds.fails(What::Confirmation, SoundFailure::Late);
        sim.sounds.fails(What::Announcement, SoundFailure::Unfetched);
    }
    for who in [ALICE, BOB] {
        sim.ua(who).quirks = quirks(&mut dice);
        sim.ua(who).quirks.voice = dice.percent(20);
        sim.ua(who).script = random_callee(&mut dice, 50);
    }
    phones(&mut sim, &mut dice);
    let dialled = 1 + dice.below(2) as usize;
    for number in 0..dialled {
        let dialout = random_dialout(&mut dice, number);
        sim.dial(dialout);
        sim.run_for(dice.millis(0, 3000));
    }
    sim.run_for(dice.millis(500, 90_000));
    match dice.below(20) {
        0 => sim.tell(&Input::HangUpAll),
        1..4 => {
            let calls: Vec<Sid> = sim.media_orders.iter().map(Order::call).collect();
            if let Some(call) = dice.pick(&calls) {
                sim.tell(&Input::HangUp(*call));
            }
        }
        _ => {}
    }
    let first = if dice.percent(50) { Party::A } else { Party::B };
    (sim, first, dialled)
}

fn random_stage(dice: &mut Dice) -> Stage {
    let mut stage = stage();
    stage.shards = if dice.percent(30) { 4 } else { 1 };
    stage.phone("phil", PHONE);
    stage.did(BOUND, TrunkGroupIndex(1));
    stage.bind(BOUND, None, CALLED, &[("hide_origination_did", "true")]);
    if dice.percent(30) {
        stage.wait_for_first_caller(seconds(300));
    }
    if dice.percent(10) {
        stage.endpoints[1].capacity = 1;
    }
    if dice.percent(10) {
        stage.endpoints[2].cps_limit = 1;
    }
    if dice.percent(10) {
        stage.media_ports = 30_000..=30_003;
    }
    if dice.percent(30) {
        let password = if dice.percent(70) { "secret" } else { "wrong" };
        let login = SipCredentials { username: "us".into(), password: Secret::new(password) };
        stage.endpoints[0].out_credentials = Some(login.clone());
        stage.endpoints[1].out_credentials = Some(login);
    }
    if dice.percent(20) {
        stage.settings.session_expires = seconds(90 + dice.below(60));
    }
    if dice.percent(10) {
        stage.settings.max_call_duration = dice.millis(500, 20_000);
    }
    if dice.percent(10) {
        stage.groups[0].trunks[0].allow_forward = AllowForward::DirectUri;
    }
    stage
}

fn random_dialout(dice: &mut Dice, place: usize) -> Dialout {
    let mut with = Vec::new();
    for (attribute, likely) in [
        (("use_call_confirmation", "true"), 40),
        (("announce", "welcome.wav"), 40),
        (("ringback", "false"), 15),
        (("ringback", "moh"), 15),
        (("ringback", "passthrough"), 30),
        (("cnam", "Taxi"), 30),
    ] {
        if dice.percent(likely) {
            with.push(attribute);
        }
    }
    let stage_one = if dice.percent(30) { PHONE } else { CALLER };
    let stage_two = if dice.percent(30) { BOUND } else { CALLED };
    Dialout {
        sid: Sid::from_u128(100 + place as u128),
        stage_one: number(stage_one),
        stage_two: number(stage_two),
        ..dialout(&with)
    }
}

/// What a stage does, keys included: in INFO, or so many percent of them in its media.
fn random_callee(dice: &mut Dice, in_media: u64) -> Vec<(std::time::Duration, Move)> {
    let mut script = callee(dice);
    for _ in 0..dice.below(4) {
        let key = dice.pick(&['1', '1', '2', '#']).copied().unwrap_or('1');
        let press = if dice.percent(in_media) { Move::Key(key) } else { Move::Info(key) };
        script.push((dice.millis(500, 20_000), press));
    }
    script
}

/// One or two phones of stage one.
fn phones(sim: &mut Sim, dice: &mut Dice) {
    for host in 1..2 + dice.below(2) {
        let at = format!("10.3.0.{host}:5062");
        let phone = sim.agent("phone", Party::A, &at, "phil");
        sim.ua(phone).quirks = quirks(dice);
        sim.ua(phone).quirks.challenges = false;
        sim.ua(phone).quirks.login = Some(("phil", "secret"));
        // A phone that answers too late speaks to the port that is another's.
        sim.ua(phone).script = random_callee(dice, 0);
        sim.ua(phone).register_as(&format!("registration{host}"), 300);
    }
    sim.run_for(seconds(5));
}
