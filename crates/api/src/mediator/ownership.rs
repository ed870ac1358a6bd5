//! Whose a number is, and what is answered where it is not the account's.

use mediator_model::{Number, Sid};
use mediator_store::Refused;
use mediator_store::record::Kind;

use crate::catalog::Catalog;
use crate::fault::Fault;

/// The number is no number of the account, or the account has none that is free.
pub(super) fn cannot_find_redirect_did() -> Fault {
    Fault::conflict("Cannot find redirect_did", "redirect_did")
}

/// The DID of an account's number, by its sid; another number is a conflict.
pub(super) fn own_did(catalog: &Catalog, account: Sid, number: Number) -> Result<Sid, Fault> {
    let is_own = catalog.account_of(number) == Some(account);
    let did = catalog.did_by_number(number).filter(|_| is_own);
    did.map(|did| did.record.sid).ok_or_else(cannot_find_redirect_did)
}

/// A refusal that says that the account or its number went while it was written.
pub(super) fn gone_meanwhile(refused: &Refused) -> Option<Fault> {
    match refused {
        Refused::Gone { kind: Kind::Did, .. } => Some(cannot_find_redirect_did()),
        Refused::Gone { kind: Kind::Endpoint, .. } => Some(Fault::Unauthorized),
        _ => None,
    }
}
