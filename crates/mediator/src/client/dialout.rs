//! `mediator dialout`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::api::Api;
use super::bindings::attributes;
use super::fault::ClientError;
use super::output::{Output, field, pairs};
use crate::cli::DialoutArgs;

/// Asks for a call to two numbers.
pub(super) async fn dialout(
    api: &Api,
    args: &DialoutArgs,
    output: Output,
) -> Result<ExitCode, ClientError> {
    let made = api.create("/dialouts", &[], &object(args)).await?;
    output.show(&made, text)?;
    Ok(ExitCode::SUCCESS)
}

fn object(args: &DialoutArgs) -> Value {
    let DialoutArgs { stage_one, stage_two, redirect_did, delay, attributes: given, access: _ } =
        args;
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
