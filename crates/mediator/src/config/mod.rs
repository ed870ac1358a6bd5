//! The config file: TOML in, [`Config`] out, or every fault by file, line, key and remedy.
//!
//! A setting is one documented field here: its meaning, range and default. Reading is pure but for the file itself and
//! `core.token_file`; times are spans, so nothing here asks for a clock.

mod binding;
mod check;
mod endpoint;
mod fault;
mod media;
mod objects;
mod parts;
mod reader;
mod services;
pub(crate) mod sids;
mod sip;
mod sounds;
mod trunk_group;
mod value;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

pub use binding::BindingSpec;
pub use endpoint::{Account, EndpointSpec};
pub use fault::{ConfigError, Fault, MAX_FAULTS};
pub use media::{MAX_MEDIA_THREADS, MediaMode, MediaSettings};
pub use objects::Objects;
pub use services::{ApiSettings, CoreSettings, DialoutSettings, StorePlace, StoreSettings};
pub use sip::{Ban, Listen, MAX_LISTENERS, MAX_SHARDS, SipSettings};
pub use sounds::{FetchSettings, SoundSettings};
pub use trunk_group::{TrunkGroupSpec, TrunkSpec};

use binding::ReadBinding;
use check::Everything;
use fault::{Findings, Found};
use reader::{Section, Sheet};

/// The largest config file: room for a million bindings.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// A config file, read and checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// `[sip]`.
    pub sip: SipSettings,
    /// `[media]`.
    pub media: MediaSettings,
    /// `[dialout]`.
    pub dialout: DialoutSettings,
    /// `[api]`.
    pub api: ApiSettings,
    /// `[core]`.
    pub core: CoreSettings,
    /// `[store]`.
    pub store: StoreSettings,
    /// `[[endpoint]]`, `[[trunk_group]]` and `[[binding]]`.
    pub objects: Objects,
    /// What works, but perhaps not as its writer thinks, by line.
    pub notices: Vec<Fault>,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| ConfigError::Unreadable {
                path: shown.clone(),
                reason: format!("cannot be read: {error}: name a file with --config FILE"),
            })?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ConfigError::Unreadable {
                path: shown,
                reason: "larger than 512 MiB: give the bindings through the API".to_owned(),
            });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&shown, &text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let head = error.as_bytes().iter().take(valid);
                let line = head.filter(|byte| **byte == b'\n').count() + 1;
                let reason = "not UTF-8: save the file as UTF-8".into();
                let faults = vec![Fault { line, key: String::new(), reason }];
                Err(ConfigError::Faulty { path: shown, faults, more: 0 })
            }
        }
    }

    /// Checks a text; `path` is what faults name.
    pub fn parse(path: &str, text: &str) -> Result<Self, ConfigError> {
        let (config, found) = read_in_parts(text).unwrap_or_else(|| read_whole(text));
        let Found { faults, more, notices } = found;
        match config {
            Some(config) if faults.is_empty() => Ok(Self { notices, ..config }),
            _ => Err(ConfigError::Faulty { path: path.to_owned(), faults, more }),
        }
    }
}

fn read_whole(text: &str) -> (Option<Config>, Found) {
    let findings = Findings::default();
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        findings.fault(offset, String::new(), format!("no valid TOML: {}", error.message()));
    }
    // What a broken text seems to say is not worth checking: one missing quote would be blamed on many keys.
    let config = errors.is_empty().then(|| read(document.get_ref(), Vec::new(), &findings));
    (config, findings.into_found(text))
}

/// Reads a file of many bindings part by part; `None` where it has few, or cannot be cut.
fn read_in_parts(text: &str) -> Option<(Option<Config>, Found)> {
    let parts = parts::cut(text)?;
    let rest = DeTable::parse(&parts.rest).ok()?;
    if rest.get_ref().contains_key(BINDING) {
        return None;
    }
    let findings = Findings::default();
    let mut bindings = Vec::new();
    for part in parts.bindings {
        let base = part.start;
        let table = DeTable::parse(text.get(part)?).ok()?;
        let root = Section::root(table.get_ref(), Sheet { findings: &findings, base });
        bindings.extend(root.sections(BINDING).filter_map(binding::read));
        root.finish();
    }
    let config = read(rest.get_ref(), bindings, &findings);
    Some((Some(config), findings.into_found(text)))
}

const BINDING: &str = "binding";

/// Reads everything; `bindings` are those that were read before.
fn read<'a>(
    document: &'a DeTable<'a>,
    mut bindings: Vec<ReadBinding>,
    findings: &'a Findings,
) -> Config {
    let root = Section::root(document, Sheet { findings, base: 0 });
    let endpoints: Vec<_> = root.sections("endpoint").filter_map(endpoint::read).collect();
    let trunk_groups: Vec<_> = root.sections("trunk_group").filter_map(trunk_group::read).collect();
    bindings.extend(root.sections(BINDING).filter_map(binding::read));
    Everything {
        endpoints: &endpoints,
        trunk_groups: &trunk_groups,
        bindings: &bindings,
        findings,
    }
    .check();
    let sip = sip::read(root.section("sip"));
    let config = Config {
        media: media::read(root.section("media"), &sip.listen),
        sip,
        dialout: services::read_dialout(root.section("dialout")),
        api: services::read_api(root.section("api")),
        core: services::read_core(root.section("core")),
        store: services::read_store(root.section("store")),
        objects: Objects {
            endpoints: endpoints.into_iter().map(|read| read.spec).collect(),
            trunk_groups: trunk_groups.into_iter().map(|read| read.spec).collect(),
            bindings: bindings.into_iter().map(|read| read.spec).collect(),
        },
        notices: Vec::new(),
    };
    root.finish();
    config
}
