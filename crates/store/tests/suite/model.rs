//! Filters over bindings, evaluated plainly: what random filters on a store are compared with.
//!
//! It shares nothing with the store but the filter's tree.

use std::cmp::Ordering;

use mediator_model::UnixMillis;
use mediator_store::query::{Comparison, Filter, Literal, Operator};
use mediator_store::record::{BindingRecord, DidRecord};
use proptest::prelude::*;

use super::fixtures::*;

/// A value of a field as a filter sees it.
#[derive(Clone, PartialEq, Debug)]
enum Seen {
    Null,
    Text(String),
    Number(f64),
    Time(u64),
    /// An attribute's: of any type.
    Free(serde_json::Value),
    Object,
}

fn field(path: &[Box<str>], binding: &BindingRecord, dids: &[DidRecord]) -> Seen {
    let text = |text: &str| Seen::Text(text.to_owned());
    let ttl = |ttl: Option<u32>| Seen::Number(ttl.map_or(-1.0, f64::from));
    let did = dids.iter().find(|did| did.phonenumber == binding.redirect_did);
    let names: Vec<&str> = path.iter().map(|name| &**name).collect();
    match names.as_slice() {
        ["account_sid"] => text(&binding.account_sid.to_string()),
        ["binding_sid"] => text(&binding.sid.to_string()),
        ["name"] => text(&binding.name),
        ["redirect_did"] => text(&binding.redirect_did.to_string()),
        ["destination_did"] => text(&binding.destination_did.to_string()),
        ["origination_did"] => {
            binding.origination_did.map_or(Seen::Null, |number| text(&number.to_string()))
        }
        ["dtmf"] => binding.dtmf.as_deref().map_or(Seen::Null, text),
        ["maximum_ttl"] => ttl(binding.maximum_ttl),
        ["wait_origination_did_ttl"] => ttl(binding.wait_origination_did_ttl),
        ["date_created"] => Seen::Time(binding.date_created.0),
        ["attributes"] => Seen::Object,
        ["redirect_did_info"] => did.map_or(Seen::Null, |_| Seen::Object),
        ["redirect_did_info", "country_code"] => {
            did.and_then(|did| did.country_code.as_deref()).map_or(Seen::Null, text)
        }
        ["redirect_did_info", "phonenumber"] => {
            did.map_or(Seen::Null, |did| text(&did.phonenumber.to_string()))
        }
        ["redirect_did_info", "e164_format"] => {
            did.map_or(Seen::Null, |did| text(&format!("+{}", did.phonenumber)))
        }
        ["attributes", rest @ ..] => {
            let mut value = &serde_json::Value::Object(binding.attributes.clone());
            for name in rest {
                match value.get(name) {
                    Some(inner) => value = inner,
                    None => return Seen::Null,
                }
            }
            Seen::Free(value.clone())
        }
        other => panic!("the generator names no field {other:?}"),
    }
}

/// A literal's own text and number.
fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => panic!("null has no text"),
        Literal::Bool(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Decimal(value) => value.to_string(),
        Literal::Text(text) => text.to_string(),
    }
}

fn compared(seen: &Seen, literal: &Literal) -> Option<Ordering> {
    match (seen, literal) {
        (Seen::Null | Seen::Object, _) | (_, Literal::Null) => None,
        (Seen::Text(text), literal) => Some(text.cmp(&literal_text(literal))),
        (Seen::Number(number), literal) => {
            number.partial_cmp(&literal_text(literal).parse::<f64>().ok()?)
        }
        (Seen::Time(time), literal) => {
            // The generator writes times as this.
            let shown = mediator_store::record::rfc3339(UnixMillis(*time));
            Some(shown.cmp(&literal_text(literal)))
        }
        (Seen::Free(value), literal) => match value {
            serde_json::Value::Bool(value) => Some(value.to_string().cmp(&literal_text(literal))),
            serde_json::Value::String(text) => Some(text.cmp(&literal_text(literal))),
            serde_json::Value::Number(number) if !matches!(literal, Literal::Bool(_)) => {
                number.as_f64()?.partial_cmp(&literal_text(literal).parse().ok()?)
            }
            _ => None,
        },
    }
}

fn is_null(seen: &Seen) -> bool {
    matches!(seen, Seen::Null | Seen::Free(serde_json::Value::Null))
}

fn equal(seen: &Seen, literal: &Literal) -> bool {
    match literal {
        Literal::Null => is_null(seen),
        literal => compared(seen, literal) == Some(Ordering::Equal),
    }
}

/// The plain, slow way: every split of the text for every `%`.
fn pattern_matches(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|at| pattern_matches(&text[at..], rest)),
        Some((one, rest)) => text.first() == Some(one) && pattern_matches(&text[1..], rest),
    }
}

fn alike(seen: &Seen, literal: &Literal, folded: bool) -> bool {
    let text = match seen {
        Seen::Text(text) | Seen::Free(serde_json::Value::String(text)) => text.clone(),
        Seen::Number(number) => number.to_string(),
        Seen::Time(time) => mediator_store::record::rfc3339(UnixMillis(*time)),
        Seen::Free(value) if value.is_number() || value.is_boolean() => value.to_string(),
        Seen::Free(_) | Seen::Null | Seen::Object => return false,
    };
    if *literal == Literal::Null {
        return false;
    }
    let fold = |text: String| if folded { text.to_lowercase() } else { text };
    let text: Vec<char> = fold(text).chars().collect();
    let wanted: Vec<char> = fold(literal_text(literal)).chars().collect();
    pattern_matches(&text, &wanted)
}

pub(crate) fn matches(filter: &Filter, binding: &BindingRecord, dids: &[DidRecord]) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| matches(part, binding, dids)),
        Filter::Any(parts) => parts.iter().any(|part| matches(part, binding, dids)),
        Filter::Compare(comparison) => {
            let seen = field(&comparison.path, binding, dids);
            let first = &comparison.values[0];
            let ordered = |test: fn(Ordering) -> bool| compared(&seen, first).is_some_and(test);
            match comparison.operator {
                Operator::Eq => equal(&seen, first),
                Operator::Ne => !equal(&seen, first),
                Operator::Gt => ordered(Ordering::is_gt),
                Operator::Ge => ordered(Ordering::is_ge),
                Operator::Lt => ordered(Ordering::is_lt),
                Operator::Le => ordered(Ordering::is_le),
                Operator::Like => alike(&seen, first, false),
                Operator::Ilike => alike(&seen, first, true),
                Operator::In => comparison.values.iter().any(|value| equal(&seen, value)),
                Operator::NotIn => !comparison.values.iter().any(|value| equal(&seen, value)),
            }
        }
    }
}

const TEXTS: [&str; 16] = [
    "",
    "N/A",
    "n/a",
    "Shop 7",
    "shop_7",
    "shopX7",
    "50%",
    "a*[b]?",
    "\u{c4}rger",
    "\u{e4}RGER",
    "1800",
    "-1",
    "1.5",
    "true",
    "false",
    "\u{10ffff}",
];
const NUMBERS: [&str; 5] = ["15162065346", "15162065347", "15162065", "4930123456", "00491"];
const KEYS: [&str; 5] = ["cnam", "a.b", "\"$[0]", "na\u{ef}ve key", "x'); DROP TABLE bindings; --"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(&TEXTS[..]).prop_map(str::to_owned), 1 => "[a-c%_*\\\\]{0,4}"]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        text().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
        (-3_i64..3).prop_map(Into::into),
        prop::sample::select(&[1.5, -0.25, 1e300][..]).prop_map(Into::into),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop::collection::btree_map(prop::sample::select(&KEYS[..]), inner, 0..3).prop_map(
            |fields| {
                fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            },
        )
    })
}

/// Bindings of one account; the numbers make their keys distinct.
pub(crate) fn bindings() -> impl Strategy<Value = Vec<BindingRecord>> {
    let ttl = || prop::option::of(prop::sample::select(&[60_u32, 1800, 40_000][..]));
    let one = (
        text(),
        prop::sample::select(&NUMBERS[..]),
        any::<bool>(),
        prop::sample::select(&NUMBERS[..]),
        prop::option::of(prop::sample::select(&["1", "12*", ""][..])),
        prop::collection::btree_map(prop::sample::select(&KEYS[..]), value(), 0..3),
        (ttl(), ttl()),
        0_u64..100_000,
    );
    prop::collection::vec(one, 1..12).prop_map(|rows| {
        let account = sid();
        let make = |(place, row): (usize, _)| {
            let (name, redirect, has_caller, destination, dtmf, attributes, ttls, age) = row;
            let attributes: std::collections::BTreeMap<&str, serde_json::Value> = attributes;
            let name: String = name;
            let dtmf: Option<&str> = dtmf;
            let ttls: (Option<u32>, Option<u32>) = ttls;
            let caller = number(&format!("1555{place:04}"));
            BindingRecord {
                name: name.into(),
                redirect_did: number(redirect),
                origination_did: (has_caller || place > 0).then_some(caller),
                destination_did: number(destination),
                dtmf: dtmf.map(Into::into),
                attributes: attributes
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect(),
                // Long enough that none is past its end.
                maximum_ttl: ttls.0.map(|ttl| ttl + 1000),
                wait_origination_did_ttl: ttls.1,
                date_created: UnixMillis(NOW.0 - age),
                ..binding(account, redirect)
            }
        };
        rows.into_iter().enumerate().map(make).collect()
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        1 => Just(Literal::Null),
        1 => any::<bool>().prop_map(Literal::Bool),
        2 => (-3_i64..3).prop_map(Literal::Integer),
        1 => prop::sample::select(&[1.5, -0.25, 1e300, 1061.0][..]).prop_map(Literal::Decimal),
        4 => text().prop_map(|text| Literal::Text(text.into())),
        3 => pattern_text().prop_map(|text| Literal::Text(text.into())),
        2 => prop::sample::select(&NUMBERS[..]).prop_map(|text| Literal::Text(text.into())),
    ]
}

fn pattern_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(
            &[
                "%",
                "%%",
                "1516%",
                "%7",
                "Shop%7",
                "s%",
                "%R%R",
                "\u{10ffff}%",
                "a*%",
                "%?",
                "15%5%46",
                "%e%"
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-c1N%_*]{0,4}",
    ]
}

fn number_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        prop::sample::select(&[-1_i64, 60, 1060, 1800, 2800][..]).prop_map(Literal::Integer),
        prop::sample::select(&["-1", "2800", "1060.0", "1e3"][..])
            .prop_map(|text| Literal::Text(text.into())),
        prop::sample::select(&[1060.0, 0.5][..]).prop_map(Literal::Decimal),
    ]
}

fn time_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        1 => Just(Literal::Null),
        5 => (0_u64..100_000).prop_map(|age| {
            Literal::Text(mediator_store::record::rfc3339(UnixMillis(NOW.0 - age)).into())
        }),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{Eq, Ge, Gt, Ilike, In, Le, Like, Lt, Ne, NotIn};
    prop::sample::select(&[Eq, Ne, Gt, Ge, Lt, Le, Like, Ilike, In, NotIn][..])
}

fn path() -> impl Strategy<Value = Vec<Box<str>>> {
    let plain = prop::sample::select(
        &[
            "account_sid",
            "attributes",
            "binding_sid",
            "date_created",
            "destination_did",
            "dtmf",
            "maximum_ttl",
            "name",
            "origination_did",
            "redirect_did",
            "redirect_did_info",
            "wait_origination_did_ttl",
        ][..],
    )
    .prop_map(|name| vec![name.into()]);
    let info = prop::sample::select(&["country_code", "phonenumber", "e164_format"][..])
        .prop_map(|name| vec!["redirect_did_info".into(), name.into()]);
    let attribute = prop::collection::vec(prop::sample::select(&KEYS[..]), 1..3).prop_map(|keys| {
        let keys = keys.into_iter().map(Into::into);
        std::iter::once("attributes".into()).chain(keys).collect()
    });
    prop_oneof![5 => plain, 1 => info, 3 => attribute]
}

fn comparison() -> impl Strategy<Value = Filter> {
    (path(), operator()).prop_flat_map(|(path, operator)| {
        let is_pattern = matches!(operator, Operator::Like | Operator::Ilike);
        let one = match &*path[0] {
            "maximum_ttl" | "wait_origination_did_ttl" if !is_pattern => number_literal().boxed(),
            "date_created" if !is_pattern => time_literal().boxed(),
            _ => literal().boxed(),
        };
        let many = if matches!(operator, Operator::In | Operator::NotIn) { 1..4 } else { 1..2 };
        prop::collection::vec(one, many).prop_map(move |values| {
            Filter::Compare(Comparison { path: path.clone(), operator, values })
        })
    })
}

/// Filters of a few levels.
pub(crate) fn filters() -> impl Strategy<Value = Filter> {
    comparison().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::All),
            prop::collection::vec(inner, 0..3).prop_map(Filter::Any),
        ]
    })
}
