//! What the caller hears of calls that fail: contract section 2's table, row by row.

use std::time::Duration;

use mediator_model::{AllowForward, Secret, SipCredentials};
use mediator_sim::{CALLED, CALLER, Move, Party, REDIRECT, Sim, Stage};

use crate::support::{ALICE, BOB, code, ends_well, masked, millis, outcome, seconds, world};

fn refused(sim: &mut Sim, status: u16, headers: &[(&str, &str)]) -> u16 {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    sim.ua(BOB).script = vec![(millis(5), Move::Refuse { status, headers })];
    code(outcome(sim, REDIRECT, seconds(8)).as_ref())
}

#[test]
fn an_unknown_number_is_404() {
    let mut sim = masked(1);
    assert_eq!(code(outcome(&mut sim, "15550000000", seconds(1)).as_ref()), 404);
    ends_well(&mut sim);
}

#[test]
fn a_number_without_a_binding_for_this_caller_is_480() {
    let mut stage = Stage::usual();
    stage.bindings[0].key.origination_did = Some(mediator_sim::number("15550000001"));
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480);
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    ends_well(&mut sim);
}

#[test]
fn failures_of_leg_b_reach_the_caller_as_the_table_says() {
    for (theirs, ours) in [
        (300, 480),
        (302, 480),
        (400, 400),
        (403, 403),
        (404, 404),
        (420, 420),
        (421, 421),
        (481, 481),
        (482, 482),
        (491, 491),
        (480, 480),
        (484, 484),
        (486, 486),
        (487, 487),
        (488, 488),
        (600, 600),
        (603, 603),
        (604, 604),
        (606, 606),
        (500, 503),
        (503, 503),
        (504, 503),
        (408, 408),
        (401, 503),
        (407, 503),
    ] {
        let mut sim = masked(theirs);
        assert_eq!(refused(&mut sim, theirs as u16, &[]), ours, "{theirs} from leg b");
        assert_eq!(sim.ua(BOB).asked("INVITE"), 1, "{theirs}");
        ends_well(&mut sim);
    }
}

#[test]
fn of_a_failure_only_retry_after_and_the_q850_cause_cross() {
    let mut sim = masked(1);
    let reason = "Q.850;cause=17;text=\"CanaryB\"";
    let code = refused(&mut sim, 486, &[("Retry-After", "30 (CanaryB)"), ("Reason", reason)]);
    assert_eq!(code, 486);
    let answer = sim.ua(ALICE).calls[0].answer.clone().unwrap();
    assert_eq!(answer.start, "SIP/2.0 486 Busy Here");
    assert_eq!(answer.header("Retry-After"), Some("30"));
    assert_eq!(answer.header("Reason"), Some("Q.850;cause=17"));
    assert!(answer.body.is_empty());
    ends_well(&mut sim);
}

#[test]
fn a_redirect_is_followed_only_where_the_trunk_says_so() {
    for (mode, user) in [
        (AllowForward::Direct, "15550007777"),
        (AllowForward::DirectUri, "15550007777"),
        (AllowForward::Reroute, "15550007777"),
        (AllowForward::Protected, "15550007777"),
    ] {
        let mut stage = Stage::usual();
        stage.groups[0].trunks[0].allow_forward = mode;
        let mut sim = world(3, stage);
        let to = vec![("Contact".to_owned(), format!("<sip:{user}@10.2.0.1:5060>"))];
        sim.ua(BOB).quirks.plain = true;
        sim.ua(BOB).quirks.no_contact = true;
        sim.ua(BOB).script = vec![(millis(5), Move::Refuse { status: 302, headers: to })];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(18));
        sim.ua(BOB).answers();
        sim.run_for(seconds(3));
        let second = sim.ua(BOB).calls[1].invite.clone().unwrap();
        assert!(second.uri().contains(user), "{mode:?}: {}", second.uri());
        assert_eq!(sim.ua(ALICE).confirmed(), 1, "{mode:?}");
        assert_eq!(sim.calls_of(1), 1, "{mode:?}: the call that was redirected counts once");
        ends_well(&mut sim);
    }
}

/// Of several Contacts the one that is liked best and can be followed; where none can, the redirect is a failure as
/// any other, and nobody else is called.
#[test]
fn of_a_redirect_the_best_contact_that_can_be_followed_counts() {
    use AllowForward::{Direct, DirectUri};
    let low = "<sip:15550007777@10.2.0.1:5060>;q=0.1";
    let high = "<sip:15550008888@10.2.0.1:5060>;q=0.7";
    let deaf = "<mailto:bob@example.com>;q=1.0";
    for (mode, contacts, user) in [
        (Direct, format!("{low}, {high}"), Some("15550008888")),
        (Direct, format!("{high}, {low}"), Some("15550008888")),
        (DirectUri, format!("{deaf}, {low}"), Some("15550007777")),
        (
            Direct,
            "<sip:joe@10.2.0.1>, <sip:15550007777@10.2.0.1>;q=0".to_owned(),
            Some("15550007777"),
        ),
        (DirectUri, "<sips:joe@10.2.0.1>, <tel:+15550007777>".to_owned(), None),
        (Direct, "<sip:joe@10.2.0.1>".to_owned(), None),
    ] {
        let mut stage = Stage::usual();
        stage.groups[0].trunks[0].allow_forward = mode;
        let mut sim = world(3, stage);
        let headers = vec![("Contact".to_owned(), contacts.clone())];
        sim.ua(BOB).quirks.plain = true;
        sim.ua(BOB).quirks.no_contact = true;
        sim.ua(BOB).script = vec![(millis(5), Move::Refuse { status: 302, headers })];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(18));
        sim.ua(BOB).answers();
        sim.run_for(seconds(3));
        let second = sim.ua(BOB).calls.get(1).and_then(|call| call.invite.clone());
        assert_eq!(second.is_some(), user.is_some(), "{mode:?} {contacts}");
        if let (Some(second), Some(user)) = (second, user) {
            assert!(second.uri().contains(user), "{mode:?} {contacts}: {}", second.uri());
        } else {
            let answer = sim.ua(ALICE).calls[0].answer.clone();
            assert_eq!(code(answer.as_ref()), 480, "{mode:?} {contacts}");
        }
        ends_well(&mut sim);
    }
}

/// RFC 3261 section 13.3.1: the caller's Expires ends its invitation as its CANCEL would.
#[test]
fn an_invitation_that_expires_is_487_and_rings_no_more() {
    for (expires, waited, expected) in [("3", 4, 487), ("3", 2, 0), ("0", 4, 0), ("600", 119, 0)] {
        let mut sim = masked(1);
        sim.ua(ALICE).quirks.extra = vec![("Expires".to_owned(), expires.to_owned())];
        sim.ua(BOB).script =
            vec![(millis(5), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
        let heard = code(outcome(&mut sim, REDIRECT, seconds(waited)).as_ref());
        assert_eq!(heard, expected, "Expires: {expires} after {waited} s");
        assert_eq!(sim.ua(BOB).asked("CANCEL"), usize::from(expected == 487), "Expires: {expires}");
        sim.run_for(seconds(130));
        ends_well(&mut sim);
    }
}

#[test]
fn a_trunk_s_challenge_is_answered_with_its_credentials() {
    for (password, expected) in [("secret", 200), ("wrong", 503)] {
        let mut stage = Stage::usual();
        stage.endpoints[1].out_credentials =
            Some(SipCredentials { username: "us".into(), password: Secret::new(password) });
        let mut sim = world(1, stage);
        sim.ua(BOB).quirks.login = Some(("us", "secret"));
        sim.ua(BOB).quirks.challenges = true;
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), expected, "{password}");
        ends_well(&mut sim);
    }
}

#[test]
fn an_unreachable_name_is_503_and_a_silent_trunk_408() {
    let mut stage = Stage::usual();
    stage.endpoints[1].addresses.clear();
    stage.address(mediator_model::EndpointIndex(1), "carrier.test", 0);
    let mut sim = world(1, stage);
    sim.names.insert("carrier.test".to_owned(), Vec::new());
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 503);
    ends_well(&mut sim);

    let mut sim = masked(2);
    sim.ua(BOB).quirks.silent = true;
    assert_eq!(code(outcome(&mut sim, REDIRECT, millis(4900)).as_ref()), 0);
    sim.run_for(millis(300));
    assert_eq!(sim.ua(ALICE).calls[0].outcome, Some(408));
    ends_well(&mut sim);
}

#[test]
fn nobody_answers_in_time() {
    let mut sim = masked(1);
    sim.ua(BOB).script =
        vec![(millis(5), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(119)).as_ref()), 0);
    sim.run_for(seconds(2));
    let answer = sim.ua(ALICE).calls[0].answer.clone().unwrap();
    assert_eq!(answer.status(), 480);
    assert_eq!(answer.header("Reason"), Some("Q.850;cause=19"));
    assert!(sim.ua(BOB).calls[0].cancelled);
    ends_well(&mut sim);
}

#[test]
fn never_ending_1xx_do_not_keep_a_call_ringing() {
    let mut sim = masked(1);
    sim.ua(BOB).script = (0..200)
        .map(|n| (seconds(n), Move::Ring { status: 183, fork: 0, sdp: true, reliable: false }))
        .collect();
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(125)).as_ref()), 480);
    ends_well(&mut sim);
}

#[test]
fn a_cancel_waits_for_leg_b_s_first_1xx() {
    let mut sim = masked(1);
    sim.ua(BOB).script =
        vec![(seconds(2), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(500), Move::Cancel);
    sim.run_for(millis(1900));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    assert_eq!(sim.ua(BOB).asked("CANCEL"), 0, "before a 1xx there is nothing to cancel");
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).asked("CANCEL"), 1);
    ends_well(&mut sim);
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut sim = masked(1);
    sim.ua(BOB).script = vec![
        (millis(5), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
        (millis(499), Move::Answer { fork: 0 }),
    ];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(503), Move::Cancel);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    assert_eq!(sim.ua(BOB).calls[0].outcome, Some(200));
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
}

#[test]
fn an_endpoint_at_its_capacity_gets_503_and_can_call_again_afterwards() {
    for endpoint in 0..3 {
        let mut stage = Stage::usual();
        stage.endpoints[endpoint].capacity = 1;
        let mut sim = world(1, stage);
        let first = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(1));
        let refused = outcome(&mut sim, REDIRECT, seconds(1)).unwrap();
        assert_eq!(refused.status(), 503, "endpoint {endpoint}");
        assert!(refused.header("Retry-After").is_some());
        assert_eq!(sim.calls_of(endpoint), 1);
        sim.ua(ALICE).act(first, Move::Bye);
        sim.run_for(seconds(1));
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
        ends_well(&mut sim);
    }
}

#[test]
fn a_trunk_at_its_capacity_is_left_for_the_next() {
    let mut stage = Stage::usual();
    stage.groups[0].trunks[0].out_capacity = Some(0);
    stage.way_out(2, 1, 0);
    let mut sim = world(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    ends_well(&mut sim);
}

#[test]
fn calls_beyond_an_accounts_rate_get_503() {
    let mut stage = Stage::usual();
    stage.endpoints[2].cps_limit = 2;
    let mut sim = world(1, stage);
    let codes: Vec<u16> =
        (0..5).map(|_| code(outcome(&mut sim, REDIRECT, millis(100)).as_ref())).collect();
    let refused = codes.iter().filter(|code| **code == 503).count();
    assert!(refused >= 2, "{codes:?}");
    sim.run_for(seconds(2));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    ends_well(&mut sim);
}

#[test]
fn what_is_malformed_is_answered_with_what_is_wrong() {
    let good = "INVITE sip:15162065346@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKm\r\n\
                Max-Forwards: 70\r\nFrom: <sip:14155550100@10.1.0.1>;tag=m\r\nTo: <sip:15162065346@10.0.0.1>\r\n\
                Call-ID: m\r\nCSeq: 1 INVITE\r\nContact: <sip:m@10.1.0.1:5060>\r\nContent-Length: 0\r\n\r\n";
    for (from, to, expected) in [
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400),
        ("CSeq: 1 INVITE", "CSeq: x INVITE", 400),
        ("sip:15162065346@10.0.0.1 SIP", "sips:15162065346@10.0.0.1 SIP", 416),
        ("sip:15162065346@10.0.0.1 SIP", "foo:bar SIP", 416),
        ("Max-Forwards: 70", "Max-Forwards: 0", 483),
        ("Max-Forwards: 70", "Max-Forwards: 700", 400),
        ("Contact: <sip:m@10.1.0.1:5060>\r\n", "", 400),
        ("Content-Length: 0", "Require: teleport\r\nContent-Length: 0", 420),
        ("Content-Length: 0", "Content-Type: text/plain\r\nContent-Length: 2", 415),
        ("Content-Length: 0", "Content-Type: application/sdp\r\nContent-Length: 2", 400),
    ] {
        let mut sim = masked(1);
        sim.ua(ALICE).quirks.careless = true;
        let mut text = good.replacen(from, to, 1);
        if to.ends_with('2') {
            text += "xx";
        }
        sim.ua(ALICE).say(&text);
        sim.run_for(millis(100));
        let codes: Vec<u16> =
            sim.ua(ALICE).received.iter().map(mediator_sim::Wire::status).collect();
        assert_eq!(codes, [expected], "{to}");
        sim.run_for(seconds(60));
        assert_eq!((sim.live_calls(), sim.live_transactions()), (0, 0));
    }
}

#[test]
fn bindings_pass_five_deep_and_no_deeper() {
    for (depth, expected) in [(4, 200), (5, 200), (6, 483)] {
        let mut stage = Stage::usual();
        stage.bindings.clear();
        let account = mediator_model::TrunkGroupIndex(1);
        let did = |n: usize| format!("1516206000{n}");
        for n in 0..depth {
            stage.did(&did(n), account);
            let to = if n + 1 == depth { CALLED.to_owned() } else { did(n + 1) };
            stage.bind(&did(n), None, &to, &[("hide_origination_did", "true")]);
        }
        let mut sim = world(1, stage);
        assert_eq!(code(outcome(&mut sim, &did(0), seconds(1)).as_ref()), expected, "{depth} deep");
        ends_well(&mut sim);
    }
}

#[test]
fn bindings_in_a_circle_are_482() {
    let mut stage = Stage::usual();
    stage.bindings.clear();
    stage.did("15162060001", mediator_model::TrunkGroupIndex(1));
    stage.bind(REDIRECT, None, "15162060001", &[]);
    stage.bind("15162060001", None, REDIRECT, &[]);
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 482);
    ends_well(&mut sim);
}

#[test]
fn leg_b_gets_one_hop_less() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.max_forwards = Some(11);
    outcome(&mut sim, REDIRECT, seconds(1));
    let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
    assert_eq!(invite.header("Max-Forwards"), Some("10"));
    ends_well(&mut sim);
}

#[test]
fn a_caller_who_hangs_up_before_the_name_is_resolved_reaches_nobody() {
    let mut stage = Stage::usual();
    stage.endpoints[1].addresses.clear();
    stage.address(mediator_model::EndpointIndex(1), "carrier.test", 0);
    let mut sim = world(1, stage);
    let bob = (mediator_model::Transport::Udp, "10.2.0.1:5060".parse().unwrap());
    sim.names.insert("carrier.test".to_owned(), vec![bob]);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(12), Move::Cancel);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 0);
    ends_well(&mut sim);
}

#[test]
fn while_draining_new_calls_get_503() {
    let mut sim = masked(1);
    sim.tell(&mediator_call::io::Input::Drain);
    let refused = outcome(&mut sim, REDIRECT, seconds(1)).unwrap();
    assert_eq!((refused.status(), refused.header("Retry-After").is_some()), (503, true));
    ends_well(&mut sim);
}

#[test]
fn a_call_ends_after_the_longest_time_allowed() {
    let mut stage = Stage::usual();
    stage.settings.max_call_duration = Duration::from_secs(100);
    let mut sim = world(1, stage);
    sim.secret(Party::A, CALLER);
    crate::support::connect(&mut sim);
    sim.run_for(seconds(100));
    assert!(sim.ua(ALICE).calls[0].dialogs[0].bye_received);
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
}
