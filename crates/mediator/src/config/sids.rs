//! Ids of the objects that a config file provisions: the same file gives the same ids, today and after a restart.
//!
//! An id is the head of SHA-256 over the object's kind and unique key, in the form of a UUID version 4, which is what
//! the API promises. Equal keys of two installations give equal ids: they name objects, they guard nothing.

use mediator_model::{BindingKey, Number, Sid};
use sha2::{Digest, Sha256};

fn derive(kind: &str, parts: &[&[u8]]) -> Sid {
    let mut hash = Sha256::new();
    hash.update(b"mediator config ");
    hash.update(kind);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    Sid::from_random(digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte)))
}

/// An endpoint's, by its name.
pub(crate) fn endpoint(name: &str) -> Sid {
    derive("endpoint", &[name.as_bytes()])
}

/// A trunk group's, by its name.
pub(crate) fn trunk_group(name: &str) -> Sid {
    derive("trunk_group", &[name.as_bytes()])
}

/// A trunk's, by its group, its endpoint and which of the group's trunks to that endpoint it is.
pub(crate) fn trunk(group: &str, endpoint: &str, ordinal: usize) -> Sid {
    let ordinal = (ordinal as u64).to_be_bytes();
    derive("trunk", &[group.as_bytes(), endpoint.as_bytes(), &ordinal])
}

/// A DID's, by its number.
pub(crate) fn did(number: Number) -> Sid {
    derive("did", &[&number.as_u64().to_be_bytes()])
}

/// A binding's, by what it is found by.
pub(crate) fn binding(key: BindingKey) -> Sid {
    let origination = key.origination_did.map_or(0, Number::as_u64).to_be_bytes();
    derive("binding", &[&key.redirect_did.as_u64().to_be_bytes(), &origination])
}

/// The token's that the config holds.
pub(crate) fn token() -> Sid {
    derive("token", &[b"config"])
}

/// A bucket's, of those in which the store keeps what the file said of bindings.
pub(crate) fn ledger(bucket: u16) -> Sid {
    derive("ledger", &[&bucket.to_be_bytes()])
}
