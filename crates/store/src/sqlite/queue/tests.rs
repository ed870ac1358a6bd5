//! Who waits for whom.

use std::sync::mpsc::sync_channel;

use mediator_model::Sid;

use super::*;

const SOON: Option<Duration> = Some(Duration::from_millis(5));

fn record(queue: &Queue, id: u64) {
    push(queue, Job::Attempted(id, DeliveryOutcome::Delivered));
}

fn write(queue: &Queue, op: Op) {
    push(queue, Job::Write(Write::one(UnixMillis(0), op), Box::new(drop)));
}

fn push(queue: &Queue, job: Job) {
    assert!(queue.push(job).is_ok());
}

fn delete() -> Op {
    Op::Delete { kind: Kind::Binding, sid: Sid::from_u128(1), expect: None }
}

fn claim() -> Op {
    let caller = mediator_model::Number::from_digits("14155550100").unwrap();
    Op::Claim { binding_sid: Sid::from_u128(1), caller }
}

/// A group: records by their ids, writes as `write` and `claim`.
fn take(queue: &Queue, patience: Option<Duration>) -> Vec<String> {
    let shown = |job: &Job| match job {
        Job::Attempted(id, _) => id.to_string(),
        Job::Settle(_) => "settle".to_owned(),
        Job::Write(..) if job.lane() == Lane::Claim => "claim".to_owned(),
        Job::Write(..) => "write".to_owned(),
        _ => "another".to_owned(),
    };
    queue.take(patience).unwrap().iter().map(shown).collect()
}

#[test]
fn the_first_record_goes_at_once_and_the_next_ones_gather() {
    let queue = Queue::default();
    record(&queue, 1);
    let began = Instant::now();
    assert_eq!(take(&queue, None), ["1"]);
    for id in 2..5 {
        record(&queue, id);
    }
    assert!(take(&queue, SOON).is_empty());
    assert_eq!(take(&queue, None), ["2", "3", "4"]);
    assert!(began.elapsed() >= GATHER);
    std::thread::sleep(GATHER);
    record(&queue, 5);
    assert_eq!(take(&queue, SOON), ["5"]);
}

#[test]
fn claims_and_writes_do_not_wait_for_records() {
    let queue = Queue::default();
    record(&queue, 1);
    take(&queue, None);
    record(&queue, 2);
    write(&queue, delete());
    write(&queue, claim());
    assert_eq!(take(&queue, None), ["claim", "write"]);
    assert!(take(&queue, SOON).is_empty());
    assert!(queue.holds_records());
    assert_eq!(take(&queue, None), ["2"]);
    assert!(queue.holds_records(), "they may not be stored yet");
    assert!(take(&queue, SOON).is_empty());
    assert!(!queue.holds_records());
}

#[test]
fn whoever_asks_for_records_hurries_them() {
    let queue = Queue::default();
    record(&queue, 1);
    take(&queue, None);
    record(&queue, 2);
    push(&queue, Job::Settle(sync_channel(1).0));
    assert_eq!(take(&queue, SOON), ["2", "settle"]);
    record(&queue, 3);
    assert!(take(&queue, SOON).is_empty(), "it was heard once");
    queue.close();
    assert_eq!(take(&queue, SOON), ["3"]);
    assert!(queue.take(SOON).is_none());
}

#[test]
fn the_end_of_a_dialout_takes_its_record_along() {
    let queue = Queue::default();
    record(&queue, 1);
    assert_eq!(take(&queue, None), ["1"]);
    record(&queue, 2);
    let sid = Sid::from_u128(1);
    write(&queue, Op::Delete { kind: Kind::Dialout, sid, expect: None });
    assert_eq!(take(&queue, SOON), ["2", "write"]);
    record(&queue, 3);
    assert!(take(&queue, SOON).is_empty(), "nothing hurries any more");
}

#[test]
fn many_records_do_not_gather_and_leave_room_for_writes() {
    let queue = Queue::default();
    record(&queue, 0);
    take(&queue, None);
    for id in 0..GATHERED as u64 + 100 {
        record(&queue, id);
    }
    write(&queue, delete());
    let group = take(&queue, SOON);
    assert_eq!((group.len(), group.last().map(String::as_str)), (GATHERED + 1, Some("write")));
    assert!(take(&queue, SOON).is_empty());
    assert_eq!(take(&queue, None).len(), 100);
}
