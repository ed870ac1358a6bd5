//! From a name to the addresses to try: RFC 3263 over the DNS.
//!
//! The rules are pure ([`locate`]); here is who answers their questions. In turn: a table
//! ([`Zone`]), what failed a moment ago, the same question under way for somebody else, the DNS with
//! its cache. Every lookup has a time limit, and there are never more than so many at once.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use rand_core::RngCore;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

mod reach;
mod records;
mod rfc3263;
#[cfg(test)]
mod tests;
mod upstream;
mod zone;

pub use reach::Reach;
pub use records::{Answer, DnsName, Naptr, Question, Srv};
pub use rfc3263::{
    Candidate, Known, LocateError, MAX_CANDIDATES, Progress, Target, TargetHost, locate,
};
pub use upstream::ResolverError;
use upstream::{Dns, Upstream};
pub use zone::{Zone, ZoneError, ZoneFault};

/// Limits of the [`Resolver`].
#[derive(Clone, Debug)]
pub struct ResolverSettings {
    /// One question, with its repetition and the wait for its turn. Default 2 s.
    pub lookup_timeout: Duration,
    /// Questions to the DNS at once; further ones wait for their turn. Default 64.
    pub max_lookups: usize,
    /// Different questions waiting or under way; further ones fail at once. Default 1024.
    pub max_waiting: usize,
    /// A question that failed is not asked again for so long. Default 5 s.
    pub failure_ttl: Duration,
}

impl Default for ResolverSettings {
    fn default() -> Self {
        Self {
            lookup_timeout: Duration::from_secs(2),
            max_lookups: 64,
            max_waiting: 1024,
            failure_ttl: Duration::from_secs(5),
        }
    }
}

/// What the resolver has seen since its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResolverCounts {
    /// Questions handed to the DNS (its cache answers most).
    pub asked: u64,
    /// Questions without an answer in time, or with an error.
    pub failed: u64,
    /// Questions refused because too many were waiting.
    pub refused: u64,
}

/// Locates SIP servers. One serves all shards.
pub struct Resolver {
    reach: Reach,
    zone: Zone,
    upstream: Option<Box<dyn Upstream>>,
    settings: ResolverSettings,
    turns: Semaphore,
    under_way: Mutex<HashMap<Question, Arc<OnceCell<Answer>>>>,
    failed: Mutex<HashMap<Question, Instant>>,
    asked: AtomicU64,
    failures: AtomicU64,
    refused: AtomicU64,
}

impl Resolver {
    /// A resolver that asks the system's name servers for what `zone` does not know. `reach` is what
    /// our listeners speak.
    pub fn system(
        reach: Reach,
        zone: Zone,
        settings: ResolverSettings,
    ) -> Result<Self, ResolverError> {
        let dns = Dns::system()?;
        Ok(Self::new(reach, zone, Some(Box::new(dns)), settings))
    }

    /// A resolver that asks `servers`.
    pub fn servers(
        servers: &[SocketAddr],
        reach: Reach,
        zone: Zone,
        settings: ResolverSettings,
    ) -> Result<Self, ResolverError> {
        let dns = Dns::servers(servers)?;
        Ok(Self::new(reach, zone, Some(Box::new(dns)), settings))
    }

    /// A resolver that knows what `zone` knows, and no more.
    pub fn offline(reach: Reach, zone: Zone) -> Self {
        Self::new(reach, zone, None, ResolverSettings::default())
    }

    fn new(
        reach: Reach,
        zone: Zone,
        upstream: Option<Box<dyn Upstream>>,
        settings: ResolverSettings,
    ) -> Self {
        Self {
            reach,
            zone,
            upstream,
            turns: Semaphore::new(settings.max_lookups),
            settings,
            under_way: Mutex::default(),
            failed: Mutex::default(),
            asked: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// The candidates for `target` where nothing has to be looked up: numeric addresses, names in the
    /// table. `None` where [`locate`](Self::locate) has to be awaited.
    pub fn locate_now(
        &self,
        target: &Target,
        dice: &mut dyn RngCore,
    ) -> Option<Result<Vec<Candidate>, LocateError>> {
        let mut known = Known::new();
        loop {
            match locate(target, &self.reach, &known, dice) {
                Ok(Progress::Candidates(candidates)) => return Some(Ok(candidates)),
                Err(error) => return Some(Err(error)),
                Ok(Progress::Ask(questions)) => {
                    for question in questions {
                        let answer = self.zone.answer(&question)?;
                        known.insert(question, answer);
                    }
                }
            }
        }
    }

    /// The candidates for `target`, in the order to try. Takes at most three times
    /// [`ResolverSettings::lookup_timeout`], for NAPTR, SRV and addresses.
    pub async fn locate(
        &self,
        target: &Target,
        dice: &mut (dyn RngCore + Send),
    ) -> Result<Vec<Candidate>, LocateError> {
        let mut known = Known::new();
        loop {
            let questions = match locate(target, &self.reach, &known, dice)? {
                Progress::Candidates(candidates) => return Ok(candidates),
                Progress::Ask(questions) => questions,
            };
            let asked = questions.iter().map(|question| self.ask(question)).collect();
            let answers = join_all(asked).await;
            known.extend(questions.into_iter().zip(answers));
        }
    }

    /// What was seen so far.
    pub fn counts(&self) -> ResolverCounts {
        ResolverCounts {
            asked: self.asked.load(Ordering::Relaxed),
            failed: self.failures.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    async fn ask(&self, question: &Question) -> Answer {
        if let Some(answer) = self.zone.answer(question) {
            return answer;
        }
        let Some(upstream) = &self.upstream else { return Answer::Nothing };
        if self.failed_lately(question) {
            return Answer::Failed;
        }
        let Some(shared) = Shared::join(self, question) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Answer::Failed;
        };
        // Where the one that asks is dropped, the next in line asks in its place.
        shared.cell.get_or_init(|| self.ask_upstream(&**upstream, question)).await.clone()
    }

    async fn ask_upstream(&self, upstream: &dyn Upstream, question: &Question) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let in_turn = async {
            let _turn = self.turns.acquire().await;
            upstream.ask(question).await
        };
        let answer = tokio::time::timeout(self.settings.lookup_timeout, in_turn).await;
        let answer = answer.unwrap_or(Answer::Failed);
        if answer == Answer::Failed {
            self.failures.fetch_add(1, Ordering::Relaxed);
            self.remember_failure(question);
        }
        answer
    }

    fn failed_lately(&self, question: &Question) -> bool {
        self.failed.lock().get(question).is_some_and(|until| Instant::now() < *until)
    }

    fn remember_failure(&self, question: &Question) {
        let now = Instant::now();
        let mut failed = self.failed.lock();
        if failed.len() >= self.settings.max_waiting {
            failed.retain(|_, until| now < *until);
        }
        if failed.len() < self.settings.max_waiting {
            failed.insert(question.clone(), now + self.settings.failure_ttl);
        }
    }
}

/// One question under way, with all who wait for its answer.
struct Shared<'a> {
    resolver: &'a Resolver,
    question: &'a Question,
    cell: Arc<OnceCell<Answer>>,
}

impl<'a> Shared<'a> {
    /// Joins whoever asks the same, or begins. `None` when too many questions are under way.
    fn join(resolver: &'a Resolver, question: &'a Question) -> Option<Self> {
        let mut under_way = resolver.under_way.lock();
        let cell = match under_way.get(question) {
            Some(cell) => Arc::clone(cell),
            None if under_way.len() >= resolver.settings.max_waiting => return None,
            None => {
                let cell = Arc::default();
                under_way.insert(question.clone(), Arc::clone(&cell));
                cell
            }
        };
        Some(Self { resolver, question, cell })
    }
}

impl Drop for Shared<'_> {
    /// An answer is for those who waited; who comes later asks the cache. A question without an
    /// answer stays for as long as somebody waits.
    fn drop(&mut self) {
        let mut under_way = self.resolver.under_way.lock();
        let Some(current) = under_way.get(self.question) else { return };
        let last = Arc::strong_count(&self.cell) == 2; // ours and the table's
        if Arc::ptr_eq(current, &self.cell) && (self.cell.initialized() || last) {
            under_way.remove(self.question);
        }
    }
}

/// Waits for all of a few futures at once.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, output) in waiting.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
