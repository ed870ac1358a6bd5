//! Challenges of leg B, and requests in its early dialogs. RFC 3261 sections 12.2.1.1, 13.2.2.4 and 22.

use mediator_model::{AllowForward, EndpointIndex, Secret, SipCredentials};
use mediator_sim::{CALLED, Move, Party, REDIRECT, Sim, Stage};

use crate::support::{ALICE, BOB, code, ends_well, masked, millis, outcome, seconds, world};

fn login(username: &str) -> SipCredentials {
    SipCredentials { username: username.into(), password: Secret::new("secret") }
}

fn proofs(sim: &mut Sim, who: usize, method: &str) -> Vec<Option<String>> {
    let asked = sim.ua(who).received.iter().filter(|wire| wire.method() == method);
    asked.map(|wire| wire.header("Proxy-Authorization").map(str::to_owned)).collect()
}

#[test]
fn credentials_go_with_each_further_invite_and_with_the_ack() {
    let mut stage = Stage::usual();
    stage.endpoints[1].out_credentials = Some(login("us"));
    let mut sim = world(1, stage);
    sim.ua(BOB).quirks.login = Some(("us", "secret"));
    sim.ua(BOB).quirks.challenges = true;
    sim.ua(BOB).quirks.min_se = Some(3600);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    let invites = proofs(&mut sim, BOB, "INVITE");
    assert_eq!(invites.len(), 3, "bare, with credentials, with a longer interval");
    assert!(invites[0].is_none() && invites[1].is_some());
    assert_eq!(invites[2], invites[1]);
    // Those of the 407 and the 422 are their transactions' own.
    assert_eq!(proofs(&mut sim, BOB, "ACK").last(), invites.last());
    ends_well(&mut sim);
}

#[test]
fn an_address_gets_its_own_credentials() {
    let mut stage = Stage::usual();
    stage.address(EndpointIndex(1), "10.2.0.2:5060", 1);
    stage.endpoints[1].addresses[0].credentials = Some(login("bob"));
    stage.endpoints[1].addresses[1].credentials = Some(login("carol"));
    let mut sim = world(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    sim.ua(carol).quirks.login = Some(("carol", "secret"));
    sim.ua(carol).quirks.challenges = true;
    sim.ua(BOB).refuses(503);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    ends_well(&mut sim);
}

#[test]
fn a_place_that_a_peer_has_named_gets_no_credentials() {
    let mut stage = Stage::usual();
    stage.endpoints[1].out_credentials = Some(login("us"));
    stage.groups[0].trunks[0].allow_forward = AllowForward::DirectUri;
    let mut sim = world(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    sim.ua(carol).quirks.login = Some(("us", "secret"));
    sim.ua(carol).quirks.challenges = true;
    let to = vec![("Contact".to_owned(), "<sip:carol@10.2.0.2:5060>".to_owned())];
    sim.ua(BOB).quirks.plain = true;
    sim.ua(BOB).quirks.no_contact = true;
    sim.ua(BOB).script = vec![(millis(5), Move::Refuse { status: 302, headers: to })];
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 503);
    assert_eq!(proofs(&mut sim, carol, "INVITE"), [None]);
    ends_well(&mut sim);
}

#[test]
fn a_prack_follows_the_route_that_the_1xx_has_recorded() {
    let mut sim = masked(1);
    let proxy = sim.agent("proxy", Party::B, "10.2.0.7:5060", CALLED);
    sim.ua(proxy).quirks.careless = true;
    sim.ua(BOB).quirks.record_route = Some("sip:10.2.0.7:5060".to_owned());
    sim.ua(ALICE).quirks.supports_100rel = true;
    let ring = Move::Ring { status: 183, fork: 0, sdp: true, reliable: true };
    sim.ua(BOB).script = vec![(millis(10), ring)];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(400));
    let first = sim.ua(proxy).received.first().cloned().unwrap();
    assert_eq!((first.method(), first.header("Route")), ("PRACK", Some("<sip:10.2.0.7:5060;lr>")));
}
