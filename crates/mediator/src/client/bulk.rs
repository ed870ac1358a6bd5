//! `mediator bindings import` and `export`: streams in both directions, in constant memory whatever their length.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::api::Api;
use super::fault::{ClientError, Refusal};
use super::ndjson::Lines;
use super::output::{Output, print_line};

/// How much of a file is read at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks may wait for the network.
const CHUNKS_AHEAD: usize = 4;
/// How many refused lines are named.
const MAX_NAMED: u64 = 20;
/// How long the server may say nothing.
const SILENCE: Duration = Duration::from_mins(1);

/// Makes a binding of every line.
pub(super) async fn import(
    api: &Api,
    file: &Path,
    output: Output,
) -> Result<ExitCode, ClientError> {
    let begin = Instant::now();
    let source = Source::open(file)?;
    let bar = progress(source.length);
    let feed = Arc::new(Feed::default());
    let request = api
        .request(Method::POST, "/bindings/import")
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(source.stream(&feed));
    let mut tally = Tally { output, bar, taken: 0, refused: 0, last_line: 0 };
    let sent = exchange(api, request, &feed, &mut tally).await;
    tally.bar.finish_and_clear();
    if let Some(cause) = feed.failure.get() {
        let cause = io::Error::new(cause.kind(), cause.to_string());
        return Err(ClientError::File { path: file.to_owned(), cause });
    }
    sent.map_err(|error| tally.explain(error))?;
    tally.sum_up(begin.elapsed())
}

/// Sends the lines and hears what became of each, at the same time.
async fn exchange(
    api: &Api,
    request: RequestBuilder,
    feed: &Feed,
    tally: &mut Tally,
) -> Result<(), ClientError> {
    let mut sending = pin!(api.send(request));
    let mut response = loop {
        match timeout(SILENCE, &mut sending).await {
            Ok(response) => break response?,
            Err(_) if feed.is_over() => return Err(api.silent()),
            // It has nothing to answer while we have nothing to ask.
            Err(_) => {}
        }
    };
    let mut lines = Lines::default();
    loop {
        let chunk = match timeout(SILENCE, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| api.broken(&error))?,
            Err(_) if feed.is_over() => return Err(api.silent()),
            Err(_) => continue,
        };
        tally.bar.set_position(feed.bytes.load(Relaxed));
        let Some(chunk) = chunk else { break };
        let mut heard = Ok(());
        lines.push(&chunk, |line| {
            if heard.is_ok() {
                heard = tally.hear(api, line);
            }
        });
        heard?;
    }
    match lines.end() {
        // The stream ended well: a last line without its end is whole.
        Some(last) => tally.hear(api, &last),
        None => Ok(()),
    }
}

/// Writes all bindings.
pub(super) async fn export(api: &Api, file: Option<&Path>) -> Result<ExitCode, ClientError> {
    let request = api.request(Method::GET, "/bindings/export");
    let mut response = match timeout(SILENCE, api.send(request)).await {
        Ok(response) => response?,
        Err(_) => return Err(api.silent()),
    };
    let bar = progress(None);
    let done = match file.filter(|path| *path != Path::new("-")) {
        None => pour(api, &mut response, &mut io::stdout().lock(), &bar).await?,
        Some(path) => {
            let partial = partial(path);
            let failed = |cause| ClientError::File { path: partial.clone(), cause };
            let mut writer = BufWriter::new(File::create(&partial).map_err(failed)?);
            let poured = pour(api, &mut response, &mut writer, &bar).await;
            let count = match poured {
                Err(ClientError::Output(cause)) => return Err(failed(cause)),
                poured => poured?,
            };
            writer.get_ref().sync_all().map_err(failed)?;
            fs::rename(&partial, path)
                .map_err(|cause| ClientError::File { path: path.to_owned(), cause })?;
            count
        }
    };
    bar.finish_and_clear();
    // Nothing can be done about a closed standard error.
    let _ = writeln!(io::stderr(), "exported {done} bindings");
    Ok(ExitCode::SUCCESS)
}

/// Copies an answer's lines; gives their number.
async fn pour(
    api: &Api,
    response: &mut Response,
    writer: &mut impl Write,
    bar: &ProgressBar,
) -> Result<u64, ClientError> {
    let mut count = 0_u64;
    let mut lines = Lines::default();
    loop {
        let chunk = match timeout(SILENCE, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| api.broken(&error))?,
            Err(_) => return Err(api.silent()),
        };
        let Some(chunk) = chunk else { break };
        writer.write_all(&chunk)?;
        // Every line ends, the last one too.
        lines.push(&chunk, |_| count += 1);
        bar.inc(chunk.len() as u64);
        bar.set_message(format!("{count} bindings"));
    }
    writer.flush()?;
    Ok(count)
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// A bar on standard error, where that is a terminal.
fn progress(length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(5));
    let template = match length {
        Some(_) => "{bar:30} {percent}% {bytes_per_sec} {msg}",
        None => "{spinner} {bytes} {bytes_per_sec} {msg}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Where lines come from.
struct Source {
    reader: Box<dyn Read + Send>,
    length: Option<u64>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, ClientError> {
        if path == Path::new("-") {
            return Ok(Self { reader: Box::new(io::stdin()), length: None });
        }
        let failed = |cause| ClientError::File { path: path.to_owned(), cause };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let length = metadata.is_file().then_some(metadata.len());
        Ok(Self { reader: Box::new(file), length })
    }

    /// Reads on a thread of its own, which ends with the request at the latest when it has read something more.
    fn stream(self, feed: &Arc<Feed>) -> Body {
        let (chunks, ahead) = mpsc::channel::<Bytes>(CHUNKS_AHEAD);
        let noted = Arc::clone(feed);
        let Self { mut reader, length: _ } = self;
        thread::spawn(move || {
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        let chunk = buffer.get(..count).unwrap_or_default();
                        if chunks.blocking_send(Bytes::copy_from_slice(chunk)).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        // Set once, here.
                        let _ = noted.failure.set(error);
                        break;
                    }
                }
            }
        });
        let state = (ahead, Arc::clone(feed));
        Body::wrap_stream(stream::unfold(state, |(mut ahead, feed)| async move {
            if let Some(chunk) = ahead.recv().await {
                feed.bytes.fetch_add(chunk.len() as u64, Relaxed);
                return Some((Ok(chunk), (ahead, feed)));
            }
            let Some(failure) = feed.failure.get() else {
                feed.over.store(true, Relaxed);
                return None;
            };
            // The server must not take a file that cannot be read to its end for a whole one.
            let failure = io::Error::new(failure.kind(), failure.to_string());
            Some((Err(failure), (ahead, feed)))
        }))
    }
}

/// How far the reading is.
#[derive(Default)]
struct Feed {
    bytes: AtomicU64,
    failure: OnceLock<io::Error>,
    over: AtomicBool,
}

impl Feed {
    /// Whether everything was handed over.
    fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }
}

/// What became of the lines so far.
struct Tally {
    output: Output,
    bar: ProgressBar,
    taken: u64,
    refused: u64,
    last_line: u64,
}

impl Tally {
    /// Counts a result line, and shows it where it should be seen.
    fn hear(&mut self, api: &Api, line: &[u8]) -> Result<(), ClientError> {
        let result: Value = serde_json::from_slice(line).map_err(|_| api.foreign(200))?;
        let number = |key| result.get(key).and_then(Value::as_u64);
        let (Some(at), Some(status)) = (number("line"), number("status")) else {
            return Err(api.foreign(200));
        };
        self.last_line = at;
        if self.output.is_json() {
            let line = String::from_utf8_lossy(line);
            self.bar.suspend(|| print_line(&line))?;
        }
        if status == 200 {
            self.taken += 1;
        } else {
            self.refused += 1;
            if self.refused <= MAX_NAMED {
                let status = u16::try_from(status).unwrap_or_default();
                let reason = Refusal::new(status, &result, None).reason();
                self.bar.suspend(|| say(&format!("line {at}: {reason}")));
            }
        }
        self.bar.set_message(format!("{} taken, {} refused", self.taken, self.refused));
        Ok(())
    }

    /// What is known of the lines when the connection broke.
    fn explain(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Unreachable { api, reason } if self.last_line > 0 => {
                let line = self.last_line;
                let known = format!(
                    "lines up to {line} were answered ({} taken, {} refused), of later ones some may be taken: import them again",
                    self.taken, self.refused
                );
                ClientError::Unreachable { api, reason: format!("{reason}; {known}") }
            }
            error => error,
        }
    }

    fn sum_up(&self, took: Duration) -> Result<ExitCode, ClientError> {
        let Self { taken, refused, .. } = self;
        if *refused > MAX_NAMED {
            say(&format!("and {} more lines refused: --json names all", refused - MAX_NAMED));
        }
        let seconds = took.as_secs_f64();
        let summary = format!("imported {taken} of {} lines in {seconds:.1} s", taken + refused);
        if self.output.is_json() {
            say(&summary);
        } else {
            print_line(&summary)?;
        }
        Ok(if *refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Nothing can be done about a closed standard error.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
