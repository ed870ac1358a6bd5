//! The bodies of PATCH and PUT for one binding, checked, and what they make of it.

#[cfg(test)]
mod tests;

use mediator_model::{Number, UnixMillis};
use mediator_store::record::{BindingRecord, Object, Ttl};

use super::draft::window;
use crate::fault::Fault;
use crate::fields::{Fields, Presence};
use crate::mediator::{attributes, rules};
use crate::patch::Nested;

/// What PUT wants.
const UPDATABLE: [&str; 8] = [
    "attributes",
    "destination_did",
    "dtmf",
    "maximum_ttl",
    "name",
    "origination_did",
    "redirect_did",
    "wait_origination_did_ttl",
];

/// What a client wants changed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Change {
    destination_did: Option<Number>,
    pub(super) redirect_did: Option<Number>,
    origination_did: Presence<Number>,
    dtmf: Presence<Box<str>>,
    name: Presence<Box<str>>,
    attributes: Option<Object>,
    nested: Nested,
    maximum_ttl: Option<Ttl>,
    wait_origination_did_ttl: Option<Ttl>,
}

impl Change {
    /// The body of a PATCH: what is absent stays.
    pub(super) fn from_patch(body: &Object, nested: Nested) -> Result<Self, Fault> {
        Self::read(Fields::new(body), nested)
    }

    /// The body of a PUT: every field that can be set must be there; what cannot is ignored.
    pub(super) fn from_put(body: &Object) -> Result<Self, Fault> {
        let mut fields = Fields::new(body);
        fields.require_all(&UPDATABLE);
        Self::read(fields, Nested::Replace)
    }

    /// Null is a value for the caller, the keys and the name, and for nothing else.
    fn read(mut fields: Fields<'_>, nested: Nested) -> Result<Self, Fault> {
        let destination_did = fields.number("destination_did");
        let redirect_did = fields.number("redirect_did");
        let attributes = attributes::read(&mut fields);
        let maximum_ttl = fields.ttl("maximum_ttl", rules::MAX_TTL);
        let wait = fields.ttl("wait_origination_did_ttl", rules::MAX_TTL);
        let change = Self {
            destination_did: fields.not_null("destination_did", destination_did),
            redirect_did: fields.not_null("redirect_did", redirect_did),
            origination_did: rules::number_or_blank(&mut fields, "origination_did"),
            dtmf: rules::dtmf(&mut fields),
            name: rules::name(&mut fields),
            attributes: fields.not_null("attributes", attributes),
            nested,
            maximum_ttl: fields.not_null("maximum_ttl", maximum_ttl),
            wait_origination_did_ttl: fields.not_null("wait_origination_did_ttl", wait),
        };
        fields.finish()?;
        Ok(change)
    }

    /// The binding as it shall be.
    ///
    /// `maximum_ttl` counts from creation, whenever it is set. A binding without a caller gets a new window from now
    /// where the change names the caller (null) or the window; else the one that it has goes on.
    pub(super) fn apply(
        &self,
        old: &BindingRecord,
        now: UnixMillis,
    ) -> Result<BindingRecord, Fault> {
        let origination_did = self.origination_did.clone().or_keep(old.origination_did);
        let wait_origination_did_ttl =
            self.wait_origination_did_ttl.unwrap_or(old.wait_origination_did_ttl);
        let begins_anew =
            !self.origination_did.is_absent() || self.wait_origination_did_ttl.is_some();
        Ok(BindingRecord {
            sid: old.sid,
            account_sid: old.account_sid,
            name: match &self.name {
                Presence::Absent => old.name.clone(),
                Presence::Null => rules::NO_NAME.into(),
                Presence::Given(name) => name.clone(),
            },
            redirect_did: self.redirect_did.unwrap_or(old.redirect_did),
            origination_did,
            destination_did: self.destination_did.unwrap_or(old.destination_did),
            dtmf: self.dtmf.clone().or_keep(old.dtmf.clone()),
            attributes: attributes::changed(
                &old.attributes,
                self.attributes.as_ref(),
                self.nested,
            )?,
            maximum_ttl: self.maximum_ttl.unwrap_or(old.maximum_ttl),
            wait_origination_did_ttl,
            date_created: old.date_created,
            claim_until: if begins_anew {
                window(origination_did, wait_origination_did_ttl, now)
            } else {
                old.claim_until
            },
        })
    }
}
