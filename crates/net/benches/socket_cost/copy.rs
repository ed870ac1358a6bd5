//! An exact copy of each datagram, or slices of a shared buffer that is taken back when free.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::{message, table};

const COUNT: u32 = 1_000_000;

#[derive(Clone, Copy)]
enum Way {
    Exact,
    Shared,
}

pub(super) fn run() {
    println!("copy: from the scratch buffer to a message and back to nothing; ns a message");
    let ways = [("Bytes::copy_from_slice", Way::Exact), ("BytesMut, split, reclaim", Way::Shared)];
    table(&ways, &[("900 bytes", ())], |way, ()| {
        let start = Instant::now();
        match way {
            Way::Exact => exact(),
            Way::Shared => shared(),
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
    });
}

fn exact() {
    let source = message();
    for _ in 0..COUNT {
        black_box(Bytes::copy_from_slice(black_box(&source)));
    }
}

fn shared() {
    let source = message();
    let mut pool = BytesMut::new();
    for _ in 0..COUNT {
        pool.reserve(65_536); // takes the same memory back when no message holds it
        pool.extend_from_slice(black_box(&source)); // stands in for the kernel's copy
        black_box(pool.split().freeze());
    }
}
