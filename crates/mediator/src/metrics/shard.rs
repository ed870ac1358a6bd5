//! What one shard counts, and the page's families that sum over shards.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_call::FlowKind;
use mediator_model::Transport;

use super::{Kind, Page, Source};

/// A count that one thread adds to and any thread reads: no locked instruction on the shard's path.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds. Only the owning thread may; two writers would lose counts.
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// The count now.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations counted by upper bounds.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds in microseconds, rising.
    bounds: &'static [u64],
    /// One a bound, and one for what is beyond all of them.
    counts: Box<[Counter]>,
    sum_micros: Counter,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| Counter::default()).collect();
        Self { bounds, counts, sum_micros: Counter::default() }
    }

    /// Counts one duration. Only the owning thread may.
    pub fn observe(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = self.bounds.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get(bucket) {
            count.add(1);
        }
        self.sum_micros.add(micros);
    }

    /// Writes its samples to the family that was begun.
    pub(super) fn collect(&self, page: &mut Page) {
        collect_sum(&[self], page);
    }
}

/// Several histograms with the same bounds as one.
fn collect_sum(all: &[&Histogram], page: &mut Page) {
    let Some(bounds) = all.first().map(|first| first.bounds) else { return };
    let sum = |at: usize| -> u64 {
        all.iter().filter_map(|one| one.counts.get(at)).map(Counter::count).sum()
    };
    let mut total = 0;
    for (at, bound) in bounds.iter().enumerate() {
        total += sum(at);
        page.suffixed("_bucket", &[("le", &seconds(*bound).to_string())], total);
    }
    total += sum(bounds.len());
    page.suffixed("_bucket", &[("le", "+Inf")], total);
    page.suffixed("_sum", &[], seconds(all.iter().map(|one| one.sum_micros.count()).sum()));
    page.suffixed("_count", &[], total);
}

/// 0.1 ms to 1 s: what we add to a call's way.
const DELAY_BOUNDS: &[u64] =
    &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000];
/// 0.5 s to 120 s: how long people let it ring.
const SETUP_BOUNDS: &[u64] = &[
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
];

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageDirection {
    /// To us.
    In,
    /// From us.
    Out,
}

const FLOWS: [FlowKind; 3] = [FlowKind::Binding, FlowKind::Inbound, FlowKind::Dialout];

const TRANSPORTS: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// Methods in the order of how often a B2BUA sees them, then the classes of responses.
const KINDS: [&str; 21] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "UPDATE",
    "INFO",
    "REFER",
    "SUBSCRIBE",
    "NOTIFY",
    "MESSAGE",
    "PUBLISH",
    "other",
    "1xx",
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "6xx",
];
const OTHER: usize = 14;
const CODES: usize = 600;
/// SIP codes are counted from here; the first place also takes 0, which is silence.
const FIRST_CODE: u16 = 100;

type ByKind = [Counter; KINDS.len()];
type ByCode = Box<[Counter]>;

/// One shard's counts. Two shards' never share a cache line.
#[derive(Debug)]
#[repr(align(128))]
pub struct ShardMetrics {
    messages: [[ByKind; TRANSPORTS.len()]; 2],
    ended: [ByCode; FLOWS.len()],
    refused: ByCode,
    /// From a caller's INVITE to ours: what we add to the post-dial delay.
    pub added_delay: Histogram,
    /// From a caller's INVITE to the answer.
    pub setup: Histogram,
}

impl Default for ShardMetrics {
    fn default() -> Self {
        let by_code = || (0..CODES).map(|_| Counter::default()).collect();
        Self {
            messages: array::from_fn(|_| {
                array::from_fn(|_| array::from_fn(|_| Counter::default()))
            }),
            ended: array::from_fn(|_| by_code()),
            refused: by_code(),
            added_delay: Histogram::new(DELAY_BOUNDS),
            setup: Histogram::new(SETUP_BOUNDS),
        }
    }
}

impl ShardMetrics {
    /// Counts a message by its first bytes: nothing is parsed.
    pub fn message(&self, direction: MessageDirection, transport: Transport, bytes: &[u8]) {
        let place = match transport {
            Transport::Udp => 0,
            Transport::Tcp => 1,
            Transport::Tls => 2,
            Transport::Ws => 3,
            Transport::Wss => 4,
        };
        let counts = self.messages.get(direction as usize).and_then(|way| way.get(place));
        if let Some(count) = counts.and_then(|kinds| kinds.get(kind_of(bytes))) {
            count.add(1);
        }
    }

    /// Counts a call that is over, by the final code that its caller got.
    pub fn call_ended(&self, flow: FlowKind, code: u16) {
        if let Some(codes) = self.ended.get(place_of(flow)) {
            count_code(codes, code);
        }
    }

    /// Counts a request that was refused before it became a call; code 0 is silence.
    pub fn refused(&self, code: u16) {
        count_code(&self.refused, code);
    }
}

const fn place_of(flow: FlowKind) -> usize {
    match flow {
        FlowKind::Binding => 0,
        FlowKind::Inbound => 1,
        FlowKind::Dialout => 2,
    }
}

fn count_code(codes: &ByCode, code: u16) {
    if let Some(count) = codes.get(usize::from(code.saturating_sub(FIRST_CODE))) {
        count.add(1);
    }
}

fn kind_of(bytes: &[u8]) -> usize {
    if let Some(behind) = bytes.strip_prefix(b"SIP/2.0 ") {
        return match behind.first() {
            Some(class @ b'1'..=b'6') => OTHER + usize::from(class - b'0'),
            _ => OTHER,
        };
    }
    let is_method = |method: &&str| {
        bytes.strip_prefix(method.as_bytes()).is_some_and(|behind| behind.first() == Some(&b' '))
    };
    KINDS.iter().take(OTHER).position(is_method).unwrap_or(OTHER)
}

/// The sums over all shards.
#[derive(Clone, Debug)]
pub struct AllShards(pub Vec<Arc<ShardMetrics>>);

impl AllShards {
    fn sum<'a>(&'a self, count: impl Fn(&'a ShardMetrics) -> Option<&'a Counter>) -> u64 {
        self.0.iter().filter_map(|shard| count(shard)).map(Counter::count).sum()
    }

    fn collect_messages(&self, page: &mut Page) {
        page.family(
            "mediator_sip_messages_total",
            "SIP messages, retransmissions included.",
            Kind::Counter,
        );
        for (way, direction) in ["in", "out"].into_iter().enumerate() {
            for (place, transport) in TRANSPORTS.iter().enumerate() {
                for (at, kind) in KINDS.iter().enumerate() {
                    let count = self.sum(|shard| shard.messages.get(way)?.get(place)?.get(at));
                    if count > 0 {
                        let transport = transport.uri_token();
                        let labels =
                            [("direction", direction), ("transport", transport), ("kind", kind)];
                        page.sample(&labels, count);
                    }
                }
            }
        }
    }

    fn collect_calls(&self, page: &mut Page) {
        page.family(
            "mediator_calls_ended_total",
            "Calls that are over, by flow and by the final code that the caller got.",
            Kind::Counter,
        );
        for flow in FLOWS {
            for (code, count) in self.codes(|shard| shard.ended.get(place_of(flow))) {
                page.sample(&[("flow", flow.as_str()), ("code", &code)], count);
            }
        }
        page.family(
            "mediator_requests_refused_total",
            "Requests refused before they became a call, by code; code 0 is silence.",
            Kind::Counter,
        );
        for (code, count) in self.codes(|shard| Some(&shard.refused)) {
            page.sample(&[("code", &code)], count);
        }
    }

    /// The codes that were counted, as text, with their sums.
    fn codes<'a>(
        &'a self,
        codes: impl Fn(&'a ShardMetrics) -> Option<&'a ByCode>,
    ) -> impl Iterator<Item = (String, u64)> {
        (FIRST_CODE..).zip(0..CODES).filter_map(move |(code, at)| {
            let count = self.sum(|shard| codes(shard)?.get(at));
            let name = if code == FIRST_CODE { "0".to_owned() } else { code.to_string() };
            (count > 0).then_some((name, count))
        })
    }

    fn collect_histogram(&self, page: &mut Page, of: impl Fn(&ShardMetrics) -> &Histogram) {
        let all: Vec<&Histogram> = self.0.iter().map(|shard| of(shard)).collect();
        collect_sum(&all, page);
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

impl Source for AllShards {
    fn collect(&self, page: &mut Page) {
        self.collect_messages(page);
        self.collect_calls(page);
        page.family(
            "mediator_added_delay_seconds",
            "From a caller's INVITE to ours.",
            Kind::Histogram,
        );
        self.collect_histogram(page, |shard| &shard.added_delay);
        page.family(
            "mediator_call_setup_seconds",
            "From a caller's INVITE to the answer.",
            Kind::Histogram,
        );
        self.collect_histogram(page, |shard| &shard.setup);
    }
}
