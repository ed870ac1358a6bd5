//! A redirect's number takes the place of the one that was dialled.

use mediator_model::Number;

use super::replace_number;

#[test]
fn only_the_number_changes() {
    let new = Number::from_digits("15550007777").unwrap();
    for (text, expected) in [
        ("sip:442071234567@10.2.0.1:5060", "sip:15550007777@10.2.0.1:5060"),
        ("sip:+442071234567@host;transport=tcp", "sip:+15550007777@host;transport=tcp"),
        ("sip:alice@442071234567.test", "sip:alice@442071234567.test"),
        ("<sip:442071234567@442071234567.test>", "<sip:15550007777@442071234567.test>"),
    ] {
        assert_eq!(&*replace_number(text.as_bytes(), "442071234567", new), expected.as_bytes());
    }
}
