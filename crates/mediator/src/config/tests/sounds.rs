//! What `[media]` says of sounds.

use std::path::PathBuf;
use std::time::Duration;

use super::refusal;
use crate::config::{Config, SoundSettings};
use crate::sounds::{Allowed, Place};

const MIB: u64 = 1024 * 1024;

fn sounds(lines: &str) -> SoundSettings {
    parsed(&format!("store.url = \"memory:\"\n[media]\n{lines}\n")).media.sounds
}

fn parsed(text: &str) -> Config {
    Config::parse("test.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn has_a_default_for_each() {
    let settings = sounds("");
    assert_eq!(
        (&settings.hold_music, &settings.confirmation_prompt, &settings.announcement),
        (&None, &None, &None)
    );
    assert_eq!((settings.cache, settings.cache_max_bytes), (None, 256 * MIB));
    assert_eq!(settings.tracks_max_bytes, 64 * MIB);
    let fetch = settings.fetch;
    assert_eq!((fetch.max_bytes, fetch.timeout), (20 * MIB, Duration::from_secs(10)));
    assert_eq!((fetch.redirects, fetch.allow), (3, vec![]));
}

#[test]
fn reads_each() {
    let settings = sounds(
        "hold_music = \"music.mp3\"\nconfirmation_prompt = \"file:press.wav\"\n\
         announcement = \"https://files.example/hello.wav\"\ncache = \"c\"\ncache_max_bytes = 5000\n\
         tracks_max_bytes = \"2 GiB\"\n\
         fetch = { max_bytes = \"512KiB\", timeout = \"500ms\", redirects = 0, \
         allow = [\"10.0.0.0/8\", \"192.168.1.1\", \"files.internal\"] }",
    );
    let shown = |place: &Option<Place>| place.as_ref().map(ToString::to_string);
    assert_eq!(shown(&settings.hold_music).as_deref(), Some("music.mp3"));
    assert_eq!(shown(&settings.confirmation_prompt).as_deref(), Some("press.wav"));
    let hello = "https://files.example/hello.wav";
    assert_eq!(shown(&settings.announcement).as_deref(), Some(hello));
    assert_eq!((settings.cache, settings.cache_max_bytes), (Some(PathBuf::from("c")), 5_000));
    assert_eq!(settings.tracks_max_bytes, 2048 * MIB);
    let fetch = settings.fetch;
    assert_eq!((fetch.max_bytes, fetch.timeout), (512 * 1024, Duration::from_millis(500)));
    let allow = ["10.0.0.0/8", "192.168.1.1/32", "files.internal"];
    assert_eq!(fetch.allow, allow.map(|text| Allowed::parse(text).unwrap()));
}

#[test]
fn keeps_files_where_the_store_keeps_its_own() {
    let folder = |text: &str| {
        let config = parsed(text);
        config.media.sounds.cache_folder(&config.store)
    };
    assert_eq!(folder(""), Some(PathBuf::from("data/sounds")));
    assert_eq!(folder("store.url = \"file:x\""), Some(PathBuf::from("x/sounds")));
    assert_eq!(folder("store.url = \"memory:\""), None);
    let own = "store.url = \"memory:\"\nmedia.cache = \"c\"";
    assert_eq!(folder(own), Some(PathBuf::from("c")));
    assert_eq!(folder("media.cache_max_bytes = 0"), None);
}

#[test]
fn names_each_fault() {
    let outside = "expected a path inside media.folder, without \"..\" and not from \"/\"";
    let no_url = "expected an http:, https: or file: URL, or a path inside media.folder";
    let no_entry = "expected an address, a block such as \"10.0.0.0/8\", or a host's name";
    let rows = [
        ("hold_music = \"/etc/passwd\"", format!("hold_music: {outside}")),
        ("announcement = \"../x.wav\"", format!("announcement: {outside}")),
        ("confirmation_prompt = \"ftp://x/y\"", format!("confirmation_prompt: {no_url}")),
        ("hold_music = 7", "hold_music: expected a file or a URL in quotes".to_owned()),
        (
            "cache_max_bytes = \"7 MB\"",
            "cache_max_bytes: expected an amount such as \"256MiB\"".to_owned(),
        ),
        (
            "cache_max_bytes = -1",
            "cache_max_bytes: expected an amount such as \"256MiB\"".to_owned(),
        ),
        (
            "tracks_max_bytes = \"1KiB\"",
            "tracks_max_bytes: expected an amount from \"1MiB\" to \"64GiB\"".to_owned(),
        ),
        (
            "fetch = { max_bytes = \"21MiB\" }",
            "fetch.max_bytes: expected an amount from \"1KiB\" to \"20MiB\"".to_owned(),
        ),
        (
            "fetch = { timeout = \"2m\" }",
            "fetch.timeout: expected a duration from \"100ms\" to \"1m\"".to_owned(),
        ),
        (
            "fetch = { redirects = 11 }",
            "fetch.redirects: expected a whole number from 0 to 10".to_owned(),
        ),
        ("fetch = { allow = [\"a b\"] }", format!("fetch.allow: {no_entry}")),
        (
            "fetch = { retries = 1 }",
            "fetch.retries: unknown key: did you mean redirects?".to_owned(),
        ),
    ];
    for (line, expected) in rows {
        let text = format!("store.url = \"memory:\"\n[media]\n{line}\n");
        assert_eq!(refusal(&text), format!("test.toml:3: media.{expected}"), "{line}");
    }
}
