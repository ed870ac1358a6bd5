//! Contacts that come, go and run out, under many threads too.

use mediator_model::{Flow, ListenerId};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::*;

const PHONE: &str = "192.0.2.10:5060";
const ELSEWHERE: &str = "192.0.2.11:40000";

fn endpoint(n: u128) -> Sid {
    Sid::from_random(n)
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn flow(remote: &str) -> Flow {
    Flow {
        transport: Transport::Udp,
        listener: ListenerId(0),
        remote: remote.parse().unwrap(),
        connection: None,
    }
}

/// `sip:a@h` by Call-ID `c1` with this `CSeq`, from PHONE, until 100 s.
fn contact(uri: &str, cseq: u32) -> ContactBinding {
    ContactBinding {
        uri: uri.into(),
        flow: flow(PHONE),
        call_id: "c1".into(),
        cseq,
        q_thousandths: 1000,
        expires: at(100),
    }
}

fn put(uri: &str, cseq: u32) -> ContactUpdate {
    ContactUpdate::Put(contact(uri, cseq))
}

fn remove(uri: &str, call_id: &str, cseq: u32) -> ContactUpdate {
    ContactUpdate::Remove { uri: uri.into(), call_id: call_id.into(), cseq }
}

fn remove_all(call_id: &str, cseq: u32) -> ContactUpdate {
    ContactUpdate::RemoveAll { call_id: call_id.into(), cseq }
}

fn uris(contacts: &[ContactBinding]) -> Vec<&str> {
    contacts.iter().map(|contact| &*contact.uri).collect()
}

#[track_caller]
fn holds(table: &ContactTable, now: u64, want: &[&str]) {
    assert_eq!(uris(&table.contacts(endpoint(1), at(now))), want, "at {now} s");
}

#[track_caller]
fn lives_at(table: &ContactTable, source: &str, now: u64, want: Option<u128>) {
    let found = table.registered_at(&flow(source), at(now));
    assert_eq!(found, want.map(endpoint), "{source} at {now} s");
}

/// Registers `before`, then `updates`; tells how that ended and what is there then.
#[track_caller]
fn check(
    before: Vec<ContactUpdate>,
    updates: Vec<ContactUpdate>,
    outcome: Result<(), ContactError>,
    want: &[&str],
) {
    let table = ContactTable::new();
    table.update(endpoint(1), before, at(0)).unwrap();
    let done = table.update(endpoint(1), updates, at(1));
    if let Ok(contacts) = &done {
        assert_eq!(*contacts, table.contacts(endpoint(1), at(1)));
    }
    assert_eq!(done.map(drop), outcome);
    holds(&table, 1, want);
}

#[test]
fn follows_rfc_3261_10_3_steps_6_and_7() {
    use ContactError::OutOfOrder;
    let two = || vec![put("sip:a@h", 5), put("sip:b@h", 5)];
    check(two(), vec![], Ok(()), &["sip:b@h", "sip:a@h"]);
    check(two(), vec![put("sip:c@h", 1)], Ok(()), &["sip:c@h", "sip:b@h", "sip:a@h"]);
    check(two(), vec![put("sip:a@h", 6)], Ok(()), &["sip:a@h", "sip:b@h"]);
    check(two(), vec![put("sip:a@h", 5)], Err(OutOfOrder), &["sip:b@h", "sip:a@h"]);
    check(two(), vec![put("sip:a@h", 4)], Err(OutOfOrder), &["sip:b@h", "sip:a@h"]);
    check(two(), vec![remove("sip:a@h", "c1", 6)], Ok(()), &["sip:b@h"]);
    check(two(), vec![remove("sip:a@h", "c1", 5)], Err(OutOfOrder), &["sip:b@h", "sip:a@h"]);
    // Another Call-ID: the phone has started anew, its count of CSeqs too.
    check(two(), vec![remove("sip:a@h", "c2", 1)], Ok(()), &["sip:b@h"]);
    check(two(), vec![remove("sip:x@h", "c1", 1)], Ok(()), &["sip:b@h", "sip:a@h"]);
    check(two(), vec![remove_all("c1", 6)], Ok(()), &[]);
    check(two(), vec![remove_all("c2", 1)], Ok(()), &[]);
    check(two(), vec![remove_all("c1", 5)], Err(OutOfOrder), &["sip:b@h", "sip:a@h"]);
    check(vec![], vec![remove_all("c1", 1)], Ok(()), &[]);
}

#[test]
fn applies_all_of_a_register_or_nothing() {
    let before = vec![put("sip:a@h", 5), put("sip:b@h", 7)];
    let updates = vec![put("sip:c@h", 6), remove("sip:a@h", "c1", 6), put("sip:b@h", 6)];
    check(before, updates, Err(ContactError::OutOfOrder), &["sip:b@h", "sip:a@h"]);
}

#[test]
fn one_register_may_name_a_contact_twice() {
    check(vec![], vec![put("sip:a@h", 5), put("sip:a@h", 5)], Ok(()), &["sip:a@h"]);
    let updates = vec![put("sip:a@h", 6), remove("sip:a@h", "c1", 6)];
    check(vec![put("sip:a@h", 5)], updates, Ok(()), &[]);
}

#[test]
fn knows_a_contact_again_by_the_uri_it_wrote() {
    for (first, again, same) in [
        ("sip:a@h", "sip:a@h", true),
        ("sip:a@H.example;OB", "SIP:a@h.EXAMPLE;ob", true),
        ("sip:a@h", "sip:A@h", false),
        ("sip:a@h", "sips:a@h", false),
        ("sip:a@h", "sip:a@h:5060", false),
        ("sip:a@h", "sip:a@h;transport=tcp", false),
        ("sip:Host", "sip:hOST", true),
        ("sip:h", "sip:a@h", false),
    ] {
        let table = ContactTable::new();
        table.update(endpoint(1), vec![put(first, 1)], at(0)).unwrap();
        let held = table.update(endpoint(1), vec![put(again, 2)], at(0)).unwrap();
        assert_eq!(held.len() == 1, same, "{first} {again}");
        assert_eq!(&*held[0].uri, again);
    }
}

#[test]
fn a_lapsed_contact_is_as_good_as_gone() {
    let table = ContactTable::new();
    table.update(endpoint(1), vec![put("sip:a@h", 5)], at(0)).unwrap();
    holds(&table, 99, &["sip:a@h"]);
    lives_at(&table, PHONE, 99, Some(1));
    holds(&table, 100, &[]);
    lives_at(&table, PHONE, 100, None);
    // Its CSeq binds nobody any more.
    let again = ContactBinding { expires: at(200), ..contact("sip:a@h", 1) };
    assert!(table.update(endpoint(1), vec![ContactUpdate::Put(again)], at(100)).is_ok());
    holds(&table, 199, &["sip:a@h"]);
}

#[test]
fn sweeps_lapsed_contacts_away() {
    let table = ContactTable::new();
    let long = ContactBinding { expires: at(300), ..contact("sip:b@h", 1) };
    table.update(endpoint(1), vec![put("sip:a@h", 1), ContactUpdate::Put(long)], at(0)).unwrap();
    table.update(endpoint(2), vec![put("sip:a@h", 1)], at(0)).unwrap();
    assert!(table.expire(at(99)).is_empty());
    let mut swept = table.expire(at(100));
    swept.sort_by_key(|(sid, _)| *sid);
    let mut want = [(endpoint(1), contact("sip:a@h", 1)), (endpoint(2), contact("sip:a@h", 1))];
    want.sort_by_key(|(sid, _)| *sid);
    assert_eq!(swept, want);
    assert_eq!((table.len(), table.by_source.len()), (1, 1));
    lives_at(&table, PHONE, 100, Some(1));
    assert_eq!(table.expire(at(300)).len(), 1);
    assert!(table.is_empty() && table.by_source.is_empty(), "nothing is left behind");
}

#[test]
fn a_phone_is_known_by_the_address_it_registered_from() {
    let table = ContactTable::new();
    table.update(endpoint(1), vec![put("sip:a@h", 1)], at(0)).unwrap();
    lives_at(&table, PHONE, 1, Some(1));
    lives_at(&table, "192.0.2.10:5061", 1, None);
    let tcp = Flow { transport: Transport::Tcp, ..flow(PHONE) };
    assert_eq!(table.registered_at(&tcp, at(1)), None);

    // It moves: the old address is nobody's, the new one is its.
    let moved = ContactBinding { flow: flow(ELSEWHERE), ..contact("sip:a@h", 2) };
    table.update(endpoint(1), vec![ContactUpdate::Put(moved)], at(1)).unwrap();
    lives_at(&table, PHONE, 1, None);
    lives_at(&table, ELSEWHERE, 1, Some(1));
    table.update(endpoint(1), vec![remove_all("c1", 3)], at(1)).unwrap();
    lives_at(&table, ELSEWHERE, 1, None);
    assert!(table.is_empty() && table.by_source.is_empty());
}

#[test]
fn two_contacts_from_one_address_keep_it_as_long_as_either_lives() {
    let table = ContactTable::new();
    let long = ContactBinding { expires: at(300), ..contact("sip:b@h", 1) };
    table.update(endpoint(1), vec![put("sip:a@h", 1), ContactUpdate::Put(long)], at(0)).unwrap();
    lives_at(&table, PHONE, 299, Some(1));
    table.update(endpoint(1), vec![remove("sip:b@h", "c1", 2)], at(1)).unwrap();
    lives_at(&table, PHONE, 99, Some(1));
    lives_at(&table, PHONE, 100, None);
}

#[test]
fn an_address_that_several_endpoints_share_names_none_of_them() {
    let table = ContactTable::new();
    for n in [2, 1, 3] {
        let lapses = ContactBinding { expires: at(100 * n as u64), ..contact("sip:a@h", 1) };
        table.update(endpoint(n), vec![ContactUpdate::Put(lapses)], at(0)).unwrap();
    }
    lives_at(&table, PHONE, 99, None);
    lives_at(&table, PHONE, 100, None);
    lives_at(&table, PHONE, 200, Some(3));
    table.forget(endpoint(3));
    lives_at(&table, PHONE, 200, None);
    lives_at(&table, PHONE, 150, Some(2));
    assert_eq!(table.len(), 2);
    table.forget(endpoint(3));
    table.forget(endpoint(2));
    lives_at(&table, PHONE, 0, Some(1));
}

#[test]
fn dials_the_best_q_first_and_then_the_latest() {
    let table = ContactTable::new();
    let with_q = |uri, q_thousandths| {
        ContactUpdate::Put(ContactBinding { q_thousandths, ..contact(uri, 1) })
    };
    let updates = vec![with_q("sip:a@h", 500), with_q("sip:b@h", 1000), with_q("sip:c@h", 500)];
    let held = table.update(endpoint(1), updates, at(0)).unwrap();
    assert_eq!(uris(&held), ["sip:b@h", "sip:c@h", "sip:a@h"]);
    let again = ContactBinding { q_thousandths: 500, ..contact("sip:a@h", 2) };
    table.update(endpoint(1), vec![ContactUpdate::Put(again)], at(0)).unwrap();
    holds(&table, 0, &["sip:b@h", "sip:a@h", "sip:c@h"]);
}

#[test]
fn an_endpoint_has_at_most_ten_contacts() {
    let table = ContactTable::new();
    let many: Vec<_> = (0..MAX_CONTACTS).map(|n| put(&format!("sip:{n}@h"), 1)).collect();
    table.update(endpoint(1), many.clone(), at(0)).unwrap();
    let more = vec![put("sip:more@h", 2)];
    assert_eq!(table.update(endpoint(1), more.clone(), at(1)), Err(ContactError::TooMany));
    assert_eq!(table.contacts(endpoint(1), at(1)).len(), MAX_CONTACTS);
    let instead = vec![remove("sip:0@h", "c1", 2), put("sip:more@h", 2)];
    assert_eq!(table.update(endpoint(1), instead, at(1)).unwrap().len(), MAX_CONTACTS);
    // Lapsed ones do not count.
    let late = ContactBinding { expires: at(200), ..contact("sip:late@h", 2) };
    let held = table.update(endpoint(1), vec![ContactUpdate::Put(late)], at(100)).unwrap();
    assert_eq!(uris(&held), ["sip:late@h"]);

    let all_at_once = [many, more].concat();
    assert_eq!(table.update(endpoint(2), all_at_once, at(0)), Err(ContactError::TooMany));
    assert_eq!(table.len(), 1, "a refused endpoint leaves nothing behind");
}

#[test]
fn registers_at_once_leave_index_and_contacts_in_agreement() {
    let table = ContactTable::new();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8_u16 {
            let (table, start) = (&table, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..500_u16 {
                    let phone = endpoint(u128::from((thread + round) % 4));
                    let remote = format!("192.0.2.1:{}", 5000 + round % 3);
                    let call_id = format!("{thread}-{round}").into();
                    let contact =
                        ContactBinding { flow: flow(&remote), call_id, ..contact("sip:a@h", 1) };
                    table.update(phone, vec![ContactUpdate::Put(contact)], at(0)).unwrap();
                    if round % 7 == 0 {
                        table.expire(at(50));
                        table.forget(phone);
                    }
                }
            });
        }
    });
    let told: Vec<_> = table
        .by_source
        .iter()
        .flat_map(|entry| {
            entry.value().iter().map(|(sid, _)| (*sid, *entry.key())).collect::<Vec<_>>()
        })
        .collect();
    let held: Vec<_> = table
        .by_endpoint
        .iter()
        .flat_map(|entry| {
            entry.value().iter().map(|c| (*entry.key(), Source::of(&c.flow))).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(told.len(), held.len());
    assert!(held.iter().all(|pair| told.contains(pair)));
}

#[test]
fn a_contact_on_a_connection_ends_with_it() {
    let over = |connection| Flow {
        transport: Transport::Tcp,
        connection: Some(ConnectionId::new(connection)),
        ..flow(PHONE)
    };
    let on = |uri, connection| {
        ContactUpdate::Put(ContactBinding { flow: over(connection), ..contact(uri, 1) })
    };
    let table = ContactTable::new();
    table.update(endpoint(1), vec![on("sip:a@h", 7), on("sip:b@h", 8)], at(0)).unwrap();
    table.update(endpoint(2), vec![on("sip:c@h", 9)], at(0)).unwrap();
    assert_eq!(table.registered_at(&over(7), at(1)), Some(endpoint(1)));
    assert_eq!(
        table.registered_at(&over(10), at(1)),
        None,
        "the same address is not the same phone"
    );
    for _ in 0..2 {
        table.connection_closed(ConnectionId::new(7));
        holds(&table, 1, &["sip:b@h"]);
        assert_eq!(table.registered_at(&over(7), at(1)), None);
        assert_eq!(table.registered_at(&over(8), at(1)), Some(endpoint(1)));
    }
    table.connection_closed(ConnectionId::new(8));
    table.connection_closed(ConnectionId::new(9));
    assert!(table.is_empty() && table.by_source.is_empty());
}
