//! Who is who by source, and what strangers may cost. Contract section 1 and the rows of section 2 on strangers.

use std::sync::Arc;

use mediator_call::io::Input;
use mediator_model::{Directory, EndpointKind, Secret, SipCredentials, Transport};
use mediator_sim::{CALLER, Move, Party, REDIRECT, Sim, Stage};

use crate::support::{code, millis, outcome, seconds, world};

const PHONE: &str = "15550001001";

/// The usual stage, where the number leads to the phone `phil`.
fn stage() -> Stage {
    let mut stage = Stage::usual();
    stage.phone("phil", PHONE);
    stage.bindings.clear();
    stage.bind(REDIRECT, None, PHONE, &[("hide_origination_did", "true")]);
    stage
}

/// Phil at 10.3.0.1:5062, registered for an hour.
fn with_registered(transport: Transport) -> (Sim, usize) {
    let mut sim = world(1, stage());
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).profile.transport = transport;
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).answers();
    sim.ua(phil).register(3600);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(phil).heard(200), 1, "phil is registered");
    (sim, phil)
}

/// A request outside dialogs, whose topmost Via says what it likes.
fn request(method: &str, via: &str, to_tag: &str) -> String {
    format!(
        "{method} sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:x@10.3.0.1>;tag=x\r\n\
         To: <sip:x@10.0.0.1>{to_tag}\r\nCall-ID: {method}-{via}\r\nCSeq: 1 {method}\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The port that a sender writes into its Via is where responses go, and says nothing of who it is.
#[test]
fn a_port_in_the_via_is_nobody_s_identity() {
    let (mut sim, phil) = with_registered(Transport::Udp);
    let eve = sim.agent("eve", Party::A, "10.3.0.1:9999", CALLER);
    sim.ua(phil).quirks.careless = true;
    sim.ua(eve).say(&request("OPTIONS", "10.3.0.1:5062;branch=z9hG4bKe1", ""));
    sim.run_for(millis(500));
    assert_eq!(sim.ua(phil).heard(401), 2, "one for its REGISTER, one for what eve sent");
    assert_eq!(sim.ua(phil).heard(200), 1);
}

#[test]
fn a_ban_of_an_address_does_not_silence_the_phone_that_is_registered_there() {
    let (mut sim, phil) = with_registered(Transport::Udp);
    let eve = sim.agent("eve", Party::A, "10.3.0.1:9999", CALLER);
    sim.ua(eve).quirks.login = Some(("phil", "wrong"));
    for _ in 0..10 {
        sim.ua(eve).invite(REDIRECT);
        sim.run_for(millis(500));
    }
    let heard = sim.ua(eve).received.len();
    sim.ua(eve).invite(REDIRECT);
    let call = sim.ua(phil).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(eve).received.len(), heard, "silence for the guesser");
    assert_eq!(sim.ua(phil).calls[call].outcome, Some(200));
    // Its call goes on and ends like any other.
    sim.ua(phil).act(call, Move::Bye);
    sim.run_for(seconds(1));
    assert_eq!(sim.records.len(), 1);
}

/// RFC 3261 section 26.3.2.4: what is refused without proof leaves no state.
#[test]
fn refused_strangers_leave_no_transactions() {
    let mut sim = world(1, stage());
    let eve = sim.agent("eve", Party::A, "10.9.0.1:5060", CALLER);
    sim.ua(eve).quirks.careless = true;
    for (at, (method, to_tag)) in
        [("BYE", ""), ("BYE", ";tag=nobody"), ("OPTIONS", ""), ("CANCEL", "")].iter().enumerate()
    {
        let via = format!("10.9.0.1:5060;branch=z9hG4bKs{at}");
        sim.ua(eve).say(&request(method, &via, to_tag));
    }
    sim.run_for(millis(100));
    assert_eq!((sim.ua(eve).heard(481), sim.ua(eve).heard(401)), (3, 1));
    assert_eq!(sim.live_transactions(), 0);
    // The ACK of such a refusal is nobody's, and gets no answer.
    let heard = sim.ua(eve).received.len();
    sim.ua(eve).say(&request("ACK", "10.9.0.1:5060;branch=z9hG4bKs9", ";tag=nobody"));
    sim.run_for(millis(100));
    assert_eq!(sim.ua(eve).received.len(), heard);
}

#[test]
fn a_registration_does_not_outlive_its_password() {
    let (mut sim, _) = with_registered(Transport::Udp);
    let reloaded = |password: &str| {
        let mut stage = stage();
        let phil = stage.endpoints.last_mut().unwrap();
        let password = Secret::new(password);
        let credentials = Some(SipCredentials { username: "phil".into(), password });
        phil.kind = EndpointKind::ThirdParty { credentials };
        let Stage { endpoints, groups, dids, .. } = stage;
        Input::Directory(Arc::new(Directory::new(endpoints, groups, dids).unwrap()))
    };
    sim.tell(&reloaded("secret"));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200, "nothing changed");
    sim.tell(&reloaded("another"));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 480, "not registered");
}

#[test]
fn a_registration_over_a_connection_ends_with_it() {
    let (mut sim, phil) = with_registered(Transport::Tcp);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    sim.disconnect(phil);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 480);
}

/// `auth_required = false`: such a phone calls from where it is registered, and from nowhere else.
#[test]
fn an_endpoint_that_may_not_use_digest_still_registers() {
    let mut stage = stage();
    stage.endpoints.last_mut().unwrap().auth_required = false;
    let mut sim = world(1, stage);
    let phil = sim.agent("phil", Party::B, "10.3.0.1:5062", "phil");
    sim.ua(phil).quirks.login = Some(("phil", "secret"));
    sim.ua(phil).answers();
    sim.ua(phil).register(3600);
    sim.run_for(seconds(1));
    let roaming = sim.agent("roaming", Party::A, "10.9.0.1:5060", PHONE);
    sim.ua(roaming).quirks.login = Some(("phil", "secret"));
    let refused = sim.ua(roaming).invite(REDIRECT);
    let call = sim.ua(phil).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(roaming).calls[refused].outcome, Some(403));
    assert_eq!(sim.ua(phil).calls[call].outcome, Some(200));
}
