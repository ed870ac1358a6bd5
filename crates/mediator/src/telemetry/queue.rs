//! Log lines on their way to a slow sink: whoever logs only appends to a buffer, a thread writes it out.
//!
//! The thread looks again only a moment after it has written, so a busy server wakes it a few dozen times a
//! second and not for each line: waking and writing cost more than all else that a line costs.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes that wait to be written: some 20,000 lines.
const MAX_QUEUED_BYTES: usize = 4 << 20;
/// How long lines gather before they are written, once one was; the first after a silence goes out at once.
const GATHER: Duration = Duration::from_millis(20);

/// The way in; each clone leads to the same sink.
#[derive(Clone, Debug)]
pub(super) struct LineQueue(Arc<Shared>);

/// The thread that writes; dropping it writes what waits and ends the thread.
#[derive(Debug)]
pub(super) struct LineWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// The thread has nothing to do until it is woken.
    is_idle: bool,
    is_closed: bool,
}

/// Starts the thread for `sink`.
pub(super) fn line_queue(sink: impl Write + Send + 'static) -> io::Result<(LineQueue, LineWriter)> {
    let shared = Arc::new(Shared::default());
    let own = Arc::clone(&shared);
    let thread = thread::Builder::new().name("log".into()).spawn(move || own.write_out(sink))?;
    let queue = LineQueue(Arc::clone(&shared));
    Ok((queue, LineWriter { shared, thread: Some(thread) }))
}

impl LineQueue {
    /// How many lines found the queue full.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.text.len() + line.len() > MAX_QUEUED_BYTES {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.text.extend_from_slice(line);
        if std::mem::take(&mut waiting.is_idle) {
            drop(waiting);
            self.wake.notify_one();
        }
    }

    fn write_out(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.text.is_empty() && !waiting.is_closed {
                waiting.is_idle = true;
                self.wake.wait(&mut waiting);
            }
            std::mem::swap(&mut waiting.text, &mut batch);
            let is_closed = waiting.is_closed;
            drop(waiting);
            // Nobody can be told that the log cannot be written.
            let _ = sink.write_all(&batch).and_then(|()| sink.flush());
            batch.clear();
            if is_closed {
                return;
            }
            let mut waiting = self.waiting.lock();
            if !waiting.is_closed {
                self.wake.wait_for(&mut waiting, GATHER);
            }
        }
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.shared.waiting.lock().is_closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends after its last write; a sink that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

/// One event's line: the formatter writes it with one call.
impl Write for &LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineQueue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests;
