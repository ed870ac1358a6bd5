//! What the catalog's lock guards, and how a change moves it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{
    DidRecord, EndpointRecord, EndpointType, Kind, PartnerRecord, Record, TokenRecord,
    TrunkGroupRecord, TrunkRecord,
};
use mediator_store::write::Revision;

use super::counts::{Changed, Count, Counts};
use super::groups::Groups;
use super::shelf::Shelf;
use super::{Held, User};

/// A trunk's place in its group: by priority, then by age.
type TrunkPlace = (u16, UnixMillis, Sid);

/// Everything in the catalog.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) endpoints: Shelf<EndpointRecord>,
    pub(super) trunk_groups: Shelf<TrunkGroupRecord>,
    pub(super) trunks: Shelf<TrunkRecord>,
    pub(super) dids: Shelf<DidRecord>,
    pub(super) tokens: Shelf<TokenRecord>,
    pub(super) partners: Shelf<PartnerRecord>,
    pub(super) logins: HashMap<Box<str>, Sid, RandomState>,
    pub(super) sip_usernames: HashMap<Box<str>, Sid, RandomState>,
    pub(super) numbers: HashMap<Number, Sid, RandomState>,
    pub(super) access_hashes: HashMap<[u8; 32], Sid, RandomState>,
    pub(super) refresh_hashes: HashMap<[u8; 32], Sid, RandomState>,
    pub(super) groups: Groups,
    pub(super) counts: Counts,
    pub(super) revision: Revision,
    trunks_by_group: HashMap<Sid, BTreeSet<TrunkPlace>, RandomState>,
    trunks_by_endpoint: HashMap<Sid, BTreeSet<Sid>, RandomState>,
}

impl State {
    pub(super) fn put(&mut self, record: Record, revision: Revision) {
        self.revision = self.revision.max(revision);
        match record {
            Record::Binding(binding) => {
                let holder = (binding.redirect_did, binding.account_sid);
                let changed = self.counts.put(Kind::Binding, binding.sid, holder);
                self.recount(changed);
            }
            Record::Dialout(dialout) => {
                let holder = (dialout.redirect_did, dialout.account_sid);
                self.counts.put(Kind::Dialout, dialout.sid, holder);
            }
            Record::Endpoint(endpoint) => self.put_endpoint(&endpoint, revision),
            Record::TrunkGroup(group) => {
                self.trunk_groups.put((group.sid, group.date_created), group, revision);
            }
            Record::Trunk(trunk) => self.put_trunk(&trunk, revision),
            Record::Did(did) => self.put_did(&did, revision),
            Record::Token(token) => self.put_token(&token, revision),
            Record::Partner(partner) => {
                self.partners.put((partner.sid, partner.date_created), partner, revision);
            }
            Record::Provisioned(_) => {}
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, sid: Sid) {
        match kind {
            Kind::Binding | Kind::Dialout => {
                let changed = self.counts.remove(kind, sid);
                self.recount(changed);
            }
            Kind::Endpoint => self.remove_endpoint(sid),
            Kind::TrunkGroup => drop(self.trunk_groups.remove(sid)),
            Kind::Trunk => self.remove_trunk(sid),
            Kind::Did => self.remove_did(sid),
            Kind::Token => self.remove_token(sid),
            Kind::Partner => drop(self.partners.remove(sid)),
            Kind::Provisioned => {}
        }
    }

    /// A group's trunks, the oldest first.
    pub(super) fn trunks_of(&self, group: Sid) -> Vec<Held<TrunkRecord>> {
        let places = self.trunks_by_group.get(&group).into_iter().flatten();
        let mut by_age: Vec<(UnixMillis, Sid)> =
            places.map(|(_, created, sid)| (*created, *sid)).collect();
        by_age.sort();
        by_age.into_iter().filter_map(|(_, sid)| self.trunks.held(sid)).collect()
    }

    /// The group whose first trunk leads to an endpoint: of several the one of the endpoint's name, else the oldest.
    pub(super) fn group_leading_to(&self, endpoint: Sid) -> Option<Sid> {
        let name = &self.endpoints.record(endpoint)?.name;
        let trunks = self.trunks_by_endpoint.get(&endpoint)?;
        let groups = trunks.iter().filter_map(|trunk| {
            let group = self.trunks.record(*trunk)?.trunk_group_sid;
            let (_, _, first) = self.trunks_by_group.get(&group)?.first()?;
            if self.trunks.record(*first)?.endpoint_sid != endpoint {
                return None;
            }
            self.trunk_groups.record(group)
        });
        let best = groups.min_by_key(|group| (group.name != *name, group.date_created, group.sid));
        best.map(|group| group.sid)
    }

    pub(super) fn dids_of(&self, account: Sid) -> Vec<Held<DidRecord>> {
        let sids = self.groups.dids_of(account);
        sids.into_iter().filter_map(|sid| self.dids.held(sid)).collect()
    }

    pub(super) fn user_of(&self, kind: Kind, sid: Sid) -> Option<User> {
        match kind {
            Kind::Endpoint => {
                let trunk = self.trunks_by_endpoint.get(&sid).and_then(BTreeSet::first);
                let trunk = trunk.and_then(|trunk| self.trunks.record(*trunk));
                trunk
                    .map(|trunk| named(Kind::Trunk, trunk.sid, &trunk.name))
                    .or_else(|| counted(self.counts.of_account(sid)))
            }
            Kind::TrunkGroup => {
                let did = self.groups.first_did(sid).and_then(|did| self.dids.record(did));
                let did = did.map(|did| named(Kind::Did, did.sid, &did.phonenumber.to_string()));
                did.or_else(|| {
                    let mut endpoints = self.endpoints.records();
                    let user = endpoints.find(|endpoint| endpoint.outbound == Some(sid))?;
                    Some(named(Kind::Endpoint, user.sid, &user.name))
                })
            }
            Kind::Did => {
                let number = self.dids.record(sid)?.phonenumber;
                counted(self.counts.of_number(number))
            }
            Kind::Binding
            | Kind::Dialout
            | Kind::Trunk
            | Kind::Token
            | Kind::Partner
            | Kind::Provisioned => None,
        }
    }

    /// Moves numbers whose bindings have become more or fewer.
    fn recount(&mut self, changed: Changed) {
        for (number, before) in changed.into_iter().flatten() {
            let did = self.numbers.get(&number).and_then(|sid| self.dids.record(*sid));
            if let Some(did) = did {
                let after = self.counts.of_number(number).bindings;
                self.groups.recount(did, before, after);
            }
        }
    }

    fn put_endpoint(&mut self, endpoint: &Arc<EndpointRecord>, revision: Revision) {
        let sid = endpoint.sid;
        let old = self.endpoints.put((sid, endpoint.date_created), Arc::clone(endpoint), revision);
        if let Some(old) = &old {
            forget(&mut self.logins, old.login.as_ref(), sid);
            forget(&mut self.sip_usernames, old.sip_username.as_ref(), sid);
        }
        self.logins.extend(endpoint.login.clone().map(|login| (login, sid)));
        self.sip_usernames.extend(endpoint.sip_username.clone().map(|username| (username, sid)));
        if old.is_none_or(|old| old.kind != endpoint.kind) {
            self.find_accounts_of_groups_with(sid);
        }
    }

    fn remove_endpoint(&mut self, sid: Sid) {
        if let Some(old) = self.endpoints.remove(sid) {
            forget(&mut self.logins, old.login.as_ref(), sid);
            forget(&mut self.sip_usernames, old.sip_username.as_ref(), sid);
            self.find_accounts_of_groups_with(sid);
        }
    }

    fn put_trunk(&mut self, trunk: &Arc<TrunkRecord>, revision: Revision) {
        let old = self.trunks.put((trunk.sid, trunk.date_created), Arc::clone(trunk), revision);
        if let Some(old) = old {
            self.unlink_trunk(&old);
        }
        self.trunks_by_group.entry(trunk.trunk_group_sid).or_default().insert((
            trunk.priority,
            trunk.date_created,
            trunk.sid,
        ));
        self.trunks_by_endpoint.entry(trunk.endpoint_sid).or_default().insert(trunk.sid);
        self.find_account(trunk.trunk_group_sid);
    }

    fn remove_trunk(&mut self, sid: Sid) {
        if let Some(old) = self.trunks.remove(sid) {
            self.unlink_trunk(&old);
        }
    }

    fn unlink_trunk(&mut self, old: &TrunkRecord) {
        if let Some(places) = self.trunks_by_group.get_mut(&old.trunk_group_sid) {
            places.remove(&(old.priority, old.date_created, old.sid));
            if places.is_empty() {
                self.trunks_by_group.remove(&old.trunk_group_sid);
            }
        }
        if let Some(trunks) = self.trunks_by_endpoint.get_mut(&old.endpoint_sid) {
            trunks.remove(&old.sid);
            if trunks.is_empty() {
                self.trunks_by_endpoint.remove(&old.endpoint_sid);
            }
        }
        self.find_account(old.trunk_group_sid);
    }

    /// Looks again which mediator endpoint is behind a group: the one that its first trunk by priority leads to.
    fn find_account(&mut self, group: Sid) {
        let first = self.trunks_by_group.get(&group).and_then(BTreeSet::first);
        let endpoint = first
            .and_then(|(_, _, trunk)| self.trunks.record(*trunk))
            .and_then(|trunk| self.endpoints.record(trunk.endpoint_sid))
            .filter(|endpoint| endpoint.kind == EndpointType::Mediator);
        let account = endpoint.map(|endpoint| endpoint.sid);
        self.groups.set_account(group, account);
    }

    fn find_accounts_of_groups_with(&mut self, endpoint: Sid) {
        let trunks = self.trunks_by_endpoint.get(&endpoint).into_iter().flatten();
        let groups: BTreeSet<Sid> = trunks
            .filter_map(|trunk| self.trunks.record(*trunk))
            .map(|trunk| trunk.trunk_group_sid)
            .collect();
        for group in groups {
            self.find_account(group);
        }
    }

    fn put_did(&mut self, did: &Arc<DidRecord>, revision: Revision) {
        let old = self.dids.put((did.sid, did.date_created), Arc::clone(did), revision);
        if let Some(old) = old {
            self.unlink_did(&old);
        }
        self.numbers.insert(did.phonenumber, did.sid);
        self.groups.join(did, self.counts.of_number(did.phonenumber).bindings);
    }

    fn remove_did(&mut self, sid: Sid) {
        if let Some(old) = self.dids.remove(sid) {
            self.unlink_did(&old);
        }
    }

    fn unlink_did(&mut self, old: &DidRecord) {
        if self.numbers.get(&old.phonenumber) == Some(&old.sid) {
            self.numbers.remove(&old.phonenumber);
        }
        self.groups.leave(old, self.counts.of_number(old.phonenumber).bindings);
    }

    fn put_token(&mut self, token: &Arc<TokenRecord>, revision: Revision) {
        let sid = token.sid;
        let old = self.tokens.put((sid, token.date_created), Arc::clone(token), revision);
        if let Some(old) = old {
            forget(&mut self.access_hashes, Some(&old.access_hash), sid);
            forget(&mut self.refresh_hashes, old.refresh_hash.as_ref(), sid);
        }
        self.access_hashes.insert(token.access_hash, sid);
        self.refresh_hashes.extend(token.refresh_hash.map(|hash| (hash, sid)));
    }

    fn remove_token(&mut self, sid: Sid) {
        if let Some(old) = self.tokens.remove(sid) {
            forget(&mut self.access_hashes, Some(&old.access_hash), sid);
            forget(&mut self.refresh_hashes, old.refresh_hash.as_ref(), sid);
        }
    }
}

/// Takes a key out, unless another object has it by now.
fn forget<K: std::hash::Hash + Eq>(
    index: &mut HashMap<K, Sid, RandomState>,
    key: Option<&K>,
    sid: Sid,
) {
    if let Some(key) = key
        && index.get(key) == Some(&sid)
    {
        index.remove(key);
    }
}

fn named(kind: Kind, sid: Sid, name: &str) -> User {
    User { kind, sid: Some(sid), name: name.into() }
}

fn counted(count: Count) -> Option<User> {
    let (kind, figure) = match count {
        Count { bindings: 0, dialouts: 0 } => return None,
        Count { bindings: 0, dialouts } => (Kind::Dialout, dialouts),
        Count { bindings, .. } => (Kind::Binding, bindings),
    };
    Some(User { kind, sid: None, name: figure.to_string().into() })
}
