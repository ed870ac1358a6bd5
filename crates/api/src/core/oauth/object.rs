//! A token as it is shown: what opens doors is shown once, when it is made.

use mediator_model::{Secret, Sid};
use mediator_store::record::TokenRecord;
use serde_json::{Value, json};

use crate::select::FieldNames;
use crate::times;

/// What can be filtered, ordered and selected by.
pub(super) const FIELDS: FieldNames = &[
    "date_created",
    "date_expiration_access_token",
    "date_expiration_refresh_token",
    "name",
    "partner_sid",
    "scopes",
    "token_sid",
    "token_type",
];

/// The object of the API.
pub(super) fn show(record: &TokenRecord, partner_sid: Sid) -> Value {
    json!({
        "date_created": times::written(record.date_created),
        "date_expiration_access_token": times::written(record.access_expires),
        "date_expiration_refresh_token": times::written_or_null(record.refresh_expires),
        "name": record.name,
        "partner_sid": partner_sid.to_string(),
        "scopes": record.scopes,
        "token_sid": record.sid.to_string(),
        "token_type": "bearer",
    })
}

/// The texts of a new token.
pub(super) struct Texts {
    pub(super) access: Secret,
    pub(super) refresh: Secret,
}

/// The object with its secrets, for the one answer that tells them. `expires_in` is what RFC 6749 §5.1 calls it.
pub(super) fn show_new(
    record: &TokenRecord,
    texts: &Texts,
    expires_in: u64,
    partner_sid: Sid,
) -> Value {
    let mut shown = show(record, partner_sid);
    if let Value::Object(shown) = &mut shown {
        shown.insert("access_token".to_owned(), texts.access.expose().into());
        shown.insert("refresh_token".to_owned(), texts.refresh.expose().into());
        shown.insert("expires_in".to_owned(), expires_in.into());
    }
    shown
}
