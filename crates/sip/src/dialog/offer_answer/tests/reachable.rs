//! Every state that any sequence of messages and failures can reach, good or bad, looked at one by one.

use super::super::{Carrier, Invite, Meaning, OfferAnswer, OfferIn, Sdp, Side, Violation, Within};
use alloc::vec;
use alloc::vec::Vec;

const SIDES: [Side; 2] = [Side::Local, Side::Remote];
const BODIES: [Sdp; 2] = [Sdp::Absent, Sdp::Present];
const REQUESTS: [OfferIn; 3] = [OfferIn::Invite, OfferIn::Update, OfferIn::Prack];
const CARRIERS: [Carrier; 9] = [
    Carrier::InviteRequest,
    Carrier::UnreliableProvisional,
    Carrier::ReliableProvisional,
    Carrier::Final2xx,
    Carrier::Ack,
    Carrier::PrackRequest,
    Carrier::Prack2xx,
    Carrier::UpdateRequest,
    Carrier::Update2xx,
];

/// A state, a message in it, what it meant, and the state after it.
type Transition = (OfferAnswer, (Side, Carrier, Sdp), Meaning, OfferAnswer);

/// Each message in each reachable state.
fn transitions() -> Vec<Transition> {
    let mut states = vec![OfferAnswer::new()];
    let mut transitions = Vec::new();
    let mut next = 0;
    while let Some(before) = states.get(next).copied() {
        next += 1;
        for (side, carrier, sdp) in messages() {
            let mut after = before;
            let meaning = after.handle(side, carrier, sdp);
            transitions.push((before, (side, carrier, sdp), meaning, after));
            if !states.contains(&after) {
                states.push(after);
            }
        }
        for side in SIDES {
            for request in REQUESTS {
                let mut after = before;
                after.request_failed(side, request);
                if !states.contains(&after) {
                    states.push(after);
                }
            }
        }
    }
    assert!((20..1000).contains(&states.len()), "{} states", states.len());
    transitions
}

fn messages() -> impl Iterator<Item = (Side, Carrier, Sdp)> {
    SIDES.into_iter().flat_map(|side| {
        CARRIERS
            .into_iter()
            .flat_map(move |carrier| BODIES.into_iter().map(move |sdp| (side, carrier, sdp)))
    })
}

#[test]
fn an_offer_is_never_made_while_one_is_unanswered() {
    for (before, message, meaning, after) in transitions() {
        if meaning == Meaning::Offer {
            assert_eq!(before.unanswered(), None, "{message:?} in {before:?}");
            assert_eq!(after.unanswered(), Some(message.0));
        }
    }
}

#[test]
fn only_the_other_side_answers() {
    for (before, message, meaning, after) in transitions() {
        if matches!(meaning, Meaning::Answer | Meaning::PreviewStands) {
            assert_eq!(before.unanswered(), Some(message.0.other()), "{message:?} in {before:?}");
            assert_eq!(after.unanswered(), None);
        }
    }
}

#[test]
fn a_refusal_leaves_no_trace() {
    for (before, message, meaning, after) in transitions() {
        if matches!(
            meaning,
            Meaning::Refused(_)
                | Meaning::Violation(Violation::Misplaced | Violation::NoSuchRequest)
        ) {
            assert_eq!(before.unanswered, after.unanswered, "{message:?} is {meaning:?}");
            // A PRACK acknowledges and a 2xx ends its UPDATE whatever their bodies are.
            if !matches!(message.1, Carrier::PrackRequest | Carrier::Update2xx) {
                assert_eq!(before, after, "{message:?} is {meaning:?}");
            }
        }
    }
}

#[test]
fn an_unanswered_offer_has_a_request_under_way_that_answers_or_voids_it() {
    for (_, _, _, state) in transitions() {
        let Some(offer) = state.unanswered else { continue };
        match offer.within {
            Within::Invite | Within::Provisional => {
                assert_ne!(state.invite, Invite::None, "{state:?}");
            }
            Within::Update => assert!(state.updates.is_open(offer.by), "{state:?}"),
            Within::Prack => {
                let answered = state.meaning(offer.by.other(), Carrier::Prack2xx, Sdp::Present);
                assert_eq!(answered, Meaning::Answer);
            }
        }
    }
}

/// A peer may break every rule: what we may do next never depends on its good will.
#[test]
fn every_state_is_stable_once_its_requests_have_failed() {
    for (_, _, _, mut state) in transitions() {
        let before = state;
        for side in SIDES {
            for request in REQUESTS {
                state.request_failed(side, request);
            }
        }
        assert!(state.is_stable(), "{before:?} ends as {state:?}");
        assert_eq!(state.may_offer(OfferIn::Invite), Ok(()));
        assert_eq!(state.may_offer(OfferIn::Update), Ok(()));
    }
}

#[test]
fn may_offer_says_what_handle_does() {
    for (_, _, _, state) in transitions() {
        for (request, carrier) in [
            (OfferIn::Invite, Carrier::InviteRequest),
            (OfferIn::Update, Carrier::UpdateRequest),
            (OfferIn::Prack, Carrier::PrackRequest),
        ] {
            let offers = state.meaning(Side::Local, carrier, Sdp::Present) == Meaning::Offer;
            assert_eq!(state.may_offer(request).is_ok(), offers, "{request:?} in {state:?}");
        }
    }
}
