//! One fetch over http or https, within limits: of time, bytes and redirects, and from public addresses only.
//!
//! A name is resolved first, its addresses are checked, and one of those that were checked is connected to: a name that has
//! another address a moment later gains nothing by it. Each redirect is checked like the first URL. Proxies of the environment
//! are not asked, for they would resolve names themselves.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    AGE, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION,
};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url, redirect};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::allowed::Guard;
use crate::config::FetchSettings;

/// The most fetches at a time; the others wait, within their time.
const MAX_AT_ONCE: usize = 32;
/// The most names that are looked up at a time. Each holds a thread for as long as that takes, which may be longer than whoever
/// asked waits.
const MAX_LOOKUPS: usize = 16;
/// The longest validator that is kept, in bytes.
const MAX_VALIDATOR_BYTES: usize = 1024;
/// How long a file is taken for fresh where its server does not say.
const DEFAULT_AGE: Duration = Duration::from_mins(1);
/// The longest that a server is believed to know.
const MAX_AGE: Duration = Duration::from_hours(24);
/// The longest cause that is told, in characters.
const MAX_CAUSE: usize = 200;

/// Why a URL cannot be fetched. Says nothing of the URL, which may carry credentials.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// A redirect leads to what is no http or https URL.
    #[error("redirected to what is no http or https URL")]
    BadRedirect,
    /// More redirects than are followed.
    #[error("more redirects than media.fetch.redirects")]
    TooManyRedirects,
    /// Its addresses are not public, and not on the list.
    #[error("its address is not public: name the host or the address in media.fetch.allow")]
    Refused,
    /// It was answered with something else than the file.
    #[error("answered {0}")]
    Status(u16),
    /// It is larger than allowed.
    #[error("larger than media.fetch.max_bytes")]
    TooLarge,
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// The server cannot be reached.
    #[error("cannot connect: {0}")]
    Unreachable(Box<str>),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(Box<str>),
}

/// What tells a server which state of a file is here.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Validators {
    pub(super) etag: Option<Box<str>>,
    pub(super) last_modified: Option<Box<str>>,
}

/// What a server says of a file beside its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct About {
    pub(super) validators: Validators,
    /// For how long it need not be asked again.
    pub(super) max_age: Duration,
    /// Whether it may be kept on a disk.
    pub(super) may_store: bool,
}

/// What a fetch has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fetched {
    /// The file.
    File(Bytes, About),
    /// What is here is still right; for how long it need not be asked again.
    Unchanged(Duration),
}

/// Fetches files.
pub(super) struct Fetcher {
    client: Client,
    guard: Arc<Guard>,
    max_bytes: u64,
    redirects: u32,
    at_once: Semaphore,
}

impl Fetcher {
    pub(super) fn new(settings: &FetchSettings) -> Result<Self, reqwest::Error> {
        // The process may have chosen one; that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(Guard::new(&settings.allow));
        // Where the machine has no certificate authorities, https fails and http does not.
        let client =
            builder(&guard).build().or_else(|_| builder(&guard).tls_certs_only([]).build())?;
        Ok(Self {
            client,
            guard,
            max_bytes: settings.max_bytes,
            redirects: settings.redirects,
            at_once: Semaphore::new(MAX_AT_ONCE),
        })
    }

    /// Fetches a file within a time; where its state is here, only if it has another one.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        here: Option<&Validators>,
        limit: Duration,
    ) -> Result<Fetched, FetchError> {
        let hops = async {
            let _turn = self.at_once.acquire().await.map_err(|_| FetchError::TimedOut)?;
            self.hops(url.clone(), here).await
        };
        timeout(limit, hops).await.unwrap_or(Err(FetchError::TimedOut))
    }

    async fn hops(&self, mut url: Url, here: Option<&Validators>) -> Result<Fetched, FetchError> {
        for _ in 0..=self.redirects {
            let response = self.ask(&url, here).await?;
            match response.status() {
                StatusCode::OK => return self.body(response).await,
                StatusCode::NOT_MODIFIED if here.is_some() => {
                    return Ok(Fetched::Unchanged(freshness(response.headers()).0));
                }
                status if status.is_redirection() => url = next_hop(&url, &response)?,
                status => return Err(FetchError::Status(status.as_u16())),
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    async fn ask(&self, url: &Url, here: Option<&Validators>) -> Result<Response, FetchError> {
        // An address in place of a name is connected to without being resolved.
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>()
            && !self.guard.permits(ip)
        {
            return Err(FetchError::Refused);
        }
        let mut request = self.client.get(url.clone());
        let Validators { etag, last_modified } = here.cloned().unwrap_or_default();
        for (name, value) in [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)] {
            if let Some(value) = value {
                request = request.header(name, &*value);
            }
        }
        request.send().await.map_err(fetch_error)
    }

    async fn body(&self, mut response: Response) -> Result<Fetched, FetchError> {
        if response.content_length().is_some_and(|length| length > self.max_bytes) {
            return Err(FetchError::TooLarge);
        }
        let about = about(response.headers());
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(fetch_error)? {
            if bytes.len() as u64 + chunk.len() as u64 > self.max_bytes {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched::File(bytes.freeze(), about))
    }
}

fn builder(guard: &Arc<Guard>) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Mediator/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(1)
        .dns_resolver(Arc::new(Checked {
            guard: guard.clone(),
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }))
}

fn next_hop(from: &Url, response: &Response) -> Result<Url, FetchError> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    location
        .and_then(|location| from.join(location).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(FetchError::BadRedirect)
}

fn about(headers: &HeaderMap) -> About {
    let text = |name: HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= MAX_VALIDATOR_BYTES).then(|| Box::from(value))
    };
    let (max_age, may_store) = freshness(headers);
    let validators = Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) };
    About { validators, max_age, may_store }
}

/// For how long an answer is fresh, and whether it may be kept (RFC 9111 §4.2, §5.2).
fn freshness(headers: &HeaderMap) -> (Duration, bool) {
    let (mut max_age, mut may_store) = (None, true);
    let values = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, argument) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
        match &*name.to_ascii_lowercase() {
            "no-store" => (max_age, may_store) = (Some(Duration::ZERO), false),
            "no-cache" => max_age = Some(Duration::ZERO),
            "max-age" => {
                let seconds = argument.trim().trim_matches('"').parse().map(Duration::from_secs);
                // What forbids it counts, wherever it stands.
                max_age = max_age.or(seconds.ok());
            }
            _ => {}
        }
    }
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let max_age = max_age.unwrap_or(DEFAULT_AGE).min(MAX_AGE);
    (max_age.saturating_sub(age.map_or(Duration::ZERO, Duration::from_secs)), may_store)
}

fn fetch_error(error: reqwest::Error) -> FetchError {
    let is_connect = error.is_connect();
    let error = error.without_url();
    let mut cause: &(dyn Error + 'static) = &error;
    loop {
        if cause.is::<NotPublic>() {
            return FetchError::Refused;
        }
        match cause.source() {
            Some(source) => cause = source,
            None => break,
        }
    }
    let text = cause.to_string();
    let text: Box<str> = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(MAX_CAUSE)
        .collect();
    if is_connect { FetchError::Unreachable(text) } else { FetchError::Broken(text) }
}

/// A name has no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("not a public address")]
struct NotPublic;

/// Resolves names to those of their addresses that may be connected to.
struct Checked {
    guard: Arc<Guard>,
    lookups: Arc<Semaphore>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookups) = (self.guard.clone(), self.lookups.clone());
        Box::pin(async move {
            let host = name.as_str();
            let turn = lookups.acquire_owned().await?;
            let asked = host.to_owned();
            let all = spawn_blocking(move || {
                let _turn = turn;
                (&*asked, 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>)
            });
            let all = all.await??;
            if all.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let is_trusted = guard.trusts_host(host);
            let checked: Vec<SocketAddr> =
                all.into_iter().filter(|at| is_trusted || guard.permits(at.ip())).collect();
            if checked.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}
