//! What a reload changes, what it leaves and what it refuses.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const HEAD: &str = "[media]\nmode = \"direct\"\n[store]\nurl = \"memory:\"\n";
const MASKING: &str =
    "[[endpoint]]\nname = \"masking\"\ntype = \"mediator\"\ndids = [\"15162065346\"]\n";

/// A file that changes while the server runs.
struct File {
    folder: TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        file.write(text);
        file
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("mediator.toml")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), format!("{HEAD}{text}")).unwrap();
    }

    fn load(&self) -> Config {
        Config::load(&self.path()).unwrap()
    }
}

#[test]
fn takes_new_timers_and_keeps_the_sockets() {
    let file = File::new("[sip]\nring_timeout = \"30s\"\n");
    let running = file.load();
    file.write(
        "[sip]\nring_timeout = \"40s\"\nlisten = [\"udp:127.0.0.1:5070\"]\nshards = 3\n[api]\nlisten = \"127.0.0.1:9\"\n[core]\ntoken = \"new\"\n",
    );
    let reloaded = reread(&file.path(), &running).unwrap();
    assert_eq!(reloaded.config.sip.ring_timeout, Duration::from_secs(40));
    assert_eq!(reloaded.config.sip.listen, running.sip.listen);
    assert_eq!(reloaded.config.api, running.api);
    assert_eq!(reloaded.after_restart, ["sip.listen", "sip.shards", "api"]);
    assert!(reloaded.core.token.is_some(), "a new token counts at once");
}

#[test]
fn says_why_a_bad_file_changes_nothing() {
    let file = File::new(MASKING);
    let running = file.load();
    file.write("[sip]\nring_timeout = 5\n");
    let error = reread(&file.path(), &running).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}:6: sip.ring_timeout: expected a duration such as \"120s\"",
            file.path().display()
        )
    );
    fs::remove_file(file.path()).unwrap();
    let error = reread(&file.path(), &running).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }));
}
