//! The small objects in memory: endpoints, trunk groups, trunks, DIDs, tokens, the operator; and who owns which number.
//!
//! It follows the store (see `mediator_store::Follower`); requests read it without waiting for a disk. Of bindings and
//! dialouts it only counts how many hold a number. Every read clones `Arc`s and lets go of the lock before it returns;
//! nobody else's code runs under it.

mod counts;
mod groups;
mod shelf;
mod state;
#[cfg(test)]
mod tests;

use mediator_model::{Number, Sid};
use mediator_store::record::{
    DidRecord, EndpointRecord, Kind, PartnerRecord, Record, TokenRecord, TrunkGroupRecord,
    TrunkRecord, Versioned,
};
use mediator_store::write::{Change, Committed, Revision};
use parking_lot::RwLock;
use std::sync::Arc;

use self::groups::Candidate;
use self::state::State;

/// An object as the catalog hands it out.
pub type Held<T> = Versioned<Arc<T>>;

/// How many numbers are looked at under the lock at once.
const BATCH: usize = 32;

/// The small objects.
#[derive(Debug, Default)]
pub struct Catalog {
    state: RwLock<State>,
}

/// What keeps an object from being deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// What uses it.
    pub kind: Kind,
    /// Which; `None` for bindings and dialouts, of which only the number is known.
    pub sid: Option<Sid>,
    /// For people: its name, or a count.
    pub name: Box<str>,
}

impl Catalog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one object, at start.
    pub fn load(&self, object: Versioned<Record>) {
        self.state.write().put(object.record, object.revision);
    }

    /// Takes the changes of a write; called in the order of revisions.
    pub fn apply(&self, committed: &Committed) {
        let mut state = self.state.write();
        for change in committed.changes.iter() {
            match change {
                Change::Put(record) => state.put(record.clone(), committed.revision),
                Change::Removed { kind, sid } => state.remove(*kind, *sid),
            }
        }
    }

    /// An endpoint.
    pub fn endpoint(&self, sid: Sid) -> Option<Held<EndpointRecord>> {
        self.state.read().endpoints.held(sid)
    }

    /// All endpoints, the oldest first; so are the other lists.
    pub fn endpoints(&self) -> Vec<Held<EndpointRecord>> {
        self.state.read().endpoints.all()
    }

    /// The mediator endpoint with this login.
    pub fn account_by_login(&self, login: &str) -> Option<Held<EndpointRecord>> {
        let state = self.state.read();
        state.logins.get(login).and_then(|sid| state.endpoints.held(*sid))
    }

    /// The endpoint that registers with this user name.
    pub fn endpoint_by_sip_username(&self, username: &str) -> Option<Held<EndpointRecord>> {
        let state = self.state.read();
        state.sip_usernames.get(username).and_then(|sid| state.endpoints.held(*sid))
    }

    /// A trunk group.
    pub fn trunk_group(&self, sid: Sid) -> Option<Held<TrunkGroupRecord>> {
        self.state.read().trunk_groups.held(sid)
    }

    /// All trunk groups.
    pub fn trunk_groups(&self) -> Vec<Held<TrunkGroupRecord>> {
        self.state.read().trunk_groups.all()
    }

    /// A trunk, of whichever group.
    pub fn trunk(&self, sid: Sid) -> Option<Held<TrunkRecord>> {
        self.state.read().trunks.held(sid)
    }

    /// All trunks of all groups.
    pub fn trunks(&self) -> Vec<Held<TrunkRecord>> {
        self.state.read().trunks.all()
    }

    /// A group's trunks.
    pub fn trunks_of(&self, trunk_group: Sid) -> Vec<Held<TrunkRecord>> {
        self.state.read().trunks_of(trunk_group)
    }

    /// The trunk group whose first trunk by priority leads to an endpoint: of several the one of the endpoint's name,
    /// else the oldest.
    pub fn group_leading_to(&self, endpoint: Sid) -> Option<Sid> {
        self.state.read().group_leading_to(endpoint)
    }

    /// A DID.
    pub fn did(&self, sid: Sid) -> Option<Held<DidRecord>> {
        self.state.read().dids.held(sid)
    }

    /// The DID with this number.
    pub fn did_by_number(&self, number: Number) -> Option<Held<DidRecord>> {
        let state = self.state.read();
        state.numbers.get(&number).and_then(|sid| state.dids.held(*sid))
    }

    /// All DIDs.
    pub fn dids(&self) -> Vec<Held<DidRecord>> {
        self.state.read().dids.all()
    }

    /// The DIDs of an account: those of every trunk group whose first trunk by priority leads to it.
    pub fn dids_of(&self, account: Sid) -> Vec<Held<DidRecord>> {
        self.state.read().dids_of(account)
    }

    /// The mediator endpoint that a call to this number meets, as [`mediator_model::Directory::route`] says it.
    pub fn account_of(&self, number: Number) -> Option<Sid> {
        let state = self.state.read();
        let did = state.dids.record(*state.numbers.get(&number)?)?;
        state.groups.account(did.trunk_group_sid?)
    }

    /// A token.
    pub fn token(&self, sid: Sid) -> Option<Held<TokenRecord>> {
        self.state.read().tokens.held(sid)
    }

    /// All tokens, those past their end too.
    pub fn tokens(&self) -> Vec<Held<TokenRecord>> {
        self.state.read().tokens.all()
    }

    /// The token with this SHA-256 of its access token.
    pub fn token_by_hash(&self, access_hash: &[u8; 32]) -> Option<Held<TokenRecord>> {
        let state = self.state.read();
        state.access_hashes.get(access_hash).and_then(|sid| state.tokens.held(*sid))
    }

    /// The token with this SHA-256 of its refresh token.
    pub fn token_by_refresh_hash(&self, refresh_hash: &[u8; 32]) -> Option<Held<TokenRecord>> {
        let state = self.state.read();
        state.refresh_hashes.get(refresh_hash).and_then(|sid| state.tokens.held(*sid))
    }

    /// The operator; `None` before the first start has made it.
    pub fn partner(&self) -> Option<Held<PartnerRecord>> {
        self.state.read().partners.all().into_iter().next()
    }

    /// How many bindings have this number as `redirect_did`.
    pub fn bindings_of(&self, number: Number) -> u64 {
        self.state.read().counts.of_number(number).bindings
    }

    /// How many dialouts have this number as `redirect_did`.
    pub fn dialouts_of(&self, number: Number) -> u64 {
        self.state.read().counts.of_number(number).dialouts
    }

    /// The account's number with the fewest bindings that is not taken, of a country (alpha-3) where one is named; of
    /// those with equally few, the smallest number.
    ///
    /// `is_taken` is asked without any lock held, and may wait.
    pub fn least_bound(
        &self,
        account: Sid,
        country: Option<&str>,
        is_taken: &mut dyn FnMut(Number) -> bool,
    ) -> Option<Number> {
        let mut after: Option<Candidate> = None;
        loop {
            let batch = self.state.read().groups.candidates(account, country, after, BATCH);
            after = Some(*batch.last()?);
            if let Some(free) = batch.iter().find(|candidate| !is_taken(candidate.number)) {
                return Some(free.number);
            }
        }
    }

    /// What keeps an object from being deleted: of endpoints the trunks to them, bindings and dialouts; of trunk groups
    /// the DIDs in them and the endpoints that send calls out by them; of DIDs the bindings and dialouts.
    pub fn user_of(&self, kind: Kind, sid: Sid) -> Option<User> {
        self.state.read().user_of(kind, sid)
    }

    /// The newest revision that was applied to any object here; for tests and diagnosis.
    pub fn revision(&self) -> Revision {
        self.state.read().revision
    }
}
