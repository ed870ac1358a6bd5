//! What clients send about bindings, for the description of the API; the bodies themselves are read by hand, so that
//! one answer names everything that is wrong.

use serde_json::Value;
use utoipa::ToSchema;

/// A binding to be made. Numbers may come as text, and booleans as "true" and "false".
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct BindingBody {
    /// The number that calls go to. The only field that must be there.
    #[schema(example = "15162065338")]
    destination_did: String,
    /// The account's number that is called; one is chosen where it is left out.
    #[schema(example = "15162065346")]
    redirect_did: Option<String>,
    /// The caller; left out or null: any.
    #[schema(example = "15162065339")]
    origination_did: Option<String>,
    /// What is shown, said and played, and fields of your own.
    #[schema(value_type = Option<Object>, example = json!({"ringback": "moh"}))]
    attributes: Option<Value>,
    /// Keys sent to the destination after it answers: 0-9 * # A-D; each comma waits half a second.
    #[schema(max_length = 128, example = ",,,,1357")]
    dtmf: Option<String>,
    /// Seconds from creation to its end; -1: never.
    #[schema(default = 3600, minimum = -1, maximum = 3_153_600_000_i64)]
    maximum_ttl: Option<i64>,
    /// For people.
    #[schema(default = "N/A", max_length = 255)]
    name: Option<String>,
    /// Seconds that it waits for its first caller, whose it then is; -1: it does not.
    #[schema(default = 300, minimum = -1, maximum = 3_153_600_000_i64)]
    wait_origination_did_ttl: Option<i64>,
    /// Whether a binding with the same parameters will do.
    #[schema(default = false)]
    reuse: Option<bool>,
    /// Choose a number of this country: ISO 3166-1, two or three letters.
    #[schema(example = "USA")]
    fallback_country: Option<String>,
}

/// What is to be changed of a binding: what is left out stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct BindingPatch {
    /// The number that calls go to.
    #[schema(nullable = false, example = "15162065338")]
    destination_did: Option<String>,
    /// The account's number that is called.
    #[schema(nullable = false, example = "15162065346")]
    redirect_did: Option<String>,
    /// The caller. Null: any, and where it waits for its first caller, it does so anew.
    #[schema(example = "15162065339")]
    origination_did: Option<String>,
    /// Merged key by key, null takes a key away; `nested_objects=replace` replaces all.
    #[schema(value_type = Object, required = false, example = json!({"ringback": "moh"}))]
    attributes: Option<Value>,
    /// Keys sent to the destination after it answers; null: none.
    #[schema(max_length = 128, example = ",,,,1357")]
    dtmf: Option<String>,
    /// Seconds from creation (not from now) to its end; -1: never.
    #[schema(nullable = false, minimum = -1, maximum = 3_153_600_000_i64, example = -1)]
    maximum_ttl: Option<i64>,
    /// For people; null: "N/A".
    #[schema(max_length = 255)]
    name: Option<String>,
    /// Seconds from now that it waits for its first caller; -1: it does not.
    #[schema(nullable = false, minimum = -1, maximum = 3_153_600_000_i64, example = 300)]
    wait_origination_did_ttl: Option<i64>,
}

/// A whole binding: every field must be there, and others are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct BindingPut {
    /// The number that calls go to.
    #[schema(example = "15162065338")]
    destination_did: String,
    /// The account's number that is called.
    #[schema(example = "15162065346")]
    redirect_did: String,
    /// The caller; null: any.
    #[schema(required = true, example = "15162065339")]
    origination_did: Option<String>,
    /// All attributes.
    #[schema(value_type = Object, example = json!({"ringback": "moh"}))]
    attributes: Value,
    /// Keys sent to the destination after it answers; null: none.
    #[schema(required = true, max_length = 128, example = ",,,,1357")]
    dtmf: Option<String>,
    /// Seconds from creation to its end; -1: never.
    #[schema(minimum = -1, maximum = 3_153_600_000_i64, example = -1)]
    maximum_ttl: i64,
    /// For people; null: "N/A".
    #[schema(required = true, max_length = 255, example = "N/A")]
    name: Option<String>,
    /// Seconds from now that it waits for its first caller; -1: it does not.
    #[schema(minimum = -1, maximum = 3_153_600_000_i64, example = 300)]
    wait_origination_did_ttl: i64,
}
