//! What `explain` says is what a call meets: contract section 4.

use mediator_call::Rule;
use mediator_model::{BindingKey, ClaimWindow, Number, UnixMillis};
use mediator_sim::{ACCOUNT, CALLED, CALLER, Dice, Party, REDIRECT, Sim, Stage, number};

use crate::support::{ALICE, BOB, code, ends_well, seconds, world};

/// Worlds of the property.
const SEEDS: u64 = 400;
/// The account's numbers.
const OWN: [&str; 7] = [
    REDIRECT,
    "15162060001",
    "15162060002",
    "15162060003",
    "15162060004",
    "15162060005",
    "15162060006",
];
/// A phone's number, and one that leads nowhere.
const PHONE: &str = "15550001001";
const NOWHERE: &str = "15550001002";
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// Any bindings between the numbers: exact ones, chains, circles, ones that wait, ones to a phone that may be there.
fn any_world(seed: u64) -> (Sim, Dice) {
    let mut dice = Dice::new(seed);
    let mut stage = Stage::usual();
    stage.phone("phil", PHONE);
    for digits in OWN.iter().skip(1) {
        stage.did(digits, mediator_model::TrunkGroupIndex(1));
    }
    stage.did(NOWHERE, mediator_model::TrunkGroupIndex(0));
    stage.dids.last_mut().unwrap().trunk_group = None;
    stage.bindings.clear();
    let mostly_chained = dice.percent(30);
    for (at, digits) in OWN.iter().enumerate() {
        for from in [None, Some(CALLER)] {
            if dice.percent(30) {
                continue;
            }
            let next = OWN.get(at + 1).copied().unwrap_or(CALLED);
            let anywhere = [CALLED, CALLED, PHONE, NOWHERE, OWN[dice.below(7) as usize]];
            let to = if mostly_chained { next } else { dice.pick(&anywhere).copied().unwrap() };
            let attributes: &[(&str, &str)] = match dice.below(4) {
                0 => &[("hide_origination_did", "true")],
                1 => &[("fix_anonymous_cid", "true")],
                2 => &[("hide_origination_did", "true"), ("fix_anonymous_cid", "true")],
                _ => &[],
            };
            stage.bind(digits, from, to, attributes);
            if from.is_none() && dice.percent(30) {
                let until = UnixMillis(1_700_000_300_000);
                stage.bindings.last_mut().unwrap().claim = ClaimWindow::OpenUntil(until.into());
            }
        }
    }
    if dice.percent(10) {
        stage.groups[0].trunks.clear();
    }
    let mut sim = world(seed, stage);
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).answers();
    if dice.percent(50) {
        sim.ua(phil).register(300);
        sim.run_for(seconds(1));
    }
    (sim, dice)
}

/// Who has which number.
fn keys(sim: &Sim) -> Vec<BindingKey> {
    let bindings = sim.bindings().iter(UnixMillis(1_700_000_000_000));
    let mut keys: Vec<BindingKey> = bindings.map(|binding| binding.key).collect();
    keys.sort_by_key(|key| (key.redirect_did, key.origination_did));
    keys
}

#[test]
fn a_call_meets_what_was_explained() {
    let mut refused = Vec::new();
    for seed in 0..SEEDS {
        let (mut sim, mut dice) = any_world(seed);
        let numbers = [OWN[dice.below(7) as usize], REDIRECT, PHONE, NOWHERE, CALLED];
        let to = numbers[dice.below(5) as usize];
        let from = if dice.percent(70) { Some(CALLER) } else { None };
        sim.ua(ALICE).quirks.plain = true;
        sim.ua(ALICE).quirks.from = from.is_none().then(|| ANONYMOUS.to_owned());
        let bindings = keys(&sim);
        let said = sim.explain(from.map(number), number(to));
        assert_eq!(keys(&sim), bindings, "seed {seed}: it claims nothing");
        let before = sim.claims.len();
        let call = sim.ua(ALICE).invite(to);
        sim.run_for(seconds(3));
        let case = format!("seed {seed}, {from:?} to {to}: {said:?}");
        let answer = sim.ua(ALICE).calls[call].answer.clone();
        assert_eq!(code(answer.as_ref()), said.refused.unwrap_or(200), "{case}");
        refused.extend(said.refused);
        let invite =
            sim.agents().iter().skip(BOB).find_map(|agent| agent.calls.first()?.invite.clone());
        assert_eq!(invite.is_some(), said.refused.is_none(), "{case}");
        if let Some(invite) = invite {
            let holds = |header: &str, number: Number| {
                invite.header(header).unwrap().contains(&format!("<sip:{number}@"))
            };
            assert!(holds("To", said.destination.unwrap()), "{case}: {invite:?}");
            let shown = said.caller_id.map_or_else(
                || invite.header("From").unwrap().contains("anonymous.invalid"),
                |shown| holds("From", shown),
            );
            assert!(shown, "{case}: {invite:?}");
            let at = format!(
                "{}",
                sim.agents()[if said.destination == Some(number(PHONE)) { 2 } else { BOB }]
                    .profile
                    .at
            );
            assert_eq!(
                said.attempts.iter().map(|it| &*it.address).collect::<Vec<_>>(),
                [at],
                "{case}"
            );
        }
        if said.rule == Rule::Claim && from.is_some() {
            assert!(before < sim.claims.len(), "{case}");
        }
        ends_well(&mut sim);
    }
    for code in [404, 480, 482, 483, 503] {
        assert!(refused.contains(&code), "no world of {SEEDS} refuses with {code}");
    }
}

#[test]
fn a_call_that_a_binding_leads_nowhere_has_a_record() {
    let mut stage = Stage::usual();
    stage.phone("phil", PHONE);
    stage.bindings.clear();
    stage.bind(REDIRECT, None, PHONE, &[]);
    let mut sim = world(1, stage);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(480), "not registered");
    ends_well(&mut sim);
    let [record] = &*sim.records else { panic!("one record") };
    assert_eq!((record.sip_cause, record.endpoint), (480, Some(ACCOUNT)));
    assert_eq!(record.number_dst, number(PHONE));
    assert!(record.leg_b.is_none() && record.date_talk.is_none() && record.binding.is_some());
}
