//! Who sent a request, where a number leads, and which objects do not fit together.

use std::string::ToString;
use std::vec;

use super::*;
use crate::{Address, Direction, FailurePolicy, NumberFormat, Outbound, Secret, SipCredentials};

const CARRIER: EndpointIndex = EndpointIndex(0);
const MASKING: EndpointIndex = EndpointIndex(1);
const ALICE: EndpointIndex = EndpointIndex(2);

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn endpoint(name: &str, kind: EndpointKind) -> Endpoint {
    let bits = name.bytes().fold(0, |bits: u128, byte| (bits << 8) | u128::from(byte));
    Endpoint {
        sid: Sid::from_random(bits),
        name: name.into(),
        kind,
        addresses: Vec::new(),
        auth_required: true,
        capacity: 0,
        cps_limit: 0,
        out_credentials: None,
        number_format: NumberFormat::Digits,
        dids: Vec::new(),
    }
}

fn phone(name: &str) -> Endpoint {
    let credentials = SipCredentials { username: name.into(), password: Secret::new("secret") };
    endpoint(name, EndpointKind::ThirdParty { credentials: Some(credentials) })
}

/// `203.0.113.7`, `203.0.113.0/24` or a name; a port or none.
fn at(host: &str, port: Option<u16>, direction: Direction) -> Address {
    let host = match (host.parse(), host.parse()) {
        (Ok(ip), _) => AddressHost::Ip(ip),
        (_, Ok(block)) => AddressHost::Block(block),
        _ => AddressHost::Name(host.into()),
    };
    Address { direction, host, port, transport: None, priority: 0, credentials: None }
}

fn trunk(endpoint: EndpointIndex, priority: u16) -> Trunk {
    Trunk {
        sid: Sid::from_random(u128::from(endpoint.0)),
        name: "trunk".into(),
        endpoint,
        priority,
        weight: 0,
        in_capacity: None,
        out_capacity: None,
        allow_forward: crate::AllowForward::Disabled,
    }
}

fn group(name: &str, trunks: Vec<Trunk>) -> TrunkGroup {
    TrunkGroup {
        sid: Sid::from_random(name.len() as u128),
        name: name.into(),
        trunks,
        failure: FailurePolicy::default(),
    }
}

fn did(digits: &str, trunk_group: Option<u32>) -> Did {
    Did {
        sid: Sid::from_random(1),
        number: number(digits),
        trunk_group: trunk_group.map(TrunkGroupIndex),
    }
}

fn three() -> Vec<Endpoint> {
    vec![
        endpoint("carrier", EndpointKind::SystemGateway),
        endpoint(
            "masking",
            EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(0))) },
        ),
        phone("alice"),
    ]
}

#[test]
fn a_number_leads_to_what_stands_behind_its_trunk_group() {
    let groups = vec![
        group("carriers", vec![trunk(CARRIER, 0)]),
        group("masking", vec![trunk(MASKING, 0)]),
        group("alice", vec![trunk(ALICE, 0), trunk(CARRIER, 1)]),
        group("empty", vec![]),
        group("by priority", vec![trunk(ALICE, 5), trunk(MASKING, 1), trunk(CARRIER, 1)]),
    ];
    let dids = vec![
        did("10", Some(0)),
        did("11", Some(1)),
        did("12", Some(2)),
        did("13", Some(3)),
        did("14", None),
        did("15", Some(4)),
    ];
    let directory = Directory::new(three(), groups, dids).unwrap();
    for (digits, want) in [
        ("10", DidRoute::Trunks(TrunkGroupIndex(0))),
        ("11", DidRoute::Mediator(MASKING)),
        ("12", DidRoute::Trunks(TrunkGroupIndex(2))),
        ("13", DidRoute::Nowhere),
        ("14", DidRoute::Nowhere),
        ("15", DidRoute::Mediator(MASKING)),
        ("16", DidRoute::NotOurs),
        ("011", DidRoute::NotOurs),
    ] {
        assert_eq!(directory.route(number(digits)), want, "{digits}");
    }
}

/// Endpoints 0, 1, 2 with these addresses; the source must match as told.
#[track_caller]
fn identifies(addresses: [Vec<Address>; 3], rows: &[(&str, &[u32])]) {
    let mut endpoints = three();
    for (endpoint, addresses) in endpoints.iter_mut().zip(addresses) {
        endpoint.addresses = addresses;
    }
    let groups = vec![group("carriers", vec![])];
    let directory = Directory::new(endpoints, groups, vec![]).unwrap();
    for (source, want) in rows {
        let source: core::net::SocketAddr = source.parse().unwrap();
        let want = match *want {
            [] => SourceMatch::Unknown,
            [one] => SourceMatch::One(EndpointIndex(*one)),
            several => SourceMatch::Several(several.iter().copied().map(EndpointIndex).collect()),
        };
        assert_eq!(directory.identify(source.ip(), source.port()), want, "{source}");
    }
}

#[test]
fn one_endpoint_at_an_address_is_known_from_any_port() {
    use Direction::{Any, Inbound, Outbound};
    identifies(
        [
            vec![at("192.0.2.1", Some(5060), Any), at("192.0.2.1", Some(5080), Any)],
            vec![at("192.0.2.2", None, Inbound), at("198.51.100.0/24", None, Any)],
            vec![
                at("192.0.2.3", None, Outbound),
                at("alice.example", None, Any),
                at("2001:db8::1", None, Any),
            ],
        ],
        &[
            ("192.0.2.1:5060", &[0]),
            ("192.0.2.1:40000", &[0]),
            ("[::ffff:192.0.2.1]:5060", &[0]),
            ("192.0.2.2:1", &[1]),
            ("198.51.100.200:5060", &[1]),
            ("[::ffff:198.51.100.200]:5060", &[1]),
            ("192.0.2.3:5060", &[]),
            ("[2001:db8::1]:5060", &[2]),
            ("[2001:db8::2]:5060", &[]),
            ("203.0.113.1:5060", &[]),
        ],
    );
}

#[test]
fn several_at_an_address_are_told_apart_by_port_or_left_to_digest() {
    use Direction::Any;
    identifies(
        [
            vec![at("192.0.2.1", None, Any), at("198.51.100.0/24", Some(5060), Any)],
            vec![at("192.0.2.1", Some(5070), Any), at("198.51.100.9", Some(5090), Any)],
            vec![at("192.0.2.1", Some(5070), Any)],
        ],
        &[
            ("192.0.2.1:5060", &[0]),
            ("192.0.2.1:5070", &[0, 1, 2]),
            ("192.0.2.1:5080", &[0, 1, 2]),
            ("198.51.100.9:5060", &[0]),
            ("198.51.100.9:5090", &[1]),
            ("198.51.100.9:5061", &[1, 0]),
            ("198.51.100.8:5090", &[0]),
        ],
    );
}

#[test]
fn objects_are_found_by_index_sid_user_and_number() {
    let endpoints = three();
    let sids: Vec<Sid> = endpoints.iter().map(|endpoint| endpoint.sid).collect();
    let groups = vec![group("carriers", vec![trunk(CARRIER, 0), trunk(ALICE, 1)])];
    let directory = Directory::new(endpoints, groups, vec![did("10", Some(0))]).unwrap();

    assert_eq!(directory.endpoints().len(), 3);
    assert_eq!(directory.trunk_groups().len(), 1);
    assert_eq!(directory.endpoint_by_sid(sids[2]), Some(ALICE));
    assert_eq!(directory.endpoint_by_sid(Sid::from_u128(0)), None);
    assert_eq!(directory.endpoint_by_user("alice"), Some(ALICE));
    assert_eq!(directory.endpoint_by_user("ALICE"), None);
    assert_eq!(directory.endpoint(ALICE).map(|endpoint| &*endpoint.name), Some("alice"));
    assert_eq!(directory.endpoint(EndpointIndex(3)), None);
    let second = TrunkIndex { group: TrunkGroupIndex(0), trunk: 1 };
    assert_eq!(directory.trunk(second).map(|trunk| trunk.endpoint), Some(ALICE));
    assert_eq!(directory.trunk(TrunkIndex { trunk: 2, ..second }), None);
    assert_eq!(directory.trunk(TrunkIndex { group: TrunkGroupIndex(1), ..second }), None);
    assert_eq!(directory.did(number("10")).map(|did| did.trunk_group), Some(Some(second.group)));
    assert_eq!(directory.dids().count(), 1);
}

#[test]
fn refuses_objects_that_contradict_each_other() {
    let twins = vec![phone("alice"), endpoint("x", EndpointKind::ThirdParty { credentials: None })];
    let mut same_sid = twins.clone();
    same_sid[1].sid = same_sid[0].sid;
    let mut same_user = twins.clone();
    same_user[1].kind = same_user[0].kind.clone();
    let astray = vec![endpoint(
        "m",
        EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(0))) },
    )];
    for (endpoints, groups, dids, want) in [
        (vec![], vec![], vec![did("10", None), did("10", None)], "the number 10 is given twice"),
        (
            vec![],
            vec![],
            vec![did("10", Some(0))],
            "a DID's trunk group refers to an object that is not there",
        ),
        (
            vec![],
            vec![group("g", vec![trunk(CARRIER, 0)])],
            vec![],
            "g refers to an object that is not there",
        ),
        (astray, vec![], vec![], "m refers to an object that is not there"),
        (same_user, vec![], vec![], "the SIP user name alice is given twice"),
        (
            same_sid.clone(),
            vec![],
            vec![],
            &*DirectoryError::DuplicateEndpoint(same_sid[0].sid).to_string(),
        ),
    ] {
        assert_eq!(Directory::new(endpoints, groups, dids).unwrap_err().to_string(), want);
    }
}
