//! Calls at once and call starts a second, of endpoints and trunks.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;
use foldhash::fast::RandomState;
use mediator_model::{AdmissionRefused, Instant, Sid, TrunkWay};

use super::rate::Rate;

#[derive(Default)]
struct Usage {
    calls: AtomicU32,
    starts: Rate,
}

impl Usage {
    fn take(&self, capacity: u32) -> Result<(), AdmissionRefused> {
        self.calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| {
                (calls < capacity).then(|| calls + 1)
            })
            .map(drop)
            .map_err(|_| AdmissionRefused::Capacity)
    }

    fn release(&self) {
        let released = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| calls.checked_sub(1));
        debug_assert!(released.is_ok(), "a call was given back that nobody took");
    }
}

/// What endpoints and trunks use of their limits; as many entries as the directory has of them.
#[derive(Default)]
pub(super) struct Limits {
    endpoints: DashMap<Sid, Usage, RandomState>,
    trunks_in: DashMap<Sid, Usage, RandomState>,
    trunks_out: DashMap<Sid, Usage, RandomState>,
}

impl Limits {
    /// Counts also where nothing is limited, for a limit may be set while calls are up.
    pub(super) fn admit_call(&self, endpoint: Sid, capacity: u32) -> Result<(), AdmissionRefused> {
        let capacity = if capacity == 0 { u32::MAX } else { capacity };
        with(&self.endpoints, endpoint, |usage| usage.take(capacity))
    }

    pub(super) fn release_call(&self, endpoint: Sid) {
        with(&self.endpoints, endpoint, Usage::release);
    }

    pub(super) fn admit_start(
        &self,
        endpoint: Sid,
        cps_limit: u32,
        now: Instant,
    ) -> Result<(), AdmissionRefused> {
        let Some(per_second) = NonZeroU32::new(cps_limit) else { return Ok(()) };
        with(&self.endpoints, endpoint, |usage| usage.starts.admit(per_second, now))
            .map_err(|retry_after| AdmissionRefused::Rate { retry_after })
    }

    pub(super) fn admit_trunk(
        &self,
        trunk: Sid,
        way: TrunkWay,
        capacity: Option<u32>,
    ) -> Result<(), AdmissionRefused> {
        with(self.trunks(way), trunk, |usage| usage.take(capacity.unwrap_or(u32::MAX)))
    }

    pub(super) fn release_trunk(&self, trunk: Sid, way: TrunkWay) {
        with(self.trunks(way), trunk, Usage::release);
    }

    const fn trunks(&self, way: TrunkWay) -> &DashMap<Sid, Usage, RandomState> {
        match way {
            TrunkWay::In => &self.trunks_in,
            TrunkWay::Out => &self.trunks_out,
        }
    }

    pub(super) fn calls_of(&self, endpoint: Sid) -> u32 {
        self.endpoints.get(&endpoint).map_or(0, |usage| usage.calls.load(Ordering::Relaxed))
    }

    pub(super) fn retain(&self, is_known: impl Fn(Sid) -> bool) {
        for map in [&self.endpoints, &self.trunks_in, &self.trunks_out] {
            map.retain(|sid, usage| is_known(*sid) || *usage.calls.get_mut() > 0);
        }
    }
}

/// The usual way takes a shard's lock for reading only.
fn with<R>(map: &DashMap<Sid, Usage, RandomState>, sid: Sid, act: impl FnOnce(&Usage) -> R) -> R {
    match map.get(&sid) {
        Some(usage) => act(&usage),
        None => act(&map.entry(sid).or_default()),
    }
}
