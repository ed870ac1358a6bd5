//! The fields that filters and orders may name, and where SQL finds them.

/// Where a field is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// A text: a column, or an expression of ours.
    Text(&'static str),
    /// A whole number.
    Integer(&'static str),
    /// A number with decimals.
    Real(&'static str),
    /// Milliseconds, shown as RFC 3339.
    Time(&'static str),
    /// 16 bytes, shown as a UUID.
    Sid(&'static str),
    /// A JSON object; what is left of the path leads into it.
    Doc(&'static str),
    /// A text of the DID that a binding is reached by.
    Did(&'static str),
    /// The DID itself: an object, or null where it is gone.
    DidObject,
    /// The account whose list it is.
    Account,
    /// The operator.
    Partner,
    /// The same in every row.
    Fixed(&'static str),
    /// Null in every row.
    Never,
    /// Seconds until a time.
    SecondsUntil(&'static str),
}

/// A table's fields.
pub(super) struct Fields {
    /// By name; nested ones with a dot.
    pub(super) rows: &'static [(&'static str, Field)],
}

impl Fields {
    /// The field at a path, and what is left of the path.
    pub(super) fn find<'p>(&self, path: &'p [Box<str>]) -> Option<(Field, &'p [Box<str>])> {
        let (first, rest) = path.split_first()?;
        let named = |name: &str| self.rows.iter().find(|row| row.0 == name).map(|row| row.1);
        match named(first) {
            Some(field @ Field::Doc(_)) => Some((field, rest)),
            Some(field) if rest.is_empty() => Some((field, rest)),
            _ => Some((named(&path.join("."))?, &[])),
        }
    }
}

/// Fields of bindings.
pub(super) const BINDINGS: Fields = Fields {
    rows: &[
        ("account_sid", Field::Account),
        ("attributes", Field::Doc("attributes")),
        ("binding_sid", Field::Sid("sid")),
        ("date_created", Field::Time("date_created")),
        ("destination_did", Field::Text("destination_did")),
        ("dtmf", Field::Text("dtmf")),
        ("maximum_ttl", Field::Integer("maximum_ttl")),
        ("name", Field::Text("name")),
        ("origination_did", Field::Text("origination_did")),
        ("redirect_did", Field::Text("redirect_did")),
        ("redirect_did_info", Field::DidObject),
        ("redirect_did_info.country_code", Field::Did("country_code")),
        ("redirect_did_info.e164_format", Field::Did("'+' || number")),
        ("redirect_did_info.in_country_format", Field::Did("in_country_format")),
        ("redirect_did_info.international_format", Field::Did("international_format")),
        ("redirect_did_info.phonenumber", Field::Did("number")),
        ("wait_origination_did_ttl", Field::Integer("wait_origination_did_ttl")),
    ],
};

/// Fields of dialouts.
pub(super) const DIALOUTS: Fields = Fields {
    rows: &[
        ("account_sid", Field::Account),
        ("attributes", Field::Doc("attributes")),
        ("date_created", Field::Time("date_created")),
        ("delay", Field::SecondsUntil("due")),
        ("dialout_sid", Field::Sid("sid")),
        ("redirect_did", Field::Text("redirect_did")),
        ("stage_one_destination_did", Field::Text("stage_one_destination_did")),
        ("stage_two_destination_did", Field::Text("stage_two_destination_did")),
    ],
};

/// Fields of Mediator records.
pub(super) const CALLS: Fields = Fields {
    rows: &[
        ("attributes", Field::Doc("attributes")),
        ("date_insert", Field::Time("date_insert")),
        ("date_start", Field::Time("date_start")),
        ("date_stop", Field::Time("date_stop")),
        ("date_talk", Field::Time("date_talk")),
        ("direction", Field::Text("direction")),
        ("disconnect_originator", Field::Text("disconnect_originator")),
        ("dr_sid", Field::Sid("dr_sid")),
        ("dtmf", Field::Text("dtmf")),
        ("duration", Field::Real(DURATION)),
        ("endpoint_sid", Field::Sid("endpoint_sid")),
        ("endpoint_type", Field::Fixed("mediator")),
        ("event_type", Field::Text("event_type")),
        ("media_dst", Field::Doc("media_dst")),
        ("media_src", Field::Doc("media_src")),
        ("number_dst", Field::Text("number_dst")),
        ("number_redirect", Field::Text("number_redirect")),
        ("number_src", Field::Text("number_src")),
        ("partner_sid", Field::Partner),
        ("reference_sid", Field::Sid("reference_sid")),
        ("sip_cause", Field::Integer("sip_cause")),
        ("type", Field::Fixed("mediator")),
        ("version", Field::Integer("2")),
    ],
};

/// Fields of leg records.
pub(super) const LEGS: Fields = Fields {
    rows: &[
        ("call_sid", Field::Sid("call_sid")),
        ("codec_dst", Field::Text("codec_dst")),
        ("codec_src", Field::Text("codec_src")),
        ("date_insert", Field::Time("date_insert")),
        ("date_start", Field::Time("date_start")),
        ("date_stop", Field::Time("date_stop")),
        ("date_talk", Field::Time("date_talk")),
        ("direction", Field::Text("direction")),
        ("disconnect_originator", Field::Text("disconnect_originator")),
        ("diversion_dst", Field::Never),
        ("diversion_src", Field::Never),
        ("dr_sid", Field::Sid("dr_sid")),
        ("duration", Field::Real(DURATION)),
        ("endpoint_sid_dst", Field::Sid("endpoint_sid_dst")),
        ("endpoint_sid_src", Field::Sid("endpoint_sid_src")),
        ("identity", Field::Text("identity")),
        ("ip_dst", Field::Text("ip_dst")),
        ("ip_src", Field::Text("ip_src")),
        ("number_dst", Field::Text("number_dst")),
        ("number_external", Field::Text("number_external")),
        ("number_src", Field::Text("number_src")),
        ("partner_sid", Field::Partner),
        ("sipcallid_dst", Field::Text("sipcallid_dst")),
        ("sipcallid_src", Field::Text("sipcallid_src")),
        ("sipcause", Field::Integer("sipcause")),
    ],
};

/// Never less than nothing, as it is shown.
const DURATION: &str = "max(0, date_stop - date_start) / 1000.0";
