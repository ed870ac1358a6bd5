//! Numbers as requests of ours write them: the URI and To of leg B, and who it sees as the caller (contract §1, §2).

use alloc::string::String;

use mediator_model::{Endpoint, Flow, Number, NumberFormat};
use mediator_sip::message::Writer;
use mediator_sip::{HeaderName, Text};

use crate::branch::Branch;
use crate::context::Core;
use crate::dial::Dial;
use crate::identity::Shown;

/// Room for most hosts and addresses, so that each takes one allocation.
pub(crate) const USUAL_HOST_BYTES: usize = 24;
pub(crate) const USUAL_ADDRESS_BYTES: usize = 64;

/// `<sip:number@host>`.
pub(crate) fn put_address(text: &mut Text, (number, form): (Number, NumberFormat), host: &[u8]) {
    text.put("<sip:");
    if form == NumberFormat::Plus {
        text.put("+");
    }
    text.put(number.digits()).put("@").put(host).put(">");
}

/// The value of From without its tag: contract §2's identity rules have been applied.
pub(crate) fn from_value(
    cx: &Core,
    flow: &Flow,
    shown: Shown,
    cnam: Option<&str>,
    endpoint: &Endpoint,
) -> Text {
    let mut text = Text::with_capacity(USUAL_ADDRESS_BYTES);
    match shown {
        Shown::Anonymous => {
            text.put("\"Anonymous\" <sip:anonymous@anonymous.invalid>");
        }
        Shown::Number(number) => {
            if let Some(name) = cnam {
                text.put(quoted(name)).put(" ");
            }
            let mut host = Text::with_capacity(USUAL_HOST_BYTES);
            if let Some(listener) = cx.listener(flow) {
                host.host(listener.advertised.ip());
            }
            put_address(&mut text, (number, endpoint.number_format), host.as_bytes());
        }
    }
    text
}

/// P-Asserted-Identity and Privacy (RFC 3325, RFC 3323).
pub(crate) fn write_identity(
    cx: &Core,
    writer: &mut Writer,
    branch: &Branch,
    dial: &Dial,
    endpoint: Option<&Endpoint>,
) {
    match (dial.routed.shown, endpoint) {
        (Shown::Number(_), Some(endpoint)) => {
            let shown = dial.routed.shown;
            let value = from_value(cx, &branch.flow, shown, dial.routed.cnam.as_deref(), endpoint);
            writer.header(HeaderName::PAssertedIdentity, value.as_bytes());
        }
        (Shown::Number(_), None) => {}
        (Shown::Anonymous, _) => {
            writer.header(HeaderName::Privacy, "id");
        }
    }
}

/// A quoted-string (RFC 3261 §25.1).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
