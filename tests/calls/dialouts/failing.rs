//! What fails, and who hangs up when.

use super::*;

#[test]
fn stage_one_fails_and_stage_two_is_never_called() {
    for (theirs, ours) in [(486, 486), (404, 404), (603, 603), (302, 480), (500, 503), (503, 503)] {
        let mut sim = begun(&[]);
        sim.ua(ALICE).refuses(theirs);
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        let record = record(&mut sim);
        assert_eq!((record.sip_cause, record.disconnect_originator), (ours, Originator::Source));
        let LegA::Dialled(Some(one)) = &record.leg_a else { panic!("stage one was dialled") };
        assert_eq!((one.sip_cause, record.date_talk), (theirs, None));
        assert!(record.leg_b.is_none());
    }
}

#[test]
fn stage_one_that_does_not_answer_is_cancelled() {
    let mut sim = begun(&[]);
    sim.ua(ALICE).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(119));
    assert_eq!(sim.ua(ALICE).asked("CANCEL"), 0);
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(ALICE).asked("CANCEL"), sim.ua(BOB).asked("INVITE")), (1, 0));
    assert_eq!(end(&mut sim), (480, Originator::System));
}

#[test]
fn a_stage_one_that_says_nothing_is_408() {
    let mut sim = begun(&[]);
    sim.ua(ALICE).quirks.silent = true;
    sim.run_for(seconds(60));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    assert_eq!(end(&mut sim), (408, Originator::System));
}

#[test]
fn stage_two_fails_and_stage_one_hears_why_for_3_s() {
    for (theirs, ours, heard_as) in [
        (486, 486, Tone::Busy),
        (600, 600, Tone::Busy),
        (404, 404, Tone::Reorder),
        (480, 480, Tone::Reorder),
        (503, 503, Tone::Reorder),
        (603, 603, Tone::Reorder),
    ] {
        let mut sim = begun(&[]);
        sim.ua(BOB).refuses(theirs);
        sim.run_for(seconds(2));
        let repeat = Repeat::For(seconds(3));
        assert_eq!(played(&sim).last(), Some(&(tone(heard_as), repeat)), "{theirs}");
        assert!(!sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        sound_ends(&mut sim);
        sim.run_for(millis(100));
        let dialog = sim.ua(ALICE).calls[0].dialogs[0].clone();
        let reason = format!("SIP;cause={ours}");
        assert_eq!((dialog.bye_received, dialog.bye_reason), (true, Some(reason)));
        assert_eq!(end(&mut sim), (ours, Originator::Destination), "{theirs}");
    }
}

#[test]
fn stage_one_may_hang_up_in_the_failure_tone() {
    let mut sim = begun(&[]);
    sim.ua(BOB).refuses(486);
    sim.run_for(seconds(1));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(5));
    assert_eq!(sim.ua(ALICE).asked("BYE"), 0, "it has hung up itself");
    assert_eq!(end(&mut sim), (486, Originator::Destination), "stage two's failure counts");
}

#[test]
fn stage_two_that_does_not_answer_is_cancelled_and_stage_one_hears_it() {
    let mut sim = begun(&[]);
    sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(122));
    assert_eq!(sim.ua(BOB).asked("CANCEL"), 1);
    assert_eq!(played(&sim).last(), Some(&(tone(Tone::Reorder), Repeat::For(seconds(3)))));
    // Even where nobody says that the tone is over.
    sim.run_for(seconds(6));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert_eq!(end(&mut sim), (480, Originator::System));
}

#[test]
fn stage_one_hangs_up_while_stage_two_rings() {
    let mut sim = begun(&[]);
    sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert_eq!((sim.ua(BOB).asked("CANCEL"), sim.ua(BOB).calls[0].outcome), (1, Some(487)));
    let record = record(&mut sim);
    assert_eq!((record.sip_cause, record.disconnect_originator), (487, Originator::Source));
    assert_eq!(record.leg_b.unwrap().sip_cause, 487);
}

#[test]
fn stage_one_hangs_up_before_stage_two_is_called() {
    for with in [("use_call_confirmation", "true"), ("announce", "welcome.wav")] {
        let mut sim = begun(&[with]);
        sim.run_for(seconds(1));
        sim.ua(ALICE).act(0, Move::Bye);
        sim.run_for(seconds(60));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
        assert_eq!(end(&mut sim), (487, Originator::Source));
    }
}

#[test]
fn a_bye_of_stage_one_that_crosses_the_200_of_stage_two_ends_both() {
    for after in [0, 1, 3, 5, 8, 30] {
        let mut sim = begun(&[]);
        sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
        sim.net.delay(5, 5);
        sim.run_for(seconds(2));
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(millis(after));
        sim.ua(ALICE).act(0, Move::Bye);
        sim.run_for(seconds(2));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0), "{after}");
        assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
        ends_well(&mut sim);
    }
}

#[test]
fn the_operator_ends_it_in_every_stage() {
    let (plain, confirmed, announced) =
        (vec![], vec![("use_call_confirmation", "true")], vec![("announce", "welcome.wav")]);
    let begins = [
        (plain.clone(), false, false, 300),
        (confirmed, true, false, 1000),
        (announced, true, false, 1000),
        (plain.clone(), true, false, 1000),
        (plain, true, true, 2000),
    ];
    for (with, one_answers, two_answers, after) in begins {
        let mut sim = begun(&with);
        let rings = vec![(millis(20), ring(180, false, false))];
        for (who, answers) in [(ALICE, one_answers), (BOB, two_answers)] {
            if !answers {
                sim.ua(who).script.clone_from(&rings);
            }
        }
        sim.run_for(millis(after));
        let call = sid(&sim);
        sim.tell(&Input::HangUp(call));
        sim.run_for(seconds(2));
        assert_eq!(
            (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()),
            (0, 0),
            "{with:?} {after}"
        );
        let expected = if two_answers { 200 } else { 480 };
        assert_eq!(end(&mut sim), (expected, Originator::System));
    }
}

#[test]
fn a_cancel_that_crosses_the_200_of_either_stage_ends_it() {
    for (who, answered_at) in [(ALICE, 500), (BOB, 1010)] {
        for before in [0, 1, 3, 5, 8, 12] {
            let mut sim = begun(&[]);
            sim.net.delay(5, 5);
            sim.run_for(millis(answered_at - before));
            let call = sid(&sim);
            sim.tell(&Input::HangUp(call));
            sim.run_for(seconds(3));
            let stages = [ALICE, BOB].map(|stage| sim.ua(stage).confirmed());
            assert_eq!(stages, [0, 0], "{who} {before}: {}", sim.trace());
            let faults = sim.settle(Party::A);
            assert!(faults.is_empty(), "{who} {before}: {faults:?}");
            assert_eq!(sim.records.len(), 1);
        }
    }
}
