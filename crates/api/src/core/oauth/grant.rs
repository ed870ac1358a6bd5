//! What a token is given for: the operator's user name and password, or a refresh token.

use std::sync::Arc;
use std::time::Duration;

use mediator_model::UnixMillis;
use mediator_store::record::TokenRecord;
use mediator_store::write::Op;
use mediator_store::{Kind, Record, Refused, Write};

use super::is_active;
use super::object::Texts;
use crate::args::Args;
use crate::auth::{Attempt, OPERATOR, Peer, token_hash};
use crate::core::{fresh, reading};
use crate::fault::Fault;
use crate::state::AppState;
use crate::store_calls;

/// How long an access token opens doors where nobody says, in seconds: a day.
const DEFAULT_LIFETIME: u64 = 86_400;
/// The longest lifetime, in seconds: a hundred years.
const MAX_LIFETIME: u64 = 3_153_600_000;
/// How long a refresh token is good, after its access token.
const REFRESH_GRACE: Duration = Duration::from_hours(30 * 24);
/// The most tokens that are active at once.
const MAX_TOKENS: usize = 10_000;
/// The most tokens past their end that one request clears away.
const MAX_CLEARED: usize = 100;
/// What a token opens: everything.
const SCOPE: &str = "all";

/// A token that was made just now.
pub(super) struct Made {
    pub(super) record: TokenRecord,
    pub(super) texts: Texts,
    /// Seconds.
    pub(super) expires_in: u64,
}

/// Does what the form asks for.
pub(super) async fn token(state: &AppState, peer: Peer, form: &Args) -> Result<Made, Fault> {
    let now = state.now();
    // The user name is part of what is known of a good login.
    let shown = [form.text("username"), form.text("password"), form.text("refresh_token")];
    let attempt = state.logins.begin(peer, &format!("{shown:?}"), now)?;
    let lifetime = lifetime(form)?;
    match form.text("grant_type") {
        Some("password") => by_password(state, attempt, form, lifetime).await,
        Some("refresh_token") => by_refresh(state, attempt, form, lifetime).await,
        Some(_) => Err(Fault::bad_argument("grant_type", "expected password or refresh_token")),
        None => Err(Fault::bad_argument("grant_type", "is required")),
    }
}

fn lifetime(form: &Args) -> Result<u64, Fault> {
    const NAME: &str = "access_token_expires_in";
    let Some(text) = form.text(NAME) else { return Ok(DEFAULT_LIFETIME) };
    let seconds = text.parse().ok().filter(|seconds| (1..=MAX_LIFETIME).contains(seconds));
    seconds
        .ok_or_else(|| Fault::bad_argument(NAME, format!("expected 1 to {MAX_LIFETIME} seconds")))
}

pub(super) fn required<'a>(form: &'a Args, name: &str) -> Result<&'a str, Fault> {
    form.text(name).ok_or_else(|| Fault::bad_argument(name, "is required"))
}

async fn by_password(
    state: &AppState,
    attempt: Attempt,
    form: &Args,
    lifetime: u64,
) -> Result<Made, Fault> {
    let (username, password) = (required(form, "username")?, required(form, "password")?);
    let passwords = &state.logins.passwords;
    let known = state.settings.core_username.as_deref();
    // The password is looked at whatever the user name is, so that time does not tell which of the two was wrong.
    let kept = state.settings.core_password.as_ref();
    let is_password = passwords.verify(username, kept, password.to_owned()).await;
    let is_username = known.is_some_and(|known| passwords.are_equal(known, username));
    if !(is_username && is_password) {
        return Err(state.logins.failed(&attempt, OPERATOR));
    }
    state.logins.succeeded(&attempt, OPERATOR)?;
    clear_away(state).await;
    if state.backend.catalog.tokens().len() >= MAX_TOKENS {
        let message = format!("there are {MAX_TOKENS} tokens: revoke some");
        return Err(Fault::Conflict { message: message.into(), field: None });
    }
    let blank = TokenRecord {
        sid: fresh::sid()?,
        name: reading::NO_NAME.into(),
        access_hash: [0; 32],
        refresh_hash: None,
        date_created: state.now(),
        access_expires: UnixMillis(0),
        refresh_expires: None,
        scopes: vec![SCOPE.into()],
    };
    let made = renewed(blank, lifetime, state.now())?;
    let op = Op::Create(Record::Token(Arc::new(made.record.clone())));
    store_calls::write(&state.backend, Write::one(state.now(), op)).await?;
    Ok(made)
}

/// A refresh token is good once: the token has other texts then.
async fn by_refresh(
    state: &AppState,
    attempt: Attempt,
    form: &Args,
    lifetime: u64,
) -> Result<Made, Fault> {
    let text = required(form, "refresh_token")?;
    let now = state.now();
    let held = state.backend.catalog.token_by_refresh_hash(&token_hash(text));
    let Some(held) = held.filter(|held| held.record.refresh_expires.is_some_and(|end| end > now))
    else {
        return Err(state.logins.failed(&attempt, OPERATOR));
    };
    state.logins.succeeded(&attempt, OPERATOR)?;
    let made = renewed((*held.record).clone(), lifetime, now)?;
    let record = Record::Token(Arc::new(made.record.clone()));
    let op = Op::Update { record, expect: held.revision };
    match store_calls::try_write(&state.backend, Write::one(now, op)).await {
        Ok(_) => Ok(made),
        // It was used, or revoked, at the same time.
        Err(Refused::Stale { .. } | Refused::Gone { .. }) => Err(Fault::BadCredentials),
        Err(refused) => Err(refused.into()),
    }
}

/// The token with new texts.
fn renewed(token: TokenRecord, lifetime: u64, now: UnixMillis) -> Result<Made, Fault> {
    let texts = Texts { access: fresh::token()?, refresh: fresh::token()? };
    let access_expires = now + Duration::from_secs(lifetime);
    let record = TokenRecord {
        access_hash: token_hash(texts.access.expose()),
        refresh_hash: Some(token_hash(texts.refresh.expose())),
        access_expires,
        refresh_expires: Some(access_expires + REFRESH_GRACE),
        ..token
    };
    Ok(Made { record, texts, expires_in: lifetime })
}

/// Deletes tokens that are good for nothing any more; what does not go now goes another time.
async fn clear_away(state: &AppState) {
    let now = state.now();
    let all = state.backend.catalog.tokens();
    let over = all.iter().filter(|held| !is_active(&held.record, now)).take(MAX_CLEARED);
    for held in over {
        let op =
            Op::Delete { kind: Kind::Token, sid: held.record.sid, expect: Some(held.revision) };
        if let Err(error) = store_calls::try_write(&state.backend, Write::one(now, op)).await {
            tracing::debug!(%error, "a token past its end stays for now");
        }
    }
}
