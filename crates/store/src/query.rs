//! Questions to a store: a filter, an order and a page, over fields named as the API names them.
//!
//! The filter's text is the API's to read; here it is a tree, limited in depth and size by whoever made it.

mod compare;

use mediator_model::{Sid, UnixMillis};
use serde::{Deserialize, Serialize};

pub(crate) use compare::value_at;
pub use compare::{Case, Pattern};

/// A condition on an object's fields.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// All hold; empty: always.
    All(Vec<Filter>),
    /// At least one holds; empty: never.
    Any(Vec<Filter>),
    /// One comparison.
    Compare(Comparison),
}

/// `field operator value`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The field; `["attributes", "ringback"]` is the dotted path `attributes.ringback`. Never empty.
    pub path: Vec<Box<str>>,
    /// How it is compared.
    pub operator: Operator,
    /// With what; more than one for [`Operator::In`] and [`Operator::NotIn`] only, and never none.
    pub values: Vec<Literal>,
}

/// How a field is compared.
///
/// A field that is null or not there is `ne` and `notin` every value but null, `eq` and `in` null, and nothing else.
/// Text and numbers compare by the field's type: `maximum_ttl gt "40000"` is a comparison of numbers, and
/// `redirect_did gt 1516` one of texts. Booleans are `true` and `false`, as text or bare. Times compare as times.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Matches a pattern in which `%` is any text, upper and lower case told apart.
    Like,
    /// As `like`, ASCII and Unicode case not told apart.
    Ilike,
    /// Equal to one of a list.
    In,
    /// Equal to none of a list.
    NotIn,
}

/// A value as the filter's text has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Literal {
    /// `null`, bare.
    Null,
    /// `true` or `false`, bare.
    Bool(bool),
    /// A whole number, bare.
    Integer(i64),
    /// A decimal, bare.
    Decimal(f64),
    /// Quoted, or a bare word.
    Text(Box<str>),
}

/// One key of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderKey {
    /// The field, as in [`Comparison::path`].
    pub path: Vec<Box<str>>,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A page of a filtered, ordered list.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// Which objects.
    pub filter: Filter,
    /// In which order; what is equal, and everything where this is empty, goes by creation, the oldest first.
    pub order: Vec<OrderKey>,
    /// How many to leave out.
    pub offset: u64,
    /// How many at most: 0 to [`Query::MAX_LIMIT`].
    pub limit: u32,
    /// What is past its end at this time is not listed.
    pub now: UnixMillis,
}

impl Query {
    /// The longest page.
    pub const MAX_LIMIT: u32 = 1000;
    /// The most order keys.
    pub const MAX_ORDER_KEYS: usize = 8;
}

/// A page of call records; `after` and `before` are cursors by record, beside the offset.
#[derive(Clone, PartialEq, Debug)]
pub struct CallQuery {
    /// As for objects. Records have no end: `now` is not looked at.
    pub query: Query,
    /// Only records older than this one.
    pub before: Option<Sid>,
}

/// One page.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// The objects, in order.
    pub items: Vec<T>,
    /// How many match on all pages; `None` where they are not counted (call records).
    pub total: Option<u64>,
    /// Whether more come after this page.
    pub has_more: bool,
}
