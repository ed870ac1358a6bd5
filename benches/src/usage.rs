//! What a server costs: CPU time and memory of its processes, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks a second in `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux of today.
const TICKS_A_SECOND: u64 = 100;

/// A process and all that descend from it.
pub fn tree(root: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end while the list is read; then it is no longer of interest.
        if let Ok(fields) = stat(pid) {
            parents.push((pid, fields.parent));
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    Ok(tree)
}

/// The CPU time, user and system, that these processes and their ended children have used.
pub fn cpu(pids: &[u32]) -> Result<Duration> {
    let mut ticks = 0;
    for &pid in pids {
        ticks += stat(pid)?.ticks;
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
}

/// The CPU time of a process that has one thread, to the nanosecond: ticks are too coarse for little
/// work.
pub fn run_time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/schedstat");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let nanos = text.split(' ').next().context("no figures")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

/// The CPU time of all threads of a process, to the nanosecond; a thread that has ended counts no more.
pub fn threads_run_time(pid: u32) -> Result<Duration> {
    let mut all = Duration::ZERO;
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = entry?.path().join("schedstat");
        // A thread may end while the list is read.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let nanos = text.split(' ').next().context("no figures")?;
        all += Duration::from_nanos(nanos.parse()?);
    }
    Ok(all)
}

/// The memory of these processes in bytes, what they share counted once.
pub fn memory(pids: &[u32]) -> Result<u64> {
    let mut sum = 0;
    for pid in pids {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no Pss")?;
        sum += kib.parse::<u64>()? * 1024;
    }
    Ok(sum)
}

/// The fields of `/proc/<pid>/stat` that are used here.
struct Stat {
    parent: u32,
    ticks: u64,
}

fn stat(pid: u32) -> Result<Stat> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The name in parentheses may hold anything; the fields after it are counted from 3.
    let (_, rest) = text.rsplit_once(") ").context("no name")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let field = |number: usize| fields.get(number - 3).context("too few fields");
    let mut ticks = 0;
    // utime, stime, cutime, cstime.
    for number in 14..=17 {
        ticks += field(number)?.parse::<u64>()?;
    }
    Ok(Stat { parent: field(4)?.parse()?, ticks })
}
