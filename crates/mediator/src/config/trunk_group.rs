//! `[[trunk_group]]`: ordered ways to endpoints, where one endpoint is not enough.

use std::borrow::Cow;

use mediator_model::{AllowForward, CodeList, FailurePolicy, LastResort, Sid};
use toml::de::DeValue;

use super::fault::Reason;
use super::reader::{At, Section};
use super::sids;
use super::value::{self, HOUR, SECOND};

/// A trunk as the file has it: its endpoint is a name still.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkSpec {
    /// Its id.
    pub sid: Sid,
    /// For people and logs. Default: the endpoint's.
    pub name: Box<str>,
    /// The endpoint's name.
    pub endpoint: Box<str>,
    /// Lower first. Default 0.
    pub priority: u16,
    /// Share of calls within one priority. Default 0.
    pub weight: u16,
    /// Calls at once from it: `None` unlimited, 0 none.
    pub in_capacity: Option<u32>,
    /// Calls at once to it: `None` unlimited, 0 none.
    pub out_capacity: Option<u32>,
    /// What becomes of a 3xx. Default disabled.
    pub allow_forward: AllowForward,
}

impl TrunkSpec {
    /// The only trunk of the group that is provisioned beside an endpoint.
    pub(super) fn only(endpoint: &str) -> Self {
        Self {
            sid: sids::trunk(endpoint, endpoint, 0),
            name: endpoint.into(),
            endpoint: endpoint.into(),
            priority: 0,
            weight: 0,
            in_capacity: None,
            out_capacity: None,
            allow_forward: AllowForward::Disabled,
        }
    }
}

/// A trunk group as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkGroupSpec {
    /// Its id.
    pub sid: Sid,
    /// Its name; no endpoint has the same one.
    pub name: Box<str>,
    /// Its trunks, at least one.
    pub trunks: Vec<TrunkSpec>,
    /// When to move on.
    pub failure: FailurePolicy,
}

/// A group and where in the file its parts stand, for checks across objects.
pub(super) struct ReadTrunkGroup {
    pub(super) spec: TrunkGroupSpec,
    pub(super) offset: usize,
    /// Where each trunk's endpoint stands.
    pub(super) trunk_offsets: Vec<usize>,
}

/// Reads one `[[trunk_group]]`; `None` where it has no usable name.
pub(super) fn read(section: Section<'_>) -> Option<ReadTrunkGroup> {
    let name = section.require("name", value::name);
    let group_name = name.as_ref().map_or("", |found| &found.value);
    let (mut trunks, mut trunk_offsets) = (Vec::new(), Vec::new());
    for trunk in section.sections("trunks") {
        if let Some(found) = read_trunk(trunk, group_name, &trunks) {
            trunks.push(found.value);
            trunk_offsets.push(found.offset);
        }
    }
    if section.position("trunks").is_none() {
        section.fault("trunks", "expected at least one, as in [{ endpoint = \"carrier\" }]");
    }
    section.read("routing_type", value::one_of(&[("failover", ())]));
    let failure = read_failure(&section);
    let read = name.as_ref().map(|name| ReadTrunkGroup {
        spec: TrunkGroupSpec {
            sid: sids::trunk_group(&name.value),
            name: name.value.clone(),
            trunks,
            failure,
        },
        offset: section.offset(),
        trunk_offsets,
    });
    section.finish();
    read
}

fn read_failure(section: &Section<'_>) -> FailurePolicy {
    let default = FailurePolicy::default();
    FailurePolicy {
        hard_codes: section.read_or("hard_failure_codes", default.hard_codes, codes),
        soft_codes: section.read_or("soft_failure_codes", default.soft_codes, codes),
        hard_threshold: section.read_or(
            "hard_failure_threshold",
            default.hard_threshold,
            value::whole(1..=1000),
        ),
        hard_interval: section.read_or(
            "hard_failure_interval",
            default.hard_interval,
            value::duration_or_seconds(SECOND..=HOUR, "60s"),
        ),
        hard_cooldown: section.read_or(
            "hard_failure_cooldown",
            default.hard_cooldown,
            value::duration_or_seconds(SECOND..=24 * HOUR, "120s"),
        ),
        last_resort: section.read_or(
            "hard_failure_last_resort",
            default.last_resort,
            value::one_of(&[
                ("first", LastResort::First),
                ("reject502", LastResort::Reject502),
                ("reject503", LastResort::Reject503),
            ]),
        ),
        options_threshold: section.read_or(
            "sip_options_threshold",
            default.options_threshold,
            value::whole(1..=1000),
        ),
        options_interval: section
            .read("options_interval", value::duration_or_seconds(SECOND..=HOUR, "30s"))
            .map(|found| found.value),
    }
}

fn codes(value: &DeValue<'_>) -> Result<CodeList, Reason> {
    value
        .as_str()
        .and_then(CodeList::parse)
        .ok_or(Cow::Borrowed("expected SIP codes from 300 to 699 such as \"408;503;\""))
}

/// Reads one entry of `trunks`; `None` where it names no endpoint.
fn read_trunk(section: Section<'_>, group: &str, before: &[TrunkSpec]) -> Option<At<TrunkSpec>> {
    let endpoint = section.require("endpoint", value::name);
    let name = section.read("name", value::name);
    let priority = section.read_or("priority", 0, value::whole(0..=u16::MAX));
    let weight = section.read_or("weight", 0, value::whole(0..=u16::MAX));
    let in_capacity = section.read_or("in_capacity", None, capacity);
    let out_capacity = section.read_or("out_capacity", None, capacity);
    let allow_forward = section.read_or(
        "allow_forward",
        AllowForward::Disabled,
        value::one_of(&[
            ("disabled", AllowForward::Disabled),
            ("direct", AllowForward::Direct),
            ("direct_uri", AllowForward::DirectUri),
            ("protected", AllowForward::Protected),
            ("reroute", AllowForward::Reroute),
        ]),
    );
    section.finish();
    let At { value: endpoint, offset } = endpoint?;
    let ordinal = before.iter().filter(|trunk| trunk.endpoint == endpoint).count();
    let spec = TrunkSpec {
        sid: sids::trunk(group, &endpoint, ordinal),
        name: name.map_or_else(|| endpoint.clone(), |found| found.value),
        endpoint,
        priority,
        weight,
        in_capacity,
        out_capacity,
        allow_forward,
    };
    Some(At { value: spec, offset })
}

/// The Core API's way to write it: 0 is unlimited, -1 none.
fn capacity(value: &DeValue<'_>) -> Result<Option<u32>, Reason> {
    match value::whole(-1..=1_000_000_i64)(value)? {
        0 => Ok(None),
        calls => Ok(Some(u32::try_from(calls).unwrap_or(0))),
    }
}
