//! What a held call costs: two legs, each with its dialog, offer/answer state and session timer.

use super::super::super::testing::{request, response};
use super::super::super::{EarlyDialogs, OfferAnswer, SessionTimer};
use super::super::{Dialog, NewDialog};

/// What the strings of a dialog take on the heap, an allocator's 16 bytes for each included.
fn heap_bytes(dialog: &Dialog) -> usize {
    let parts = dialog.ack_parts(1);
    let strings = [parts.call_id, parts.from, parts.to, dialog.remote_target()];
    let routes = parts.routes.iter().map(|route| &**route);
    let hops = size_of_val(parts.routes);
    strings.into_iter().chain(routes).map(|string| string.len() + 16).sum::<usize>() + hops
}

#[test]
fn a_dialog_is_small() {
    assert!(size_of::<Dialog>() <= 160, "{} bytes", size_of::<Dialog>());
}

#[test]
fn the_dialogs_of_a_held_call_take_less_than_1200_bytes() {
    let a = Dialog::from_request(
        &request(
            "INVITE sip:15162065346@203.0.113.7 SIP/2.0\n\
             Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0a1b2c3d\n\
             Record-Route: <sip:198.51.100.20;lr;ftag=gK0a2b3c4d>\n\
             Max-Forwards: 69\n\
             From: \"WIRELESS CALLER\" <sip:+15550001001@198.51.100.20>;tag=gK0a2b3c4d\n\
             To: <sip:+15162065346@203.0.113.7>\n\
             Contact: <sip:+15550001001@198.51.100.21:5060;transport=udp>\n\
             Call-ID: 1073742083_123456789@198.51.100.21\n\
             CSeq: 24242 INVITE\n\
             Content-Length: 0",
        ),
        b"4f9c1b2a3d5e6f70",
    )
    .unwrap();
    let mut dialogs = EarlyDialogs::new(&NewDialog {
        call_id: b"0123456789abcdef0123456789abcdef",
        local: b"<sip:15162065346@203.0.113.7>",
        local_tag: b"8e1d2c3b4a596877",
        remote: b"<sip:15550001002@192.0.2.9>",
        target: b"sip:15550001002@192.0.2.9:5060",
        routes: &[],
        cseq: 1,
    });
    dialogs.handle_response(&response(
        "SIP/2.0 200 OK\n\
         Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK00112233445566\n\
         Record-Route: <sip:192.0.2.9;lr;ftag=8e1d2c3b4a596877>\n\
         From: <sip:15162065346@203.0.113.7>;tag=8e1d2c3b4a596877\n\
         To: <sip:15550001002@192.0.2.9>;tag=as58f4201b\n\
         Contact: <sip:15550001002@192.0.2.30:5061;transport=udp>\n\
         Call-ID: 0123456789abcdef0123456789abcdef\n\
         CSeq: 1 INVITE\n\
         Content-Length: 0",
    ));
    let b = dialogs.into_confirmed().unwrap();

    let inline = size_of::<Dialog>() + size_of::<OfferAnswer>() + size_of::<SessionTimer>();
    let total = 2 * inline + heap_bytes(&a) + heap_bytes(&b);
    assert!(total < 1200, "{total} bytes, {inline} inline a leg");
}
