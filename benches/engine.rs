//! What the engine costs a call, without sockets: the seven messages of a masked call in, the seven of ours out.
//!
//! Only the engine is timed; both peers write their messages beside the clock. A call moves time by 1 ms, so the
//! engine stands at the population of 1000 calls a second, and what nobody needs any more ends by its timers.
//!
//! With `CALLS=n` in the environment it runs that many calls and nothing else, for callgrind. With `HELD=n` it makes that
//! many calls, holds them for longer than any transaction lives and tells what memory a call has taken; what of the
//! program holds it tells `valgrind --tool=dhat`.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use anyhow::{Context, Result};
use bytes::Bytes;
use criterion::Criterion;
use mediator_benches::usage;
use mediator_call::Engine;
use mediator_call::io::{EngineSetup, Input, Listener, MediaMode, Output, Ports, Settings};
use mediator_model::{
    Address, AddressHost, AllowForward, Attributes, Binding, BindingKey, ClaimWindow, Did,
    Direction, Directory, Endpoint, EndpointIndex, EndpointKind, FailurePolicy, Flow, Instant,
    ListenerId, Number, NumberFormat, Outbound, Sid, Transport, Trunk, TrunkGroup, TrunkGroupIndex,
    UnixMillis,
};
use mediator_sip::digest::NonceKey;
use mediator_table::{BindingTable, ContactTable, Gate, GateSettings, UnboundPorts};

const SERVER: &str = "127.0.0.1:15160";
const CALLER: &str = "127.0.0.3:5060";
const CALLEE: &str = "127.0.0.2:15161";
const DID: &str = "15162065346";

const OFFER: &str = "v=0\r\no=caller 53655765 2353687637 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";
const ANSWER: &str = "v=0\r\no=callee 53655765 2353687637 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n\
    m=audio 7000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

fn main() -> Result<()> {
    let mut stage = Stage::new()?;
    if let Ok(calls) = env::var("CALLS") {
        for _ in 0..calls.parse().context("CALLS is a number")? {
            stage.call()?;
        }
        return Ok(());
    }
    if let Ok(calls) = env::var("HELD") {
        return stage.hold(calls.parse().context("HELD is a number")?);
    }
    let mut criterion = Criterion::default().configure_from_args();
    // The population of the transactions that outlive their call.
    for _ in 0..32_000 {
        stage.call()?;
    }
    let mut failed = None;
    criterion.bench_function("a masked call", |bencher| {
        bencher.iter_custom(|calls| {
            (0..calls)
                .map(|_| {
                    stage.call().unwrap_or_else(|error| {
                        failed = Some(error);
                        Duration::ZERO
                    })
                })
                .sum()
        });
    });
    criterion.final_summary();
    failed.map_or(Ok(()), Err)
}

/// An engine, and the two peers of its calls.
struct Stage {
    engine: Engine,
    now: Instant,
    caller: Flow,
    callee: Flow,
    calls: u64,
    /// What the engine has been at work for, in this call.
    spent: Duration,
}

impl Stage {
    fn new() -> Result<Self> {
        let server: SocketAddr = SERVER.parse()?;
        let listener = Listener {
            id: ListenerId(0),
            transport: Transport::Udp,
            advertised: server,
            bound: server,
        };
        let ports = Ports {
            bindings: Arc::new(bindings()?),
            locations: Arc::new(ContactTable::new()),
            admission: Arc::new(Gate::new(GateSettings::default())),
            media: Arc::new(UnboundPorts::new(30_000..=39_999)),
        };
        // Signalling alone is measured: nobody carries media here.
        let mut settings = Settings::new(vec![listener], NonceKey::new([7; 32]));
        settings.media.mode = MediaMode::Direct;
        let engine = Engine::new(EngineSetup {
            shard: 0,
            shards: 1,
            settings: Arc::new(settings),
            directory: Arc::new(directory()?),
            ports,
            seed: [1; 32],
            epoch: UnixMillis(1_700_000_000_000),
        });
        let flow = |remote: &str| -> Result<Flow> {
            let remote = remote.parse()?;
            let (transport, listener) = (Transport::Udp, ListenerId(0));
            Ok(Flow { transport, listener, remote, connection: None })
        };
        let (caller, callee) = (flow(CALLER)?, flow(CALLEE)?);
        let now = Instant::from_millis(1);
        Ok(Self { engine, now, caller, callee, calls: 0, spent: Duration::ZERO })
    }

    /// One call from INVITE to the last 200; gives what the engine took for it.
    fn call(&mut self) -> Result<Duration> {
        self.spent = Duration::ZERO;
        let answer = self.begin()?;
        let (caller, callee) = (self.caller, self.callee);
        let sent = self.take(caller, request("BYE", 2, self.calls, &answer)?);
        find(&sent, "SIP/2.0 200 ")?;
        self.take(callee, response("200 OK", &find(&sent, "BYE ")?, "", "")?);
        self.pass(Duration::from_millis(1));
        Ok(self.spent)
    }

    /// Begins the next call, up to the caller's ACK; gives the 200 that the caller has got.
    fn begin(&mut self) -> Result<String> {
        self.calls += 1;
        let (caller, callee) = (self.caller, self.callee);
        let sent = self.take(caller, invite(self.calls));
        let invite_b = find(&sent, "INVITE ")?;
        self.take(callee, response("180 Ringing", &invite_b, ";tag=b1", "")?);
        let sent = self.take(callee, response("200 OK", &invite_b, ";tag=b1", ANSWER)?);
        let answer = find(&sent, "SIP/2.0 200 ")?;
        find(&sent, "ACK ")?;
        self.take(caller, request("ACK", 1, self.calls, &answer)?);
        Ok(answer)
    }

    /// Begins so many calls, 200 a second, and prints what each takes 36 s later, when all transactions are over.
    fn hold(&mut self, calls: u32) -> Result<()> {
        // What is there whether or not there are calls.
        for _ in 0..100 {
            self.call()?;
        }
        self.wait(Duration::from_secs(40));
        let before = usage::memory(&[std::process::id()])?;
        for _ in 0..calls {
            self.begin()?;
            self.pass(Duration::from_millis(5));
        }
        self.wait(Duration::from_secs(36));
        let after = usage::memory(&[std::process::id()])?;
        let (live, transactions) = (self.engine.live_calls(), self.engine.live_transactions());
        println!("{live} calls, {transactions} transactions");
        println!("{} bytes a call", after.saturating_sub(before) / u64::from(calls));
        Ok(())
    }

    fn wait(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / 5 {
            self.pass(Duration::from_millis(5));
        }
    }

    /// Hands a message over; gives what is sent.
    fn take(&mut self, flow: Flow, text: String) -> Vec<Bytes> {
        let bytes = Bytes::from(text);
        let start = Stopwatch::now();
        self.engine.handle(self.now, Input::Message { flow, bytes });
        let mut sent = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            if let Output::Send { bytes, .. } = output {
                sent.push(bytes);
            }
        }
        self.spent += start.elapsed();
        sent
    }

    fn pass(&mut self, time: Duration) {
        let start = Stopwatch::now();
        self.now += time;
        if self.engine.next_deadline().is_some_and(|due| due <= self.now) {
            self.engine.handle_deadline(self.now);
            while self.engine.poll_output().is_some() {}
        }
        self.spent += start.elapsed();
    }
}

fn find(sent: &[Bytes], start: &str) -> Result<String> {
    let found = sent.iter().find(|message| message.starts_with(start.as_bytes()));
    let found = found.with_context(|| format!("nothing was sent that begins with {start}"))?;
    Ok(String::from_utf8(found.to_vec())?)
}

/// The header line of that name, whole.
fn line<'a>(message: &'a str, name: &str) -> Result<&'a str> {
    let found = message
        .lines()
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
    found.with_context(|| format!("no {name}"))
}

fn invite(call: u64) -> String {
    format!(
        "INVITE sip:{DID}@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK-{call}\r\n\
         From: <sip:14155550100@{CALLER}>;tag=a{call}\r\nTo: <sip:{DID}@{SERVER}>\r\n\
         Call-ID: {call}-a@127.0.0.3\r\nCSeq: 1 INVITE\r\nContact: <sip:14155550100@{CALLER}>\r\n\
         Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        OFFER.len()
    )
}

/// A request of the caller inside the dialog that `answer` made.
fn request(method: &str, cseq: u32, call: u64, answer: &str) -> Result<String> {
    let to = line(answer, "To")?;
    Ok(format!(
        "{method} sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK-{method}-{call}\r\n\
         From: <sip:14155550100@{CALLER}>;tag=a{call}\r\n{to}\r\nCall-ID: {call}-a@127.0.0.3\r\n\
         CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// A response of the callee.
fn response(status: &str, request: &str, tag: &str, body: &str) -> Result<String> {
    let [via, from, to, call_id, cseq] =
        ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| line(request, name));
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    Ok(format!(
        "SIP/2.0 {status}\r\n{}\r\n{}\r\n{}{tag}\r\n{}\r\n{}\r\n\
         Contact: <sip:{CALLEE};transport=UDP>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        via?,
        from?,
        to?,
        call_id?,
        cseq?,
        body.len()
    ))
}

fn directory() -> Result<Directory> {
    let endpoints = vec![
        endpoint(1, EndpointKind::SystemGateway, Some((CALLER, Direction::Inbound)))?,
        endpoint(2, EndpointKind::SystemGateway, Some((CALLEE, Direction::Outbound)))?,
        endpoint(3, EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(0))) }, None)?,
    ];
    let did = Did {
        sid: Sid::from_u128(30),
        number: Number::from_digits(DID)?,
        trunk_group: Some(TrunkGroupIndex(1)),
    };
    Ok(Directory::new(endpoints, vec![trunk_group(10, 1), trunk_group(11, 2)], vec![did])?)
}

fn endpoint(sid: u128, kind: EndpointKind, address: Option<(&str, Direction)>) -> Result<Endpoint> {
    let mut addresses = Vec::new();
    if let Some((address, direction)) = address {
        let address: SocketAddr = address.parse()?;
        addresses.push(Address {
            direction,
            host: AddressHost::Ip(address.ip()),
            port: Some(address.port()),
            transport: Some(Transport::Udp),
            priority: 0,
            credentials: None,
        });
    }
    Ok(Endpoint {
        sid: Sid::from_u128(sid),
        name: format!("endpoint-{sid}").into(),
        kind,
        addresses,
        auth_required: false,
        capacity: 0,
        cps_limit: 0,
        out_credentials: None,
        number_format: NumberFormat::Digits,
        dids: Vec::new(),
    })
}

/// A group of one trunk to an endpoint.
fn trunk_group(sid: u128, endpoint: u32) -> TrunkGroup {
    let trunk = Trunk {
        sid: Sid::from_u128(sid + 10),
        name: "trunk".into(),
        endpoint: EndpointIndex(endpoint),
        priority: 0,
        weight: 0,
        in_capacity: None,
        out_capacity: None,
        allow_forward: AllowForward::Disabled,
    };
    TrunkGroup {
        sid: Sid::from_u128(sid),
        name: format!("group-{sid}").into(),
        trunks: vec![trunk],
        failure: FailurePolicy::default(),
    }
}

/// One binding, which masks the caller behind the DID.
fn bindings() -> Result<BindingTable> {
    let table = BindingTable::with_capacity(16);
    let mut attributes = Attributes::default();
    attributes.set("hide_origination_did", "true")?;
    let binding = Binding {
        sid: Sid::from_u128(40),
        account_sid: Sid::from_u128(3),
        key: BindingKey { redirect_did: Number::from_digits(DID)?, origination_did: None },
        destination_did: Number::from_digits("442071234567")?,
        claim: ClaimWindow::Closed,
        expires: None,
        dtmf: None,
        attributes: Some(Box::new(attributes)),
    };
    table.insert(Arc::new(binding), UnixMillis(0)).ok().context("the binding is the only one")?;
    Ok(table)
}
