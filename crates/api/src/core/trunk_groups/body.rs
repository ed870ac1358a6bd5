//! A trunk group's body, checked.

use mediator_model::{CodeList, Sid, UnixMillis};
use mediator_store::record::{Object, TrunkGroupRecord};
use serde_json::Value;

use crate::core::reading::{self, Extent, NO_NAME};
use crate::core::{fresh, trunks};
use crate::fault::Fault;
use crate::fields::{Fields, Presence};

/// The vendor's lists that are kept and shown as they came.
pub(super) const LISTS: [&str; 4] =
    ["acls", "external_handlers", "sip_options_locations", "transformations"];

/// The most trunks that one request makes.
const MAX_TRUNKS: usize = 256;

/// The fields that PUT wants; `options_interval`, which is ours, keeps its value where it is not there.
pub(in crate::core) const PUT_FIELDS: &[&str] = &[
    "name",
    "routing_type",
    "routing_data",
    "hard_failure_codes",
    "hard_failure_threshold",
    "hard_failure_interval",
    "hard_failure_cooldown",
    "hard_failure_last_resort",
    "soft_failure_codes",
    "sip_options_threshold",
    "acls",
    "external_handlers",
    "sip_options_locations",
    "transformations",
];

/// A group as it is where nobody says anything.
pub(in crate::core) fn blank(now: UnixMillis) -> Result<TrunkGroupRecord, Fault> {
    Ok(TrunkGroupRecord {
        sid: fresh::sid()?,
        name: NO_NAME.into(),
        routing_type: "failover".into(),
        routing_data: None,
        hard_failure_codes: "408;".into(),
        hard_failure_threshold: 3,
        hard_failure_interval: 60,
        hard_failure_cooldown: 120,
        hard_failure_last_resort: "first".into(),
        soft_failure_codes: "408;".into(),
        sip_options_threshold: 3,
        options_interval: None,
        lists: LISTS.into_iter().map(|name| (name.to_owned(), Value::Array(Vec::new()))).collect(),
        date_created: now,
    })
}

/// A new group, and its trunks where the body may hold them.
pub(super) fn create(
    body: &Object,
    with_trunks: WithTrunks,
    now: UnixMillis,
) -> Result<(TrunkGroupRecord, Vec<trunks::TrunkBody>), Fault> {
    let mut fields = Fields::new(body);
    let group = read(&mut fields, &blank(now)?);
    let mut made = Vec::new();
    if with_trunks == WithTrunks::Taken {
        let given = fields.list("trunks", MAX_TRUNKS);
        for (at, entry) in given.given().unwrap_or_default().iter().enumerate() {
            let Value::Object(entry) = entry else {
                fields.fault(&format!("trunks.{at}"), "expected an object");
                continue;
            };
            let mut trunk = Fields::nested(entry, &format!("trunks.{at}."));
            made.extend(trunks::read_new(&mut trunk, group.sid, now)?);
            fields.absorb(trunk);
        }
    }
    fields.finish()?;
    put_in_order(&mut made);
    Ok((group, made))
}

/// Trunks that are made at one time go by their sids: these are dealt out so that they stay in the order of the body.
fn put_in_order(trunks: &mut [trunks::TrunkBody]) {
    let mut sids: Vec<Sid> = trunks.iter().map(|trunk| trunk.record.sid).collect();
    sids.sort_unstable();
    for (trunk, sid) in trunks.iter_mut().zip(sids) {
        trunk.record.sid = sid;
    }
}

/// Whether a POST's `trunks` are looked at (`?with_trunks=true`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WithTrunks {
    /// They are.
    Taken,
    /// They are a field that nobody knows.
    Ignored,
}

/// A body laid over the group that there is.
pub(super) fn update(
    body: &Object,
    current: &TrunkGroupRecord,
    extent: Extent,
) -> Result<TrunkGroupRecord, Fault> {
    let mut fields = Fields::new(body);
    if extent == Extent::Whole {
        fields.require_all(PUT_FIELDS);
    }
    let record = read(&mut fields, current);
    fields.finish()?;
    Ok(record)
}

fn read(fields: &mut Fields<'_>, current: &TrunkGroupRecord) -> TrunkGroupRecord {
    let routing_type = fields.word("routing_type", &["failover"]);
    let routing_type = fields.not_null("routing_type", routing_type);
    let last_resort = fields.word("hard_failure_last_resort", &["first", "reject502", "reject503"]);
    let last_resort = fields.not_null("hard_failure_last_resort", last_resort);
    TrunkGroupRecord {
        sid: current.sid,
        name: reading::name(fields, &current.name),
        routing_type: routing_type.map_or_else(|| current.routing_type.clone(), Into::into),
        routing_data: read_routing_data(fields, current.routing_data.as_ref()),
        hard_failure_codes: codes(fields, "hard_failure_codes", &current.hard_failure_codes),
        hard_failure_threshold: count(
            fields,
            "hard_failure_threshold",
            1000,
            current.hard_failure_threshold,
        ),
        hard_failure_interval: count(
            fields,
            "hard_failure_interval",
            3600,
            current.hard_failure_interval,
        ),
        hard_failure_cooldown: count(
            fields,
            "hard_failure_cooldown",
            86_400,
            current.hard_failure_cooldown,
        ),
        hard_failure_last_resort: last_resort
            .map_or_else(|| current.hard_failure_last_resort.clone(), Into::into),
        soft_failure_codes: codes(fields, "soft_failure_codes", &current.soft_failure_codes),
        sip_options_threshold: count(
            fields,
            "sip_options_threshold",
            1000,
            current.sip_options_threshold,
        ),
        options_interval: read_options_interval(fields, current.options_interval),
        lists: read_lists(fields, &current.lists),
        date_created: current.date_created,
    }
}

fn count(fields: &mut Fields<'_>, name: &str, most: u32, current: u32) -> u32 {
    reading::whole(fields, name, 1..=most, current)
}

/// Kept as it came: failover has no data.
fn read_routing_data(fields: &mut Fields<'_>, current: Option<&Value>) -> Option<Value> {
    fields.any("routing_data").or_keep(current).cloned()
}

fn read_options_interval(fields: &mut Fields<'_>, current: Option<u32>) -> Option<u32> {
    match fields.integer("options_interval", 1..=3600) {
        Presence::Absent => current,
        Presence::Null => None,
        Presence::Given(seconds) => u32::try_from(seconds).ok(),
    }
}

/// A list of SIP codes, written the one way: each once, `;` after each.
fn codes(fields: &mut Fields<'_>, name: &str, current: &str) -> Box<str> {
    let text = fields.text(name, 4096);
    let Some(text) = fields.not_null(name, text) else { return current.into() };
    let Some(list) = CodeList::parse(&text) else {
        fields.fault(name, "expected SIP codes from 300 to 699 with ; after each: 408;503;");
        return current.into();
    };
    list.to_string().into()
}

fn read_lists(fields: &mut Fields<'_>, current: &Object) -> Object {
    let mut lists = Object::new();
    for name in LISTS {
        let known = current.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let list = match name {
            "transformations" => reading::transformations(fields, known),
            _ => reading::free_list(fields, name, known),
        };
        lists.insert(name.to_owned(), Value::Array(list));
    }
    lists
}
