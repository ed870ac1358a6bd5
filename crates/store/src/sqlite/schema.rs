//! Tables of format 1, and how an older format becomes the newest.
//!
//! Numbers are TEXT, so that every operator of a filter is a native comparison; times are milliseconds; `-1` is the
//! API's "for ever". A row's `id` is the order of creation. Accounts stand as small integers in rows and indices
//! (`owners`): the indices of a million bindings are a third smaller for it.

use rusqlite::Connection;

/// `MEDS`: says whose database it is (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: u32 = 0x4d45_4453;

/// The newest format that is known here (`PRAGMA user_version`).
pub(super) const FORMAT: u32 = STEPS.len() as u32;

/// What makes format n + 1 out of format n; the first makes format 1 out of nothing. A step that was released is never
/// changed.
const STEPS: [&str; 1] = [FORMAT_1];

/// Brings an empty or older database to the newest format. The caller has begun a transaction.
pub(super) fn migrate(conn: &Connection, from: u32) -> rusqlite::Result<()> {
    for step in STEPS.iter().skip(from as usize) {
        conn.execute_batch(step)?;
    }
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", FORMAT)
}

/// The tables that a store of this format has; one that lacks one is damaged.
pub(super) const TABLES: [&str; 14] = [
    "bindings",
    "calls",
    "deliveries",
    "dialouts",
    "did_formats",
    "legs",
    "log",
    "meta",
    "object_refs",
    "objects",
    "owners",
    "remembered",
    "sqlite_sequence",
    "unique_keys",
];

const FORMAT_1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0), ('log_floor', 0);

CREATE TABLE owners (id INTEGER PRIMARY KEY, sid BLOB NOT NULL UNIQUE) STRICT;

CREATE TABLE bindings (
  id INTEGER PRIMARY KEY,
  sid BLOB NOT NULL UNIQUE,
  account INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  name TEXT NOT NULL,
  redirect_did TEXT NOT NULL,
  origination_did TEXT,
  destination_did TEXT NOT NULL,
  dtmf TEXT,
  attributes TEXT NOT NULL,
  maximum_ttl INTEGER NOT NULL,
  wait_origination_did_ttl INTEGER NOT NULL,
  date_created INTEGER NOT NULL,
  claim_until INTEGER,
  deadline INTEGER
) STRICT;
CREATE UNIQUE INDEX bindings_key ON bindings (redirect_did, coalesce(origination_did, ''));
CREATE INDEX bindings_account ON bindings (account);
CREATE INDEX bindings_redirect_did ON bindings (account, redirect_did);
CREATE INDEX bindings_origination_did ON bindings (account, origination_did);
CREATE INDEX bindings_destination_did ON bindings (account, destination_did);
CREATE INDEX bindings_name ON bindings (account, name);
CREATE INDEX bindings_date_created ON bindings (account, date_created);
CREATE INDEX bindings_deadline ON bindings (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE dialouts (
  id INTEGER PRIMARY KEY,
  sid BLOB NOT NULL UNIQUE,
  account INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  stage_one_destination_did TEXT NOT NULL,
  stage_two_destination_did TEXT NOT NULL,
  redirect_did TEXT NOT NULL,
  attributes TEXT NOT NULL,
  date_created INTEGER NOT NULL,
  due INTEGER NOT NULL,
  dialling INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX dialouts_key ON dialouts
  (redirect_did, stage_one_destination_did, stage_two_destination_did);
CREATE INDEX dialouts_account ON dialouts (account);

CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  sid BLOB NOT NULL,
  revision INTEGER NOT NULL,
  doc TEXT NOT NULL,
  sealed BLOB,
  UNIQUE (kind, sid)
) STRICT;

CREATE TABLE unique_keys (
  field INTEGER NOT NULL,
  value BLOB NOT NULL,
  sid BLOB NOT NULL,
  PRIMARY KEY (field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX unique_keys_sid ON unique_keys (sid);

CREATE TABLE object_refs (
  to_kind INTEGER NOT NULL,
  to_sid BLOB NOT NULL,
  from_kind INTEGER NOT NULL,
  from_sid BLOB NOT NULL,
  PRIMARY KEY (to_kind, to_sid, from_kind, from_sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_refs_from ON object_refs (from_kind, from_sid);

CREATE TABLE did_formats (
  number TEXT PRIMARY KEY,
  country_code TEXT,
  in_country_format TEXT NOT NULL,
  international_format TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  revision INTEGER NOT NULL,
  place INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  sid BLOB NOT NULL,
  removed INTEGER NOT NULL,
  PRIMARY KEY (revision, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE remembered (
  owner BLOB NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL,
  body BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_until ON remembered (until);

CREATE TABLE calls (
  id INTEGER PRIMARY KEY,
  dr_sid BLOB NOT NULL UNIQUE,
  endpoint_sid BLOB NOT NULL,
  event_type TEXT NOT NULL,
  reference_sid BLOB,
  attributes TEXT NOT NULL,
  dtmf TEXT,
  direction TEXT NOT NULL,
  number_src TEXT,
  number_redirect TEXT NOT NULL,
  number_dst TEXT,
  date_start INTEGER NOT NULL,
  date_talk INTEGER,
  date_stop INTEGER NOT NULL,
  date_insert INTEGER NOT NULL,
  sip_cause INTEGER NOT NULL,
  disconnect_originator TEXT NOT NULL,
  media_src TEXT NOT NULL,
  media_dst TEXT NOT NULL
) STRICT;
CREATE INDEX calls_date_insert ON calls (date_insert);
CREATE INDEX calls_date_start ON calls (date_start);
CREATE INDEX calls_endpoint_sid ON calls (endpoint_sid);
CREATE INDEX calls_reference_sid ON calls (reference_sid);
CREATE INDEX calls_number_src ON calls (number_src);
CREATE INDEX calls_number_redirect ON calls (number_redirect);
CREATE INDEX calls_number_dst ON calls (number_dst);

CREATE TABLE legs (
  id INTEGER PRIMARY KEY,
  dr_sid BLOB NOT NULL UNIQUE,
  call_sid BLOB NOT NULL,
  direction TEXT NOT NULL,
  date_start INTEGER NOT NULL,
  date_talk INTEGER,
  date_stop INTEGER NOT NULL,
  date_insert INTEGER NOT NULL,
  endpoint_sid_src BLOB,
  endpoint_sid_dst BLOB,
  number_src TEXT,
  number_dst TEXT,
  number_external TEXT,
  ip_src TEXT,
  ip_dst TEXT,
  sipcallid_src TEXT,
  sipcallid_dst TEXT,
  sipcause INTEGER NOT NULL,
  codec_src TEXT,
  codec_dst TEXT,
  disconnect_originator TEXT NOT NULL,
  identity TEXT
) STRICT;
CREATE INDEX legs_date_insert ON legs (date_insert);
CREATE INDEX legs_date_start ON legs (date_start);
CREATE INDEX legs_call_sid ON legs (call_sid);
CREATE INDEX legs_number_src ON legs (number_src);
CREATE INDEX legs_number_dst ON legs (number_dst);

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  dr_sid BLOB NOT NULL,
  created INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due INTEGER,
  last_error TEXT
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due);
";
