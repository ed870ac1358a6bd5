//! Lists: pages, order, filters, chosen fields. Bindings stand for all of them; the others have a few rows.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, keys, text};
use crate::scene::{REDIRECT, UNBOUND};

/// So many bindings are there to be listed.
const BINDINGS: u32 = 25;

/// The name of binding `i`; upper and lower case take turns.
fn name(i: u32) -> String {
    if i.is_multiple_of(2) { format!("Account {i:02}") } else { format!("account {i:02}") }
}

/// Makes bindings that differ in every field.
fn fill(desk: &Desk) -> Result<()> {
    for i in 0..BINDINGS {
        let redirect = if i < 20 { REDIRECT } else { UNBOUND };
        let mut attributes =
            json!({ "n": i, "tag": format!("t{}", i % 5), "deep": { "x": i * 10 } });
        if i == 7 {
            attributes = json!({ "quote": "it's \"so\"", "ringback": "moh", "flag": true });
        }
        let body = json!({
            "redirect_did": redirect, "name": name(i), "origination_did": format!("141555501{i:02}"),
            "destination_did": format!("151620653{:02}", 99 - i), "maximum_ttl": 10_000 + 1000 * i,
            "dtmf": if i.is_multiple_of(3) { json!(null) } else { json!(format!("{i}#")) },
            "attributes": attributes,
        });
        desk.mediator.post("/bindings", &body)?.ok()?;
    }
    Ok(())
}

/// The numbers of the bindings that a filter finds, in order of creation.
fn found(api: &Api, filter: &str) -> Result<Vec<u32>> {
    let (items, total) = api.list("/bindings", &[("filter", filter), ("limit", "1000")])?;
    ensure!(total == items.len(), "{filter}: total {total}, {} items", items.len());
    numbers(&items)
}

fn numbers(items: &[Value]) -> Result<Vec<u32>> {
    items
        .iter()
        .map(|item| {
            let name = text(item, "name")?;
            Ok(name.rsplit(' ').next().unwrap_or_default().parse()?)
        })
        .collect()
}

/// A filter and the rule by which it finds binding `i`.
type Row = (&'static str, fn(u32) -> bool);

const FILTERS: &[Row] = &[
    // The ten operators.
    ("name eq \"account 07\"", |i| i == 7),
    ("name ne \"account 07\"", |i| i != 7),
    ("maximum_ttl gt 20000", |i| i > 10),
    ("maximum_ttl ge 20000", |i| i >= 10),
    ("maximum_ttl lt 20000", |i| i < 10),
    ("maximum_ttl le 20000", |i| i <= 10),
    ("name like \"Account%\"", |i| i.is_multiple_of(2)),
    ("name like \"A%4\"", |i| [4, 14, 24].contains(&i)),
    ("name like \"%ccount 1%\"", |i| (10..20).contains(&i)),
    ("name like \"account 07\"", |i| i == 7),
    ("name like \"ccount 07\"", |_| false),
    ("name ilike \"AccOUnt%\"", |_| true),
    ("name in (\"account 01\", \"Account 02\", 'nobody')", |i| i == 1 || i == 2),
    ("name notin (\"account 01\", \"Account 02\")", |i| i != 1 && i != 2),
    // Either quote, the other one inside, numbers as text and text as numbers.
    ("name eq 'account 07'", |i| i == 7),
    ("attributes.quote eq 'it\\'s \"so\"'", |i| i == 7),
    ("maximum_ttl eq \"17000\"", |i| i == 7),
    ("maximum_ttl in (10000, '11000')", |i| i < 2),
    ("origination_did eq 14155550107", |i| i == 7),
    ("redirect_did eq \"15162065337\"", |i| i >= 20),
    // null.
    ("dtmf eq null", |i| i.is_multiple_of(3)),
    ("dtmf ne null", |i| !i.is_multiple_of(3)),
    ("dtmf eq \"7#\"", |i| i == 7),
    ("dtmf ne \"7#\"", |i| i != 7),
    // Dotted paths.
    ("attributes.tag eq \"t3\"", |i| i % 5 == 3 && i != 7),
    ("attributes.deep.x ge 200", |i| i >= 20),
    ("attributes.n lt 3", |i| i < 3),
    ("attributes.n eq 9", |i| i == 9),
    ("attributes.flag eq true", |i| i == 7),
    ("attributes.flag eq \"true\"", |i| i == 7),
    ("attributes.nowhere eq null", |_| true),
    ("attributes.nowhere eq \"x\"", |_| false),
    ("attributes.ringback in (\"moh\", \"false\")", |i| i == 7),
    ("redirect_did_info.country_code eq \"USA\"", |_| true),
    ("redirect_did_info.e164_format eq \"+15162065337\"", |i| i >= 20),
    // Joined.
    ("maximum_ttl ge 15000 and maximum_ttl lt 17000", |i| i == 5 || i == 6),
    ("name eq \"account 01\" or name eq \"Account 02\"", |i| i == 1 || i == 2),
    ("name eq \"account 01\" or maximum_ttl gt 20000 and name like \"A%\"", |i| {
        i == 1 || i > 10 && i.is_multiple_of(2)
    }),
    ("(name eq \"account 01\" or maximum_ttl gt 20000) and name like \"A%\"", |i| {
        i > 10 && i.is_multiple_of(2)
    }),
    ("((maximum_ttl le 11000))  AND ( name eq 'account 01' )", |i| i == 1),
    ("date_created gt \"2001-01-01T00:00:00Z\"", |_| true),
    ("date_created lt \"2001-01-01T00:00:00.000Z\"", |_| false),
];

#[test]
fn finds_what_a_filter_says_and_nothing_else() -> Result<()> {
    let desk = Desk::open("filter")?;
    fill(&desk)?;
    let mut failed = Vec::new();
    for (filter, rule) in FILTERS {
        let wanted: Vec<u32> = (0..BINDINGS).filter(|i| rule(*i)).collect();
        match found(&desk.mediator, filter) {
            Ok(numbers) if numbers == wanted => {}
            Ok(numbers) => failed.push(format!("{filter}: {numbers:?}, wanted {wanted:?}")),
            Err(error) => failed.push(format!("{filter}: {error:#}")),
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    // As the reference writes it: quotes and pluses bare in the URL.
    let bare = desk.mediator.get("/bindings?filter=name+eq+%22account+07%22")?.ok()?;
    ensure!(bare["total"] == 1, "{bare}");
    desk.close()
}

#[test]
fn says_what_is_wrong_with_a_filter() -> Result<()> {
    let desk = Desk::open("bad_filter")?;
    let long = format!("name eq \"{}\"", "x".repeat(100_000));
    // Deep and wide in less than the text's limit.
    let (deep, wide) = ("(".repeat(4000), vec!["a eq 1"; 700].join(" or "));
    let bad = [
        "name",
        "name eq",
        "eq \"x\"",
        "name like",
        "name is \"x\"",
        "name eq \"x",
        "name eq \"x\" and",
        "(name eq \"x\"",
        "name eq \"x\")",
        "name eq \"x\" name eq \"y\"",
        "name in",
        "name in ()",
        "name in (\"x\"",
        "name in \"x\"",
        "no_such_field eq 1",
        "name..x eq 1",
        ".name eq 1",
        "name eq 1;",
        "and",
        "()",
        "name eq (\"x\")",
        "\u{0}",
        "name eq \"x\" -- ",
        "maximum_ttl gt \"soon\"",
        "password eq \"x\"",
        &long,
        &deep,
        &wide,
    ];
    let mut failed = Vec::new();
    for filter in bad {
        let reply = desk.mediator.query("/bindings", &[("filter", filter)])?;
        // A text of 100 KB may be refused for its length before anybody reads it.
        if reply.status() != 414
            && reply.status() != 431
            && let Err(error) = reply.errors(400)
        {
            failed.push(format!("{}: {error:#}", filter.chars().take(40).collect::<String>()));
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    desk.close()
}

#[test]
fn pages_by_its_own_urls_to_the_end_and_back() -> Result<()> {
    let desk = Desk::open("pages")?;
    fill(&desk)?;
    let first = desk.mediator.get("/bindings")?.ok()?;
    ensure!(first["limit"] == 10 && first["count"] == 10 && first["offset"] == 0, "{first}");
    ensure!(first["has_more"] == true && first["total"] == BINDINGS, "{first}");
    ensure!(keys(&first["pagination"]) == ["next"], "{first}");
    let filter = "name ilike \"account%\" and maximum_ttl ne 1";
    let arguments = [
        ("limit", "4"),
        ("filter", filter),
        ("order", "maximum_ttl desc"),
        ("include_fields", "name"),
    ];
    let mut page = desk.mediator.query("/bindings", &arguments)?.ok()?;
    let (mut seen, mut pages) = (Vec::new(), 1);
    loop {
        let items = page["items"].as_array().context("items")?;
        ensure!(items.iter().all(|item| keys(item) == ["name"]), "{page}");
        seen.extend(numbers(items)?);
        let next = page["pagination"]["next"].as_str().map(str::to_owned);
        ensure!(page["has_more"] == next.is_some(), "{page}");
        let Some(next) = next else { break };
        let base = format!("http://{}/mediator/v1/bindings?", desk.address());
        ensure!(next.starts_with(&base), "{next}");
        page = desk.mediator.get(&next)?.ok()?;
        pages += 1;
    }
    ensure!(
        seen == (0..BINDINGS).rev().collect::<Vec<_>>() && pages == 7,
        "{pages} pages: {seen:?}"
    );
    while let Some(previous) = page["pagination"]["previous"].as_str().map(str::to_owned) {
        page = desk.mediator.get(&previous)?.ok()?;
        pages -= 1;
    }
    ensure!(page["offset"] == 0 && pages == 1, "{pages}: {page}");
    desk.close()
}

#[test]
fn keeps_page_arguments_in_bounds() -> Result<()> {
    let desk = Desk::open("page_bounds")?;
    fill(&desk)?;
    let api = &desk.mediator;
    let all = api.get("/bindings?limit=5000")?.ok()?;
    ensure!(
        all["limit"] == 1000 && all["count"] == BINDINGS && all["pagination"] == json!({}),
        "{all}"
    );
    let beyond = api.get("/bindings?offset=1000&limit=4")?.ok()?;
    ensure!(beyond["count"] == 0 && beyond["has_more"] == false, "{beyond}");
    ensure!(beyond["offset"] == 1000 && keys(&beyond["pagination"]) == ["previous"], "{beyond}");
    let exact = api.get("/bindings?offset=20&limit=5")?.ok()?;
    ensure!(exact["count"] == 5 && exact["has_more"] == false, "{exact}");
    for bad in ["limit=-1", "limit=ten", "limit=1.5", "limit=0x1"] {
        api.get(&format!("/bindings?{bad}"))?.blames(400, &["limit"])?;
    }
    for bad in ["offset=-1", "offset=x", "offset=99999999999999999999999"] {
        api.get(&format!("/bindings?{bad}"))?.blames(400, &["offset"])?;
    }
    for bad in ["order=no_such_field", "order=name+sideways", "order=name+asc+desc", "order=%28"] {
        api.get(&format!("/bindings?{bad}"))?.errors(400)?;
    }
    desk.close()
}

#[test]
fn orders_by_any_field_and_by_creation_without_one() -> Result<()> {
    let desk = Desk::open("order")?;
    fill(&desk)?;
    let order = |order: &str| {
        let mut arguments = vec![("limit", "1000")];
        if !order.is_empty() {
            arguments.push(("order", order));
        }
        numbers(&desk.mediator.list("/bindings", &arguments)?.0)
    };
    let upward: Vec<u32> = (0..BINDINGS).collect();
    let downward: Vec<u32> = upward.iter().rev().copied().collect();
    ensure!(order("")? == upward);
    ensure!(order("maximum_ttl")? == upward && order("maximum_ttl asc")? == upward);
    ensure!(order("maximum_ttl desc")? == downward);
    ensure!(order("destination_did")? == downward);
    ensure!(order("origination_did DESC")? == downward);
    ensure!(order("date_created desc")?.len() == upward.len());
    // Upper case sorts before lower case: byte by byte.
    let (even, odd): (Vec<u32>, Vec<u32>) = upward.iter().partition(|i| i.is_multiple_of(2));
    ensure!(order("name asc")? == [even.clone(), odd].concat());
    let two = order("redirect_did asc,maximum_ttl desc")?;
    let wanted: Vec<u32> = (20..25).rev().chain((0..20).rev()).collect();
    ensure!(two == wanted, "{two:?}");
    desk.close()
}

#[test]
fn shows_the_fields_that_are_asked_for() -> Result<()> {
    let desk = Desk::open("fields")?;
    fill(&desk)?;
    let api = &desk.mediator;
    let item = |arguments: &str| -> Result<Value> {
        let body = api.get(&format!("/bindings?limit=1&{arguments}"))?.ok()?;
        Ok(body["items"][0].clone())
    };
    let few = item("include_fields=binding_sid,name")?;
    ensure!(keys(&few) == ["binding_sid", "name"], "{few}");
    ensure!(keys(&item("includeFields=binding_sid,name")?) == ["binding_sid", "name"]);
    let rest = item("exclude_fields=attributes,redirect_did_info")?;
    ensure!(!keys(&rest).contains(&"attributes") && keys(&rest).len() == 10, "{rest}");
    let dotted = item("include_fields=redirect_did_info.country_code,attributes.tag")?;
    let wanted =
        json!({ "attributes": { "tag": "t0" }, "redirect_did_info": { "country_code": "USA" } });
    ensure!(dotted == wanted, "{dotted}");
    let dotted = item("exclude_fields=attributes.n,attributes.deep")?;
    ensure!(
        dotted["attributes"] == json!({ "tag": "t0" }) && keys(&dotted).len() == 12,
        "{dotted}"
    );
    let both = item("include_fields=name,dtmf&exclude_fields=dtmf")?;
    ensure!(keys(&both) == ["name"], "{both}");
    let path = format!("/bindings/{}?include_fields=destination_did", text(&few, "binding_sid")?);
    let one = api.get(&path)?.ok()?;
    ensure!(one == json!({ "destination_did": "15162065399" }), "{one}");
    desk.close()
}

#[test]
fn treats_the_other_lists_alike() -> Result<()> {
    let desk = Desk::open("other_lists")?;
    let rows: [(&Api, &str, &str, u64); 10] = [
        (&desk.abroad, "/dids", "phonenumber like \"44%\"", 1),
        (&desk.abroad, "/dids", "country_code in (\"USA\", \"FRA\")", 2),
        (&desk.mediator, "/accounts", "login eq \"masking\"", 1),
        (&desk.mediator, "/accounts", "login ne \"masking\"", 0),
        (&desk.core, "/endpoints", "type eq 'mediator'", 2),
        (&desk.core, "/endpoints", "name ilike \"CARRIER%\"", 2),
        (&desk.core, "/endpoints", "properties.login eq \"abroad\"", 1),
        (&desk.core, "/trunk_groups", "name eq \"masking\"", 1),
        (&desk.core, "/phonenumber/dids", "country_code eq \"USA\"", 3),
        (&desk.core, "/phonenumber/dids", "name eq \"N/A\" and phonenumber gt \"2\"", 2),
    ];
    for (api, path, filter, wanted) in rows {
        let (_, total) = api.list(path, &[("filter", filter)])?;
        ensure!(total == wanted, "{path} {filter}: {total}");
    }
    let address = desk.scene.caller.ip().to_string();
    let filter = format!("addresses.ip eq \"{address}\"");
    let (items, _) = desk.core.list("/endpoints", &[("filter", &filter)])?;
    ensure!(items.len() == 1 && items[0]["name"] == "carrier-in", "{items:?}");
    for (api, path) in [(&desk.abroad, "/dids"), (&desk.core, "/phonenumber/dids")] {
        let arguments = [("order", "phonenumber desc"), ("limit", "2"), ("offset", "1")];
        let page = api.query(path, &arguments)?.ok()?;
        ensure!(page["count"] == 2 && page["offset"] == 1 && page["limit"] == 2, "{page}");
        ensure!(page["pagination"]["previous"].is_string(), "{page}");
        let (items, _) = api.list(path, &[("include_fields", "phonenumber")])?;
        ensure!(items.iter().all(|item| keys(item) == ["phonenumber"]), "{items:?}");
        api.query(path, &[("filter", "nonsense")])?.errors(400)?;
        api.query(path, &[("limit", "x")])?.errors(400)?;
    }
    ensure!(desk.mediator.get("/dialouts")?.ok()?["items"] == json!([]));
    let far = json!({ "destination_did": FAR });
    desk.abroad.post("/bindings", &far)?.ok()?;
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 0, "an account sees another's");
    desk.close()
}
