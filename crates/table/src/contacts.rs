//! The registrar's location service: which contacts an endpoint has registered, and who lives at a source address
//! (RFC 3261 §10.3).
//!
//! Invariants: all updates of one REGISTER apply or none; a contact past its end is never shown; what an endpoint can
//! make grow ends at [`MAX_CONTACTS`]. An endpoint's lock is always taken before a source's.
//!
//! It keeps contacts over a reload and forgets them at a restart: phones register again.

use std::cmp::Reverse;
use std::net::SocketAddr;

use dashmap::DashMap;
use foldhash::fast::RandomState;
use mediator_model::{
    ConnectionId, ContactBinding, ContactError, ContactUpdate, Flow, Instant, Locations, Sid,
    Transport,
};
use smallvec::SmallVec;

#[cfg(test)]
mod tests;

/// The most contacts that one endpoint may have registered.
pub const MAX_CONTACTS: usize = 10;

/// Where a registration came from. Two listeners of ours see the same phone at the same place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// A stream: whoever gets its port next is somebody else.
    Connection(ConnectionId),
    Address(Transport, SocketAddr),
}

impl Source {
    fn of(flow: &Flow) -> Self {
        flow.connection.map_or(Self::Address(flow.transport, flow.remote), Self::Connection)
    }
}

/// The registered contacts of all endpoints.
#[derive(Default)]
pub struct ContactTable {
    /// Each endpoint's contacts, the one written last at the end.
    by_endpoint: DashMap<Sid, Vec<ContactBinding>, RandomState>,
    /// Who registered from a source, in order of sid, and until when. Behind a proxy of phones there are many.
    by_source: DashMap<Source, SmallVec<[(Sid, Instant); 1]>, RandomState>,
}

impl ContactTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many endpoints have a contact, those included whose contacts nobody has swept yet.
    pub fn len(&self) -> usize {
        self.by_endpoint.len()
    }

    /// Whether no endpoint has any.
    pub fn is_empty(&self) -> bool {
        self.by_endpoint.is_empty()
    }

    /// Takes out the contacts that have lapsed and returns them. Lookups do not show them anyway: this frees memory.
    pub fn expire(&self, now: Instant) -> Vec<(Sid, ContactBinding)> {
        let mut lapsed = Vec::new();
        self.by_endpoint.retain(|endpoint, contacts| {
            let gone: Vec<_> = contacts.extract_if(.., |contact| contact.expires <= now).collect();
            if !gone.is_empty() {
                self.index_sources(*endpoint, &gone, contacts);
                lapsed.extend(gone.into_iter().map(|contact| (*endpoint, contact)));
            }
            !contacts.is_empty()
        });
        lapsed
    }

    /// Makes `by_source` say of `endpoint` what `after` says, given that it said at most `before` and `after`.
    fn index_sources(&self, endpoint: Sid, before: &[ContactBinding], after: &[ContactBinding]) {
        for source in before.iter().chain(after).map(|contact| Source::of(&contact.flow)) {
            let here = after.iter().filter(|contact| Source::of(&contact.flow) == source);
            match here.map(|contact| contact.expires).max() {
                Some(until) => self.settle(source, endpoint, until),
                None => self.leave(source, endpoint),
            }
        }
    }

    fn settle(&self, source: Source, endpoint: Sid, until: Instant) {
        let mut tenants = self.by_source.entry(source).or_default();
        match tenants.binary_search_by_key(&endpoint, |(sid, _)| *sid) {
            Ok(at) => tenants.iter_mut().skip(at).take(1).for_each(|tenant| tenant.1 = until),
            Err(at) => tenants.insert(at, (endpoint, until)),
        }
    }

    fn leave(&self, source: Source, endpoint: Sid) {
        let dashmap::Entry::Occupied(mut tenants) = self.by_source.entry(source) else { return };
        if let Ok(at) = tenants.get().binary_search_by_key(&endpoint, |(sid, _)| *sid) {
            tenants.get_mut().remove(at);
        }
        if tenants.get().is_empty() {
            tenants.remove();
        }
    }
}

impl Locations for ContactTable {
    fn update(
        &self,
        endpoint: Sid,
        updates: Vec<ContactUpdate>,
        now: Instant,
    ) -> Result<Vec<ContactBinding>, ContactError> {
        let mut entry = self.by_endpoint.entry(endpoint).or_default();
        let mut before = std::mem::take(&mut *entry);
        let lapsed: Vec<_> = before.extract_if(.., |contact| contact.expires <= now).collect();
        let outcome = register(&before, updates);
        let after = outcome.as_ref().map_or(&before, |after| after);
        self.index_sources(endpoint, &lapsed, after);
        self.index_sources(endpoint, &before, after);
        entry.clone_from(after);
        drop(entry);
        self.by_endpoint.remove_if(&endpoint, |_, contacts| contacts.is_empty());
        outcome.map(best_first)
    }

    fn contacts(&self, endpoint: Sid, now: Instant) -> Vec<ContactBinding> {
        let Some(contacts) = self.by_endpoint.get(&endpoint) else { return Vec::new() };
        best_first(contacts.iter().filter(|contact| contact.expires > now).cloned().collect())
    }

    /// `None` also where several endpoints share the source, as behind a proxy of phones: it tells none of them.
    fn registered_at(&self, source: &Flow, now: Instant) -> Option<Sid> {
        let tenants = self.by_source.get(&Source::of(source))?;
        let mut live = tenants.iter().filter(|(_, until)| *until > now);
        match (live.next(), live.next()) {
            (Some((endpoint, _)), None) => Some(*endpoint),
            _ => None,
        }
    }

    fn connection_closed(&self, connection: ConnectionId) {
        let source = Source::Connection(connection);
        let Some(tenants) = self.by_source.get(&source).map(|tenants| tenants.clone()) else {
            return;
        };
        for (endpoint, _) in tenants {
            let dashmap::Entry::Occupied(mut contacts) = self.by_endpoint.entry(endpoint) else {
                continue;
            };
            let gone: Vec<_> = contacts
                .get_mut()
                .extract_if(.., |contact| Source::of(&contact.flow) == source)
                .collect();
            self.index_sources(endpoint, &gone, contacts.get());
            if contacts.get().is_empty() {
                contacts.remove();
            }
        }
    }

    /// It was removed, or has other credentials.
    fn forget(&self, endpoint: Sid) {
        // The guard of the entry keeps a REGISTER that comes at the same time behind or before all of this.
        if let dashmap::Entry::Occupied(contacts) = self.by_endpoint.entry(endpoint) {
            self.index_sources(endpoint, contacts.get(), &[]);
            contacts.remove();
        }
    }
}

/// What a REGISTER makes of the live contacts `before`, or why it makes nothing (RFC 3261 §10.3 steps 6 and 7).
fn register(
    before: &[ContactBinding],
    updates: Vec<ContactUpdate>,
) -> Result<Vec<ContactBinding>, ContactError> {
    let mut after = before.to_vec();
    for update in updates {
        match update {
            ContactUpdate::Put(contact) => {
                let same = |known: &ContactBinding| same_uri(&known.uri, &contact.uri);
                in_order(
                    before.iter().filter(|known| same(known)),
                    &contact.call_id,
                    contact.cseq,
                )?;
                after.retain(|known| !same(known));
                after.push(contact);
            }
            ContactUpdate::Remove { uri, call_id, cseq } => {
                let same = |known: &ContactBinding| same_uri(&known.uri, &uri);
                in_order(before.iter().filter(|known| same(known)), &call_id, cseq)?;
                after.retain(|known| !same(known));
            }
            ContactUpdate::RemoveAll { call_id, cseq } => {
                in_order(before.iter(), &call_id, cseq)?;
                after.clear();
            }
        }
    }
    if after.len() > MAX_CONTACTS { Err(ContactError::TooMany) } else { Ok(after) }
}

/// A REGISTER of the same Call-ID must have a higher `CSeq` than the one that wrote a contact before it may touch it.
fn in_order<'a>(
    mut touched: impl Iterator<Item = &'a ContactBinding>,
    call_id: &str,
    cseq: u32,
) -> Result<(), ContactError> {
    if touched.any(|known| *known.call_id == *call_id && known.cseq >= cseq) {
        return Err(ContactError::OutOfOrder);
    }
    Ok(())
}

/// RFC 3261 §19.1.4 as far as it matters for a phone that writes its own Contact twice: the user part is compared as it
/// is, everything else without regard to case. Parameters in another order make another contact.
fn same_uri(a: &str, b: &str) -> bool {
    match (a.split_once('@'), b.split_once('@')) {
        (Some((a_left, a_right)), Some((b_left, b_right))) => {
            let (a_scheme, a_user) = a_left.split_once(':').unwrap_or(("", a_left));
            let (b_scheme, b_user) = b_left.split_once(':').unwrap_or(("", b_left));
            a_user == b_user
                && a_scheme.eq_ignore_ascii_case(b_scheme)
                && a_right.eq_ignore_ascii_case(b_right)
        }
        (None, None) => a.eq_ignore_ascii_case(b),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Highest q first, and of one q the one registered last: a phone that came back at another port is there, not at the
/// old one.
fn best_first(mut contacts: Vec<ContactBinding>) -> Vec<ContactBinding> {
    contacts.reverse();
    contacts.sort_by_key(|contact| Reverse(contact.q_thousandths));
    contacts
}
