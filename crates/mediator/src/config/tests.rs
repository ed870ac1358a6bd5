//! What a config may say, what it may not, and the line that names each fault.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use mediator_model::Transport;
use mediator_sip::digest::Algorithm;
use proptest::prelude::*;

use super::*;

mod objects;
mod sounds;

use objects::MASKING;

/// Two lines that every file needs; a snippet begins on line 3.
const BASE: &str = "media = { mode = \"direct\" }\nstore.url = \"memory:\"\n";

fn good(snippet: &str) -> Config {
    match Config::parse("test.toml", &format!("{BASE}{snippet}")) {
        Ok(config) => config,
        Err(error) => panic!("refused: {error}\n{snippet}"),
    }
}

fn refusal(text: &str) -> String {
    match Config::parse("test.toml", text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

/// Each snippet behind [`BASE`] is refused with exactly these lines.
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (snippet, expected) in rows {
        let lines: Vec<String> =
            expected.lines().map(|line| format!("test.toml:{}", line.trim())).collect();
        assert_eq!(refusal(&format!("{BASE}{snippet}")), lines.join("\n"), "for:\n{snippet}");
    }
}

#[test]
fn fills_every_default() {
    let config = good("");
    let sip = &config.sip;
    let listen: Vec<String> = sip.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]);
    assert_eq!(sip.advertised_address, None);
    assert_eq!(sip.ring_timeout, Duration::from_mins(2));
    assert_eq!(sip.trunk_timeout, Duration::from_secs(5));
    assert_eq!(sip.max_call_duration, Duration::from_hours(4));
    assert_eq!(sip.drain_timeout, Duration::from_secs(30));
    assert_eq!(sip.session_expires, Duration::from_mins(30));
    assert_eq!(sip.min_se, Duration::from_secs(90));
    assert_eq!(
        (sip.ban.failures, sip.ban.window, sip.ban.duration),
        (10, Duration::from_mins(1), Duration::from_mins(5))
    );
    assert_eq!((sip.shards, &*sip.realm), (None, "mediator"));
    assert_eq!(sip.digest, [Algorithm::Md5]);
    assert_eq!((config.media.mode, config.media.threads), (MediaMode::Direct, None));
    let plain = Config::parse("test.toml", "").unwrap();
    assert_eq!((plain.media.mode, plain.notices), (MediaMode::Relay, Vec::new()));
    assert_eq!(config.media.port_range, (30_000, 39_999));
    assert_eq!(config.media.media_timeout, Duration::from_mins(1));
    assert_eq!(config.media.folder, Path::new("media"));
    assert!(!config.media.answer_before_announce);
    assert_eq!(
        config.dialout,
        DialoutSettings {
            grace: Duration::from_mins(1),
            confirmation_key: '1',
            confirmation_attempts: 3,
            confirmation_wait: Duration::from_secs(5),
        }
    );
    assert_eq!(config.api.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.core, CoreSettings::default());
    assert_eq!(config.objects, Objects::default());
}

#[test]
fn reads_every_key_of_the_sections() {
    let config = good(
        r#"
[sip]
listen = ["udp:[::1]:5070", "tcp:0.0.0.0:0", "tcp:0.0.0.0:0"]
advertised_address = "2001:db8::7"
ring_timeout = "45m"
trunk_timeout = "250ms"
max_call_duration = "7d"
drain_timeout = "0s"
session_expires = "20m"
min_se = "2m"
ban = { failures = 3, window = "10s", duration = "1h" }
shards = 2
realm = "office.example"
digest = ["SHA-256", "MD5"]
[dialout]
grace = "1m"
confirmation_key = "*"
confirmation_attempts = 1
confirmation_wait = "3s"
[api]
listen = "0.0.0.0:9000"
plain_http = true
[core]
token = "change-me"
username = "operator"
password = "hush"
"#,
    );
    assert_eq!(config.sip.listen[0].address.to_string(), "[::1]:5070");
    assert_eq!(config.sip.listen[1].transport, Transport::Tcp);
    assert_eq!(config.sip.advertised_address.map(|ip| ip.to_string()), Some("2001:db8::7".into()));
    assert_eq!(config.sip.ring_timeout, Duration::from_mins(45));
    assert_eq!(config.sip.trunk_timeout, Duration::from_millis(250));
    assert_eq!(config.sip.max_call_duration, Duration::from_hours(168));
    assert_eq!(config.sip.session_expires, Duration::from_mins(20));
    assert_eq!(config.sip.min_se, Duration::from_mins(2));
    assert_eq!(config.sip.ban.failures, 3);
    assert_eq!(config.sip.shards, Some(2));
    assert_eq!(config.sip.digest, [Algorithm::Sha256, Algorithm::Md5]);
    assert_eq!(config.dialout.confirmation_key, '*');
    assert_eq!(config.api.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(config.core.token.as_ref().map(mediator_model::Secret::expose), Some("change-me"));
}

#[test]
fn refuses_wrong_settings_with_line_key_and_remedy() {
    check(&[
        (
            "[sip]\n\nring_timeout = 120",
            "5: sip.ring_timeout: expected a duration such as \"120s\"",
        ),
        ("sip.ring_timeout = \"2 h\"", "3: sip.ring_timeout: expected a duration such as \"120s\""),
        ("sip.ring_timeout = \"0s\"", "3: sip.ring_timeout: expected a duration from \"1s\" to \"1h\""),
        (
            "sip.trunk_timeout = \"2m\"",
            "3: sip.trunk_timeout: expected a duration from \"100ms\" to \"1m\"",
        ),
        (
            "sip.max_call_duration = \"99999999999999999999h\"",
            "3: sip.max_call_duration: expected a duration such as \"4h\"",
        ),
        ("sip.min_se = \"60s\"", "3: sip.min_se: expected a duration from \"90s\" to \"1h\""),
        (
            "sip.min_se = \"1h\"\nsip.session_expires = \"30m\"",
            "4: sip.session_expires: expected no less than sip.min_se",
        ),
        ("[sip]\nring_timout = \"2m\"", "4: sip.ring_timout: unknown key: did you mean ring_timeout?"),
        (
            "[sip.ban]\nwhatever = 1",
            "4: sip.ban.whatever: unknown key: known here are duration, failures, window",
        ),
        (
            "sip.ban = { failures = 101 }",
            "3: sip.ban.failures: expected a whole number from 0 to 100",
        ),
        ("[sipp]\nlisten = []", "3: sipp: unknown key: did you mean sip?"),
        ("sip = 5060", "3: sip: expected a section of its own, or { key = value }"),
        ("sip.shards = 0", "3: sip.shards: expected a whole number from 1 to 256"),
        ("sip.digest = [\"MD4\"]", "3: sip.digest: expected \"MD5\" or \"SHA-256\""),
        ("sip.digest = [\"MD5\", \"MD5\"]", "3: sip.digest: given twice"),
        ("sip.realm = \"a\\\"b\"", "3: sip.realm: expected text without quotes and backslashes"),
        (
            "sip.advertised_address = \"sip.example.com\"",
            "3: sip.advertised_address: expected an IP address such as \"203.0.113.7\" or \"2001:db8::7\"",
        ),
        (
            "sip.listen = \"udp:127.0.0.1:5060\"",
            "3: sip.listen: expected a list in brackets",
        ),
        (
            "sip.listen = []",
            "3: sip.listen: expected 1 to 64 entries",
        ),
        (
            "sip.listen = [\n\"tls:127.0.0.1:5061\",\n\"ws:127.0.0.1:80\",\n\"sctp:127.0.0.1:5060\",\n\"udp:localhost:5060\",\n\"udp:127.0.0.1:99999\", 5060]",
            "4: sip.listen: \"tls:\" is not built yet: use udp: or tcp:
             5: sip.listen: \"ws:\" is not built yet: use udp: or tcp:
             6: sip.listen: expected transport:IP:port such as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"
             7: sip.listen: expected transport:IP:port such as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"
             8: sip.listen: expected transport:IP:port such as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"
             8: sip.listen: expected transport:IP:port such as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"",
        ),
        (
            "sip.listen = [\"udp:127.0.0.1:5060\", \"udp:127.0.0.1:5060\"]",
            "3: sip.listen: given twice",
        ),
        ("dialout.confirmation_key = 1", "3: dialout.confirmation_key: expected one key in quotes: 0 to 9, * or #"),
        ("dialout.confirmation_attempts = 11", "3: dialout.confirmation_attempts: expected a whole number from 1 to 10"),
        (
            "api.listen = \"0.0.0.0:8080\"",
            "3: api.listen: without tls expected a loopback address such as \"127.0.0.1:8080\", or plain_http = true",
        ),
        ("api.listen = 8080", "3: api.listen: expected IP:port such as \"127.0.0.1:8080\" or \"[::1]:8080\""),
        (
            "api.tls = { certificat = \"a\" }",
            "3: api.tls.certificate: missing
             3: api.tls.key: missing
             3: api.tls.certificat: unknown key: did you mean certificate?",
        ),
        (
            "api = { plain_http = true, tls = { certificate = \"a\", key = \"b\" } }",
            "3: api.plain_http: expected either plain_http = true or tls
             3: api.tls.certificate: a is not there: name a file in PEM
             3: api.tls.key: b is not there: name a file in PEM",
        ),
        ("api.plain_http = \"yes\"", "3: api.plain_http: expected true or false, without quotes"),
        ("core.username = \"operator\"", "3: core.username: expected username and password together"),
        (
            "core = { username = \"operator\", password = \"$argon2id$v=19$m=1\" }",
            "3: core.password: expected a whole argon2 hash such as \"$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH\", or a password",
        ),
        ("store.cdr_retention = \"12h\"", "3: store.cdr_retention: expected a duration from \"1d\" to \"3650d\""),
        ("store.cdr_retention = 90", "3: store.cdr_retention: expected a duration such as \"90d\""),
        (
            "core.token_file = \"/nonexistent/token\"",
            "3: core.token_file: /nonexistent/token cannot be read: No such file or directory (os error 2)",
        ),
    ]);
}

#[test]
fn reads_where_things_are_kept_and_for_how_long() {
    let store = |text: &str| Config::parse("test.toml", text).unwrap().store;
    let days = |days: u64| Some(Duration::from_hours(24 * days));
    assert_eq!(
        store(""),
        StoreSettings { place: StorePlace::Folder("data".into()), cdr_retention: days(90) }
    );
    assert_eq!(
        store("store.url = \"file:/var/lib/m\"").place,
        StorePlace::Folder("/var/lib/m".into())
    );
    assert_eq!(store("store.url = \"memory:\"").place, StorePlace::Memory);
    assert_eq!(store("store.cdr_retention = \"30d\"").cdr_retention, days(30));
    assert_eq!(store("store.cdr_retention = \"0\"").cdr_retention, None);
}

#[test]
fn takes_tls_and_hashed_passwords() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    let config = good(&format!(
        "api = {{ listen = \"0.0.0.0:8443\", tls = {{ certificate = \"Cargo.toml\", key = \"src/lib.rs\" }} }}\n\
         core = {{ username = \"operator\", password = \"{hash}\" }}\n\
         [[endpoint]]\nname = \"m\"\ntype = \"mediator\"\nlogin = \"l\"\npassword = \"{hash}\"\n"
    ));
    assert_eq!(config.api.tls.unwrap().certificate, Path::new("Cargo.toml"));
    let account = config.objects.endpoints[0].account.as_ref().unwrap();
    assert_eq!(account.password.expose(), hash);
}

#[test]
fn refuses_wrong_media_with_line_key_and_remedy() {
    let file = |media: &str| {
        let text = format!(
            "[media]\n{media}\n[store]\nurl = \"memory:\"\n[sip]\nlisten = [\"udp:10.0.0.7:5060\"]\n"
        );
        Config::parse("test.toml", &text)
    };
    let range = "expected two ports from 1 to 65535 such as \"30000-39999\"";
    for (media, expected) in [
        ("mode = \"proxy\"", "mode: expected \"relay\" or \"direct\"".to_owned()),
        ("threads = 0", "threads: expected a whole number from 1 to 64".to_owned()),
        ("port_range = \"400-300\"", format!("port_range: {range}")),
        ("port_range = \"0-300\"", format!("port_range: {range}")),
        (
            "port_range = \"30001-30002\"",
            "port_range: expected a pair at least: an even port and the one behind it".to_owned(),
        ),
        (
            "port_range = \"5000-5060\"",
            "port_range: has the port of sip.listen's udp:10.0.0.7:5060: choose other ports"
                .to_owned(),
        ),
        (
            "advertised_address = \"2001:db8::1\"",
            "advertised_address: expected an address of the same family as listen_address 10.0.0.7"
                .to_owned(),
        ),
        (
            "advertised_address = \"0.0.0.0\"",
            "advertised_address: expected an address that can be reached".to_owned(),
        ),
        (
            "media_timeout = \"0s\"",
            "media_timeout: expected a duration from \"1s\" to \"1h\"".to_owned(),
        ),
    ] {
        let error = file(media).unwrap_err().to_string();
        assert_eq!(error, format!("test.toml:2: media.{expected}"), "for {media}");
    }
    // Another address's port, and a port below the pairs.
    for media in [
        "port_range = \"5000-5060\"\nlisten_address = \"10.0.0.8\"",
        "port_range = \"5061-5064\"",
        "mode = \"relay\"\nthreads = 64",
    ] {
        assert!(file(media).is_ok(), "{media}");
    }
    assert_eq!(
        refusal("[media]\nmode = \"direct\"\n[store]\nurl = \"etcd:x\"\n"),
        "test.toml:4: store.url: expected \"file:FOLDER\" such as \"file:data\", or \"memory:\""
    );
}

#[test]
fn media_goes_where_calls_come_in_unless_the_file_says_otherwise() {
    for (text, listens, notices) in [
        ("", "127.0.0.1", 0),
        ("sip.listen = [\"tcp:[::1]:5060\", \"udp:127.0.0.1:5060\"]", "::1", 0),
        ("sip.listen = [\"udp:0.0.0.0:5060\"]", "0.0.0.0", 0),
        ("media.listen_address = \"127.0.0.2\"", "127.0.0.2", 0),
        (
            "sip.listen = [\"udp:10.0.0.7:5060\"]\nmedia.listen_address = \"127.0.0.1\"",
            "127.0.0.1",
            1,
        ),
        ("media.port_range = \"40000-40001\"", "127.0.0.1", 1),
    ] {
        let config = Config::parse("test.toml", &format!("{text}\n")).unwrap();
        assert_eq!(config.media.listen_address.to_string(), listens, "{text}");
        assert_eq!(config.notices.len(), notices, "{text}");
    }
}

#[test]
fn refuses_what_is_no_toml_by_line() {
    for (text, expected) in [
        ("[sip\n", "test.toml:1: no valid TOML: "),
        ("[sip]\nlisten = [\"udp:127.0.0.1:5060\n", "test.toml:2: no valid TOML: "),
        ("a = 1\nb == 2\n", "test.toml:2: no valid TOML: "),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(expected), "{refusal}");
        assert!(refusal.lines().all(|line| line.starts_with("test.toml:")), "{refusal}");
    }
}

#[test]
fn lists_a_hundred_faults_and_counts_the_rest() {
    let mut text = BASE.to_owned();
    for at in 0..150 {
        writeln!(text, "[[binding]]\nx{at} = 1").unwrap();
    }
    let refusal = refusal(&text);
    assert_eq!(refusal.lines().count(), MAX_FAULTS + 1);
    assert_eq!(refusal.lines().last(), Some("test.toml: and 500 more"));
}

#[test]
fn says_what_cannot_be_read() {
    let error = Config::load(Path::new("/nonexistent/mediator.toml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/mediator.toml: cannot be read: No such file or directory (os error 2): name a file with --config FILE"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"[sip]\nrealm = \"B\xfcro\"\n").unwrap();
    let error = Config::load(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{}:2: not UTF-8: save the file as UTF-8", path.display()));
}

#[test]
fn reads_the_token_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let snippet = format!("core.token_file = {:?}\n", path.display().to_string());
    std::fs::write(&path, "  s3cret\n").unwrap();
    let token = good(&snippet).core.token;
    assert_eq!(token.as_ref().map(mediator_model::Secret::expose), Some("s3cret"));
    check(&[(
        &format!("{snippet}core.token = \"other\""),
        "3: core.token_file: expected either token or token_file",
    )]);
    std::fs::write(&path, "\n").unwrap();
    check(&[(
        &snippet,
        &format!("3: core.token_file: {} is empty: write the token into it", path.display()),
    )]);
}

#[test]
fn never_shows_a_secret() {
    let snippet = r#"
core.token = "hush-token"
[[endpoint]]
name = "m"
type = "mediator"
login = "l"
password = "hush-login"
[[endpoint]]
name = "p"
type = "third_party"
sip_username = "u"
sip_password = "hush-sip"
out_sip_username = "u"
out_sip_password = "hush-out"
addresses = [{ ip = "::1", sip_username = "u", sip_password = "hush-address" }]
"#;
    let debug = format!("{:?}", good(snippet));
    assert!(debug.contains("***") && !debug.contains("hush"), "{debug}");
    let spoilt = snippet.replace("hush", "hush\\u0007");
    let refusal = refusal(&format!("{BASE}{spoilt}"));
    assert_eq!(refusal.lines().count(), 5);
    assert!(!refusal.contains("hush"), "{refusal}");
}

#[test]
fn says_at_start_what_may_surprise() {
    let config = good(&format!(
        "{MASKING}[[endpoint]]\nname = \"lost\"\ntype = \"third_party\"\n[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\n\
         destination_did = \"44\"\ndtmf = \"1,2\"\nattributes = {{ announce = \"hi.wav\", ringback = \"moh\" }}\n"
    ));
    let notices: Vec<String> =
        config.notices.iter().map(|notice| format!("{}: {}", notice.line, notice.key)).collect();
    assert_eq!(notices, ["1: media.mode", "2: store.url", "7: endpoint.addresses"]);
}

#[test]
fn loads_every_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
            crate::provision::preview(&config.objects, &config.core).unwrap();
            assert!(!config.objects.bindings.is_empty(), "{}", path.display());
            loaded += 1;
        }
    }
    assert_eq!(loaded, 4);
}

/// Many bindings, some of them wrong, with other sections between them.
fn many_bindings(count: usize) -> String {
    let mut text = format!("{BASE}{MASKING}");
    for at in 0..count {
        let _ = writeln!(
            text,
            "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\norigination_did = \"{}\"\ndestination_did = \"44\"\n\
             [binding.attributes]\nhide_origination_did = {}",
            1000 + at,
            if at % 600 == 599 { "\"perhaps\"" } else { "true" },
        );
        if at % 900 == 899 {
            let _ = writeln!(text, "[[endpoint]]\nname = \"p{at}\"\ntype = \"gateway\"");
        }
    }
    text
}

#[test]
fn reads_many_bindings_part_by_part_as_it_reads_them_at_once() {
    let good = many_bindings(599);
    let (config, found) = read_in_parts(&good).expect("cut in two");
    assert!(found.faults.is_empty());
    assert_eq!(config, read_whole(&good).0);
    let bad = many_bindings(3000);
    let (_, found) = read_in_parts(&bad).expect("cut in six");
    assert_eq!(found.faults.len(), 5 + 3);
    assert_eq!(found.faults, read_whole(&bad).1.faults);
}

#[test]
fn reads_at_once_what_cannot_be_cut() {
    let text = many_bindings(599);
    let (at, number) = text.match_indices("\"44\"").nth(511).unwrap();
    let mut over_lines = text.clone();
    // What looks like the 513th header, where the second part would begin, is inside a string.
    over_lines.replace_range(at..at + number.len(), "\"\"\"\\\n[[binding]]\"\"\"");
    for (case, text) in [
        ("few bindings", many_bindings(500)),
        ("a string over lines", over_lines),
        ("no TOML", format!("{text}[[binding]]\nendpoint = \"masking\n")),
        ("bindings in two forms", format!("binding = []\n{text}")),
    ] {
        assert!(read_in_parts(&text).is_none(), "{case}");
    }
    let refusal = refusal(&format!("{text}[[binding]]\nendpoint = \"masking\n"));
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
}

proptest! {
    /// A spoilt file is refused, each line beginning with its name, or read; it never ends the process.
    #[test]
    fn survives_any_damage(
        cuts in prop::collection::vec((0_usize..3000, 0_usize..40, "[\\PC\n\"\\[\\]{}=,0-9]{0,6}"), 1..8),
    ) {
        let mut text: Vec<char> = include_str!("../../../../configs/mediator.toml").chars().collect();
        for (at, length, insert) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = Config::parse("test.toml", &text) {
            prop_assert!(error.to_string().lines().all(|line| line.starts_with("test.toml:")));
        }
    }
}
