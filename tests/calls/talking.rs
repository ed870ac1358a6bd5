//! In the call: offers, glare, DTMF, session timers, and how it ends. Contract section 2, "In the call".

use mediator_sim::{Answering, CALLER, Media, Move, Party, REDIRECT, Sim, Stage, Wire};

use crate::support::{ALICE, BOB, connect, ends_well, masked, millis, seconds, world};

fn last_heard(sim: &mut Sim, who: usize) -> String {
    sim.ua(who).calls[0].dialogs[0].heard.last().cloned().unwrap_or_default()
}

fn heard_codes(sim: &mut Sim, who: usize, method: &str) -> Vec<u16> {
    let wires = sim.ua(who).received.iter();
    wires.filter(|w| !w.is_request() && w.method() == method).map(Wire::status).collect()
}

#[test]
fn hold_and_resume_cross_in_both_directions() {
    for who in [ALICE, BOB] {
        let mut sim = masked(1);
        connect(&mut sim);
        let other = if who == ALICE { BOB } else { ALICE };
        sim.ua(who).act(0, Move::Reinvite(Media::Hold));
        sim.run_for(seconds(1));
        assert!(last_heard(&mut sim, other).contains("a=sendonly"));
        sim.ua(who).act(0, Move::Reinvite(Media::Active));
        sim.run_for(seconds(1));
        assert!(!last_heard(&mut sim, other).contains("a=sendonly"));
        ends_well(&mut sim);
    }
}

#[test]
fn a_codec_and_address_change_crosses_by_update_too() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.allows_update = true;
    sim.ua(BOB).quirks.allows_update = true;
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Update(Some(Media::Other)));
    sim.run_for(seconds(1));
    assert!(last_heard(&mut sim, BOB).contains("m=audio 6002 RTP/AVP 8 101"));
    assert_eq!(sim.ua(BOB).asked("UPDATE"), 1);
    ends_well(&mut sim);
}

#[test]
fn the_origin_line_is_ours_and_its_version_grows_with_each_change() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    let heard = sim.ua(BOB).calls[0].dialogs[0].heard.clone();
    let origin = |sdp: &String| {
        let line = sdp.lines().find(|line| line.starts_with("o=")).unwrap().to_owned();
        let parts: Vec<String> = line.split(' ').map(str::to_owned).collect();
        (parts[1].clone(), parts[2].parse::<u64>().unwrap(), parts[5].clone())
    };
    let (first, second) = (origin(&heard[0]), origin(&heard[1]));
    assert_eq!((first.0, first.1 + 1, first.2), (second.0, second.1, second.2.clone()));
    assert_eq!(second.2, "10.0.0.1");
    ends_well(&mut sim);
}

#[test]
fn a_late_offer_goes_through_to_the_ack_first_and_later() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.late_offer = true;
    connect(&mut sim);
    assert_eq!(sim.ua(BOB).calls[0].dialogs[0].heard.len(), 1, "the answer in the ACK");
    sim.ua(ALICE).act(0, Move::LateReinvite);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).calls[0].dialogs[0].heard.len(), 2);
    sim.ua(BOB).act(0, Move::LateReinvite);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).calls[0].dialogs[0].heard.len(), 3);
    ends_well(&mut sim);
}

#[test]
fn a_reinvite_that_is_refused_leaves_the_call_as_it_was() {
    for (theirs, ours) in [(488, 488), (491, 491), (415, 415), (500, 500)] {
        let mut sim = masked(1);
        connect(&mut sim);
        sim.ua(BOB).quirks.reinvites = Answering::Refuse(theirs);
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(2));
        assert_eq!(heard_codes(&mut sim, ALICE, "INVITE").last(), Some(&ours));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        sim.ua(BOB).quirks.reinvites = Answering::Accept;
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
        sim.run_for(seconds(2));
        assert_eq!(heard_codes(&mut sim, ALICE, "INVITE").last(), Some(&200));
        ends_well(&mut sim);
    }
}

#[test]
fn reinvites_that_cross_are_491_and_the_call_goes_on() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.ua(BOB).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(2));
    let codes = [heard_codes(&mut sim, ALICE, "INVITE"), heard_codes(&mut sim, BOB, "INVITE")];
    assert!(codes.iter().flatten().any(|code| *code == 491), "{codes:?}");
    sim.ua(BOB).act(0, Move::Reinvite(Media::Active));
    sim.run_for(seconds(2));
    assert_eq!(heard_codes(&mut sim, BOB, "INVITE").last(), Some(&200), "tried again");
    ends_well(&mut sim);
}

#[test]
fn keys_in_info_are_written_anew_and_other_bodies_are_415() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Info('7'));
    sim.run_for(seconds(1));
    let info = sim.ua(BOB).received.iter().find(|w| w.method() == "INFO").cloned().unwrap();
    assert_eq!(info.body, "Signal=7\r\nDuration=160\r\n");
    assert_eq!(heard_codes(&mut sim, ALICE, "INFO"), [200]);
    sim.ua(ALICE).act(0, Move::OddInfo);
    sim.run_for(seconds(1));
    assert_eq!(heard_codes(&mut sim, ALICE, "INFO"), [200, 415]);
    ends_well(&mut sim);
}

#[test]
fn options_are_answered_and_refer_is_refused() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Options);
    sim.ua(ALICE).act(0, Move::Refer);
    sim.run_for(seconds(1));
    assert_eq!(heard_codes(&mut sim, ALICE, "OPTIONS"), [200]);
    assert_eq!(heard_codes(&mut sim, ALICE, "REFER"), [403]);
    assert_eq!(sim.ua(BOB).asked("REFER") + sim.ua(BOB).asked("OPTIONS"), 0);
    ends_well(&mut sim);
}

#[test]
fn a_wrong_tag_is_481_and_hurts_nobody() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::WrongTag);
    sim.run_for(seconds(1));
    assert_eq!(heard_codes(&mut sim, ALICE, "BYE"), [481]);
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn byes_that_cross_both_get_200() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Bye);
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert_eq!(heard_codes(&mut sim, ALICE, "BYE"), [200]);
    assert_eq!(heard_codes(&mut sim, BOB, "BYE"), [200]);
    ends_well(&mut sim);
}

#[test]
fn a_bye_that_crosses_a_reinvite_ends_both_sides() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    ends_well(&mut sim);
}

#[test]
fn resends_2xx_until_ack() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.acks_lost = 3;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(6));
    assert_eq!(sim.ua(ALICE).heard(200), 4);
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn an_ack_that_never_comes_ends_the_call() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.acks_lost = u32::MAX;
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(40));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
}

#[test]
fn acknowledges_each_copy_of_a_200() {
    // Pain 5: Bob misses our ACK and repeats himself.
    let mut sim = masked(5);
    sim.net.loss(45);
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(40));
    let (answers, acks) = (sim.ua(BOB).confirmed(), sim.ua(BOB).asked("ACK"));
    assert!(answers == 1 && acks >= 1);
    ends_well(&mut sim);
}

#[test]
fn of_several_forks_the_first_200_wins_and_the_others_get_bye() {
    let mut sim = masked(1);
    let ring = |fork| Move::Ring { status: 183, fork, sdp: true, reliable: false };
    sim.ua(BOB).script = vec![
        (millis(10), ring(0)),
        (millis(20), ring(1)),
        (millis(30), ring(2)),
        (millis(500), Move::Answer { fork: 2 }),
        (millis(501), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    let dialogs = sim.ua(BOB).calls[0].dialogs.clone();
    assert!(dialogs[0].bye_received && !dialogs[2].bye_received);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn a_180_after_a_183_reaches_the_caller() {
    let mut sim = masked(1);
    sim.ua(BOB).script = vec![
        (millis(10), Move::Ring { status: 183, fork: 0, sdp: true, reliable: false }),
        (millis(100), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
        (seconds(1), Move::Answer { fork: 0 }),
    ];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183, 180]);
    ends_well(&mut sim);
}

fn timed(who: usize, expires: &str) -> Sim {
    let mut stage = Stage::usual();
    stage.settings.session_expires = std::time::Duration::from_secs(200);
    let mut sim = world(1, stage);
    sim.secret(Party::A, CALLER);
    sim.ua(who).quirks.session_expires = Some(expires.to_owned());
    connect(&mut sim);
    sim
}

#[test]
fn we_refresh_a_peer_that_knows_no_session_timers() {
    for allows_update in [false, true] {
        let mut stage = Stage::usual();
        stage.settings.session_expires = std::time::Duration::from_secs(200);
        let mut sim = world(1, stage);
        sim.ua(BOB).quirks.allows_update = allows_update;
        connect(&mut sim);
        sim.run_for(seconds(450));
        let method = if allows_update { "UPDATE" } else { "INVITE" };
        assert!(sim.ua(BOB).asked(method) >= 4, "{method}");
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        ends_well(&mut sim);
    }
}

#[test]
fn a_peer_that_promised_to_refresh_and_does_not_gets_bye() {
    let mut sim = timed(ALICE, "120;refresher=uac");
    let answer = sim.ua(ALICE).calls[0].answer.clone().unwrap();
    assert_eq!(answer.header("Session-Expires"), Some("120;refresher=uac"));
    sim.run_for(seconds(125));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
}

#[test]
fn a_peer_that_refreshes_keeps_its_call() {
    for what in [Move::Reinvite(Media::Active), Move::Update(None)] {
        let mut sim = timed(ALICE, "120;refresher=uac");
        for _ in 0..4 {
            sim.run_for(seconds(60));
            sim.ua(ALICE).act(0, what.clone());
        }
        sim.run_for(seconds(5));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "{what:?}");
        ends_well(&mut sim);
    }
}

#[test]
fn a_refresh_that_gets_no_answer_ends_the_call() {
    let mut sim = timed(ALICE, "120;refresher=uas");
    sim.ua(ALICE).quirks.silent = true;
    sim.run_for(seconds(200));
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    assert_eq!(sim.records.len(), 1);
}

#[test]
fn an_interval_that_is_too_short_is_422_in_both_directions() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.session_expires = Some("30".to_owned());
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    let answer = sim.ua(ALICE).calls[call].answer.clone().unwrap();
    assert_eq!((answer.status(), answer.header("Min-SE")), (422, Some("90")));

    let mut sim = masked(2);
    sim.ua(BOB).quirks.min_se = Some(3600);
    connect(&mut sim);
    let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
    assert!(invite.header("Session-Expires").unwrap().starts_with("3600"));
    ends_well(&mut sim);
}

#[test]
fn a_call_over_a_stream_stays_on_its_connection() {
    let mut sim = masked(1);
    sim.ua(ALICE).profile.transport = mediator_model::Transport::Tcp;
    connect(&mut sim);
    sim.ua(BOB).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    assert!(last_heard(&mut sim, ALICE).contains("a=sendonly"));
    ends_well(&mut sim);
}

#[test]
fn hanging_up_by_the_operator_ends_both_sides() {
    let mut sim = masked(1);
    connect(&mut sim);
    sim.ua(BOB).script = vec![];
    let ringing = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    sim.tell(&mediator_call::io::Input::HangUpAll);
    sim.run_for(seconds(2));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    assert_eq!(sim.ua(ALICE).calls[ringing].outcome, Some(480));
    ends_well(&mut sim);
}

#[test]
fn a_refresh_after_a_refused_hold_holds_nobody() {
    let mut stage = Stage::usual();
    stage.settings.session_expires = seconds(90);
    stage.settings.min_se = seconds(90);
    let mut sim = world(1, stage);
    connect(&mut sim);
    sim.ua(BOB).quirks.reinvites = Answering::Refuse(488);
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    assert!(last_heard(&mut sim, BOB).contains("a=sendonly"), "he has refused it");
    sim.ua(BOB).quirks.reinvites = Answering::Accept;
    sim.run_for(seconds(60));
    assert!(!last_heard(&mut sim, BOB).contains("a=sendonly"), "the session is as it was");
    // What comes next is new again.
    sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
    sim.run_for(seconds(1));
    assert!(last_heard(&mut sim, BOB).contains("a=sendonly"));
    ends_well(&mut sim);
}

#[test]
fn a_reinvite_that_only_rings_is_cancelled() {
    for hangs_up in [false, true] {
        let mut sim = masked(1);
        connect(&mut sim);
        sim.ua(BOB).quirks.reinvites = Answering::Ring;
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Hold));
        sim.run_for(seconds(10));
        assert_eq!(sim.ua(BOB).asked("CANCEL"), 0);
        if hangs_up {
            sim.ua(BOB).act(0, Move::Bye);
        }
        sim.run_for(seconds(130));
        assert_eq!(sim.ua(BOB).asked("CANCEL"), 1);
        assert_eq!(heard_codes(&mut sim, ALICE, "INVITE").last(), Some(&487));
        assert_eq!(sim.ua(ALICE).confirmed(), usize::from(!hangs_up), "the call itself goes on");
        ends_well(&mut sim);
    }
}

#[test]
fn a_peer_that_refuses_every_refresh_keeps_its_call() {
    for (takes_update, refused) in [(false, 488), (true, 403)] {
        let mut stage = Stage::usual();
        stage.settings.session_expires = seconds(90);
        stage.settings.min_se = seconds(90);
        let mut sim = world(1, stage);
        sim.ua(BOB).quirks.allows_update = takes_update;
        sim.ua(BOB).quirks.updates = if takes_update { Some(501) } else { None };
        connect(&mut sim);
        sim.ua(BOB).quirks.reinvites = Answering::Refuse(refused);
        sim.run_for(seconds(300));
        assert_eq!(sim.ua(BOB).confirmed(), 1);
        assert!(sim.ua(BOB).asked("INVITE") > 4, "asked again and again");
        ends_well(&mut sim);
    }
}
