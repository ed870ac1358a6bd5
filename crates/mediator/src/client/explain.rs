//! `mediator explain`.

use std::process::ExitCode;

use serde_json::Value;

use super::api::Api;
use super::fault::ClientError;
use super::output::{Output, field, pairs};
use crate::cli::ExplainArgs;

/// Asks where a call would go.
pub(super) async fn explain(
    api: &Api,
    args: &ExplainArgs,
    output: Output,
) -> Result<ExitCode, ClientError> {
    let mut query = vec![("to", &*args.to)];
    query.extend(args.from.as_deref().map(|from| ("from", from)));
    let explanation = api.read("/explain", &query).await?;
    output.show(&explanation, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(explanation: &Value) -> String {
    let rule = field(explanation, "rule", "-");
    let meaning = match &*rule {
        "exact" => "a binding for this caller",
        "any" => "a binding for every caller",
        "claim" => "a binding that waits for its first caller: this one would get it",
        "none" => "no binding decides",
        "unknown_did" => "no number of this account",
        _ => "",
    };
    let outcome = match explanation.get("sip_code").and_then(Value::as_u64) {
        Some(code) if matches!(&*rule, "exact" | "any") => {
            format!("the caller gets {code}: nothing leads to the destination now")
        }
        Some(code) => format!("the caller gets {code}"),
        None => "dials".to_owned(),
    };
    let trunks = explanation.get("trunks").and_then(Value::as_array);
    let trunks: Vec<String> = trunks
        .into_iter()
        .flatten()
        .map(|trunk| format!("{} {}", field(trunk, "name", "-"), field(trunk, "address", "-")))
        .collect();
    let mut shown = vec![
        ("result", outcome),
        ("rule", format!("{rule}: {meaning}")),
        ("number", field(explanation, "did", "-")),
        ("endpoint", field(explanation, "endpoint", "-")),
        ("binding", field(explanation, "binding_sid", "-")),
        ("shown as caller", field(explanation, "caller_id", "-")),
        ("destination", field(explanation, "destination_did", "-")),
    ];
    let mut name = "tries";
    for trunk in trunks {
        shown.push((name, trunk));
        name = "then";
    }
    pairs(shown)
}
