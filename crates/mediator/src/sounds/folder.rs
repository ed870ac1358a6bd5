//! Files of the media folder, and of nowhere else.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use mediator_sound::MAX_FILE_BYTES;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// It is not there, or may not be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// A link leads out of the folder.
    #[error("it is a link that leads out of media.folder")]
    Outside,
    /// A folder, a pipe, or a device.
    #[error("it is no file")]
    NoFile,
    /// Larger than is looked at.
    #[error("it is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
}

/// Which state of a file it is: a file that was replaced has another one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct FileState {
    path: PathBuf,
    changed: Option<SystemTime>,
    bytes: u64,
}

/// Finds a file in the folder; `relative` has no way out, but links may. A `file:` URL may name the folder, too, for such
/// URLs are absolute elsewhere: `srv/media/a.wav` is `a.wav` where the folder is `/srv/media`.
pub(super) fn find(folder: &Path, relative: &Path) -> Result<FileState, FolderError> {
    let named = std::path::absolute(folder)?;
    let folder = fs::canonicalize(folder)?;
    let absolute = Path::new("/").join(relative);
    let inside =
        [&named, &folder].into_iter().find_map(|folder| absolute.strip_prefix(folder).ok());
    let path = fs::canonicalize(folder.join(inside.unwrap_or(relative)))?;
    if !path.starts_with(&folder) {
        return Err(FolderError::Outside);
    }
    let about = fs::metadata(&path)?;
    // Asked before it is opened: to open a pipe is to wait for its writer.
    if !about.is_file() {
        return Err(FolderError::NoFile);
    }
    if about.len() > MAX_FILE_BYTES as u64 {
        return Err(FolderError::TooLarge);
    }
    Ok(FileState { path, changed: about.modified().ok(), bytes: about.len() })
}

/// Reads a file that was found.
pub(super) fn read(found: &FileState) -> Result<Bytes, FolderError> {
    let mut bytes = Vec::new();
    // It may have grown meanwhile.
    File::open(&found.path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_BYTES { Err(FolderError::TooLarge) } else { Ok(bytes.into()) }
}
