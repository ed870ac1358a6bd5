//! Call records as the APIs and callbacks show them: one JSON, wherever it is asked for.

use std::time::Duration;

use mediator_model::{Number, Sid, UnixMillis};
use serde_json::{Value, json};

use super::{CallRow, LegRow, MediaFigures, Object};

#[cfg(test)]
mod tests;

impl CallRow {
    /// The record as `/app/mediator/calls` lists it and as it is posted to a callback.
    ///
    /// `duration` is text: the seconds from start to stop, with up to three decimals.
    pub fn to_object(&self, partner_sid: Sid) -> Object {
        object([
            ("attributes", Value::Object(self.attributes.clone())),
            ("date_start", time(self.date_start)),
            ("date_talk", self.date_talk.map_or(Value::Null, time)),
            ("date_stop", time(self.date_stop)),
            ("date_insert", time(self.date_insert)),
            ("direction", text(&self.direction)),
            ("disconnect_originator", text(&self.disconnect_originator)),
            ("dr_sid", sid(self.dr_sid)),
            ("dtmf", optional_text(self.dtmf.as_deref())),
            ("duration", duration(self.date_start, self.date_stop)),
            ("endpoint_sid", sid(self.endpoint_sid)),
            ("endpoint_type", text("mediator")),
            ("event_type", text(&self.event_type)),
            ("media_dst", media(&self.media_dst)),
            ("media_src", media(&self.media_src)),
            ("number_dst", number(self.number_dst)),
            ("number_redirect", number(Some(self.number_redirect))),
            ("number_src", number(self.number_src)),
            ("partner_sid", sid(partner_sid)),
            ("reference_sid", self.reference_sid.map_or(Value::Null, sid)),
            ("sip_cause", self.sip_cause.into()),
            ("type", text("mediator")),
            ("version", 2.into()),
        ])
    }
}

impl LegRow {
    /// The record as `/calls/call_drs` lists it; `sipcause` and `duration` are texts there.
    pub fn to_object(&self, partner_sid: Sid) -> Object {
        object([
            ("call_sid", sid(self.call_sid)),
            ("codec_dst", optional_text(self.codec_dst.as_deref())),
            ("codec_src", optional_text(self.codec_src.as_deref())),
            ("date_insert", time(self.date_insert)),
            ("date_start", time(self.date_start)),
            ("date_stop", time(self.date_stop)),
            ("date_talk", self.date_talk.map_or(Value::Null, time)),
            ("direction", text(&self.direction)),
            ("disconnect_originator", text(&self.disconnect_originator)),
            // Diversion (RFC 5806) never crosses, so no leg has one.
            ("diversion_dst", Value::Null),
            ("diversion_src", Value::Null),
            ("dr_sid", sid(self.dr_sid)),
            ("duration", duration(self.date_start, self.date_stop)),
            ("endpoint_sid_dst", self.endpoint_sid_dst.map_or(Value::Null, sid)),
            ("endpoint_sid_src", self.endpoint_sid_src.map_or(Value::Null, sid)),
            ("identity", number(self.identity)),
            ("ip_dst", optional_text(self.ip_dst.as_deref())),
            ("ip_src", optional_text(self.ip_src.as_deref())),
            ("number_dst", number(self.number_dst)),
            ("number_external", number(self.number_external)),
            ("number_src", number(self.number_src)),
            ("partner_sid", sid(partner_sid)),
            ("sipcallid_dst", optional_text(self.sipcallid_dst.as_deref())),
            ("sipcallid_src", optional_text(self.sipcallid_src.as_deref())),
            ("sipcause", Value::String(self.sipcause.to_string())),
        ])
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn optional_text(given: Option<&str>) -> Value {
    given.map_or(Value::Null, text)
}

fn sid(sid: Sid) -> Value {
    Value::String(sid.to_string())
}

fn number(number: Option<Number>) -> Value {
    number.map_or(Value::Null, |number| Value::String(number.to_string()))
}

fn media(figures: &MediaFigures) -> Value {
    let MediaFigures { packets, lost, jitter_ms, mos } = figures;
    json!({ "packets": packets, "lost": lost, "jitter_ms": jitter_ms, "mos": mos })
}

/// Seconds with up to three decimals: "15", "4.25".
fn duration(start: UnixMillis, stop: UnixMillis) -> Value {
    let millis = stop.saturating_since(start).as_millis();
    let (seconds, rest) = (millis / 1000, millis % 1000);
    if rest == 0 {
        return Value::String(seconds.to_string());
    }
    let text = format!("{seconds}.{rest:03}");
    Value::String(text.trim_end_matches('0').to_owned())
}

fn time(at: UnixMillis) -> Value {
    Value::String(rfc3339(at))
}

/// RFC 3339 in UTC with milliseconds: `2026-03-01T12:00:00.250Z`.
pub fn rfc3339(at: UnixMillis) -> String {
    let since_1970 = Duration::from_millis(at.0);
    let (days, second_of_day) = (since_1970.as_secs() / 86_400, since_1970.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) =
        (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let millis = since_1970.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar: 400 years are 146,097
/// days; years are counted from March, so that the leap day is the last one.
const fn civil(days: u64) -> (u64, u64, u64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    let days = days + EPOCH;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = match month_from_march {
        0..=9 => (month_from_march + 3, 0),
        _ => (month_from_march - 9, 1),
    };
    (era * 400 + year_of_era + next_year, month, day)
}
