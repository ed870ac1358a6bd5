//! What clients send about dialouts, for the description of the API; the bodies themselves are read by hand.

use serde_json::Value;
use utoipa::ToSchema;

/// A dialout to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct DialoutBody {
    /// Who is called first.
    #[schema(example = "15162065339")]
    stage_one_destination_did: String,
    /// Who is called when the first has answered.
    #[schema(example = "15162065338")]
    stage_two_destination_did: String,
    /// The account's number that both see; one is chosen where it is left out.
    #[schema(example = "15162065337")]
    redirect_did: Option<String>,
    /// What is shown, said and played, and fields of your own; `hide_origination_did` is "true" unless said otherwise.
    #[schema(value_type = Option<Object>, example = json!({"ringback": "false"}))]
    attributes: Option<Value>,
    /// Seconds until it is dialled.
    #[schema(default = 0, minimum = 0, maximum = 31_536_000)]
    delay: Option<i64>,
}

/// What is to be changed of a dialout: what is left out stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct DialoutPatch {
    /// Who is called first.
    #[schema(nullable = false, example = "15162065339")]
    stage_one_destination_did: Option<String>,
    /// Who is called when the first has answered.
    #[schema(nullable = false, example = "15162065338")]
    stage_two_destination_did: Option<String>,
    /// The account's number that both see.
    #[schema(nullable = false, example = "15162065337")]
    redirect_did: Option<String>,
    /// Merged key by key, null takes a key away; `nested_objects=replace` replaces all.
    #[schema(value_type = Object, required = false, example = json!({"ringback": "false"}))]
    attributes: Option<Value>,
    /// Seconds from now until it is dialled.
    #[schema(nullable = false, minimum = 0, maximum = 31_536_000, example = 1800)]
    delay: Option<i64>,
}

/// A whole dialout: every field must be there, and others are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct DialoutPut {
    /// Who is called first.
    #[schema(example = "15162065339")]
    stage_one_destination_did: String,
    /// Who is called when the first has answered.
    #[schema(example = "15162065338")]
    stage_two_destination_did: String,
    /// The account's number that both see.
    #[schema(example = "15162065337")]
    redirect_did: String,
    /// All attributes.
    #[schema(value_type = Object, example = json!({"ringback": "false"}))]
    attributes: Value,
    /// Seconds from now until it is dialled.
    #[schema(minimum = 0, maximum = 31_536_000, example = 1800)]
    delay: i64,
}
