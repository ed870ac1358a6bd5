//! A dialout as the API shows it.

use mediator_model::UnixMillis;
use mediator_store::record::{DialoutRecord, Object};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::mediator::{rules, shown};
use crate::select::FieldNames;
use crate::times;

/// The fields of a dialout, for lists and for `include_fields`.
pub(super) const FIELDS: FieldNames = &[
    "account_sid",
    "attributes",
    "date_created",
    "delay",
    "dialout_sid",
    "redirect_did",
    "stage_one_destination_did",
    "stage_two_destination_did",
];

/// A call that the server places: to one party, then to the other.
#[derive(Serialize, ToSchema)]
#[schema(as = Dialout)]
pub(crate) struct Shape<'a> {
    /// The account that it belongs to.
    #[schema(format = "uuid", read_only)]
    account_sid: String,
    /// What is shown, said and played, and fields of your own.
    #[schema(value_type = Object)]
    attributes: &'a Object,
    /// When it was made.
    #[schema(format = DateTime, read_only)]
    date_created: String,
    /// Seconds until it is dialled, 0 to 31536000; setting it begins the count anew.
    #[schema(example = 1800)]
    delay: u64,
    /// Its id.
    #[schema(format = "uuid", read_only)]
    dialout_sid: String,
    /// The account's number that both see.
    #[schema(example = "15162065337")]
    redirect_did: String,
    /// Who is called first.
    #[schema(example = "15162065339")]
    stage_one_destination_did: String,
    /// Who is called when the first has answered.
    #[schema(example = "15162065338")]
    stage_two_destination_did: String,
}

/// The dialout as JSON, as it is at `now`.
pub(super) fn show(record: &DialoutRecord, now: UnixMillis) -> Value {
    shown(&Shape {
        account_sid: record.account_sid.to_string(),
        attributes: &record.attributes,
        date_created: times::written(record.date_created),
        delay: if record.dialling { 0 } else { rules::seconds_until(record.due, now) },
        dialout_sid: record.sid.to_string(),
        redirect_did: record.redirect_did.to_string(),
        stage_one_destination_did: record.stage_one_destination_did.to_string(),
        stage_two_destination_did: record.stage_two_destination_did.to_string(),
    })
}
