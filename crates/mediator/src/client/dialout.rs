//! `mediator dialout`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::api::Api;
use super::bindings::attributes;
use super::fault::ClientError;
use super::follow::follow;
use super::output::{Output, field, pairs, print_line};
use crate::cli::DialoutArgs;

/// Asks for a call to two numbers, and follows it where that is wanted.
pub(super) async fn dialout(
    api: &Api,
    args: &DialoutArgs,
    output: Output,
) -> Result<ExitCode, ClientError> {
    let made = api.create("/dialouts", &[], &object(args)).await?;
    if !args.wait {
        output.show(&made, text)?;
        return Ok(ExitCode::SUCCESS);
    }
    // For programs each line is an object.
    let line = json!({ "dialout_sid": made.get("dialout_sid"), "state": "made", "dialout": made });
    print_line(&if output.is_json() { line.to_string() } else { text(&made) })?;
    follow(api, &made, output).await
}

fn object(args: &DialoutArgs) -> Value {
    let DialoutArgs {
        stage_one,
        stage_two,
        redirect_did,
        delay,
        attributes: given,
        wait: _,
        access: _,
    } = args;
    let fields = [
        ("stage_one_destination_did", Some(json!(stage_one))),
        ("stage_two_destination_did", Some(json!(stage_two))),
        ("redirect_did", redirect_did.as_ref().map(|did| json!(did))),
        ("delay", delay.map(|delay| json!(delay))),
        ("attributes", (!given.is_empty()).then(|| attributes(given))),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

fn text(dialout: &Value) -> String {
    pairs([
        ("dialout", field(dialout, "dialout_sid", "-")),
        ("first", field(dialout, "stage_one_destination_did", "-")),
        ("then", field(dialout, "stage_two_destination_did", "-")),
        ("both see", field(dialout, "redirect_did", "-")),
        ("in", format!("{} s", field(dialout, "delay", "0"))),
    ])
}
