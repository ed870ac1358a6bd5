//! Values made from the schemas of an `OpenAPI` document, good and spoilt, and a judge of answers.
//!
//! It knows as much of JSON Schema as makes requests that get past the door; whether an answer fits is decided by
//! a validator of somebody else's make.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

/// Steps of chance that are the same in every run (splitmix64).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// Values that no field means.
const ODD: [&str; 9] =
    ["", " ", "\u{0}", "\r\nX: y", "☂", "-1", "1e999", "%s%n", "'; DROP TABLE binding;--"];

/// An `OpenAPI` document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Whether samples have every field, as PUT wants them, and not just some.
    pub(crate) whole: bool,
}

impl Document {
    /// Follows `$ref`.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..16 {
            let Some(pointer) = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'))
            else {
                return schema;
            };
            schema = self.value.pointer(pointer).unwrap_or(&Value::Null);
        }
        schema
    }

    /// A value that the schema allows, as far as is understood here.
    pub(crate) fn sample(&self, schema: &Value, chance: &mut Chance, depth: u32) -> Value {
        let schema = self.resolve(schema);
        for key in ["example", "const", "default"] {
            if let Some(value) = schema.get(key)
                && chance.once_in(2)
            {
                return value.clone();
            }
        }
        for key in ["enum", "examples"] {
            if let Some(values) = schema[key].as_array() {
                return chance.pick(values).cloned().unwrap_or_default();
            }
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[key].as_array() {
                let choice = chance.pick(choices).cloned().unwrap_or_default();
                return self.sample(&choice, chance, depth);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut all = Map::new();
            for part in parts {
                if let Value::Object(map) = self.sample(part, chance, depth) {
                    all.extend(map);
                }
            }
            return Value::Object(all);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => chance.pick(kinds).and_then(Value::as_str).unwrap_or("null"),
            kind => kind.as_str().unwrap_or("object"),
        };
        self.of_type(kind, schema, chance, depth)
    }

    fn of_type(&self, kind: &str, schema: &Value, chance: &mut Chance, depth: u32) -> Value {
        match kind {
            "string" => text(schema, chance),
            "integer" => {
                let low = schema["minimum"].as_i64().unwrap_or(-1);
                let span = schema["maximum"].as_i64().unwrap_or(low + 5000).saturating_sub(low);
                let span = usize::try_from(span).unwrap_or(0).min(5000);
                json!(low + i64::try_from(chance.below(span + 1)).unwrap_or(0))
            }
            "number" => json!(f64::from(u8::try_from(chance.below(256)).unwrap_or(0)) / 8.0),
            "boolean" => json!(chance.once_in(2)),
            "array" if depth < 4 => {
                let items =
                    (0..chance.below(3)).map(|_| self.sample(&schema["items"], chance, depth + 1));
                Value::Array(items.collect())
            }
            "array" => json!([]),
            "null" => Value::Null,
            _ => self.object(schema, chance, depth),
        }
    }

    fn object(&self, schema: &Value, chance: &mut Chance, depth: u32) -> Value {
        let mut object = Map::new();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, of) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = required.iter().any(|required| required == name.as_str());
            if wanted || (depth < 4 && (self.whole || chance.once_in(2))) {
                object.insert(
                    name.clone(),
                    named(name, chance).unwrap_or_else(|| self.sample(of, chance, depth + 1)),
                );
            }
        }
        Value::Object(object)
    }

    /// Fails where a value does not fit the schema; says where.
    pub(crate) fn judge(&self, schema: &Value, value: &Value) -> Result<()> {
        let mut whole = schema.clone();
        let root = whole.as_object_mut().context("a schema is an object")?;
        root.insert("components".to_owned(), self.value["components"].clone());
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        let validator = jsonschema::validator_for(&whole).context("the schema itself")?;
        let faults: Vec<String> = validator
            .iter_errors(value)
            .map(|fault| format!("{} at {}", fault, fault.instance_path()))
            .collect();
        ensure!(faults.is_empty(), "{}", faults.join("; "));
        Ok(())
    }
}

/// Fields whose meaning the schema does not tell.
fn named(name: &str, chance: &mut Chance) -> Option<Value> {
    let number = |chance: &mut Chance| json!(format!("1516206{:04}", chance.below(10_000)));
    match name {
        "destination_did"
        | "origination_did"
        | "stage_one_destination_did"
        | "stage_two_destination_did"
        | "phonenumber" => Some(number(chance)),
        "redirect_did" if chance.once_in(2) => Some(json!(crate::scene::REDIRECT)),
        "type" => {
            chance.pick(&["mediator", "third_party", "system_gateway"]).map(|kind| json!(kind))
        }
        "hard_failure_codes" | "soft_failure_codes" => Some(json!("408;503;")),
        "hard_failure_last_resort" => Some(json!("reject503")),
        "routing_type" => Some(json!("failover")),
        "routing_data" | "voip_token" | "codec" | "location_sid" | "outbound" => Some(Value::Null),
        "allow_forward" => Some(json!("disabled")),
        "asn_mode" => Some(json!("disable")),
        "number_format" => Some(json!("plus")),
        "transport" => Some(json!("tcp")),
        "direction" => Some(json!("any")),
        // Unique among endpoints.
        "sip_username" | "login" => Some(json!(format!("u{}", chance.below(1_000_000)))),
        "sip_password" | "out_sip_username" | "out_sip_password" | "password" => Some(json!("p")),
        "transformations"
        | "acls"
        | "external_handlers"
        | "relay_sip_headers"
        | "sip_options_locations" => Some(json!([])),
        "ip" => Some(json!(format!("192.0.2.{}", chance.below(256)))),
        _ => None,
    }
}

fn text(schema: &Value, chance: &mut Chance) -> Value {
    match schema["format"].as_str() {
        Some("uuid") => json!("05561bef-ce48-4823-a847-bf10f7837a42"),
        Some("date-time") => json!("2018-10-09T22:47:56.609Z"),
        Some("uri") => json!("http://127.0.0.1:9/hook"),
        _ if chance.once_in(6) => json!(chance.pick(&ODD).copied().unwrap_or_default()),
        _ => json!(format!("t{}", chance.below(100))),
    }
}

/// Makes one thing wrong, somewhere in a value.
pub(crate) fn spoil(value: &mut Value, chance: &mut Chance) {
    match value {
        Value::Object(map) if !map.is_empty() && !chance.once_in(5) => {
            let names: Vec<String> = map.keys().cloned().collect();
            let name = chance.pick(&names).cloned().unwrap_or_default();
            if chance.once_in(4) {
                map.remove(&name);
            } else if let Some(inner) = map.get_mut(&name) {
                spoil(inner, chance);
            }
        }
        Value::Array(list) if !list.is_empty() && !chance.once_in(5) => {
            let at = chance.below(list.len());
            if let Some(inner) = list.get_mut(at) {
                spoil(inner, chance);
            }
        }
        other => {
            let odd = json!(chance.pick(&ODD).copied().unwrap_or_default());
            let wrong = [
                json!(null),
                json!(true),
                json!(-5),
                json!(1e308),
                json!(u64::MAX),
                json!([]),
                json!({}),
                json!([[null]]),
                json!({ "a": { "b": [1] } }),
                json!("x".repeat(5000)),
                odd,
            ];
            *other = chance.pick(&wrong).cloned().unwrap_or_default();
        }
    }
}
