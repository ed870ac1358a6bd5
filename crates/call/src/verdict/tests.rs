//! What failures move on, and what the caller is told after several.

use mediator_model::{CodeList, FailurePolicy};

use super::{Answer, Failure, Verdict, caller_status};

const fn answered(status: u16) -> Failure {
    Failure::Final { status, retry_after: None, cause: None }
}

#[test]
fn timeouts_server_failures_and_listed_codes_move_on() {
    let listed =
        FailurePolicy { soft_codes: CodeList::parse("486;").unwrap(), ..FailurePolicy::default() };
    for (failure, moves_on) in [
        (Failure::Timeout, true),
        (Failure::Unreachable, true),
        (Failure::Limited(5), true),
        (answered(401), true),
        (answered(407), true),
        (answered(408), true),
        (answered(500), true),
        (answered(599), true),
        (answered(486), true),
        (answered(404), false),
        (answered(302), false),
        (answered(600), false),
    ] {
        assert_eq!(failure.moves_on(&listed), moves_on, "{failure:?}");
    }
    assert!(!answered(486).moves_on(&FailurePolicy::default()));
}

#[test]
fn without_an_answer_it_is_503_unless_each_timed_out() {
    for (failures, expected) in [
        (&[Failure::Timeout][..], 408),
        (&[Failure::Timeout, answered(408)], 408),
        (&[Failure::Timeout, Failure::Unreachable], 503),
        (&[answered(500)], 503),
        (&[Failure::Limited(3)], 503),
        (&[], 503),
    ] {
        let mut verdict = Verdict::default();
        for failure in failures {
            verdict.moved_on(*failure);
        }
        assert_eq!(verdict.answer().status, expected, "{failures:?}");
    }
}

#[test]
fn the_soonest_limit_says_when_to_try_again() {
    let mut verdict = Verdict::default();
    verdict.moved_on(Failure::Limited(9));
    verdict.moved_on(Failure::Limited(4));
    assert_eq!(verdict.answer().retry_after, Some(4));
}

#[test]
fn a_6xx_wins_then_the_lowest_class_then_the_first() {
    for (statuses, expected) in
        [(&[486, 603][..], 603), (&[603, 486], 603), (&[486, 404], 486), (&[486, 300], 300)]
    {
        let mut verdict = Verdict::default();
        for status in statuses {
            verdict.answered(Answer::plain(*status));
        }
        assert_eq!(verdict.answer().status, expected, "{statuses:?}");
    }
}

#[test]
fn what_is_between_leg_b_and_us_is_not_shown() {
    for (theirs, ours) in [
        (302, 480),
        (487, 487),
        (401, 503),
        (407, 503),
        (422, 422),
        (491, 491),
        (486, 486),
        (600, 600),
    ] {
        assert_eq!(caller_status(theirs), ours);
    }
}
