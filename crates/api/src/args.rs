//! Arguments in the query: `+` is a space, values may be percent-encoded, of an argument that comes twice the last one
//! counts, and arguments that nobody knows are ignored.

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::fault::Fault;

/// The arguments of a request, decoded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Args {
    pairs: Vec<(Box<str>, Box<str>)>,
    has_bad_text: bool,
}

impl Args {
    /// Reads a query string, without its `?`.
    pub(crate) fn read(query: &str) -> Self {
        let mut args = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => args.put(name, value),
                _ => args.has_bad_text = true,
            }
        }
        args
    }

    fn put(&mut self, name: Box<str>, value: Box<str>) {
        self.pairs.retain(|(known, _)| *known != name);
        self.pairs.push((name, value));
    }

    /// An argument's text; an empty one counts as not there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(known, _)| &**known == name);
        pair.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// An argument that is `true` or `false`; `None`: not there.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(_) => Err(Fault::bad_argument(name, "expected true or false")),
        }
    }

    /// All of them, decoded, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// `None`: not UTF-8.
fn decoded(text: &str) -> Option<Box<str>> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

impl<S: Send + Sync> FromRequestParts<S> for Args {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state)
            .await
            .unwrap_or_else(|never: Infallible| match never {});
        let args = Self::read(uri.query().unwrap_or_default());
        if args.has_bad_text {
            return Err(Fault::bad_request("the query holds text that is not UTF-8"));
        }
        Ok(args)
    }
}
