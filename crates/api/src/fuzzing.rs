//! Doors for fuzzers, which stand outside: they read what clients send the way that handlers do.
//!
//! Each gives back what kind of outcome an input had, so that a fuzzer keeps the inputs that show something new.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;

use mediator_store::query::Filter;
use serde_json::json;

use crate::body;
use crate::fields::{Fields, Presence};
use crate::filter;

/// Reads a filter, and asks it about an object.
pub fn filter(input: &[u8]) -> u64 {
    let mut outcome = DefaultHasher::new();
    let text = String::from_utf8_lossy(input);
    match filter::parse(&text) {
        Ok(filter) => {
            shape(&filter, &mut outcome);
            let object = json!({
                "a": 1, "b": "text", "c": null, "d": true, "date_created": "2018-10-09T22:47:56.609Z",
                "list": [{ "a": 1 }, { "a": "x" }], "deep": { "a": { "b": 1.5 } },
            });
            match filter::matches(&filter, &object) {
                Ok(is_match) => is_match.hash(&mut outcome),
                Err(error) => discriminant(&error).hash(&mut outcome),
            }
        }
        Err(error) => {
            let said = error.to_string();
            debug_assert!(said.len() < 512, "an error repeats its input: {said}");
            // What was expected where makes an outcome; the numbers and the text found do not.
            said.split(" at position").next().hash(&mut outcome);
        }
    }
    outcome.finish()
}

/// The recursion is bounded by the parser's depth.
fn shape(filter: &Filter, outcome: &mut DefaultHasher) {
    discriminant(filter).hash(outcome);
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            parts.len().min(4).hash(outcome);
            parts.iter().take(4).for_each(|part| shape(part, outcome));
        }
        Filter::Compare(comparison) => {
            comparison.operator.hash(outcome);
            comparison.path.len().min(4).hash(outcome);
            comparison.values.iter().take(4).for_each(|value| discriminant(value).hash(outcome));
        }
    }
}

/// Reads a body, and its fields as a handler might.
pub fn body(input: &[u8]) -> u64 {
    let mut outcome = DefaultHasher::new();
    match body::read_json(input) {
        Ok(object) => {
            let mut fields = Fields::new(&object);
            discriminant(&fields.number("destination_did")).hash(&mut outcome);
            discriminant(&fields.integer("delay", 0..=1000)).hash(&mut outcome);
            discriminant(&fields.ttl("maximum_ttl", 1000)).hash(&mut outcome);
            discriminant(&fields.boolean("reuse")).hash(&mut outcome);
            discriminant(&fields.text("name", 100)).hash(&mut outcome);
            discriminant(&fields.sid("endpoint_sid")).hash(&mut outcome);
            discriminant(&fields.list("addresses", 10)).hash(&mut outcome);
            if let Presence::Given(attributes) = fields.object("attributes") {
                attributes.len().min(8).hash(&mut outcome);
            }
            fields.finish().is_ok().hash(&mut outcome);
        }
        Err(fault) => {
            let said = fault.to_string();
            said.split(" at line").next().hash(&mut outcome);
        }
    }
    outcome.finish()
}
