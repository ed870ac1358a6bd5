//! The process as the kernel sees it, under the names that every Prometheus client uses.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Kind, Page, Source};

/// Linux counts CPU time for user space in hundredths of a second on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The process's age, memory, CPU time, threads and files, and which build it is.
#[derive(Clone, Copy, Debug)]
pub struct ProcessMetrics {
    started: SystemTime,
}

impl ProcessMetrics {
    /// Metrics of a process that starts now.
    pub fn start() -> Self {
        Self { started: SystemTime::now() }
    }
}

impl Source for ProcessMetrics {
    fn collect(&self, page: &mut Page) {
        page.family("mediator_build_info", "Which build this is.", Kind::Gauge);
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        page.family("process_start_time_seconds", "When the process began.", Kind::Gauge);
        page.sample(&[], started.as_secs_f64());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kilobytes) = status_value(&status, "VmRSS:") {
            page.family("process_resident_memory_bytes", "Resident memory.", Kind::Gauge);
            page.sample(&[], kilobytes * 1024);
        }
        if let Some(threads) = status_value(&status, "Threads:") {
            page.family("process_threads", "Threads.", Kind::Gauge);
            page.sample(&[], threads);
        }
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        if let Some(seconds) = cpu_seconds(&stat) {
            page.family("process_cpu_seconds_total", "CPU time, user and system.", Kind::Counter);
            page.sample(&[], seconds);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            page.family("process_open_fds", "Open file descriptors.", Kind::Gauge);
            page.sample(&[], files.count());
        }
    }
}

/// The number behind a name in proc(5)'s `status`.
pub(super) fn status_value(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `utime` and `stime` of proc(5)'s `stat`. The command's name, in parentheses, may hold anything.
pub(super) fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
}
