//! A child process whose output goes to a file, and which never outlives its owner.
//!
//! Invariant: only processes that were started here are ever signalled, each by its own pid.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How often a condition is looked at again while [`until`] waits for it.
const POLL: Duration = Duration::from_millis(10);
/// How much of a process' output an error shows.
const TAIL_BYTES: usize = 3000;

/// Waits until `probe` gives a value; after `limit` it fails and names `what`.
pub fn until<T>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        if Instant::now() >= end {
            bail!("{what}: not seen in {limit:?}");
        }
        thread::sleep(POLL);
    }
}

/// A running process; dropped, it is killed by its pid.
#[derive(Debug)]
pub struct Actor {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Actor {
    /// Starts `command` with a pipe as input, its output in `<dir>/<name>.out` and `.err`.
    pub fn start(dir: &Path, name: &str, command: &Command) -> Result<Self> {
        let create = |ending: &str| {
            let path = dir.join(format!("{name}.{ending}"));
            let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
            anyhow::Ok((path, file))
        };
        let program = command.get_program().display().to_string();
        let mut command = mortal(command);
        let (stdout, output_file) = create("out")?;
        let (stderr, error_file) = create("err")?;
        let child = command
            .stdin(Stdio::piped())
            .stdout(output_file)
            .stderr(error_file)
            .spawn()
            .with_context(|| format!("start {name} ({program})"))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    /// The pid, as `/proc` names it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where commands are written to.
    pub fn stdin(&mut self) -> Option<&mut ChildStdin> {
        self.child.stdin.as_mut()
    }

    /// All that the process has written to standard output so far.
    pub fn output(&self) -> String {
        read(&self.stdout)
    }

    /// All that the process has written to standard error so far.
    pub fn errors(&self) -> String {
        read(&self.stderr)
    }

    /// The exit status, where the process has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the end; a process that still runs after `limit` is an error.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        until(limit, &what, || Ok(self.child.try_wait()?)).with_context(|| self.tail())
    }

    /// Asks the process to end (SIGTERM).
    pub fn terminate(&self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .with_context(|| format!("SIGTERM to {}", self.name))
    }

    /// Asks the process to read its settings again (SIGHUP).
    pub fn hang_up(&self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::HUP)
            .with_context(|| format!("SIGHUP to {}", self.name))
    }

    /// Waits until a line of the output after the first `skip` bytes satisfies `wanted`; gives the
    /// line and the number of bytes up to its end.
    pub fn line(
        &mut self,
        skip: usize,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(String, usize)> {
        let what = format!("{}: {what}", self.name);
        let found = until(limit, &what, || {
            let ended = self.child.try_wait()?;
            let text = self.output();
            let mut at = skip;
            for line in text.get(skip..).unwrap_or_default().split_inclusive('\n') {
                at += line.len();
                if line.ends_with('\n') && wanted(line.trim_end()) {
                    return Ok(Some((line.trim_end().to_owned(), at)));
                }
            }
            match ended {
                Some(status) => bail!("{what}: the process ended first, {status}"),
                None => Ok(None),
            }
        });
        found.with_context(|| self.tail())
    }

    /// The last part of both outputs, for an error message.
    pub fn tail(&self) -> String {
        let (output, errors) = (self.output(), self.errors());
        format!("{} printed:\n{}\nand as errors:\n{}", self.name, last(&output), last(&errors))
    }
}

/// The same command, but its process gets SIGTERM when the thread that starts it ends: an actor does
/// not stay behind where the test was killed and nothing could be dropped.
fn mortal(command: &Command) -> Command {
    let mut mortal = Command::new("setpriv");
    mortal.args(["--pdeathsig", "TERM", "--"]);
    mortal.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mortal.env(name, value),
            None => mortal.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        mortal.current_dir(dir);
    }
    mortal
}

/// The file's text; a file that cannot be read has none.
fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The last [`TAIL_BYTES`] of a text.
fn last(text: &str) -> &str {
    let mut from = text.len().saturating_sub(TAIL_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.get(from..).unwrap_or_default()
}

impl Drop for Actor {
    fn drop(&mut self) {
        // Both fail only where the process has ended and was waited for, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
