//! The end in order: running, then draining, then ending. Whoever serves calls watches the phase.

use tokio::sync::watch;

/// How far the process is on its way to its end. It never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Phase {
    /// Calls are taken.
    #[default]
    Running,
    /// New calls get 503; those up go on.
    Draining,
    /// Those still up get BYE.
    Ending,
}

/// The one hand on the phase.
#[derive(Debug, Default)]
pub struct Shutdown {
    phase: watch::Sender<Phase>,
}

impl Shutdown {
    /// Goes on to `phase`; a phase that is over stays over.
    pub fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|own| {
            let later = phase > *own;
            *own = (*own).max(phase);
            later
        });
    }

    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// A watch on the phase, for one shard or handler.
    pub fn watch(&self) -> PhaseWatch {
        PhaseWatch { phase: self.phase.subscribe() }
    }
}

/// Sees the phase change.
#[derive(Clone, Debug)]
pub struct PhaseWatch {
    phase: watch::Receiver<Phase>,
}

impl PhaseWatch {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the phase changes, and gives the new one. Where nobody can change it any more, it is the last one.
    pub async fn changed(&mut self) -> Phase {
        match self.phase.changed().await {
            Ok(()) => *self.phase.borrow_and_update(),
            Err(_) => Phase::Ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_back() {
        let shutdown = Shutdown::default();
        let watch = shutdown.watch();
        assert_eq!(watch.phase(), Phase::Running);
        shutdown.advance(Phase::Ending);
        shutdown.advance(Phase::Draining);
        assert_eq!(watch.phase(), Phase::Ending);
    }

    #[test]
    fn wakes_who_watches() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shutdown = Shutdown::default();
            let mut watch = shutdown.watch();
            let waiting = tokio::spawn(async move { watch.changed().await });
            tokio::task::yield_now().await;
            shutdown.advance(Phase::Draining);
            assert_eq!(waiting.await.unwrap(), Phase::Draining);
            let mut orphan = shutdown.watch();
            drop(shutdown);
            assert_eq!(orphan.changed().await, Phase::Ending);
        });
    }
}
