//! What is the same for every operation of an API.

use std::collections::BTreeSet;

use mediator_store::record::Object;
use serde_json::{Value, json};

use crate::fault::Flavour;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const SCHEMAS: &str = "#/components/schemas/";

/// Adds credentials, errors and envelopes to a document.
pub(super) fn finish(document: &mut Value) {
    add_components(document);
    let mut partial = BTreeSet::new();
    for (path, item) in object_at(document, "/paths").into_iter().flatten() {
        let flavour = if path.starts_with("/core/") { Flavour::Core } else { Flavour::Mediator };
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                operation.insert("operationId".to_owned(), json!(name_by(flavour, path, method)));
                finish_operation(flavour, path, operation, &mut partial);
            }
        }
    }
    let Some(schemas) = object_at(document, "/components/schemas") else { return };
    // A list of objects is whole, its objects are not: what is behind the reference counts as well.
    let lists: Vec<String> =
        partial.iter().filter_map(|name| schemas.get(name)).flat_map(items_of).collect();
    partial.extend(lists);
    for name in partial {
        let Some(schema) = schemas.get_mut(&name) else { continue };
        let is_page = schema.pointer("/properties/items/items").is_some();
        let objects =
            if is_page { schema.pointer_mut("/properties/items/items") } else { Some(schema) };
        if let Some(objects) = objects.and_then(Value::as_object_mut) {
            objects.remove("required");
        }
    }
}

/// A name that no other operation has: `get_bindings_binding_sid`, `core_post_endpoints`.
fn name_by(flavour: Flavour, path: &str, method: &str) -> String {
    // The first two words are the API and its version.
    let words = path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty()).skip(2);
    let name = words.fold(method.to_owned(), |name, word| name + "_" + word);
    if flavour == Flavour::Core { format!("core_{name}") } else { name }
}

fn object_at<'a>(document: &'a mut Value, pointer: &str) -> Option<&'a mut Object> {
    document.pointer_mut(pointer).and_then(Value::as_object_mut)
}

fn add_components(document: &mut Value) {
    let Some(document) = document.as_object_mut() else { return };
    let components = document.entry("components").or_insert_with(|| json!({}));
    let Some(components) = components.as_object_mut() else { return };
    let error = json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": { "type": "string", "description": "What is wrong, in the words of the table of errors." },
            "field": { "type": "string", "description": "The field, argument or header that it is about." },
            "detail": { "type": "string", "description": "For people: what was expected." },
        },
    });
    let errors = json!({ "type": "array", "items": { "$ref": format!("{SCHEMAS}Error") } });
    let status = json!({ "type": "integer", "description": "The HTTP status." });
    merge(
        components,
        "schemas",
        json!({
            "Error": error,
            "MediatorErrors": {
                "type": "object",
                "required": ["body", "status", "errors"],
                "properties": { "body": { "type": "null" }, "status": status, "errors": errors },
            },
            "CoreErrors": {
                "type": "object",
                "required": ["status", "errors"],
                "properties": { "status": status, "errors": errors },
            },
        }),
    );
    let response = |name: &str| {
        json!({
            "description": "It went wrong; the status says how, the body why.",
            "content": { "application/json": { "schema": { "$ref": format!("{SCHEMAS}{name}") } } },
        })
    };
    merge(
        components,
        "responses",
        json!({
            "MediatorErrors": response("MediatorErrors"),
            "CoreErrors": response("CoreErrors"),
        }),
    );
    merge(
        components,
        "securitySchemes",
        json!({
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "Login and password of a mediator endpoint.",
            },
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of /core/v2/oauth/token, or the configured one.",
            },
        }),
    );
}

fn merge(components: &mut Object, section: &str, added: Value) {
    let section = components.entry(section).or_insert_with(|| json!({}));
    if let (Some(section), Value::Object(added)) = (section.as_object_mut(), added) {
        section.extend(added);
    }
}

fn finish_operation(
    flavour: Flavour,
    path: &str,
    operation: &mut Object,
    partial: &mut BTreeSet<String>,
) {
    let (scheme, errors) = match flavour {
        Flavour::Mediator => ("basic", "MediatorErrors"),
        Flavour::Core => ("bearer", "CoreErrors"),
    };
    operation.entry("security").or_insert_with(|| json!([{ scheme: [] }]));
    let is_list = has_parameter(operation, "limit");
    let is_partial = has_parameter(operation, "include_fields");
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    let mut common = vec!["400", "401", "429", "500", "503"];
    if path.contains('{') {
        common.push("404");
    }
    let reference = json!({ "$ref": format!("#/components/responses/{errors}") });
    for status in common {
        responses.entry(status).or_insert_with(|| reference.clone());
    }
    responses.entry("default").or_insert(reference);
    for (status, response) in responses.iter_mut() {
        let Some(response) = response.as_object_mut() else { continue };
        if !response.contains_key("$ref") {
            response.entry("description").or_insert_with(|| json!(said_by(status)));
        }
        let is_error = status.starts_with('4') || status.starts_with('5');
        if is_error && !response.contains_key("$ref") {
            let schema = json!({ "schema": { "$ref": format!("{SCHEMAS}{errors}") } });
            response.entry("content").or_insert_with(|| json!({ "application/json": schema }));
        } else if status.starts_with('2')
            && let Some(schema) = json_schema(response)
        {
            if is_partial {
                partial.extend(name_of(schema));
            }
            if flavour == Flavour::Mediator {
                *schema = enveloped(schema.take(), is_list);
            }
        }
    }
}

/// What a status means where the operation does not say it: every response has a description.
fn said_by(status: &str) -> &'static str {
    match status {
        "200" => "It is done; the body has what was asked for.",
        "204" => "It is done; there is no body.",
        _ => "The status says how it ended, the body why.",
    }
}

fn has_parameter(operation: &Object, name: &str) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters
        .into_iter()
        .flatten()
        .any(|parameter| parameter.get("name").is_some_and(|known| known == name))
}

fn json_schema(response: &mut Object) -> Option<&mut Value> {
    response.get_mut("content")?.get_mut("application/json")?.get_mut("schema")
}

/// The name of a schema that is referred to.
fn name_of(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS).map(str::to_owned)
}

/// The names of a page's objects; empty where the schema is no page.
fn items_of(schema: &Value) -> Vec<String> {
    schema.pointer("/properties/items/items").and_then(name_of).into_iter().collect()
}

/// The Mediator API's success.
fn enveloped(object: Value, is_list: bool) -> Value {
    let body = if is_list { page(&object) } else { object };
    json!({
        "type": "object",
        "required": ["body", "status"],
        "properties": { "body": body, "status": { "type": "integer", "const": 200 } },
    })
}

/// A page of a list.
fn page(object: &Value) -> Value {
    let whole = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "required": ["count", "has_more", "items", "limit", "offset", "pagination", "total"],
        "properties": {
            "count": whole,
            "has_more": { "type": "boolean" },
            "items": { "type": "array", "items": object },
            "limit": whole,
            "offset": whole,
            "pagination": {
                "type": "object",
                "properties": {
                    "next": { "type": "string", "format": "uri" },
                    "previous": { "type": "string", "format": "uri" },
                },
            },
            "total": { "type": ["integer", "null"], "minimum": 0 },
        },
    })
}
