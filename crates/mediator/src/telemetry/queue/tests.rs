//! The queue of log lines: what is gathered, what is dropped, and that nobody waits.

use std::sync::mpsc;
use std::time::Instant;

use super::*;

/// Patience with the thread that writes.
const SOON: Duration = Duration::from_secs(10);

/// A sink that hands over each write, and waits for a permit before each where there are permits.
struct Sink {
    writes: mpsc::Sender<Vec<u8>>,
    permits: Option<mpsc::Receiver<()>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.writes.send(bytes.to_vec());
        if let Some(permits) = &self.permits {
            let _ = permits.recv();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn writes_every_line_in_order_and_the_last_when_dropped() {
    let (writes, written) = mpsc::channel();
    let (queue, writer) = line_queue(Sink { writes, permits: None }).unwrap();
    let lines: Vec<String> = (0..10_000).map(|at| format!("line {at}\n")).collect();
    for line in &lines {
        (&queue).write_all(line.as_bytes()).unwrap();
    }
    drop(writer);
    let all: Vec<u8> = written.iter().flatten().collect();
    assert_eq!(String::from_utf8(all).unwrap(), lines.concat());
    assert_eq!(queue.dropped(), 0);
}

#[test]
fn writes_the_first_line_after_a_silence_at_once() {
    let (writes, written) = mpsc::channel();
    let (queue, _writer) = line_queue(Sink { writes, permits: None }).unwrap();
    for line in ["first\n", "second\n"] {
        (&queue).write_all(line.as_bytes()).unwrap();
        assert_eq!(written.recv_timeout(SOON).unwrap(), line.as_bytes());
    }
}

#[test]
fn gathers_what_comes_while_it_writes() {
    let (writes, written) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    let (queue, _writer) = line_queue(Sink { writes, permits: Some(permits) }).unwrap();
    (&queue).write_all(b"a\n").unwrap();
    assert_eq!(written.recv_timeout(SOON).unwrap(), b"a\n");
    for line in ["b\n", "c\n", "d\n"] {
        (&queue).write_all(line.as_bytes()).unwrap();
    }
    permit.send(()).unwrap();
    assert_eq!(written.recv_timeout(SOON).unwrap(), b"b\nc\nd\n");
    drop(permit);
}

#[test]
fn drops_and_counts_whole_lines_where_the_sink_stands_still() {
    let (writes, written) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    let (queue, writer) = line_queue(Sink { writes, permits: Some(permits) }).unwrap();
    (&queue).write_all(b"stuck\n").unwrap();
    written.recv_timeout(SOON).unwrap();
    let line = [b'x'; 1023].into_iter().chain([b'\n']).collect::<Vec<u8>>();
    let begun = Instant::now();
    for _ in 0..MAX_QUEUED_BYTES / line.len() + 7 {
        (&queue).write_all(&line).unwrap();
    }
    assert!(begun.elapsed() < SOON, "whoever logs never waits");
    assert_eq!(queue.dropped(), 7);
    drop(permit);
    drop(writer);
    let rest: Vec<u8> = written.iter().flatten().collect();
    assert_eq!(rest.len(), MAX_QUEUED_BYTES);
}
