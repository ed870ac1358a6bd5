//! Locating SIP servers: RFC 3263 §4, with RFC 3403 for NAPTR and RFC 2782 for SRV. Pure.
//!
//! [`locate`] is asked with what is known; it either names what has to be asked of the DNS or gives
//! the candidates in the order to try. Each call gets its own list, so a failing server leaves no
//! trace in the next call's; which candidates are healthy is the caller's business.
//!
//! Deliberately not here: the switch to TCP for long requests (RFC 3261 §18.1.1), which is made by
//! naming the transport; the way of responses (§5), which follows Via.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use mediator_model::Transport;
use rand_core::RngCore;

use super::reach::Reach;
use super::records::{Answer, DnsName, Naptr, Question, Srv};

/// More candidates than a call has time to try.
pub const MAX_CANDIDATES: usize = 16;

/// Records of one answer that are looked at; what comes after them is ignored.
const MAX_RECORDS: usize = 32;

/// Where a request should go, as its URI says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Whether the URI is a SIPS URI: then nothing but TLS will do.
    pub secure: bool,
    /// The host of the URI, or its `maddr` parameter.
    pub host: TargetHost,
    /// The port, where the URI has one.
    pub port: Option<u16>,
    /// The `transport` parameter, where the URI has one.
    pub transport: Option<Transport>,
}

/// The host of a [`Target`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetHost {
    /// A numeric address: nothing to look up.
    Address(IpAddr),
    /// A name.
    Name(DnsName),
}

/// One way to reach a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The transport to speak.
    pub transport: Transport,
    /// The address and port.
    pub remote: SocketAddr,
}

/// What the DNS has said so far.
pub type Known = HashMap<Question, Answer>;

/// How far [`locate`] came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The candidates, in the order to try; never empty.
    Candidates(Vec<Candidate>),
    /// Ask these, all at once if you like, and call again.
    Ask(Vec<Question>),
}

/// Why there is no candidate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LocateError {
    /// The URI wants a transport, or the address a family, for which we have no listener.
    #[error("no listener speaks what the target wants")]
    NoTransport,
    /// The domain's SRV records say that it offers no such service (RFC 2782: target ".").
    #[error("{0:?} says that it has no such service")]
    NoService(DnsName),
    /// The name has no address.
    #[error("{0:?} has no address")]
    NoAddress(DnsName),
    /// The DNS gave no answer; later it may.
    #[error("the DNS did not answer about {0:?}")]
    LookupFailed(DnsName),
}

/// A set of SRV records to ask for.
struct Service {
    transport: Transport,
    records: DnsName,
}

/// A host and port to find the addresses of.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Door {
    transport: Transport,
    host: DnsName,
    port: u16,
}

/// An intermediate result, or the questions that stand before it.
enum Step<T> {
    Done(T),
    Ask(Vec<Question>),
}

/// Finds the candidates for `target` from what is `known`. `dice` decide among equals: SRV weights
/// (RFC 2782) and the addresses of one host.
pub fn locate(
    target: &Target,
    reach: &Reach,
    known: &Known,
    dice: &mut dyn RngCore,
) -> Result<Progress, LocateError> {
    let explicit = explicit_transport(target, reach)?;
    let name = match &target.host {
        TargetHost::Name(name) => name,
        TargetHost::Address(ip) => return at_address(target, *ip, explicit, reach),
    };
    let mut search = Search { target, name, reach, known, dice };
    let doors = match (target.port, explicit) {
        // §4.2: a port leads straight to the addresses; §4.1 gives the transport.
        (Some(port), _) => {
            let transport = explicit.map_or_else(|| default_transport(target, reach), Ok)?;
            Step::Done(vec![Door { transport, host: name.clone(), port }])
        }
        (None, Some(transport)) => search.doors(&[usual_service(transport, name)])?,
        (None, None) => match search.services() {
            Step::Ask(questions) => Step::Ask(questions),
            Step::Done(services) => search.doors(&services)?,
        },
    };
    match doors {
        Step::Ask(questions) => Ok(Progress::Ask(questions)),
        Step::Done(doors) => search.candidates(&doors),
    }
}

/// The transport that the URI names, raised to TLS for SIPS (RFC 3261 §26.2.2).
fn explicit_transport(target: &Target, reach: &Reach) -> Result<Option<Transport>, LocateError> {
    let wanted = match (target.secure, target.transport) {
        (_, None) => return Ok(None),
        (false, Some(transport)) => transport,
        (true, Some(Transport::Udp)) => return Err(LocateError::NoTransport),
        (true, Some(Transport::Tcp | Transport::Tls)) => Transport::Tls,
        (true, Some(Transport::Ws | Transport::Wss)) => Transport::Wss,
    };
    if reach.speaks(wanted) { Ok(Some(wanted)) } else { Err(LocateError::NoTransport) }
}

/// §4.1: UDP, for SIPS TLS. Where we have no UDP, the next that we have.
fn default_transport(target: &Target, reach: &Reach) -> Result<Transport, LocateError> {
    let order: &[Transport] = if target.secure {
        &[Transport::Tls]
    } else {
        &[Transport::Udp, Transport::Tcp, Transport::Tls]
    };
    order.iter().copied().find(|one| reach.speaks(*one)).ok_or(LocateError::NoTransport)
}

/// §4.2: a numeric address is used as it is.
fn at_address(
    target: &Target,
    ip: IpAddr,
    explicit: Option<Transport>,
    reach: &Reach,
) -> Result<Progress, LocateError> {
    let transport = explicit.map_or_else(|| default_transport(target, reach), Ok)?;
    let reached =
        if ip.is_ipv4() { reach.speaks_ipv4(transport) } else { reach.speaks_ipv6(transport) };
    if !reached {
        return Err(LocateError::NoTransport);
    }
    let port = target.port.unwrap_or(transport.default_port());
    let remote = SocketAddr::new(ip, port);
    Ok(Progress::Candidates(vec![Candidate { transport, remote }]))
}

/// The records that we can use, of the lowest order that has one (RFC 3403 §4.1 forbids to look at
/// higher ones after a match), by preference.
fn services_of(records: &[Naptr], target: &Target, reach: &Reach) -> Vec<Service> {
    let mut usable: Vec<(&Naptr, Transport)> = records
        .iter()
        .take(MAX_RECORDS)
        .filter(|record| record.flags.eq_ignore_ascii_case("s"))
        .filter_map(|record| Some((record, naptr_transport(&record.service)?)))
        .filter(|(_, transport)| reach.speaks(*transport))
        .filter(|(_, transport)| !target.secure || *transport == Transport::Tls)
        .collect();
    usable.sort_by_key(|(record, _)| (record.order, record.preference));
    let lowest = usable.first().map(|(record, _)| record.order);
    usable
        .into_iter()
        .take_while(|(record, _)| Some(record.order) == lowest)
        .map(|(record, transport)| Service { transport, records: record.replacement.clone() })
        .collect()
}

/// RFC 3263 §4.1. WebSocket servers are found by their HTTP URL, not here (RFC 7118).
fn naptr_transport(service: &str) -> Option<Transport> {
    [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)]
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(service))
        .map(|(_, transport)| transport)
}

fn usual_service(transport: Transport, name: &DnsName) -> Service {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    let records = DnsName::new(&format!("{prefix}.{}", name.as_str()));
    Service { transport, records }
}

/// A search by name, after what the URI alone tells.
struct Search<'a> {
    target: &'a Target,
    name: &'a DnsName,
    reach: &'a Reach,
    known: &'a Known,
    dice: &'a mut dyn RngCore,
}

impl Search<'_> {
    /// §4.1: the services that NAPTR records name; without any, those that we can speak, under their
    /// usual names.
    fn services(&self) -> Step<Vec<Service>> {
        let Self { target, name, reach, known, .. } = self;
        let question = Question::Naptr((*name).clone());
        let named = match known.get(&question) {
            None => return Step::Ask(vec![question]),
            Some(Answer::Naptr(records)) => services_of(records, target, reach),
            // Some resolvers lose questions for NAPTR: go on as if there were none.
            Some(Answer::Srv(_) | Answer::Addresses(_) | Answer::Nothing | Answer::Failed) => {
                Vec::new()
            }
        };
        if !named.is_empty() {
            return Step::Done(named);
        }
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let fits =
            |one: &Transport| reach.speaks(*one) && (!target.secure || *one == Transport::Tls);
        Step::Done(all.into_iter().filter(fits).map(|one| usual_service(one, name)).collect())
    }

    /// §4.2: the hosts and ports that the services' SRV records name; where there are no such
    /// records at all, the name itself at the default port.
    fn doors(&mut self, services: &[Service]) -> Result<Step<Vec<Door>>, LocateError> {
        let question = |service: &Service| Question::Srv(service.records.clone());
        let asked = services.iter().map(question);
        let unknown: Vec<_> = asked.filter(|one| !self.known.contains_key(one)).collect();
        if !unknown.is_empty() {
            return Ok(Step::Ask(unknown));
        }
        let (mut doors, mut refused, mut failed) = (Vec::new(), false, None);
        for service in services {
            match self.known.get(&question(service)) {
                Some(Answer::Srv(records)) => {
                    let offered = doors_of(service, records, self.dice);
                    refused |= offered.is_empty();
                    doors.extend(offered);
                }
                // Going on to the name's address would send calls to whoever serves the domain's
                // web pages, only because the DNS was slow.
                Some(Answer::Failed) => failed = Some(service.records.clone()),
                Some(Answer::Nothing | Answer::Naptr(_) | Answer::Addresses(_)) | None => {}
            }
        }
        doors.truncate(MAX_CANDIDATES);
        match (doors.is_empty(), refused, failed) {
            (false, ..) => Ok(Step::Done(doors)),
            (true, true, _) => Err(LocateError::NoService(self.name.clone())),
            (true, false, Some(records)) => Err(LocateError::LookupFailed(records)),
            (true, false, None) => Ok(Step::Done(vec![self.own_door(services)?])),
        }
    }

    /// The name itself, at the default port of the only transport in question, or of the default.
    fn own_door(&self, services: &[Service]) -> Result<Door, LocateError> {
        let transport = match services {
            [only] => only.transport,
            _ => default_transport(self.target, self.reach)?,
        };
        Ok(Door { transport, host: self.name.clone(), port: transport.default_port() })
    }

    /// The addresses behind the doors.
    fn candidates(&mut self, doors: &[Door]) -> Result<Progress, LocateError> {
        let mut unknown = Vec::new();
        for question in doors.iter().flat_map(|door| address_questions(door, self.reach)) {
            if !self.known.contains_key(&question) && !unknown.contains(&question) {
                unknown.push(question);
            }
        }
        if !unknown.is_empty() {
            return Ok(Progress::Ask(unknown));
        }
        let (mut found, mut failed) = (Vec::new(), None);
        for door in doors {
            for question in address_questions(door, self.reach) {
                match self.known.get(&question) {
                    Some(Answer::Addresses(addresses)) => {
                        found.extend(candidates_at(door, addresses, self.dice));
                    }
                    Some(Answer::Failed) => failed = Some(question.name().clone()),
                    Some(Answer::Nothing | Answer::Naptr(_) | Answer::Srv(_)) | None => {}
                }
            }
        }
        let mut distinct = Vec::new();
        for candidate in found {
            if distinct.len() < MAX_CANDIDATES && !distinct.contains(&candidate) {
                distinct.push(candidate);
            }
        }
        match (distinct.is_empty(), failed) {
            (false, _) => Ok(Progress::Candidates(distinct)),
            (true, Some(host)) => Err(LocateError::LookupFailed(host)),
            (true, None) => Err(LocateError::NoAddress(self.name.clone())),
        }
    }
}

/// The hosts that a service's records name, in the order to try. None where the records only say
/// that there is no such service.
fn doors_of(service: &Service, records: &[Srv], dice: &mut dyn RngCore) -> Vec<Door> {
    let offers = |record: &&Srv| !record.target.is_root() && record.port != 0;
    let door = |record: &Srv| Door {
        transport: service.transport,
        host: record.target.clone(),
        port: record.port,
    };
    in_order(records, dice).into_iter().filter(offers).map(door).collect()
}

/// A host's addresses, shuffled: nothing says that the first is the best.
fn candidates_at(door: &Door, addresses: &[IpAddr], dice: &mut dyn RngCore) -> Vec<Candidate> {
    let at = |ip: &IpAddr| Candidate {
        transport: door.transport,
        remote: SocketAddr::new(*ip, door.port),
    };
    let mut all: Vec<_> = addresses.iter().take(MAX_RECORDS).map(at).collect();
    shuffle(&mut all, dice);
    all
}

/// RFC 2782: by priority, and within one priority drawn by weight.
fn in_order<'a>(records: &'a [Srv], dice: &mut dyn RngCore) -> Vec<&'a Srv> {
    let mut rest: Vec<&Srv> = records.iter().take(MAX_RECORDS).collect();
    shuffle(&mut rest, dice);
    // Records without weight stand first, so that they still have a small chance.
    rest.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(rest.len());
    while let Some(priority) = rest.first().map(|record| record.priority) {
        let equals = rest.iter().take_while(|record| record.priority == priority);
        let total: u32 = equals.clone().map(|record| u32::from(record.weight)).sum();
        let drawn = below(dice, total.saturating_add(1));
        let mut sum = 0;
        let place = equals.clone().position(|record| {
            sum += u32::from(record.weight);
            sum >= drawn
        });
        ordered.push(rest.remove(place.unwrap_or(0)));
    }
    ordered
}

/// IPv6 first, as RFC 6724's default policy and RFC 7984 §4 have it, where we listen on it.
fn address_questions(door: &Door, reach: &Reach) -> impl Iterator<Item = Question> {
    let ipv6 = reach.speaks_ipv6(door.transport).then(|| Question::Ipv6(door.host.clone()));
    let ipv4 = reach.speaks_ipv4(door.transport).then(|| Question::Ipv4(door.host.clone()));
    ipv6.into_iter().chain(ipv4)
}

/// A number below `bound`, each as likely as the others to within 2^-32.
fn below(dice: &mut dyn RngCore, bound: u32) -> u32 {
    ((u64::from(dice.next_u32()) * u64::from(bound)) >> 32) as u32
}

fn shuffle<T>(items: &mut [T], dice: &mut dyn RngCore) {
    for last in (1..items.len()).rev() {
        let other = below(dice, last as u32 + 1) as usize;
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests;
