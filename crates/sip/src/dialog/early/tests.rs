//! Ladders after RFC 3665 §3, with forks, strange peers and late answers.

use super::super::testing::{response, text};
use super::super::{CallIdOwner, NewDialog};
use super::{DialogChange, EarlyDialogs, ForkId, MAX_FORKS};
use crate::{Method, Response};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const BOB: &str = "Contact: <sip:bob@client.biloxi.example.com>\n";
const ROUTES: &str =
    "Record-Route: <sip:ss2.biloxi.example.com;lr>,\n <sip:ss1.atlanta.example.com;lr>\n";

fn invite() -> EarlyDialogs {
    EarlyDialogs::new(&NewDialog {
        call_id: b"3848276298220188511",
        local: b"\"Alice\" <sip:alice@atlanta.example.com>",
        local_tag: b"9fxced76sl",
        remote: b"<sip:bob@biloxi.example.com>",
        target: b"sip:bob@biloxi.example.com",
        routes: &[b"<sip:ss1.atlanta.example.com;lr>"],
        cseq: 2,
    })
}

/// A response to that INVITE; an empty `tag` leaves it off.
fn answer(status: u16, tag: &str, lines: &str) -> Response {
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    response(&format!(
        "SIP/2.0 {status} Whatever\n\
         Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\n\
         {lines}From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\n\
         To: <sip:bob@biloxi.example.com>{tag}\n\
         Call-ID: 3848276298220188511\n\
         CSeq: 2 INVITE\n\
         Content-Length: 0"
    ))
}

fn routes_of(dialogs: &EarlyDialogs, fork: ForkId) -> Vec<&str> {
    dialogs.dialog(fork).unwrap().ack_parts(2).routes.iter().map(|route| text(route)).collect()
}

fn new_early(dialogs: &mut EarlyDialogs, tag: &str) -> ForkId {
    match dialogs.handle_response(&answer(180, tag, BOB)) {
        DialogChange::NewEarly(fork) => fork,
        other => panic!("{other:?}"),
    }
}

fn confirmed(dialogs: &mut EarlyDialogs, tag: &str) -> ForkId {
    match dialogs.handle_response(&answer(200, tag, BOB)) {
        DialogChange::Confirmed(fork) => fork,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_invite_has_no_remote_tag_and_the_preloaded_route() {
    let dialogs = invite();
    let parts = dialogs.invite_parts();
    assert_eq!(text(parts.from), "\"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl");
    assert_eq!(text(parts.to), "<sip:bob@biloxi.example.com>");
    assert_eq!(text(parts.uri), "sip:bob@biloxi.example.com");
    assert_eq!(parts.routes.len(), 1);
    assert_eq!(parts.cseq, 2);
    assert_eq!(text(dialogs.next_hop()), "sip:ss1.atlanta.example.com;lr");
}

#[test]
fn a_retry_after_a_challenge_takes_the_next_cseq_and_keeps_the_rest() {
    let mut dialogs = invite();
    assert_eq!(dialogs.handle_response(&answer(407, "3flal12sf", "")), DialogChange::None);
    let before = invite();
    let retry = dialogs.retry_parts();
    assert_eq!(retry.cseq, 3);
    assert_eq!(
        (retry.call_id, retry.from, retry.to, retry.uri),
        (
            before.invite_parts().call_id,
            before.invite_parts().from,
            before.invite_parts().to,
            before.invite_parts().uri
        )
    );
    assert_eq!(dialogs.invite_parts().cseq, 3);
}

#[test]
fn a_retry_drops_the_early_dialogs_of_the_invite_that_failed() {
    let mut dialogs = invite();
    let before = new_early(&mut dialogs, "proxy");
    assert_eq!(dialogs.handle_response(&answer(407, "proxy", "")), DialogChange::None);
    dialogs.retry_parts();
    assert_eq!(dialogs.dialog(before), None);
    let after = new_early(&mut dialogs, "proxy");
    assert_ne!(after, before);
    assert_eq!(dialogs.dialog_mut(after).unwrap().request_parts(Method::Prack).cseq, 4);
}

#[test]
fn ringing_then_answered_is_one_dialog() {
    let mut dialogs = invite();
    assert_eq!(dialogs.handle_response(&answer(100, "", "")), DialogChange::None);
    let fork = new_early(&mut dialogs, "314159");
    assert_eq!(dialogs.handle_response(&answer(180, "314159", BOB)), DialogChange::Known(fork));
    assert_eq!(dialogs.confirmed(), None);
    assert_eq!(confirmed(&mut dialogs, "314159"), fork);
    assert_eq!(dialogs.confirmed(), Some(fork));

    let mut dialog = dialogs.into_confirmed().unwrap();
    assert!(dialog.is_confirmed());
    assert_eq!(dialog.call_id_owner(), CallIdOwner::Local);
    assert_eq!(dialog.remote_tag(), Some(&b"314159"[..]));
    let ack = dialog.ack_parts(2);
    assert_eq!(text(ack.uri), "sip:bob@client.biloxi.example.com");
    assert_eq!(text(ack.to), "<sip:bob@biloxi.example.com>;tag=314159");
    assert_eq!(dialog.request_parts(Method::Bye).cseq, 3);
}

#[test]
fn route_set_is_record_route_in_reverse() {
    let mut dialogs = invite();
    let lines = format!("{ROUTES}{BOB}");
    assert_eq!(
        dialogs.handle_response(&answer(200, "314159", &lines)),
        DialogChange::Confirmed(ForkId(0))
    );
    assert_eq!(
        routes_of(&dialogs, ForkId(0)),
        ["<sip:ss1.atlanta.example.com;lr>", "<sip:ss2.biloxi.example.com;lr>"]
    );
    let dialog = dialogs.dialog(ForkId(0)).unwrap();
    assert_eq!(text(dialog.next_hop()), "sip:ss1.atlanta.example.com;lr");
}

#[test]
fn no_record_route_clears_the_preloaded_route() {
    let mut dialogs = invite();
    let fork = confirmed(&mut dialogs, "314159");
    assert!(routes_of(&dialogs, fork).is_empty());
    assert_eq!(text(dialogs.dialog(fork).unwrap().next_hop()), "sip:bob@client.biloxi.example.com");
}

#[test]
fn a_2xx_makes_the_route_set_anew() {
    let mut dialogs = invite();
    let lines = format!("{ROUTES}{BOB}");
    let fork = ForkId(0);
    assert_eq!(dialogs.handle_response(&answer(183, "1", &lines)), DialogChange::NewEarly(fork));
    assert_eq!(routes_of(&dialogs, fork).len(), 2);
    let other = "Record-Route: <sip:ss3.biloxi.example.com;lr>\nContact: <sip:bob@192.0.2.4>\n";
    assert_eq!(dialogs.handle_response(&answer(200, "1", other)), DialogChange::Confirmed(fork));
    assert_eq!(routes_of(&dialogs, fork), ["<sip:ss3.biloxi.example.com;lr>"]);
    assert_eq!(text(dialogs.dialog(fork).unwrap().remote_target()), "sip:bob@192.0.2.4");
}

#[test]
fn a_180_without_contact_takes_it_from_a_later_response() {
    let mut dialogs = invite();
    let fork = ForkId(0);
    assert_eq!(dialogs.handle_response(&answer(180, "1", "")), DialogChange::NewEarly(fork));
    let dialog = dialogs.dialog(fork).unwrap();
    assert_eq!(text(dialog.remote_target()), "sip:bob@biloxi.example.com");
    let lines = format!("{ROUTES}{BOB}");
    assert_eq!(dialogs.handle_response(&answer(183, "1", &lines)), DialogChange::Known(fork));
    let prack = dialogs.dialog_mut(fork).unwrap().request_parts(Method::Prack);
    assert_eq!(text(prack.uri), "sip:bob@client.biloxi.example.com");
    assert_eq!((prack.routes.len(), prack.cseq), (2, 3));
}

#[test]
fn a_later_1xx_without_record_route_leaves_the_route_set() {
    let mut dialogs = invite();
    let lines = format!("{ROUTES}{BOB}");
    dialogs.handle_response(&answer(183, "1", &lines));
    assert_eq!(dialogs.handle_response(&answer(180, "1", BOB)), DialogChange::Known(ForkId(0)));
    assert_eq!(routes_of(&dialogs, ForkId(0)).len(), 2);
}

#[test]
fn a_1xx_without_to_tag_makes_no_dialog() {
    let mut dialogs = invite();
    assert_eq!(dialogs.handle_response(&answer(180, "", BOB)), DialogChange::None);
    assert_eq!(dialogs.iter().count(), 0);
}

#[test]
fn a_2xx_without_to_tag_is_an_rfc_2543_peers() {
    let mut dialogs = invite();
    let fork = confirmed(&mut dialogs, "");
    assert_eq!(dialogs.dialog(fork).unwrap().remote_tag(), None);
    assert_eq!(dialogs.handle_response(&answer(200, "", BOB)), DialogChange::Repeated2xx(fork));
}

#[test]
fn each_to_tag_is_a_dialog_with_its_own_cseq() {
    let mut dialogs = invite();
    let (one, two) = (new_early(&mut dialogs, "one"), new_early(&mut dialogs, "two"));
    assert_ne!(one, two);
    for fork in [one, two] {
        assert_eq!(dialogs.dialog_mut(fork).unwrap().request_parts(Method::Prack).cseq, 3);
    }
    let tags: Vec<_> = dialogs.iter().filter_map(|(_, dialog)| dialog.remote_tag()).collect();
    assert_eq!(tags, [b"one", b"two"]);
}

#[test]
fn every_2xx_is_told_apart() {
    let mut dialogs = invite();
    let (one, two) = (new_early(&mut dialogs, "one"), new_early(&mut dialogs, "two"));
    assert_eq!(dialogs.handle_response(&answer(200, "two", BOB)), DialogChange::Confirmed(two));
    assert_eq!(dialogs.handle_response(&answer(200, "two", BOB)), DialogChange::Repeated2xx(two));
    assert_eq!(
        dialogs.handle_response(&answer(200, "one", BOB)),
        DialogChange::AnotherConfirmed(one)
    );
    assert_eq!(dialogs.handle_response(&answer(200, "one", BOB)), DialogChange::Repeated2xx(one));
    let DialogChange::AnotherConfirmed(three) = dialogs.handle_response(&answer(200, "three", BOB))
    else {
        panic!("a third answer is one more to end");
    };
    let bye = dialogs.dialog_mut(three).unwrap().request_parts(Method::Bye);
    assert_eq!(text(bye.to), "<sip:bob@biloxi.example.com>;tag=three");
    assert_eq!(bye.cseq, 3);
    assert_eq!(dialogs.confirmed(), Some(two));
}

#[test]
fn ringing_after_the_answer_is_nothing() {
    let mut dialogs = invite();
    confirmed(&mut dialogs, "one");
    assert_eq!(dialogs.handle_response(&answer(180, "two", BOB)), DialogChange::None);
    assert_eq!(dialogs.handle_response(&answer(180, "one", BOB)), DialogChange::None);
    assert_eq!(dialogs.iter().count(), 1);
}

#[test]
fn follows_eight_forks_and_no_more() {
    let mut dialogs = invite();
    for number in 0..MAX_FORKS {
        new_early(&mut dialogs, &format!("t{number}"));
    }
    assert_eq!(dialogs.handle_response(&answer(180, "more", BOB)), DialogChange::TooMany);
    assert_eq!(
        dialogs.handle_response(&answer(180, "t7", BOB)),
        DialogChange::Known(ForkId(7)),
        "those that are known stay known"
    );
}

#[test]
fn a_2xx_takes_the_place_of_a_fork_that_rings() {
    let mut dialogs = invite();
    for number in 0..MAX_FORKS {
        new_early(&mut dialogs, &format!("t{number}"));
    }
    let fork = confirmed(&mut dialogs, "more");
    assert_eq!(fork, ForkId(8), "ids are not used again");
    assert_eq!(dialogs.dialog(ForkId(0)), None);
    assert_eq!(dialogs.iter().count(), MAX_FORKS);
}

#[test]
fn more_answers_than_forks_are_ignored() {
    let mut dialogs = invite();
    for number in 0..MAX_FORKS {
        dialogs.handle_response(&answer(200, &format!("t{number}"), BOB));
    }
    assert_eq!(dialogs.handle_response(&answer(200, "more", BOB)), DialogChange::TooMany);
    assert_eq!(dialogs.iter().count(), MAX_FORKS);
}

#[test]
fn a_2xx_that_cannot_be_followed_can_still_be_ended() {
    for lines in ["Contact: <sip:bob@[>\n", "Contact: *\n", "Record-Route: nonsense\n"] {
        let mut dialogs = invite();
        let fork = new_early(&mut dialogs, "1");
        assert_eq!(
            dialogs.handle_response(&answer(200, "1", lines)),
            DialogChange::Unusable2xx(fork),
            "{lines}"
        );
        assert_eq!(dialogs.confirmed(), None);
        let dialog = dialogs.dialog_mut(fork).unwrap();
        assert_eq!(text(dialog.ack_parts(2).uri), "sip:bob@client.biloxi.example.com");
        assert_eq!(dialog.request_parts(Method::Bye).cseq, 3);

        let mut at_once = invite();
        assert_eq!(
            at_once.handle_response(&answer(200, "1", lines)),
            DialogChange::Unusable2xx(ForkId(0))
        );
        let dialog = at_once.dialog(ForkId(0)).unwrap();
        assert_eq!(text(dialog.ack_parts(2).uri), "sip:bob@biloxi.example.com");
        let routed = usize::from(lines.starts_with("Record-Route"));
        assert_eq!(dialog.ack_parts(2).routes.len(), routed, "the preloaded route may lead there");
    }
}

#[test]
fn a_2xx_without_contact_keeps_the_target_that_is_known() {
    let mut dialogs = invite();
    let fork = new_early(&mut dialogs, "1");
    assert_eq!(dialogs.handle_response(&answer(200, "1", "")), DialogChange::Confirmed(fork));
    let dialog = dialogs.into_confirmed().unwrap();
    assert_eq!(text(dialog.remote_target()), "sip:bob@client.biloxi.example.com");
}

#[test]
fn failures_confirm_nothing() {
    let mut dialogs = invite();
    new_early(&mut dialogs, "1");
    for status in [302, 401, 486, 503, 603] {
        assert_eq!(dialogs.handle_response(&answer(status, "1", BOB)), DialogChange::None);
    }
    assert!(dialogs.into_confirmed().is_none());
}

#[test]
fn a_late_2xx_of_another_fork_makes_a_sibling_to_end() {
    let mut dialogs = invite();
    confirmed(&mut dialogs, "1");
    let mut dialog = dialogs.into_confirmed().unwrap();
    dialog.request_parts(Method::Update);

    let late = "Contact: <sip:bob@192.0.2.99>\nRecord-Route: <sip:ss9.example.com;lr>\n";
    let mut sibling = dialog.sibling(&answer(200, "2", late)).unwrap();
    assert!(sibling.is_confirmed());
    assert_eq!(sibling.call_id(), dialog.call_id());
    assert_eq!(sibling.local(), dialog.local());
    assert_eq!(text(sibling.next_hop()), "sip:ss9.example.com;lr");
    let bye = sibling.request_parts(Method::Bye);
    assert_eq!((text(bye.uri), bye.cseq), ("sip:bob@192.0.2.99", 3));
    assert_eq!(text(bye.to), "<sip:bob@biloxi.example.com>;tag=2");
}
