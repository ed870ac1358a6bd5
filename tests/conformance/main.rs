//! Conformance of the whole engine, message by message: what a UAS answers, and that nothing wrong is passed on.
//!
//! The torture messages of RFC 4475 are read from the folder that `RFC4475_DIR` names; without it their test
//! says so and passes. The messages written here run always.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use mediator_call::Engine;
use mediator_call::io::{EngineSetup, Input, Listener, MediaMode, Output, Ports, Settings};
use mediator_model::{
    Address, AddressHost, Binding, BindingKey, ClaimWindow, Did, Direction, Directory, Endpoint,
    EndpointIndex, EndpointKind, FailurePolicy, Flow, Instant, ListenerId, Number, NumberFormat,
    Outbound, Sid, Transport, Trunk, TrunkGroup, TrunkGroupIndex, UnixMillis,
};
use mediator_sip::digest::NonceKey;
use mediator_table::{BindingTable, ContactTable, Gate, GateSettings, UnboundPorts};

/// A number with a binding, and where it leads.
const REDIRECT: &str = "15162065346";
const DESTINATION: &str = "442071234567";
const CARRIER: &str = "127.0.0.3:5060";
const FAR_SIDE: &str = "127.0.0.2:5060";

/// What the sender hears in the end; `None`: silence.
type Expected = Option<u16>;

/// RFC 4475 by file: the final answer of a UAS that sits where Mediator does. Requests that are valid but ask for
/// nobody here get 404; REGISTER is challenged.
const TORTURE: [(&str, Expected); 49] = [
    // Its To has a tag: a request inside a dialog that is not there.
    ("wsinv", Some(481)),
    ("intmeth", Some(501)),
    ("esc01", Some(404)),
    ("escnull", Some(401)),
    ("esc02", Some(501)),
    ("lwsdisp", Some(200)),
    ("longreq", Some(404)),
    ("dblreq", Some(401)),
    ("semiuri", Some(200)),
    ("transports", Some(200)),
    ("mpart01", Some(405)),
    ("unreason", None),
    ("noreason", None),
    ("badinv01", Some(400)),
    ("clerr", Some(400)),
    ("ncl", Some(400)),
    ("scalar02", Some(400)),
    ("scalarlg", None),
    ("quotbal", Some(400)),
    ("ltgtruri", Some(400)),
    ("lwsruri", Some(400)),
    ("lwsstart", Some(400)),
    ("trws", Some(400)),
    ("escruri", Some(400)),
    ("baddate", Some(400)),
    ("regbadct", Some(400)),
    ("badaspec", Some(400)),
    ("baddn", Some(400)),
    ("badvers", Some(505)),
    ("mismatch01", Some(400)),
    ("mismatch02", Some(501)),
    ("bigcode", None),
    ("badbranch", Some(400)),
    ("insuf", Some(400)),
    ("unkscm", Some(416)),
    ("novelsc", Some(416)),
    ("unksm2", Some(401)),
    ("bext01", Some(420)),
    ("invut", Some(415)),
    ("regaut01", Some(401)),
    ("multi01", Some(400)),
    ("mcl01", Some(400)),
    ("bcast", None),
    ("zeromf", Some(200)),
    ("cparam01", Some(401)),
    ("cparam02", Some(401)),
    ("regescrt", Some(401)),
    ("sdp01", Some(406)),
    ("inv2543", Some(404)),
];

#[test]
fn torture_messages_get_the_answer_that_the_rfc_asks_for() {
    let Some(folder) = std::env::var_os("RFC4475_DIR") else {
        eprintln!("RFC4475_DIR is not set: the torture messages are not read");
        return;
    };
    let mut wrong = Vec::new();
    for (name, expected) in TORTURE {
        let path = Path::new(&folder).join(name).with_extension("dat");
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for transport in [Transport::Udp, Transport::Tcp] {
            let mut engine = engine();
            let heard = answers(&mut engine, transport, &bytes);
            let right = expected.into_iter().collect::<Vec<u16>>();
            if heard.finals != right || heard.to_far_side > 0 {
                let Heard { finals, to_far_side } = heard;
                wrong.push(format!(
                    "{name} over {transport}: {finals:?} and not {right:?}, {to_far_side} passed on"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// An INVITE for the binding with one line put in place of another.
fn invite(replaced: &str, by: &str) -> String {
    let sdp = "v=0\r\no=a 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let whole = format!(
        "INVITE sip:{REDIRECT}@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP {CARRIER};branch=z9hG4bKconform\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:14155550100@127.0.0.3>;tag=f\r\n\
         To: <sip:{REDIRECT}@127.0.0.1>\r\n\
         Call-ID: conform@127.0.0.3\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:14155550100@127.0.0.3>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    assert!(whole.contains(replaced), "{replaced}");
    whole.replacen(replaced, by, 1)
}

#[test]
fn a_sound_invite_goes_on_and_an_unsound_one_never() {
    /// Whether leg B is asked, and what the caller hears.
    fn check(replaced: &str, by: &str, goes_on: bool, expected: Expected) {
        let mut engine = engine();
        let heard = answers(&mut engine, Transport::Udp, invite(replaced, by).as_bytes());
        assert_eq!(heard.to_far_side > 0, goes_on, "{by}");
        assert_eq!(heard.finals.first().copied(), expected, "{by}");
    }
    check("Max-Forwards: 70", "Max-Forwards: 70", true, None);
    // All that RFC 3261 lets a peer write.
    check("Max-Forwards: 70\r\n", "", true, None);
    check("From: <", "f : \"J \\\"Q\\\"\"\r\n <", true, None);
    check("Call-ID:", "i:", true, None);
    check("CSeq: 1 INVITE", "CSeq:\t0001\r\n  INVITE", true, None);
    check(";branch=z9hG4bKconform", ";rport;branch=z9hG4bKconform", true, None);
    check("sip:15162065346@127.0.0.1 ", "tel:+1-516-206-5346;phone-context=+1 ", true, None);
    check("sip:15162065346@127.0.0.1 ", "sip:+15162065346;npdi@127.0.0.1;user=phone ", true, None);
    check("sip:15162065346@127.0.0.1 ", "sip:%2B1516206%35346@127.0.0.1 ", true, None);
    check("Contact: <", "Accept: application/*\r\nContact: <", true, None);
    // What must stop here.
    check("Max-Forwards: 70", "Max-Forwards: 0", false, Some(483));
    check("Max-Forwards: 70", "Max-Forwards: 256", false, Some(400));
    check("Max-Forwards: 70", "Require: gruu", false, Some(420));
    check("To: <sip:15162065346@127.0.0.1>", "To: <sip:1@127.0.0.1>;tag=none", false, Some(481));
    check("sip:15162065346@127.0.0.1 ", "sip:15162065399@127.0.0.1 ", false, Some(404));
    check("sip:15162065346@127.0.0.1 ", "sips:15162065346@127.0.0.1 ", false, Some(416));
    check("Content-Type: application/sdp", "Content-Type: text/plain", false, Some(415));
    check("Content-Type: application/sdp\r\n", "", false, Some(400));
    check("v=0", "v=9", false, Some(400));
    check("m=audio 4000", "m=audio 99999", false, Some(400));
    check("Contact: <sip:14155550100@127.0.0.3>\r\n", "", false, Some(400));
    check("Contact: <sip:14155550100@127.0.0.3>", "Contact: <sip:a@[>", false, Some(400));
    check("CSeq: 1 INVITE", "CSeq: 4294967296 INVITE", false, Some(400));
    check("CSeq: 1 INVITE", "CSeq: 1 BYE", false, Some(400));
    check("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", false, Some(505));
}

struct Heard {
    /// Final status codes that the sender got.
    finals: Vec<u16>,
    to_far_side: usize,
}

fn answers(engine: &mut Engine, transport: Transport, message: &[u8]) -> Heard {
    let flow = Flow {
        transport,
        listener: ListenerId(0),
        remote: CARRIER.parse().unwrap(),
        connection: None,
    };
    let now = Instant::from_millis(1);
    engine.handle(now, Input::Message { flow, bytes: Bytes::copy_from_slice(message) });
    let mut heard = Heard { finals: Vec::new(), to_far_side: 0 };
    while let Some(output) = engine.poll_output() {
        let Output::Send { flow, bytes, .. } = output else { continue };
        // Responses go to the sender's address, at the port of its Via.
        if flow.remote.ip() == FAR_SIDE.parse::<std::net::SocketAddr>().unwrap().ip() {
            heard.to_far_side += 1;
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        match status {
            Some(status) if status >= 200 => heard.finals.push(status),
            Some(_) => {}
            None => panic!("a request to the sender: {text}"),
        }
    }
    heard
}

fn number(digits: &str) -> Number {
    digits.parse().unwrap()
}

fn endpoint(sid: u128, name: &str, kind: EndpointKind, at: Option<&str>) -> Endpoint {
    let address = |at: &str| {
        let at: std::net::SocketAddr = at.parse().unwrap();
        Address {
            direction: Direction::Any,
            host: AddressHost::Ip(at.ip()),
            port: Some(at.port()),
            transport: Some(Transport::Udp),
            priority: 0,
            credentials: None,
        }
    };
    Endpoint {
        sid: Sid::from_u128(sid),
        name: name.into(),
        kind,
        addresses: at.map(address).into_iter().collect(),
        auth_required: true,
        capacity: 0,
        cps_limit: 0,
        out_credentials: None,
        number_format: NumberFormat::Digits,
        dids: Vec::new(),
    }
}

fn group(sid: u128, endpoint: u32) -> TrunkGroup {
    let trunk = Trunk {
        sid: Sid::from_u128(sid + 1),
        name: "trunk".into(),
        endpoint: EndpointIndex(endpoint),
        priority: 0,
        weight: 0,
        in_capacity: None,
        out_capacity: None,
        allow_forward: mediator_model::AllowForward::Disabled,
    };
    TrunkGroup {
        sid: Sid::from_u128(sid),
        name: "group".into(),
        trunks: vec![trunk],
        failure: FailurePolicy::default(),
    }
}

fn engine() -> Engine {
    let endpoints = vec![
        endpoint(1, "carrier", EndpointKind::SystemGateway, Some(CARRIER)),
        endpoint(2, "far side", EndpointKind::SystemGateway, Some(FAR_SIDE)),
        endpoint(
            3,
            "masking",
            EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(0))) },
            None,
        ),
    ];
    let did = Did {
        sid: Sid::from_u128(4),
        number: number(REDIRECT),
        trunk_group: Some(TrunkGroupIndex(1)),
    };
    let directory = Directory::new(endpoints, vec![group(10, 1), group(20, 2)], vec![did]).unwrap();
    let binding = Binding {
        sid: Sid::from_u128(5),
        account_sid: Sid::from_u128(3),
        key: BindingKey { redirect_did: number(REDIRECT), origination_did: None },
        destination_did: number(DESTINATION),
        claim: ClaimWindow::Closed,
        expires: None,
        dtmf: None,
        attributes: None,
    };
    let table = BindingTable::with_capacity(16);
    table.insert(Arc::new(binding), UnixMillis(0)).unwrap();
    let bound = "127.0.0.1:5060".parse().unwrap();
    let listener =
        |id, transport| Listener { id: ListenerId(id), transport, advertised: bound, bound };
    let listeners = vec![listener(0, Transport::Udp), listener(1, Transport::Tcp)];
    let mut settings = Settings::new(listeners, NonceKey::new([7; 32]));
    settings.media.mode = MediaMode::Direct;
    Engine::new(EngineSetup {
        shard: 0,
        shards: 1,
        settings: Arc::new(settings),
        directory: Arc::new(directory),
        ports: Ports {
            bindings: Arc::new(table),
            locations: Arc::new(ContactTable::new()),
            admission: Arc::new(Gate::new(GateSettings::default())),
            media: Arc::new(UnboundPorts::new(30_000..=39_999)),
        },
        seed: [1; 32],
        epoch: UnixMillis(1_700_000_000_000),
    })
}
