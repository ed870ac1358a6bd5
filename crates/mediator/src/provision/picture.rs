//! What the store holds of what provisioning looks at: every small object, and those bindings that the file names.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use mediator_model::{BindingKey, Number, Sid};
use mediator_store::record::{
    DidRecord, EndpointRecord, PartnerRecord, ProvisionedRecord, TokenRecord, TrunkGroupRecord,
    TrunkRecord,
};
use mediator_store::{Record, Versioned};

use crate::config::Objects;

type BySid<T> = HashMap<Sid, Versioned<Arc<T>>>;

/// The store, as far as a file may touch it.
#[derive(Debug, Default)]
pub struct Picture {
    pub(super) provisioned: HashMap<Box<str>, Versioned<Arc<ProvisionedRecord>>>,
    pub(super) endpoints: BySid<EndpointRecord>,
    pub(super) trunk_groups: BySid<TrunkGroupRecord>,
    pub(super) trunks: BySid<TrunkRecord>,
    pub(super) dids: BySid<DidRecord>,
    pub(super) dids_by_number: HashMap<Number, Sid>,
    pub(super) tokens: BySid<TokenRecord>,
    pub(super) partner: Option<Arc<PartnerRecord>>,
    /// Bindings of the file that are there, under the file's sids.
    pub(super) bindings: HashSet<Sid>,
    /// Who has the numbers of the file's bindings.
    pub(super) bindings_by_key: HashMap<BindingKey, Sid>,
    file_sids: HashSet<Sid>,
    file_keys: HashSet<BindingKey>,
}

impl Picture {
    /// An empty one, for the objects of a file.
    pub fn of(objects: &Objects) -> Self {
        Self {
            file_sids: objects.bindings.iter().map(|spec| spec.sid).collect(),
            file_keys: objects.bindings.iter().map(|spec| spec.key).collect(),
            ..Self::default()
        }
    }

    /// Takes in one object of the store.
    pub fn add(&mut self, object: &Versioned<Record>) {
        let revision = object.revision;
        match &object.record {
            Record::Binding(record) => {
                if self.file_sids.contains(&record.sid) {
                    self.bindings.insert(record.sid);
                }
                if self.file_keys.contains(&record.key()) {
                    self.bindings_by_key.insert(record.key(), record.sid);
                }
            }
            Record::Dialout(_) => {}
            Record::Endpoint(record) => put(&mut self.endpoints, record.sid, record, revision),
            Record::TrunkGroup(record) => put(&mut self.trunk_groups, record.sid, record, revision),
            Record::Trunk(record) => put(&mut self.trunks, record.sid, record, revision),
            Record::Did(record) => {
                self.dids_by_number.insert(record.phonenumber, record.sid);
                put(&mut self.dids, record.sid, record, revision);
            }
            Record::Token(record) => put(&mut self.tokens, record.sid, record, revision),
            Record::Partner(record) => self.partner = Some(record.clone()),
            Record::Provisioned(record) => {
                let record = record.clone();
                self.provisioned.insert(record.key.clone(), Versioned { revision, record });
            }
        }
    }
}

fn put<T>(map: &mut BySid<T>, sid: Sid, record: &Arc<T>, revision: u64) {
    map.insert(sid, Versioned { revision, record: record.clone() });
}
