//! The partner's body, checked.

use mediator_model::Secret;
use mediator_store::record::{Object, PartnerRecord};
use reqwest::Url;
use serde_json::Value;

use crate::core::fresh;
use crate::core::reading::{self, Extent};
use crate::fault::Fault;
use crate::fields::{Fields, Presence};
use crate::patch::Nested;

/// The fields that PUT wants.
const PUT_FIELDS: &[&str] = &["attributes", "callbacks", "name"];
/// The callbacks that are made here.
const CALLBACKS: [&str; 1] = ["app_mediator"];
/// The vendor's callbacks that are not made here yet.
const UNBUILT_CALLBACKS: [&str; 5] = [
    "app_conference_call",
    "app_conference_meeting",
    "phonenumber_messaging_update",
    "phonenumber_order",
    "sms",
];
/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;
/// The shortest key of callbacks that is taken, in bytes.
const MIN_SECRET_BYTES: usize = 16;

/// A body laid over the partner.
pub(super) fn update(
    body: &Object,
    current: &PartnerRecord,
    nested: Nested,
    extent: Extent,
) -> Result<PartnerRecord, Fault> {
    let mut fields = Fields::new(body);
    if extent == Extent::Whole {
        fields.require_all(PUT_FIELDS);
    }
    let callbacks = reading::free_object(&mut fields, "callbacks", &current.callbacks, nested);
    check_callbacks(&mut fields, &callbacks);
    let record = PartnerRecord {
        sid: current.sid,
        name: reading::name(&mut fields, &current.name),
        callbacks,
        callbacks_secret: read_secret(&mut fields, current.callbacks_secret.as_ref())?,
        attributes: reading::free_object(&mut fields, "attributes", &current.attributes, nested),
        date_created: current.date_created,
    };
    fields.finish()?;
    Ok(record)
}

fn check_callbacks(fields: &mut Fields<'_>, callbacks: &Object) {
    for (name, url) in callbacks {
        let field = format!("callbacks.{name}");
        if UNBUILT_CALLBACKS.contains(&name.as_str()) {
            fields.fault(&field, "this callback is not built yet");
        } else if !CALLBACKS.contains(&name.as_str()) {
            fields.fault(&field, format!("expected one of: {}", CALLBACKS.join(", ")));
        } else if !is_web_address(url) {
            let expected = "expected an http or https URL of at most 2048 bytes";
            fields.fault(&field, expected);
        }
    }
}

fn is_web_address(value: &Value) -> bool {
    let Some(text) = value.as_str().filter(|text| text.len() <= MAX_URL_BYTES) else {
        return false;
    };
    let is_plain = text.chars().all(|letter| !letter.is_control() && !letter.is_whitespace());
    let url = Url::parse(text);
    is_plain && url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Null, or no key yet, makes a new one.
fn read_secret(fields: &mut Fields<'_>, current: Option<&Secret>) -> Result<Option<Secret>, Fault> {
    const NAME: &str = "callbacks_secret";
    match (fields.text(NAME, reading::MAX_TEXT_BYTES), current) {
        (Presence::Absent, Some(current)) => Ok(Some(current.clone())),
        (Presence::Absent, None) | (Presence::Null, _) => fresh::token().map(Some),
        (Presence::Given(text), _) => {
            if text.len() < MIN_SECRET_BYTES {
                fields.fault(NAME, "expected at least 16 bytes, or null for a new one");
            }
            Ok(Some(Secret::new(text)))
        }
    }
}
