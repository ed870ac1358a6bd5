//! What ringing, busy and reorder tones sound like, by country: ITU-T E.180 Supplement 2, and newer national standards where
//! they replaced what it says.
//!
//! A number's country is told by its country code (ITU-T E.164), which no other one begins with. Countries that are not here,
//! and all of North America's plan, have the tones of the US.

use mediator_media::Tone;
use mediator_model::Number;

/// What is heard while a tone is on, in Hz.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pitch {
    /// One frequency.
    One(f32),
    /// Two at once.
    Two(f32, f32),
    /// One whose loudness follows another, low one.
    Modulated(f32, f32),
}

/// A tone that comes and goes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cadence {
    /// What is heard while it is on.
    pub pitch: Pitch,
    /// Milliseconds on, off, on, off ...; then from the beginning.
    pub on_off_ms: &'static [u16],
}

/// The tones of a country.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// The country code, without "+".
    pub code: &'static str,
    ringing: Cadence,
    busy: Cadence,
    reorder: Cadence,
}

impl Plan {
    /// The plan of a number's country.
    pub fn of(number: Number) -> &'static Self {
        let digits = number.to_string();
        PLANS.iter().find(|plan| digits.starts_with(plan.code)).unwrap_or(&US)
    }

    /// The plan of a country by its two letters (ISO 3166-1); that of the US where there is none.
    pub fn of_country(country: &str) -> &'static Self {
        PLANS.iter().find(|plan| plan.country == country).unwrap_or(&US)
    }

    /// All plans but the default one.
    pub const fn all() -> &'static [Self] {
        PLANS
    }

    /// One of its tones.
    pub const fn cadence(&self, tone: Tone) -> Cadence {
        match tone {
            Tone::Ringing => self.ringing,
            Tone::Busy => self.busy,
            Tone::Reorder => self.reorder,
        }
    }
}

const fn of(pitch: Pitch, on_off_ms: &'static [u16]) -> Cadence {
    Cadence { pitch, on_off_ms }
}

/// A tone of 425 Hz, which ITU-T E.180 recommends.
const fn hz425(on_off_ms: &'static [u16]) -> Cadence {
    of(Pitch::One(425.0), on_off_ms)
}

const fn hz400(on_off_ms: &'static [u16]) -> Cadence {
    of(Pitch::One(400.0), on_off_ms)
}

const fn hz450(on_off_ms: &'static [u16]) -> Cadence {
    of(Pitch::One(450.0), on_off_ms)
}

/// The busy tone's pitch in North America and where its switches went.
const fn hz480_620(on_off_ms: &'static [u16]) -> Cadence {
    of(Pitch::Two(480.0, 620.0), on_off_ms)
}

const fn plan(country: &'static str, code: &'static str, tones: [Cadence; 3]) -> Plan {
    let [ringing, busy, reorder] = tones;
    Plan { country, code, ringing, busy, reorder }
}

/// One second in five: most of Europe, and beyond.
const EURO_RINGING: Cadence = hz425(&[1000, 4000]);
/// Two short ones, as Britain and many others have it.
const DOUBLE: &[u16] = &[400, 200, 400, 2000];
const HALF: &[u16] = &[500, 500];
const QUARTER: &[u16] = &[250, 250];
const FIFTH: &[u16] = &[200, 200];
const BRITISH_RINGING: Cadence = of(Pitch::Two(400.0, 450.0), DOUBLE);
const BRITISH_BUSY: Cadence = hz400(&[375, 375]);
const BRITISH_REORDER: Cadence = hz400(&[400, 350, 225, 525]);
const US_RINGING: Pitch = Pitch::Two(440.0, 480.0);

const US: Plan =
    plan("US", "1", [of(US_RINGING, &[2000, 4000]), hz480_620(HALF), hz480_620(QUARTER)]);

#[rustfmt::skip]
static PLANS: &[Plan] = &[
    plan("AE", "971", [BRITISH_RINGING, BRITISH_BUSY, BRITISH_REORDER]),
    plan("AR", "54", [hz425(&[1000, 4500]), hz425(&[300, 200]), hz425(&[200, 300])]),
    plan("AT", "43", [of(Pitch::One(420.0), &[1000, 5000]), of(Pitch::One(420.0), &[400, 400]), of(Pitch::One(420.0), FIFTH)]),
    plan("AU", "61", [of(Pitch::Two(413.0, 438.0), DOUBLE), hz425(&[375, 375]), hz425(&[375, 375])]),
    plan("BE", "32", [hz425(&[1000, 3000]), hz425(HALF), hz425(&[167, 167])]),
    plan("BG", "359", [EURO_RINGING, hz425(HALF), hz425(QUARTER)]),
    plan("BR", "55", [EURO_RINGING, hz425(QUARTER), hz425(&[250, 250, 750, 250])]),
    plan("CH", "41", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("CL", "56", [hz400(&[1000, 3000]), hz400(HALF), hz400(FIFTH)]),
    plan("CN", "86", [hz450(&[1000, 4000]), hz450(&[350, 350]), hz450(&[700, 700])]),
    plan("CR", "506", [hz450(&[1203, 4797]), hz450(&[330, 330]), hz450(&[330, 330])]),
    plan("CY", "357", [hz425(&[1500, 3000]), hz425(HALF), hz425(FIFTH)]),
    plan("CZ", "420", [EURO_RINGING, hz425(&[330, 330]), hz425(&[165, 165])]),
    plan("DE", "49", [EURO_RINGING, hz425(&[480, 480]), hz425(&[240, 240])]),
    plan("DK", "45", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("EE", "372", [EURO_RINGING, hz425(&[300, 300]), hz425(FIFTH)]),
    plan("ES", "34", [hz425(&[1500, 3000]), hz425(FIFTH), hz425(&[200, 200, 200, 200, 200, 600])]),
    plan("FI", "358", [EURO_RINGING, hz425(&[300, 300]), hz425(FIFTH)]),
    plan("FR", "33", [of(Pitch::One(440.0), &[1500, 3500]), of(Pitch::One(440.0), HALF), of(Pitch::One(440.0), QUARTER)]),
    plan("GB", "44", [BRITISH_RINGING, BRITISH_BUSY, BRITISH_REORDER]),
    plan("GR", "30", [EURO_RINGING, hz425(&[300, 300]), hz425(FIFTH)]),
    plan("HK", "852", [of(US_RINGING, &[400, 200, 400, 3000]), hz480_620(HALF), hz480_620(QUARTER)]),
    plan("HU", "36", [hz425(&[1250, 3750]), hz425(&[300, 300]), hz425(&[300, 300])]),
    plan("ID", "62", [EURO_RINGING, hz425(HALF), hz425(QUARTER)]),
    plan("IE", "353", [BRITISH_RINGING, hz425(HALF), hz425(HALF)]),
    plan("IL", "972", [hz400(&[1000, 3000]), hz400(HALF), hz400(QUARTER)]),
    plan("IN", "91", [of(Pitch::Modulated(400.0, 25.0), DOUBLE), hz400(&[750, 750]), hz400(QUARTER)]),
    plan("IR", "98", [EURO_RINGING, hz425(HALF), hz425(&[240, 240])]),
    plan("IT", "39", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("JP", "81", [of(Pitch::Modulated(400.0, 16.0), &[1000, 2000]), hz400(HALF), hz400(HALF)]),
    plan("KR", "82", [of(US_RINGING, &[1000, 2000]), hz480_620(HALF), hz480_620(&[300, 200])]),
    plan("LI", "423", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("LT", "370", [EURO_RINGING, hz425(&[350, 350]), hz425(FIFTH)]),
    plan("LU", "352", [EURO_RINGING, hz425(&[480, 480]), hz425(&[240, 240])]),
    plan("MC", "377", [of(Pitch::One(440.0), &[1500, 3500]), of(Pitch::One(440.0), HALF), of(Pitch::One(440.0), QUARTER)]),
    plan("MO", "853", [EURO_RINGING, hz425(HALF), hz425(QUARTER)]),
    plan("MX", "52", [EURO_RINGING, hz425(QUARTER), hz425(QUARTER)]),
    plan("MY", "60", [hz425(DOUBLE), hz425(HALF), hz425(HALF)]),
    plan("NL", "31", [EURO_RINGING, hz425(HALF), hz425(QUARTER)]),
    plan("NO", "47", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("NZ", "64", [BRITISH_RINGING, hz400(HALF), hz400(QUARTER)]),
    plan("PA", "507", [hz425(&[1200, 4650]), hz425(&[320, 320]), hz425(&[320, 320])]),
    plan("PH", "63", [of(Pitch::Two(425.0, 480.0), &[1000, 4000]), hz480_620(HALF), hz480_620(QUARTER)]),
    plan("PL", "48", [EURO_RINGING, hz425(HALF), hz425(HALF)]),
    plan("PT", "351", [hz425(&[1000, 5000]), hz425(HALF), hz425(FIFTH)]),
    // Russia and Kazakhstan.
    plan("RU", "7", [EURO_RINGING, hz425(&[350, 350]), hz425(&[175, 175])]),
    plan("SE", "46", [hz425(&[1000, 5000]), hz425(QUARTER), hz425(&[250, 750])]),
    plan("SG", "65", [of(Pitch::Modulated(425.0, 24.0), DOUBLE), hz425(&[750, 750]), hz425(QUARTER)]),
    plan("SI", "386", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("SK", "421", [EURO_RINGING, hz425(&[330, 330]), hz425(&[165, 165])]),
    plan("SM", "378", [EURO_RINGING, hz425(HALF), hz425(FIFTH)]),
    plan("TH", "66", [of(Pitch::One(420.0), &[1000, 5000]), hz400(HALF), hz400(&[300, 300])]),
    plan("TR", "90", [hz450(&[2000, 4000]), hz450(HALF), hz450(&[200, 200, 200, 200, 200, 200, 600, 200])]),
    plan("TW", "886", [of(US_RINGING, &[1000, 2000]), hz480_620(HALF), hz480_620(QUARTER)]),
    plan("VE", "58", [EURO_RINGING, hz425(HALF), hz425(QUARTER)]),
    plan("ZA", "27", [of(Pitch::Modulated(400.0, 33.0), DOUBLE), hz400(HALF), hz400(QUARTER)]),
];
