//! `[dialout]`, `[api]`, `[core]` and `[store]`.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mediator_model::Secret;
use toml::de::DeValue;

use super::fault::Reason;
use super::reader::{At, Section};
use super::value::{self, DAY, HOUR, MINUTE, SECOND};
use crate::http::TlsFiles;

/// How much of a token file is read, in bytes.
const MAX_TOKEN_BYTES: u64 = 4096;

/// `[dialout]`, complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DialoutSettings {
    /// How late a dialout may start after a restart. 0 s to 1 h, default 60 s.
    pub grace: Duration,
    /// The key that confirms a call: one of `0-9*#`. Default `1`.
    pub confirmation_key: char,
    /// How often it is asked for. 1 to 10, default 3.
    pub confirmation_attempts: u32,
    /// How long each time. 1 s to 60 s, default 5 s.
    pub confirmation_wait: Duration,
}

/// Reads `[dialout]`.
pub(super) fn read_dialout(section: Section<'_>) -> DialoutSettings {
    let settings = DialoutSettings {
        grace: section.read_or("grace", MINUTE, value::duration(Duration::ZERO..=HOUR, "60s")),
        confirmation_key: section.read_or("confirmation_key", '1', dial_key),
        confirmation_attempts: section.read_or("confirmation_attempts", 3, value::whole(1..=10)),
        confirmation_wait: section.read_or(
            "confirmation_wait",
            5 * SECOND,
            value::duration(SECOND..=MINUTE, "5s"),
        ),
    };
    section.finish();
    settings
}

fn dial_key(value: &DeValue<'_>) -> Result<char, Reason> {
    let mut letters = value.as_str().unwrap_or_default().chars();
    match (letters.next(), letters.next()) {
        (Some(key @ ('0'..='9' | '*' | '#')), None) => Ok(key),
        _ => Err(Cow::Borrowed("expected one key in quotes: 0 to 9, * or #")),
    }
}

/// `[api]`, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiSettings {
    /// Where HTTP is served. Default 127.0.0.1:8080. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether HTTP may be served without TLS elsewhere than on loopback. Default false.
    pub plain_http: bool,
    /// The certificate, where HTTP is served over TLS. Default none.
    pub tls: Option<TlsFiles>,
}

/// Reads `[api]`.
pub(super) fn read_api(section: Section<'_>) -> ApiSettings {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let listen = section.read("listen", value::socket_address);
    let plain_http = section.read_or("plain_http", false, value::boolean);
    let with_tls = section.position("tls").is_some();
    let tls = read_tls(section.section("tls"));
    if let Some(At { value, offset }) = listen
        && !value.ip().is_loopback()
        && !plain_http
        && !with_tls
    {
        let reason = "without tls expected a loopback address such as \"127.0.0.1:8080\", or plain_http = true";
        section.fault_at(offset, "listen", reason);
    }
    if let (true, true, Some(offset)) = (plain_http, with_tls, section.position("plain_http")) {
        section.fault_at(offset, "plain_http", "expected either plain_http = true or tls");
    }
    section.finish();
    ApiSettings { listen: listen.map_or(default, |found| found.value), plain_http, tls }
}

fn read_tls(section: Section<'_>) -> Option<TlsFiles> {
    if !section.is_present() {
        return None;
    }
    let certificate = section.require("certificate", existing_file);
    let key = section.require("key", existing_file);
    section.finish();
    Some(TlsFiles { certificate: certificate?.value, key: key?.value })
}

/// A file that is there. Whether it can be read is for the server to say: clients, too, read configs, as other users.
fn existing_file(value: &DeValue<'_>) -> Result<PathBuf, Reason> {
    let path = PathBuf::from(String::from(value::name(value)?));
    match path.try_exists() {
        Ok(false) => {
            Err(Cow::Owned(format!("{} is not there: name a file in PEM", path.display())))
        }
        Ok(true) | Err(_) => Ok(path),
    }
}

/// `[core]`: credentials of the Core API.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CoreSettings {
    /// The operator's bearer token, from `token` or `token_file`.
    pub token: Option<Secret>,
    /// User name for `/oauth/token`.
    pub username: Option<Box<str>>,
    /// Its password, or an argon2 hash of it in PHC form.
    pub password: Option<Secret>,
}

/// Reads `[core]`, and the token file where one is named.
pub(super) fn read_core(section: Section<'_>) -> CoreSettings {
    let token = section.read("token", value::secret);
    let from_file = section.read("token_file", token_file);
    if let (Some(_), Some(file)) = (&token, &from_file) {
        section.fault_at(file.offset, "token_file", "expected either token or token_file");
    }
    let username = section.read("username", value::name);
    let password = section.read("password", value::hashable_secret);
    for (key, other) in [("username", "password"), ("password", "username")] {
        if let (Some(offset), None) = (section.position(key), section.position(other)) {
            section.fault_at(offset, key, "expected username and password together");
        }
    }
    section.finish();
    CoreSettings {
        token: token.or(from_file).map(|found| found.value),
        username: username.map(|found| found.value),
        password: password.map(|found| found.value),
    }
}

fn token_file(value: &DeValue<'_>) -> Result<Secret, Reason> {
    let path = value::name(value)?;
    let unreadable = |error: std::io::Error| Cow::Owned(format!("{path} cannot be read: {error}"));
    let mut content = String::new();
    File::open(&*path)
        .and_then(|file| file.take(MAX_TOKEN_BYTES).read_to_string(&mut content))
        .map_err(unreadable)?;
    match content.trim() {
        "" => Err(Cow::Owned(format!("{path} is empty: write the token into it"))),
        token => Ok(Secret::new(token)),
    }
}

/// `[store]`, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreSettings {
    /// Where what outlives the process is kept.
    pub place: StorePlace,
    /// How long call records are kept; `None`: for ever (`"0"`). 1 d to 3650 d, default 90 d.
    pub cdr_retention: Option<Duration>,
}

/// `store.url`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StorePlace {
    /// `file:PATH`: in a folder, relative to the working directory. Default `file:data`.
    Folder(PathBuf),
    /// `memory:`: nowhere; everything but what the config file provisions ends with the process.
    Memory,
}

/// Reads `[store]`.
pub(super) fn read_store(section: Section<'_>) -> StoreSettings {
    let settings = StoreSettings {
        place: section.read_or("url", StorePlace::Folder("data".into()), store_place),
        cdr_retention: section.read_or("cdr_retention", Some(90 * DAY), retention),
    };
    if settings.place == StorePlace::Memory {
        let offset = section.position("url").unwrap_or(section.offset());
        section.notice_at(offset, "url", "\"memory:\" keeps nothing over a restart");
    }
    section.finish();
    settings
}

fn store_place(value: &DeValue<'_>) -> Result<StorePlace, Reason> {
    let expected = "expected \"file:FOLDER\" such as \"file:data\", or \"memory:\"";
    match value.as_str() {
        Some("memory:") => Ok(StorePlace::Memory),
        Some(url) => match url.strip_prefix("file:") {
            // `file://host/path` would be another machine's.
            Some(folder) if !folder.trim().is_empty() && !folder.starts_with("//") => {
                Ok(StorePlace::Folder(folder.into()))
            }
            _ => Err(Cow::Borrowed(expected)),
        },
        None => Err(Cow::Borrowed(expected)),
    }
}

fn retention(value: &DeValue<'_>) -> Result<Option<Duration>, Reason> {
    match (value.as_str(), value::integer(value)) {
        (Some("0"), _) | (_, Some(0)) => Ok(None),
        _ => value::duration(DAY..=3650 * DAY, "90d")(value).map(Some),
    }
}
