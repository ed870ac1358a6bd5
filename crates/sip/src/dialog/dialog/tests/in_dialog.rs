//! Requests inside a dialog: RFC 3261 §12.2.2.

use super::super::super::testing::{request, text};
use super::super::{Dialog, DialogFault, Method};
use alloc::format;
use alloc::string::String;

fn message(method: &str, cseq: u32, extra: &str) -> String {
    format!(
        "{method} sip:us@example.net SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK{cseq}\n\
         Max-Forwards: 70\n\
         From: <sip:them@example.com>;tag=them\n\
         To: <sip:us@example.net>;tag=us\n\
         Call-ID: in-dialog\n\
         CSeq: {cseq} {method}\n\
         {extra}Content-Length: 0"
    )
}

fn dialog() -> Dialog {
    let invite = message("INVITE", 100, "Contact: <sip:them@192.0.2.7>\n").replace(";tag=us", "");
    let mut dialog = Dialog::from_request(&request(&invite), b"us").unwrap();
    dialog.confirm();
    dialog
}

#[test]
fn remote_cseq_must_grow_and_may_skip() {
    let mut dialog = dialog();
    for (cseq, accepted) in
        [(101, true), (101, false), (100, false), (5000, true), (4999, false), (5001, true)]
    {
        let result = dialog.handle_request(&request(&message("INFO", cseq, "")));
        assert_eq!(result.is_ok(), accepted, "{cseq}");
        if let Err(fault) = result {
            assert_eq!((fault, fault.status()), (DialogFault::OutOfOrder, 500));
        }
    }
}

#[test]
fn ack_and_cancel_carry_the_invites_number() {
    let mut dialog = dialog();
    assert_eq!(dialog.handle_request(&request(&message("ACK", 100, ""))), Ok(()));
    assert_eq!(dialog.handle_request(&request(&message("CANCEL", 100, ""))), Ok(()));
    assert_eq!(dialog.handle_request(&request(&message("BYE", 101, ""))), Ok(()));
}

#[test]
fn a_refused_request_uses_up_its_number_but_leaves_the_target() {
    let mut dialog = dialog();
    let bad = message("INVITE", 101, "Contact: <sip:them@[::1>\n");
    let fault = dialog.handle_request(&request(&bad)).unwrap_err();
    assert_eq!((fault.status(), fault.phrase()), (400, "Malformed Contact"));
    assert_eq!(text(dialog.remote_target()), "sip:them@192.0.2.7");
    assert_eq!(
        dialog.handle_request(&request(&message("INFO", 101, ""))),
        Err(DialogFault::OutOfOrder)
    );
}

#[test]
fn contact_matters_only_where_it_may_change_the_target() {
    let mut dialog = dialog();
    let info = message("INFO", 101, "Contact: <sip:them@[::1>\n");
    assert_eq!(dialog.handle_request(&request(&info)), Ok(()));
    let update = message("UPDATE", 102, "");
    assert_eq!(dialog.handle_request(&request(&update)), Ok(()));
    assert_eq!(dialog.refresh_target(&request(&update)), Ok(false));
}

#[test]
fn the_target_changes_when_the_core_says_so() {
    let mut dialog = dialog();
    let update = request(&message("UPDATE", 101, "Contact: <sip:them@198.51.100.9:5070>\n"));
    assert_eq!(dialog.handle_request(&update), Ok(()));
    assert_eq!(text(dialog.remote_target()), "sip:them@192.0.2.7");
    assert_eq!(dialog.refresh_target(&update), Ok(true));
    assert_eq!(text(dialog.remote_target()), "sip:them@198.51.100.9:5070");
}

#[test]
fn belongs_where_call_id_and_both_tags_match() {
    let dialog = dialog();
    let ours = message("BYE", 101, "");
    assert!(dialog.is_target_of(&request(&ours)));
    for (from, to) in [
        ("tag=us", "tag=su"),
        ("tag=them", "tag=meth"),
        (";tag=us", ""),
        (";tag=them", ""),
        ("in-dialog", "in-another"),
    ] {
        assert!(!dialog.is_target_of(&request(&ours.replace(from, to))), "{from} -> {to}");
    }
}

#[test]
fn our_numbers_grow_by_one_and_the_ack_has_the_invites() {
    let mut dialog = dialog();
    let invite = dialog.request_parts(Method::Invite).cseq;
    let update = dialog.request_parts(Method::Update).cseq;
    assert_eq!(update, invite + 1);
    assert_eq!(dialog.ack_parts(invite).cseq, invite);
    assert_eq!(dialog.request_parts(Method::Bye).cseq, invite + 2);
}

#[test]
fn our_numbers_stay_below_2_to_the_31() {
    let mut dialog = dialog();
    dialog.local_cseq = super::super::MAX_CSEQ - 1;
    assert_eq!(dialog.request_parts(Method::Info).cseq, 0x7FFF_FFFF);
    assert_eq!(dialog.request_parts(Method::Bye).cseq, 0x7FFF_FFFF);
}
