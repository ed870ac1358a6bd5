//! Where the API is and who asks: from arguments, else the environment, else the server's config.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use mediator_model::Secret;
use reqwest::Url;

use super::fault::ClientError;
use crate::cli::{AccessArgs, DEFAULT_CONFIG};
use crate::config::{Account, Config};

const DEFAULT_API: &str = "http://127.0.0.1:8080";

/// Where the API is and who asks.
pub(super) struct Access {
    /// Up to, and without, `/mediator/v1`.
    pub(super) api: Url,
    pub(super) login: String,
    pub(super) password: Secret,
    pub(super) ca: Option<PathBuf>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("api", &self.api.as_str())
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Puts together what was given; the config is read only for what was not.
    pub(super) fn find(args: &AccessArgs) -> Result<Self, ClientError> {
        // An empty variable is one that is not set.
        let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let (api, login) = (given(&args.api), given(&args.login));
        let password = args.password.clone().filter(|password| !password.expose().is_empty());
        let is_complete = api.is_some() && login.is_some() && password.is_some();
        let config = if is_complete { None } else { config(args.config.as_deref())? };
        let account = match (&config, &login, &password) {
            (None, ..) | (_, Some(_), Some(_)) => None,
            (Some((path, config)), ..) => {
                Some(account(path, config, args.endpoint.as_deref(), login.as_deref())?)
            }
        };
        // The server of this config has no other certificate than the config's: its name need not be this address.
        let (api, own) = match (api, &config) {
            (Some(api), _) => (address(&api)?, None),
            (None, Some((_, config))) => (address(&listens_at(config))?, config.api.tls.as_ref()),
            (None, None) => (address(DEFAULT_API)?, None),
        };
        let given = args.ca.clone().filter(|path| !path.as_os_str().is_empty());
        let ca = given.or_else(|| own.map(|tls| tls.certificate.clone()));
        let (of_config, secret) =
            account.map(|account| (account.login.into(), account.password)).unzip();
        let login = login.or(of_config).ok_or(ClientError::NoLogin)?;
        let password = password.or(secret).ok_or(ClientError::NoPassword)?;
        Ok(Self { api, login, password, ca })
    }
}

/// The config that is named, or the default one where it is there.
fn config(named: Option<&Path>) -> Result<Option<(String, Config)>, ClientError> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_CONFIG).exists() => Path::new(DEFAULT_CONFIG),
        None => return Ok(None),
    };
    let config = Config::load(path).map_err(|error| ClientError::Config(error.to_string()))?;
    Ok(Some((path.display().to_string(), config)))
}

/// Where the server of this config is, seen from its own machine.
fn listens_at(config: &Config) -> String {
    let listen = config.api.listen;
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if config.api.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

/// The account of the endpoint that is named, of the login that was given, or the first one.
fn account(
    path: &str,
    config: &Config,
    endpoint: Option<&str>,
    login: Option<&str>,
) -> Result<Account, ClientError> {
    let wrong = |reason: String| ClientError::Account { path: path.to_owned(), reason };
    let mut accounts = config.objects.endpoints.iter().filter(|spec| {
        let is_named = endpoint.is_none_or(|name| *spec.endpoint.name == *name);
        is_named && spec.account.is_some()
    });
    let wanted = |account: &&Account| login.is_none_or(|login| *account.login == *login);
    let account = accounts.find_map(|spec| spec.account.as_ref().filter(wanted));
    let Some(account) = account else {
        return Err(match (endpoint, login) {
            (_, Some(_)) => ClientError::NoPassword,
            (Some(name), None) => wrong(format!(
                "no endpoint {name:?} of type \"mediator\" with login and password: see --endpoint"
            )),
            (None, None) => wrong(
                "no endpoint of type \"mediator\" has login and password: set MEDIATOR_LOGIN and MEDIATOR_PASSWORD"
                    .to_owned(),
            ),
        });
    };
    if account.password.expose().starts_with("$argon2") {
        return Err(wrong(
            "has only a hash of this login's password: set MEDIATOR_LOGIN and MEDIATOR_PASSWORD"
                .to_owned(),
        ));
    }
    Ok(account.clone())
}

/// Reads an address, with or without the API's path.
fn address(text: &str) -> Result<Url, ClientError> {
    let bad = ClientError::BadAddress;
    let mut url = Url::parse(text).map_err(|_| bad("this is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("this begins with neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("login and password have options of their own"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/mediator/v1").unwrap_or(path).to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests;
