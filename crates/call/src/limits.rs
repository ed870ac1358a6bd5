//! Reservations: what a call holds of limits that shards share, given back exactly once.

use mediator_model::{AdmissionRefused, Endpoint, EndpointKind, Instant, Sid, Trunk, TrunkWay};
use smallvec::SmallVec;

use crate::io::Ports;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hold {
    Endpoint(Sid),
    Trunk(Sid, TrunkWay),
}

/// What a call or a branch holds: mostly the caller's endpoint, the account, the trunk and the endpoint behind it.
#[derive(Debug, Default)]
pub(crate) struct Holds(SmallVec<[Hold; 4]>);

impl Holds {
    /// One call of an endpoint's capacity.
    pub(crate) fn take_endpoint(
        &mut self,
        ports: &Ports,
        endpoint: &Endpoint,
    ) -> Result<(), AdmissionRefused> {
        ports.admission.admit_call(endpoint.sid, endpoint.capacity)?;
        self.0.push(Hold::Endpoint(endpoint.sid));
        Ok(())
    }

    /// One call of a trunk's capacity in its direction.
    pub(crate) fn take_trunk(
        &mut self,
        ports: &Ports,
        trunk: &Trunk,
        way: TrunkWay,
    ) -> Result<(), AdmissionRefused> {
        let capacity = match way {
            TrunkWay::In => trunk.in_capacity,
            TrunkWay::Out => trunk.out_capacity,
        };
        ports.admission.admit_trunk(trunk.sid, way, capacity)?;
        self.0.push(Hold::Trunk(trunk.sid, way));
        Ok(())
    }

    /// Takes over what another one holds.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Gives everything back.
    pub(crate) fn release(&mut self, ports: &Ports) {
        for hold in self.0.drain(..) {
            match hold {
                Hold::Endpoint(sid) => ports.admission.release_call(sid),
                Hold::Trunk(sid, way) => ports.admission.release_trunk(sid, way),
            }
        }
    }
}

/// What a call to an endpoint by a trunk holds, or the limit that is used up.
pub(crate) fn hold_way(
    ports: &Ports,
    trunk: Option<&Trunk>,
    endpoint: &Endpoint,
) -> Result<Holds, AdmissionRefused> {
    let mut holds = Holds::default();
    let taken = holds.take_endpoint(ports, endpoint).and_then(|()| match trunk {
        Some(trunk) => holds.take_trunk(ports, trunk, TrunkWay::Out),
        None => Ok(()),
    });
    if let Err(refused) = taken {
        holds.release(ports);
        return Err(refused);
    }
    Ok(holds)
}

/// Counts a start against an endpoint that starts calls: everyone but a carrier (contract §5).
pub(crate) fn admit_source(
    ports: &Ports,
    endpoint: &Endpoint,
    now: Instant,
) -> Result<(), AdmissionRefused> {
    match endpoint.kind {
        EndpointKind::SystemGateway => Ok(()),
        EndpointKind::Mediator { .. } | EndpointKind::ThirdParty { .. } => {
            ports.admission.admit_start(endpoint.sid, endpoint.cps_limit, now)
        }
    }
}

/// Counts a start against a carrier that a call is sent to.
pub(crate) fn admit_destination(
    ports: &Ports,
    endpoint: &Endpoint,
    now: Instant,
) -> Result<(), AdmissionRefused> {
    match endpoint.kind {
        EndpointKind::SystemGateway => {
            ports.admission.admit_start(endpoint.sid, endpoint.cps_limit, now)
        }
        EndpointKind::Mediator { .. } | EndpointKind::ThirdParty { .. } => Ok(()),
    }
}

/// Whole seconds for Retry-After, at least 1.
pub(crate) fn retry_after_seconds(refused: AdmissionRefused) -> u32 {
    match refused {
        AdmissionRefused::Capacity => 5,
        AdmissionRefused::Rate { retry_after } => {
            u32::try_from(retry_after.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
        }
    }
}
