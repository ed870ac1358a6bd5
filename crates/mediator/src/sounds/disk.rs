//! Fetched files on the disk, up to a number of bytes; they outlive the process.
//!
//! A file's name is a digest of its URL, which is not written anywhere, for it may carry credentials. It begins with a line of
//! JSON about what follows. It is written aside and then renamed, and its digest is compared when it is read: one that is
//! damaged is as good as none. When it was last found to be right is its time of modification.

use std::fmt::Write as _;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hashbrown::HashMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fetch::{About, Validators};

/// The layout of the files; others are left alone and not read.
const VERSION: u64 = 1;
/// How the names of cached files end.
const ENDING: &str = ".sound";
/// How the names of files end that are being written.
const UNFINISHED: &str = ".part";
/// The longest first line, in bytes.
const MAX_HEADER_BYTES: usize = 8192;
/// The most files.
const MAX_FILES: usize = 20_000;

/// Which bytes they are: their SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ContentId([u8; 32]);

impl ContentId {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A file from the disk.
pub(super) struct Kept {
    pub(super) id: ContentId,
    pub(super) bytes: Bytes,
    pub(super) validators: Validators,
    /// For how much longer it need not be asked for again.
    pub(super) fresh_for: Duration,
}

/// The folder.
pub(super) struct Disk {
    folder: PathBuf,
    max_bytes: u64,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    files: HashMap<Box<str>, Indexed>,
    bytes: u64,
}

struct Indexed {
    bytes: u64,
    changed: SystemTime,
}

impl Disk {
    /// Opens the folder and lets go of what is too much. One that is not there is made when there is something to keep.
    pub(super) fn open(folder: &Path, max_bytes: u64) -> io::Result<Self> {
        let mut index = Index::default();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        for entry in entries.into_iter().flatten() {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.ends_with(UNFINISHED) {
                let _ = fs::remove_file(entry.path());
            } else if name.ends_with(ENDING) {
                let about = entry.metadata()?;
                let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                index.add(name.into(), Indexed { bytes: about.len(), changed });
            }
        }
        let disk = Self { folder: folder.to_owned(), max_bytes, index: Mutex::new(index) };
        disk.make_room(0);
        Ok(disk)
    }

    /// How much is kept, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.index.lock().bytes
    }

    /// The file of a URL; one that is damaged is removed.
    pub(super) fn load(&self, url: &str) -> Option<Kept> {
        let name = name_of(url);
        if !self.index.lock().files.contains_key(&*name) {
            return None;
        }
        let kept = self.read(&name);
        if kept.is_none() {
            self.remove(&name);
        }
        kept
    }

    fn read(&self, name: &str) -> Option<Kept> {
        let path = self.folder.join(name);
        let bytes = Bytes::from(fs::read(&path).ok()?);
        let end = bytes.iter().take(MAX_HEADER_BYTES).position(|byte| *byte == b'\n')?;
        let header: Value = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let body = bytes.slice(end + 1..);
        let id = ContentId::of(&body);
        let is_whole = header.get("version").and_then(Value::as_u64) == Some(VERSION)
            && header.get("sha256").and_then(Value::as_str) == Some(&id.hex());
        if !is_whole {
            return None;
        }
        let text = |key: &str| header.get(key).and_then(Value::as_str).map(Box::from);
        let validators = Validators { etag: text("etag"), last_modified: text("last_modified") };
        let max_age = Duration::from_secs(header.get("max_age").and_then(Value::as_u64)?);
        let changed = fs::metadata(&path).and_then(|about| about.modified()).ok()?;
        // A time that is still to come is a clock that was set back: it says nothing.
        let age = SystemTime::now().duration_since(changed).unwrap_or(max_age);
        Some(Kept { id, bytes: body, validators, fresh_for: max_age.saturating_sub(age) })
    }

    /// Keeps a URL's file in place of the one before.
    pub(super) fn store(&self, url: &str, body: &[u8], about: &About) -> io::Result<()> {
        let name = name_of(url);
        let header = json!({
            "version": VERSION,
            "sha256": ContentId::of(body).hex(),
            "etag": about.validators.etag,
            "last_modified": about.validators.last_modified,
            "max_age": about.max_age.as_secs(),
        })
        .to_string();
        let bytes = (header.len() + 1 + body.len()) as u64;
        if header.len() >= MAX_HEADER_BYTES || bytes > self.max_bytes {
            self.remove(&name);
            return Ok(());
        }
        self.make_room(bytes);
        fs::create_dir_all(&self.folder)?;
        let aside = self.folder.join(format!("{name}{UNFINISHED}"));
        let write = || {
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(header.as_bytes())?;
            file.write_all(b"\n")?;
            file.write_all(body)?;
            drop(file);
            fs::rename(&aside, self.folder.join(&*name))
        };
        write().inspect_err(|_| drop(fs::remove_file(&aside)))?;
        self.index.lock().add(name, Indexed { bytes, changed: SystemTime::now() });
        Ok(())
    }

    /// Lets go of a URL's file.
    pub(super) fn forget(&self, url: &str) {
        self.remove(&name_of(url));
    }

    /// Notes that a URL's file was found to be right just now.
    pub(super) fn touch(&self, url: &str) -> io::Result<()> {
        let name = name_of(url);
        let now = SystemTime::now();
        let file = File::options().write(true).open(self.folder.join(&*name))?;
        file.set_times(FileTimes::new().set_modified(now))?;
        if let Some(indexed) = self.index.lock().files.get_mut(&*name) {
            indexed.changed = now;
        }
        Ok(())
    }

    /// Removes what was right longest ago until so many more bytes fit.
    fn make_room(&self, more: u64) {
        let removed = self.index.lock().make_room(self.max_bytes.saturating_sub(more));
        for name in removed {
            let _ = fs::remove_file(self.folder.join(&*name));
        }
    }

    fn remove(&self, name: &str) {
        self.index.lock().remove(name);
        let _ = fs::remove_file(self.folder.join(name));
    }
}

impl Index {
    fn add(&mut self, name: Box<str>, indexed: Indexed) {
        self.bytes += indexed.bytes;
        if let Some(before) = self.files.insert(name, indexed) {
            self.bytes -= before.bytes;
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(indexed) = self.files.remove(name) {
            self.bytes -= indexed.bytes;
        }
    }

    /// Takes the oldest out until so many bytes, and less than the most files, are left.
    fn make_room(&mut self, max_bytes: u64) -> Vec<Box<str>> {
        if self.bytes <= max_bytes && self.files.len() < MAX_FILES {
            return Vec::new();
        }
        let mut oldest: Vec<(SystemTime, Box<str>)> =
            self.files.iter().map(|(name, indexed)| (indexed.changed, name.clone())).collect();
        oldest.sort_unstable();
        let mut removed = Vec::new();
        for (_, name) in oldest {
            if self.bytes <= max_bytes && self.files.len() < MAX_FILES {
                break;
            }
            self.remove(&name);
            removed.push(name);
        }
        removed
    }
}

fn name_of(url: &str) -> Box<str> {
    format!("{}{ENDING}", ContentId::of(url.as_bytes()).hex()).into()
}
