//! `mediator dialout --wait`: follows a dialout until its two parties are joined, or it has failed.
//!
//! The API has three views of it: the dialout, which is there until the two are joined or the call has failed; the call,
//! while one is up; and the record, when all is over. They are asked in this order, so that it is seen in at least one.

use std::process::ExitCode;
use std::time::Duration;

use mediator_sip::message::reason_phrase;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::Api;
use super::fault::ClientError;
use super::output::{Output, field, items, print_line};

/// How often it is looked at while it is dialled.
const PACE: Duration = Duration::from_millis(200);
/// How often while its time has not come.
const WAITING_PACE: Duration = Duration::from_secs(1);
/// How long after the end its record may take to be on the disk.
const RECORD_TIMEOUT: Duration = Duration::from_secs(5);

/// Follows a dialout that was made; 0 when the two are joined.
pub(super) async fn follow(
    api: &Api,
    made: &Value,
    output: Output,
) -> Result<ExitCode, ClientError> {
    let sid = field(made, "dialout_sid", "");
    let mut told = Told { sid: &sid, output, made, delay: 0, stages: [None, None] };
    loop {
        let dialout = api.find(&format!("/dialouts/{sid}"), &[]).await?;
        let filter = format!("reference_sid eq \"{sid}\"");
        let calls = api.read("/calls", &[("filter", &filter)]).await?;
        let delay = dialout.as_ref().and_then(|dialout| dialout.get("delay")?.as_u64());
        match (items(&calls).first(), &dialout) {
            (Some(call), _) if call.get("date_talk").is_some_and(Value::is_string) => {
                told.stages(call)?;
                told.line("joined", None)?;
                return Ok(ExitCode::SUCCESS);
            }
            // The last messages of a call that has failed may go on for half a minute.
            (Some(call), None) if field(call, "state", "") == "ending" => {
                return told.over(record(api, &sid).await?.as_ref());
            }
            (Some(call), _) => told.stages(call)?,
            (None, Some(_)) => told.waiting(delay.unwrap_or(0))?,
            (None, None) => return told.over(record(api, &sid).await?.as_ref()),
        }
        let is_far = calls.get("count").is_some_and(|count| count == 0) && delay > Some(1);
        sleep(if is_far { WAITING_PACE } else { PACE }).await;
    }
}

/// The record of a dialout that is over; `None`: it has none, as it was deleted before its time.
async fn record(api: &Api, sid: &str) -> Result<Option<Value>, ClientError> {
    let until = Instant::now() + RECORD_TIMEOUT;
    loop {
        let found = api.find(&format!("/dialouts/{sid}/record"), &[]).await?;
        if found.is_some() || Instant::now() >= until {
            return Ok(found);
        }
        sleep(PACE).await;
    }
}

/// What was said of a dialout so far.
struct Told<'a> {
    sid: &'a str,
    output: Output,
    made: &'a Value,
    /// The seconds left when it was said that it waits.
    delay: u64,
    /// The states of the two stages.
    stages: [Option<String>; 2],
}

impl Told<'_> {
    /// Its time has not come. Said once, and again where the delay was made longer.
    fn waiting(&mut self, delay: u64) -> Result<(), ClientError> {
        if delay > self.delay {
            let line = json!({ "dialout_sid": self.sid, "state": "waiting", "delay": delay });
            self.show(&line, &format!("waiting   {delay} s"))?;
        }
        self.delay = delay;
        Ok(())
    }

    /// Says what is new of the parties of a call.
    fn stages(&mut self, call: &Value) -> Result<(), ClientError> {
        let legs = call.get("legs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (at, name) in
            ["stage_one_destination_did", "stage_two_destination_did"].iter().enumerate()
        {
            let state = match legs.get(at).map(|leg| field(leg, "state", "")).as_deref() {
                Some("routing") => "calling",
                Some("ringing") => "ringing",
                Some("answered") => "answered",
                _ => continue,
            };
            let Some(known) = self.stages.get_mut(at) else { continue };
            if known.as_deref() != Some(state) {
                *known = Some(state.to_owned());
                self.line(state, Some(&field(self.made, name, "-")))?;
            }
        }
        Ok(())
    }

    /// It is over, and nobody was seen joined.
    fn over(&self, record: Option<&Value>) -> Result<ExitCode, ClientError> {
        if record.is_some_and(|record| record.get("date_talk").is_some_and(Value::is_string)) {
            // They were, and have hung up since it was looked at last.
            self.line("joined", None)?;
            return Ok(ExitCode::SUCCESS);
        }
        let reason = record
            .map_or_else(|| "it was deleted before its time".to_owned(), |record| self.why(record));
        if self.output.is_json() {
            let figure = |name: &str| record.and_then(|record| record.get(name)).cloned();
            let line = json!({
                "dialout_sid": self.sid, "state": "failed", "reason": reason,
                "sip_cause": figure("sip_cause"), "disconnect_originator": figure("disconnect_originator"),
            });
            print_line(&line.to_string())?;
        }
        Err(ClientError::NotJoined(reason))
    }

    /// Why two were not joined, by the record.
    fn why(&self, record: &Value) -> String {
        let code = record.get("sip_cause").and_then(Value::as_u64).unwrap_or(0);
        let phrase = u16::try_from(code).map_or("", reason_phrase);
        let party = match record.get("disconnect_originator").and_then(Value::as_str) {
            Some("SRC") => field(self.made, "stage_one_destination_did", "-"),
            Some("DST") => field(self.made, "stage_two_destination_did", "-"),
            _ => return format!("{code} {phrase}"),
        };
        if code == 487 { format!("{party} hung up") } else { format!("{party}: {code} {phrase}") }
    }

    fn line(&self, state: &str, number: Option<&str>) -> Result<(), ClientError> {
        let mut line = json!({ "dialout_sid": self.sid, "state": state });
        if let (Some(number), Some(line)) = (number, line.as_object_mut()) {
            line.insert("number".to_owned(), json!(number));
        }
        self.show(&line, format!("{state:<9} {}", number.unwrap_or_default()).trim_end())
    }

    fn show(&self, line: &Value, text: &str) -> Result<(), ClientError> {
        let text = if self.output.is_json() { line.to_string() } else { text.to_owned() };
        Ok(print_line(&text)?)
    }
}
