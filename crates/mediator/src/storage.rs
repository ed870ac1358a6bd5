//! The store of a config: opened, loaded into memory, and provisioned with the file's objects.

use std::sync::Arc;

use mediator_model::UnixMillis;
use mediator_store::record::DialoutRecord;
use mediator_store::{Calls, Location, OpenError, ReadError, SqliteStore, Store, Versioned};
use mediator_table::{DuplicateKey, Gate};

use crate::config::{Config, StorePlace};
use crate::memory::{Loaded, Loading, Memory};
use crate::metrics::{CountedStore, StoreMetrics};
use crate::provision::{Picture, ProvisionError, Provisioned, provision};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It cannot be opened.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// It holds two bindings that exclude each other.
    #[error("the store is damaged: {0}: restore a backup, or set store.url to an empty folder")]
    Bindings(#[from] DuplicateKey),
    /// The file's objects do not fit to what it holds.
    #[error("{0}")]
    Provision(#[from] ProvisionError),
}

/// A store at work.
pub struct Storage {
    /// Objects.
    pub store: Arc<dyn Store>,
    /// Call records and deliveries.
    pub calls: Arc<dyn Calls>,
    /// The objects in memory, which follow the store.
    pub memory: Arc<Memory>,
    /// The dialouts that it held at start.
    pub dialouts: Vec<Versioned<Arc<DialoutRecord>>>,
    /// Its counts.
    pub metrics: StoreMetrics,
    /// What the file changed in it.
    pub provisioned: Provisioned,
}

impl Storage {
    /// Opens the config's store and provisions the config's objects. Takes as long as the disk does.
    pub fn open(config: &Config, gate: Arc<Gate>, now: UnixMillis) -> Result<Self, StorageError> {
        let location = match &config.store.place {
            StorePlace::Folder(folder) => Location::Folder(folder.clone()),
            StorePlace::Memory => Location::Memory,
        };
        let opened = SqliteStore::open(&location)?;
        let mut picture = Picture::of(&config.objects);
        let mut loading = Loading::default();
        opened.snapshot(now, &mut |object| {
            picture.add(&object);
            loading.add(object);
        })?;
        let Loaded { memory, dialouts } = loading.finish(gate, now)?;
        let memory = Arc::new(memory);
        let sqlite = Arc::new(opened.start(memory.clone())?);
        let counted = CountedStore::new(sqlite.clone());
        let metrics = counted.metrics();
        let store: Arc<dyn Store> = Arc::new(counted);
        let objects = (&config.objects, &config.core);
        let provisioned = provision(&*store, objects, picture, now)?;
        Ok(Self { store, calls: sqlite, memory, dialouts, metrics, provisioned })
    }
}
