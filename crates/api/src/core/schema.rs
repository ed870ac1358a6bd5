//! The Core API as the `OpenAPI` document describes it. Nothing is built from these types: objects are rendered from
//! records, and a test holds the two together.

#![allow(dead_code, reason = "described, never built")]
#![allow(clippy::struct_field_names, reason = "the names are the reference's")]

mod access;
mod bodies;
mod objects;
mod records;

use utoipa::{IntoParams, ToSchema};

pub(super) use self::access::{
    DeadLetter, NewToken, Partner, PartnerBody, RevokeForm, Token, TokenBody, TokenForm,
};
pub(super) use self::bodies::Bodies;
pub(super) use self::objects::{Did, Endpoint, Trunk, TrunkGroup};
pub(super) use self::records::Leg;
pub(crate) use self::records::MediatorCall;

/// Which page of a list, and what of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListArgs {
    /// How many to leave out; 0 where it is not said.
    offset: Option<u64>,
    /// How many at most, 10 where it is not said; more than 1000 are cut to 1000.
    limit: Option<u32>,
    /// A field and `asc` or `desc`; several with commas.
    order: Option<String>,
    /// A condition, as `name like "A%" and capacity gt 10`.
    filter: Option<String>,
    /// Fields to show, with commas.
    include_fields: Option<String>,
    /// Fields not to show, with commas.
    exclude_fields: Option<String>,
}

/// Which page of call records.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordArgs {
    /// Only records older than the one with this `dr_sid`.
    before: Option<String>,
}

/// What is shown of an object.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FieldArgs {
    /// Fields to show, with commas.
    include_fields: Option<String>,
    /// Fields not to show, with commas.
    exclude_fields: Option<String>,
}

/// How nested objects are patched.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PatchArgs {
    /// `merge` (key by key, null takes a key away), or `replace`.
    nested_objects: Option<String>,
}

/// Only this version.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct MatchHeader {
    /// An `ETag`: 412 where the object has another one by now.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}

/// Once only.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct KeyHeader {
    /// Up to 255 characters; the same key gets the same answer for 24 h, and nothing is done twice.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// A page of a list.
#[derive(ToSchema)]
#[schema(as = core::List)]
pub(super) struct List<T: ToSchema> {
    /// How many are on this page.
    count: u64,
    /// Whether more come after it.
    has_more: bool,
    items: Vec<T>,
    limit: u32,
    offset: u64,
    pagination: Pagination,
    /// How many there are on all pages; null where they are not counted (call records).
    total: Option<u64>,
}

/// The neighbours of a page.
#[derive(ToSchema)]
#[schema(as = core::Pagination)]
pub(super) struct Pagination {
    next: Option<String>,
    previous: Option<String>,
}
