//! RFC 3263 §4 as tables: a zone, a target, the candidates in order.

use std::net::{Ipv4Addr, Ipv6Addr};

use mediator_model::ListenerId;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;
use crate::dns::zone::Zone;

/// `sip:host`, `sips:host:port`, `sip:host;transport=tcp`.
fn target(text: &str) -> Target {
    let (scheme, rest) = text.split_once(':').unwrap();
    let (rest, transport) = match rest.split_once(";transport=") {
        Some((rest, token)) => (rest, Some(Transport::from_token(token).unwrap())),
        None => (rest, None),
    };
    let (host, port) = match rest.parse::<SocketAddr>() {
        Ok(address) => (address.ip().to_string(), Some(address.port())),
        Err(_) if rest.starts_with('[') => (rest.trim_matches(['[', ']']).to_owned(), None),
        Err(_) => match rest.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port.parse().unwrap())),
            None => (rest.to_owned(), None),
        },
    };
    let host = host.parse().map_or(TargetHost::Name(DnsName::new(&host)), TargetHost::Address);
    Target { secure: scheme == "sips", host, port, transport }
}

const ANY4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5060);
const ANY6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 5060);

fn reach(listeners: &[(Transport, SocketAddr)]) -> Reach {
    let all = (0..).zip(listeners);
    Reach::of(
        all.map(|(id, (transport, address))| (ListenerId(id), *transport, *address)).collect(),
    )
}

fn udp_and_tcp() -> Reach {
    reach(&[(Transport::Udp, ANY4), (Transport::Tcp, ANY4)])
}

fn with_tls() -> Reach {
    reach(&[(Transport::Udp, ANY4), (Transport::Tcp, ANY4), (Transport::Tls, ANY4)])
}

/// Answers all questions from the zone; what the zone does not cover fails.
fn run(
    zone: &str,
    target_text: &str,
    reach: &Reach,
    seed: u64,
) -> (Result<Vec<String>, LocateError>, Vec<Question>) {
    let zone = Zone::parse(zone).unwrap();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (mut known, mut asked) = (Known::new(), Vec::new());
    for _round in 0..4 {
        match locate(&target(target_text), reach, &known, &mut dice) {
            Err(error) => return (Err(error), asked),
            Ok(Progress::Candidates(all)) => {
                let text = |one: &Candidate| format!("{} {}", one.transport, one.remote);
                return (Ok(all.iter().map(text).collect()), asked);
            }
            Ok(Progress::Ask(questions)) => {
                assert!(!questions.is_empty());
                for question in questions {
                    let answer = zone.answer(&question).unwrap_or(Answer::Failed);
                    assert_eq!(known.insert(question.clone(), answer), None, "asked twice");
                    asked.push(question);
                }
            }
        }
    }
    panic!("more than three rounds of questions");
}

fn check(zone: &str, target_text: &str, reach: &Reach, expected: &[&str]) {
    let (found, _) = run(zone, target_text, reach, 1);
    assert_eq!(found.unwrap(), expected, "{target_text}");
}

fn check_error(zone: &str, target_text: &str, reach: &Reach, expected: &LocateError) {
    let (found, _) = run(zone, target_text, reach, 1);
    assert_eq!(&found.unwrap_err(), expected, "{target_text}");
}

#[test]
fn a_numeric_address_needs_no_dns() {
    let all = reach(&[
        (Transport::Udp, ANY4),
        (Transport::Tcp, ANY4),
        (Transport::Tls, ANY4),
        (Transport::Udp, ANY6),
    ]);
    check("", "sip:192.0.2.1", &all, &["udp 192.0.2.1:5060"]);
    check("", "sip:192.0.2.1:5080", &all, &["udp 192.0.2.1:5080"]);
    check("", "sip:192.0.2.1;transport=tcp", &all, &["tcp 192.0.2.1:5060"]);
    check("", "sip:192.0.2.1;transport=tls", &all, &["tls 192.0.2.1:5061"]);
    check("", "sips:192.0.2.1", &all, &["tls 192.0.2.1:5061"]);
    check("", "sips:192.0.2.1:5070;transport=tcp", &all, &["tls 192.0.2.1:5070"]);
    check("", "sip:[2001:db8::1]", &all, &["udp [2001:db8::1]:5060"]);
    check("", "sip:[2001:db8::1]:5062", &all, &["udp [2001:db8::1]:5062"]);
}

#[test]
fn what_no_listener_speaks_is_refused() {
    let none = LocateError::NoTransport;
    check_error("", "sip:[2001:db8::1]", &udp_and_tcp(), &none);
    check_error("", "sips:192.0.2.1", &udp_and_tcp(), &none);
    check_error("", "sip:192.0.2.1;transport=tls", &udp_and_tcp(), &none);
    check_error("", "sip:a.test;transport=ws", &udp_and_tcp(), &none);
    check_error("", "sips:a.test;transport=udp", &with_tls(), &none);
    check_error("", "sip:192.0.2.1", &Reach::default(), &none);
}

#[test]
fn without_udp_the_default_is_what_we_have() {
    let tcp = reach(&[(Transport::Tcp, ANY4)]);
    check("", "sip:192.0.2.1", &tcp, &["tcp 192.0.2.1:5060"]);
}

#[test]
fn a_port_leads_to_the_address_records() {
    let zone = "a.test A 192.0.2.1\n_sip._udp.a.test SRV 1 1 5099 b.test\nb.test A 192.0.2.2";
    check(zone, "sip:a.test:5080", &udp_and_tcp(), &["udp 192.0.2.1:5080"]);
    check(zone, "sip:a.test:5080;transport=tcp", &udp_and_tcp(), &["tcp 192.0.2.1:5080"]);
    check(zone, "sips:a.test:5080", &with_tls(), &["tls 192.0.2.1:5080"]);
    let (_, asked) = run(zone, "sip:a.test:5080", &udp_and_tcp(), 1);
    assert_eq!(asked, [Question::Ipv4(DnsName::new("a.test"))]);
}

#[test]
fn a_transport_leads_to_its_srv_records() {
    let zone = "_sip._tcp.a.test SRV 1 1 5090 b.test\n_sip._udp.a.test SRV 1 1 5091 b.test\n\
                a.test NAPTR 1 1 s SIP+D2U _sip._udp.a.test\nb.test A 192.0.2.2";
    check(zone, "sip:a.test;transport=tcp", &udp_and_tcp(), &["tcp 192.0.2.2:5090"]);
    let (_, asked) = run(zone, "sip:a.test;transport=tcp", &udp_and_tcp(), 1);
    assert!(!asked.contains(&Question::Naptr(DnsName::new("a.test"))));
    // No such records: the address, at the transport's port.
    check(
        "a.test A 192.0.2.1",
        "sip:a.test;transport=tcp",
        &udp_and_tcp(),
        &["tcp 192.0.2.1:5060"],
    );
    check("a.test A 192.0.2.1", "sip:a.test;transport=tls", &with_tls(), &["tls 192.0.2.1:5061"]);
}

/// The example of RFC 3263 §4.1.
const EXAMPLE: &str = "
example.com             NAPTR 50  50 s SIPS+D2T _sips._tcp.example.com
example.com             NAPTR 90  50 s SIP+D2T  _sip._tcp.example.com
example.com             NAPTR 100 50 s SIP+D2U  _sip._udp.example.com
_sips._tcp.example.com  SRV 0 1 5061 server1.example.com
_sip._tcp.example.com   SRV 0 1 5060 server1.example.com
_sip._tcp.example.com   SRV 1 2 5060 server2.example.com
_sip._udp.example.com   SRV 0 1 5060 server1.example.com
server1.example.com     A 192.0.2.1
server2.example.com     A 192.0.2.2";

#[test]
fn naptr_chooses_the_transport_that_the_domain_prefers() {
    check(EXAMPLE, "sip:example.com", &with_tls(), &["tls 192.0.2.1:5061"]);
    check(
        EXAMPLE,
        "sip:example.com",
        &udp_and_tcp(),
        &["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5060"],
    );
    let udp = reach(&[(Transport::Udp, ANY4)]);
    check(EXAMPLE, "sip:example.com", &udp, &["udp 192.0.2.1:5060"]);
    check(EXAMPLE, "sips:example.com", &with_tls(), &["tls 192.0.2.1:5061"]);
}

#[test]
fn records_of_one_order_are_taken_by_preference() {
    let zone = "a.test NAPTR 10 20 s SIP+D2U _sip._udp.a.test\n\
                a.test NAPTR 10 10 S sip+d2t _sip._tcp.a.test\n\
                a.test NAPTR 5 1 s E2U+sip _sip._udp.x.test\n\
                a.test NAPTR 5 1 u SIP+D2U _sip._udp.x.test\n\
                _sip._udp.a.test SRV 1 1 5060 b.test\n_sip._tcp.a.test SRV 1 1 5062 b.test\n\
                b.test A 192.0.2.2";
    check(zone, "sip:a.test", &udp_and_tcp(), &["tcp 192.0.2.2:5062", "udp 192.0.2.2:5060"]);
}

#[test]
fn sips_never_leaves_tls() {
    let zone = "a.test NAPTR 1 1 s SIP+D2T _sip._tcp.a.test\n_sip._tcp.a.test SRV 1 1 5060 b.test\n\
                _sips._tcp.a.test SRV 1 1 5071 b.test\nb.test A 192.0.2.2";
    check(zone, "sips:a.test", &with_tls(), &["tls 192.0.2.2:5071"]);
    let zone = "a.test A 192.0.2.1\n_sip._udp.a.test SRV 1 1 5060 a.test";
    check(zone, "sips:a.test", &with_tls(), &["tls 192.0.2.1:5061"]);
}

#[test]
fn without_naptr_each_transports_srv_records_are_asked_for() {
    let zone = "_sip._tcp.a.test SRV 1 1 5070 b.test\nb.test A 192.0.2.2";
    check(zone, "sip:a.test", &udp_and_tcp(), &["tcp 192.0.2.2:5070"]);
    let zone = "_sip._tcp.a.test SRV 1 1 5070 b.test\n_sip._udp.a.test SRV 9 1 5070 b.test\n\
                b.test A 192.0.2.2";
    check(zone, "sip:a.test", &udp_and_tcp(), &["udp 192.0.2.2:5070", "tcp 192.0.2.2:5070"]);
}

#[test]
fn with_nothing_but_an_address_the_default_is_udp() {
    check("a.test A 192.0.2.1", "sip:a.test", &udp_and_tcp(), &["udp 192.0.2.1:5060"]);
    check("a.test A 192.0.2.1", "sip:a.test", &with_tls(), &["udp 192.0.2.1:5060"]);
    let tcp = reach(&[(Transport::Tcp, ANY4)]);
    check("a.test A 192.0.2.1", "sip:a.test", &tcp, &["tcp 192.0.2.1:5060"]);
}

#[test]
fn naptr_that_fails_counts_as_none_but_srv_that_fails_is_a_failure() {
    // Outside of the zone everything fails, and `a.test` is outside.
    let zone = "x.test A 192.0.2.1";
    let failed = LocateError::LookupFailed(DnsName::new("_sip._tcp.a.test"));
    check_error(zone, "sip:a.test", &udp_and_tcp(), &failed);
    let failed = LocateError::LookupFailed(DnsName::new("a.test"));
    check_error(zone, "sip:a.test:5060", &udp_and_tcp(), &failed);
    // One service of two is enough.
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let name = DnsName::new("a.test");
    let srv = Srv { priority: 1, weight: 1, port: 5060, target: name.clone() };
    let known = Known::from([
        (Question::Naptr(name.clone()), Answer::Failed),
        (Question::Srv(DnsName::new("_sip._udp.a.test")), Answer::Failed),
        (Question::Srv(DnsName::new("_sip._tcp.a.test")), Answer::Srv([srv].into())),
        (Question::Ipv4(name), Answer::Addresses([[192, 0, 2, 1].into()].into())),
    ]);
    let found = locate(&target("sip:a.test"), &udp_and_tcp(), &known, &mut dice).unwrap();
    let remote = "192.0.2.1:5060".parse().unwrap();
    let expected = Candidate { transport: Transport::Tcp, remote };
    assert_eq!(found, Progress::Candidates(vec![expected]));
}

#[test]
fn a_root_target_says_that_there_is_no_such_service() {
    let zone = "a.test A 192.0.2.1\n_sip._udp.a.test SRV 0 0 0 .\n_sip._tcp.a.test SRV 0 0 0 .";
    let none = LocateError::NoService(DnsName::new("a.test"));
    check_error(zone, "sip:a.test", &udp_and_tcp(), &none);
    let zone =
        "a.test A 192.0.2.1\n_sip._udp.a.test SRV 0 0 0 .\n_sip._tcp.a.test SRV 0 0 7 a.test";
    check(zone, "sip:a.test", &udp_and_tcp(), &["tcp 192.0.2.1:7"]);
}

#[test]
fn a_name_without_an_address_is_told_apart_from_a_silent_dns() {
    let none = LocateError::NoAddress(DnsName::new("a.test"));
    check_error("a.test AAAA 2001:db8::1", "sip:a.test:5060", &udp_and_tcp(), &none);
    let zone = "_sip._udp.a.test SRV 1 1 5060 gone.a.test\ngone.a.test AAAA 2001:db8::1";
    check_error(zone, "sip:a.test", &udp_and_tcp(), &none);
}

#[test]
fn ipv6_comes_first_where_we_listen_on_it() {
    let zone = "a.test A 192.0.2.1\na.test AAAA 2001:db8::1";
    let both = reach(&[(Transport::Udp, ANY4), (Transport::Udp, ANY6)]);
    check(zone, "sip:a.test:5060", &both, &["udp [2001:db8::1]:5060", "udp 192.0.2.1:5060"]);
    let tcp_on_4 = reach(&[(Transport::Udp, ANY6), (Transport::Tcp, ANY4)]);
    check(zone, "sip:a.test:5060;transport=tcp", &tcp_on_4, &["tcp 192.0.2.1:5060"]);
    check(zone, "sip:a.test:5060", &tcp_on_4, &["udp [2001:db8::1]:5060"]);
}

#[test]
fn one_address_behind_several_records_is_tried_once() {
    let zone = "_sip._udp.a.test SRV 1 1 5060 b.test\n_sip._udp.a.test SRV 2 1 5060 c.test\n\
                b.test A 192.0.2.1\nc.test A 192.0.2.1\nc.test A 192.0.2.2";
    let (found, asked) = run(zone, "sip:a.test;transport=udp", &udp_and_tcp(), 3);
    assert_eq!(found.unwrap(), ["udp 192.0.2.1:5060", "udp 192.0.2.2:5060"]);
    assert_eq!(asked.len(), 3);
}

#[test]
fn the_number_of_candidates_is_bounded() {
    let host = |number| {
        format!(
            "_sip._udp.a.test SRV {number} 1 5060 h{number}.test\n\
             h{number}.test A 10.0.0.{number}\nh{number}.test A 10.0.1.{number}\n"
        )
    };
    let zone: String = (0..100).map(host).collect();
    let (found, asked) = run(&zone, "sip:a.test;transport=udp", &udp_and_tcp(), 1);
    assert_eq!(found.unwrap().len(), MAX_CANDIDATES);
    assert!(asked.len() <= 1 + MAX_CANDIDATES);
}

/// How often each port comes first, of `runs` runs.
fn firsts(zone: &str, runs: u32) -> HashMap<u16, u32> {
    let mut counts = HashMap::new();
    for seed in 0..runs {
        let seed = seed.into();
        let (found, _) = run(zone, "sip:a.test;transport=udp", &udp_and_tcp(), seed);
        let first = found.unwrap()[0].rsplit(':').next().unwrap().parse().unwrap();
        *counts.entry(first).or_default() += 1;
    }
    counts
}

#[test]
fn weights_share_out_the_requests_of_one_priority() {
    let zone = "_sip._udp.a.test SRV 5 60 1 b.test\n_sip._udp.a.test SRV 5 30 2 b.test\n\
                _sip._udp.a.test SRV 5 10 3 b.test\n_sip._udp.a.test SRV 9 900 4 b.test\n\
                _sip._udp.a.test SRV 5 0 5 b.test\nb.test A 192.0.2.1";
    let runs = 4000;
    let counts = firsts(zone, runs);
    let near = |port: u16, expected: f64| {
        let count = counts.get(&port).copied().unwrap_or_default();
        let share = f64::from(count) / f64::from(runs);
        assert!((share - expected).abs() < 0.03, "port {port}: {share}, not {expected}");
    };
    near(1, 0.6);
    near(2, 0.3);
    near(3, 0.1);
    near(5, 0.01);
    assert!(counts[&5] > 0, "a record without weight has a small chance");
    assert!(!counts.contains_key(&4), "a higher priority is never first");
}

#[test]
fn a_lower_priority_is_always_tried_before_a_higher_one() {
    let zone = "_sip._udp.a.test SRV 2 0 3 b.test\n_sip._udp.a.test SRV 1 0 1 b.test\n\
                _sip._udp.a.test SRV 1 65535 2 b.test\n_sip._udp.a.test SRV 2 65535 4 b.test\n\
                b.test A 192.0.2.1";
    for seed in 0..200 {
        let (found, _) = run(zone, "sip:a.test;transport=udp", &udp_and_tcp(), seed);
        let ports: Vec<u16> = found
            .unwrap()
            .iter()
            .map(|one| one.rsplit(':').next().unwrap().parse().unwrap())
            .collect();
        let (mut low, mut high) = (ports[..2].to_vec(), ports[2..].to_vec());
        low.sort_unstable();
        high.sort_unstable();
        assert_eq!((low, high), (vec![1, 2], vec![3, 4]));
    }
}

#[test]
fn the_addresses_of_one_host_share_the_load() {
    let zone = "b.test A 192.0.2.1\nb.test A 192.0.2.2";
    let mut firsts = HashMap::<String, u32>::new();
    for seed in 0..400 {
        let (found, _) = run(zone, "sip:b.test:5060", &udp_and_tcp(), seed);
        *firsts.entry(found.unwrap().remove(0)).or_default() += 1;
    }
    assert_eq!(firsts.len(), 2);
    assert!(firsts.values().all(|count| (150..250).contains(count)), "{firsts:?}");
}
