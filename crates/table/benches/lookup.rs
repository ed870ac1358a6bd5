//! The binding table beside the structures that it could have been, at 1,000,000 bindings.
//!
//! `cargo bench -p mediator-table` first runs each candidate in a process of its own for what only a fresh heap shows
//! (resident bytes a binding, each insert timed) and prints a line for it; then criterion times lookups. Every lookup
//! returns an `Arc<Binding>` of its own, as the call engine wants it, and keys come in random order.

use std::collections::HashSet;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use criterion::{BenchmarkId, Criterion};
use dashmap::DashMap;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mediator_model::{Binding, BindingKey, Bindings, ClaimWindow, Lookup, Number, Sid, UnixMillis};
use mediator_table::BindingTable;
use parking_lot::Mutex;

const BINDINGS: u64 = 1_000_000;
/// So many callers share a number of ours.
const CALLERS_PER_DID: u64 = 100;
const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// Names the candidate that a child process measures.
const CHILD: &str = "MEDIATOR_BENCH_CHILD";

trait Candidate: Send + Sync {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>>;
    fn put(&self, binding: Arc<Binding>);
    fn remove(&self, binding: &Binding);
}

impl Candidate for BindingTable {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        let Lookup { binding, .. } = self.lookup(key.redirect_did, key.origination_did, NOW)?;
        Some(binding)
    }

    fn put(&self, binding: Arc<Binding>) {
        self.insert(binding, NOW).expect("every key is put once");
    }

    fn remove(&self, binding: &Binding) {
        BindingTable::remove(self, binding.sid);
    }
}

/// The floor: bindings in a list, found by a caller's number that is their place in it. No index can be quicker, for
/// whoever returns an `Arc` of its own touches the binding's memory.
struct Bare {
    list: Mutex<Vec<Arc<Binding>>>,
    first_caller: u64,
}

impl Candidate for Bare {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        let place = key.origination_did?.as_u64().checked_sub(self.first_caller)?;
        let list = self.list.lock();
        list.get(place as usize).filter(|binding| !binding.is_expired(NOW)).cloned()
    }

    fn put(&self, binding: Arc<Binding>) {
        self.list.lock().push(binding);
    }

    fn remove(&self, _: &Binding) {}
}

struct Dash(DashMap<BindingKey, Arc<Binding>, RandomState>);

impl Candidate for Dash {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        self.0.get(&key).filter(|binding| !binding.is_expired(NOW)).map(|binding| binding.clone())
    }

    fn put(&self, binding: Arc<Binding>) {
        self.0.insert(binding.key, binding);
    }

    fn remove(&self, binding: &Binding) {
        self.0.remove(&binding.key);
    }
}

struct Papaya(papaya::HashMap<BindingKey, Arc<Binding>, RandomState>);

impl Candidate for Papaya {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        self.0.pin().get(&key).filter(|binding| !binding.is_expired(NOW)).cloned()
    }

    fn put(&self, binding: Arc<Binding>) {
        self.0.pin().insert(binding.key, binding);
    }

    fn remove(&self, binding: &Binding) {
        self.0.pin().remove(&binding.key);
    }
}

struct Scc(scc::HashIndex<BindingKey, Arc<Binding>, RandomState>);

impl Candidate for Scc {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        self.0.peek_with(&key, |_, binding| (!binding.is_expired(NOW)).then(|| binding.clone()))?
    }

    fn put(&self, binding: Arc<Binding>) {
        assert!(self.0.insert_sync(binding.key, binding).is_ok(), "every key is put once");
    }

    fn remove(&self, binding: &Binding) {
        self.0.remove_sync(&binding.key);
    }
}

/// Hash maps behind pointers that are swapped whole.
struct CopyOnWrite {
    shards: Vec<ArcSwap<HashMap<BindingKey, Arc<Binding>, RandomState>>>,
    hashing: RandomState,
    writer: Mutex<()>,
}

impl CopyOnWrite {
    const SHARDS: usize = 4096;

    fn new() -> Self {
        Self {
            shards: (0..Self::SHARDS).map(|_| ArcSwap::default()).collect(),
            hashing: RandomState::default(),
            writer: Mutex::new(()),
        }
    }

    fn shard(&self, key: &BindingKey) -> &ArcSwap<HashMap<BindingKey, Arc<Binding>, RandomState>> {
        use std::hash::BuildHasher;
        let at = self.hashing.hash_one(key) as usize % Self::SHARDS;
        self.shards.get(at).expect("a remainder is below its divisor")
    }
}

impl Candidate for CopyOnWrite {
    fn find(&self, key: BindingKey) -> Option<Arc<Binding>> {
        self.shard(&key).load().get(&key).filter(|binding| !binding.is_expired(NOW)).cloned()
    }

    fn put(&self, binding: Arc<Binding>) {
        let _one_at_a_time = self.writer.lock();
        let shard = self.shard(&binding.key);
        let mut map = HashMap::clone(&shard.load());
        map.insert(binding.key, binding);
        shard.store(Arc::new(map));
    }

    fn remove(&self, binding: &Binding) {
        let _one_at_a_time = self.writer.lock();
        let shard = self.shard(&binding.key);
        let mut map = HashMap::clone(&shard.load());
        map.remove(&binding.key);
        shard.store(Arc::new(map));
    }
}

const CANDIDATES: [&str; 6] = ["bare", "table", "dashmap", "papaya", "scc", "copy-on-write"];

fn candidate(name: &str) -> Box<dyn Candidate> {
    let random = RandomState::default;
    match name {
        "bare" => Box::new(Bare { list: Mutex::default(), first_caller: number(212, 0).as_u64() }),
        "table" => Box::new(BindingTable::default()),
        "dashmap" => {
            Box::new(Dash(DashMap::with_capacity_and_hasher_and_shard_amount(0, random(), 256)))
        }
        "papaya" => Box::new(Papaya(papaya::HashMap::builder().hasher(random()).build())),
        "scc" => Box::new(Scc(scc::HashIndex::with_hasher(random()))),
        "copy-on-write" => Box::new(CopyOnWrite::new()),
        _ => panic!("no candidate is called {name}"),
    }
}

/// A permutation of 0..n: an odd step and a shift, mixed.
fn shuffled(n: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for at in (1..order.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order
}

fn number(area: u64, n: u64) -> Number {
    Number::from_digits(&format!("1{area}{n:07}")).expect("eleven digits")
}

fn key(n: u64) -> BindingKey {
    BindingKey {
        redirect_did: number(516, n / CALLERS_PER_DID),
        origination_did: Some(number(212, n)),
    }
}

/// Ends between one second and ten days from now, in no order.
fn binding(n: u64) -> Arc<Binding> {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Arc::new(Binding {
        sid: Sid::from_random((u128::from(mixed) << 64) | u128::from(mixed.rotate_left(32) ^ n)),
        account_sid: Sid::from_random(1),
        key: key(n),
        destination_did: number(555, n),
        claim: ClaimWindow::Closed,
        expires: Some((NOW + Duration::from_secs(1 + mixed % 864_000)).into()),
        dtmf: None,
        attributes: None,
    })
}

/// Resident memory of this process in bytes, at 4096 a page.
fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is there on Linux");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u32>().ok());
    f64::from(pages.expect("the second field is a count of pages")) * 4096.0
}

/// `50 % 1.2 us, 99.9 % 3.4 us, worst 5.6 us`
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let micros = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    let last = times.len() - 1;
    let (half, most) = (micros(last / 2), micros(last - last / 1000));
    format!("50 % {half:.2} us, 99.9 % {most:.2} us, worst {:.1} us", micros(last))
}

/// What only a fresh process shows.
fn measure(name: &str) {
    let mut times = vec![Duration::MAX; BINDINGS as usize];
    times.clear();
    let before = resident_bytes();
    let table = candidate(name);
    let spent = resident_bytes() - before;
    for n in 0..BINDINGS {
        let binding = binding(n);
        let start = Instant::now();
        table.put(binding);
        times.push(start.elapsed());
    }
    let used = resident_bytes() - before;
    println!(
        "{name:14} {:6.1} bytes a binding ({:.1} MB empty); insert {}",
        used / 1e6,
        spent / 1e6,
        spread(times)
    );
    measure_lookups(&*table);
    if name == "table" {
        measure_the_rest();
    }
}

/// Medians of short batches, which other processes seldom fall into: figures from a busy machine that can be compared.
fn measure_lookups(table: &dyn Candidate) {
    const BATCH: usize = 200;
    let order = shuffled(BINDINGS);
    let nanos = |keys: &[BindingKey]| {
        let mut times: Vec<Duration> = keys
            .chunks(BATCH)
            .map(|batch| {
                let start = Instant::now();
                let found = batch.iter().filter(|key| table.find(black_box(**key)).is_some());
                black_box(found.count());
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() / part).map_or(0, Duration::as_nanos);
        format!("{} (quick tenth {})", at(2) / BATCH as u128, at(10) / BATCH as u128)
    };
    let known: Vec<BindingKey> = order.iter().map(|n| key(*n)).collect();
    let unknown: Vec<BindingKey> = known.iter().map(stranger_to).collect();
    println!("{:14} lookup ns: hit {}, miss {}", "", nanos(&known), nanos(&unknown));
}

/// Another caller of the same number.
fn stranger_to(key: &BindingKey) -> BindingKey {
    BindingKey { origination_did: Some(key.redirect_did), ..*key }
}

/// Load, sweep and a walk of the table itself.
fn measure_the_rest() {
    let bindings: Vec<_> = (0..BINDINGS).map(binding).collect();
    let start = Instant::now();
    let (table, _) = BindingTable::load(bindings, NOW).expect("all are different");
    println!("{:14} loads 1,000,000 in {:?}", "", start.elapsed());
    let start = Instant::now();
    let sids: HashSet<Sid> = table.iter(NOW).map(|binding| binding.sid).collect();
    println!("{:14} lists {} in {:?}", "", sids.len(), start.elapsed());
    let mut times = Vec::new();
    let start = Instant::now();
    loop {
        let start = Instant::now();
        let swept = table.expire(NOW + Duration::from_hours(24 * 365));
        times.push(start.elapsed());
        if swept.is_empty() {
            break;
        }
    }
    println!("{:14} sweeps all in {:?}; a batch {}", "", start.elapsed(), spread(times));
    assert!(table.is_empty());
}

fn full(name: &str) -> Box<dyn Candidate> {
    let table = candidate(name);
    (0..BINDINGS).map(binding).for_each(|binding| table.put(binding));
    table
}

/// The same keys again and again.
struct Lookups<'a> {
    table: &'a dyn Candidate,
    keys: std::iter::Cycle<std::slice::Iter<'a, BindingKey>>,
}

impl<'a> Lookups<'a> {
    fn new(table: &'a dyn Candidate, keys: &'a [BindingKey]) -> Self {
        Self { table, keys: keys.iter().cycle() }
    }

    fn next(&mut self) -> Option<Arc<Binding>> {
        self.table.find(black_box(*self.keys.next()?))
    }
}

fn lookups(criterion: &mut Criterion) {
    let order = shuffled(BINDINGS);
    let known: Vec<BindingKey> = order.iter().map(|n| key(*n)).collect();
    let unknown: Vec<BindingKey> = known.iter().map(stranger_to).collect();
    let mut group = criterion.benchmark_group("lookup");
    for name in CANDIDATES.into_iter().filter(|name| *name != "bare") {
        let table = full(name);
        let mut hits = Lookups::new(&*table, &known);
        group.bench_function(BenchmarkId::new("hit", name), |bench| bench.iter(|| hits.next()));
        let mut misses = Lookups::new(&*table, &unknown);
        group.bench_function(BenchmarkId::new("miss", name), |bench| bench.iter(|| misses.next()));
        let beside = BenchmarkId::new("hit beside a writer", name);
        while_a_writer_works(&*table, || {
            group.bench_function(beside, |bench| bench.iter(|| hits.next()));
        });
    }
    group.finish();
}

/// 20,000 bindings come and go each second on another thread while `act` runs: twice the rate of an import.
fn while_a_writer_works(table: &dyn Candidate, act: impl FnOnce()) {
    const AT_ONCE: u64 = 20;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for first in (BINDINGS..2 * BINDINGS).step_by(AT_ONCE as usize).cycle() {
                let guests: Vec<_> = (first..first + AT_ONCE).map(binding).collect();
                for guest in &guests {
                    table.put(guest.clone());
                }
                for guest in &guests {
                    table.remove(guest);
                }
                if done.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        act();
        done.store(true, Ordering::Relaxed);
    });
}

fn main() {
    if let Ok(name) = std::env::var(CHILD) {
        return measure(&name);
    }
    // `cargo test --benches` only wants to know that it runs.
    let bench = std::env::args().any(|arg| arg == "--bench");
    if bench {
        let program = std::env::current_exe().expect("a running program has a path");
        for name in CANDIDATES {
            let child = Command::new(&program).env(CHILD, name).status();
            assert!(child.is_ok_and(|status| status.success()), "{name} could not be measured");
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    lookups(&mut criterion);
    criterion.final_summary();
}
