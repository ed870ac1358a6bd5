//! Decides, and writes nothing: which operations make the store hold what the file says, or what stands against it.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use mediator_model::{Number, Secret, Sid, UnixMillis};
use mediator_store::record::{
    DidRecord, EndpointRecord, PartnerRecord, ProvisionedRecord, TokenRecord,
};
use mediator_store::{Kind, Op, Record, Revision, Versioned};
use sha2::{Digest, Sha256};

use super::picture::Picture;
use super::wanted;
use crate::config::sids;
use crate::config::{CoreSettings, EndpointSpec, Objects, TrunkGroupSpec};

/// 9999-12-31T23:59:59Z: the config's token has no end.
const NO_END: UnixMillis = UnixMillis(253_402_300_799_000);

/// What the file wants and the store has otherwise. It is named by the file's key, and numbers are not told: the text
/// goes into the log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Conflict {
    /// A login that must be unique.
    #[error(
        "endpoint \"{endpoint}\": {key}: endpoint \"{holder}\" ({holder_sid}) has the same one: choose another"
    )]
    UserTaken {
        /// The file's endpoint.
        endpoint: Box<str>,
        /// The key of the file.
        key: &'static str,
        /// Who has it.
        holder: Box<str>,
        /// Its id.
        holder_sid: Sid,
    },
    /// A number that was made through the API and leads elsewhere.
    #[error(
        "endpoint \"{endpoint}\": dids: number {place} of the list is the DID {holder}, which the API gave to another \
         trunk group: take it out of the file, or delete that DID"
    )]
    NumberTaken {
        /// The file's endpoint.
        endpoint: Box<str>,
        /// Which of its numbers, from 1.
        place: usize,
        /// The DID.
        holder: Sid,
    },
    /// An endpoint's type is for life.
    #[error(
        "endpoint \"{0}\": type: it was made with another type, which cannot change: choose another name"
    )]
    TypeChanged(Box<str>),
}

/// What provisioning does to the store.
#[derive(Debug, Default)]
pub struct Plan {
    /// Operations on all but bindings, in order.
    pub ops: Vec<Op>,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// The sids of the file's endpoints as the store has them, by those that the file gives them.
    pub(super) endpoints: HashMap<Sid, Sid>,
    /// Numbers of the file that the API gave to another endpoint's group.
    pub(super) moved: HashSet<Number>,
    /// What fingerprints are keyed with.
    pub(super) key: Option<Secret>,
    /// How many objects of the file are new or changed, bindings excepted.
    pub changed: usize,
}

/// Plans for everything but bindings, which come in numbers and have no conflicts.
pub(super) fn plan(
    objects: &Objects,
    core: &CoreSettings,
    picture: &Picture,
    now: UnixMillis,
    dice: &mut dyn FnMut() -> u128,
) -> Result<Plan, Conflict> {
    let mut planner = Planner::new(objects, picture, now);
    let key = planner.partner(dice);
    planner.plan.key = Some(key.clone());
    planner.token(core, &key);
    let groups = objects.all_trunk_groups();
    for group in &groups {
        planner.trunk_group(group, &key);
    }
    for spec in &objects.endpoints {
        planner.endpoint(spec, &key)?;
    }
    planner.order_endpoints();
    for group in &groups {
        planner.trunks(group, &key);
    }
    for spec in &objects.endpoints {
        planner.dids(spec, &key)?;
    }
    planner.check_users()?;
    Ok(planner.plan)
}

/// What becomes of one object of the file.
enum Verdict {
    /// It is there, and the file says what it said.
    Keep,
    /// It is there, made through the API: it stays as it is until the file changes.
    Adopt,
    /// The file changed.
    Update,
    /// It is not there.
    Create,
}

struct Planner<'a> {
    picture: &'a Picture,
    plan: Plan,
    groups: HashMap<Sid, Sid>,
    /// Endpoints as the plan leaves them, where it touches them.
    touched: HashMap<Sid, Arc<EndpointRecord>>,
    updates: Vec<Op>,
    creates: Vec<Op>,
    now: UnixMillis,
    /// The time of creation of the next object: one after the other, so that the file's order is the order of creation.
    stamp: UnixMillis,
}

impl<'a> Planner<'a> {
    fn new(objects: &Objects, picture: &'a Picture, now: UnixMillis) -> Self {
        let trunks: usize = objects.trunk_groups.iter().map(|group| group.trunks.len()).sum();
        let dids: usize = objects.endpoints.iter().map(|spec| spec.endpoint.dids.len()).sum();
        let endpoints = objects.endpoints.len();
        // An endpoint may have a group and a trunk beside it.
        let count = 3 * endpoints + objects.trunk_groups.len() + trunks + dids + 1;
        Self {
            picture,
            plan: Plan::default(),
            groups: HashMap::new(),
            touched: HashMap::new(),
            updates: Vec::new(),
            creates: Vec::new(),
            now,
            stamp: UnixMillis(now.0.saturating_sub(count as u64)),
        }
    }

    fn next_stamp(&mut self) -> UnixMillis {
        self.stamp = UnixMillis(self.stamp.0 + 1);
        self.stamp
    }

    /// The operator, made at first start; gives what fingerprints are keyed with.
    fn partner(&mut self, dice: &mut dyn FnMut() -> u128) -> Secret {
        if let Some(secret) =
            self.picture.partner.as_ref().and_then(|partner| partner.callbacks_secret.clone())
        {
            return secret;
        }
        let secret = Secret::new(format!("{:032x}{:032x}", dice(), dice()));
        self.plan.ops.push(Op::Create(Record::Partner(Arc::new(PartnerRecord {
            sid: Sid::from_random(dice()),
            name: "operator".into(),
            callbacks: mediator_store::Object::new(),
            callbacks_secret: Some(secret.clone()),
            attributes: mediator_store::Object::new(),
            date_created: self.now,
        }))));
        secret
    }

    /// The config's token: there while the file has it, and only in the file's form.
    fn token(&mut self, core: &CoreSettings, key: &Secret) {
        let name = "token:config";
        let provisioned = self.picture.provisioned.get(name).cloned();
        let sid = sids::token();
        let before = self.picture.tokens.get(&sid);
        let Some(token) = &core.token else {
            if before.is_some() {
                self.plan.ops.push(Op::Delete { kind: Kind::Token, sid, expect: None });
                self.plan.changed += 1;
            }
            if let Some(provisioned) = provisioned {
                let sid = provisioned.record.sid;
                self.plan.ops.push(Op::Delete { kind: Kind::Provisioned, sid, expect: None });
            }
            return;
        };
        let access_hash: [u8; 32] = Sha256::digest(token.expose().as_bytes()).into();
        let print =
            super::fingerprint::Fingerprint::keyed(key).field("token", access_hash).finish();
        if before.is_some_and(|token| token.record.access_hash == access_hash) {
            return;
        }
        let record = Record::Token(Arc::new(TokenRecord {
            sid,
            name: "config".into(),
            access_hash,
            refresh_hash: None,
            date_created: before.map_or(self.now, |token| token.record.date_created),
            access_expires: NO_END,
            refresh_expires: None,
            scopes: vec!["*".into()],
        }));
        self.plan.ops.push(match before {
            Some(before) => Op::Update { record, expect: before.revision },
            None => Op::Create(record),
        });
        self.remember(name, sid, print);
    }

    /// What becomes of an object, and its sid: the one it was provisioned with, the file's, or that of an object made
    /// through the API that `holder` finds by name or number.
    fn settle(
        &self,
        key: &str,
        derived: Sid,
        print: [u8; 32],
        is_there: impl Fn(Sid) -> bool,
        holder: impl FnOnce() -> Option<Sid>,
    ) -> (Verdict, Sid) {
        let before = self.picture.provisioned.get(key).map(|before| &before.record);
        let sid = before.map_or(derived, |before| before.sid);
        if is_there(sid) {
            return match before {
                Some(before) if before.hash == print => (Verdict::Keep, sid),
                Some(_) => (Verdict::Update, sid),
                None => (Verdict::Adopt, sid),
            };
        }
        match holder() {
            Some(holder) => (Verdict::Adopt, holder),
            None => (Verdict::Create, sid),
        }
    }

    /// Notes what the file said, for the next time.
    fn remember(&mut self, key: &str, sid: Sid, hash: [u8; 32]) {
        self.plan.changed += 1;
        self.plan.ops.extend(remember(self.picture, key, sid, hash));
    }

    fn trunk_group(&mut self, spec: &TrunkGroupSpec, key: &Secret) {
        let name = format!("trunk_group:{}", spec.name);
        let print = wanted::trunk_group_fingerprint(spec, key);
        let picture = self.picture;
        let named = || {
            only(picture.trunk_groups.values().filter(|group| group.record.name == spec.name))
                .map(|group| group.record.sid)
        };
        let is_there = |sid| picture.trunk_groups.contains_key(&sid);
        let (verdict, sid) = self.settle(&name, spec.sid, print, is_there, named);
        self.groups.insert(spec.sid, sid);
        let before = picture.trunk_groups.get(&sid);
        let mut record = wanted::trunk_group(spec, sid, before.map(|group| &*group.record));
        match (verdict, before) {
            (Verdict::Keep, _) => return,
            (Verdict::Adopt, _) => self.note_adopted("trunk group", &spec.name),
            (Verdict::Update, Some(before)) => self.plan.ops.push(Op::Update {
                record: Record::TrunkGroup(Arc::new(record)),
                expect: before.revision,
            }),
            (Verdict::Create | Verdict::Update, _) => {
                record.date_created = self.next_stamp();
                self.plan.ops.push(Op::Create(Record::TrunkGroup(Arc::new(record))));
            }
        }
        self.remember(&name, sid, print);
    }

    fn note_adopted(&mut self, kind: &str, name: &str) {
        self.plan.notes.push(format!(
            "{kind} \"{name}\" was made through the API: it stays as it is until the file changes"
        ));
    }

    fn endpoint(&mut self, spec: &EndpointSpec, key: &Secret) -> Result<(), Conflict> {
        let own_name = &spec.endpoint.name;
        let name = format!("endpoint:{own_name}");
        let print = wanted::endpoint_fingerprint(spec, key);
        let picture = self.picture;
        let named = || {
            only(picture.endpoints.values().filter(|one| one.record.name == *own_name))
                .map(|one| one.record.sid)
        };
        let is_there = |sid| picture.endpoints.contains_key(&sid);
        let (verdict, sid) = self.settle(&name, spec.endpoint.sid, print, is_there, named);
        self.plan.endpoints.insert(spec.endpoint.sid, sid);
        let before = picture.endpoints.get(&sid);
        if before.is_some_and(|one| one.record.kind != wanted::endpoint_type(&spec.endpoint.kind)) {
            return Err(Conflict::TypeChanged(own_name.clone()));
        }
        let outbound = spec.outbound.as_deref().map(sids::trunk_group);
        let outbound = outbound.and_then(|group| self.groups.get(&group).copied());
        let mut record = wanted::endpoint(spec, sid, outbound, before.map(|one| &*one.record));
        match (verdict, before) {
            (Verdict::Keep, _) => return Ok(()),
            (Verdict::Adopt, _) => self.note_adopted("endpoint", own_name),
            (Verdict::Update, Some(before)) => {
                let record = Arc::new(record);
                self.touched.insert(sid, record.clone());
                let record = Record::Endpoint(record);
                self.updates.push(Op::Update { record, expect: before.revision });
            }
            (Verdict::Create | Verdict::Update, _) => {
                record.date_created = self.next_stamp();
                let record = Arc::new(record);
                self.touched.insert(sid, record.clone());
                self.creates.push(Op::Create(Record::Endpoint(record)));
            }
        }
        self.remember(&name, sid, print);
        Ok(())
    }

    /// Updates before creations: a login that moves is given up before it is taken.
    fn order_endpoints(&mut self) {
        self.plan.ops.append(&mut self.updates);
        self.plan.ops.append(&mut self.creates);
    }

    /// A group's trunks are the file's where it has the group: those that it had and has no more are removed.
    fn trunks(&mut self, group: &TrunkGroupSpec, key: &Secret) {
        let Some(group_sid) = self.groups.get(&group.sid).copied() else { return };
        let picture = self.picture;
        let prefix = format!("trunk:{}:", group.sid);
        let mut of_file = HashSet::new();
        for spec in &group.trunks {
            let name = format!("{prefix}{}", spec.sid);
            let endpoint = sids::endpoint(&spec.endpoint);
            let Some(endpoint) = self.plan.endpoints.get(&endpoint).copied() else { continue };
            let print = wanted::trunk_fingerprint(spec, key);
            let is_there = |sid| picture.trunks.contains_key(&sid);
            let (verdict, sid) = self.settle(&name, spec.sid, print, is_there, || None);
            of_file.insert(name.clone().into_boxed_str());
            let before = picture.trunks.get(&sid);
            let before_record = before.map(|trunk| &*trunk.record);
            let mut record = wanted::trunk(spec, (sid, group_sid, endpoint), before_record);
            match (verdict, before) {
                (Verdict::Keep, _) => continue,
                (Verdict::Adopt, _) => {}
                (Verdict::Update, Some(before)) => self.plan.ops.push(Op::Update {
                    record: Record::Trunk(Arc::new(record)),
                    expect: before.revision,
                }),
                (Verdict::Create | Verdict::Update, _) => {
                    record.date_created = self.next_stamp();
                    self.plan.ops.push(Op::Create(Record::Trunk(Arc::new(record))));
                }
            }
            self.remember(&name, sid, print);
        }
        for (name, gone) in &picture.provisioned {
            if !name.starts_with(&prefix) || of_file.contains(name) {
                continue;
            }
            let sid = gone.record.sid;
            if picture.trunks.contains_key(&sid) {
                self.plan.ops.push(Op::Delete { kind: Kind::Trunk, sid, expect: None });
            }
            self.plan.ops.push(Op::Delete { kind: Kind::Provisioned, sid, expect: None });
            self.plan.changed += 1;
        }
    }

    /// An endpoint's DIDs, which belong to the group of its name.
    fn dids(&mut self, spec: &EndpointSpec, key: &Secret) -> Result<(), Conflict> {
        let derived = sids::trunk_group(&spec.endpoint.name);
        let Some(group) = self.groups.get(&derived).copied() else { return Ok(()) };
        let picture = self.picture;
        for (at, number) in spec.endpoint.dids.iter().enumerate() {
            let name = format!("did:{number}");
            let print = super::fingerprint::Fingerprint::keyed(key)
                .field("endpoint", &*spec.endpoint.name)
                .finish();
            let holder = || picture.dids_by_number.get(number).copied();
            let is_there = |sid| picture.dids.contains_key(&sid);
            let (verdict, sid) = self.settle(&name, sids::did(*number), print, is_there, holder);
            let before = picture.dids.get(&sid);
            let routed = before.and_then(|did| did.record.trunk_group_sid);
            let is_new_here = !picture.provisioned.contains_key(&*name);
            let stays = matches!(verdict, Verdict::Keep)
                || (matches!(verdict, Verdict::Adopt)
                    && (routed == Some(group) || (routed.is_some() && !is_new_here)));
            if stays && routed != Some(group) {
                self.plan.moved.insert(*number);
            }
            match (verdict, before) {
                (Verdict::Keep, _) => continue,
                _ if stays => {}
                (Verdict::Adopt, Some(before)) if routed.is_some() => {
                    return Err(Conflict::NumberTaken {
                        endpoint: spec.endpoint.name.clone(),
                        place: at + 1,
                        holder: before.record.sid,
                    });
                }
                (Verdict::Adopt | Verdict::Update, Some(before)) => {
                    let trunk_group_sid = Some(group);
                    let record = DidRecord { trunk_group_sid, ..(*before.record).clone() };
                    let record = Record::Did(Arc::new(record));
                    self.plan.ops.push(Op::Update { record, expect: before.revision });
                }
                (Verdict::Create | Verdict::Update | Verdict::Adopt, _) => {
                    let date_created = self.next_stamp();
                    let record = wanted::did(*number, (sid, group), date_created);
                    self.plan.ops.push(Op::Create(Record::Did(Arc::new(record))));
                }
            }
            self.remember(&name, sid, print);
        }
        Ok(())
    }

    /// Logins and SIP user names are unique over the file and the store.
    fn check_users(&self) -> Result<(), Conflict> {
        let others = self.picture.endpoints.values().map(|one| &one.record);
        let others = others.filter(|one| !self.touched.contains_key(&one.sid));
        let (mut logins, mut users) = (HashMap::new(), HashMap::new());
        for other in others {
            if let Some(login) = &other.login {
                logins.insert(login.clone(), other.clone());
            }
            if let Some(user) = &other.sip_username {
                users.insert(user.clone(), other.clone());
            }
        }
        for own in self.touched.values() {
            let taken = |key: &'static str, holder: &EndpointRecord| Conflict::UserTaken {
                endpoint: own.name.clone(),
                key,
                holder: holder.name.clone(),
                holder_sid: holder.sid,
            };
            if let Some(holder) = own.login.as_ref().and_then(|login| logins.get(login)) {
                return Err(taken("login", holder));
            }
            if let Some(holder) = own.sip_username.as_ref().and_then(|user| users.get(user)) {
                return Err(taken("sip_username", holder));
            }
        }
        Ok(())
    }
}

/// What notes that the file said `hash` of the object `sid` under `key`; `None` where that is noted already.
pub(super) fn remember(picture: &Picture, key: &str, sid: Sid, hash: [u8; 32]) -> Vec<Op> {
    let record = |sid| {
        Record::Provisioned(Arc::new(ProvisionedRecord {
            sid,
            key: key.into(),
            hash,
            members: "".into(),
        }))
    };
    match picture.provisioned.get(key) {
        Some(before) if before.record.sid != sid => {
            let gone = before.record.sid;
            vec![
                Op::Delete { kind: Kind::Provisioned, sid: gone, expect: None },
                Op::Create(record(sid)),
            ]
        }
        Some(Versioned { record: before, .. }) if before.hash == hash => Vec::new(),
        Some(Versioned { revision, .. }) => {
            vec![Op::Update { record: record(sid), expect: *revision as Revision }]
        }
        None => vec![Op::Create(record(sid))],
    }
}

/// The only one; `None` where there are several.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    if all.next().is_some() { None } else { Some(first) }
}
