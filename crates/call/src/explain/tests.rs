//! Who meets which binding, and what comes of it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::vec;

use mediator_model::{
    AllowForward, Attributes, Binding, BindingKey, Bindings as _, ClaimWindow, Did, Direction,
    Directory, Endpoint, EndpointIndex, EndpointKind, FailurePolicy, Instant, Number, NumberFormat,
    Outbound, Secret, SipCredentials, Transport, Trunk, TrunkGroup, TrunkGroupIndex, UnixMillis,
};
use mediator_table::{BindingTable, ContactTable, Gate, UnboundPorts};

use super::*;
use crate::io::Ports;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const CALLER: &str = "14155550100";
const OTHER: &str = "14155550111";
const OUTSIDE: &str = "442071234567";
/// A phone's number; the phone is not registered.
const PHONE: &str = "15550001001";
/// A PBX's number, at an address of its own.
const PBX: &str = "15550001002";
/// Numbers of the account, and one that leads nowhere.
const MASKED: &str = "15162065337";
const WAITING: &str = "15162065338";
const ONWARD: &str = "15162065339";
const ROUND: &str = "15162065340";
const EMPTY: &str = "15162065341";
const TO_PHONE: &str = "15162065342";
const NOWHERE: &str = "15162065349";

fn n(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn endpoint(sid: u128, kind: EndpointKind, addresses: &[AddressHost]) -> Endpoint {
    let address = |host: &AddressHost| Address {
        direction: Direction::Any,
        host: host.clone(),
        port: matches!(host, AddressHost::Ip(_)).then_some(5070),
        transport: Some(Transport::Udp),
        priority: 0,
        credentials: None,
    };
    Endpoint {
        sid: Sid::from_u128(sid),
        name: "endpoint".into(),
        kind,
        addresses: addresses.iter().map(address).collect(),
        auth_required: true,
        capacity: 0,
        cps_limit: 0,
        out_credentials: None,
        number_format: NumberFormat::Digits,
        dids: Vec::new(),
    }
}

fn group(trunks: &[(&str, u32, Option<u32>)]) -> TrunkGroup {
    let trunk = |(at, (name, endpoint, out_capacity)): (usize, &(&str, u32, Option<u32>))| Trunk {
        sid: Sid::from_u128(1000 + at as u128),
        name: (*name).into(),
        endpoint: EndpointIndex(*endpoint),
        priority: at as u16,
        weight: 0,
        in_capacity: None,
        out_capacity: *out_capacity,
        allow_forward: AllowForward::Disabled,
    };
    let trunks = trunks.iter().enumerate().map(trunk).collect();
    TrunkGroup {
        sid: Sid::from_u128(90),
        name: "group".into(),
        trunks,
        failure: FailurePolicy::default(),
    }
}

fn directory() -> Directory {
    let phone = SipCredentials { username: "phil".into(), password: Secret::new("secret") };
    let ip = |text: &str| AddressHost::Ip(text.parse().unwrap());
    let outbound =
        |group| EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(group))) };
    let endpoints = vec![
        endpoint(1, outbound(0), &[]),
        endpoint(2, EndpointKind::SystemGateway, &[ip("10.2.0.1"), ip("10.2.0.2")]),
        endpoint(3, EndpointKind::SystemGateway, &[AddressHost::Name("sip.example".into())]),
        endpoint(4, EndpointKind::ThirdParty { credentials: Some(phone) }, &[]),
        endpoint(5, EndpointKind::ThirdParty { credentials: None }, &[ip("10.5.0.1")]),
        endpoint(6, outbound(4), &[]),
    ];
    let groups = vec![
        group(&[("first", 1, None), ("closed", 1, Some(0)), ("second", 2, None)]),
        group(&[("account", 0, None)]),
        group(&[("phone", 3, None)]),
        group(&[("pbx", 4, None)]),
        group(&[("closed", 1, Some(0))]),
        group(&[("poor", 5, None)]),
    ];
    let did = |(at, (digits, group)): (usize, (&str, Option<u32>))| Did {
        sid: Sid::from_u128(200 + at as u128),
        number: n(digits),
        trunk_group: group.map(TrunkGroupIndex),
    };
    let own = [MASKED, WAITING, ONWARD, ROUND, EMPTY, TO_PHONE].map(|digits| (digits, Some(1)));
    let others = [(PHONE, Some(2)), (PBX, Some(3)), (NOWHERE, None), (POOR, Some(5))];
    let dids = own.into_iter().chain(others).enumerate().map(did).collect();
    Directory::new(endpoints, groups, dids).unwrap()
}

/// A number of an account whose only way out is closed.
const POOR: &str = "15162065350";

fn table() -> BindingTable {
    let table = BindingTable::with_capacity(16);
    let add = |sid: u128, key: (&str, Option<&str>), to: &str, hide: bool, claim: ClaimWindow| {
        let attributes = Attributes { hide_origination_did: hide, ..Attributes::default() };
        let binding = Binding {
            sid: Sid::from_u128(sid),
            account_sid: Sid::from_u128(1),
            key: BindingKey { redirect_did: n(key.0), origination_did: key.1.map(n) },
            claim,
            expires: None,
            destination_did: n(to),
            attributes: Some(attributes.into()),
            dtmf: None,
        };
        table.insert(Arc::new(binding), NOW).unwrap();
    };
    let open = ClaimWindow::OpenUntil(UnixMillis(NOW.0 + 60_000).into());
    add(10, (MASKED, None), OUTSIDE, true, ClaimWindow::Closed);
    add(11, (MASKED, Some(CALLER)), OUTSIDE, false, ClaimWindow::Closed);
    add(12, (WAITING, None), OUTSIDE, true, open);
    add(13, (ONWARD, None), MASKED, true, ClaimWindow::Closed);
    add(14, (ROUND, None), ROUND, true, ClaimWindow::Closed);
    add(15, (TO_PHONE, None), PHONE, true, ClaimWindow::Closed);
    add(16, (POOR, None), OUTSIDE, true, ClaimWindow::Closed);
    table
}

fn ask(table: &Arc<BindingTable>, from: Option<&str>, to: &str) -> Explained {
    let directory = directory();
    let ports = Ports {
        media: Arc::new(UnboundPorts::new(30_000..=39_999)),
        bindings: table.clone(),
        locations: Arc::new(ContactTable::new()),
        admission: Arc::new(Gate::default()),
    };
    let router = Router {
        directory: &directory,
        ports: &ports,
        now: Instant::from_millis(1),
        wall: NOW,
        // Whatever the router may: nothing is claimed.
        claiming: Claiming::Claim,
    };
    explain(&router, from.map(n), n(to), [1; 32])
}

#[test]
fn each_call_is_explained_as_it_would_be_routed() {
    let table = Arc::new(table());
    for (from, to, rule, binding, shown, destination, refused) in [
        (Some(CALLER), MASKED, "exact", Some(11), Some(CALLER), Some(OUTSIDE), None),
        (Some(OTHER), MASKED, "any", Some(10), Some(MASKED), Some(OUTSIDE), None),
        (None, MASKED, "any", Some(10), Some(MASKED), Some(OUTSIDE), None),
        (Some(OTHER), WAITING, "claim", Some(12), Some(WAITING), Some(OUTSIDE), None),
        (None, WAITING, "claim", Some(12), None, None, Some(480)),
        (Some(CALLER), ONWARD, "any", Some(13), Some(MASKED), Some(OUTSIDE), None),
        (Some(CALLER), ROUND, "any", Some(14), None, Some(ROUND), Some(482)),
        (Some(CALLER), EMPTY, "none", None, None, None, Some(480)),
        (Some(CALLER), TO_PHONE, "any", Some(15), None, Some(PHONE), Some(480)),
        (Some(CALLER), POOR, "any", Some(16), None, Some(OUTSIDE), Some(503)),
        (Some(CALLER), PBX, "none", None, Some(CALLER), Some(PBX), None),
        (None, PBX, "none", None, None, Some(PBX), None),
        (Some(CALLER), NOWHERE, "none", None, None, None, Some(404)),
        (Some(CALLER), OUTSIDE, "unknown_did", None, None, None, Some(404)),
    ] {
        let said = ask(&table, from, to);
        let case = std::format!("{from:?} {to}: {said:?}");
        assert_eq!(said.rule.as_str(), rule, "{case}");
        assert_eq!(said.binding.map(|it| it.sid), binding.map(Sid::from_u128), "{case}");
        assert_eq!(said.caller_id, shown.map(n), "{case}");
        assert_eq!(said.destination, destination.map(n), "{case}");
        assert_eq!(said.refused, refused, "{case}");
        assert_eq!(said.did, (to != OUTSIDE).then(|| n(to)), "{case}");
    }
    let waiting = table.lookup(n(WAITING), Some(n(OTHER)), NOW).unwrap();
    assert_eq!(waiting.rule, MatchRule::Claim, "nobody has it");
}

#[test]
fn attempts_are_told_in_order_without_trunks_that_are_closed() {
    let table = Arc::new(table());
    let said = |to| {
        let said = ask(&table, Some(CALLER), to).attempts;
        said.into_iter().map(|place| (place.trunk, place.address)).collect::<Vec<_>>()
    };
    let place = |trunk: &str, address: &str| (trunk.into(), address.into());
    let way_out = [
        place("first", "10.2.0.1:5070"),
        place("first", "10.2.0.2:5070"),
        place("second", "sip.example"),
    ];
    assert_eq!(said(MASKED), way_out);
    assert_eq!(said(PBX), [place("pbx", "10.5.0.1:5070")]);
    assert_eq!(said(EMPTY), []);
}

#[test]
fn the_endpoint_behind_the_number_is_told() {
    let table = Arc::new(table());
    for (to, sid) in [(MASKED, Some(1)), (PHONE, Some(4)), (PBX, Some(5)), (NOWHERE, None)] {
        let said = ask(&table, Some(CALLER), to);
        assert_eq!(said.endpoint, sid.map(Sid::from_u128), "{to}");
    }
}
