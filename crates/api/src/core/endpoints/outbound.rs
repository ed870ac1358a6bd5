//! A mediator endpoint's way to numbers that are no DIDs here: a trunk group, or an endpoint, which stands for the
//! trunk group whose first trunk leads to it.

use std::sync::Arc;

use mediator_model::{Sid, UnixMillis};
use mediator_store::record::EndpointType;
use mediator_store::{Kind, Record};

use crate::catalog::Catalog;
use crate::core::change::Plan;
use crate::core::refusal::Reference;
use crate::core::trunk_groups;
use crate::fault::Fault;
use crate::fields::Presence;

const FIELD: &str = "outbound";

/// What a body's `outbound` comes to.
#[derive(Debug)]
pub(super) enum Way {
    /// Nothing is said: it stays.
    Kept,
    /// There is none.
    Cleared,
    /// This trunk group, which is there.
    Group(Sid),
    /// A trunk group that is made for the endpoint that was named.
    Made { group: Record, trunk: Record, endpoint: Sid },
}

/// Looks it up.
pub(super) fn resolve(
    catalog: &Catalog,
    asked: &Presence<Sid>,
    now: UnixMillis,
) -> Result<Way, Fault> {
    let sid = match asked {
        Presence::Absent => return Ok(Way::Kept),
        Presence::Null => return Ok(Way::Cleared),
        Presence::Given(sid) => *sid,
    };
    if catalog.trunk_group(sid).is_some() {
        return match first_trunk_of(catalog, sid).and_then(|endpoint| catalog.endpoint(endpoint)) {
            Some(first) if first.record.kind == EndpointType::Mediator => {
                Err(Fault::invalid(FIELD, "this trunk group leads to a mediator endpoint"))
            }
            Some(_) | None => Ok(Way::Group(sid)),
        };
    }
    let Some(endpoint) = catalog.endpoint(sid) else {
        return Err(Fault::UnknownReference { field: FIELD.into() });
    };
    if endpoint.record.kind == EndpointType::Mediator {
        let reason = "this is a mediator endpoint: name a carrier, a phone or a trunk group";
        return Err(Fault::invalid(FIELD, reason));
    }
    if let Some(group) = catalog.group_leading_to(sid) {
        return Ok(Way::Group(group));
    }
    let name = &endpoint.record.name;
    let (group, trunk) = trunk_groups::beside(name, sid, now)?;
    Ok(Way::Made {
        group: Record::TrunkGroup(Arc::new(group)),
        trunk: Record::Trunk(Arc::new(trunk)),
        endpoint: sid,
    })
}

/// The endpoint of the group's first trunk: the lowest priority value, of those the oldest.
fn first_trunk_of(catalog: &Catalog, trunk_group: Sid) -> Option<Sid> {
    let trunks = catalog.trunks_of(trunk_group);
    let first = trunks.iter().min_by_key(|trunk| trunk.record.priority);
    first.map(|trunk| trunk.record.endpoint_sid)
}

impl Way {
    /// The trunk group's sid.
    pub(super) fn chosen(&self, current: Option<Sid>) -> Option<Sid> {
        match self {
            Self::Kept => current,
            Self::Cleared => None,
            Self::Group(sid) => Some(*sid),
            Self::Made { group, trunk: _, endpoint: _ } => Some(group.sid()),
        }
    }

    /// Has the write make what must be made, and fail where what must be there is not.
    pub(super) fn write_into(self, plan: &mut Plan) {
        let named = match self {
            Self::Kept | Self::Cleared => return,
            Self::Group(sid) => (Kind::TrunkGroup, sid),
            Self::Made { group, trunk, endpoint } => {
                plan.before.extend([group, trunk]);
                (Kind::Endpoint, endpoint)
            }
        };
        let (kind, sid) = named;
        plan.references.push(Reference { field: FIELD.into(), kind, sid });
    }
}
