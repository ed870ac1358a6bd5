//! Connections for reading: a few beside the writer's, or in memory the writer's own.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

/// Where reads go.
pub(super) enum Reads {
    /// Connections of their own: they see the newest commit and wait for nobody.
    Pool(Pool),
    /// The one connection of a store in memory; a read waits for the group that is being written.
    Shared(Arc<Mutex<Connection>>),
}

impl Reads {
    /// Reads, in one picture of the store: nothing that is written meanwhile shows.
    pub(super) fn with<R, E: From<rusqlite::Error>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, E>,
    ) -> Result<R, E> {
        match self {
            Self::Pool(pool) => in_one_picture(&pool.borrow(), read),
            Self::Shared(conn) => in_one_picture(&conn.lock(), read),
        }
    }
}

fn in_one_picture<R, E: From<rusqlite::Error>>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<R, E>,
) -> Result<R, E> {
    // Dropped without a commit, for there is nothing to commit.
    let picture = conn.unchecked_transaction()?;
    read(&picture)
}

/// A fixed number of connections; who finds none waits.
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Pool {
    /// A pool of these.
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self { idle: Mutex::new(connections), returned: Condvar::new() }
    }

    fn borrow(&self) -> Borrowed<'_> {
        let mut idle = self.idle.lock();
        loop {
            if let Some(conn) = idle.pop() {
                return Borrowed { pool: self, conn: Some(conn) };
            }
            self.returned.wait(&mut idle);
        }
    }
}

/// A connection that goes back by itself, whatever became of the read.
struct Borrowed<'a> {
    pool: &'a Pool,
    conn: Option<Connection>,
}

impl std::ops::Deref for Borrowed<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn.as_ref().expect("it is taken out only when this is dropped")
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.pool.idle.lock().push(conn);
            self.pool.returned.notify_one();
        }
    }
}
