//! Ladders of RFC 6337 §3.1 (Table 1 and 2), RFC 3262 §5, RFC 3311 §5, RFC 3261 §14.

use super::super::Carrier::{
    Ack, Final2xx, InviteRequest, Prack2xx, PrackRequest, ReliableProvisional,
    UnreliableProvisional, Update2xx, UpdateRequest,
};
use super::super::Meaning::{
    Answer, Nothing, Offer, Preview, PreviewStands, Refused, Repeat, Violation,
};
use super::super::Refusal::{Glare, Pending};
use super::super::Sdp::{Absent, Present};
use super::super::Side::{Local, Remote};
use super::super::Violation::{Misplaced, MissingAnswer, MissingOffer, NoSuchRequest};
use super::super::{Carrier, Meaning, OfferAnswer, OfferIn, Sdp, Side};

type Step = (Side, Carrier, Sdp, Meaning);

/// Runs a ladder and the same ladder seen from the other side, where only the names of refusals differ.
fn check(ladder: &[Step]) -> OfferAnswer {
    let mut ours = OfferAnswer::new();
    let mut theirs = OfferAnswer::new();
    for (number, (sender, carrier, sdp, meaning)) in ladder.iter().copied().enumerate() {
        assert_eq!(ours.handle(sender, carrier, sdp), meaning, "step {number}");
        let mirrored = match meaning {
            Refused(Glare) => Refused(Pending),
            Refused(Pending) => Refused(Glare),
            other => other,
        };
        let seen = theirs.handle(sender.other(), carrier, sdp);
        if lenient_only_to_the_peer(meaning) {
            assert_ne!(seen, meaning, "step {number}: we must not rely on it ourselves");
            return ours;
        }
        assert_eq!(seen, mirrored, "step {number}, seen from the other side");
    }
    ours
}

fn lenient_only_to_the_peer(meaning: Meaning) -> bool {
    meaning == PreviewStands
}

fn check_stable(ladder: &[Step]) {
    assert!(check(ladder).is_stable());
}

/// A dialog with a session, offered by us.
const SESSION: [Step; 3] = [
    (Local, InviteRequest, Present, Offer),
    (Remote, Final2xx, Present, Answer),
    (Local, Ack, Absent, Nothing),
];

/// A re-INVITE of the peer whose exchange is over while it is still ringing.
const EARLY_SESSION: [Step; 4] = [
    (Remote, InviteRequest, Present, Offer),
    (Local, ReliableProvisional, Present, Answer),
    (Remote, PrackRequest, Absent, Nothing),
    (Local, Prack2xx, Absent, Nothing),
];

fn after(beginning: &[Step], rest: &[Step]) -> OfferAnswer {
    check(&[beginning, rest].concat())
}

#[test]
fn pattern_1_offer_in_invite_answer_in_2xx() {
    check_stable(&SESSION);
}

#[test]
fn pattern_2_offer_in_2xx_answer_in_ack() {
    check_stable(&[
        (Remote, InviteRequest, Absent, Nothing),
        (Local, Final2xx, Present, Offer),
        (Remote, Ack, Present, Answer),
    ]);
}

#[test]
fn pattern_3_offer_in_invite_answer_in_reliable_1xx() {
    check_stable(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Present, Answer),
        (Local, PrackRequest, Absent, Nothing),
        (Remote, Prack2xx, Absent, Nothing),
        (Remote, Final2xx, Absent, Nothing),
        (Local, Ack, Absent, Nothing),
    ]);
}

#[test]
fn pattern_4_offer_in_reliable_1xx_answer_in_prack() {
    check_stable(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, ReliableProvisional, Present, Offer),
        (Local, PrackRequest, Present, Answer),
        (Remote, Prack2xx, Absent, Nothing),
        (Remote, Final2xx, Absent, Nothing),
        (Local, Ack, Absent, Nothing),
    ]);
}

#[test]
fn pattern_5_offer_in_prack_answer_in_its_2xx() {
    check_stable(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Present, Answer),
        (Local, PrackRequest, Present, Offer),
        (Remote, Prack2xx, Present, Answer),
        (Remote, Final2xx, Absent, Nothing),
        (Local, Ack, Absent, Nothing),
    ]);
}

#[test]
fn pattern_6_offer_in_update_answer_in_its_2xx() {
    for side in [Local, Remote] {
        let state = after(
            &SESSION,
            &[(side, UpdateRequest, Present, Offer), (side.other(), Update2xx, Present, Answer)],
        );
        assert!(state.is_stable());
    }
}

#[test]
fn sdp_of_an_unreliable_18x_is_a_preview_of_the_answer() {
    check_stable(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, UnreliableProvisional, Absent, Nothing),
        (Remote, UnreliableProvisional, Present, Preview),
        (Remote, UnreliableProvisional, Present, Preview),
        (Remote, Final2xx, Present, Answer),
        (Local, Ack, Absent, Nothing),
    ]);
}

#[test]
fn a_preview_may_be_followed_by_a_reliable_answer() {
    check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, UnreliableProvisional, Present, Preview),
        (Remote, ReliableProvisional, Present, Answer),
        (Remote, UnreliableProvisional, Present, Repeat),
    ]);
}

#[test]
fn a_peers_2xx_without_sdp_adopts_its_preview() {
    let state = check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, UnreliableProvisional, Present, Preview),
        (Remote, Final2xx, Absent, PreviewStands),
    ]);
    assert_eq!(state.unanswered(), None);
}

#[test]
fn our_2xx_must_repeat_our_preview() {
    let mut state = OfferAnswer::new();
    state.handle(Remote, InviteRequest, Present);
    state.handle(Local, UnreliableProvisional, Present);
    assert_eq!(state.meaning(Local, Final2xx, Absent), Violation(MissingAnswer));
    assert_eq!(state.meaning(Local, Final2xx, Present), Answer);
}

#[test]
fn sdp_after_the_answer_is_a_repetition() {
    check_stable(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Present, Answer),
        (Local, PrackRequest, Absent, Nothing),
        (Remote, Prack2xx, Absent, Nothing),
        (Remote, UnreliableProvisional, Present, Repeat),
        (Remote, ReliableProvisional, Present, Repeat),
        (Local, PrackRequest, Absent, Nothing),
        (Remote, Final2xx, Present, Repeat),
        (Local, Ack, Present, Repeat),
    ]);
}

#[test]
fn a_2xx_without_the_answer_breaks_the_rules_and_voids_the_offer() {
    let state = check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, Final2xx, Absent, Violation(MissingAnswer)),
        (Local, Ack, Absent, Nothing),
    ]);
    assert!(state.is_stable());
}

#[test]
fn a_2xx_to_a_late_offer_invite_must_offer() {
    check(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, Final2xx, Absent, Violation(MissingOffer)),
        (Local, Ack, Absent, Nothing),
    ]);
}

#[test]
fn an_ack_must_answer_the_offer_of_its_2xx() {
    check_stable(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, Final2xx, Present, Offer),
        (Local, Ack, Absent, Violation(MissingAnswer)),
    ]);
}

#[test]
fn a_prack_must_answer_the_offer_of_its_1xx() {
    check(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, ReliableProvisional, Present, Offer),
        (Local, PrackRequest, Absent, Violation(MissingAnswer)),
        (Remote, Final2xx, Present, Offer),
        (Local, Ack, Present, Answer),
    ]);
}

#[test]
fn a_prack_that_crosses_a_2xx_does_not_owe_its_answer() {
    check_stable(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, ReliableProvisional, Absent, Nothing),
        (Remote, Final2xx, Present, Offer),
        (Local, PrackRequest, Absent, Nothing),
        (Local, Ack, Present, Answer),
    ]);
}

#[test]
fn an_offer_has_no_place_in_an_unreliable_1xx() {
    check(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, UnreliableProvisional, Present, Violation(Misplaced)),
        (Remote, Final2xx, Present, Offer),
    ]);
}

#[test]
fn a_prack_cannot_offer_before_the_invites_offer_is_answered() {
    check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Absent, Nothing),
        (Local, PrackRequest, Present, Violation(Misplaced)),
    ]);
}

#[test]
fn a_prack_of_the_wrong_side_changes_nothing() {
    let state = check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Present, Answer),
    ]);
    for (sdp, meaning) in [(Absent, Nothing), (Present, Violation(Misplaced))] {
        let mut after = state;
        assert_eq!(after.handle(Remote, PrackRequest, sdp), meaning);
        assert_eq!(after, state);
    }
}

#[test]
fn responses_without_their_request_change_nothing() {
    for carrier in [UnreliableProvisional, ReliableProvisional, Final2xx, Ack, Update2xx] {
        for sdp in [Present, Absent] {
            check_stable(&[(Remote, carrier, sdp, Violation(NoSuchRequest))]);
        }
    }
    check_stable(&[(Remote, Prack2xx, Present, Violation(Misplaced))]);
    check_stable(&[(Remote, PrackRequest, Present, Violation(Misplaced))]);
}

#[test]
fn crossing_reinvites_are_refused_with_491() {
    for sdp in [Present, Absent] {
        let state = after(
            &SESSION,
            &[(Local, InviteRequest, sdp, if sdp == Present { Offer } else { Nothing })],
        );
        for theirs in [Present, Absent] {
            assert_eq!(state.meaning(Remote, InviteRequest, theirs), Refused(Glare));
        }
        assert_eq!(Glare.status(), 491);
    }
}

#[test]
fn a_second_invite_before_the_first_is_answered_is_refused_with_500() {
    after(
        &SESSION,
        &[
            (Remote, InviteRequest, Present, Offer),
            (Remote, InviteRequest, Present, Refused(Pending)),
            (Remote, InviteRequest, Absent, Refused(Pending)),
        ],
    );
    assert_eq!(Pending.status(), 500);
}

#[test]
fn crossing_updates_are_refused_with_491_and_second_ones_with_500() {
    after(
        &SESSION,
        &[
            (Local, UpdateRequest, Present, Offer),
            (Remote, UpdateRequest, Present, Refused(Glare)),
            (Remote, Update2xx, Present, Answer),
            (Remote, UpdateRequest, Present, Offer),
            (Remote, UpdateRequest, Absent, Refused(Pending)),
            (Remote, UpdateRequest, Present, Refused(Pending)),
        ],
    );
}

#[test]
fn an_update_without_sdp_passes_beside_an_offer() {
    after(
        &SESSION,
        &[
            (Local, InviteRequest, Present, Offer),
            (Remote, UpdateRequest, Absent, Nothing),
            (Local, Update2xx, Absent, Nothing),
            (Remote, Final2xx, Present, Answer),
        ],
    );
}

#[test]
fn an_update_cannot_offer_while_an_invites_first_exchange_is_open() {
    check(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, UpdateRequest, Present, Refused(Glare)),
        (Local, UpdateRequest, Present, Refused(Glare)),
    ]);
    check(&[
        (Remote, InviteRequest, Present, Offer),
        (Remote, UpdateRequest, Present, Refused(Pending)),
        (Local, UpdateRequest, Present, Refused(Pending)),
    ]);
}

#[test]
fn both_sides_may_update_an_early_session() {
    for side in [Local, Remote] {
        after(
            &EARLY_SESSION,
            &[
                (side, UpdateRequest, Present, Offer),
                (side.other(), Update2xx, Present, Answer),
                (Local, Final2xx, Absent, Nothing),
                (Remote, Ack, Absent, Nothing),
            ],
        );
    }
}

#[test]
fn the_uas_waits_for_the_prack_of_its_answer_before_it_offers() {
    let mut state = check(&EARLY_SESSION[..2]);
    assert_eq!(state.may_offer(OfferIn::Update), Err(Pending));
    state.handle(Remote, PrackRequest, Absent);
    assert_eq!(state.may_offer(OfferIn::Update), Ok(()));
}

#[test]
fn our_2xx_waits_for_the_prack_that_answers_our_offer() {
    let mut state = check(&[
        (Remote, InviteRequest, Absent, Nothing),
        (Local, ReliableProvisional, Present, Offer),
    ]);
    assert_eq!(state.meaning(Local, Final2xx, Absent), Violation(Misplaced));
    state.handle(Remote, PrackRequest, Present);
    assert_eq!(state.meaning(Local, Final2xx, Absent), Nothing);
}

#[test]
fn a_2xx_that_overtakes_our_prack_leaves_its_answer_to_prack_or_ack() {
    for carrier in [PrackRequest, Ack] {
        let mut state = OfferAnswer::new();
        state.handle(Local, InviteRequest, Absent);
        assert_eq!(state.handle(Remote, ReliableProvisional, Present), Offer);
        assert_eq!(state.handle(Remote, Final2xx, Absent), Nothing);
        assert_eq!(state.handle(Local, carrier, Present), Answer);
    }
}

#[test]
fn a_failed_reinvite_leaves_the_session_as_it_was() {
    for (first, sdp) in [(Local, Present), (Local, Absent), (Remote, Present), (Remote, Absent)] {
        let meaning = if sdp == Present { Offer } else { Nothing };
        let mut state = after(&SESSION, &[(first, InviteRequest, sdp, meaning)]);
        assert_eq!(state.invite_under_way(), Some(first));
        state.request_failed(first, OfferIn::Invite);
        assert!(state.is_stable());
    }
}

#[test]
fn a_failed_reinvite_voids_the_offer_of_its_1xx() {
    let mut state = check(&[
        (Local, InviteRequest, Absent, Nothing),
        (Remote, ReliableProvisional, Present, Offer),
    ]);
    assert_eq!(state.unanswered(), Some(Remote));
    state.request_failed(Local, OfferIn::Invite);
    assert!(state.is_stable());
}

#[test]
fn a_failed_update_leaves_the_invite_alone() {
    let mut state = after(&EARLY_SESSION, &[(Local, UpdateRequest, Present, Offer)]);
    state.request_failed(Local, OfferIn::Update);
    assert_eq!(state.unanswered(), None);
    assert_eq!(state.invite_under_way(), Some(Remote));
    assert_eq!(state.may_offer(OfferIn::Update), Ok(()));
}

#[test]
fn a_failed_prack_voids_its_offer() {
    let mut state = check(&[
        (Local, InviteRequest, Present, Offer),
        (Remote, ReliableProvisional, Present, Answer),
        (Local, PrackRequest, Present, Offer),
    ]);
    state.request_failed(Local, OfferIn::Prack);
    assert_eq!(state.unanswered(), None);
    assert_eq!(state.may_offer(OfferIn::Prack), Ok(()));
}

#[test]
fn the_failure_of_the_other_sides_invite_is_not_ours() {
    let mut state = check(&[(Local, InviteRequest, Present, Offer)]);
    state.request_failed(Remote, OfferIn::Invite);
    assert_eq!(state.unanswered(), Some(Local));
}

#[test]
fn no_reinvite_of_ours_before_the_ack_of_theirs() {
    let mut state =
        check(&[(Remote, InviteRequest, Present, Offer), (Local, Final2xx, Present, Answer)]);
    assert_eq!(state.may_offer(OfferIn::Invite), Err(Pending));
    state.handle(Remote, Ack, Absent);
    assert_eq!(state.may_offer(OfferIn::Invite), Ok(()));
}

#[test]
fn a_peers_reinvite_may_overtake_its_ack() {
    let mut state = OfferAnswer::new();
    state.handle(Remote, InviteRequest, Present);
    state.handle(Local, Final2xx, Present);
    assert_eq!(state.handle(Remote, InviteRequest, Present), Offer);
    // The ACK that comes after all belongs to no 2xx that is waited for.
    assert_eq!(state.handle(Remote, Ack, Absent), Violation(NoSuchRequest));
    assert_eq!(state.handle(Local, Final2xx, Present), Answer);
}

#[test]
fn a_reinvite_that_overtakes_the_ack_with_the_answer_is_refused_with_491() {
    let mut state = OfferAnswer::new();
    state.handle(Remote, InviteRequest, Absent);
    assert_eq!(state.handle(Local, Final2xx, Present), Offer);
    assert_eq!(state.handle(Remote, InviteRequest, Present), Refused(Glare));
    assert_eq!(state.handle(Remote, Ack, Present), Answer);
}

#[test]
fn each_fork_answers_on_its_own() {
    let mut base = OfferAnswer::new();
    base.handle(Local, InviteRequest, Present);
    let (mut first, mut second) = (base, base);
    assert_eq!(first.handle(Remote, ReliableProvisional, Present), Answer);
    assert_eq!(second.handle(Remote, UnreliableProvisional, Present), Preview);
    assert_eq!(second.handle(Remote, Final2xx, Present), Answer);
    assert_eq!(first.handle(Remote, Final2xx, Absent), Nothing);
}

#[test]
fn may_offer_in_prack_only_when_the_invites_exchange_is_over() {
    let mut state = OfferAnswer::new();
    assert_eq!(state.may_offer(OfferIn::Prack), Err(Pending));
    state.handle(Local, InviteRequest, Present);
    assert_eq!(state.may_offer(OfferIn::Prack), Err(Glare));
    state.handle(Remote, ReliableProvisional, Present);
    assert_eq!(state.may_offer(OfferIn::Prack), Ok(()));
}

#[test]
fn takes_eight_bytes_at_most() {
    assert!(size_of::<OfferAnswer>() <= 8);
}
