//! Media threads: each owns the sockets and the relay of its share of the calls.
//!
//! A call belongs to the thread that its sid names, so orders and packets of one call never meet on two threads. Engines
//! order through [`MediaOrders`]; what comes of it goes back to the shard that ordered. Sounds are found on threads of
//! their own, see [`TrackSource`].

mod counts;
mod inbox;
mod thread;
mod tracks;

#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

use hashbrown::HashMap;
use mediator_call::io::Input;
use mediator_media::{Figures, Order, Relay, RelaySetup};
use mediator_model::Sid;
use mediator_net::{Clock, Post, RtpPoller, RtpPorts};
use mediator_sound::CodecEars;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use counts::MediaMetrics;
pub use tracks::TrackSource;

use counts::Published;
use inbox::{Command, FiguresAsked, MediaPost};
use thread::{MediaThread, ThreadParts};
use tracks::Tracks;

/// Threads, unless the config says how many: media is a small share of what a core can do.
const MAX_DEFAULT_THREADS: usize = 4;
/// How long figures of live calls are waited for.
const FIGURES_WAIT: Duration = Duration::from_millis(100);
/// The most threads that sounds are found with: few decode, but names that no server answers for take a thread each while
/// they are looked up, and tones must not wait for them.
const SOUND_THREADS: usize = 32;

/// What media is made of.
pub struct MediaParts {
    /// How many threads; `None`: half as many as cores, four at most.
    pub threads: Option<u16>,
    /// Every address at which media sockets of this process are reached.
    pub addresses: Vec<IpAddr>,
    /// The pairs of ports.
    pub ports: Arc<RtpPorts>,
    /// Where sounds come from.
    pub sounds: Arc<dyn TrackSource>,
    /// The clock.
    pub clock: Clock,
}

/// Why media cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A thread, a poller or a runtime.
    #[error("cannot start a media thread: {0}")]
    System(#[from] io::Error),
    /// Random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(#[from] getrandom::Error),
}

/// The way to all media threads; cheap to clone.
#[derive(Clone)]
pub struct Media {
    threads: Arc<[MediaPost]>,
    metrics: MediaMetrics,
    /// Finds sounds as long as media runs.
    _sounds: Arc<Background>,
}

/// A runtime that may be dropped by a task of another one: nobody waits for what it does.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Media {
    /// Starts the threads; they end with the process.
    pub fn start(parts: MediaParts) -> Result<Self, MediaError> {
        let MediaParts { threads, addresses, ports, sounds, clock } = parts;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(SOUND_THREADS)
            .thread_name("sounds")
            .enable_all()
            .build()?;
        let tracks = Tracks { source: sounds, runtime: runtime.handle().clone() };
        let (mut posts, mut published) = (Vec::new(), Vec::new());
        for at in 0..threads.map_or_else(default_threads, usize::from).max(1) {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)?;
            let own = Arc::new(Published::default());
            published.push(own.clone());
            let setup = RelaySetup {
                seed,
                addresses: addresses.clone(),
                ports: 1..=u16::MAX,
                ears: Arc::new(CodecEars),
            };
            let mut relay = Relay::new(setup);
            relay.watch(ports.bound());
            let (ports, tracks) = (ports.clone(), tracks.clone());
            posts.push(seat(at, clock, ThreadParts { relay, ports, tracks, published: own })?);
        }
        let metrics = MediaMetrics { threads: published, ports };
        Ok(Self { threads: posts.into(), metrics, _sounds: Arc::new(Background(Some(runtime))) })
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// What they count.
    pub fn metrics(&self) -> MediaMetrics {
        self.metrics.clone()
    }

    /// The way for one shard, which is told at `shard`.
    pub fn orders(&self, shard: Post<Input>) -> MediaOrders {
        MediaOrders { threads: self.threads.clone(), shard }
    }

    /// What was counted so far of the calls that have a session. Whose thread does not say in time is left out.
    pub async fn figures(&self, calls: &[Sid]) -> HashMap<Sid, [Figures; 2]> {
        let mut asked: Vec<Vec<Sid>> = vec![Vec::new(); self.threads.len()];
        for call in calls {
            if let Some(of_thread) = asked.get_mut(place(*call, self.threads.len())) {
                of_thread.push(*call);
            }
        }
        let mut answers = Vec::new();
        for (thread, calls) in self.threads.iter().zip(asked) {
            if !calls.is_empty() {
                let (answer, answered) = oneshot::channel();
                let found = Vec::with_capacity(calls.len());
                thread.post(Command::Figures(FiguresAsked { calls, found, answer }));
                answers.push(answered);
            }
        }
        let mut all = HashMap::with_capacity(calls.len());
        let gather = async {
            for answered in answers {
                all.extend(answered.await.unwrap_or_default());
            }
        };
        // Late is as good as never: the list must not wait for a busy thread.
        let _ = timeout(FIGURES_WAIT, gather).await;
        all
    }
}

/// Starts one thread; the way to it.
fn seat(at: usize, clock: Clock, parts: ThreadParts) -> io::Result<MediaPost> {
    let (ready, begun) = sync_channel(1);
    Builder::new().name(format!("media-{at}")).spawn(move || {
        // A poller stays on the thread that made it.
        let (poller, waker) = match RtpPoller::new(clock) {
            Ok(made) => made,
            Err(cause) => return drop(ready.send(Err(cause))),
        };
        let inbox = MediaPost::new(waker);
        if ready.send(Ok(inbox.clone())).is_ok() {
            MediaThread::new(parts, poller, inbox).run();
        }
    })?;
    begun.recv().map_err(io::Error::other)?
}

/// One shard's way to the media threads.
#[derive(Clone)]
pub struct MediaOrders {
    threads: Arc<[MediaPost]>,
    shard: Post<Input>,
}

impl MediaOrders {
    /// Hands an order to the thread of its call; what comes of it comes to the shard.
    pub fn give(&self, order: Order) {
        if let Some(thread) = self.threads.get(place(order.call(), self.threads.len())) {
            thread.post(Command::Order { order, shard: self.shard.clone() });
        }
    }
}

/// The thread of a call: sids are random.
fn place(call: Sid, threads: usize) -> usize {
    call.as_u128() as u32 as usize % threads.max(1)
}

/// Half the cores: one thread relays thousands of calls, and packets that two threads share wake both of them up, for up to
/// twice the time a packet (`benches/media --threads`).
fn default_threads() -> usize {
    let cores = available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, MAX_DEFAULT_THREADS)
}
