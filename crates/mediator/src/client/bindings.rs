//! `mediator bindings`, but for import and export; and what lists have in common.

use std::io::{self, Write};
use std::process::ExitCode;

use mediator_model::Sid;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::bulk;
use super::fault::ClientError;
use super::output::{Output, date, field, items, pairs, print_line, table};
use crate::cli::{AddArgs, Attribute, BindingAction, ListArgs};

/// The longest page that the API gives.
const PAGE: u64 = 1000;

/// Does what was asked for.
pub(super) async fn run(
    api: &Api,
    action: &BindingAction,
    output: Output,
) -> Result<ExitCode, ClientError> {
    match action {
        BindingAction::List(args) => list(api, "/bindings", args, (output, COLUMNS)).await,
        BindingAction::Add(args) => {
            let made = api.create("/bindings", &query(args), &object(args)).await?;
            output.show(&made, one)?;
            Ok(ExitCode::SUCCESS)
        }
        BindingAction::Rm { sids } => remove(api, sids, output).await,
        BindingAction::Import { file } => bulk::import(api, file, output).await,
        BindingAction::Export { file } => bulk::export(api, file.as_deref()).await,
    }
}

/// How the objects of a list are shown to people.
pub(super) struct Columns<const N: usize> {
    /// Their names.
    pub(super) head: [&'static str; N],
    /// An object's cells.
    pub(super) row: fn(&Value) -> [String; N],
    /// Instead of a table without rows.
    pub(super) none: &'static str,
}

/// Shows a list up to the limit, read page by page. As JSON it is one list object, as if the API had given it in one page,
/// written as the pages come. Says so where it is not all.
pub(super) async fn list<const N: usize>(
    api: &Api,
    path: &str,
    args: &ListArgs,
    (output, columns): (Output, Columns<N>),
) -> Result<ExitCode, ClientError> {
    let ListArgs { limit, filter, order } = args;
    let most = if *limit == 0 { u64::MAX } else { *limit };
    let mut rows = Vec::new();
    let mut count = 0;
    let (has_more, total) = loop {
        let (from, page) = (count.to_string(), PAGE.min(most - count).to_string());
        let mut query = vec![("offset", &*from), ("limit", &*page)];
        query.extend(filter.as_deref().map(|filter| ("filter", filter)));
        query.extend(order.as_deref().map(|order| ("order", order)));
        let list = api.read(path, &query).await?;
        let items = items(&list);
        if output.is_json() {
            print_items(items, count == 0)?;
        } else {
            rows.extend(items.iter().map(columns.row));
        }
        count += items.len() as u64;
        let has_more = list.get("has_more").and_then(Value::as_bool).unwrap_or(false);
        if items.is_empty() || !has_more || count >= most {
            break (has_more, list.get("total").cloned().unwrap_or_default());
        }
    };
    if output.is_json() {
        let rest = json!({ "count": count, "has_more": has_more, "limit": limit, "offset": 0, "total": total });
        print_line(&format!("\n],\n{}", rest.to_string().trim_start_matches('{')))?;
    } else if rows.is_empty() {
        print_line(columns.none)?;
    } else {
        print_line(&table(columns.head, rows))?;
    }
    if has_more {
        say_more(count, &total);
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes objects of a list that is begun with the first ones, one a line.
fn print_items(items: &[Value], is_first: bool) -> io::Result<()> {
    let mut text = if is_first { "{\"items\": [".to_owned() } else { String::new() };
    for (at, item) in items.iter().enumerate() {
        let separator = if is_first && at == 0 { "\n" } else { ",\n" };
        text.push_str(separator);
        text.push_str(&item.to_string());
    }
    io::stdout().lock().write_all(text.as_bytes())
}

fn say_more(count: u64, total: &Value) {
    let total = total.as_u64().map_or_else(String::new, |total| format!(" of {total}"));
    // Nothing can be done about a closed standard error.
    let _ = writeln!(io::stderr(), "{count}{total} shown: --limit 0 shows all");
}

async fn remove(api: &Api, sids: &[Sid], output: Output) -> Result<ExitCode, ClientError> {
    let mut code = ExitCode::SUCCESS;
    for &sid in sids {
        match api.delete("/bindings", sid).await {
            Ok(()) => {
                let done = json!({ "binding_sid": sid.to_string(), "status": 204 });
                output.show(&done, |_| format!("removed {sid}"))?;
            }
            // The others may go: what is wrong with this one is not wrong with them.
            Err(ClientError::Refused(refusal)) if sids.len() > 1 => {
                let _ = writeln!(io::stderr(), "error: {sid}: {refusal}");
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(code)
}

fn query(args: &AddArgs) -> Vec<(&'static str, &str)> {
    let mut query = Vec::new();
    query.extend(args.reuse.then_some(("reuse", "true")));
    query.extend(args.fallback_country.as_deref().map(|country| ("fallback_country", country)));
    query
}

/// What POST takes: only what was given, so that the rest has the server's defaults.
fn object(args: &AddArgs) -> Value {
    let AddArgs {
        destination_did,
        redirect_did,
        origination_did,
        maximum_ttl,
        wait_origination_did_ttl,
        name,
        dtmf,
        attributes: given,
        reuse: _,
        fallback_country: _,
    } = args;
    let fields = [
        ("destination_did", Some(json!(destination_did))),
        ("redirect_did", redirect_did.as_ref().map(|did| json!(did))),
        ("origination_did", origination_did.as_ref().map(|did| json!(did))),
        ("maximum_ttl", maximum_ttl.map(|ttl| json!(ttl))),
        ("wait_origination_did_ttl", wait_origination_did_ttl.map(|ttl| json!(ttl))),
        ("name", name.as_ref().map(|name| json!(name))),
        ("dtmf", dtmf.as_ref().map(|dtmf| json!(dtmf))),
        ("attributes", (!given.is_empty()).then(|| attributes(given))),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

/// Attributes as the API takes them: texts.
pub(super) fn attributes(given: &[Attribute]) -> Value {
    let pairs = given.iter().map(|Attribute { key, value }| (key.clone(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// Who a binding is for.
fn caller(binding: &Value) -> String {
    let waits = binding.get("wait_origination_did_ttl").and_then(Value::as_i64);
    let nobody = if waits == Some(-1) { "any" } else { "first caller" };
    field(binding, "origination_did", nobody)
}

fn lifetime(binding: &Value) -> String {
    match binding.get("maximum_ttl").and_then(Value::as_i64) {
        Some(-1) => "for ever".to_owned(),
        Some(seconds) => format!("{seconds} s"),
        None => "-".to_owned(),
    }
}

const COLUMNS: Columns<7> = Columns {
    head: ["BINDING", "DIALLED", "BY", "REACHES", "LASTS", "MADE (UTC)", "NAME"],
    row: |binding| {
        [
            field(binding, "binding_sid", "-"),
            field(binding, "redirect_did", "-"),
            caller(binding),
            field(binding, "destination_did", "-"),
            lifetime(binding),
            date(binding, "date_created", "-"),
            field(binding, "name", "-"),
        ]
    },
    none: "no bindings",
};

fn one(binding: &Value) -> String {
    let attributes = binding.get("attributes").and_then(Value::as_object);
    let attributes: Vec<String> = attributes
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    let mut shown = vec![
        ("binding", field(binding, "binding_sid", "-")),
        ("dialled", field(binding, "redirect_did", "-")),
        ("by", caller(binding)),
        ("reaches", field(binding, "destination_did", "-")),
        ("lasts", lifetime(binding)),
        ("name", field(binding, "name", "-")),
    ];
    if !attributes.is_empty() {
        shown.push(("attributes", attributes.join(", ")));
    }
    pairs(shown)
}
