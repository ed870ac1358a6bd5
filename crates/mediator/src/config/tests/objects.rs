//! Endpoints, trunk groups and bindings: what they may say, and the directory made of them.

use std::fmt::Write as _;
use std::time::Duration;

use mediator_model::{
    AddressHost, DidRoute, Direction, EndpointKind, NumberFormat, SourceMatch, Transport,
};

use super::{BASE, check, good};
use crate::config::Config;
use crate::provision::preview;

const CARRIER: &str = "[[endpoint]]\nname = \"carrier\"\ntype = \"system_gateway\"\naddresses = [{ ip = \"127.0.0.2\" }]\n";

#[test]
fn refuses_wrong_endpoints() {
    check(&[
        ("[[endpoint]]\ntype = \"mediator\"", "3: endpoint.name: missing"),
        ("[[endpoint]]\nname = \"a\"", "3: endpoint.type: missing"),
        (
            "[[endpoint]]\nname = \" \"\ntype = \"mediator\"",
            "4: endpoint.name: expected a name in quotes: printable, not empty, at most 256 bytes",
        ),
        (
            "[[endpoint]]\nname = \"a\"\ntype = \"flexml\"",
            "5: endpoint.type: this type is not built yet: expected \"mediator\", \"third_party\" or \"system_gateway\"",
        ),
        (
            "[[endpoint]]\nname = \"a\"\ntype = \"gateway\"",
            "5: endpoint.type: expected \"mediator\", \"third_party\" or \"system_gateway\"",
        ),
        ("[endpoint]\nname = \"a\"", "3: endpoint: expected a list: write [[endpoint]]"),
        (
            "[[endpoint]]\nname = \"m\"\ntype = \"mediator\"\nsip_username = \"u\"\nsip_password = \"p\"",
            "6: endpoint.sip_username: only type \"third_party\" has this key
             7: endpoint.sip_password: only type \"third_party\" has this key",
        ),
        (
            "[[endpoint]]\nname = \"p\"\ntype = \"third_party\"\noutbound = \"p\"\naddresses = [{ ip = \"::1\" }]",
            "6: endpoint.outbound: only type \"mediator\" has this key",
        ),
        (
            "[[endpoint]]\nname = \"p\"\ntype = \"third_party\"\nsip_username = \"u\"",
            "6: endpoint.sip_username: expected sip_password beside it",
        ),
        (
            "[[endpoint]]\nname = \"p\"\ntype = \"third_party\"\nsip_username = \"u\"\nsip_password = 12345",
            "7: endpoint.sip_password: expected text in quotes: printable, not empty, at most 256 bytes",
        ),
        (
            "[[endpoint]]\nname = \"m\"\ntype = \"mediator\"\nlogin = \"l\"",
            "6: endpoint.login: expected password beside it",
        ),
        (
            "[[endpoint]]\nname = \"m\"\ntype = \"mediator\"\nlogin = \"a:b\"\npassword = \"p\"",
            "6: endpoint.login: expected no colon: HTTP Basic cannot carry one in a login",
        ),
        (
            "[[endpoint]]\nname = \"m\"\ntype = \"mediator\"\ndids = [\n\"1516x\",\n15162065337,\n\"\",\n\"1234567890123456\"]\nnumber_format = \"e164\"\ncapacity = -1\nauth_required = 1",
            "7: endpoint.dids: expected digits, as in \"15162065337\" or \"+1 516 206 5337\"
             8: endpoint.dids: expected a number in quotes such as \"15162065337\"
             9: endpoint.dids: expected a number such as \"15162065337\"
             10: endpoint.dids: expected at most 15 digits (E.164)
             11: endpoint.number_format: expected \"digits\" or \"plus\"
             12: endpoint.capacity: expected a whole number from 0 to 1000000
             13: endpoint.auth_required: expected true or false, without quotes",
        ),
        (
            "[[endpoint]]\nname = \"c\"\ntype = \"system_gateway\"\naddress = []",
            "6: endpoint.address: unknown key: did you mean addresses?",
        ),
    ]);
}

#[test]
fn refuses_wrong_addresses() {
    let row = |address: &str| {
        format!(
            "[[endpoint]]\nname = \"c\"\ntype = \"system_gateway\"\naddresses = [\n  {address},\n]\n"
        )
    };
    let host = "expected an IP address, a block such as \"192.0.2.0/24\" or a host name";
    for (address, expected) in [
        ("{ port = 5060 }", "ip: missing".to_owned()),
        ("{ ip = \"300.1.2.3\" }", format!("ip: {host}")),
        ("{ ip = \"10.0.0.0/33\" }", format!("ip: {host}")),
        ("{ ip = \"::/129\" }", format!("ip: {host}")),
        ("{ ip = \"a b\" }", format!("ip: {host}")),
        ("{ ip = \"-a.example\" }", format!("ip: {host}")),
        ("{ ip = 5 }", format!("ip: {host}")),
        (
            "{ ip = \"::1\", port = 65536 }",
            "port: expected a whole number from 1 to 65535".to_owned(),
        ),
        (
            "{ ip = \"::1\", port = \"5060\" }",
            "port: expected a whole number from 1 to 65535".to_owned(),
        ),
        (
            "{ ip = \"::1\", priority = -1 }",
            "priority: expected a whole number from 0 to 65535".to_owned(),
        ),
        (
            "{ ip = \"::1\", transport = \"tls\" }",
            "transport: not built yet: use \"udp\" or \"tcp\"".to_owned(),
        ),
        (
            "{ ip = \"::1\", transport = \"sctp\" }",
            "transport: expected \"udp\" or \"tcp\"".to_owned(),
        ),
        (
            "{ ip = \"::1\", direction = \"both\" }",
            "direction: expected \"any\" or \"inbound\" or \"outbound\"".to_owned(),
        ),
        (
            "{ ip = \"10.0.0.0/8\", direction = \"outbound\" }",
            "direction: a block of addresses is for calls that come in: set \"inbound\"".to_owned(),
        ),
        (
            "{ ip = \"::1\", sip_username = \"u\" }",
            "sip_username: expected sip_password beside it".to_owned(),
        ),
        ("{ ip = \"::1\", prot = 1 }", "prot: unknown key: did you mean port?".to_owned()),
    ] {
        check(&[(&row(address), &format!("7: endpoint.addresses.{expected}"))]);
    }
    check(&[(&row("\"127.0.0.2\""), "7: endpoint.addresses: expected { key = value, ... }")]);
}

#[test]
fn reads_every_key_of_an_endpoint() {
    let config = good(
        r#"
[[endpoint]]
name = "carrier"
type = "system_gateway"
addresses = [
    { ip = "127.0.0.2" },
    { ip = "198.51.100.0/28", port = 5080 },
    { ip = "sip.example.com", direction = "outbound", priority = 3, sip_username = "u", sip_password = "p" },
    { ip = "[2001:db8::1]", port = 5070, transport = "tcp", direction = "inbound" },
]
capacity = 200
cps_limit = 20
number_format = "plus"
auth_required = false
out_sip_username = "account"
out_sip_password = "hush"
"#,
    );
    let endpoint = &config.objects.endpoints[0].endpoint;
    let hosts: Vec<_> = endpoint
        .addresses
        .iter()
        .map(|a| (a.direction, a.port, a.transport, a.priority, a.credentials.is_some()))
        .collect();
    let (udp, tcp) = (Some(Transport::Udp), Some(Transport::Tcp));
    assert_eq!(
        hosts,
        [
            (Direction::Any, Some(5060), udp, 0, false),
            (Direction::Inbound, Some(5080), udp, 0, false),
            (Direction::Outbound, None, None, 3, true),
            (Direction::Inbound, Some(5070), tcp, 0, false),
        ]
    );
    assert_eq!(endpoint.addresses[2].host, AddressHost::Name("sip.example.com".into()));
    assert_eq!((endpoint.capacity, endpoint.cps_limit), (200, 20));
    assert_eq!(endpoint.number_format, NumberFormat::Plus);
    assert!(!endpoint.auth_required);
    assert_eq!(endpoint.out_credentials.as_ref().map(|c| &*c.username), Some("account"));
}

#[test]
fn refuses_wrong_trunk_groups() {
    check(&[
        (
            "[[trunk_group]]\nname = \"g\"",
            "3: trunk_group.trunks: expected at least one, as in [{ endpoint = \"carrier\" }]",
        ),
        ("[[trunk_group]]\nname = \"g\"\ntrunks = [{}]", "5: trunk_group.trunks.endpoint: missing"),
        (
            &format!(
                "{CARRIER}[[trunk_group]]\nname = \"g\"\ntrunks = [{{ endpoint = \"carier\" }}]"
            ),
            "9: trunk_group.trunks.endpoint: \"carier\" is no endpoint of this file",
        ),
        (
            &format!(
                "{CARRIER}[[trunk_group]]\nname = \"carrier\"\ntrunks = [{{ endpoint = \"carrier\" }}]"
            ),
            "7: trunk_group.name: \"carrier\" is taken: endpoints and trunk groups share their names",
        ),
        (
            &format!(
                "{CARRIER}[[trunk_group]]\nname = \"g\"\ntrunks = [{{ endpoint = \"carrier\", weight = 70000, in_capacity = -2, allow_forward = \"yes\" }}]
hard_failure_codes = \"408,503\"\nsoft_failure_codes = \"200;\"\nhard_failure_threshold = 0\nhard_failure_interval = \"1w\"\nhard_failure_cooldown = 0
hard_failure_last_resort = \"reject\"\nsip_options_threshold = 0\noptions_interval = \"0s\"\nrouting_type = \"lcr\""
            ),
            "9: trunk_group.trunks.weight: expected a whole number from 0 to 65535
             9: trunk_group.trunks.in_capacity: expected a whole number from -1 to 1000000
             9: trunk_group.trunks.allow_forward: expected \"disabled\" or \"direct\" or \"direct_uri\" or \"protected\" or \"reroute\"
             10: trunk_group.hard_failure_codes: expected SIP codes from 300 to 699 such as \"408;503;\"
             11: trunk_group.soft_failure_codes: expected SIP codes from 300 to 699 such as \"408;503;\"
             12: trunk_group.hard_failure_threshold: expected a whole number from 1 to 1000
             13: trunk_group.hard_failure_interval: expected a duration such as \"60s\"
             14: trunk_group.hard_failure_cooldown: expected a duration such as \"120s\"
             15: trunk_group.hard_failure_last_resort: expected \"first\" or \"reject502\" or \"reject503\"
             16: trunk_group.sip_options_threshold: expected a whole number from 1 to 1000
             17: trunk_group.options_interval: expected a duration from \"1s\" to \"1h\"
             18: trunk_group.routing_type: expected \"failover\"",
        ),
    ]);
}

pub(super) const MASKING: &str = "[[endpoint]]\nname = \"masking\"\ntype = \"mediator\"\ndids = [\"15162065337\", \"15162065346\"]\n";

#[test]
fn refuses_wrong_bindings() {
    let row = |keys: &str| format!("{MASKING}[[binding]]\nendpoint = \"masking\"\n{keys}\n");
    let both = "redirect_did = \"15162065346\"\ndestination_did = \"442071234567\"\n";
    for (keys, expected) in [
        (
            "",
            "7: binding.redirect_did: missing\n7: binding.destination_did: missing",
        ),
        (
            "redirect_did = \"15162065346\"\ndestination_did = \"bob\"",
            "10: binding.destination_did: expected digits, as in \"15162065337\" or \"+1 516 206 5337\"",
        ),
        (
            "redirect_did = \"15162065347\"\ndestination_did = \"442071234567\"",
            "9: binding.redirect_did: no DID of endpoint \"masking\": add it to its dids",
        ),
        (
            &format!("{both}maximum_ttl = 0\nwait_origination_did_ttl = \"300s\""),
            "11: binding.maximum_ttl: expected seconds as a whole number: 1 or more, or -1 for no limit
             12: binding.wait_origination_did_ttl: expected seconds as a whole number: 1 or more, or -1 for no limit",
        ),
        (
            &format!("{both}dtmf = \"12E\"\nname = \"\""),
            "11: binding.dtmf: expected keys in quotes: 0-9 * # A-D, and \",\" to wait 0.5 s
             12: binding.name: expected a name in quotes: printable, not empty, at most 256 bytes",
        ),
        (
            &format!("{both}origination_did = \"\""),
            "11: binding.origination_did: expected a number such as \"15162065337\"",
        ),
        (
            &format!("{both}redirect = \"1\""),
            "11: binding.redirect: unknown key: did you mean redirect_did?",
        ),
        (
            &format!(
                "{both}[binding.attributes]\nhide_origination_did = \"yes\"\ncnam = \"a\\nb\"\nringback = \"loud\"
sip_header_Subject = \"x\"\nsip_header_X-A = \"a\\r\\nVia: b\"\nfix_anonymous_cid = [1]"
            ),
            "12: binding.attributes.hide_origination_did: expected true or false
             13: binding.attributes.cnam: the value must not hold control characters
             14: binding.attributes.ringback: expected \"false\", \"moh\" or \"passthrough\"
             15: binding.attributes.sip_header_Subject: the header name must be \"X-\" and a token
             16: binding.attributes.sip_header_X-A: the value must not hold control characters
             17: binding.attributes.fix_anonymous_cid: expected text, true, false or a whole number",
        ),
    ] {
        check(&[(&row(keys), expected)]);
    }
}

#[test]
fn refuses_what_is_given_twice() {
    let phone = |name: &str, user: &str, did: &str| {
        format!(
            "[[endpoint]]\nname = \"{name}\"\ntype = \"third_party\"\nsip_username = \"{user}\"\nsip_password = \"p\"\ndids = [\"{did}\"]\n"
        )
    };
    let account = |name: &str| {
        format!(
            "[[endpoint]]\nname = \"{name}\"\ntype = \"mediator\"\nlogin = \"l\"\npassword = \"p\"\n"
        )
    };
    let bound = "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\ndestination_did = \"44\"\n";
    check(&[
        (
            &(phone("a", "a", "1") + &phone("a", "b", "2")),
            "9: endpoint.name: \"a\" is given twice: names are unique",
        ),
        (
            &(phone("a", "u", "1") + &phone("b", "u", "2")),
            "12: endpoint.sip_username: endpoint \"a\" has this user name already: choose another",
        ),
        (
            &(phone("a", "a", "1") + &phone("b", "b", "+1")),
            "14: endpoint.dids: given twice: endpoint \"a\" has this number already",
        ),
        (
            &(account("a") + &account("b")),
            "11: endpoint.login: endpoint \"a\" has this login already: choose another",
        ),
        (
            &format!("{MASKING}{bound}{bound}"),
            "11: binding: a second one of this redirect_did for any caller",
        ),
        (
            &format!(
                "{MASKING}{bound}origination_did = \"1 415\"\n{bound}origination_did = \"+1415\"\n"
            ),
            "12: binding: a second one of this redirect_did for this caller",
        ),
        ("sip.shards = 1\nsip.shards = 2", "4: no valid TOML: duplicate key"),
    ]);
}

#[test]
fn refuses_references_that_lead_nowhere() {
    let mediator = |outbound: &str| {
        format!("[[endpoint]]\nname = \"m\"\ntype = \"mediator\"\noutbound = \"{outbound}\"\n")
    };
    let bound = |endpoint: &str| {
        format!(
            "[[binding]]\nendpoint = \"{endpoint}\"\nredirect_did = \"1\"\ndestination_did = \"2\"\n"
        )
    };
    check(&[
        (
            &mediator("carier"),
            "6: endpoint.outbound: \"carier\" is no endpoint or trunk group of this file",
        ),
        (
            &mediator("m"),
            "6: endpoint.outbound: \"m\" is a mediator endpoint: name a carrier or trunk group",
        ),
        (
            &(mediator("g")
                + "[[trunk_group]]\nname = \"g\"\ntrunks = [{ endpoint = \"m\" }, { endpoint = \"g\" }]"),
            "9: trunk_group.trunks.endpoint: \"m\" is a mediator endpoint: give it dids instead
             9: trunk_group.trunks.endpoint: \"g\" is a trunk group: name an endpoint",
        ),
        (&bound("nobody"), "4: binding.endpoint: \"nobody\" is no endpoint of this file"),
        (
            &(CARRIER.to_owned() + &bound("carrier")),
            "8: binding.endpoint: \"carrier\" is no endpoint of type \"mediator\"",
        ),
    ]);
}

#[test]
fn does_not_blame_what_refers_to_a_broken_endpoint() {
    check(&[(
        "[[endpoint]]\nname = \"m\"\ntype = \"mediatr\"\ndids = [\"1\"]\n[[binding]]\nendpoint = \"m\"\nredirect_did = \"1\"\ndestination_did = \"2\"\n",
        "5: endpoint.type: expected \"mediator\", \"third_party\" or \"system_gateway\"",
    )]);
}

#[test]
fn gives_an_endpoint_with_dids_a_trunk_group_of_its_name() {
    let config = good(&format!("{MASKING}outbound = \"carrier\"\n{CARRIER}"));
    let directory = preview(&config.objects, &config.core).unwrap();
    let names: Vec<_> = directory.trunk_groups().iter().map(|group| &*group.name).collect();
    assert_eq!(names, ["masking", "carrier"]);
    let did = "15162065346".parse().unwrap();
    let DidRoute::Mediator(index) = directory.route(did) else { panic!("not routed") };
    let masking = directory.endpoint(index).unwrap();
    let EndpointKind::Mediator { outbound: Some(outbound) } = masking.kind else {
        panic!("no way out")
    };
    let group = directory.trunk_group(outbound.0).unwrap();
    assert_eq!(&*directory.endpoint(group.trunks[0].endpoint).unwrap().name, "carrier");
    let source = directory.identify("127.0.0.2".parse().unwrap(), 5060);
    assert!(matches!(source, SourceMatch::One(_)));
}

#[test]
fn resolves_outbound_to_a_trunk_group_of_the_file() {
    let group = r#"
[[trunk_group]]
name = "carriers"
trunks = [{ endpoint = "carrier", priority = 2, weight = 10, in_capacity = -1, out_capacity = 5, allow_forward = "reroute" },
          { endpoint = "carrier", name = "again" }]
soft_failure_codes = "408;500;503;"
hard_failure_codes = "503"
hard_failure_threshold = 5
hard_failure_interval = 30
hard_failure_cooldown = "1m"
hard_failure_last_resort = "reject503"
sip_options_threshold = 2
options_interval = "30s"
routing_type = "failover"
"#;
    let config = good(&format!("{MASKING}outbound = \"carriers\"\n{CARRIER}{group}"));
    let directory = preview(&config.objects, &config.core).unwrap();
    let carriers = &directory.trunk_groups()[0];
    assert_eq!((&*carriers.name, directory.trunk_groups().len()), ("carriers", 2));
    let first = &carriers.trunks[0];
    assert_eq!((first.priority, first.weight), (2, 10));
    assert_eq!((first.in_capacity, first.out_capacity), (Some(0), Some(5)));
    assert_eq!(first.allow_forward, mediator_model::AllowForward::Reroute);
    assert_eq!((&*first.name, &*carriers.trunks[1].name), ("carrier", "again"));
    assert_ne!(first.sid, carriers.trunks[1].sid);
    let failure = &carriers.failure;
    assert!(failure.soft_codes.contains(500) && !failure.hard_codes.contains(408));
    assert_eq!((failure.hard_threshold, failure.options_threshold), (5, 2));
    assert_eq!(failure.hard_interval, Duration::from_secs(30));
    assert_eq!(failure.hard_cooldown, Duration::from_mins(1));
    assert_eq!(failure.options_interval, Some(Duration::from_secs(30)));
    assert_eq!(failure.last_resort, mediator_model::LastResort::Reject503);
}

#[test]
fn keeps_what_a_binding_says() {
    let keys = "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\ndestination_did = \"44\"\n";
    let binding = |extra: &str| good(&format!("{MASKING}{keys}{extra}")).objects.bindings.remove(0);
    let by_default = binding("");
    assert_eq!(by_default.maximum_ttl, Some(3600));
    assert_eq!(by_default.wait_origination_did_ttl, Some(300));
    let lasting = binding("maximum_ttl = -1\nwait_origination_did_ttl = -1\n");
    assert_eq!((lasting.maximum_ttl, lasting.wait_origination_did_ttl), (None, None));
    let fixed = binding(
        "origination_did = \"+1 (415) 555-0100\"\nattributes = { hide_origination_did = true, sip_header_X-Order = 4711, note = \"kept\" }\n",
    );
    assert_eq!(fixed.key.origination_did, Some("14155550100".parse().unwrap()));
    assert_eq!(
        serde_json::Value::Object(fixed.attributes),
        serde_json::json!({"hide_origination_did": true, "sip_header_X-Order": 4711, "note": "kept"})
    );
    let config = good(&format!("{MASKING}{keys}"));
    assert_eq!(fixed.account_sid, config.objects.endpoints[0].endpoint.sid);
}

#[test]
fn gives_the_same_sids_after_a_restart() {
    let text = format!(
        "{MASKING}[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\ndestination_did = \"44\"\n"
    );
    let (one, two) = (good(&text), good(&format!("# moved\n{text}\n{CARRIER}")));
    assert_eq!(one.objects.bindings[0].sid, two.objects.bindings[0].sid);
    // Written out, because a release that derives them otherwise would make every client's stored sid dangle.
    assert_eq!(
        one.objects.endpoints[0].endpoint.sid.to_string(),
        "131ba708-2cca-4ff4-8376-e1a17ba0aa88"
    );
    assert_eq!(one.objects.bindings[0].sid.to_string(), "49a2b3e8-52bb-4b88-bd6c-44ee19e57fe0");
}

#[test]
fn loads_a_hundred_thousand_bindings() {
    let mut text = format!("{BASE}{MASKING}");
    for at in 0..100_000 {
        writeln!(
            text,
            "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"15162065346\"\norigination_did = \"1415{at:07}\"\ndestination_did = \"442071234567\"\nmaximum_ttl = -1\nattributes = {{ hide_origination_did = true }}"
        )
        .unwrap();
    }
    let config = Config::parse("test.toml", &text).unwrap();
    assert_eq!(config.objects.bindings.len(), 100_000);
}
