//! The body of POST /bindings, checked, and the binding that it makes.

#[cfg(test)]
mod tests;

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{BindingRecord, Object, Ttl};

use crate::args::Args;
use crate::catalog::Catalog;
use crate::fault::Fault;
use crate::fields::{Fields, Presence};
use crate::mediator::{attributes, rules};
use crate::numbers;

const DEFAULT_MAXIMUM_TTL: Ttl = Some(3600);
const DEFAULT_WAIT_TTL: Ttl = Some(300);

/// A binding to be made: complete but for the number that it is reached at, where the server shall choose one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Draft {
    pub(super) destination_did: Number,
    /// `None`: the server chooses.
    pub(super) redirect_did: Option<Number>,
    pub(super) origination_did: Option<Number>,
    dtmf: Option<Box<str>>,
    name: Box<str>,
    attributes: Object,
    maximum_ttl: Ttl,
    wait_origination_did_ttl: Ttl,
    /// Whether a binding like it will do.
    pub(super) reuse: bool,
    /// The country that the server chooses a number from, ISO 3166-1 alpha-3; `None`: any, or it chooses none.
    pub(super) country: Option<&'static str>,
}

/// Who a binding is made for, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Birth {
    pub(super) sid: Sid,
    pub(super) account_sid: Sid,
    pub(super) now: UnixMillis,
}

/// What the query of a POST may say, and its body too; where both do, the query counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Wishes {
    reuse: Option<bool>,
    country: Option<&'static str>,
}

impl Wishes {
    pub(super) fn from_args(args: &Args) -> Result<Self, Fault> {
        let country = match args.text("fallback_country") {
            None => None,
            Some(code) => Some(
                numbers::alpha3(code.trim())
                    .ok_or_else(|| Fault::bad_argument("fallback_country", UNKNOWN_COUNTRY))?,
            ),
        };
        Ok(Self { reuse: args.boolean("reuse")?, country })
    }
}

const UNKNOWN_COUNTRY: &str = "expected a country code of ISO 3166-1, as USA or US";

impl Draft {
    /// Reads a body. The answer to a bad one names every bad field.
    pub(super) fn read(body: &Object, wishes: Wishes) -> Result<Self, Fault> {
        let mut fields = Fields::new(body);
        let destination_did = fields.number("destination_did");
        let destination_did = fields.required("destination_did", destination_did);
        let redirect_did = rules::number_or_blank(&mut fields, "redirect_did").given();
        let origination_did = rules::number_or_blank(&mut fields, "origination_did").given();
        let dtmf = rules::dtmf(&mut fields).given();
        let name = rules::name(&mut fields).unwrap_or(rules::NO_NAME.into());
        let attributes = attributes::read(&mut fields).unwrap_or(Object::new());
        let maximum_ttl = fields.ttl("maximum_ttl", rules::MAX_TTL).unwrap_or(DEFAULT_MAXIMUM_TTL);
        let wait_origination_did_ttl =
            fields.ttl("wait_origination_did_ttl", rules::MAX_TTL).unwrap_or(DEFAULT_WAIT_TTL);
        let reuse = fields.boolean("reuse").given();
        let country = country(&mut fields);
        fields.finish()?;
        let Some(destination_did) = destination_did else { return Err(Fault::Internal) };
        Ok(Self {
            destination_did,
            redirect_did,
            origination_did,
            dtmf,
            name,
            attributes: attributes::kept(attributes),
            maximum_ttl,
            wait_origination_did_ttl,
            reuse: wishes.reuse.or(reuse).unwrap_or(false),
            // A number that is named needs no country to be chosen from.
            country: wishes.country.or(country).filter(|_| redirect_did.is_none()),
        })
    }

    /// The binding that it makes at a number of ours.
    pub(super) fn to_record(&self, birth: Birth, redirect_did: Number) -> BindingRecord {
        let Birth { sid, account_sid, now } = birth;
        BindingRecord {
            sid,
            account_sid,
            name: self.name.clone(),
            redirect_did,
            origination_did: self.origination_did,
            destination_did: self.destination_did,
            dtmf: self.dtmf.clone(),
            attributes: self.attributes.clone(),
            maximum_ttl: self.maximum_ttl,
            wait_origination_did_ttl: self.wait_origination_did_ttl,
            date_created: now,
            claim_until: window(self.origination_did, self.wait_origination_did_ttl, now),
        }
    }

    /// Whether a binding is what this would make, but for its age, and for its number where the server chooses one.
    /// One that was claimed has its caller, so it is another binding than one without.
    pub(super) fn is_like(&self, record: &BindingRecord) -> bool {
        self.destination_did == record.destination_did
            && self.redirect_did.is_none_or(|number| number == record.redirect_did)
            && self.origination_did == record.origination_did
            && self.dtmf == record.dtmf
            && self.name == record.name
            && self.attributes == record.attributes
            && self.maximum_ttl == record.maximum_ttl
            && self.wait_origination_did_ttl == record.wait_origination_did_ttl
    }
}

impl Draft {
    /// As [`Draft::is_like`], and calls reach the binding, at a number of the country that was asked for.
    pub(super) fn fits(&self, record: &BindingRecord, catalog: &Catalog) -> bool {
        if !self.is_like(record) {
            return false;
        }
        let did = catalog.did_by_number(record.redirect_did);
        let country = did.as_ref().and_then(|did| did.record.country_code.as_deref());
        catalog.account_of(record.redirect_did) == Some(record.account_sid)
            && (self.country.is_none() || country == self.country)
    }
}

/// Until when a binding written now waits for its first caller.
pub(super) fn window(
    origination: Option<Number>,
    wait: Ttl,
    now: UnixMillis,
) -> Option<UnixMillis> {
    match (origination, wait) {
        (None, Some(seconds)) => Some(rules::after(now, seconds)),
        (Some(_), _) | (None, None) => None,
    }
}

fn country(fields: &mut Fields<'_>) -> Option<&'static str> {
    const MAX_BYTES: usize = 16;
    let Presence::Given(code) = fields.text("fallback_country", MAX_BYTES) else { return None };
    if code.trim().is_empty() {
        return None;
    }
    let country = numbers::alpha3(code.trim());
    if country.is_none() {
        fields.fault("fallback_country", UNKNOWN_COUNTRY);
    }
    country
}
