//! Opening: the folder, its lock, the database's format, the key of secrets. What is wrong is told, never overwritten.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, APPLICATION_ID, FORMAT, TABLES};
use super::seal::Sealer;
use super::stop::remedy;
use crate::traits::OpenError;

/// The database's file.
pub(super) const DATABASE: &str = "mediator.db";
/// The key's file.
const KEY: &str = "secret.key";
/// Who holds this locked has the store open. Locks go with their process, however it ends.
const LOCK: &str = "mediator.lock";

/// A database up to this size is looked through at each start: a few tens of milliseconds.
const CHECKED_BYTES: u64 = 16 * 1024 * 1024;
/// Page cache of the writer's connection, in KiB: it touches a page of every index with each row.
const WRITER_CACHE: i64 = 64 * 1024;
/// Page cache of a reader's.
const READER_CACHE: i64 = 8 * 1024;
/// Statements kept ready on a connection.
const STATEMENTS: usize = 256;

/// A folder that is ours, and its database.
pub(super) struct Folder {
    /// The connection that writes.
    pub(super) conn: Connection,
    /// The key of secrets.
    pub(super) sealer: Sealer,
    /// Held as long as the store is open.
    pub(super) lock: File,
    /// The database's file.
    pub(super) database: PathBuf,
}

/// Opens a folder, and makes it a store where it is empty.
pub(super) fn folder(path: &Path) -> Result<Folder, OpenError> {
    fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
    let lock = lock(path)?;
    let database = path.join(DATABASE);
    let is_new = match fs::metadata(&database) {
        Ok(about) => about.len() == 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(unusable(&database, &error)),
    };
    if is_new {
        create(path, &database)?;
    }
    check_header(&database)?;
    let conn = connect(&database, WRITER_CACHE).map_err(|error| cannot_open(&database, &error))?;
    check_format(&conn, &database)?;
    let sealer = key(&path.join(KEY), &conn)?;
    prepare(&conn).map_err(|error| cannot_open(&database, &error))?;
    settle(&conn).map_err(|error| cannot_open(&database, &error))?;
    Ok(Folder { conn, sealer, lock, database })
}

/// An empty store that ends with its connection.
pub(super) fn memory() -> Result<(Connection, Sealer), OpenError> {
    let cannot =
        |cause: String| OpenError::Unusable { path: "memory:".into(), cause: cause.into() };
    let open = || -> rusqlite::Result<Connection> {
        let conn = Connection::open_in_memory()?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        super::functions::register(&conn)?;
        schema::migrate(&conn, 0)?;
        Ok(conn)
    };
    let conn = open().map_err(|error| cannot(remedy(&error)))?;
    let (sealer, _) = Sealer::random().map_err(|error| cannot(error.to_string()))?;
    Ok((conn, sealer))
}

/// A connection with what every one of ours has. Closed, it leaves the write-ahead log alone: a database that is refused
/// stays as it is on the disk, and the first pragma reads it already.
fn connect(database: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    // No URI: a folder's name may hold "?" and "%".
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    super::functions::register(&conn)?;
    Ok(conn)
}

/// Lets the last connection that closes move the write-ahead log into the database: from here on it is known as good.
fn settle(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(drop)
}

/// A connection that cannot write.
pub(super) fn reader(database: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(database, READER_CACHE)?;
    settle(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(&path).map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: shown(folder) }),
        Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

/// A new database, made beside its place and put there whole: a first start that is cut short leaves none.
fn create(folder: &Path, database: &Path) -> Result<(), OpenError> {
    let new = folder.join("mediator.db.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // SQLite gives its write-ahead log the same rights.
    private(&mut options);
    options.open(&new).map_err(|error| unusable(&new, &error))?;
    let fill = || -> rusqlite::Result<()> {
        let conn = connect(&new, READER_CACHE)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        let step = conn.unchecked_transaction()?;
        schema::migrate(&step, 0)?;
        step.commit()
    };
    fill().map_err(|error| cannot_open(&new, &error))?;
    fs::rename(&new, database).map_err(|error| unusable(database, &error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| unusable(folder, &error))
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Looks at the first bytes before SQLite touches the file: what is no database of ours, or a newer one, stays as it is.
/// (SQLite's file format, §1.3: the format is at 60, the application's id at 68.)
fn check_header(database: &Path) -> Result<(), OpenError> {
    let mut header = [0; 100];
    let read = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(corrupt(database, "it is too short to be a database"));
        }
        Err(error) => return Err(unusable(database, &error)),
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(corrupt(database, "it is no SQLite database"));
    }
    let word = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    check_ids(database, word(68), word(60))?;
    check_length(database, u64::from(word(16) >> 16), u64::from(word(28)))
}

/// A file that lost its end says so in its header (§1.3.8), unless a write-ahead log still holds the rest.
fn check_length(database: &Path, page_bytes: u64, pages: u64) -> Result<(), OpenError> {
    let log = fs::metadata(database.with_extension("db-wal")).map_or(0, |about| about.len());
    let bytes = fs::metadata(database).map_err(|error| unusable(database, &error))?.len();
    // 1 stands for 65,536.
    let page_bytes = if page_bytes == 1 { 65_536 } else { page_bytes };
    if log == 0 && bytes < page_bytes.saturating_mul(pages) {
        return Err(corrupt(database, "its end is missing"));
    }
    Ok(())
}

fn check_ids(database: &Path, application: u32, format: u32) -> Result<(), OpenError> {
    if application != APPLICATION_ID {
        return Err(corrupt(database, "it is another program's database"));
    }
    if format > FORMAT {
        return Err(OpenError::Newer { path: shown(database), found: format, known: FORMAT });
    }
    Ok(())
}

/// As SQLite sees it, write-ahead log included.
fn check_format(conn: &Connection, database: &Path) -> Result<(), OpenError> {
    let ask = |pragma: &str| conn.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    let application = ask("application_id").map_err(|error| cannot_open(database, &error))?;
    let format = ask("user_version").map_err(|error| cannot_open(database, &error))?;
    check_ids(database, application, format)?;
    if format == FORMAT {
        check_tables(conn, database)?;
    }
    let bytes = fs::metadata(database).map_err(|error| unusable(database, &error))?.len();
    if bytes <= CHECKED_BYTES {
        let found: String = conn
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| cannot_open(database, &error))?;
        if found != "ok" {
            return Err(corrupt(database, "its pages are damaged"));
        }
    }
    Ok(())
}

fn check_tables(conn: &Connection, database: &Path) -> Result<(), OpenError> {
    let found = || -> rusqlite::Result<Vec<String>> {
        conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let found = found().map_err(|error| cannot_open(database, &error))?;
    let lacks = TABLES.iter().find(|table| !found.iter().any(|name| name == *table));
    match lacks {
        None => Ok(()),
        Some(table) => Err(corrupt(database, &format!("it lacks the table {table}"))),
    }
}

fn key(path: &Path, conn: &Connection) -> Result<Sealer, OpenError> {
    if let Some(sealer) = Sealer::read(path).map_err(|error| unusable(path, &error))? {
        return Ok(sealer);
    }
    let has_secrets: bool = conn
        .query_row("SELECT EXISTS (SELECT 1 FROM objects WHERE sealed IS NOT NULL)", [], |row| {
            row.get(0)
        })
        .map_err(|error| cannot_open(path, &error))?;
    if has_secrets {
        let cause = "it is missing, and the passwords in the store open with no other key";
        return Err(corrupt(path, cause));
    }
    Sealer::create(path).map_err(|error| unusable(path, &error))
}

fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    let from = conn.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
    if from < FORMAT {
        let step = conn.unchecked_transaction()?;
        schema::migrate(&step, from)?;
        step.commit()?;
        // The header tells the format to whoever looks without SQLite.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

fn shown(path: &Path) -> Box<str> {
    path.display().to_string().into()
}

fn unusable(path: &Path, error: &io::Error) -> OpenError {
    let cause = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{error}: let this process write there, or set store.url to another folder")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!("{error}: set store.url to a folder")
        }
        io::ErrorKind::StorageFull => format!("{error}: free some space"),
        _ => error.to_string(),
    };
    OpenError::Unusable { path: shown(path), cause: cause.into() }
}

fn corrupt(path: &Path, cause: &str) -> OpenError {
    OpenError::Corrupt { path: shown(path), cause: cause.into() }
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => corrupt(path, "it is damaged"),
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => OpenError::Locked { path: shown(path) },
        _ => OpenError::Unusable { path: shown(path), cause: remedy(error).into() },
    }
}
