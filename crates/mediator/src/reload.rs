//! SIGHUP: the config is read again. A bad file changes nothing; a good one changes what can change under calls, and
//! what cannot is named. Its objects are provisioned as at start.

use std::path::Path;

use crate::config::{Config, ConfigError, CoreSettings, Objects, SipSettings};

/// A file that was read again.
#[derive(Debug)]
pub struct Reread {
    /// The settings that run from here on: what needs a restart is as it was.
    pub config: Config,
    /// What the file provisions.
    pub objects: Objects,
    /// Its token is provisioned, too.
    pub core: CoreSettings,
    /// Keys that the file changed and that count from the next start only.
    pub after_restart: Vec<&'static str>,
}

/// Reads the file again; nothing has changed yet when it returns.
pub fn reread(path: &Path, running: &Config) -> Result<Reread, ConfigError> {
    let new = Config::load(path)?;
    let after_restart = after_restart(running, &new);
    let config = Config {
        sip: changeable(&running.sip, &new.sip),
        media: running.media.clone(),
        dialout: running.dialout,
        api: running.api.clone(),
        core: running.core.clone(),
        store: running.store.clone(),
        objects: Objects::default(),
        notices: new.notices,
    };
    Ok(Reread { config, objects: new.objects, core: new.core, after_restart })
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
    let login = |core: &CoreSettings| (core.username.clone(), core.password.clone());
    [
        ("sip.listen", old_sip.listen != new_sip.listen),
        ("sip.advertised_address", old_sip.advertised_address != new_sip.advertised_address),
        ("sip.ban", old_sip.ban != new_sip.ban),
        ("sip.shards", old_sip.shards != new_sip.shards),
        ("sip.realm", old_sip.realm != new_sip.realm),
        ("media", running.media != new.media),
        ("dialout", running.dialout != new.dialout),
        ("api", running.api != new.api),
        ("core.username and core.password", login(&running.core) != login(&new.core)),
        ("store", running.store != new.store),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}

#[cfg(test)]
mod tests;
