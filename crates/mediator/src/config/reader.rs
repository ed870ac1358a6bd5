//! Reads sections key by key: what is asked for is known, what is left over is a fault.
//!
//! A fault never stops the reading, so that one run names everything that is wrong with a file.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Findings, Reason};

/// How alike two keys must be (Jaro-Winkler, 0 to 1) for the one to be proposed for the other.
const ALIKE: f64 = 0.8;

/// A value and where in the file it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) offset: usize,
}

/// One table of the file, or one that is not there and so has only defaults.
pub(super) struct Section<'a> {
    /// The key of the table, `endpoint.addresses`; empty for the whole file.
    path: Cow<'static, str>,
    table: Option<&'a DeTable<'a>>,
    offset: usize,
    sheet: Sheet<'a>,
    known: RefCell<Vec<&'static str>>,
}

/// The part of a file that is read, and where what is found in it goes.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    pub(super) findings: &'a Findings,
    /// Where in the file the part begins.
    pub(super) base: usize,
}

impl<'a> Section<'a> {
    /// The whole file, or a part of it.
    pub(super) fn root(table: &'a DeTable<'a>, sheet: Sheet<'a>) -> Self {
        Self::new(Cow::Borrowed(""), Some(table), sheet.base, sheet)
    }

    fn new(
        path: Cow<'static, str>,
        table: Option<&'a DeTable<'a>>,
        offset: usize,
        sheet: Sheet<'a>,
    ) -> Self {
        Self { path, table, offset, sheet, known: RefCell::new(Vec::with_capacity(24)) }
    }

    /// Where the section begins.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the section is in the file.
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    fn full_key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn entry(&self, key: &'static str) -> Option<(usize, &'a Spanned<DeValue<'a>>)> {
        self.known.borrow_mut().push(key);
        let (name, value) = self.table?.get_key_value(key)?;
        Some((self.sheet.base + name.span().start, value))
    }

    /// A fault of the section as a whole, such as a key that is not there.
    pub(super) fn fault(&self, key: &str, reason: impl Into<Reason>) {
        self.fault_at(self.offset, key, reason);
    }

    /// A fault of one key, at its own line.
    pub(super) fn fault_at(&self, offset: usize, key: &str, reason: impl Into<Reason>) {
        self.sheet.findings.fault(offset, self.full_key(key), reason);
    }

    /// What is worth knowing about one key.
    pub(super) fn notice_at(&self, offset: usize, key: &str, reason: impl Into<Reason>) {
        self.sheet.findings.notice(offset, self.full_key(key), reason);
    }

    /// Where a key stands, without reading it.
    pub(super) fn position(&self, key: &'static str) -> Option<usize> {
        self.entry(key).map(|(offset, _)| offset)
    }

    /// The value of a key; `None` where it is absent, or wrong and noted.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'a DeValue<'a>) -> Result<T, Reason>,
    ) -> Option<At<T>> {
        let (offset, value) = self.entry(key)?;
        match parse(value.get_ref()) {
            Ok(value) => Some(At { value, offset }),
            Err(reason) => {
                self.fault_at(offset, key, reason);
                None
            }
        }
    }

    /// The value of a key, or the default where it is absent (or wrong and noted).
    pub(super) fn read_or<T>(
        &self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&'a DeValue<'a>) -> Result<T, Reason>,
    ) -> T {
        self.read(key, parse).map_or(default, |found| found.value)
    }

    /// The value of a key that must be there.
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'a DeValue<'a>) -> Result<T, Reason>,
    ) -> Option<At<T>> {
        if !self.table.is_some_and(|table| table.contains_key(key)) {
            self.known.borrow_mut().push(key);
            self.fault(key, "missing");
            return None;
        }
        self.read(key, parse)
    }

    /// The elements of an array of so many; those that are wrong are noted, each at its own line.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        count: RangeInclusive<usize>,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Reason>,
    ) -> Option<Vec<At<T>>> {
        let (offset, value) = self.entry(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.fault_at(offset, key, "expected a list in brackets");
            return None;
        };
        if !count.contains(&array.len()) {
            let reason = format!("expected {} to {} entries", count.start(), count.end());
            self.fault_at(offset, key, reason);
            return None;
        }
        let mut elements = Vec::with_capacity(array.len());
        for element in array {
            let offset = self.sheet.base + element.span().start;
            match parse(element.get_ref()) {
                Ok(value) => elements.push(At { value, offset }),
                Err(reason) => self.fault_at(offset, key, reason),
            }
        }
        Some(elements)
    }

    /// A table inside this one; an absent one reads as all defaults.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let path = Cow::Owned(self.full_key(key));
        let Some((offset, value)) = self.entry(key) else {
            return Section::new(path, None, self.offset, self.sheet);
        };
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.fault_at(offset, key, "expected a section of its own, or { key = value }");
        }
        Section::new(path, table, offset, self.sheet)
    }

    /// The tables of a list: `[[key]]`, or `key = [{ ... }, { ... }]`.
    pub(super) fn sections(&self, key: &'static str) -> impl Iterator<Item = Section<'a>> + 'a {
        let path: Cow<'static, str> =
            if self.path.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(self.full_key(key)) };
        let found = self.entry(key);
        let array = found.and_then(|(_, value)| value.get_ref().as_array());
        if let (Some((offset, _)), None) = (found, array) {
            self.fault_at(offset, key, self.list_expected(key));
        }
        let sheet = self.sheet;
        array.into_iter().flat_map(|array| array.iter()).filter_map(move |element| {
            let offset = sheet.base + element.span().start;
            let table = element.get_ref().as_table();
            if table.is_none() {
                sheet.findings.fault(offset, path.to_string(), "expected { key = value, ... }");
            }
            table.map(|table| Section::new(path.clone(), Some(table), offset, sheet))
        })
    }

    fn list_expected(&self, key: &str) -> Reason {
        if self.path.is_empty() {
            Cow::Owned(format!("expected a list: write [[{key}]]"))
        } else {
            Cow::Borrowed("expected a list: write [{ key = value, ... }]")
        }
    }

    /// The keys and values of a section whose keys are free.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &'a str, &'a DeValue<'a>)> + 'a {
        let base = self.sheet.base;
        self.table.into_iter().flat_map(|table| table.iter()).map(move |(key, value)| {
            (base + key.span().start, key.get_ref().as_ref(), value.get_ref())
        })
    }

    /// Notes every key that was not asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (offset, key, _) in self.entries() {
            if !known.contains(&key) {
                self.fault_at(offset, key, unknown_key(key, &known));
            }
        }
    }
}

fn unknown_key(key: &str, known: &[&'static str]) -> Reason {
    let closest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), *candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((_, candidate)) = closest {
        return Cow::Owned(format!("unknown key: did you mean {candidate}?"));
    }
    let mut all = known.to_vec();
    all.sort_unstable();
    all.dedup();
    Cow::Owned(format!("unknown key: known here are {}", all.join(", ")))
}
