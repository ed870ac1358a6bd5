//! Rules of opening a folder: what is told, and that nothing is overwritten.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use mediator_model::Secret;
use mediator_store::record::EndpointRecord;
use mediator_store::{Location, OpenError, Opened, SqliteStore};

use crate::suite;
use crate::suite::fixtures::*;
use crate::suite::writes::snapshot;

fn open(folder: &Path) -> Result<Opened, OpenError> {
    SqliteStore::open(&Location::Folder(folder.to_owned()))
}

fn start(folder: &Path) -> Backend<SqliteStore> {
    let notes = Arc::new(Notes::default());
    let store = open(folder).unwrap().start(Arc::clone(&notes) as _).unwrap();
    Backend { store, notes, _keep: Box::new(()) }
}

/// A store that holds a binding and a secret.
fn filled(folder: &Path) {
    let backend = start(folder);
    backend.put(binding(sid(), "15162065346"));
    backend.put(EndpointRecord { password: Some(Secret::new("hidden-words")), ..endpoint("a") });
}

fn refusal(folder: &Path) -> OpenError {
    match open(folder) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

/// Refused twice in the same way, and every file as it was.
fn is_refused_and_untouched(folder: &Path) -> OpenError {
    let files = |folder: &Path| -> Vec<_> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_none_or(|end| end != "lock" && end != "db-shm"))
            .map(|path| (fs::read(&path).unwrap(), path))
            .filter(|(bytes, path)| !(bytes.is_empty() && path.ends_with("mediator.db-wal")))
            .collect();
        files.sort();
        files
    };
    let before = files(folder);
    let error = refusal(folder);
    assert_eq!(refusal(folder), error);
    assert!(files(folder) == before, "a file was changed: {error}");
    error
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("not/there?yet%");
    filled(&nested);
    let backend = start(&nested);
    let (revision, records) = snapshot(&backend);
    assert_eq!((revision, records.len()), (2, 2));
    assert_eq!(backend.put(binding(sid(), "15162065347")), 3);
    let mode = |name: &str| fs::metadata(nested.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("secret.key"), mode("mediator.db"), mode("mediator.db-wal")),
        (0o600, 0o600, 0o600)
    );
    let stored = fs::read(nested.join("mediator.db")).unwrap();
    assert!(!stored.windows(12).any(|bytes| bytes == b"hidden-words"));
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path());
    assert!(matches!(refusal(folder.path()), OpenError::Locked { .. }));
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let database = folder.path().join("mediator.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[60..64].copy_from_slice(&9_u32.to_be_bytes());
    fs::write(&database, bytes).unwrap();
    let error = is_refused_and_untouched(folder.path());
    assert!(matches!(error, OpenError::Newer { found: 9, known: 1, .. }), "{error}");
}

#[test]
fn damage_is_told() {
    type Damage = fn(&mut Vec<u8>);
    let rows: [(&str, Damage); 6] = [
        ("no SQLite database", |bytes| bytes[..4].fill(b'x')),
        ("too short", |bytes| bytes.truncate(50)),
        ("its end is missing", |bytes| bytes.truncate(3 * 4096)),
        ("another program's", |bytes| bytes[68..72].fill(1)),
        ("damaged", |bytes| bytes[4096..].fill(0)),
        ("damaged", |bytes| bytes[100..4096].fill(0xff)),
    ];
    for (says, damage) in rows {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let database = folder.path().join("mediator.db");
        let mut bytes = fs::read(&database).unwrap();
        damage(&mut bytes);
        fs::write(&database, bytes).unwrap();
        let error = is_refused_and_untouched(folder.path());
        let OpenError::Corrupt { cause, .. } = &error else { panic!("{error:?}") };
        assert!(cause.contains(says), "{error}");
    }
}

#[test]
fn a_lost_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let key = folder.path().join("secret.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let error = is_refused_and_untouched(folder.path());
    assert!(error.to_string().contains("secret.key"), "{error}");
    fs::write(&key, "short").unwrap();
    assert!(refusal(folder.path()).to_string().contains("32 bytes"));
    fs::write(&key, kept).unwrap();
    assert_eq!(snapshot(&start(folder.path())).1.len(), 2);
}

#[test]
fn a_folder_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mediator.db.new"), "half a database").unwrap();
    fs::write(folder.path().join("mediator.db"), "").unwrap();
    filled(folder.path());
    assert_eq!(snapshot(&start(folder.path())).1.len(), 2);
}

/// The folder of format 1 that the first release wrote: it opens for ever.
#[test]
fn a_folder_of_format_1_opens() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1");
    let folder = tempfile::tempdir().unwrap();
    for name in ["mediator.db", "secret.key"] {
        fs::copy(data.join(name), folder.path().join(name)).unwrap();
    }
    let backend = start(folder.path());
    let (revision, mut records) = snapshot(&backend);
    let shown: Vec<String> =
        records.iter().map(|record| format!("{} {}", record.kind(), record.sid())).collect();
    let expected = fs::read_to_string(data.join("objects.txt")).unwrap();
    assert_eq!(shown, expected.lines().collect::<Vec<_>>());
    assert_eq!(revision, 9);
    let endpoint = records.swap_remove(0);
    let mediator_store::Record::Endpoint(endpoint) = endpoint else { panic!("{endpoint:?}") };
    assert_eq!(endpoint.password, Some(Secret::new("a secret of format 1")));
    backend.put(binding(sid(), "15162065399"));
}

/// Writes the folder of format 1 anew where `STORE_WRITE_V1` names a folder: how the committed one was made.
#[test]
fn the_folder_of_format_1_can_be_written() {
    let Some(folder) = std::env::var_os("STORE_WRITE_V1") else { return };
    let folder = Path::new(&folder);
    let backend = start(folder);
    for record in suite::objects::one_of_each() {
        backend.op(mediator_store::Op::Create(record)).unwrap();
    }
    let lines: Vec<String> = snapshot(&backend)
        .1
        .iter()
        .map(|record| format!("{} {}\n", record.kind(), record.sid()))
        .collect();
    fs::write(folder.join("objects.txt"), lines.concat()).unwrap();
}
