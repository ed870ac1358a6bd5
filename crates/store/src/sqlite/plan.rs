//! Whether a filter of bindings names rows that an index finds.

use crate::query::{Comparison, Filter, Literal, Operator};

/// The fields with an index for each account.
const INDEXED: [&str; 5] =
    ["redirect_did", "origination_did", "destination_did", "name", "date_created"];

/// Whether an index narrows the rows down.
pub(super) fn is_indexed(filter: &Filter) -> bool {
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
