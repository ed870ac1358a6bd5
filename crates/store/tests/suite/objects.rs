//! Rules of the Core API's objects.

use mediator_model::{Secret, UnixMillis};
use mediator_store::record::{
    AddressRecord, DidRecord, EndpointRecord, EndpointType, PartnerRecord, ProvisionedRecord,
    TokenRecord, TrunkRecord,
};
use mediator_store::{Calls, Change, Kind, Object, Op, Record, Refused, Store, Versioned};

use super::fixtures::*;
use super::writes::snapshot;

#[expect(clippy::unnecessary_wraps, reason = "as records hold it")]
fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

fn address(ip: &str, password: Option<Secret>) -> AddressRecord {
    AddressRecord {
        direction: "any".into(),
        ip: ip.into(),
        port: Some(5060),
        transport: None,
        priority: 3,
        sip_username: Some("user".into()),
        sip_password: password,
    }
}

fn full_endpoint() -> EndpointRecord {
    EndpointRecord {
        kind: EndpointType::ThirdParty,
        addresses: vec![
            address("127.0.0.2", None),
            address("10.0.0.0/8", secret("address")),
            address("sip.example", secret("")),
        ],
        attributes: Object::from_iter([("a".to_owned(), serde_json::json!({"b": [1, null]}))]),
        cps_limit: Some(5),
        out_sip_username: Some("out".into()),
        out_sip_password: secret("out secret"),
        sip_username: Some("alice".into()),
        sip_password: secret("alice secret"),
        login: Some("login".into()),
        password: secret("pass\u{e4}word"),
        number_plus: true,
        transformations: vec![serde_json::json!({"rule": "^0"})],
        ..endpoint("full")
    }
}

fn token(hash: u8) -> TokenRecord {
    TokenRecord {
        sid: sid(),
        name: "N/A".into(),
        access_hash: [hash; 32],
        refresh_hash: Some([9; 32]),
        date_created: NOW,
        access_expires: UnixMillis(u64::from(u32::MAX) * 1000),
        refresh_expires: None,
        scopes: vec!["app.read".into()],
    }
}

fn partner() -> PartnerRecord {
    PartnerRecord {
        sid: sid(),
        name: "operator".into(),
        callbacks: Object::from_iter([("app_mediator".to_owned(), "http://127.0.0.1/".into())]),
        callbacks_secret: secret("signs"),
        attributes: Object::new(),
        date_created: NOW,
    }
}

fn provisioned(key: &str) -> ProvisionedRecord {
    ProvisionedRecord { sid: sid(), key: key.into(), hash: [3; 32], members: "".into() }
}

pub(crate) fn objects_come_back_whole_with_their_secrets<S: Store + Calls>(backend: &Backend<S>) {
    let (full, group) = (full_endpoint(), trunk_group("carriers"));
    let trunk = trunk(group.sid, full.sid);
    let records: Vec<Record> = vec![
        full.record(),
        did("15162065346", Some(group.sid)).record(),
        group.record(),
        trunk.record(),
        token(1).record(),
        partner().record(),
        provisioned("endpoint:full").record(),
    ];
    for record in &records {
        backend.op(Op::Create(record.clone())).unwrap();
    }
    for (place, record) in records.iter().enumerate() {
        let found = backend.object(record.kind(), record.sid()).unwrap();
        let expected = Versioned { revision: place as u64 + 1, record: record.clone() };
        assert_eq!(found, expected);
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != record.kind()) {
            assert!(backend.object(kind, record.sid()).is_none(), "{kind}");
        }
    }
    assert_eq!(snapshot(backend), (7, records));
}

pub(crate) fn unique_keys_of_objects_name_their_holder<S: Store + Calls>(backend: &Backend<S>) {
    let with_login = EndpointRecord { login: Some("one".into()), ..endpoint("a") };
    let with_user = EndpointRecord { sip_username: Some("one".into()), ..endpoint("b") };
    let number = did("15162065346", None);
    let (token_1, provisioned_1) = (token(1), provisioned("did:1"));
    backend.put(with_login.clone());
    backend.put(with_user.clone());
    backend.put(number.clone());
    backend.put(token_1.clone());
    let last = backend.put(provisioned_1.clone());
    let rows: Vec<(Record, &str, _)> = vec![
        (EndpointRecord { sid: sid(), ..with_login.clone() }.record(), "login", with_login.sid),
        (
            EndpointRecord { sid: sid(), ..with_user.clone() }.record(),
            "sip_username",
            with_user.sid,
        ),
        (did("15162065346", None).record(), "phonenumber", number.sid),
        (token(1).record(), "access_token", token_1.sid),
        (provisioned("did:1").record(), "key", provisioned_1.sid),
    ];
    for (record, key, holder) in rows {
        assert_eq!(backend.op(Op::Create(record)), Err(Refused::Taken { key, holder }));
    }
    let same =
        Op::Create(DidRecord { phonenumber: super::fixtures::number("1"), ..number }.record());
    assert_eq!(backend.op(same), Err(Refused::Exists));
    let both = EndpointRecord { login: Some("two".into()), ..with_user.clone() };
    backend.op(Op::Update { record: both.clone().record(), expect: 2 }).unwrap();
    let clash = EndpointRecord { login: Some("one".into()), ..both };
    assert_eq!(
        backend.op(Op::Update { record: clash.record(), expect: last + 1 }),
        Err(Refused::Taken { key: "login", holder: with_login.sid })
    );
}

pub(crate) fn a_freed_key_is_free<S: Store + Calls>(backend: &Backend<S>) {
    let one = EndpointRecord { login: Some("one".into()), ..endpoint("a") };
    backend.put(one.clone());
    let renamed = EndpointRecord { login: Some("two".into()), ..one };
    backend.op(Op::Update { record: renamed.clone().record(), expect: 1 }).unwrap();
    backend.put(EndpointRecord { login: Some("one".into()), ..endpoint("b") });
    backend.op(Op::Delete { kind: Kind::Endpoint, sid: renamed.sid, expect: Some(2) }).unwrap();
    backend.put(EndpointRecord { login: Some("two".into()), ..endpoint("c") });
    let number = did("15162065346", None);
    backend.put(number.clone());
    backend.op(Op::Delete { kind: Kind::Did, sid: number.sid, expect: None }).unwrap();
    backend.put(did("15162065346", None));
}

pub(crate) fn what_is_used_is_not_deleted<S: Store + Calls>(backend: &Backend<S>) {
    let group = trunk_group("carriers");
    let account = EndpointRecord { outbound: Some(group.sid), ..endpoint("masking") };
    let carrier = endpoint("carrier");
    let trunk = trunk(group.sid, carrier.sid);
    let number = did("15162065346", Some(group.sid));
    let bound = binding(account.sid, "15162065346");
    let planned = dialout(account.sid, "15162065346");
    let uses: Vec<(Record, Vec<(Kind, mediator_model::Sid)>)> = vec![
        (bound.clone().record(), vec![(Kind::Endpoint, account.sid), (Kind::Did, number.sid)]),
        (planned.clone().record(), vec![(Kind::Endpoint, account.sid), (Kind::Did, number.sid)]),
        (trunk.clone().record(), vec![(Kind::Endpoint, carrier.sid)]),
        (account.clone().record(), vec![(Kind::TrunkGroup, group.sid)]),
        (number.clone().record(), vec![(Kind::TrunkGroup, group.sid)]),
    ];
    backend.put(group);
    backend.put(account);
    backend.put(carrier);
    backend.put(trunk);
    backend.put(number.clone());
    backend.put(bound);
    backend.put(planned);
    let delete = |kind, sid| Op::Delete { kind, sid, expect: None };
    let renumber = |to: &str| Op::Update {
        record: DidRecord { phonenumber: super::fixtures::number(to), ..number.clone() }.record(),
        expect: 5,
    };
    assert!(matches!(backend.op(renumber("15162065399")), Err(Refused::InUse { .. })));
    for (user, used) in uses {
        for (kind, sid) in used {
            let user = (user.kind(), user.sid());
            let refused = Err(Refused::InUse { kind: user.0, sid: user.1 });
            assert_eq!(backend.op(delete(kind, sid)), refused, "{kind}");
        }
        backend.op(delete(user.kind(), user.sid())).unwrap();
    }
    assert_eq!(snapshot(backend).1.len(), 2);
}

pub(crate) fn a_trunk_group_takes_its_trunks_along<S: Store + Calls>(backend: &Backend<S>) {
    let (carrier, group, other) = (endpoint("carrier"), trunk_group("a"), trunk_group("b"));
    let trunks: Vec<TrunkRecord> = (0..3).map(|_| trunk(group.sid, carrier.sid)).collect();
    let stays = trunk(other.sid, carrier.sid);
    backend.put(carrier.clone());
    backend.put(group.clone());
    backend.put(other.clone());
    for trunk in &trunks {
        backend.put(trunk.clone());
    }
    backend.put(stays.clone());
    let op = Op::Delete { kind: Kind::TrunkGroup, sid: group.sid, expect: Some(2) };
    let committed = backend.op(op).unwrap();
    let removed = |kind, sid| Change::Removed { kind, sid };
    let (last, first) = committed.changes.split_last().unwrap();
    assert_eq!(last, &removed(Kind::TrunkGroup, group.sid));
    assert_eq!(first.len(), 3);
    for trunk in &trunks {
        assert!(first.contains(&removed(Kind::Trunk, trunk.sid)));
    }
    assert_eq!(snapshot(backend).1, [carrier.record(), other.record(), stays.record()]);
}

pub(crate) fn a_snapshot_begins_with_what_others_refer_to<S: Store + Calls>(backend: &Backend<S>) {
    let account = endpoint("masking");
    let bound = binding(account.sid, "15162065346");
    let planned = dialout(account.sid, "15162065346");
    backend.put(bound.clone());
    backend.put(planned.clone());
    backend.put(account.clone());
    assert_eq!(snapshot(backend).1, [account.record(), planned.record(), bound.record()]);
}

/// One object of each kind, with a secret.
pub(crate) fn one_of_each() -> Vec<Record> {
    let group = trunk_group("carriers");
    let account = EndpointRecord { password: secret("a secret of format 1"), ..full_endpoint() };
    vec![
        account.clone().record(),
        group.clone().record(),
        trunk(group.sid, account.sid).record(),
        did("15162065346", Some(group.sid)).record(),
        token(1).record(),
        partner().record(),
        provisioned("endpoint:full").record(),
        dialout(account.sid, "15162065346").record(),
        waiting(account.sid, "15162065346").record(),
    ]
}
