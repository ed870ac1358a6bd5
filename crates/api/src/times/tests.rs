//! How times are written and read.

use mediator_model::UnixMillis;

use super::{read, written, written_or_null};

#[test]
fn are_rfc_3339_in_utc_with_milliseconds() {
    let rows = [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_539_125_276_609, "2018-10-09T22:47:56.609Z"),
        (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000_050, "2023-11-14T22:13:20.050Z"),
    ];
    for (millis, text) in rows {
        assert_eq!(written(UnixMillis(millis)), text);
        assert_eq!(read(text), Some(UnixMillis(millis)), "{text}");
    }
    assert!(written(UnixMillis(u64::MAX)).starts_with("9999-12-3"));
    assert_eq!(written_or_null(None), serde_json::Value::Null);
}

#[test]
fn are_read_with_any_offset_and_without_one() {
    let expected = Some(UnixMillis(1_539_125_276_000));
    for text in ["2018-10-10T00:47:56+02:00", "2018-10-09T22:47:56", "2018-10-09 22:47:56z"] {
        assert_eq!(read(text), expected, "{text}");
    }
    assert_eq!(read("1970-01-02"), Some(UnixMillis(86_400_000)));
    for bad in ["", "yesterday", "1969-12-31T23:59:59Z", "2018-13-01", "1539125276609"] {
        assert_eq!(read(bad), None, "{bad}");
    }
}
