//! Names that need no DNS: a table from a file, for networks without a name server and for tests.
//!
//! A line is `NAME TYPE DATA`; `#` begins a comment:
//!
//! ```text
//! carrier.test            NAPTR 10 10 s SIP+D2U _sip._udp.carrier.test
//! _sip._udp.carrier.test  SRV   10 60 5060 gw1.carrier.test
//! gw1.carrier.test        A     127.0.0.5
//! gw1.carrier.test        AAAA  ::1
//! ```
//!
//! Whoever is in the table is not asked for in the DNS: records that the table lacks do not exist.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::{FromStr, SplitAsciiWhitespace};

use super::records::{Answer, DnsName, Naptr, Question, Srv};

/// A table of names.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: HashMap<Question, Answer>,
    /// The names without their service labels: about these the table knows all.
    hosts: HashSet<Box<str>>,
}

/// A line that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ZoneError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: ZoneFault,
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ZoneFault {
    /// A type other than A, AAAA, SRV and NAPTR.
    #[error("unknown record type {0:?}")]
    UnknownType(Box<str>),
    /// Fewer words than the type has fields.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A word that is not what it should be.
    #[error("{0:?} is no {1}")]
    Invalid(Box<str>, &'static str),
    /// More words than the type has fields.
    #[error("{0:?} is one word too many")]
    Trailing(Box<str>),
}

impl Zone {
    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let mut rows = Rows::default();
        for (place, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            if !line.trim().is_empty() {
                rows.read(line).map_err(|fault| ZoneError { line: place + 1, fault })?;
            }
        }
        Ok(rows.into_zone())
    }

    /// What the table says; `None` where the DNS has to be asked.
    pub fn answer(&self, question: &Question) -> Option<Answer> {
        if !self.hosts.contains(question.name().host_part()) {
            return None;
        }
        Some(self.records.get(question).cloned().unwrap_or(Answer::Nothing))
    }
}

/// Records while they are collected.
#[derive(Default)]
struct Rows {
    naptr: HashMap<DnsName, Vec<Naptr>>,
    srv: HashMap<DnsName, Vec<Srv>>,
    ipv4: HashMap<DnsName, Vec<IpAddr>>,
    ipv6: HashMap<DnsName, Vec<IpAddr>>,
}

impl Rows {
    fn read(&mut self, line: &str) -> Result<(), ZoneFault> {
        let mut words = line.split_ascii_whitespace();
        let name = DnsName::new(word(&mut words, "name")?);
        match word(&mut words, "type")?.to_ascii_uppercase().as_str() {
            "A" => {
                let address: Ipv4Addr = value(&mut words, "IPv4 address")?;
                self.ipv4.entry(name).or_default().push(address.into());
            }
            "AAAA" => {
                let address: Ipv6Addr = value(&mut words, "IPv6 address")?;
                self.ipv6.entry(name).or_default().push(address.into());
            }
            "SRV" => self.srv.entry(name).or_default().push(Srv {
                priority: value(&mut words, "priority")?,
                weight: value(&mut words, "weight")?,
                port: value(&mut words, "port")?,
                target: DnsName::new(word(&mut words, "target")?),
            }),
            "NAPTR" => self.naptr.entry(name).or_default().push(Naptr {
                order: value(&mut words, "order")?,
                preference: value(&mut words, "preference")?,
                flags: word(&mut words, "flags")?.into(),
                service: word(&mut words, "service")?.into(),
                replacement: DnsName::new(word(&mut words, "replacement")?),
            }),
            other => return Err(ZoneFault::UnknownType(other.into())),
        }
        words.next().map_or(Ok(()), |extra| Err(ZoneFault::Trailing(extra.into())))
    }

    fn into_zone(self) -> Zone {
        let naptr =
            self.naptr.into_iter().map(|(name, all)| (Question::Naptr(name), naptr_answer(all)));
        let srv = self.srv.into_iter().map(|(name, all)| (Question::Srv(name), srv_answer(all)));
        let addresses = |all: Vec<IpAddr>| Answer::Addresses(all.into());
        let ipv4 = self.ipv4.into_iter().map(|(name, all)| (Question::Ipv4(name), addresses(all)));
        let ipv6 = self.ipv6.into_iter().map(|(name, all)| (Question::Ipv6(name), addresses(all)));
        let records: HashMap<_, _> = naptr.chain(srv).chain(ipv4).chain(ipv6).collect();
        let hosts = records.keys().map(|question| question.name().host_part().into()).collect();
        Zone { records, hosts }
    }
}

fn naptr_answer(all: Vec<Naptr>) -> Answer {
    Answer::Naptr(all.into())
}

fn srv_answer(all: Vec<Srv>) -> Answer {
    Answer::Srv(all.into())
}

fn word<'a>(
    words: &mut SplitAsciiWhitespace<'a>,
    what: &'static str,
) -> Result<&'a str, ZoneFault> {
    words.next().ok_or(ZoneFault::Missing(what))
}

fn value<T: FromStr>(
    words: &mut SplitAsciiWhitespace<'_>,
    what: &'static str,
) -> Result<T, ZoneFault> {
    let word = word(words, what)?;
    word.parse().map_err(|_| ZoneFault::Invalid(word.into(), what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::new(text)
    }

    #[test]
    fn a_table_answers_for_the_names_in_it_alone() {
        let text = "# the carrier\n\
            Carrier.test. NAPTR 10 20 s SIP+D2U _sip._udp.carrier.test\n\
            \n\
            _sip._udp.carrier.test SRV 1 2 5060 gw.other.test. # the only one\n\
            phones.test a 127.0.0.9\n\
            phones.test aaaa ::1\n";
        let zone = Zone::parse(text).unwrap();
        let check = |question: Question, expected: Option<Answer>| {
            assert_eq!(zone.answer(&question), expected, "{question:?}");
        };
        let naptr = Naptr {
            order: 10,
            preference: 20,
            flags: "s".into(),
            service: "SIP+D2U".into(),
            replacement: name("_sip._udp.carrier.test"),
        };
        check(Question::Naptr(name("carrier.test")), Some(Answer::Naptr([naptr].into())));
        let srv = Srv { priority: 1, weight: 2, port: 5060, target: name("gw.other.test") };
        check(Question::Srv(name("_SIP._udp.carrier.test")), Some(Answer::Srv([srv].into())));
        check(Question::Srv(name("_sip._tcp.carrier.test")), Some(Answer::Nothing));
        check(Question::Ipv4(name("carrier.test")), Some(Answer::Nothing));
        let address: IpAddr = Ipv4Addr::new(127, 0, 0, 9).into();
        check(Question::Ipv4(name("phones.test")), Some(Answer::Addresses([address].into())));
        let address: IpAddr = Ipv6Addr::LOCALHOST.into();
        check(Question::Ipv6(name("phones.test")), Some(Answer::Addresses([address].into())));
        check(Question::Ipv4(name("gw.other.test")), None);
        check(Question::Ipv4(name("sub.phones.test")), None);
    }

    #[test]
    fn a_faulty_line_is_named() {
        fn check(text: &str, expected: &str) {
            assert_eq!(Zone::parse(text).unwrap_err().to_string(), expected);
        }
        check("a.test A 127.0.0.1\na.test MX 10 b.test", "line 2: unknown record type \"MX\"");
        check("a.test", "line 1: type is missing");
        check("a.test A 127.0.0.256", "line 1: \"127.0.0.256\" is no IPv4 address");
        check("a.test AAAA 127.0.0.1", "line 1: \"127.0.0.1\" is no IPv6 address");
        check("a.test A 127.0.0.1 127.0.0.2", "line 1: \"127.0.0.2\" is one word too many");
        check("a.test SRV 1 2 70000 b", "line 1: \"70000\" is no port");
        check("a.test NAPTR 1 2 s SIP+D2U", "line 1: replacement is missing");
    }
}
