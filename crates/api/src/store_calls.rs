//! The store's doors for handlers: writes are awaited, reads run on a thread that may wait for a disk.

use std::sync::Arc;

use mediator_store::query::Query;
use mediator_store::{Calls, Committed, ReadError, Refused, Store, Write};
use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::page::{self, PageArgs};
use crate::ports::Backend;

/// Asks for a write and waits until it is durable or refused.
pub(crate) async fn try_write(backend: &Backend, write: Write) -> Result<Committed, Refused> {
    let (told, outcome) = oneshot::channel();
    // A handler that is gone (its client hung up) wants no answer.
    let done = Box::new(move |result| drop(told.send(result)));
    backend.store.submit(write, done);
    outcome.await.unwrap_or_else(|_| Err(Refused::Failed("it has ended".into())))
}

/// As [`try_write`], with the refusal as an answer.
pub(crate) async fn write(backend: &Backend, write: Write) -> Result<Committed, Fault> {
    try_write(backend, write).await.map_err(Fault::from)
}

/// Reads objects, on a thread that may wait.
pub(crate) async fn read<T: Send + 'static>(
    backend: &Backend,
    read: impl FnOnce(&dyn Store) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let store = Arc::clone(&backend.store);
    waiting(move || read(&*store)).await.map_err(Fault::from)
}

/// Reads a page of objects; a filter or order that the store cannot answer is the client's fault.
pub(crate) async fn read_page<T: Send + 'static>(
    backend: &Backend,
    page: &PageArgs,
    read: impl FnOnce(&dyn Store, &Query) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let (store, query) = (Arc::clone(&backend.store), page.query.clone());
    let result = waiting(move || read(&*store, &query)).await;
    result.map_err(|error| page::blame(&page.query, error))
}

/// Reads a page of call records, likewise.
pub(crate) async fn read_calls_page<T: Send + 'static>(
    backend: &Backend,
    page: &PageArgs,
    read: impl FnOnce(&dyn Calls, &Query) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let (calls, query) = (Arc::clone(&backend.calls), page.query.clone());
    let result = waiting(move || read(&*calls, &query)).await;
    result.map_err(|error| page::blame(&page.query, error))
}

/// Reads call records and deliveries, on a thread that may wait.
pub(crate) async fn read_calls<T: Send + 'static>(
    backend: &Backend,
    read: impl FnOnce(&dyn Calls) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let calls = Arc::clone(&backend.calls);
    waiting(move || read(&*calls)).await.map_err(Fault::from)
}

async fn waiting<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    let result = tokio::task::spawn_blocking(read).await;
    result.unwrap_or_else(|_| Err(ReadError::Failed("the read ended early".into())))
}
