//! The bodies of POST, PATCH and PUT of dialouts, checked, and what they make.

#[cfg(test)]
mod tests;

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{DialoutRecord, Object};

use crate::fault::Fault;
use crate::fields::{Fields, Presence};
use crate::mediator::{attributes, rules};
use crate::patch::Nested;

const HIDE: &str = "hide_origination_did";

/// What PUT wants.
const UPDATABLE: [&str; 5] = [
    "attributes",
    "delay",
    "redirect_did",
    "stage_one_destination_did",
    "stage_two_destination_did",
];

/// A dialout to be made: complete but for the number that both see, where the server shall choose one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Draft {
    stage_one: Number,
    stage_two: Number,
    /// `None`: the server chooses.
    pub(super) redirect_did: Option<Number>,
    attributes: Object,
    delay: u32,
}

impl Draft {
    /// Reads the body of a POST. The answer to a bad one names every bad field.
    pub(super) fn read(body: &Object) -> Result<Self, Fault> {
        let mut fields = Fields::new(body);
        let stage_one = fields.number("stage_one_destination_did");
        let stage_one = fields.required("stage_one_destination_did", stage_one);
        let stage_two = fields.number("stage_two_destination_did");
        let stage_two = fields.required("stage_two_destination_did", stage_two);
        let redirect_did = rules::number_or_blank(&mut fields, "redirect_did").given();
        let attributes = attributes::read(&mut fields).unwrap_or(Object::new());
        let delay = delay(&mut fields).unwrap_or(0);
        fields.finish()?;
        let (Some(stage_one), Some(stage_two)) = (stage_one, stage_two) else {
            return Err(Fault::Internal);
        };
        let attributes = hiding(attributes::kept(attributes));
        Ok(Self { stage_one, stage_two, redirect_did, attributes, delay })
    }

    /// The dialout that it makes.
    pub(super) fn to_record(
        &self,
        sid: Sid,
        account_sid: Sid,
        redirect_did: Number,
        now: UnixMillis,
    ) -> DialoutRecord {
        DialoutRecord {
            sid,
            account_sid,
            stage_one_destination_did: self.stage_one,
            stage_two_destination_did: self.stage_two,
            redirect_did,
            attributes: self.attributes.clone(),
            date_created: now,
            due: rules::after(now, self.delay),
            dialling: false,
        }
    }
}

/// What a client wants changed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Change {
    stage_one: Option<Number>,
    stage_two: Option<Number>,
    pub(super) redirect_did: Option<Number>,
    attributes: Option<Object>,
    nested: Nested,
    delay: Option<u32>,
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

    fn read(mut fields: Fields<'_>, nested: Nested) -> Result<Self, Fault> {
        let stage_one = fields.number("stage_one_destination_did");
        let stage_two = fields.number("stage_two_destination_did");
        let redirect_did = fields.number("redirect_did");
        let attributes = attributes::read(&mut fields);
        let delay = delay(&mut fields);
        let change = Self {
            stage_one: fields.not_null("stage_one_destination_did", stage_one),
            stage_two: fields.not_null("stage_two_destination_did", stage_two),
            redirect_did: fields.not_null("redirect_did", redirect_did),
            attributes: fields.not_null("attributes", attributes),
            nested,
            delay: fields.not_null("delay", delay),
        };
        fields.finish()?;
        Ok(change)
    }

    /// The dialout as it shall be. A delay counts from now.
    pub(super) fn apply(
        &self,
        old: &DialoutRecord,
        now: UnixMillis,
    ) -> Result<DialoutRecord, Fault> {
        let changed = attributes::changed(&old.attributes, self.attributes.as_ref(), self.nested)?;
        Ok(DialoutRecord {
            sid: old.sid,
            account_sid: old.account_sid,
            stage_one_destination_did: self.stage_one.unwrap_or(old.stage_one_destination_did),
            stage_two_destination_did: self.stage_two.unwrap_or(old.stage_two_destination_did),
            redirect_did: self.redirect_did.unwrap_or(old.redirect_did),
            attributes: hiding(changed),
            date_created: old.date_created,
            due: self.delay.map_or(old.due, |seconds| rules::after(now, seconds)),
            dialling: old.dialling,
        })
    }
}

fn delay(fields: &mut Fields<'_>) -> Presence<u32> {
    match fields.integer("delay", 0..=rules::MAX_DELAY.into()) {
        Presence::Absent => Presence::Absent,
        Presence::Null => Presence::Null,
        Presence::Given(seconds) => Presence::Given(u32::try_from(seconds).unwrap_or(0)),
    }
}

/// A dialout shows its own number unless it says otherwise.
fn hiding(mut attributes: Object) -> Object {
    attributes.entry(HIDE).or_insert_with(|| "true".into());
    attributes
}
