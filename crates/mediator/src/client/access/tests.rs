//! Where the API is and who asks, by what was given.

use std::fs;
use std::path::Path;

use clap::Parser;
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command};

const CONFIG: &str = r#"
[media]
mode = "direct"
[api]
listen = "0.0.0.0:18080"
plain_http = true
[store]
url = "memory:"
[[endpoint]]
name = "silent"
type = "mediator"
[[endpoint]]
name = "first"
type = "mediator"
login = "one"
password = "word-one"
[[endpoint]]
name = "second"
type = "mediator"
login = "two"
password = "word-two"
"#;

const HASHED: &str = r#"
[media]
mode = "direct"
[store]
url = "memory:"
[[endpoint]]
name = "masking"
type = "mediator"
login = "hashed"
password = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
"#;

fn find(arguments: &[&str]) -> Result<Access, ClientError> {
    // The variables of whoever runs the tests do not count: an empty one is not set.
    let set = ["--api", "--login", "--password"].map(|name| arguments.contains(&name));
    let mut all = vec!["mediator", "calls"];
    for (name, is_set) in ["--api", "--login", "--password"].into_iter().zip(set) {
        if !is_set {
            all.extend([name, ""]);
        }
    }
    all.extend(arguments);
    let Command::Client(command) = Cli::try_parse_from(all).unwrap().chosen() else { panic!() };
    Access::find(command.access())
}

/// `api login password`, or the error.
fn shown(arguments: &[&str]) -> String {
    match find(arguments) {
        Ok(Access { api, login, password, .. }) => format!("{api} {login} {}", password.expose()),
        Err(error) => error.to_string(),
    }
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn arguments_win_over_the_config() {
    assert!(!Path::new(DEFAULT_CONFIG).exists(), "tests of this package run in its folder");
    let folder = TempDir::new().unwrap();
    let config = &*write(&folder, "config.toml", CONFIG);
    let hashed = &*write(&folder, "hashed.toml", HASHED);
    let rows: [(&[&str], &str); 14] = [
        (&["--login", "a", "--password", "b"], "http://127.0.0.1:8080/ a b"),
        (
            &["--api", "https://host:1/x/", "--login", "a", "--password", "b"],
            "https://host:1/x a b",
        ),
        (
            &["--api", "http://host/mediator/v1/", "--login", "a", "--password", "b"],
            "http://host/ a b",
        ),
        (&["--config", config], "http://127.0.0.1:18080/ one word-one"),
        (&["--config", config, "--endpoint", "second"], "http://127.0.0.1:18080/ two word-two"),
        (&["--config", config, "--login", "two"], "http://127.0.0.1:18080/ two word-two"),
        (&["--config", config, "--password", "b"], "http://127.0.0.1:18080/ one b"),
        (&["--config", config, "--api", "http://[::1]:9"], "http://[::1]:9/ one word-one"),
        (
            &["--config", config, "--login", "three"],
            "no password for this login: set MEDIATOR_PASSWORD",
        ),
        (
            &["--config", config, "--endpoint", "silent"],
            "config.toml: no endpoint \"silent\" of type \"mediator\" with login and password: see --endpoint",
        ),
        (
            &["--config", hashed],
            "hashed.toml: has only a hash of this login's password: set MEDIATOR_LOGIN and MEDIATOR_PASSWORD",
        ),
        (
            &["--config", hashed, "--login", "hashed", "--password", "b"],
            "http://127.0.0.1:8080/ hashed b",
        ),
        (&["--login", "a"], "no password for this login: set MEDIATOR_PASSWORD"),
        (
            &[],
            "no login: set MEDIATOR_LOGIN and MEDIATOR_PASSWORD, or name the server's config with --config FILE",
        ),
    ];
    for (arguments, expected) in rows {
        let shown = shown(arguments);
        assert!(shown.ends_with(expected), "{arguments:?}: {shown}");
    }
}

#[test]
fn an_address_is_a_whole_one_without_credentials() {
    for api in ["127.0.0.1:8080", "localhost:8080", "ftp://host", "http://", "http://a:b@host", "x"]
    {
        let error = find(&["--api", api, "--login", "a", "--password", "b"]).unwrap_err();
        assert!(matches!(error, ClientError::BadAddress(_)), "{api}");
        assert_eq!(
            format!("{:?}", error.exit_code()),
            format!("{:?}", std::process::ExitCode::from(2))
        );
    }
}

#[test]
fn a_bad_config_is_told_as_check_tells_it() {
    let folder = TempDir::new().unwrap();
    let config = &*write(&folder, "config.toml", "[api]\nlisten = 1\n");
    assert!(shown(&["--config", config]).contains("config.toml:2: api.listen: "));
    assert!(shown(&["--config", "no.toml"]).contains("no.toml: cannot be read"));
}

#[test]
fn shows_no_password() {
    let access = find(&["--login", "a", "--password", "hidden"]).unwrap();
    assert!(!format!("{access:?}").contains("hidden"));
    let Command::Client(command) =
        Cli::try_parse_from(["mediator", "calls", "--password", "hidden"]).unwrap().chosen()
    else {
        panic!()
    };
    assert!(!format!("{command:?}").contains("hidden"));
}
