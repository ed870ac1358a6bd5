//! Moves what the write-ahead log holds into the database, beside the writer, so that a commit waits for one sync alone.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::stop::remedy;
use super::writer::Written;

/// Pages (4 KiB) in the log from which it is moved.
const BEGIN: i64 = 2_048;
/// Pages from which the writer moves the rest itself, so that the log can begin anew: without this it would grow for as
/// long as writes never pause.
const FINISH: i64 = 16_384;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    None,
    Move,
    End,
}

/// The thread that moves.
pub(super) struct Checkpointer {
    wish: Arc<(Mutex<Wish>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Begins, with a connection of its own.
    pub(super) fn start(conn: Connection) -> std::io::Result<Self> {
        let wish = Arc::new((Mutex::new(Wish::None), Condvar::new()));
        let heard = Arc::clone(&wish);
        let thread =
            std::thread::Builder::new().name("store-checkpoint".to_owned()).spawn(move || {
                while wait(&heard) {
                    run(&conn);
                }
            })?;
        Ok(Self { wish, thread: Some(thread) })
    }

    /// What the writer does after each group.
    pub(super) fn hook(&self) -> Written {
        let wish = Arc::clone(&self.wish);
        Box::new(move |conn| match frames(conn) {
            Ok((all, moved)) if all >= FINISH && all - moved < all / 4 => run(conn),
            Ok((all, moved)) if all - moved >= BEGIN => {
                let mut wanted = wish.0.lock();
                if *wanted == Wish::None {
                    *wanted = Wish::Move;
                    wish.1.notify_one();
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(cause = remedy(&error), "the log's length is not known"),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        *self.wish.0.lock() = Wish::End;
        self.wish.1.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's checkpoints ended before the store");
        }
    }
}

fn wait((wish, heard): &(Mutex<Wish>, Condvar)) -> bool {
    let mut wish = wish.lock();
    while *wish == Wish::None {
        heard.wait(&mut wish);
    }
    let goes_on = *wish == Wish::Move;
    if goes_on {
        *wish = Wish::None;
    }
    goes_on
}

/// Pages in the log, and how many of them were moved.
fn frames(conn: &Connection) -> rusqlite::Result<(i64, i64)> {
    conn.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

/// Moves as much as nobody reads; waits for nobody.
fn run(conn: &Connection) {
    let moved = conn
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut statement| statement.query_row([], |_| Ok(())));
    if let Err(error) = moved {
        tracing::warn!(cause = remedy(&error), "the log could not be moved into the database");
    }
}
