//! What the two stages hear and say, through the relay.

use std::sync::Arc;

use mediator_media::Speech;
use mediator_sound::{CodecEars, Ending, Form, Piece, track_of_digits, track_of_file};

use super::*;

/// PCMU is the favourite of one, PCMA the only one of the other.
const LAWS: [&[(u8, &str)]; 2] = [
    &[(0, "PCMU/8000"), (101, "telephone-event/8000")],
    &[(8, "PCMA/8000"), (96, "telephone-event/8000")],
];

/// A dialout of that kind, both of whose stages speak once they are connected.
fn spoken(with: &[(&str, &str)], prepare: impl FnOnce(&mut Sim)) -> Sim {
    let mut sim = both(stage());
    sim.secret(Party::A, CALLER);
    sim.secret(Party::B, CALLED);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.voice = true;
    }
    prepare(&mut sim);
    sim.dial(dialout(with));
    sim
}

#[test]
fn stage_one_hears_prompt_announcement_tone_and_stage_two_in_this_order() {
    let with = [("use_call_confirmation", "true"), ("announce", "welcome.wav")];
    let mut sim = spoken(&with, |sim| {
        sim.ua(BOB).script =
            vec![(millis(100), ring(180, false, false)), (seconds(5), Move::Answer { fork: 0 })];
    });
    sim.run_for(millis(1200));
    // Silence until the prompt is there.
    assert_eq!(sim.ua(ALICE).talk(0).order(), [What::Silence, What::Confirmation]);
    sim.ua(ALICE).act(0, Move::Key('2'));
    sim.ua(ALICE).act(0, Move::Key('1'));
    sim.run_for(seconds(20));
    let order = sim.ua(ALICE).talk(0).order();
    let heard: Vec<What> = order.into_iter().filter(|what| *what != What::Silence).collect();
    let expected = [What::Confirmation, What::Announcement, What::Ringing, What::Voice(Party::B)];
    assert_eq!(heard, expected);
    // The key that confirmed is not passed on, nor anything that stage one said before.
    assert_eq!(sim.ua(BOB).talk(0).order(), [What::Voice(Party::A)]);
    for who in [ALICE, BOB] {
        assert_eq!((sim.ua(who).talk(0).sources(), sim.ua(who).talk(0).missing()), (1, 0));
    }
    sim.ua(ALICE).act(0, Move::Key('1'));
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).talk(0).keys(), "1", "in the call it is");
    let record = record(&mut sim);
    let figures = record.figures.expect("media passed here");
    assert!(figures.iter().all(|side| side.packets > 100 && side.lost == 0), "{figures:?}");
}

#[test]
fn tones_confirm_where_stage_one_has_no_events() {
    let mut sim = spoken(&[("use_call_confirmation", "true")], |sim| {
        sim.ua(ALICE).quirks.formats = Some(&[(0, "PCMU/8000")]);
    });
    sim.run_for(seconds(1));
    sim.ua(ALICE).act(0, Move::Key('1'));
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

/// A dialout that stage one is to confirm; both stages take these alone, and keys are heard in G.722 and Opus.
fn confirmed_in(formats: &'static [(u8, &'static str)]) -> Sim {
    let mut stage = stage();
    stage.ears = Arc::new(CodecEars);
    let mut sim = both(stage);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.formats = Some(formats);
    }
    sim.dial(dialout(&[("use_call_confirmation", "true")]));
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    sim
}

#[test]
fn tones_confirm_in_g722_and_opus_too() {
    let codecs: [(Speech, &[(u8, &str)]); 2] =
        [(Speech::G722, &[(9, "G722/8000")]), (Speech::Opus, &[(111, "opus/48000/2")])];
    for (speech, formats) in codecs {
        let mut sim = confirmed_in(formats);
        let keys = |digits| track_of_digits(digits, Form::new(speech, 20)).unwrap();
        sim.ua(ALICE).talk(0).say(&keys("25*"));
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0, "a wrong key is ignored");
        let voice = track_of_file(Piece::Announcement.file(), Form::new(speech, 20), Ending::Once);
        sim.ua(ALICE).talk(0).say(&voice.unwrap());
        sim.run_for(seconds(4));
        assert_eq!(sim.ua(BOB).asked("INVITE"), 0, "speech is no key");
        // Silence first: another encoder has begun anew, and a decoder has to follow it.
        sim.ua(ALICE).talk(0).say(&keys(",1"));
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(BOB).confirmed(), 1, "{speech:?}");
        assert_eq!(sim.media_counters().keys, 4);
        ends_well(&mut sim);
    }
}

#[test]
fn tones_count_for_nothing_where_stage_one_has_events() {
    let mut sim = confirmed_in(&[(9, "G722/8000"), (101, "telephone-event/8000")]);
    let key = track_of_digits("1", Form::new(Speech::G722, 20)).unwrap();
    sim.ua(ALICE).talk(0).say(&key);
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(BOB).asked("INVITE"), sim.media_counters().keys), (0, 0));
    sim.ua(ALICE).act(0, Move::Key('1'));
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 1);
    ends_well(&mut sim);
}

#[test]
fn stages_of_two_laws_understand_each_other() {
    for [one, two] in [[0, 1], [1, 0]] {
        let mut sim = spoken(&[], |sim| {
            sim.ua(ALICE).quirks.formats = Some(LAWS[one]);
            sim.ua(BOB).quirks.formats = Some(LAWS[two]);
        });
        sim.run_for(seconds(4));
        assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
        assert_eq!(sim.ua(BOB).talk(0).order(), [What::Voice(Party::A)]);
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1, "no need to agree anew");
        ends_well(&mut sim);
    }
}

#[test]
fn stage_one_is_offered_what_stage_two_takes_where_it_favours_another() {
    let mut sim = spoken(&[], |sim| {
        sim.ua(ALICE).quirks.formats =
            Some(&[(9, "G722/8000"), (0, "PCMU/8000"), (101, "telephone-event/8000")]);
        sim.ua(BOB).quirks.formats = Some(&[(0, "PCMU/8000")]);
    });
    sim.run_for(seconds(4));
    assert_eq!(sim.ua(ALICE).asked("INVITE"), 2);
    let last = sim.ua(ALICE).calls[0].dialogs[0].heard.last().unwrap().clone();
    assert!(last.contains("PCMU") && !last.contains("G722"), "{last}");
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
    assert_eq!(sim.ua(BOB).talk(0).order(), [What::Voice(Party::A)]);
    assert_eq!(record(&mut sim).codec, Some("PCMU"));
}

#[test]
fn an_offer_to_stage_one_that_crosses_its_own_is_made_again_after_two_to_four_seconds() {
    for crosses in [false, true] {
        let mut sim = spoken(&[], |sim| {
            sim.ua(ALICE).quirks.formats = Some(&[(9, "G722/8000"), (0, "PCMU/8000")]);
            sim.ua(BOB).quirks.formats = Some(&[(0, "PCMU/8000")]);
            let refuses = if crosses { Answering::Accept } else { Answering::Refuse(491) };
            sim.ua(ALICE).quirks.reinvites = refuses;
        });
        // Stage two is connected, and its 200 on the way to us.
        assert!(sim.run_until(|sim| sim.agent_was_asked(BOB, "ACK")));
        if crosses {
            // Ours is on its way.
            sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
        }
        sim.run_for(millis(20));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 2, "the call, and our offer");
        assert_eq!(sim.ua(ALICE).heard(491), usize::from(crosses));
        sim.ua(ALICE).quirks.reinvites = Answering::Accept;
        // The Call-ID is ours.
        sim.run_for(millis(2050));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 2);
        sim.run_for(millis(2000));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 3);
        let since = sim.now();
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(BOB).talk(0).since(since), [What::Voice(Party::A)]);
        assert_eq!(sim.ua(ALICE).talk(0).since(since), [What::Voice(Party::B)]);
        assert_eq!(record(&mut sim).codec, Some("PCMU"));
    }
}

#[test]
fn without_a_codec_in_common_a_stage_fails_with_488() {
    let exotic: &[(u8, &str)] = &[(18, "G729/8000")];
    for who in [ALICE, BOB] {
        let mut sim = spoken(&[], |sim| sim.ua(who).quirks.formats = Some(exotic));
        sim.run_for(seconds(8));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
        let record = record(&mut sim);
        assert_eq!((record.sip_cause, record.disconnect_originator), (488, Originator::System));
    }
}

#[test]
fn the_failure_tone_lasts_3_s() {
    for (code, tone) in [(486, What::Busy), (404, What::Reorder)] {
        let mut sim = spoken(&[], |sim| {
            sim.ua(BOB).refuses(code);
        });
        sim.run_for(seconds(10));
        let lasted = sim.ua(ALICE).talk(0).lasted(tone);
        assert!(lasted >= millis(2900) && lasted <= millis(3100), "{lasted:?}");
        assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
        ends_well(&mut sim);
    }
}

#[test]
fn early_media_of_stage_two_is_heard() {
    for ringback in [None, Some(("ringback", "passthrough"))] {
        let with: Vec<_> = ringback.into_iter().collect();
        let mut sim = spoken(&with, |sim| {
            sim.ua(BOB).quirks.early_voice = true;
            sim.ua(BOB).script = vec![
                (millis(100), ring(183, true, false)),
                (seconds(30), Move::Answer { fork: 0 }),
            ];
        });
        sim.run_for(seconds(5));
        assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
        assert_eq!(sim.ua(BOB).confirmed(), 0);
        sim.run_for(seconds(30));
        assert_eq!(sim.ua(BOB).confirmed(), 1);
        ends_well(&mut sim);
    }
}

#[test]
fn a_180_after_early_media_that_has_stopped_is_heard_as_ringing() {
    for ringback in [None, Some(("ringback", "passthrough"))] {
        let with: Vec<_> = ringback.into_iter().collect();
        let mut sim = spoken(&with, |sim| {
            sim.ua(BOB).quirks.early_voice = true;
            sim.ua(BOB).script = vec![(millis(100), ring(183, true, false))];
        });
        sim.run_for(seconds(3));
        for (speaks, heard) in [(false, What::Ringing), (true, What::Voice(Party::B))] {
            sim.ua(BOB).quirks.early_voice = speaks;
            sim.ua(BOB).act(0, ring(180, false, false));
            sim.run_for(seconds(2));
            assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&heard), "{ringback:?}");
        }
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(seconds(1));
        ends_well(&mut sim);
    }
}

#[test]
fn music_and_silence_while_stage_two_rings() {
    for (ringback, what) in [("moh", What::HoldMusic), ("false", What::Silence)] {
        let mut sim = spoken(&[("ringback", ringback)], |sim| {
            sim.ua(BOB).quirks.early_voice = true;
            sim.ua(BOB).script = vec![(millis(100), ring(183, true, false))];
        });
        sim.run_for(seconds(5));
        assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&what));
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
        ends_well(&mut sim);
    }
}

#[test]
fn a_stage_one_that_holds_while_stage_two_rings_is_heard_when_it_resumes() {
    let mut sim = spoken(&[], |sim| {
        sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    });
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    sim.ua(BOB).act(0, Move::Answer { fork: 0 });
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
    assert_eq!(sim.ua(BOB).talk(0).order().last(), Some(&What::Voice(Party::A)));
    ends_well(&mut sim);
}

#[test]
fn a_stage_one_that_chooses_another_codec_while_stage_two_rings_is_understood() {
    let mut sim = spoken(&[], |sim| {
        sim.ua(BOB).quirks.formats = Some(LAWS[0]);
        sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
    });
    sim.run_for(seconds(2));
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Other));
    sim.run_for(seconds(1));
    sim.ua(BOB).act(0, Move::Answer { fork: 0 });
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
    assert_eq!(sim.ua(BOB).talk(0).order().last(), Some(&What::Voice(Party::A)));
    ends_well(&mut sim);
}

#[test]
fn a_stage_one_that_holds_in_the_announcement_is_heard_when_it_resumes_before_the_answer() {
    for held in [Media::Hold, Media::Inactive, Media::OldHold] {
        let mut sim = spoken(&[("announce", "welcome.wav")], |sim| {
            sim.sounds.lasts(What::Announcement, seconds(3));
            sim.ua(BOB).script = vec![(millis(20), ring(180, false, false))];
        });
        sim.run_for(seconds(2));
        sim.ua(ALICE).act(0, Move::Reinvite(held));
        sim.run_for(seconds(3));
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Active));
        sim.run_for(seconds(1));
        sim.ua(BOB).act(0, Move::Answer { fork: 0 });
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(ALICE).talk(0).order().last(), Some(&What::Voice(Party::B)));
        assert_eq!(sim.ua(BOB).talk(0).order().last(), Some(&What::Voice(Party::A)));
        ends_well(&mut sim);
    }
}
