//! Lists: `offset`, `limit`, `order`, `filter`, the fields that are shown, and the envelope with its links.

#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use mediator_store::ReadError;
use mediator_store::query::{Filter, OrderKey, Page, Query};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::fault::Fault;
use crate::filter;
use crate::settings::Settings;
use crate::state::AppState;

/// What a list has where nobody says.
const DEFAULT_LIMIT: u32 = 10;

/// What is left as it is in an argument of a link (RFC 3986 §2.3).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which page of a list is asked for, and where its neighbours are.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PageArgs {
    /// The question.
    pub(crate) query: Query,
    /// All arguments, for `select::Select` and others.
    pub(crate) args: Args,
    /// `http://host/path`.
    base: Box<str>,
}

impl FromRequestParts<AppState> for PageArgs {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let args = Args::from_request_parts(parts, state).await?;
        let uri = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let query = Query {
            filter: match args.text("filter") {
                None => Filter::All(Vec::new()),
                Some(text) => filter::parse(text)
                    .map_err(|error| Fault::bad_argument("filter", error.to_string()))?,
            },
            order: order(args.text("order").unwrap_or_default())?,
            offset: offset(&args)?,
            limit: limit(&args)?,
            now: state.now(),
        };
        let base = format!("{}{}", origin(&state.settings, &parts.headers, &uri), uri.path());
        Ok(Self { query, args, base: base.into() })
    }
}

impl PageArgs {
    /// The list's object: count, `has_more`, items, limit, offset, pagination, total.
    pub(crate) fn envelope(&self, page: Page<Value>) -> Value {
        let Page { items, total, has_more } = page;
        let mut links = Map::new();
        // A page of nothing has no neighbours: its next one would be itself.
        if has_more && self.query.limit > 0 {
            let next = self.query.offset.saturating_add(self.query.limit.into());
            links.insert("next".to_owned(), self.link(next).into());
        }
        if self.query.offset > 0 && self.query.limit > 0 {
            let previous = self.query.offset.saturating_sub(self.query.limit.into());
            links.insert("previous".to_owned(), self.link(previous).into());
        }
        json!({
            "count": items.len(),
            "has_more": has_more,
            "items": items,
            "limit": self.query.limit,
            "offset": self.query.offset,
            "pagination": links,
            "total": total,
        })
    }

    /// The same list from another place.
    fn link(&self, offset: u64) -> String {
        let mut link = format!("{}?limit={}&offset={offset}", self.base, self.query.limit);
        for (name, value) in
            self.args.iter().filter(|(name, _)| !matches!(*name, "limit" | "offset"))
        {
            link.push('&');
            link.extend(utf8_percent_encode(name, KEPT));
            link.push('=');
            link.extend(utf8_percent_encode(value, KEPT));
        }
        link
    }
}

/// A store's refusal of a query, with the argument that it is about.
pub(crate) fn blame(query: &Query, error: ReadError) -> Fault {
    match &error {
        ReadError::UnknownField(field) => {
            let is_ordered = query.order.iter().any(|key| key.path.join(".") == **field);
            let argument = if is_ordered { "order" } else { "filter" };
            Fault::bad_argument(argument, format!("{argument}: {error}"))
        }
        ReadError::BadValue { .. } => Fault::bad_argument("filter", format!("filter: {error}")),
        ReadError::Failed(_) => error.into(),
    }
}

fn limit(args: &Args) -> Result<u32, Fault> {
    let Some(text) = args.text("limit") else { return Ok(DEFAULT_LIMIT) };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::bad_argument("limit", "expected a whole number from 0"));
    }
    // However many digits: what is too much is cut.
    Ok(text.parse().unwrap_or(Query::MAX_LIMIT).min(Query::MAX_LIMIT))
}

fn offset(args: &Args) -> Result<u64, Fault> {
    let Some(text) = args.text("offset") else { return Ok(0) };
    let offset = text.parse::<i64>().ok().and_then(|offset| u64::try_from(offset).ok());
    offset.ok_or_else(|| Fault::bad_argument("offset", "expected a whole number from 0"))
}

/// `name desc, date_created`: fields with commas, each with its direction; ascending where none is said.
fn order(text: &str) -> Result<Vec<OrderKey>, Fault> {
    let mut keys = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if keys.len() == Query::MAX_ORDER_KEYS {
            let detail = format!("at most {} fields", Query::MAX_ORDER_KEYS);
            return Err(Fault::bad_argument("order", detail));
        }
        let mut words = part.split_whitespace();
        let path = words.next().and_then(filter::path);
        let direction = words.next().map(str::to_ascii_lowercase);
        let descending = match direction.as_deref() {
            None | Some("asc") => Some(false),
            Some("desc") => Some(true),
            Some(_) => None,
        };
        let (Some(path), Some(descending), None) = (path, descending, words.next()) else {
            let detail = "expected a field, then asc or desc, and commas between several";
            return Err(Fault::bad_argument("order", detail));
        };
        keys.push(OrderKey { path, descending });
    }
    Ok(keys)
}

/// `http://host[:port]` of links and of a mediator endpoint's `api_url`.
pub(crate) fn origin(settings: &Settings, headers: &HeaderMap, uri: &Uri) -> String {
    let said = settings.public_base.as_deref().or_else(|| {
        let host = uri.authority().map(axum::http::uri::Authority::as_str);
        let host = host.or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()));
        // The header is the client's text: what is no host and port is not repeated to anybody.
        host.filter(|host| is_host(host))
    });
    let scheme = settings.public_scheme.as_str();
    match said {
        Some(host) => format!("{scheme}://{host}"),
        None => format!("{scheme}://{}", settings.listen),
    }
}

fn is_bracketed_ipv6(text: &str) -> bool {
    let ip = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    ip.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

/// A host name or an IPv4 address.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// `name`, `1.2.3.4` or `[::1]`, with or without a port.
fn is_host(text: &str) -> bool {
    const MAX_BYTES: usize = 255;
    if text.len() > MAX_BYTES {
        return false;
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')));
    is_port && (is_bracketed_ipv6(name) || is_name(name))
}
