//! How quick the embedded store is: `cargo bench -p mediator-store`. One table, figures of this machine's disk.
//!
//! `STORE_BENCH_BINDINGS` says how many bindings are made (1,000,000); `STORE_BENCH_FOLDER` where (a temporary folder).

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people: milliseconds and rates"
)]

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::query::{Comparison, Filter, Literal, Operator, OrderKey, Query};
use mediator_store::record::BindingRecord;
use mediator_store::{
    Committed, Follower, Location, Object, Op, Record, Refused, SqliteStore, Store, Versioned,
    Write,
};

const NOW: UnixMillis = UnixMillis(1_772_366_400_000);
const ACCOUNT: Sid = Sid::from_u128(7);

struct Deaf;

impl Follower for Deaf {
    fn committed(&self, _: &Committed) {}
    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

fn main() {
    let many = std::env::var("STORE_BENCH_BINDINGS").ok().and_then(|many| many.parse().ok());
    let many: u64 = many.unwrap_or(1_000_000);
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = std::env::var_os("STORE_BENCH_FOLDER")
        .map_or_else(|| temporary.path().to_owned(), Into::into);
    let location = Location::Folder(folder);
    let store = start(&location);
    for writers in [1, 4, 16, 64] {
        creates(&store, writers);
    }
    import(&store, many);
    paced(&store, "create, 1,000/s", 1_000, 3, &|| Op::Create(Record::Binding(Arc::new(any()))));
    claims(&store, false);
    claims(&store, true);
    lists(&store);
    let since = Instant::now();
    drop(store);
    println!("{:<46} {:>10.3} s", "close", since.elapsed().as_secs_f64());
    reopen(&location);
}

fn start(location: &Location) -> SqliteStore {
    SqliteStore::open(location).expect("it opens").start(Arc::new(Deaf)).expect("it starts")
}

fn random() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut z = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn number(prefix: &str, value: u64) -> Number {
    Number::from_digits(&format!("{prefix}{value:08}")).expect("at most 15 digits")
}

fn any() -> BindingRecord {
    let seed = random();
    BindingRecord {
        sid: Sid::from_random(u128::from(seed) << 64 | u128::from(random())),
        account_sid: ACCOUNT,
        name: format!("binding {}", seed % 1_000_000).into(),
        redirect_did: number("151", seed % 1_000),
        origination_did: Some(number("155", random() % 1_000_000_000_000)),
        destination_did: number("154", seed % 50_000_000),
        dtmf: None,
        attributes: Object::new(),
        maximum_ttl: Some(86_400),
        wait_origination_did_ttl: None,
        date_created: UnixMillis(NOW.0 + seed % 1_000_000),
        claim_until: None,
    }
}

fn wait(store: &SqliteStore, ops: Vec<Op>) -> Result<Committed, Refused> {
    let (answer, answered) = channel();
    let write = Write { now: NOW, ops, requires: Vec::new(), remember: None };
    store.submit(write, Box::new(move |result| drop(answer.send(result))));
    answered.recv().expect("every write is answered")
}

fn show(what: &str, mut took: Vec<Duration>, all: Duration) {
    took.sort();
    let at = |share: f64| {
        let place = (took.len() as f64 * share) as usize;
        took.get(place.min(took.len() - 1)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{what:<46} p50 {:>8.3} ms  p99 {:>8.3} ms  max {:>8.3} ms  {:>8.0}/s",
        at(0.5),
        at(0.99),
        at(1.0),
        took.len() as f64 / all.as_secs_f64()
    );
}

fn creates(store: &SqliteStore, writers: usize) {
    let begin = Instant::now();
    let took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|_| {
                scope.spawn(move || {
                    let mut took = Vec::new();
                    while begin.elapsed() < Duration::from_secs(3) {
                        let since = Instant::now();
                        let op = Op::Create(Record::Binding(Arc::new(any())));
                        wait(store, vec![op]).expect("the numbers are free");
                        took.push(since.elapsed());
                    }
                    took
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
    });
    show(&format!("create, {writers} writers"), took, begin.elapsed());
}

fn import(store: &SqliteStore, many: u64) {
    const BATCH: u64 = 1_000;
    let begin = Instant::now();
    let mut taken = 0;
    let mut took = Vec::new();
    let mut tenth = begin;
    for batch in 0..many / BATCH {
        let ops = (0..BATCH).map(|_| Op::Create(Record::Binding(Arc::new(any())))).collect();
        let since = Instant::now();
        // A number drawn twice refuses its batch, rarely.
        taken += u64::from(wait(store, ops).is_err());
        took.push(since.elapsed());
        if (batch + 1) % (many / BATCH / 5).max(1) == 0 {
            let rate = (many / 5) as f64 / tenth.elapsed().as_secs_f64();
            println!(
                "{:<46} {rate:>10.0} bindings/s",
                format!("import, up to {}", (batch + 1) * BATCH)
            );
            tenth = Instant::now();
        }
    }
    show(&format!("import in writes of {BATCH}, {taken} refused"), took, begin.elapsed());
}

fn paced(store: &SqliteStore, what: &str, rate: u32, seconds: u32, op: &dyn Fn() -> Op) {
    let begin = Instant::now();
    let (answer, answered) = channel();
    for place in 0..rate * seconds {
        let due = begin + Duration::from_secs(1) * place / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = answer.clone();
        let since = Instant::now();
        let write = Write::one(NOW, op());
        store.submit(write, Box::new(move |result| drop(answer.send((result, since.elapsed())))));
    }
    drop(answer);
    let took = answered.iter().map(|(result, took)| result.map(|_| took)).collect::<Result<_, _>>();
    show(what, took.expect("nothing stands against it"), begin.elapsed());
}

fn claims(store: &SqliteStore, under_load: bool) {
    let waiting: Vec<BindingRecord> = (0..600)
        .map(|_| BindingRecord {
            origination_did: None,
            redirect_did: number("152", random() % 100_000_000),
            claim_until: Some(NOW + Duration::from_mins(5)),
            wait_origination_did_ttl: Some(300),
            ..any()
        })
        .collect();
    let ops =
        waiting.iter().map(|one| Op::Create(Record::Binding(Arc::new(one.clone())))).collect();
    wait(store, ops).expect("the numbers are free");
    let next = std::cell::Cell::new(0);
    let claim = || {
        let binding = waiting.get(next.replace(next.get() + 1)).expect("one for each claim");
        Op::Claim { binding_sid: binding.sid, caller: number("155", random() % 1_000_000_000_000) }
    };
    if !under_load {
        return paced(store, "claim, 200/s", 200, 3, &claim);
    }
    let ended = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                let ops =
                    (0..1_000).map(|_| Op::Create(Record::Binding(Arc::new(any())))).collect();
                drop(wait(store, ops));
            }
        });
        paced(store, "claim, 200/s, beside an import", 200, 3, &claim);
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

fn compare(field: &str, operator: Operator, value: &str) -> Filter {
    let path = field.split('.').map(Into::into).collect();
    Filter::Compare(Comparison { path, operator, values: vec![Literal::Text(value.into())] })
}

fn lists(store: &SqliteStore) {
    let all = || Filter::All(Vec::new());
    let by = |field: &str, descending| vec![OrderKey { path: vec![field.into()], descending }];
    let rows = [
        ("all", all(), vec![], 0),
        ("all, offset 900,000", all(), vec![], 900_000),
        ("all, by name", all(), by("name", false), 0),
        ("all, by date_created desc", all(), by("date_created", true), 0),
        ("all, by maximum_ttl", all(), by("maximum_ttl", false), 0),
        ("redirect_did eq", compare("redirect_did", Operator::Eq, "15100000007"), vec![], 0),
        ("redirect_did like 15%", compare("redirect_did", Operator::Like, "15%"), vec![], 0),
        (
            "origination_did like 1551%",
            compare("origination_did", Operator::Like, "1551%"),
            vec![],
            0,
        ),
        ("destination_did ge", compare("destination_did", Operator::Ge, "15425000000"), vec![], 0),
        ("name like binding 1%", compare("name", Operator::Like, "binding 1%"), vec![], 0),
        (
            "name like binding 1%, by name",
            compare("name", Operator::Like, "binding 1%"),
            by("name", false),
            0,
        ),
        ("name like %99%", compare("name", Operator::Like, "%99%"), vec![], 0),
        ("name ilike BINDING 77%", compare("name", Operator::Ilike, "BINDING 77%"), vec![], 0),
        ("name ne", compare("name", Operator::Ne, "binding 5"), vec![], 0),
        (
            "date_created lt",
            compare("date_created", Operator::Lt, "2026-03-01T12:05:00Z"),
            vec![],
            0,
        ),
        ("maximum_ttl gt", compare("maximum_ttl", Operator::Gt, "5"), vec![], 0),
        ("attributes.cnam eq", compare("attributes.cnam", Operator::Eq, "x"), vec![], 0),
        (
            "redirect_did_info.country_code eq",
            compare("redirect_did_info.country_code", Operator::Eq, "USA"),
            vec![],
            0,
        ),
    ];
    for (what, filter, order, offset) in rows {
        let query = Query { filter, order, offset, limit: 1000, now: NOW };
        let mut took = Vec::new();
        let mut total = None;
        for _ in 0..3 {
            let since = Instant::now();
            total = store.bindings(ACCOUNT, &query).expect("it is read").total;
            took.push(since.elapsed());
        }
        let best = took.iter().min().map_or(0.0, |time| time.as_secs_f64() * 1e3);
        println!(
            "{:<46} {best:>10.1} ms  of {}",
            format!("list: {what}"),
            total.unwrap_or_default()
        );
    }
}

fn reopen(location: &Location) {
    let since = Instant::now();
    let opened = SqliteStore::open(location).expect("it opens again");
    println!("{:<46} {:>10.3} s", "open", since.elapsed().as_secs_f64());
    let since = Instant::now();
    let mut seen = 0_u64;
    opened.snapshot(NOW, &mut |found| seen += u64::from(found.revision > 0)).expect("it is read");
    println!("{:<46} {:>10.3} s", format!("snapshot of {seen}"), since.elapsed().as_secs_f64());
    let since = Instant::now();
    let mut all = Vec::new();
    opened.snapshot(NOW, &mut |found| all.push(found)).expect("it is read");
    println!("{:<46} {:>10.3} s", "snapshot into a list", since.elapsed().as_secs_f64());
}
