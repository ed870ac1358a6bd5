//! The suite on SQLite, in a folder and in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cloned_ref_to_slice_refs)]

mod opening;
#[path = "../suite/mod.rs"]
mod suite;

use std::sync::Arc;

use mediator_store::{Location, Opened, SqliteStore};
use suite::fixtures::{Backend, Notes};

fn start(opened: Opened, keep: Box<dyn std::any::Any + Send + Sync>) -> Backend<SqliteStore> {
    let notes = Arc::new(Notes::default());
    let store = opened.start(Arc::clone(&notes) as _).unwrap();
    Backend { store, notes, _keep: keep }
}

fn memory() -> Backend<SqliteStore> {
    start(SqliteStore::open(&Location::Memory).unwrap(), Box::new(()))
}

fn folder() -> Backend<SqliteStore> {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Folder(folder.path().to_owned());
    start(SqliteStore::open(&location).unwrap(), Box::new(folder))
}

mod in_memory {
    crate::suite::on!(crate::memory);
}

mod in_a_folder {
    crate::suite::on!(crate::folder);
}
