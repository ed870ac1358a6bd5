//! Where a sound lies: inside the media folder, or on the web.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use reqwest::Url;

/// The longest text that names a sound, in bytes.
const MAX_PLACE_BYTES: usize = 2048;

/// Where a sound lies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A path inside the media folder, without a way out of it. A link inside the folder may still lead out: whoever opens
    /// it looks.
    File(PathBuf),
    /// An http or https URL.
    Web(Box<Url>),
}

/// Why a text names no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPlace {
    /// Empty, too long, or not printable.
    #[error("expected a path or URL: printable, not empty, at most 2048 bytes")]
    Unprintable,
    /// A URL of another kind, or a broken one.
    #[error("expected an http:, https: or file: URL, or a path inside media.folder")]
    BadUrl,
    /// A path that is absolute or leads upwards.
    #[error("expected a path inside media.folder, without \"..\" and not from \"/\"")]
    Outside,
}

impl Place {
    /// Reads an http or https URL, a `file:` URL, or a relative path.
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_PLACE_BYTES || text.chars().any(char::is_control) {
            return Err(BadPlace::Unprintable);
        }
        if let Some(path) = strip_scheme(text, "file:") {
            return file_url(path);
        }
        if ["http:", "https:"].iter().any(|scheme| strip_scheme(text, scheme).is_some()) {
            let url = Url::parse(text).map_err(|_| BadPlace::BadUrl)?;
            return match url.host_str() {
                Some(host) if !host.is_empty() => Ok(Self::Web(Box::new(url))),
                _ => Err(BadPlace::BadUrl),
            };
        }
        if text.contains("://") {
            return Err(BadPlace::BadUrl);
        }
        relative(text)
    }
}

/// Without the path's and the query's secrets: user and password of a URL are left out, and so is what is behind `?`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Web(url) => write!(f, "{}", Shown(url)),
        }
    }
}

/// As it is displayed: secrets stay out of logs.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// A URL as it may be logged: scheme, host, port and path.
pub(super) struct Shown<'a>(pub(super) &'a Url);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", url.path())
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let head = text.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| text.get(scheme.len()..)).flatten()
}

/// A `file:` URL names a path inside the media folder: `file:welcome.wav`, `file:/welcome.wav` and `file:///welcome.wav` all
/// mean `welcome.wav` there, for no other files can be meant. One that names the folder, too, is understood where it is opened.
fn file_url(rest: &str) -> Result<Place, BadPlace> {
    let path = match rest.strip_prefix("//") {
        // What is between `//` and `/` is a host; only ours can be meant.
        Some(rest) => match rest.split_once('/') {
            Some(("" | "localhost", path)) => path,
            _ => return Err(BadPlace::BadUrl),
        },
        None => rest.strip_prefix('/').unwrap_or(rest),
    };
    relative(&unescaped(path).ok_or(BadPlace::BadUrl)?)
}

/// Decodes percent escapes.
fn unescaped(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn relative(text: &str) -> Result<Place, BadPlace> {
    if text.chars().any(char::is_control) {
        return Err(BadPlace::Unprintable);
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(BadPlace::Outside);
            }
        }
    }
    if path.as_os_str().is_empty() { Err(BadPlace::Outside) } else { Ok(Place::File(path)) }
}
