//! What the file said of each binding: files have up to a million, so the store keeps them by the bucket, not one by one.
//!
//! A bucket is one record, `bindings:0a3`, with 48 characters a binding: its sid as the file derives it, and the first
//! 64 bits of its fingerprint. The sid's last bits say which bucket; with few bindings each has one of its own.

use std::fmt::Write as _;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use mediator_model::Sid;
use mediator_store::record::ProvisionedRecord;
use mediator_store::{Op, Record};
use sha2::{Digest, Sha256};

use super::picture::Picture;
use crate::config::sids;

/// Characters of a sid and of a fingerprint.
const SID_CHARS: usize = 32;
const ENTRY_CHARS: usize = SID_CHARS + 16;
/// The bits of a sid that say which bucket.
const BUCKET: u128 = 0xfff;

/// Every binding's fingerprint, by the file's sid.
pub(super) struct Ledger {
    prints: HashMap<Sid, u64>,
    changed: HashSet<u16>,
}

impl Ledger {
    /// As the store has it.
    pub(super) fn read(picture: &Picture, capacity: usize) -> Self {
        let mut prints = HashMap::with_capacity(capacity);
        let buckets =
            picture.provisioned.values().filter(|one| one.record.key.starts_with("bindings:"));
        for bucket in buckets {
            prints.extend(entries(&bucket.record.members));
        }
        Self { prints, changed: HashSet::new() }
    }

    /// What the file said of a binding; `None`: it was not in it.
    pub(super) fn print(&self, sid: Sid) -> Option<u64> {
        self.prints.get(&sid).copied()
    }

    /// Notes what the file says now.
    pub(super) fn note(&mut self, sid: Sid, print: u64) {
        if self.prints.insert(sid, print) != Some(print) {
            self.changed.insert(bucket_of(sid));
        }
    }

    /// Takes a note back: the file said `before`.
    pub(super) fn restore(&mut self, sid: Sid, before: Option<u64>) {
        if let Some(print) = before {
            return self.note(sid, print);
        }
        self.prints.remove(&sid);
        self.changed.insert(bucket_of(sid));
    }

    /// What writes down the buckets that changed.
    pub(super) fn ops(self, picture: &Picture) -> Vec<Op> {
        let mut members: HashMap<u16, Vec<(Sid, u64)>> = HashMap::new();
        for (sid, print) in self.prints {
            let bucket = bucket_of(sid);
            if self.changed.contains(&bucket) {
                members.entry(bucket).or_default().push((sid, print));
            }
        }
        let ops = members.into_iter().map(|(bucket, mut members)| {
            members.sort_unstable();
            let mut text = String::with_capacity(members.len() * ENTRY_CHARS);
            for (sid, print) in members {
                // Writing into a string does not fail.
                let _ = write!(text, "{:032x}{print:016x}", sid.as_u128());
            }
            let key = format!("bindings:{bucket:03x}");
            let record = Record::Provisioned(Arc::new(ProvisionedRecord {
                sid: sids::ledger(bucket),
                hash: Sha256::digest(text.as_bytes()).into(),
                members: text.into(),
                key: key.as_str().into(),
            }));
            match picture.provisioned.get(&*key) {
                Some(before) => Op::Update { record, expect: before.revision },
                None => Op::Create(record),
            }
        });
        ops.collect()
    }
}

fn bucket_of(sid: Sid) -> u16 {
    (sid.as_u128() & BUCKET) as u16
}

/// The entries of a bucket; what is none is left out, so that its binding counts as never provisioned.
fn entries(members: &str) -> impl Iterator<Item = (Sid, u64)> {
    let mut rest = members;
    std::iter::from_fn(move || {
        let (entry, behind) = rest.split_at_checked(ENTRY_CHARS)?;
        rest = behind;
        let (sid, print) = entry.split_at_checked(SID_CHARS)?;
        let sid = u128::from_str_radix(sid, 16).ok()?;
        Some((Sid::from_u128(sid), u64::from_str_radix(print, 16).ok()?))
    })
}
