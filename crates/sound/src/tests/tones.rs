//! Tests of tones and keys.

use mediator_media::{Speech, Tone};
use mediator_model::Number;

use super::{amplitude, heard};
use crate::{Form, Pitch, Plan, track_of_digits, track_of_tone};

/// The number, its country, the tone, its frequencies, and when it is on and off, in milliseconds.
type Row = (&'static str, &'static str, Tone, &'static [f32], u32, u32);

#[test]
fn countries_have_the_tones_of_their_plan() {
    let rows: [Row; 14] = [
        ("15162065337", "US", Tone::Ringing, &[440.0, 480.0], 1_000, 3_000),
        ("14165550100", "US", Tone::Busy, &[480.0, 620.0], 250, 750),
        ("442071234567", "GB", Tone::Ringing, &[400.0, 450.0], 200, 500),
        ("442071234567", "GB", Tone::Busy, &[400.0], 180, 560),
        ("4930123456", "DE", Tone::Ringing, &[425.0], 500, 3_000),
        ("4930123456", "DE", Tone::Reorder, &[425.0], 120, 360),
        ("33142345678", "FR", Tone::Busy, &[440.0], 250, 750),
        ("34912345678", "ES", Tone::Ringing, &[425.0], 700, 3_000),
        ("390612345678", "IT", Tone::Busy, &[425.0], 250, 750),
        ("31201234567", "NL", Tone::Ringing, &[425.0], 500, 3_000),
        ("61212345678", "AU", Tone::Ringing, &[413.0, 438.0], 200, 500),
        ("81312345678", "JP", Tone::Busy, &[400.0], 250, 750),
        ("8613812345678", "CN", Tone::Ringing, &[450.0], 500, 3_000),
        ("551123456789", "BR", Tone::Busy, &[425.0], 120, 380),
    ];
    for (digits, country, tone, pitches, on_ms, off_ms) in rows {
        let plan = Plan::of(Number::from_digits(digits).unwrap());
        assert_eq!(plan.country, country);
        let samples = heard(&track_of_tone(tone, plan, Form::new(Speech::Pcma, 20)).unwrap());
        // 160 ms around a time.
        let around = |ms: u32| &samples[ms as usize * 8 - 640..ms as usize * 8 + 640];
        for hz in pitches {
            let level = amplitude(around(on_ms), 8_000, *hz);
            assert!(level > 0.08, "{tone:?} of {country}: {hz} Hz at {level}");
        }
        let loudest = around(off_ms).iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(loudest < 0.01, "{tone:?} of {country} is silent between: {loudest}");
    }
}

#[test]
fn a_country_that_is_not_known_has_the_plan_of_the_us() {
    for digits in ["247123456", "881612345678", "12", "0"] {
        assert_eq!(Plan::of(Number::from_digits(digits).unwrap()).country, "US", "{digits}");
    }
}

#[test]
fn no_country_code_begins_with_another() {
    let plans = Plan::all();
    assert!(plans.len() >= 40);
    for plan in plans {
        for other in plans {
            let is_same = plan.country == other.country;
            assert!(is_same || !plan.code.starts_with(other.code), "{plan:?} {other:?}");
        }
        assert_eq!(Plan::of_country(plan.country), plan);
        for tone in [Tone::Ringing, Tone::Busy, Tone::Reorder] {
            let cadence = plan.cadence(tone);
            assert!(cadence.on_off_ms.len() % 2 == 0 && !cadence.on_off_ms.is_empty());
            let (Pitch::One(hz) | Pitch::Two(hz, _) | Pitch::Modulated(hz, _)) = cadence.pitch;
            assert!((380.0..=650.0).contains(&hz), "{}: {hz}", plan.country);
        }
    }
}

#[test]
fn a_modulated_tone_swings() {
    let india = Plan::of(Number::from_digits("911123456789").unwrap());
    let samples = heard(&track_of_tone(Tone::Ringing, india, Form::new(Speech::Pcmu, 20)).unwrap());
    let on = &samples[160..2_720];
    for (hz, least) in [(400.0, 0.05), (375.0, 0.02), (425.0, 0.02)] {
        assert!(amplitude(on, 8_000, hz) > least, "{hz}");
    }
}

#[test]
fn keys_are_heard_in_every_codec() {
    let keys = [
        ('1', 697.0, 1209.0),
        ('5', 770.0, 1336.0),
        ('9', 852.0, 1477.0),
        ('*', 941.0, 1209.0),
        ('0', 941.0, 1336.0),
        ('#', 941.0, 1477.0),
        ('A', 697.0, 1633.0),
        ('D', 941.0, 1633.0),
    ];
    let digits: String = keys.iter().map(|(key, ..)| *key).collect();
    for speech in Speech::ALL {
        let rate = speech.sample_rate();
        let samples = heard(&track_of_digits(&digits, Form::new(speech, 20)).unwrap());
        let ms = rate as usize / 1_000;
        assert_eq!(samples.len(), keys.len() * 200 * ms);
        for (at, (key, low, high)) in keys.into_iter().enumerate() {
            // A codec is up to 7 ms late.
            let on = &samples[(at * 200 + 20) * ms..(at * 200 + 90) * ms];
            for hz in [low, high] {
                assert!(amplitude(on, rate, hz) > 0.2, "{key} in {speech:?}: {hz} Hz");
            }
            let off = &samples[(at * 200 + 130) * ms..(at * 200 + 195) * ms];
            let level: f32 = off.iter().map(|sample| sample.abs()).sum::<f32>() / off.len() as f32;
            assert!(level < 0.01, "{key} in {speech:?}: {level}");
        }
    }
}

#[test]
fn a_comma_waits_and_what_is_no_key_does_not() {
    let form = Form::new(Speech::Pcmu, 20);
    let length = |digits: &str| track_of_digits(digits, form).unwrap().length().as_millis();
    assert_eq!(length("1,2"), 200 + 500 + 200);
    assert_eq!(length("x1 y"), 200);
    assert_eq!(length(""), 0);
    assert_eq!(length(&"1".repeat(10_000)), 256 * 200);
}
