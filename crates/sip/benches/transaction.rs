//! What the transaction layer costs: messages are parsed beforehand, so that only matching, machines,
//! timers and outputs are timed. The layer is held at the population of 1000 calls a second: each call
//! moves time by 1 ms, and transactions that nobody needs any more end by their timers meanwhile.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mediator_model::{Flow, Instant, ListenerId, Transport};
use mediator_sip::transaction::{LayerSettings, Received, ServerKey, TransactionLayer};
use mediator_sip::wheel::Wheel;
use mediator_sip::{Message, Method};

type Layer = TransactionLayer<u64>;

const FLOW: Flow = Flow {
    transport: Transport::Udp,
    listener: ListenerId(0),
    remote: std::net::SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)),
        5060,
    ),
    connection: None,
};

/// One call of the server's point of view: the caller's messages, ours, and the callee's answers.
struct Call {
    number: u64,
    /// INVITE, ACK and BYE of the caller.
    invite: Message,
    ack: Message,
    bye: Message,
    /// What the core answers: 100, 180, 200 to INVITE, 200 to BYE.
    answers: [Bytes; 4],
    /// What the core sends to the callee, and its branches.
    our_invite: (String, Bytes),
    our_bye: (String, Bytes),
    /// 100, 180 and 200 to our INVITE; 200 to our BYE.
    replies: [Message; 3],
    bye_reply: Message,
}

fn request(number: u64, method: &str, branch: &str, sdp: &str) -> String {
    let to_tag = if method == "INVITE" { String::new() } else { format!(";tag=t{number}") };
    format!(
        "{method} sip:15162065337@192.0.2.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;rport;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: \"Caller\" <sip:15550001001@192.0.2.9>;tag=f{number}\r\n\
         To: <sip:15162065337@192.0.2.1>{to_tag}\r\n\
         Call-ID: {number}-3848276298220188511@192.0.2.9\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:15550001001@192.0.2.9:5060>\r\n\
         User-Agent: bench\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n\
         Supported: replaces, timer\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

fn response(number: u64, method: &str, branch: &str, status: u16) -> String {
    format!(
        "SIP/2.0 {status} Whatever\r\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;rport=5060;received=192.0.2.9;branch={branch}\r\n\
         From: \"Caller\" <sip:15550001001@192.0.2.9>;tag=f{number}\r\n\
         To: <sip:15162065337@192.0.2.1>;tag=t{number}\r\n\
         Call-ID: {number}-3848276298220188511@192.0.2.9\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:15162065337@192.0.2.1:5060>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn parse(text: String) -> Message {
    Message::parse(Bytes::from(text)).expect("the bench writes good messages")
}

impl Call {
    fn new(number: u64) -> Self {
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                   m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
                   a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n";
        let theirs = format!("z9hG4bK-{number}-524287-1---a6c1b6b1");
        let bye = format!("z9hG4bK-{number}-524287-2---a6c1b6b1");
        let ack = format!("z9hG4bK-{number}-524287-3---a6c1b6b1");
        let ours = format!("z9hG4bK{number:020}");
        let our_bye = format!("z9hG4bKb{number:019}");
        let answer =
            |method, branch: &str, status| Bytes::from(response(number, method, branch, status));
        let reply = |method, branch: &str, status| parse(response(number, method, branch, status));
        Self {
            number,
            invite: parse(request(number, "INVITE", &theirs, sdp)),
            ack: parse(request(number, "ACK", &ack, "")),
            bye: parse(request(number, "BYE", &bye, "")),
            answers: [
                answer("INVITE", &theirs, 100),
                answer("INVITE", &theirs, 180),
                answer("INVITE", &theirs, 200),
                answer("BYE", &bye, 200),
            ],
            replies: [
                reply("INVITE", &ours, 100),
                reply("INVITE", &ours, 180),
                reply("INVITE", &ours, 200),
            ],
            bye_reply: reply("BYE", &our_bye, 200),
            our_invite: (ours.clone(), Bytes::from(request(number, "INVITE", &ours, sdp))),
            our_bye: (our_bye.clone(), Bytes::from(request(number, "BYE", &our_bye, ""))),
        }
    }
}

fn drain(layer: &mut Layer) {
    while let Some(output) = layer.poll_output() {
        black_box(output);
    }
}

fn take(layer: &mut Layer, now: Instant, message: Message) -> Option<ServerKey> {
    let received = black_box(layer.receive(now, message, FLOW));
    drain(layer);
    match received {
        Received::Request { server, .. } => Some(server),
        _ => None,
    }
}

/// One INVITE again, which must make no state.
#[inline(never)]
fn repeat(layer: &mut Layer, now: Instant, invite: Message) {
    black_box(layer.receive(now, invite, FLOW));
    drain(layer);
}

/// Timer A, moved to Timer M, and a fire.
#[inline(never)]
fn turn(wheel: &mut Wheel<u64>, millis: u64) {
    let mut timer = None;
    wheel.arm(&mut timer, Some(Instant::from_millis(millis + 500)), millis);
    wheel.arm(&mut timer, Some(Instant::from_millis(millis + 32_000)), millis);
    black_box(timer);
    while let Some(key) = wheel.expire(Instant::from_millis(millis)) {
        black_box(key);
    }
}

/// A layer in the middle of its day: 32 s of calls at 1000 a second, from call 0 on; and the next number.
fn populated() -> (Layer, u64) {
    let mut layer = Layer::new(LayerSettings { hash_seed: 7, ..LayerSettings::default() });
    let calls = 33_000;
    for number in 0..calls {
        whole(&mut layer, Call::new(number));
    }
    (layer, calls)
}

/// A whole call: eight messages come, nine go.
#[inline(never)]
fn whole(layer: &mut Layer, call: Call) {
    let now = Instant::from_millis(call.number);
    layer.handle_deadline(now);
    drain(layer);
    let [trying, ringing, answered, bye_answered] = call.answers;
    let [trying_too, ringing_too, answered_too] = call.replies;

    let server = take(layer, now, call.invite).expect("a new call");
    layer.respond(now, server, 100, trying);
    let (branch, bytes) = call.our_invite;
    layer.send_request(now, Method::Invite, &branch, bytes, FLOW, call.number);
    drain(layer);
    take(layer, now, trying_too);
    take(layer, now, ringing_too);
    layer.respond(now, server, 180, ringing);
    take(layer, now, answered_too);
    layer.respond(now, server, 200, answered);
    drain(layer);
    take(layer, now, call.ack);

    let server = take(layer, now, call.bye).expect("a new BYE");
    let (branch, bytes) = call.our_bye;
    layer.send_request(now, Method::Bye, &branch, bytes, FLOW, call.number);
    drain(layer);
    take(layer, now, call.bye_reply);
    layer.respond(now, server, 200, bye_answered);
    drain(layer);
}

fn benches(criterion: &mut Criterion) {
    let (mut layer, mut next) = populated();
    println!("{:?}", layer.live());
    let mut group = criterion.benchmark_group("transaction");
    group.bench_function("call", |bencher| {
        bencher.iter_batched(
            || {
                next += 1;
                Call::new(next)
            },
            |call| whole(&mut layer, call),
            BatchSize::SmallInput,
        );
    });
    let invite = Call::new(next + 1);
    let now = Instant::from_millis(next + 1);
    take(&mut layer, now, invite.invite.clone());
    group.bench_function("repeated_invite", |bencher| {
        bencher.iter_batched(
            || invite.invite.clone(),
            |message| repeat(&mut layer, now, message),
            BatchSize::SmallInput,
        );
    });
    let mut wheel = Wheel::new();
    let mut millis = 0;
    group.bench_function("wheel_arm_move_fire", |bencher| {
        bencher.iter(|| {
            millis += 1;
            turn(&mut wheel, millis);
        });
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
