//! Standard output: JSON for programs, tables for people.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde_json::Value;

use super::fault::on_one_line;

/// Where answers go, and how they look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    is_json: bool,
}

impl Output {
    /// Standard output.
    pub(super) fn stdout(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Whether programs read it.
    pub(super) fn is_json(self) -> bool {
        self.is_json
    }

    /// Prints a value as JSON, or what `text` makes of it.
    pub(super) fn show(self, value: &Value, text: impl FnOnce(&Value) -> String) -> io::Result<()> {
        let shown = if self.is_json { format!("{value:#}") } else { text(value) };
        print_line(&shown)
    }
}

/// Prints a line on standard output.
pub(super) fn print_line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// A table without lines, its columns as wide as their widest cell.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head);
    for row in rows {
        table.add_row(row.map(|cell| on_one_line(&cell)));
    }
    aligned(&mut table)
}

/// Names and values, one pair a line.
pub(super) fn pairs(pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for (name, value) in pairs {
        table.add_row([name.to_owned(), on_one_line(&value)]);
    }
    aligned(&mut table)
}

fn aligned(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// A field as text; `none` where it is null or not there.
pub(super) fn field(object: &Value, name: &str, none: &str) -> String {
    match object.get(name) {
        None | Some(Value::Null) => none.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A date to the second, as `2026-11-22 00:12:33`, UTC.
pub(super) fn date(object: &Value, name: &str, none: &str) -> String {
    let text = field(object, name, none);
    match text.get(..19).and_then(|head| head.split_once('T')) {
        Some((day, time)) => format!("{day} {time}"),
        None => text,
    }
}

/// The objects of a list.
pub(super) fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
