//! Asking the DNS, through hickory-resolver: its cache holds answers for their time to live.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::records::{Answer, DnsName, Naptr, Question, Srv};

/// One question to a server; a lost datagram is repeated once within the time of a lookup.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(900);
const ATTEMPTS: usize = 2;

/// Answers held: a lookup has up to a dozen.
const CACHED_ANSWERS: u64 = 8192;

/// An answer is used at least for this long, whatever its time to live: a zero would cost a question
/// a call.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// That there is nothing is believed for between these, as the zone says.
const SHORTEST_NEGATIVE_TTL: Duration = Duration::from_secs(10);
const LONGEST_NEGATIVE_TTL: Duration = Duration::from_mins(5);

/// Somebody to ask.
pub(super) trait Upstream: Send + Sync {
    /// Asks. Never [`Answer::Failed`] for what is known not to be there.
    fn ask<'a>(
        &'a self,
        question: &'a Question,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}

/// Name servers could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the system's name servers: {0}")]
pub struct ResolverError(#[from] NetError);

pub(super) struct Dns(TokioResolver);

impl Dns {
    /// The name servers, search list and hosts file of the system.
    pub(super) fn system() -> Result<Self, ResolverError> {
        let mut builder = TokioResolver::builder_tokio()?;
        limit(builder.options_mut());
        Ok(Self(builder.build()?))
    }

    /// These name servers only; no hosts file.
    pub(super) fn servers(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
        let config = ResolverConfig::from_name_servers(servers.iter().map(name_server).collect());
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        limit(builder.options_mut());
        builder.options_mut().use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
        Ok(Self(builder.build()?))
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![with_port(ConnectionConfig::udp()), with_port(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

fn limit(options: &mut ResolverOpts) {
    options.timeout = options.timeout.min(ATTEMPT_TIMEOUT);
    options.attempts = ATTEMPTS;
    options.cache_size = CACHED_ANSWERS;
    options.positive_min_ttl = Some(SHORTEST_TTL);
    options.negative_min_ttl = Some(SHORTEST_NEGATIVE_TTL);
    options.negative_max_ttl = Some(LONGEST_NEGATIVE_TTL);
}

impl Upstream for Dns {
    fn ask<'a>(
        &'a self,
        question: &'a Question,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            let Some(name) = absolute(question.name()) else {
                return Answer::Nothing;
            };
            let record_type = match question {
                Question::Naptr(_) => RecordType::NAPTR,
                Question::Srv(_) => RecordType::SRV,
                Question::Ipv4(_) => RecordType::A,
                Question::Ipv6(_) => RecordType::AAAA,
            };
            match self.0.lookup(name, record_type).await {
                Ok(lookup) => answer(question, &lookup),
                Err(error) => fault(question, &error),
            }
        })
    }
}

/// A name with a dot in it is whole; a single word is looked for in the system's search domains.
/// `None` for what cannot be a name.
fn absolute(name: &DnsName) -> Option<Name> {
    let mut whole = Name::from_utf8(name.as_str()).ok()?;
    whole.set_fqdn(name.as_str().contains('.'));
    Some(whole)
}

fn answer(question: &Question, lookup: &Lookup) -> Answer {
    let data = lookup.answers().iter().map(|record| &record.data);
    match question {
        Question::Naptr(_) => {
            filled(data.filter_map(naptr).collect::<Arc<[_]>>(), Answer::Naptr, |all| all.len())
        }
        Question::Srv(_) => {
            filled(data.filter_map(srv).collect::<Arc<[_]>>(), Answer::Srv, |all| all.len())
        }
        Question::Ipv4(_) | Question::Ipv6(_) => {
            let addresses = data.filter_map(address).collect::<Arc<[_]>>();
            filled(addresses, Answer::Addresses, |all| all.len())
        }
    }
}

/// The records, or that there are none.
fn filled<T>(records: T, kind: fn(T) -> Answer, count: fn(&T) -> usize) -> Answer {
    if count(&records) == 0 { Answer::Nothing } else { kind(records) }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
    // With a regexp the replacement means nothing, and SIP has no use for one (RFC 3263 §4.1).
    record.regexp.is_empty().then(|| Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags),
        service: text(&record.services),
        replacement: DnsName::new(&record.replacement.to_ascii()),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(record) = data else { return None };
    Some(Srv {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: DnsName::new(&record.target.to_ascii()),
    })
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// Tells "there is none" from "nobody says".
fn fault(question: &Question, error: &NetError) -> Answer {
    if let NetError::Dns(DnsError::NoRecordsFound(nothing)) = error
        && matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
    {
        return Answer::Nothing;
    }
    tracing::debug!(?question, %error, "lookup failed");
    Answer::Failed
}
