//! The resolver with an upstream that the test plays, and once with a real one on loopback.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record};
use mediator_model::{ListenerId, Transport};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::sync::Notify;

use super::*;

fn reach() -> Reach {
    let any: SocketAddr = (Ipv4Addr::UNSPECIFIED, 5060).into();
    Reach::of(vec![(ListenerId(0), Transport::Udp, any), (ListenerId(1), Transport::Tcp, any)])
}

fn dice() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn host(name: &str) -> Target {
    let host = TargetHost::Name(DnsName::new(name));
    Target { secure: false, host, port: Some(5060), transport: None }
}

fn candidate(transport: Transport, remote: &str) -> Candidate {
    Candidate { transport, remote: remote.parse().unwrap() }
}

/// What the played name server does.
enum Play {
    Answer,
    Never,
    Fail,
    /// Answers when told to.
    Wait(Notify),
}

struct Player {
    play: Play,
    asked: Arc<AtomicUsize>,
    at_once: AtomicUsize,
    most_at_once: Arc<AtomicUsize>,
}

impl Upstream for Arc<Player> {
    fn ask<'a>(
        &'a self,
        _question: &'a Question,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            match &self.play {
                Play::Answer => tokio::task::yield_now().await,
                Play::Never => std::future::pending().await,
                Play::Fail => {}
                Play::Wait(told) => told.notified().await,
            }
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match self.play {
                Play::Fail => Answer::Failed,
                Play::Answer | Play::Never | Play::Wait(_) => {
                    Answer::Addresses([Ipv4Addr::new(192, 0, 2, 1).into()].into())
                }
            }
        })
    }
}

fn played(play: Play, settings: ResolverSettings) -> (Arc<Player>, Arc<Resolver>) {
    let player = Arc::new(Player {
        play,
        asked: Arc::default(),
        at_once: AtomicUsize::new(0),
        most_at_once: Arc::default(),
    });
    let upstream = Box::new(Arc::clone(&player));
    let zone = Zone::parse("known.test A 127.0.0.9").unwrap();
    (player, Arc::new(Resolver::new(reach(), zone, Some(upstream), settings)))
}

#[tokio::test]
async fn the_table_is_asked_before_the_dns() {
    let (player, resolver) = played(Play::Answer, ResolverSettings::default());
    let found = resolver.locate(&host("known.test"), &mut dice()).await.unwrap();
    assert_eq!(found, [candidate(Transport::Udp, "127.0.0.9:5060")]);
    assert_eq!(player.asked.load(Ordering::SeqCst), 0);
    let found = resolver.locate(&host("other.test"), &mut dice()).await.unwrap();
    assert_eq!(found, [candidate(Transport::Udp, "192.0.2.1:5060")]);
    assert_eq!(resolver.counts(), ResolverCounts { asked: 1, failed: 0, refused: 0 });
}

#[test]
fn what_needs_no_dns_needs_no_waiting() {
    let (_, resolver) = played(Play::Never, ResolverSettings::default());
    let found = resolver.locate_now(&host("known.test"), &mut dice()).unwrap().unwrap();
    assert_eq!(found, [candidate(Transport::Udp, "127.0.0.9:5060")]);
    let address = TargetHost::Address(Ipv4Addr::new(192, 0, 2, 7).into());
    let numeric = Target { host: address, port: None, ..host("") };
    let found = resolver.locate_now(&numeric, &mut dice()).unwrap().unwrap();
    assert_eq!(found, [candidate(Transport::Udp, "192.0.2.7:5060")]);
    assert!(resolver.locate_now(&host("other.test"), &mut dice()).is_none());
}

#[tokio::test]
async fn offline_means_that_there_is_nothing_else() {
    let resolver = Resolver::offline(reach(), Zone::default());
    let error = resolver.locate(&host("other.test"), &mut dice()).await.unwrap_err();
    assert_eq!(error, LocateError::NoAddress(DnsName::new("other.test")));
}

#[tokio::test(start_paused = true)]
async fn a_silent_dns_costs_two_seconds_and_then_nothing_for_five() {
    let (player, resolver) = played(Play::Never, ResolverSettings::default());
    let failed = LocateError::LookupFailed(DnsName::new("slow.test"));
    let begun = Instant::now();
    let error = resolver.locate(&host("slow.test"), &mut dice()).await.unwrap_err();
    assert_eq!((error, begun.elapsed().as_secs()), (failed.clone(), 2));
    let begun = Instant::now();
    let error = resolver.locate(&host("slow.test"), &mut dice()).await.unwrap_err();
    assert_eq!((error, begun.elapsed().as_secs()), (failed, 0));
    assert_eq!(player.asked.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(resolver.locate(&host("slow.test"), &mut dice()).await.is_err());
    assert_eq!(player.asked.load(Ordering::SeqCst), 2);
    assert_eq!(resolver.counts().failed, 2);
}

#[tokio::test]
async fn one_question_serves_all_who_ask_it_at_once() {
    let (player, resolver) = played(Play::Wait(Notify::new()), ResolverSettings::default());
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let resolver = Arc::clone(&resolver);
            tokio::spawn(async move { resolver.locate(&host("same.test"), &mut dice()).await })
        })
        .collect();
    while player.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // The one that asks gives up: another takes its place.
    waiting[0].abort();
    while player.asked.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let Play::Wait(told) = &player.play else { unreachable!() };
    told.notify_one();
    for one in waiting.into_iter().skip(1) {
        assert_eq!(one.await.unwrap().unwrap().len(), 1);
    }
    assert_eq!(player.asked.load(Ordering::SeqCst), 2);
    assert!(resolver.under_way.lock().is_empty(), "nothing is left behind");
}

#[tokio::test]
async fn a_question_that_everybody_dropped_leaves_nothing_behind() {
    let (player, resolver) = played(Play::Never, ResolverSettings::default());
    let asking = {
        let resolver = Arc::clone(&resolver);
        tokio::spawn(async move { resolver.locate(&host("gone.test"), &mut dice()).await })
    };
    while player.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    assert!(resolver.under_way.lock().is_empty());
}

#[tokio::test]
async fn questions_at_once_are_bounded() {
    let settings = ResolverSettings { max_lookups: 3, ..ResolverSettings::default() };
    let (player, resolver) = played(Play::Answer, settings);
    let asked = (0..20).map(|number| host(&format!("h{number}.test"))).collect::<Vec<_>>();
    let mut all_dice: Vec<_> = asked.iter().map(|_| dice()).collect();
    let all =
        asked.iter().zip(&mut all_dice).map(|(one, dice)| resolver.locate(one, dice)).collect();
    for found in join_all(all).await {
        assert_eq!(found.unwrap().len(), 1);
    }
    assert_eq!(player.most_at_once.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn questions_that_wait_are_bounded() {
    let settings = ResolverSettings { max_waiting: 2, ..ResolverSettings::default() };
    let (_, resolver) = played(Play::Never, settings);
    let waiting: Vec<_> = ["a.test", "b.test"]
        .map(|name| {
            let resolver = Arc::clone(&resolver);
            tokio::spawn(async move { resolver.locate(&host(name), &mut dice()).await })
        })
        .into();
    while resolver.under_way.lock().len() < 2 {
        tokio::task::yield_now().await;
    }
    let error = resolver.locate(&host("c.test"), &mut dice()).await.unwrap_err();
    assert_eq!(error, LocateError::LookupFailed(DnsName::new("c.test")));
    assert_eq!(resolver.counts().refused, 1);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn failures_that_are_remembered_are_bounded() {
    let settings = ResolverSettings { max_waiting: 4, ..ResolverSettings::default() };
    let (_, resolver) = played(Play::Fail, settings);
    for number in 0..20 {
        let target = host(&format!("h{number}.test"));
        assert!(resolver.locate(&target, &mut dice()).await.is_err());
    }
    assert_eq!(resolver.failed.lock().len(), 4);
}

/// A name server on loopback that answers from `records` and counts the questions.
async fn name_server(records: Vec<Record>) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 4), 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut bytes = [0; 1500];
        loop {
            let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let message = answered(&bytes[..length], &records);
            socket.send_to(&message, from).await.unwrap();
        }
    });
    (address, asked)
}

fn answered(question: &[u8], records: &[Record]) -> Vec<u8> {
    let mut message = Message::from_vec(question).unwrap();
    message.metadata.message_type = MessageType::Response;
    let query = message.queries[0].clone();
    let here: Vec<&Record> = records.iter().filter(|one| one.name == *query.name()).collect();
    if here.is_empty() {
        message.metadata.response_code = ResponseCode::NXDomain;
    }
    if query.name().to_string().starts_with("broken") {
        message.metadata.response_code = ResponseCode::ServFail;
    }
    let wanted = here.into_iter().filter(|one| one.record_type() == query.query_type());
    message.add_answers(wanted.cloned());
    message.to_vec().unwrap()
}

fn record(name: &str, data: RData) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), 60, data)
}

#[tokio::test]
async fn records_come_through_from_a_real_name_server() {
    let absolute = |text: &str| Name::from_ascii(text).unwrap();
    let naptr = NAPTR::new(
        10,
        10,
        b"s".to_vec().into(),
        b"SIP+D2T".to_vec().into(),
        Vec::new().into(),
        absolute("_sip._tcp.Carrier.test."),
    );
    let mut with_regexp = naptr.clone();
    with_regexp.order = 1;
    with_regexp.regexp = b"!^.*$!sip:x@evil.test!".to_vec().into();
    let (server, asked) = name_server(vec![
        record("carrier.test.", RData::NAPTR(naptr)),
        record("carrier.test.", RData::NAPTR(with_regexp)),
        record("_sip._tcp.carrier.test.", RData::SRV(SRV::new(1, 1, 5070, absolute("GW.test.")))),
        record("gw.test.", RData::A(A::new(192, 0, 2, 33))),
    ])
    .await;
    let settings = ResolverSettings::default();
    let resolver = Resolver::servers(&[server], reach(), Zone::default(), settings).unwrap();
    let target = Target { port: None, ..host("carrier.test") };
    for _ in 0..2 {
        let found = resolver.locate(&target, &mut dice()).await.unwrap();
        assert_eq!(found, [candidate(Transport::Tcp, "192.0.2.33:5070")]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3, "the second time the cache answers");
}

#[tokio::test]
async fn nothing_and_failure_are_told_apart_and_both_remembered() {
    let (server, asked) =
        name_server(vec![record("x.test.", RData::A(A::new(192, 0, 2, 1)))]).await;
    let settings = ResolverSettings::default();
    let resolver = Resolver::servers(&[server], reach(), Zone::default(), settings).unwrap();
    let nothing = LocateError::NoAddress(DnsName::new("nothing.test"));
    let failed = LocateError::LookupFailed(DnsName::new("broken.test"));
    for (name, expected) in [("nothing.test", nothing), ("broken.test", failed)] {
        let error = resolver.locate(&host(name), &mut dice()).await.unwrap_err();
        assert_eq!(error, expected);
        let before = asked.load(Ordering::SeqCst);
        let error = resolver.locate(&host(name), &mut dice()).await.unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(asked.load(Ordering::SeqCst), before, "{name}");
    }
    // What can be no name is not asked for.
    let long = "x".repeat(300) + ".test";
    assert!(resolver.locate(&host(&long), &mut dice()).await.is_err());
    assert!(matches!(
        resolver.locate(&host("x.test"), &mut dice()).await.as_deref(),
        Ok([one]) if one.remote.ip() == Ipv4Addr::new(192, 0, 2, 1)
    ));
}
