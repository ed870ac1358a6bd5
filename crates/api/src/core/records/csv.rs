//! CSV (RFC 4180): lines end with CR LF, and a cell with a comma, a quote or a line break stands in quotes.
//!
//! A text that a spreadsheet would take for a formula gets an apostrophe in front, so that what a caller or a client put
//! into a record runs nowhere.

use mediator_store::record::Object;
use serde_json::Value;

/// What begins a formula, or leads to one when white space is cut.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The first line: the names of the columns.
pub(super) fn header(columns: &[&str], into: &mut String) {
    line(columns.iter().map(|name| (*name).to_owned()), into);
}

/// A record's line.
pub(super) fn row(columns: &[&str], record: &Object, into: &mut String) {
    line(columns.iter().map(|name| cell(at(record, name))), into);
}

fn line(cells: impl Iterator<Item = String>, into: &mut String) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            into.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            into.push('"');
            into.push_str(&cell.replace('"', "\"\""));
            into.push('"');
        } else {
            into.push_str(&cell);
        }
    }
    into.push_str("\r\n");
}

/// The value at a name; a dotted one leads into a nested object.
pub(super) fn at<'a>(record: &'a Object, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        None => record.get(name),
        Some((outer, inner)) => record.get(outer)?.get(inner),
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(FORMULA) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        // Numbers, true and false, and nested objects as JSON: none begins a formula but a negative number, which is one.
        Some(other) => other.to_string(),
    }
}
