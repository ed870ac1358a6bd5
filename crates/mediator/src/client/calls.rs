//! `mediator calls`.

use std::process::ExitCode;

use mediator_model::Sid;
use serde_json::json;

use super::api::Api;
use super::bindings::{Columns, list};
use super::fault::ClientError;
use super::output::{Output, date, field};
use crate::cli::{CallAction, CallsArgs, ListArgs};

/// Lists calls, or hangs one up.
pub(super) async fn run(
    api: &Api,
    args: &CallsArgs,
    output: Output,
) -> Result<ExitCode, ClientError> {
    match &args.action {
        None => list(api, "/calls", &args.list, (output, COLUMNS)).await,
        Some(CallAction::Hangup { sid }) => hang_up(api, *sid, &args.list, output).await,
    }
}

async fn hang_up(
    api: &Api,
    sid: Sid,
    list: &ListArgs,
    output: Output,
) -> Result<ExitCode, ClientError> {
    if list.filter.is_some() || list.order.is_some() {
        return Err(ClientError::Arguments(
            "--filter and --order are for the list: hangup takes one sid",
        ));
    }
    api.delete("/calls", sid).await?;
    let done = json!({ "call_sid": sid.to_string(), "status": 204 });
    output.show(&done, |_| format!("hung up {sid}"))?;
    Ok(ExitCode::SUCCESS)
}

const COLUMNS: Columns<8> = Columns {
    head: ["CALL", "TYPE", "STATE", "FROM", "THROUGH", "TO", "BEGAN (UTC)", "JOINED (UTC)"],
    row: |call| {
        [
            field(call, "call_sid", "-"),
            field(call, "type", "-"),
            field(call, "state", "-"),
            field(call, "number_src", "anonymous"),
            field(call, "number_redirect", "-"),
            field(call, "number_dst", "-"),
            date(call, "date_start", "-"),
            date(call, "date_talk", "-"),
        ]
    },
    none: "no calls",
};
