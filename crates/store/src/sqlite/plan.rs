//! Whether a filter of bindings names rows that an index finds.

use crate::query::{Comparison, Filter, Literal, Operator};

/// The fields with an index for each account.
const INDEXED: [&str; 5] =
    ["redirect_did", "origination_did", "destination_did", "name", "date_created"];

/// How the rows of a filter are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// An index narrows them down.
    Index,
    /// None does, but one holds all that is compared.
    Covered,
    /// Every row of the account is looked at.
    Rows,
}

/// The way that fits a filter.
pub(super) fn way(filter: &Filter) -> Way {
    let mut fields = Vec::new();
    named(filter, &mut fields);
    fields.sort_unstable();
    fields.dedup();
    if is_indexed(filter) {
        return Way::Index;
    }
    match fields.as_slice() {
        [] => Way::Covered,
        [one] if INDEXED.contains(one) => Way::Covered,
        _ => Way::Rows,
    }
}

/// The fields that are compared; those of the DID are found by `redirect_did`.
fn named<'f>(filter: &'f Filter, fields: &mut Vec<&'f str>) {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            for part in parts {
                named(part, fields);
            }
        }
        Filter::Compare(comparison) => match comparison.path.first().map(|name| &**name) {
            Some("account_sid") | None => {}
            Some("redirect_did_info") => fields.push("redirect_did"),
            Some(name) => fields.push(name),
        },
    }
}

/// Whether an index narrows the rows down.
fn is_indexed(filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().any(is_indexed),
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(is_indexed),
        Filter::Compare(comparison) => narrows(comparison),
    }
}

fn narrows(comparison: &Comparison) -> bool {
    let [field] = comparison.path.as_slice() else { return false };
    if &**field == "binding_sid" {
        return matches!(comparison.operator, Operator::Eq | Operator::In);
    }
    if !INDEXED.contains(&&**field) {
        return false;
    }
    match comparison.operator {
        Operator::Eq | Operator::In | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            !comparison.values.contains(&Literal::Null)
        }
        Operator::Like => comparison
            .values
            .first()
            .and_then(Literal::text)
            .is_some_and(|pattern| !pattern.starts_with('%')),
        Operator::Ne | Operator::NotIn | Operator::Ilike => false,
    }
}
