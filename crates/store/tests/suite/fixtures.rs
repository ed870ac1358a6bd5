//! Stores with a follower that notes everything, and records to put into them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{
    BindingRecord, CallRow, DialoutRecord, DidRecord, EndpointRecord, EndpointType, LegRow,
    MediaFigures, PartnerRecord, ProvisionedRecord, TokenRecord, TrunkGroupRecord, TrunkRecord,
};
use mediator_store::{
    Calls, Committed, Follower, Kind, Object, Op, Record, Refused, Store, Versioned, Write,
};
use parking_lot::Mutex;

/// The time at which most tests happen.
pub(crate) const NOW: UnixMillis = UnixMillis(1_772_366_400_000);

/// What a follower heard, in order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Heard {
    Committed(Committed),
    ClaimFailed(Sid, Option<Versioned<BindingRecord>>),
}

/// A follower that notes everything.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<Heard>>);

impl Follower for Notes {
    fn committed(&self, committed: &Committed) {
        self.0.lock().push(Heard::Committed(committed.clone()));
    }

    fn claim_failed(&self, binding_sid: Sid, binding: Option<Versioned<BindingRecord>>) {
        self.0.lock().push(Heard::ClaimFailed(binding_sid, binding));
    }
}

impl Notes {
    pub(crate) fn all(&self) -> Vec<Heard> {
        self.0.lock().clone()
    }

    pub(crate) fn revisions(&self) -> Vec<u64> {
        let heard = self.all();
        let revision = |heard: &Heard| match heard {
            Heard::Committed(committed) => Some(committed.revision),
            Heard::ClaimFailed(..) => None,
        };
        heard.iter().filter_map(revision).collect()
    }
}

/// A store under test. What `_keep` holds (a folder, say) outlives the store.
pub(crate) struct Backend<S> {
    pub(crate) store: S,
    pub(crate) notes: Arc<Notes>,
    pub(crate) _keep: Box<dyn std::any::Any + Send + Sync>,
}

impl<S: Store + Calls> Backend<S> {
    /// Writes, and waits for the answer.
    pub(crate) fn write(&self, write: Write) -> Result<Committed, Refused> {
        self.ask(write).recv_timeout(Duration::from_secs(30)).expect("every write is answered")
    }

    /// Writes; the answer comes.
    pub(crate) fn ask(&self, write: Write) -> Receiver<Result<Committed, Refused>> {
        let (answer, answered) = channel();
        self.store.submit(write, Box::new(move |result| drop(answer.send(result))));
        answered
    }

    /// One operation, now.
    pub(crate) fn op(&self, op: Op) -> Result<Committed, Refused> {
        self.write(Write::one(NOW, op))
    }

    /// Makes an object that nothing stands against.
    pub(crate) fn put(&self, record: impl IntoRecord) -> u64 {
        self.op(Op::Create(record.record())).expect("nothing stands against it").revision
    }

    /// One object, now.
    pub(crate) fn object(&self, kind: Kind, sid: Sid) -> Option<Versioned<Record>> {
        self.store.object(kind, sid, NOW).unwrap()
    }

    /// One binding, now.
    pub(crate) fn binding(&self, sid: Sid) -> Option<Versioned<BindingRecord>> {
        self.object(Kind::Binding, sid).map(|found| match found.record {
            Record::Binding(binding) => {
                Versioned { revision: found.revision, record: (*binding).clone() }
            }
            other => panic!("not a binding: {other:?}"),
        })
    }
}

/// A sid that no other call of this gave.
pub(crate) fn sid() -> Sid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Sid::from_random(u128::from(next).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

pub(crate) fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

/// A binding for every caller that never ends.
pub(crate) fn binding(account_sid: Sid, redirect_did: &str) -> BindingRecord {
    BindingRecord {
        sid: sid(),
        account_sid,
        name: "N/A".into(),
        redirect_did: number(redirect_did),
        origination_did: None,
        destination_did: number("15550001001"),
        dtmf: None,
        attributes: Object::new(),
        maximum_ttl: None,
        wait_origination_did_ttl: None,
        date_created: NOW,
        claim_until: None,
    }
}

/// A binding that waits for its first caller for 300 s.
pub(crate) fn waiting(account_sid: Sid, redirect_did: &str) -> BindingRecord {
    BindingRecord {
        wait_origination_did_ttl: Some(300),
        claim_until: Some(NOW + Duration::from_mins(5)),
        ..binding(account_sid, redirect_did)
    }
}

pub(crate) fn dialout(account_sid: Sid, redirect_did: &str) -> DialoutRecord {
    DialoutRecord {
        sid: sid(),
        account_sid,
        stage_one_destination_did: number("15550001001"),
        stage_two_destination_did: number("15550001002"),
        redirect_did: number(redirect_did),
        attributes: Object::new(),
        date_created: NOW,
        due: NOW + Duration::from_mins(1),
        dialling: false,
    }
}

pub(crate) fn endpoint(name: &str) -> EndpointRecord {
    EndpointRecord {
        sid: sid(),
        name: name.into(),
        kind: EndpointType::Mediator,
        addresses: Vec::new(),
        attributes: Object::new(),
        auth_required: true,
        capacity: 0,
        cps_limit: None,
        out_sip_username: None,
        out_sip_password: None,
        sip_username: None,
        sip_password: None,
        login: None,
        password: None,
        outbound: None,
        number_plus: false,
        transformations: Vec::new(),
        date_created: NOW,
    }
}

pub(crate) fn trunk_group(name: &str) -> TrunkGroupRecord {
    TrunkGroupRecord {
        sid: sid(),
        name: name.into(),
        routing_type: "failover".into(),
        routing_data: None,
        hard_failure_codes: "408;".into(),
        hard_failure_threshold: 3,
        hard_failure_interval: 60,
        hard_failure_cooldown: 120,
        hard_failure_last_resort: "first".into(),
        soft_failure_codes: "408;".into(),
        sip_options_threshold: 3,
        options_interval: None,
        lists: Object::new(),
        date_created: NOW,
    }
}

pub(crate) fn trunk(trunk_group_sid: Sid, endpoint_sid: Sid) -> TrunkRecord {
    TrunkRecord {
        sid: sid(),
        trunk_group_sid,
        name: "N/A".into(),
        endpoint_sid,
        priority: 0,
        weight: 0,
        in_capacity: 0,
        out_capacity: 0,
        allow_forward: "disabled".into(),
        extra: Object::new(),
        date_created: NOW,
    }
}

pub(crate) fn did(phonenumber: &str, trunk_group_sid: Option<Sid>) -> DidRecord {
    DidRecord {
        sid: sid(),
        phonenumber: number(phonenumber),
        trunk_group_sid,
        name: "N/A".into(),
        country_code: Some("USA".into()),
        in_country_format: "(516) 206-5346".into(),
        international_format: "+1 516-206-5346".into(),
        attributes: Object::new(),
        string_key_1: None,
        string_key_2: None,
        transformations: Vec::new(),
        date_created: NOW,
    }
}

pub(crate) fn call(endpoint_sid: Sid) -> CallRow {
    CallRow {
        dr_sid: sid(),
        endpoint_sid,
        event_type: "binding".into(),
        reference_sid: Some(sid()),
        attributes: Object::new(),
        dtmf: None,
        direction: "inbound".into(),
        number_src: Some(number("15550002001")),
        number_redirect: number("15162065346"),
        number_dst: Some(number("15550001001")),
        date_start: NOW,
        date_talk: Some(NOW + Duration::from_secs(2)),
        date_stop: NOW + Duration::from_millis(12_500),
        date_insert: NOW + Duration::from_millis(12_501),
        sip_cause: 200,
        disconnect_originator: "SRC".into(),
        media_src: MediaFigures {
            packets: Some(500),
            lost: Some(2),
            jitter_ms: Some(1.5),
            mos: Some(4.4),
        },
        media_dst: MediaFigures::default(),
    }
}

pub(crate) fn leg(call_sid: Sid) -> LegRow {
    LegRow {
        dr_sid: sid(),
        call_sid,
        direction: "inbound".into(),
        date_start: NOW,
        date_talk: None,
        date_stop: NOW + Duration::from_secs(3),
        date_insert: NOW + Duration::from_secs(3),
        endpoint_sid_src: Some(sid()),
        endpoint_sid_dst: None,
        number_src: Some(number("15550002001")),
        number_dst: Some(number("15162065346")),
        number_external: Some(number("15550002001")),
        ip_src: Some("127.0.0.1:5062".into()),
        ip_dst: None,
        sipcallid_src: Some("a@b".into()),
        sipcallid_dst: None,
        sipcause: 486,
        codec_src: Some("PCMU".into()),
        codec_dst: None,
        disconnect_originator: "DST".into(),
        identity: None,
    }
}

/// A record as an object of its kind.
pub(crate) trait IntoRecord {
    fn record(self) -> Record;
}

macro_rules! into_record {
    ($($variant:ident($kind:ty)),*) => {
        $(impl IntoRecord for $kind {
            fn record(self) -> Record {
                Record::$variant(Arc::new(self))
            }
        })*
    };
}

into_record!(
    Binding(BindingRecord),
    Dialout(DialoutRecord),
    Endpoint(EndpointRecord),
    TrunkGroup(TrunkGroupRecord),
    Trunk(TrunkRecord),
    Did(DidRecord),
    Token(TokenRecord),
    Partner(PartnerRecord),
    Provisioned(ProvisionedRecord)
);
