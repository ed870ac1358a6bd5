//! Puts the config's bindings into the table: all of them at start, those that the file changed at a reload.

use std::sync::Arc;

use mediator_model::{Binding, ClaimWindow, UnixMillis};
use mediator_table::{BindingTable, DuplicateKey, WriteError};

use crate::config::BindingSpec;

/// How often one binding is tried while calls claim it at the same time; each claim happens once, so twice would do.
const ATTEMPTS: usize = 8;

/// The table that a process starts with.
pub fn table(bindings: &[BindingSpec], now: UnixMillis) -> Result<BindingTable, DuplicateKey> {
    let bindings = bindings.iter().map(|spec| Arc::new(spec.provisioned_at(now)));
    // What a store held long ago may have expired; what is made now has not.
    BindingTable::load(bindings, now).map(|(table, _)| table)
}

/// Creates or updates one binding; its times count from now. A claim stays with whoever has it.
pub fn put(table: &BindingTable, spec: &BindingSpec, now: UnixMillis) -> Result<(), WriteError> {
    for _ in 0..ATTEMPTS {
        let outcome = match table.by_sid(spec.sid, now) {
            Some(held) => table.replace(&held, Arc::new(updated(&held, spec, now)), now),
            None => table.insert(Arc::new(spec.provisioned_at(now)), now),
        };
        match outcome {
            Err(WriteError::Stale | WriteError::Gone | WriteError::SidTaken) => {}
            Err(error @ WriteError::Conflict { .. }) => return Err(error),
            Ok(_) => return Ok(()),
        }
    }
    Err(WriteError::Stale)
}

fn updated(held: &Binding, spec: &BindingSpec, now: UnixMillis) -> Binding {
    let binding = spec.provisioned_at(now);
    if binding.key.origination_did.is_none() && held.key.origination_did.is_some() {
        return Binding { key: held.key, claim: ClaimWindow::Closed, ..binding };
    }
    binding
}

#[cfg(test)]
mod tests {
    use mediator_model::{Bindings, Claim, MatchRule, Number};

    use super::*;
    use crate::config::Config;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn number(digits: &str) -> Number {
        digits.parse().unwrap()
    }

    /// A config's only binding: of 15162065346, to `destination_did`, waiting for its first caller.
    fn waiting(destination_did: &str) -> BindingSpec {
        let text = format!(
            "media = {{ mode = \"direct\" }}\nstore = {{ url = \"memory:\" }}\n\
             [[endpoint]]\nname = \"m\"\ntype = \"mediator\"\ndids = [\"15162065346\"]\n\
             [[binding]]\nendpoint = \"m\"\nredirect_did = \"15162065346\"\ndestination_did = \"{destination_did}\"\n"
        );
        Config::parse("test.toml", &text).unwrap().objects.bindings.remove(0)
    }

    #[test]
    fn a_reload_leaves_the_claim_with_its_caller() {
        let table = table(&[waiting("44")], NOW).unwrap();
        let (did, caller) = (number("15162065346"), number("14155550100"));
        let claim = table.claim(did, waiting("44").sid, caller, NOW);
        assert!(matches!(claim, Claim::Won(_)));
        put(&table, &waiting("45"), NOW).unwrap();
        let found = table.lookup(did, Some(caller), NOW).unwrap();
        assert_eq!((found.rule, found.binding.destination_did), (MatchRule::Exact, number("45")));
        assert!(table.lookup(did, Some(number("1")), NOW).is_none(), "not claimed twice");
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_reload_makes_anew_what_is_gone() {
        let table = table(&[waiting("44")], NOW).unwrap();
        table.remove(waiting("44").sid).unwrap();
        put(&table, &waiting("45"), NOW).unwrap();
        let found = table.lookup(number("15162065346"), Some(number("1")), NOW).unwrap();
        assert_eq!((found.rule, found.binding.destination_did), (MatchRule::Claim, number("45")));
    }

    #[test]
    fn a_claim_that_took_the_key_wins_over_the_file() {
        let table = table(&[waiting("44")], NOW).unwrap();
        let (did, caller) = (number("15162065346"), number("14155550100"));
        assert!(matches!(table.claim(did, waiting("44").sid, caller, NOW), Claim::Won(_)));
        let mut fixed = waiting("46");
        fixed.key.origination_did = Some(caller);
        fixed.sid = mediator_model::Sid::from_random(7);
        assert!(matches!(put(&table, &fixed, NOW), Err(WriteError::Conflict { .. })));
        assert_eq!(table.len(), 1);
    }
}
