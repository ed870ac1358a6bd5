//! What the store refuses, in words that name the other object by kind, name and sid.

use mediator_model::Sid;
use mediator_store::Kind;
use mediator_store::write::Refused;

use crate::catalog::{Catalog, User};
use crate::fault::Fault;

/// A field of the body that names another object, so that a refusal can say which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reference {
    pub(super) field: Box<str>,
    pub(super) kind: Kind,
    pub(super) sid: Sid,
}

/// A refusal as an answer.
pub(super) fn fault(catalog: &Catalog, refused: Refused, references: &[Reference]) -> Fault {
    match refused {
        Refused::Gone { kind, sid } => {
            match references.iter().find(|named| (named.kind, named.sid) == (kind, sid)) {
                Some(named) => Fault::UnknownReference { field: named.field.clone() },
                None => Fault::NoSuchSid,
            }
        }
        Refused::Taken { key, holder } => {
            let (field, kind) = unique_field(key);
            Fault::conflict(
                format!("{} has this {key} already", named(catalog, kind, holder)),
                field,
            )
        }
        Refused::InUse { kind, sid } => Fault::Conflict {
            message: format!("{} uses it", named(catalog, kind, sid)).into(),
            field: None,
        },
        other @ (Refused::Exists
        | Refused::Stale { .. }
        | Refused::Claimed
        | Refused::Remembered
        | Refused::Overloaded
        | Refused::Failed(_)) => other.into(),
    }
}

/// What stands in the way of a deletion.
pub(super) fn in_use(catalog: &Catalog, user: &User) -> Fault {
    let User { kind, sid, name } = user;
    let message = match sid {
        Some(sid) => format!("{} uses it", named(catalog, *kind, *sid)),
        None => format!("{kind}s use it: {name}"),
    };
    Fault::Conflict { message: message.into(), field: None }
}

/// The field of the body that a unique key stands in, and whose key it is.
fn unique_field(key: &'static str) -> (&'static str, Kind) {
    match key {
        "login" => ("properties.login", Kind::Endpoint),
        "phonenumber" => ("phonenumber", Kind::Did),
        other => (other, Kind::Endpoint),
    }
}

/// `endpoint "masking" (1b4e28ba-...)`; a trunk with its group.
fn named(catalog: &Catalog, kind: Kind, sid: Sid) -> String {
    let name: Option<String> = match kind {
        Kind::Endpoint => catalog.endpoint(sid).map(|found| found.record.name.to_string()),
        Kind::TrunkGroup => catalog.trunk_group(sid).map(|found| found.record.name.to_string()),
        Kind::Trunk => {
            let Some(trunk) = catalog.trunk(sid) else { return format!("{kind} {sid}") };
            let group = named(catalog, Kind::TrunkGroup, trunk.record.trunk_group_sid);
            return format!("{kind} \"{}\" ({sid}) of {group}", trunk.record.name);
        }
        Kind::Did => catalog.did(sid).map(|found| found.record.phonenumber.to_string()),
        Kind::Binding | Kind::Dialout | Kind::Token | Kind::Partner | Kind::Provisioned => None,
    };
    match name {
        Some(name) => format!("{kind} \"{name}\" ({sid})"),
        None => format!("{kind} {sid}"),
    }
}
