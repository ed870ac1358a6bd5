//! The document is whole: every reference leads somewhere, and every operation says who may ask and how it fails.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::document;
use super::finish::finish;
use crate::testing::{World, request};

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(target) if key == "$ref" => found.push(target.clone()),
                    other => references(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn gives_no_name_to_two_things() {
    use utoipa::OpenApi as _;
    let schemas = |api: utoipa::openapi::OpenApi| {
        let document = serde_json::to_value(api).unwrap();
        document["components"]["schemas"].as_object().cloned().unwrap_or_default()
    };
    let mediator = schemas(crate::mediator::Api::openapi());
    let core = schemas(crate::core::Api::openapi());
    let twice: Vec<&String> = mediator
        .iter()
        .filter(|(name, schema)| core.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name)
        .collect();
    assert!(twice.is_empty(), "both APIs have {twice:?}");
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<&str> =
        operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[test]
fn every_response_is_described() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                let said = response["$ref"].is_string() || response["description"].is_string();
                assert!(said, "{method} {path} {status}: OpenAPI wants a description");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for target in found {
        let pointer = target.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[test]
fn every_operation_says_who_may_ask_and_how_it_fails() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["security"].is_array(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("default") && responses.contains_key("401"), "{name}");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{name}: no success");
        }
    }
}

#[test]
fn adds_envelopes_errors_and_credentials() {
    let answer = |name: &str| json!({ "200": { "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } } } });
    let parameters = json!([{ "name": "limit" }, { "name": "include_fields" }]);
    let mut document = json!({
        "paths": {
            "/mediator/v1/things": { "get": { "parameters": parameters, "responses": answer("Thing") } },
            "/mediator/v1/things/{sid}": { "put": { "responses": answer("Whole") } },
            "/core/v2/things": { "get": { "parameters": parameters, "responses": answer("List_Object") } },
            "/core/v2/token": { "post": { "security": [{}], "responses": { "409": { "description": "x" } } } },
        },
        "components": { "schemas": {
            "Thing": { "required": ["a"] },
            "Whole": { "required": ["b"] },
            "Object": { "required": ["c"] },
            "List_Object": {
                "required": ["items"],
                "properties": { "items": { "items": { "$ref": "#/components/schemas/Object" } } },
            },
        } },
    });
    finish(&mut document);
    let at = |pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
    let schema = "/responses/200/content/application~1json/schema";
    let list = at(&format!("/paths/~1mediator~1v1~1things/get{schema}"));
    assert_eq!(
        list["properties"]["body"]["properties"]["items"]["items"]["$ref"],
        "#/components/schemas/Thing"
    );
    let one = at(&format!("/paths/~1mediator~1v1~1things~1{{sid}}/put{schema}"));
    assert_eq!(one["properties"]["body"]["$ref"], "#/components/schemas/Whole");
    let bare = at(&format!("/paths/~1core~1v2~1things/get{schema}"));
    assert_eq!(bare, json!({ "$ref": "#/components/schemas/List_Object" }));
    // Where fields are chosen, none is sure to be there; the list around the objects is whole.
    let required = |name: &str| at(&format!("/components/schemas/{name}/required"));
    assert_eq!([required("Thing"), required("Object")], [Value::Null, Value::Null]);
    assert_eq!([required("Whole"), required("List_Object")], [json!(["b"]), json!(["items"])]);
    assert_eq!(at("/paths/~1mediator~1v1~1things/get/security"), json!([{ "basic": [] }]));
    assert_eq!(at("/paths/~1core~1v2~1things/get/security"), json!([{ "bearer": [] }]));
    assert_eq!(at("/paths/~1core~1v2~1token/post/security"), json!([{}]));
    let conflict = at("/paths/~1core~1v2~1token/post/responses/409/content");
    assert_eq!(conflict["application/json"]["schema"]["$ref"], "#/components/schemas/CoreErrors");
}

#[tokio::test]
async fn is_served_without_credentials() {
    let answer = World::empty().send(request(Method::GET, "/openapi.json", "", &Value::Null)).await;
    assert_eq!((answer.status, answer.json["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));
}
