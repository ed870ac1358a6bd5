//! What every handler has at hand.

use std::sync::Arc;

use mediator_model::UnixMillis;

use crate::auth::Logins;
use crate::mediator::Desk;
use crate::ports::Backend;
use crate::settings::Settings;
use crate::turns::Turns;

/// What every handler has at hand; cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    /// The store, the catalog, the process.
    pub(crate) backend: Backend,
    /// The operator's decisions.
    pub(crate) settings: Arc<Settings>,
    /// Who logged in lately, and who failed to.
    pub(crate) logins: Arc<Logins>,
    /// What requests that make bindings at the same time share.
    pub(crate) desk: Arc<Desk>,
    /// Who may change which object.
    pub(crate) turns: Arc<Turns>,
}

impl AppState {
    pub(crate) fn new(backend: Backend, settings: Settings) -> Self {
        Self {
            backend,
            settings: Arc::new(settings),
            logins: Arc::new(Logins::new()),
            desk: Arc::default(),
            turns: Arc::default(),
        }
    }

    /// The wall clock.
    pub(crate) fn now(&self) -> UnixMillis {
        self.backend.process.now()
    }
}
