//! Rows of the Core API's objects: a JSON document, its secrets sealed, its unique keys and what it refers to.

use std::collections::BTreeMap;
use std::sync::Arc;

use mediator_model::{Secret, Sid};
use rusqlite::{Connection, OptionalExtension, params};

use super::cells::{self, NumberCell, SidCell, signed};
use super::seal::Sealer;
use crate::record::{
    DidRecord, EndpointRecord, Kind, PartnerRecord, ProvisionedRecord, Record, TokenRecord,
    TrunkGroupRecord, TrunkRecord, Versioned,
};
use crate::write::Revision;

/// A field that is unique among all objects. The numbers are stored: they never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UniqueField {
    Login = 1,
    SipUsername = 2,
    Phonenumber = 3,
    AccessToken = 4,
    Provisioned = 5,
}

impl UniqueField {
    /// The field's name, for messages.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SipUsername => "sip_username",
            Self::Phonenumber => "phonenumber",
            Self::AccessToken => "access_token",
            Self::Provisioned => "key",
        }
    }
}

/// The number that stands for a kind in the database; it never changes.
pub(super) const fn kind_code(kind: Kind) -> i64 {
    match kind {
        Kind::Binding => 1,
        Kind::Dialout => 2,
        Kind::Endpoint => 3,
        Kind::TrunkGroup => 4,
        Kind::Trunk => 5,
        Kind::Did => 6,
        Kind::Token => 7,
        Kind::Partner => 8,
        Kind::Provisioned => 9,
    }
}

/// The kind that a number stands for.
pub(super) fn kind_of(code: i64) -> rusqlite::Result<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind_code(*kind) == code)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, code))
}

/// An object and its row's id.
pub(super) fn find(
    conn: &Connection,
    sealer: &Sealer,
    kind: Kind,
    sid: Sid,
) -> rusqlite::Result<Option<(i64, Versioned<Record>)>> {
    conn.prepare_cached(
        "SELECT id, revision, doc, sealed FROM objects WHERE kind = ?1 AND sid = ?2",
    )?
    .query_row(params![kind_code(kind), SidCell(sid)], |row| {
        let sealed: Option<Vec<u8>> = row.get(3)?;
        let text = row.get_ref(2)?.as_str()?;
        let record = decode(sealer, (kind, sid), text, sealed.as_deref())?;
        Ok((row.get(0)?, Versioned { revision: cells::count(row, 1)?, record }))
    })
    .optional()
}

/// The id and revision of an object's row.
pub(super) fn stamp(
    conn: &Connection,
    kind: Kind,
    sid: Sid,
) -> rusqlite::Result<Option<(i64, Revision)>> {
    conn.prepare_cached("SELECT id, revision FROM objects WHERE kind = ?1 AND sid = ?2")?
        .query_row(params![kind_code(kind), SidCell(sid)], |row| {
            Ok((row.get(0)?, cells::count(row, 1)?))
        })
        .optional()
}

/// Adds an object, its keys and references; the caller looked that they are free.
pub(super) fn insert(
    conn: &Connection,
    sealer: &Sealer,
    record: &Record,
    revision: Revision,
) -> rusqlite::Result<()> {
    let (doc, sealed) = encode(sealer, record)?;
    conn.prepare_cached(
        "INSERT INTO objects (kind, sid, revision, doc, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        kind_code(record.kind()),
        SidCell(record.sid()),
        signed(revision),
        doc,
        sealed
    ])?;
    note(conn, record)
}

/// Replaces the object of a row; the caller looked that its keys are free.
pub(super) fn update(
    conn: &Connection,
    sealer: &Sealer,
    id: i64,
    record: &Record,
    revision: Revision,
) -> rusqlite::Result<()> {
    let (doc, sealed) = encode(sealer, record)?;
    forget(conn, record.kind(), record.sid())?;
    conn.prepare_cached("UPDATE objects SET revision = ?2, doc = ?3, sealed = ?4 WHERE id = ?1")?
        .execute(params![id, signed(revision), doc, sealed])?;
    note(conn, record)
}

/// Removes an object with its keys and references.
pub(super) fn delete(conn: &Connection, id: i64, kind: Kind, sid: Sid) -> rusqlite::Result<()> {
    forget(conn, kind, sid)?;
    conn.prepare_cached("DELETE FROM objects WHERE id = ?1")?.execute(params![id])?;
    Ok(())
}

/// Who else holds one of the record's unique keys.
pub(super) fn holder(
    conn: &Connection,
    record: &Record,
) -> rusqlite::Result<Option<(UniqueField, Sid)>> {
    let mut statement = conn.prepare_cached(
        "SELECT sid FROM unique_keys WHERE field = ?1 AND value = ?2 AND sid <> ?3",
    )?;
    for (field, value) in unique_keys(record) {
        let holder = statement
            .query_row(params![field as i64, value, SidCell(record.sid())], |row| {
                cells::sid(row, 0)
            })
            .optional()?;
        if let Some(holder) = holder {
            return Ok(Some((field, holder)));
        }
    }
    Ok(None)
}

/// Who refers to an object, other than `except`.
pub(super) fn user(
    conn: &Connection,
    kind: Kind,
    sid: Sid,
    except: Option<Kind>,
) -> rusqlite::Result<Option<(Kind, Sid)>> {
    conn.prepare_cached(
        "SELECT from_kind, from_sid FROM object_refs \
         WHERE to_kind = ?1 AND to_sid = ?2 AND from_kind <> ?3 LIMIT 1",
    )?
    .query_row(params![kind_code(kind), SidCell(sid), except.map_or(0, kind_code)], |row| {
        Ok((kind_of(row.get(0)?)?, cells::sid(row, 1)?))
    })
    .optional()
}

/// All of one kind that refer to an object.
pub(super) fn users(
    conn: &Connection,
    (kind, sid): (Kind, Sid),
    by: Kind,
) -> rusqlite::Result<Vec<Sid>> {
    conn.prepare_cached(
        "SELECT from_sid FROM object_refs WHERE to_kind = ?1 AND to_sid = ?2 AND from_kind = ?3",
    )?
    .query_map(params![kind_code(kind), SidCell(sid), kind_code(by)], |row| cells::sid(row, 0))?
    .collect()
}

/// The one operator, where there is one.
pub(super) fn partner_sid(conn: &Connection) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached("SELECT sid FROM objects WHERE kind = ?1 ORDER BY id LIMIT 1")?
        .query_row(params![kind_code(Kind::Partner)], |row| cells::sid(row, 0))
        .optional()
}

fn note(conn: &Connection, record: &Record) -> rusqlite::Result<()> {
    for (field, value) in unique_keys(record) {
        conn.prepare_cached("INSERT INTO unique_keys (field, value, sid) VALUES (?1, ?2, ?3)")?
            .execute(params![field as i64, value, SidCell(record.sid())])?;
    }
    for (kind, sid) in references(record) {
        conn.prepare_cached(
            "INSERT OR IGNORE INTO object_refs (to_kind, to_sid, from_kind, from_sid) \
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            kind_code(kind),
            SidCell(sid),
            kind_code(record.kind()),
            SidCell(record.sid())
        ])?;
    }
    if let Record::Did(did) = record {
        note_formats(conn, did)?;
    }
    Ok(())
}

fn note_formats(conn: &Connection, did: &DidRecord) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO did_formats (number, country_code, in_country_format, international_format) \
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        NumberCell(did.phonenumber),
        did.country_code,
        did.in_country_format,
        did.international_format
    ])?;
    Ok(())
}

fn forget(conn: &Connection, kind: Kind, sid: Sid) -> rusqlite::Result<()> {
    if kind == Kind::Did {
        conn.prepare_cached(
            "DELETE FROM did_formats WHERE number IN \
             (SELECT CAST(value AS TEXT) FROM unique_keys WHERE sid = ?1 AND field = ?2)",
        )?
        .execute(params![SidCell(sid), UniqueField::Phonenumber as i64])?;
    }
    conn.prepare_cached(
        "DELETE FROM unique_keys WHERE sid = ?1 AND field IN (SELECT value FROM json_each(?2))",
    )?
    .execute(params![SidCell(sid), unique_fields(kind)])?;
    conn.prepare_cached("DELETE FROM object_refs WHERE from_kind = ?1 AND from_sid = ?2")?
        .execute(params![kind_code(kind), SidCell(sid)])?;
    Ok(())
}

/// The unique fields of a kind, as a JSON list: two objects of different kinds might have one sid.
const fn unique_fields(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "[1,2]",
        Kind::Did => "[3]",
        Kind::Token => "[4]",
        Kind::Provisioned => "[5]",
        Kind::Binding | Kind::Dialout | Kind::TrunkGroup | Kind::Trunk | Kind::Partner => "[]",
    }
}

fn unique_keys(record: &Record) -> Vec<(UniqueField, Vec<u8>)> {
    match record {
        Record::Endpoint(record) => {
            let login = record.login.as_deref().map(|login| (UniqueField::Login, login));
            let user = record.sip_username.as_deref().map(|user| (UniqueField::SipUsername, user));
            [login, user]
                .into_iter()
                .flatten()
                .map(|(field, text)| (field, text.as_bytes().to_vec()))
                .collect()
        }
        Record::Did(record) => {
            vec![(UniqueField::Phonenumber, record.phonenumber.to_string().into_bytes())]
        }
        Record::Token(record) => vec![(UniqueField::AccessToken, record.access_hash.to_vec())],
        Record::Provisioned(record) => {
            vec![(UniqueField::Provisioned, record.key.as_bytes().to_vec())]
        }
        Record::Binding(_)
        | Record::Dialout(_)
        | Record::TrunkGroup(_)
        | Record::Trunk(_)
        | Record::Partner(_) => Vec::new(),
    }
}

fn references(record: &Record) -> Vec<(Kind, Sid)> {
    match record {
        Record::Endpoint(record) => {
            record.outbound.map(|group| (Kind::TrunkGroup, group)).into_iter().collect()
        }
        Record::Trunk(record) => {
            vec![(Kind::TrunkGroup, record.trunk_group_sid), (Kind::Endpoint, record.endpoint_sid)]
        }
        Record::Did(record) => {
            record.trunk_group_sid.map(|group| (Kind::TrunkGroup, group)).into_iter().collect()
        }
        Record::Binding(_)
        | Record::Dialout(_)
        | Record::TrunkGroup(_)
        | Record::Token(_)
        | Record::Partner(_)
        | Record::Provisioned(_) => Vec::new(),
    }
}

/// Secrets by the names of their fields.
type Secrets = BTreeMap<String, String>;

fn encode(sealer: &Sealer, record: &Record) -> rusqlite::Result<(String, Option<Vec<u8>>)> {
    let (doc, secrets) = match record {
        Record::Endpoint(record) => (cells::to_json(&**record)?, endpoint_secrets(record)),
        Record::Partner(record) => (cells::to_json(&**record)?, partner_secrets(record)),
        Record::TrunkGroup(record) => (cells::to_json(&**record)?, Secrets::new()),
        Record::Trunk(record) => (cells::to_json(&**record)?, Secrets::new()),
        Record::Did(record) => (cells::to_json(&**record)?, Secrets::new()),
        Record::Token(record) => (cells::to_json(&**record)?, Secrets::new()),
        Record::Provisioned(record) => (cells::to_json(&**record)?, Secrets::new()),
        // They have tables of their own.
        Record::Binding(_) | Record::Dialout(_) => return Err(rusqlite::Error::InvalidQuery),
    };
    if secrets.is_empty() {
        return Ok((doc, None));
    }
    let plain = cells::to_json(&secrets)?;
    let sealed = sealer.seal(plain.as_bytes(), &belongs_to(record.kind(), record.sid()))?;
    Ok((doc, Some(sealed)))
}

/// An object from its row.
pub(super) fn decode(
    sealer: &Sealer,
    (kind, sid): (Kind, Sid),
    doc: &str,
    sealed: Option<&[u8]>,
) -> rusqlite::Result<Record> {
    let secrets = match sealed {
        None => Secrets::new(),
        Some(sealed) => {
            let plain = sealer.open(sealed, &belongs_to(kind, sid)).map_err(damaged)?;
            serde_json::from_slice(&plain).map_err(damaged)?
        }
    };
    Ok(match kind {
        Kind::Endpoint => {
            let mut record: EndpointRecord = serde_json::from_str(doc).map_err(damaged)?;
            restore_endpoint(&mut record, secrets);
            Record::Endpoint(Arc::new(record))
        }
        Kind::Partner => {
            let mut record: PartnerRecord = serde_json::from_str(doc).map_err(damaged)?;
            record.callbacks_secret = secrets.into_values().next().map(Secret::new);
            Record::Partner(Arc::new(record))
        }
        Kind::TrunkGroup => Record::TrunkGroup(Arc::new(parse::<TrunkGroupRecord>(doc)?)),
        Kind::Trunk => Record::Trunk(Arc::new(parse::<TrunkRecord>(doc)?)),
        Kind::Did => Record::Did(Arc::new(parse::<DidRecord>(doc)?)),
        Kind::Token => Record::Token(Arc::new(parse::<TokenRecord>(doc)?)),
        Kind::Provisioned => Record::Provisioned(Arc::new(parse::<ProvisionedRecord>(doc)?)),
        Kind::Binding | Kind::Dialout => return Err(rusqlite::Error::InvalidQuery),
    })
}

fn parse<T: serde::de::DeserializeOwned>(doc: &str) -> rusqlite::Result<T> {
    serde_json::from_str(doc).map_err(damaged)
}

/// Column 2 is the document's.
fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
}

/// What a sealed secret is bound to, so that it opens in no other row.
fn belongs_to(kind: Kind, sid: Sid) -> Vec<u8> {
    let mut name = kind_code(kind).to_be_bytes().to_vec();
    name.extend_from_slice(&sid.as_u128().to_be_bytes());
    name
}

fn endpoint_secrets(record: &EndpointRecord) -> Secrets {
    let own = [
        ("out_sip_password", &record.out_sip_password),
        ("sip_password", &record.sip_password),
        ("password", &record.password),
    ];
    let own = own.into_iter().map(|(name, secret)| (name.to_owned(), secret));
    let addresses = record.addresses.iter().enumerate();
    let addresses = addresses.map(|(at, address)| (format!("address.{at}"), &address.sip_password));
    own.chain(addresses)
        .filter_map(|(name, secret)| Some((name, secret.as_ref()?.expose().to_owned())))
        .collect()
}

fn restore_endpoint(record: &mut EndpointRecord, mut secrets: Secrets) {
    let mut take = |name: &str| secrets.remove(name).map(Secret::new);
    record.out_sip_password = take("out_sip_password");
    record.sip_password = take("sip_password");
    record.password = take("password");
    for (at, address) in record.addresses.iter_mut().enumerate() {
        address.sip_password = take(&format!("address.{at}"));
    }
}

fn partner_secrets(record: &PartnerRecord) -> Secrets {
    record
        .callbacks_secret
        .iter()
        .map(|secret| ("callbacks_secret".to_owned(), secret.expose().to_owned()))
        .collect()
}
