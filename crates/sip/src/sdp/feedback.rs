//! RTCP feedback that a section asks for: `a=rtcp-fb`, RFC 4585 §4.2 and RFC 5104 §7.1.

use alloc::vec::Vec;

use super::MediaDescription;
use super::scan::{decimal, payload_type, word_of, words};

/// The most feedback lines of one section that cross.
pub const MAX_FEEDBACK: usize = 64;

/// One `a=rtcp-fb` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feedback {
    /// The format meant; `None` is `*`, all of them.
    pub payload_type: Option<u8>,
    /// What is asked for: one or two words of a table.
    pub kind: &'static str,
    /// The least time between regular reports in ms, for `trr-int`.
    pub interval_ms: Option<u32>,
}

// Not `transport-cc`: it counts on a header extension, and those do not cross.
const ALONE: [&str; 3] = ["nack", "ack", "goog-remb"];
const PAIRS: [&str; 8] = [
    "nack pli",
    "nack sli",
    "nack rpsi",
    "ack rpsi",
    "ccm fir",
    "ccm tmmbr",
    "ccm tstr",
    "ccm vbcm",
];

/// The feedback lines that may cross, for the formats `kept`, each once.
pub(super) fn feedback(media: &MediaDescription<'_>, kept: &[u8]) -> Vec<Feedback> {
    let mut found = Vec::new();
    for attribute in &media.attributes {
        if attribute.name != b"rtcp-fb" || found.len() == MAX_FEEDBACK {
            continue;
        }
        let Some(line) = attribute.value.and_then(|value| read(value, kept)) else { continue };
        if !found.contains(&line) {
            found.push(line);
        }
    }
    found
}

fn read(value: &[u8], kept: &[u8]) -> Option<Feedback> {
    let mut words = words(value);
    let payload_type = match words.next()? {
        b"*" => None,
        number => Some(payload_type(number).filter(|number| kept.contains(number))?),
    };
    let (kind, parameter) = (words.next()?, words.next());
    if kind.eq_ignore_ascii_case(b"trr-int") {
        let interval_ms = Some(decimal(parameter?, 99_999)?);
        return Some(Feedback { payload_type, kind: "trr-int", interval_ms });
    }
    let kind = match parameter {
        None => word_of(&ALONE, kind)?,
        // What follows the second word (tmmbr's smaxpr) is optional and stays behind.
        Some(parameter) => PAIRS.into_iter().find(|pair| {
            pair.split_once(' ').is_some_and(|(first, second)| {
                first.as_bytes().eq_ignore_ascii_case(kind)
                    && second.as_bytes().eq_ignore_ascii_case(parameter)
            })
        })?,
    };
    Some(Feedback { payload_type, kind, interval_ms: None })
}
