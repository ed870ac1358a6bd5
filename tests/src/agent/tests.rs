//! Two agents with nobody between them: a failure here is theirs, not the server's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Agent, Dial, Offer, sdp};
use crate::child::until;
use crate::hearing::Sought;
use crate::stage::Loopback;

fn two() -> (Loopback, Loopback, Agent, Agent) {
    let (one, other) = (Loopback::lease().unwrap(), Loopback::lease().unwrap());
    let alice = Agent::start(one.ip(), sdp::mu()).unwrap();
    let mut both = vec![sdp::Codec::new(8, "PCMA/8000")];
    both.extend(sdp::mu());
    let bob = Agent::start(other.ip(), both).unwrap();
    (one, other, alice, bob)
}

#[test]
fn talks_holds_presses_and_hangs_up() {
    let (_one, _other, alice, bob) = two();
    let call = alice.dial(bob.address(), "2", "1").unwrap();
    let called = bob.called(1).unwrap();
    called.ring().unwrap();
    call.status(180).unwrap();
    called.answer().unwrap();
    call.answered().unwrap();
    called.request("ACK").unwrap();
    call.speak(700.0).unwrap();
    called.speak(1300.0).unwrap();
    called.hears(&Sought::new("alice", &[700.0])).unwrap();
    call.hears(&Sought::new("bob", &[1300.0])).unwrap();
    call.press("7").unwrap();
    until(Duration::from_secs(5), "a key", || Ok((called.keys()?.len() == 1).then_some(())))
        .unwrap();
    assert_eq!(called.keys().unwrap().first().map(|key| key.key), Some('7'));
    assert_eq!(called.press_by_info('5').unwrap(), 200);
    let answer = call.offer_again("sendonly").unwrap();
    assert!(answer.body().contains("a=recvonly"), "{}", answer.text);
    called.hang_up().unwrap();
    call.ended().unwrap();
}

#[test]
fn answers_a_late_offer_in_the_acknowledgement() {
    let (_one, _other, alice, bob) = two();
    let dial = Dial { number: "2", caller: "1", offer: Offer::Late, extra: "" };
    let call = alice.dial_as(bob.address(), &dial).unwrap();
    let called = bob.called(1).unwrap();
    called.answer().unwrap();
    call.answered().unwrap();
    let ack = called.request("ACK").unwrap();
    assert!(ack.body().contains("RTP/AVP 0 101\n"), "{}", ack.text);
    called.speak(1300.0).unwrap();
    call.hears_since(&Sought::new("bob", &[1300.0]), Instant::now()).unwrap();
    let elsewhere = SocketAddr::from(([127, 0, 0, 9], 9));
    called.show(elsewhere).unwrap();
    called.offer_again("sendrecv").unwrap();
    assert_eq!(call.remote().unwrap().address, elsewhere);
}

#[test]
fn cancels_and_is_refused() {
    let (_one, _other, alice, bob) = two();
    let call = alice.dial(bob.address(), "2", "1").unwrap();
    bob.called(1).unwrap().ring().unwrap();
    call.cancel().unwrap();
    assert_eq!(call.outcome().unwrap().status(), Some(487));
    let call = alice.dial(bob.address(), "2", "1").unwrap();
    bob.called(2).unwrap().refuse("486 Busy Here").unwrap();
    assert_eq!(call.outcome().unwrap().status(), Some(486));
    assert_eq!(bob.calls(), 2);
}
