//! `[[binding]]`: where a call to one of our numbers goes.

use std::borrow::Cow;

use mediator_model::{Attributes, BindingKey, Number, Sid};
use mediator_store::Object;
use mediator_store::record::Ttl;
use serde_json::Value;
use toml::de::DeValue;

use super::fault::Reason;
use super::reader::Section;
use super::{sids, value};

/// `maximum_ttl` where the file says nothing.
const DEFAULT_MAXIMUM_TTL: u32 = 3600;
/// `wait_origination_did_ttl` where the file says nothing.
const DEFAULT_WAIT_TTL: u32 = 300;
/// The longest TTL, in seconds: a hundred years.
const MAX_TTL_SECONDS: i64 = 100 * 365 * 86_400;
/// The longest `dtmf`.
const MAX_DTMF_BYTES: usize = 128;

/// A binding as the file has it: its times count from when it is provisioned.
#[derive(Clone, PartialEq, Debug)]
pub struct BindingSpec {
    /// Its id, by what it is found by.
    pub sid: Sid,
    /// For people and logs; `None`: not named.
    pub name: Option<Box<str>>,
    /// The mediator endpoint that owns it, by the id of its name.
    pub account_sid: Sid,
    /// What it is found by.
    pub key: BindingKey,
    /// The number that is dialled.
    pub destination_did: Number,
    /// Deleted after these seconds; `None`: never. Default 3600.
    pub maximum_ttl: Ttl,
    /// Seconds that it waits for its first caller; `None`: no claim. Default 300.
    pub wait_origination_did_ttl: Ttl,
    /// Digits sent to leg B after it answers.
    pub dtmf: Option<Box<str>>,
    /// What is shown, said and played; unknown ones too.
    pub attributes: Object,
}

/// A binding and where in the file its parts stand, for checks across objects.
pub(super) struct ReadBinding {
    pub(super) spec: BindingSpec,
    pub(super) offset: usize,
    pub(super) endpoint: Box<str>,
    pub(super) endpoint_offset: usize,
    pub(super) redirect_offset: usize,
}

/// Reads one `[[binding]]`; `None` where it lacks what it is found by.
pub(super) fn read(section: Section<'_>) -> Option<ReadBinding> {
    let endpoint = section.require("endpoint", value::name);
    let redirect = section.require("redirect_did", value::number);
    let destination = section.require("destination_did", value::number);
    let has_origination = section.position("origination_did").is_some();
    let origination = section.read("origination_did", value::number);
    let name = section.read("name", value::name);
    let maximum_ttl = section.read_or("maximum_ttl", Some(DEFAULT_MAXIMUM_TTL), ttl);
    let wait_ttl = section.read_or("wait_origination_did_ttl", Some(DEFAULT_WAIT_TTL), ttl);
    let dtmf = section.read("dtmf", dtmf);
    let attributes = read_attributes(&section.section("attributes"));
    let offset = section.offset();
    section.finish();
    let (endpoint, redirect, destination) = (endpoint?, redirect?, destination?);
    if has_origination && origination.is_none() {
        return None;
    }
    let key = BindingKey {
        redirect_did: redirect.value,
        origination_did: origination.map(|found| found.value),
    };
    Some(ReadBinding {
        spec: BindingSpec {
            sid: sids::binding(key),
            name: name.map(|found| found.value),
            account_sid: sids::endpoint(&endpoint.value),
            key,
            destination_did: destination.value,
            maximum_ttl,
            wait_origination_did_ttl: wait_ttl,
            dtmf: dtmf.map(|found| found.value),
            attributes,
        },
        offset,
        endpoint: endpoint.value,
        endpoint_offset: endpoint.offset,
        redirect_offset: redirect.offset,
    })
}

fn ttl(value: &DeValue<'_>) -> Result<Ttl, Reason> {
    match value::integer(value) {
        Some(-1) => return Ok(None),
        Some(seconds @ 1..=MAX_TTL_SECONDS) => u32::try_from(seconds).ok(),
        _ => None,
    }
    .map(Some)
    .ok_or(Cow::Borrowed("expected seconds as a whole number: 1 or more, or -1 for no limit"))
}

fn dtmf(value: &DeValue<'_>) -> Result<Box<str>, Reason> {
    let is_key = |byte: u8| matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D' | b',');
    match value.as_str() {
        Some(keys) if (1..=MAX_DTMF_BYTES).contains(&keys.len()) && keys.bytes().all(is_key) => {
            Ok(keys.into())
        }
        _ => Err(Cow::Borrowed("expected keys in quotes: 0-9 * # A-D, and \",\" to wait 0.5 s")),
    }
}

fn read_attributes(section: &Section<'_>) -> Object {
    let (mut object, mut checked) = (Object::new(), Attributes::default());
    for (offset, key, value) in section.entries() {
        let Some(value) = attribute_value(value) else {
            section.fault_at(offset, key, "expected text, true, false or a whole number");
            continue;
        };
        let text = match &value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        if let Err(error) = checked.set(key, &text) {
            section.fault_at(offset, key, without_key(&error.to_string(), key));
        }
        object.insert(key.to_owned(), value);
    }
    object
}

fn attribute_value(value: &DeValue<'_>) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return Some(Value::from(text));
    }
    value.as_bool().map(Value::from).or_else(|| value::integer(value).map(Value::from))
}

/// The error names its key already, as the fault does.
fn without_key(error: &str, key: &str) -> String {
    let prefix = format!("attributes.{key}: ");
    error.strip_prefix(&prefix).unwrap_or(error).to_owned()
}
