//! A binding as the API shows it.

use mediator_store::record::{BindingRecord, Object};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::catalog::Catalog;
use crate::mediator::{rules, shown};
use crate::numbers::NumberInfo;
use crate::select::FieldNames;
use crate::times;

/// The fields of a binding, for lists and for `include_fields`.
pub(super) const FIELDS: FieldNames = &[
    "account_sid",
    "attributes",
    "binding_sid",
    "date_created",
    "destination_did",
    "dtmf",
    "maximum_ttl",
    "name",
    "origination_did",
    "redirect_did",
    "redirect_did_info",
    "wait_origination_did_ttl",
];

/// Where calls to one of the account's numbers go, from one caller or from any.
#[derive(Serialize, ToSchema)]
#[schema(as = Binding)]
pub(crate) struct Shape<'a> {
    /// The account that it belongs to.
    #[schema(format = "uuid", read_only)]
    account_sid: String,
    /// What is shown, said and played, and fields of your own.
    #[schema(value_type = Object)]
    attributes: &'a Object,
    /// Its id.
    #[schema(format = "uuid", read_only)]
    binding_sid: String,
    /// When it was made.
    #[schema(format = DateTime, read_only)]
    date_created: String,
    /// The number that calls go to.
    #[schema(example = "15162065338")]
    destination_did: String,
    /// Keys sent to the destination after it answers: 0-9 * # A-D; each comma waits half a second.
    #[schema(example = ",,,,1357")]
    dtmf: Option<&'a str>,
    /// Seconds from creation to its end; -1: never.
    #[schema(example = 3600)]
    maximum_ttl: i64,
    /// For people.
    #[schema(example = "N/A")]
    name: &'a str,
    /// The caller; null: any, or nobody yet.
    #[schema(example = "15162065339")]
    origination_did: Option<String>,
    /// The account's number that is called.
    #[schema(example = "15162065346")]
    redirect_did: String,
    /// About that number.
    #[schema(read_only)]
    redirect_did_info: RedirectDidInfo,
    /// Seconds that it waits for its first caller, whose it then is; -1: it does not.
    #[schema(example = 300)]
    wait_origination_did_ttl: i64,
}

/// The number that is called, as people read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RedirectDidInfo {
    /// ISO 3166-1 alpha-3; null: it belongs to no country.
    #[schema(example = "USA")]
    country_code: Option<Box<str>>,
    /// As `+15162065346`.
    e164_format: String,
    /// As `(516) 206-5346`.
    in_country_format: Box<str>,
    /// As `+1 516-206-5346`.
    international_format: Box<str>,
    /// As `15162065346`.
    phonenumber: String,
}

impl RedirectDidInfo {
    fn of(record: &BindingRecord, catalog: &Catalog) -> Self {
        let number = record.redirect_did;
        if let Some(did) = catalog.did_by_number(number) {
            let did = &did.record;
            return Self {
                country_code: did.country_code.clone(),
                e164_format: format!("+{number}"),
                in_country_format: did.in_country_format.clone(),
                international_format: did.international_format.clone(),
                phonenumber: number.to_string(),
            };
        }
        // The number was given up and its binding has not ended yet.
        let info = NumberInfo::of(number);
        Self {
            country_code: info.country_code.map(Into::into),
            e164_format: info.e164_format.into(),
            in_country_format: info.in_country_format,
            international_format: info.international_format,
            phonenumber: number.to_string(),
        }
    }
}

/// The binding as JSON.
pub(super) fn show(record: &BindingRecord, catalog: &Catalog) -> Value {
    shown(&Shape {
        account_sid: record.account_sid.to_string(),
        attributes: &record.attributes,
        binding_sid: record.sid.to_string(),
        date_created: times::written(record.date_created),
        destination_did: record.destination_did.to_string(),
        dtmf: record.dtmf.as_deref(),
        maximum_ttl: rules::shown_ttl(record.maximum_ttl),
        name: &record.name,
        origination_did: record.origination_did.map(|number| number.to_string()),
        redirect_did: record.redirect_did.to_string(),
        redirect_did_info: RedirectDidInfo::of(record, catalog),
        wait_origination_did_ttl: rules::shown_ttl(record.wait_origination_did_ttl),
    })
}
