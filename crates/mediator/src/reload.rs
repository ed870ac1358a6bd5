//! SIGHUP: the config is read again. A bad file changes nothing; a good one changes what can change under calls, and
//! what cannot is named.

use std::path::Path;

use mediator_model::{Directory, DirectoryError};

use crate::config::{BindingSpec, Config, ConfigError, Conflict, SipSettings};

/// Why a reload changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The file is bad by itself.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// It is good, but not after the one that runs.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// Its objects make no directory.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
}

/// What a reload comes to.
#[derive(Debug)]
pub struct Reloaded {
    /// What runs from here on: what needs a restart is as it was.
    pub config: Config,
    /// The new picture for routing.
    pub directory: Directory,
    /// The bindings to put.
    pub changed: Vec<BindingSpec>,
    /// Keys that the file changed and that count from the next start only.
    pub after_restart: Vec<&'static str>,
}

/// Reads the file again; nothing has changed yet when it returns.
pub fn reload(path: &Path, running: &Config) -> Result<Reloaded, ReloadError> {
    let new = Config::load(path)?;
    let after_restart = after_restart(running, &new);
    let objects = new.objects.reloaded_over(&running.objects)?;
    let directory = objects.directory()?;
    let changed = objects.changed_bindings(&running.objects).cloned().collect();
    let config = Config {
        sip: changeable(&running.sip, &new.sip),
        media: running.media.clone(),
        dialout: running.dialout,
        api: running.api,
        core: running.core.clone(),
        store: running.store,
        objects,
        notices: new.notices,
    };
    Ok(Reloaded { config, directory, changed, after_restart })
}

/// The new timers over the running sockets.
fn changeable(running: &SipSettings, new: &SipSettings) -> SipSettings {
    let SipSettings {
        listen: _,
        advertised_address: _,
        ring_timeout,
        trunk_timeout,
        max_call_duration,
        drain_timeout,
        session_expires,
        min_se,
        ban: _,
        shards: _,
        realm: _,
        ref digest,
    } = *new;
    SipSettings {
        ring_timeout,
        trunk_timeout,
        max_call_duration,
        drain_timeout,
        session_expires,
        min_se,
        digest: digest.clone(),
        ..running.clone()
    }
}

fn after_restart(running: &Config, new: &Config) -> Vec<&'static str> {
    let (old_sip, new_sip) = (&running.sip, &new.sip);
    [
        ("sip.listen", old_sip.listen != new_sip.listen),
        ("sip.advertised_address", old_sip.advertised_address != new_sip.advertised_address),
        ("sip.ban", old_sip.ban != new_sip.ban),
        ("sip.shards", old_sip.shards != new_sip.shards),
        ("sip.realm", old_sip.realm != new_sip.realm),
        ("media", running.media != new.media),
        ("dialout", running.dialout != new.dialout),
        ("api", running.api != new.api),
        ("core", running.core != new.core),
        ("store", running.store != new.store),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}

#[cfg(test)]
mod tests;
