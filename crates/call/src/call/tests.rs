//! A held call takes little memory: there are as many as a machine's memory has room for.

use mediator_sip::dialog::Dialog;

use super::*;
use crate::cdr::LegA;
use crate::context::{ClientUse, TimerKey};

/// What a call keeps while both sides talk. Who makes one of these larger makes every held call larger: what is needed for
/// seconds, or by few calls, belongs into a box.
#[test]
fn what_a_held_call_keeps_is_small() {
    let sizes = [
        ("Call", size_of::<Call>(), 832),
        ("Leg", size_of::<Leg>(), 288),
        ("Dialog", size_of::<Dialog>(), 64),
        ("CallRecord", size_of::<CallRecord>(), 344),
        ("LegA", size_of::<LegA>(), 88),
        ("CallStarted", size_of::<crate::io::CallStarted>(), 120),
        // One in each client transaction, and one in each armed timer.
        ("ClientUse", size_of::<ClientUse>(), 12),
        ("TimerKey", size_of::<TimerKey>(), 12),
    ];
    for (name, is, most) in sizes {
        assert!(is <= most, "{name} takes {is} bytes, more than {most}");
    }
}
