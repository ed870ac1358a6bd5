//! Every kind of object, and one of any kind.

use core::fmt;
use std::sync::Arc;

use mediator_model::Sid;

use super::{
    BindingRecord, DialoutRecord, DidRecord, EndpointRecord, PartnerRecord, ProvisionedRecord,
    TokenRecord, TrunkGroupRecord, TrunkRecord,
};
use crate::write::Revision;

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Kind {
    /// A binding. Unique: (`redirect_did`, `origination_did`).
    Binding,
    /// A dialout. Unique: (stage one, stage two, `redirect_did`).
    Dialout,
    /// An endpoint. Unique: its login; its `sip_username`.
    Endpoint,
    /// A trunk group.
    TrunkGroup,
    /// A trunk.
    Trunk,
    /// A DID. Unique: its number.
    Did,
    /// A token of the Core API. Unique: the hash of the access token.
    Token,
    /// The operator.
    Partner,
    /// What a config file provisioned last. Unique: its key.
    Provisioned,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Binding,
        Self::Dialout,
        Self::Endpoint,
        Self::TrunkGroup,
        Self::Trunk,
        Self::Did,
        Self::Token,
        Self::Partner,
        Self::Provisioned,
    ];

    /// The word for messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Dialout => "dialout",
            Self::Endpoint => "endpoint",
            Self::TrunkGroup => "trunk group",
            Self::Trunk => "trunk",
            Self::Did => "DID",
            Self::Token => "token",
            Self::Partner => "partner",
            Self::Provisioned => "provisioned object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object of any kind.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A binding.
    Binding(Arc<BindingRecord>),
    /// A dialout.
    Dialout(Arc<DialoutRecord>),
    /// An endpoint.
    Endpoint(Arc<EndpointRecord>),
    /// A trunk group.
    TrunkGroup(Arc<TrunkGroupRecord>),
    /// A trunk.
    Trunk(Arc<TrunkRecord>),
    /// A DID.
    Did(Arc<DidRecord>),
    /// A token.
    Token(Arc<TokenRecord>),
    /// The operator.
    Partner(Arc<PartnerRecord>),
    /// What a config file provisioned last.
    Provisioned(Arc<ProvisionedRecord>),
}

impl Record {
    /// What it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Binding(_) => Kind::Binding,
            Self::Dialout(_) => Kind::Dialout,
            Self::Endpoint(_) => Kind::Endpoint,
            Self::TrunkGroup(_) => Kind::TrunkGroup,
            Self::Trunk(_) => Kind::Trunk,
            Self::Did(_) => Kind::Did,
            Self::Token(_) => Kind::Token,
            Self::Partner(_) => Kind::Partner,
            Self::Provisioned(_) => Kind::Provisioned,
        }
    }

    /// Its id.
    pub fn sid(&self) -> Sid {
        match self {
            Self::Binding(record) => record.sid,
            Self::Dialout(record) => record.sid,
            Self::Endpoint(record) => record.sid,
            Self::TrunkGroup(record) => record.sid,
            Self::Trunk(record) => record.sid,
            Self::Did(record) => record.sid,
            Self::Token(record) => record.sid,
            Self::Partner(record) => record.sid,
            Self::Provisioned(record) => record.sid,
        }
    }
}

/// An object and the revision of its last write.
#[derive(Clone, PartialEq, Debug)]
pub struct Versioned<T> {
    /// The revision.
    pub revision: Revision,
    /// The object.
    pub record: T,
}
