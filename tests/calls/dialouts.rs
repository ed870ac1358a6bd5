//! Dialouts, contract section 3: stage one is called, asked, told, and joined with stage two.
//!
//! Alice is stage one, Bob is stage two; the account's number stands between them.

use mediator_call::io::{Event, Input};
use mediator_call::{CallRecord, FlowKind, LegA, Originator, Side};
use mediator_media::{
    Event as MediaEvent, Hear, Order, Play, Repeat, Sound, SoundFailure, SoundOutcome, Tone,
};
use mediator_model::{Attributes, Dialout, EndpointIndex, Sid, TrunkGroupIndex};
use mediator_sim::{
    ACCOUNT, Answering, CALLED, CALLER, Media, Move, Party, REDIRECT, Sim, Stage, What, Wire,
    number,
};

use crate::support::{ALICE, BOB, ends_well, millis, seconds, world};

mod combinations;
mod failing;
mod joining;
mod random;
mod routing;
mod speaking;
mod waiting;

/// Alice's carrier is behind her number, Bob's behind the account's way out.
fn stage() -> Stage {
    let mut stage = Stage::usual();
    stage.bindings.clear();
    let alice = stage.group(&[(EndpointIndex(0), 0, 0)]);
    stage.did(CALLER, alice);
    stage
}

fn both(stage: Stage) -> Sim {
    let mut sim = world(1, stage);
    sim.ua(ALICE).answers();
    sim
}

/// A dialout with these attributes beside `hide_origination_did`.
fn dialout(with: &[(&str, &str)]) -> Dialout {
    let mut attributes = Attributes::default();
    for (key, value) in [&("hide_origination_did", "true")].into_iter().chain(with) {
        attributes.set(key, value).unwrap();
    }
    Dialout {
        sid: Sid::from_u128(7),
        account_sid: ACCOUNT,
        stage_one: number(CALLER),
        stage_two: number(CALLED),
        redirect_did: number(REDIRECT),
        attributes: Box::new(attributes),
    }
}

/// A dialout of that kind has begun.
fn begun(with: &[(&str, &str)]) -> Sim {
    let mut sim = both(stage());
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    sim.dial(dialout(with));
    sim
}

/// The two are joined.
fn joined(with: &[(&str, &str)]) -> Sim {
    let mut sim = begun(with);
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "{}", sim.trace());
    sim
}

/// The record of the only call, once everything has ended.
fn record(sim: &mut Sim) -> CallRecord {
    ends_well(sim);
    let [record] = &*sim.records else { panic!("{} records", sim.records.len()) };
    assert_eq!((record.kind, record.endpoint), (FlowKind::Dialout, Some(ACCOUNT)));
    assert_eq!(record.dialout.as_ref().map(|it| it.sid), Some(Sid::from_u128(7)));
    record.clone()
}

/// How it ended: the code, and whose end it was.
fn end(sim: &mut Sim) -> (u16, Originator) {
    let record = record(sim);
    (record.sip_cause, record.disconnect_originator)
}

fn invite(sim: &mut Sim, who: usize) -> Wire {
    sim.ua(who).calls[0].invite.clone().expect("an INVITE came")
}

/// What Alice was made to hear, in order.
fn heard(sim: &Sim) -> Vec<Hear> {
    let of_alice = |order: &Order| match order {
        Order::Hear { side: Side::A, hear, .. } => Some(hear.clone()),
        _ => None,
    };
    sim.media_orders.iter().filter_map(of_alice).collect()
}

/// The sounds that were played to Alice, in order.
fn played(sim: &Sim) -> Vec<(Sound, Repeat)> {
    let sound = |hear: Hear| match hear {
        Hear::Sound(Play { sound, repeat, .. })
        | Hear::SoundThenPeer(Play { sound, repeat, .. }) => Some((sound, repeat)),
        Hear::Nothing | Hear::Silence | Hear::Peer => None,
    };
    heard(sim).into_iter().filter_map(sound).collect()
}

/// What Alice hears has come to its end.
fn sound_ends(sim: &mut Sim) {
    let play = sim.media_orders.iter().rev().find_map(|order| match order {
        Order::Hear { call, side, hear: Hear::Sound(play) } => Some((*call, *side, play.token)),
        _ => None,
    });
    let (call, side, token) = play.expect("a sound is played");
    let outcome = SoundOutcome::Played;
    sim.media_event(&MediaEvent::SoundEnded { call, side, token, outcome });
}

/// Alice presses a key that comes as RTP.
fn presses(sim: &mut Sim, key: char) {
    let call = sim.media_orders.first().map(Order::call).expect("a session is open");
    sim.media_event(&MediaEvent::Key { call, side: Side::A, key });
}

fn tone(tone: Tone) -> Sound {
    Sound::Tone { tone, number: number(CALLED) }
}

/// The call's id.
fn sid(sim: &Sim) -> Sid {
    sim.media_orders.first().map(Order::call).expect("a session is open")
}

fn ring(status: u16, sdp: bool, reliable: bool) -> Move {
    Move::Ring { status, fork: 0, sdp, reliable }
}
