//! What stage one hears, packet by packet, in every combination of attributes.

use mediator_call::io::MediaMode;

use super::*;

/// How stage one confirms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Confirms {
    /// It is not asked to.
    Not,
    /// By an event.
    Event,
    /// By tones in its audio.
    Tones,
    /// By INFO.
    Info,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    confirms: Confirms,
    announce: Option<Result<(), SoundFailure>>,
    ringback: Option<&'static str>,
    mode: MediaMode,
    early_voice: bool,
}

impl Case {
    fn sim(&self) -> Sim {
        let mut stage = stage();
        stage.settings.media.mode = self.mode;
        let mut sim = both(stage);
        for (party, hidden) in [(Party::A, CALLER), (Party::B, CALLED)] {
            sim.secret(party, hidden);
        }
        sim.secret(Party::A, "192.0.2.1");
        sim.secret(Party::B, "192.0.2.2");
        for who in [ALICE, BOB] {
            sim.ua(who).quirks.voice = true;
            sim.ua(who).quirks.early_voice = true;
        }
        if self.confirms == Confirms::Tones {
            sim.ua(ALICE).quirks.formats = Some(&[(8, "PCMA/8000")]);
        }
        if let Some(Err(failure)) = self.announce {
            sim.sounds.fails(What::Announcement, failure);
        }
        sim.ua(BOB).script =
            vec![(millis(500), ring(180, false, false)), (seconds(5), Move::Answer { fork: 0 })];
        if self.early_voice {
            sim.ua(BOB).script.insert(1, (seconds(2), ring(183, true, false)));
        }
        let mut with = Vec::new();
        if self.confirms != Confirms::Not {
            with.push(("use_call_confirmation", "true"));
        }
        with.extend(self.announce.map(|_| ("announce", "hello.wav")));
        with.extend(self.ringback.map(|value| ("ringback", value)));
        sim.dial(dialout(&with));
        sim
    }

    /// What stage one hears, once each, silence aside.
    fn expected(&self) -> Vec<What> {
        let mut all = Vec::new();
        if self.confirms != Confirms::Not {
            all.push(What::Confirmation);
        }
        if self.announce == Some(Ok(())) {
            all.push(What::Announcement);
        }
        match self.ringback {
            // Stage one has answered: that stage two rings can only be heard.
            None | Some("passthrough") => all.push(What::Ringing),
            Some("moh") => all.push(What::HoldMusic),
            Some(_) => {}
        }
        all.push(What::Voice(Party::B));
        all
    }

    /// What stage one hears a second before stage two answers.
    fn early(&self) -> What {
        match self.ringback {
            Some("false") => What::Silence,
            Some("moh") => What::HoldMusic,
            _ if self.early_voice => What::Voice(Party::B),
            _ => What::Ringing,
        }
    }
}

fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for confirms in [Confirms::Not, Confirms::Event, Confirms::Tones, Confirms::Info] {
        for announce in [None, Some(Ok(())), Some(Err(SoundFailure::Undecoded))] {
            for ringback in [None, Some("false"), Some("moh"), Some("passthrough")] {
                for mode in [MediaMode::Relay, MediaMode::Direct] {
                    for early_voice in [false, true] {
                        all.push(Case { confirms, announce, ringback, mode, early_voice });
                    }
                }
            }
        }
    }
    all
}

/// Plays a dialout and gives what was wrong with it.
fn play(case: Case) -> Vec<String> {
    let mut faults = Vec::new();
    let mut note = |is_right: bool, what: String| {
        if !is_right {
            faults.push(what);
        }
    };
    let mut sim = case.sim();
    if case.confirms != Confirms::Not {
        sim.run_for(seconds(2));
        let asked = sim.ua(BOB).asked("INVITE");
        note(asked == 0, "stage two is dialled before it is confirmed".to_owned());
        let key = if case.confirms == Confirms::Info { Move::Info('1') } else { Move::Key('1') };
        sim.ua(ALICE).act(0, key);
        sim.run_for(millis(300));
    }
    sim.run_until(|sim| sim.agent_was_asked(BOB, "INVITE"));
    sim.run_for(seconds(4));
    let now = sim.now();
    sim.run_for(millis(200));
    let heard = sim.ua(ALICE).talk(0).since(now);
    note(heard == [case.early()], format!("before the answer: {heard:?}"));
    sim.run_for(seconds(5));
    let joined = (sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed());
    note(joined == (1, 1), format!("joined: {joined:?}"));
    let mut order = sim.ua(ALICE).talk(0).order();
    order.retain(|what| *what != What::Silence);
    order.dedup();
    note(order == case.expected(), format!("stage one hears {order:?}"));
    let order = sim.ua(BOB).talk(0).order();
    note(order == [What::Voice(Party::A)], format!("stage two hears {order:?}"));
    for who in [ALICE, BOB] {
        let talk = sim.ua(who).talk(0);
        let stream = (talk.sources(), talk.missing());
        note(stream == (1, 0), format!("sources and gaps: {stream:?}"));
    }
    faults.extend(sim.settle(Party::A));
    faults
}

#[test]
fn every_combination_is_heard_as_it_was_asked_for() {
    let wrong: Vec<String> = all()
        .into_iter()
        .filter_map(|case| {
            let faults = play(case);
            (!faults.is_empty()).then(|| format!("{case:?}\n  {}", faults.join("\n  ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
