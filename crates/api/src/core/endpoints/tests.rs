//! Rules of endpoints.

use axum::http::Method;
use serde_json::{Value, json};

use crate::core::testing::{NOBODY, Office, has};

#[allow(clippy::needless_pass_by_value, reason = "rows read better with their values in them")]
fn with_address(address: Value) -> Value {
    json!({ "type": "system_gateway", "addresses": [address] })
}

#[test]
fn has_the_defaults_of_the_reference() {
    let office = Office::open();
    let made = office.post("/endpoints", with_address(json!({ "ip": "192.0.2.7" })));
    let made = made.ok();
    let sid = made["endpoint_sid"].as_str().unwrap();
    let expected = json!({
        "addresses": [{
            "direction": "any", "dst_port": 5060, "ip": "192.0.2.7", "location_sid": null,
            "port": 5060, "priority": 0, "sip_username": null, "srtp": false, "transport": "udp",
        }],
        "attributes": {}, "auth_required": true, "capacity": 0, "cps_limit": null,
        "endpoint_sid": sid, "name": "N/A", "number_format": "digits", "out_sip_username": null,
        "outbound": null, "partner_sid": "00000000-0000-0000-0000-000000000384", "properties": {},
        "sip_username": null, "transformations": [], "trunk_group_sid": null,
        "type": "system_gateway", "voip_token": null,
    });
    assert_eq!(*made, expected);
    assert_eq!(*office.get(&format!("/endpoints/{sid}")).ok(), expected);
}

#[test]
fn names_the_field_that_cannot_be_taken() {
    let office = Office::open();
    let gateway = |field: &str, value: Value| json!({ "type": "system_gateway", field: value });
    let rows = [
        (json!({}), "type"),
        (json!({ "type": null }), "type"),
        (json!({ "type": "conference" }), "type"),
        (json!({ "type": "peering_sender" }), "type"),
        (json!({ "type": 5 }), "type"),
        (gateway("capacity", json!(-1)), "capacity"),
        (gateway("capacity", json!(null)), "capacity"),
        (gateway("cps_limit", json!("many")), "cps_limit"),
        (gateway("auth_required", json!("perhaps")), "auth_required"),
        (gateway("name", json!(5)), "name"),
        (gateway("name", json!(" ")), "name"),
        (gateway("attributes", json!([])), "attributes"),
        (gateway("addresses", json!({})), "addresses"),
        (gateway("addresses", json!(vec![json!({ "ip": "192.0.2.1" }); 65])), "addresses"),
        (gateway("addresses", json!(["192.0.2.7"])), "addresses.0"),
        (gateway("transformations", json!(["x"])), "transformations.0"),
        (gateway("transformations", json!([{ "rule": 5 }])), "transformations.0.rule"),
        (gateway("number_format", json!("e164")), "number_format"),
        (gateway("outbound", json!("x")), "outbound"),
        (gateway("sip_username", json!("a")), "sip_password"),
        (gateway("out_sip_username", json!("a")), "out_sip_password"),
        (gateway("out_sip_password", json!("a")), "out_sip_username"),
        (gateway("properties", json!({ "login": "a" })), "properties.login"),
        (gateway("properties", json!({ "password": "a" })), "properties.password"),
        (json!({ "type": "mediator", "addresses": [{ "ip": "::1" }] }), "addresses"),
        (json!({ "type": "mediator", "properties": { "login": "a:b" } }), "properties.login"),
        (json!({ "type": "mediator", "properties": { "login": "" } }), "properties.login"),
        (
            json!({ "type": "mediator", "properties": { "password": "$argon2id$x" } }),
            "properties.password",
        ),
        (
            json!({ "type": "mediator", "out_sip_username": "a", "out_sip_password": "b" }),
            "out_sip_username",
        ),
        (json!({ "type": "mediator", "outbound": NOBODY }), "outbound"),
        (json!({ "type": "third_party", "outbound": NOBODY }), "outbound"),
        (
            json!({ "type": "system_gateway", "sip_username": "a", "sip_password": "b" }),
            "sip_username",
        ),
    ];
    for (body, field) in rows {
        let answer = office.post("/endpoints", body.clone());
        assert_eq!(answer.blamed(422), [field], "{body} {}", answer.text);
        assert_eq!(answer.json["errors"][0]["message"], "Object validation error");
    }
    assert_eq!(office.get("/endpoints").ok()["total"], 0);
}

#[test]
fn reads_addresses_and_names_what_is_wrong_with_them() {
    let office = Office::open();
    let bad = [
        (json!({}), "ip"),
        (json!({ "ip": 7 }), "ip"),
        (json!({ "ip": "300.1.1.1" }), "ip"),
        (json!({ "ip": "192.0.2.0/33" }), "ip"),
        (json!({ "ip": "-a.example" }), "ip"),
        (json!({ "ip": "a b" }), "ip"),
        (json!({ "ip": "192.0.2.7", "port": 0 }), "port"),
        (json!({ "ip": "192.0.2.7", "port": 65536 }), "port"),
        (json!({ "ip": "192.0.2.7", "port": 5060, "dst_port": 5070 }), "dst_port"),
        (json!({ "ip": "192.0.2.7", "transport": "tls" }), "transport"),
        (json!({ "ip": "192.0.2.7", "transport": "ipx" }), "transport"),
        (json!({ "ip": "192.0.2.7", "direction": "up" }), "direction"),
        (json!({ "ip": "192.0.2.0/24", "direction": "outbound" }), "direction"),
        (json!({ "ip": "192.0.2.7", "srtp": true }), "srtp"),
        (json!({ "ip": "192.0.2.7", "priority": 65536 }), "priority"),
        (json!({ "ip": "192.0.2.7", "location_sid": NOBODY }), "location_sid"),
        (json!({ "ip": "192.0.2.7", "sip_username": "a" }), "sip_password"),
        (json!({ "ip": "192.0.2.7", "sip_password": "a" }), "sip_username"),
    ];
    for (address, field) in bad {
        let answer = office.post("/endpoints", with_address(address));
        answer.blames(422, &format!("addresses.0.{field}"));
    }
    let good = [
        (json!({ "ip": "[2001:DB8::7]" }), json!({ "ip": "2001:db8::7", "port": 5060 })),
        (json!({ "ip": "192.0.2.0/24" }), json!({ "ip": "192.0.2.0/24", "direction": "inbound" })),
        (
            json!({ "ip": "sip.carrier.example." }),
            json!({ "ip": "sip.carrier.example", "port": 5060, "transport": "udp" }),
        ),
        (
            json!({ "ip": "carrier.example", "port": null, "transport": null }),
            json!({ "port": null, "dst_port": null, "transport": null }),
        ),
        (
            json!({ "ip": "192.0.2.7", "port": null, "transport": null }),
            json!({ "port": 5060, "transport": "udp" }),
        ),
        (json!({ "ip": "192.0.2.7", "dst_port": "5070" }), json!({ "port": 5070 })),
        (
            json!({ "ip": "192.0.2.7", "transport": "tcp", "priority": 3, "whatever": [] }),
            json!({ "transport": "tcp", "priority": 3 }),
        ),
    ];
    for (address, wanted) in good {
        let made = office.post("/endpoints", with_address(address));
        has(&made.ok()["addresses"][0], &wanted);
    }
}

#[test]
fn keeps_sip_passwords_to_itself_and_over_updates() {
    let office = Office::open();
    let made = office.post(
        "/endpoints",
        json!({
            "type": "third_party", "sip_username": "alice", "sip_password": "hush-1",
            "out_sip_username": "us", "out_sip_password": "hush-2",
            "addresses": [{ "ip": "192.0.2.7", "sip_username": "a", "sip_password": "hush-3" }],
        }),
    );
    let made = made.ok().clone();
    let path = format!("/endpoints/{}", made["endpoint_sid"].as_str().unwrap());
    // What is shown goes back as it is: nothing is lost.
    assert_eq!(*office.put(&path, made.clone()).ok(), made);
    let listed = office.get("/endpoints").text;
    assert!(!listed.contains("hush") && !made.to_string().contains("hush"), "{listed}");
    let held = &office.catalog.endpoints()[0].record;
    let exposed = |secret: &Option<mediator_model::Secret>| {
        secret.as_ref().map(|secret| secret.expose().to_owned())
    };
    assert_eq!(exposed(&held.sip_password).as_deref(), Some("hush-1"));
    assert_eq!(exposed(&held.out_sip_password).as_deref(), Some("hush-2"));
    assert_eq!(exposed(&held.addresses[0].sip_password).as_deref(), Some("hush-3"));
    office.patch(&path, json!({ "sip_username": "bob" })).blames(422, "sip_password");
    office.patch(&path, json!({ "sip_password": null })).blames(422, "sip_password");
    let now = office.patch(&path, json!({ "sip_username": null, "out_sip_password": "hush-4" }));
    has(now.ok(), &json!({ "sip_username": null, "out_sip_username": "us" }));
    let held = &office.catalog.endpoints()[0].record;
    assert!(held.sip_password.is_none());
    assert_eq!(exposed(&held.out_sip_password).as_deref(), Some("hush-4"));
}

#[test]
fn gives_a_mediator_its_login_and_a_trunk_group_in_one_write() {
    let office = Office::open();
    let body = json!({ "type": "mediator", "name": "shop", "provision_trunk_group": true });
    let made = office.post("/endpoints", body).ok().clone();
    let properties = &made["properties"];
    let (login, password) =
        (properties["login"].as_str().unwrap(), properties["password"].as_str().unwrap());
    assert!(login.len() == 16 && password.len() == 32, "{properties}");
    assert_eq!(properties["account_sid"], made["endpoint_sid"]);
    assert_eq!(properties["api_url"], "http://api.example/mediator/v1");
    assert_eq!(properties["container_sid"], Value::Null);
    let groups = office.get("/trunk_groups?with_trunks=true");
    let group = &groups.ok()["items"][0];
    assert_eq!(group["name"], "shop");
    assert_eq!(group["trunk_group_sid"], made["trunk_group_sid"]);
    assert_eq!(group["trunks"][0]["endpoint_sid"], made["endpoint_sid"]);
    assert_eq!(group["trunks"].as_array().unwrap().len(), 1);
    let sid = made["endpoint_sid"].as_str().unwrap();
    let endpoint = office.catalog.endpoint(sid.parse().unwrap()).unwrap();
    let group =
        office.catalog.trunk_group(group["trunk_group_sid"].as_str().unwrap().parse().unwrap());
    assert_eq!(endpoint.revision, group.unwrap().revision, "one write");
    assert_eq!(office.get("/endpoints").ok()["items"], json!([made]));
    let other = json!({ "type": "mediator", "properties": { "login": login } });
    let refused = office.post("/endpoints", other);
    refused.blames(409, "properties.login");
    assert!(refused.text.contains("shop") && refused.text.contains(sid), "{}", refused.text);
}

#[test]
fn changes_credentials_and_hides_a_hash() {
    let office = Office::open();
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$4vqmQZTFYNIG8SMDrnxyqcQF3kUhbK0P5pVQG1EbJ3o";
    let own = json!({ "type": "mediator", "properties": { "login": "me", "password": hash } });
    let made = office.post("/endpoints", own).ok().clone();
    has(&made["properties"], &json!({ "login": "me", "password": null }));
    let path = format!("/endpoints/{}", made["endpoint_sid"].as_str().unwrap());
    office.put(&path, made.clone()).ok();
    let held = office.catalog.account_by_login("me").unwrap();
    assert_eq!(held.record.password.as_ref().unwrap().expose(), hash, "null keeps the hash");
    let now = office.patch(&path, json!({ "properties": { "password": "pass word" } }));
    has(&now.ok()["properties"], &json!({ "login": "me", "password": "pass word" }));
    office.patch(&path, json!({ "type": "third_party" })).blames(422, "type");
    office.patch(&path, json!({ "type": "mediator", "voip_token": "x", "partner_sid": 5 })).ok();
}

#[test]
fn a_sip_user_name_is_one_endpoints() {
    let office = Office::open();
    let phone = json!({ "type": "third_party", "sip_username": "alice", "sip_password": "a" });
    office.post("/endpoints", phone.clone()).ok();
    office.post("/endpoints", phone).blames(409, "sip_username");
}

#[test]
fn finds_or_makes_the_trunk_group_of_an_outbound_endpoint() {
    let office = Office::open();
    let carrier = office.carrier();
    let body = json!({ "type": "mediator", "outbound": carrier });
    let one = office.post("/endpoints", body.clone()).ok().clone();
    let groups = office.get("/trunk_groups?with_trunks=true").ok()["items"].clone();
    assert_eq!(groups.as_array().unwrap().len(), 1);
    has(&groups[0], &json!({ "name": "carrier", "trunk_group_sid": one["outbound"] }));
    assert_eq!(groups[0]["trunks"][0]["endpoint_sid"], carrier);
    let two = office.post("/endpoints", body).ok().clone();
    assert_eq!(two["outbound"], one["outbound"], "the group is there already");
    let group = office.group();
    let path = format!("/endpoints/{}", one["endpoint_sid"].as_str().unwrap());
    assert_eq!(office.patch(&path, json!({ "outbound": group })).ok()["outbound"], group);
    assert_eq!(office.patch(&path, json!({ "name": "x" })).ok()["outbound"], group);
    office.patch(&path, json!({ "outbound": two["endpoint_sid"] })).blames(422, "outbound");
    let refused = office.delete(&format!("/trunk_groups/{group}"));
    refused.blamed(409);
    assert!(refused.text.contains(one["endpoint_sid"].as_str().unwrap()), "{}", refused.text);
    assert_eq!(office.patch(&path, json!({ "outbound": null })).ok()["outbound"], Value::Null);
    assert_eq!(office.delete(&format!("/trunk_groups/{group}")).status, 204);
}

#[test]
fn merges_attributes_by_key_or_replaces_them() {
    let office = Office::open();
    let path = format!("/endpoints/{}", office.carrier());
    let of = |answer: crate::testing::Answer| answer.ok()["attributes"].clone();
    let set = |path: &str, value: Value| of(office.patch(path, json!({ "attributes": value })));
    assert_eq!(set(&path, json!({ "a": { "b": 1 } })), json!({ "a": { "b": 1 } }));
    assert_eq!(set(&path, json!({ "c": 2 })), json!({ "a": { "b": 1 }, "c": 2 }));
    assert_eq!(set(&path, json!({ "a": null })), json!({ "c": 2 }));
    assert_eq!(
        set(&format!("{path}?nested_objects=replace"), json!({ "d": 3 })),
        json!({ "d": 3 })
    );
    office.patch(&path, json!({ "attributes": null })).blames(422, "attributes");
    assert_eq!(office.patch(&path, json!({ "name": null })).ok()["name"], "N/A");
}

#[test]
fn put_wants_every_field_that_the_reference_lets_set() {
    let office = Office::open();
    let path = format!("/endpoints/{}", office.carrier());
    let blamed = office.put(&path, json!({ "name": "x" }));
    let wanted = [
        "type",
        "addresses",
        "attributes",
        "capacity",
        "out_sip_username",
        "properties",
        "transformations",
    ];
    assert_eq!(blamed.blamed(422), wanted);
    let mut whole = office.get(&path).ok().clone();
    whole["name"] = json!("y");
    whole["attributes"] = json!({});
    assert_eq!(office.put(&path, whole).ok()["name"], "y");
}

#[test]
fn tells_broken_requests_and_unknown_sids_apart() {
    let office = Office::open();
    for path in ["/endpoints/nothing", &format!("/endpoints/{NOBODY}")] {
        office.get(path).blamed(404);
        office.patch(path, json!({})).blamed(404);
        office.delete(path).blamed(404);
    }
    let mut broken = crate::testing::request(
        Method::POST,
        "/core/v2/endpoints",
        &format!("Bearer {}", crate::testing::TOKEN),
        &Value::Null,
    );
    *broken.body_mut() = axum::body::Body::from("{");
    office.send(broken).blamed(400);
    let denied = crate::testing::request(Method::GET, "/core/v2/endpoints", "", &Value::Null);
    office.send(denied).blamed(401);
}

#[test]
fn a_version_that_was_read_is_the_one_that_is_changed() {
    let office = Office::open();
    let path = format!("/endpoints/{}", office.carrier());
    let read = office.get(&path);
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({ "capacity": 1 });
    let ask = |method: Method, tag: &str, body: &Value| {
        office.ask_with(method, &path, &[("If-Match", tag)], body)
    };
    let now = ask(Method::PATCH, &tag, &body);
    assert_ne!(now.headers["etag"].to_str().unwrap(), tag);
    now.ok();
    ask(Method::PATCH, &tag, &body).blamed(412);
    ask(Method::DELETE, &tag, &Value::Null).blamed(412);
    let tag = now.headers["etag"].to_str().unwrap();
    let unread = office.ask_with(Method::GET, &path, &[("If-None-Match", tag)], &Value::Null);
    assert_eq!(unread.status, 304);
    assert_eq!(ask(Method::DELETE, tag, &Value::Null).status, 204);
}

#[test]
fn a_repeated_key_makes_one_endpoint() {
    let office = Office::open();
    let post = |body: &Value| {
        office.ask_with(Method::POST, "/endpoints", &[("Idempotency-Key", "k1")], body)
    };
    let body = json!({ "type": "mediator", "provision_trunk_group": "true" });
    let (one, two) = (post(&body), post(&body));
    assert_eq!(one.ok(), two.ok());
    assert_eq!(two.headers["idempotent-replayed"], "true");
    assert_eq!(office.get("/endpoints").ok()["total"], 1);
    assert_eq!(office.get("/trunk_groups").ok()["total"], 1);
    post(&json!({ "type": "third_party" })).blamed(422);
}

#[test]
fn lists_filters_orders_and_selects() {
    let office = Office::open();
    for (name, ip) in [("b", "192.0.2.1"), ("a", "192.0.2.2"), ("c", "192.0.2.1")] {
        let body = json!({ "type": "system_gateway", "name": name, "addresses": [{ "ip": ip }] });
        office.post("/endpoints", body).ok();
        office.process.now.lock().0 += 1;
    }
    let names = |query: &str| -> Vec<String> {
        let list = office.get(&format!("/endpoints?{query}")).ok().clone();
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(""), ["b", "a", "c"], "the oldest first");
    assert_eq!(names("order=name+desc&limit=2"), ["c", "b"]);
    assert_eq!(names("filter=addresses.ip+eq+%22192.0.2.1%22"), ["b", "c"]);
    assert_eq!(names("with_related=true&offset=1"), ["a", "c"]);
    let page = office.get("/endpoints?limit=1&include_fields=name,addresses.ip");
    let page = page.ok();
    assert_eq!(page["items"], json!([{ "name": "b", "addresses": [{ "ip": "192.0.2.1" }] }]));
    has(page, &json!({ "count": 1, "has_more": true, "limit": 1, "offset": 0, "total": 3 }));
    let next = page["pagination"]["next"].as_str().unwrap();
    assert!(next.starts_with("http://api.example/core/v2/endpoints?"), "{next}");
    office.get("/endpoints?filter=nothing+eq+5").blames(400, "filter");
    office.get("/endpoints?include_fields=nothing").blames(400, "include_fields");
    office.get("/endpoints?limit=x").blames(400, "limit");
}

#[test]
fn what_is_in_use_stays_and_says_by_what() {
    let office = Office::open();
    let carrier = office.carrier();
    let group = office.group();
    let trunk = office.made(
        &format!("/trunk_groups/{group}/trunks"),
        json!({ "endpoint_sid": carrier, "name": "way" }),
        "trunk_sid",
    );
    let refused = office.delete(&format!("/endpoints/{carrier}"));
    refused.blamed(409);
    for part in ["trunk \\\"way\\\"", &trunk, "trunk group \\\"group\\\"", &group] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    assert_eq!(office.delete(&format!("/trunk_groups/{group}")).status, 204);
    office.get(&format!("/trunk_groups/{group}/trunks/{trunk}")).blamed(404);
    assert_eq!(office.delete(&format!("/endpoints/{carrier}")).status, 204);
}
