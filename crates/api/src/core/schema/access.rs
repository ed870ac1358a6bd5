//! Tokens, the partner, and what is posted to it.

use serde_json::Value;
use utoipa::ToSchema;

/// What a token is asked for with.
#[derive(ToSchema)]
#[schema(as = core::TokenForm)]
pub(in crate::core) struct TokenForm {
    /// `password` or `refresh_token`.
    grant_type: String,
    /// For `password`.
    username: Option<String>,
    /// For `password`.
    #[schema(format = Password)]
    password: Option<String>,
    /// For `refresh_token`.
    refresh_token: Option<String>,
    /// Seconds, 1 to 3,153,600,000; a day where it is not said.
    #[schema(minimum = 1)]
    access_token_expires_in: Option<u64>,
    /// Not looked at.
    client_id: Option<String>,
    /// Not looked at.
    client_secret: Option<String>,
}

/// What is revoked.
#[derive(ToSchema)]
#[schema(as = core::RevokeForm)]
pub(in crate::core) struct RevokeForm {
    /// An access or refresh token.
    token: String,
}

/// A bearer token, without what opens doors.
#[derive(ToSchema)]
#[schema(as = core::Token)]
pub(in crate::core) struct Token {
    #[schema(format = "date-time")]
    date_created: String,
    #[schema(format = "date-time")]
    date_expiration_access_token: String,
    #[schema(format = "date-time")]
    date_expiration_refresh_token: Option<String>,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
    scopes: Vec<String>,
    #[schema(format = "uuid")]
    token_sid: String,
    token_type: String,
}

/// A bearer token that was made just now.
#[derive(ToSchema)]
#[schema(as = core::NewToken)]
pub(in crate::core) struct NewToken {
    access_token: String,
    refresh_token: String,
    /// Seconds.
    expires_in: u64,
    #[schema(format = "date-time")]
    date_created: String,
    #[schema(format = "date-time")]
    date_expiration_access_token: String,
    #[schema(format = "date-time")]
    date_expiration_refresh_token: Option<String>,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
    scopes: Vec<String>,
    #[schema(format = "uuid")]
    token_sid: String,
    token_type: String,
}

/// What can be set of a token.
#[derive(ToSchema)]
#[schema(as = core::TokenBody)]
pub(in crate::core) struct TokenBody {
    name: String,
}

/// The operator.
#[derive(ToSchema)]
#[schema(as = core::Partner)]
pub(in crate::core) struct Partner {
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    callbacks: Callbacks,
    /// Signs callbacks.
    callbacks_secret: Option<String>,
    #[schema(format = "date-time")]
    date_created: String,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
}

/// What can be set of the operator.
#[derive(ToSchema)]
#[schema(as = core::PartnerBody)]
pub(in crate::core) struct PartnerBody {
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    callbacks: Callbacks,
    /// At least 16 bytes; null makes a new one.
    #[schema(min_length = 16, max_length = 256)]
    callbacks_secret: Option<String>,
    name: String,
}

/// Where records are posted.
#[derive(ToSchema)]
#[schema(as = core::Callbacks)]
pub(in crate::core) struct Callbacks {
    /// An http or https URL for Mediator call records.
    #[schema(format = "uri")]
    app_mediator: Option<String>,
}

/// A call record that nobody took.
#[derive(ToSchema)]
#[schema(as = core::DeadLetter)]
pub(in crate::core) struct DeadLetter {
    /// Attempts so far.
    attempts: u32,
    /// What is posted.
    #[schema(value_type = Object)]
    body: Value,
    #[schema(format = "date-time")]
    date_created: String,
    /// When it is tried again; null: it is not.
    #[schema(format = "date-time")]
    date_due: Option<String>,
    #[schema(format = "uuid")]
    dr_sid: String,
    id: u64,
    /// What went wrong last.
    last_error: Option<String>,
    url: String,
}
