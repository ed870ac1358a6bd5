//! What every part of an engine works with: time, dice, settings, the transaction layer and the way out.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use core::net::SocketAddr;

use bytes::Bytes;
use hashbrown::HashMap;
use mediator_model::{Directory, Flow, Instant, Transport, UnixMillis};
use mediator_sip::message::{Method, Request, Writer, reason_phrase, response_to};
use mediator_sip::transaction::{ClientKey, LayerSettings, ServerKey, TransactionLayer};
use mediator_sip::uri::{Host, Scheme, Uri};
use mediator_sip::wheel::Wheel;
use mediator_sip::{HeaderName, NameAddr};

use crate::call::CallKey;
use crate::counters::Counters;
use crate::dice::Dice;
use crate::io::{EngineSetup, Event, Listener, Output, Ports, Query, QueryId, Settings};
use crate::leg::Side;
use crate::probe::{ProbeKey, TimedTrunks, TrunkNumber};

/// Methods that a dialog or a stranger may use here (RFC 3261 §20.5).
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE";

/// Which client transaction an event belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientUse {
    /// The INVITE of a branch of leg B.
    Invite { call: CallKey, branch: u16 },
    /// A request of ours inside a dialog; the leg knows what hangs on it.
    InDialog { call: CallKey, side: Side },
    /// A PRACK to a branch.
    Prack { call: CallKey, branch: u16 },

    /// Nobody waits: CANCEL, BYE to a losing fork.
    Orphan,
    /// OPTIONS to a trunk.
    Probe(ProbeKey),
}

/// Whose deadline a wheel entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimerKey {
    /// A call's earliest one.
    Call(CallKey),
    /// The next OPTIONS to a trunk.
    Probe(ProbeKey),
    /// The end of a trunk's cooldown.
    Cooldown(TrunkNumber),
}

/// Who waits for a name to be resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Resolving {
    /// A branch, before its INVITE.
    Branch { call: CallKey, branch: u16 },
    /// A leg whose remote target or route is a name.
    Leg { call: CallKey, side: Side },
    /// A trunk, before its OPTIONS.
    Probe(ProbeKey),
}

/// Names that may wait for the resolver at once; more count as not found.
const MAX_RESOLVING: usize = 100_000;

/// Where a request goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Hop {
    /// Known.
    Flow(Flow),
    /// A name: ask first.
    Name { host: Box<str>, port: Option<u16>, transport: Option<Transport>, sips: bool },
    /// No listener speaks that transport, or the URI names no host.
    Unreachable,
}

/// What every part of an engine works with.
pub(crate) struct Core {
    pub(crate) now: Instant,
    pub(crate) shard: usize,
    pub(crate) shards: usize,
    pub(crate) settings: Arc<Settings>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) ports: Ports,
    pub(crate) dice: Dice,
    pub(crate) layer: TransactionLayer<ClientUse>,
    pub(crate) wheel: Wheel<TimerKey>,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) timed: TimedTrunks,
    pub(crate) resolving: HashMap<QueryId, Resolving>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) draining: bool,
    epoch: UnixMillis,
    next_query: u64,
}

impl Core {
    pub(crate) fn new(setup: EngineSetup) -> Self {
        let mut dice = Dice::new(setup.seed);
        Self {
            now: Instant::ZERO,
            shard: setup.shard,
            shards: setup.shards.max(1),
            layer: TransactionLayer::new(LayerSettings {
                timers: setup.settings.timers,
                hash_seed: dice.next_u64(),
                ..LayerSettings::default()
            }),
            settings: setup.settings,
            directory: setup.directory,
            ports: setup.ports,
            dice,
            wheel: Wheel::new(),
            outputs: VecDeque::new(),
            timed: TimedTrunks::default(),
            resolving: HashMap::new(),
            counters: Arc::new(Counters::default()),
            draining: false,
            epoch: setup.epoch,
            next_query: 0,
        }
    }

    pub(crate) fn wall(&self) -> UnixMillis {
        self.wall_at(self.now)
    }

    pub(crate) fn wall_at(&self, instant: Instant) -> UnixMillis {
        self.epoch + instant.saturating_since(Instant::ZERO)
    }

    pub(crate) const fn set_epoch(&mut self, epoch: UnixMillis) {
        self.epoch = epoch;
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Send { flow, bytes, client: None });
    }

    // ---- responses

    /// A bare response through its transaction: no body, our reason phrase unless another is given.
    pub(crate) fn refuse(&mut self, server: ServerKey, request: &Request, status: u16) {
        self.refuse_with(server, request, status, reason_phrase(status), |_| {});
    }

    /// A bare response with a phrase of its own and more headers.
    pub(crate) fn refuse_with(
        &mut self,
        server: ServerKey,
        request: &Request,
        status: u16,
        phrase: &str,
        more: impl FnOnce(&mut Writer),
    ) {
        let Some(flow) = self.layer.server_flow(server) else { return };
        let tag = self.stray_tag();
        let tag = (status > 100).then_some(tag.as_str());
        let mut writer = response_to(request, flow.remote, status, phrase, tag);
        more(&mut writer);
        self.layer.respond(self.now, server, status, writer.finish(None));
    }

    /// A To tag for a response that makes no dialog.
    pub(crate) fn stray_tag(&mut self) -> String {
        self.dice.tag()
    }

    // ---- requests

    /// The listener that a flow speaks from.
    pub(crate) fn listener(&self, flow: &Flow) -> Option<&Listener> {
        self.settings.listeners.iter().find(|listener| listener.id == flow.listener)
    }

    /// A flow to an address over a transport, from our first listener that can.
    pub(crate) fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits =
            |l: &&Listener| l.transport == transport && l.bound.is_ipv4() == remote.is_ipv4();
        let listener = self.settings.listeners.iter().find(fits)?.id;
        Some(Flow { transport, listener, remote, connection: None })
    }

    /// Where a request for this URI goes (RFC 3263 §4, without the resolver).
    pub(crate) fn hop_to(&self, uri: &[u8]) -> Hop {
        let bare = || NameAddr::parse(uri).map(|address| address.uri);
        let Some(uri) = Uri::parse(uri).ok().or_else(bare) else { return Hop::Unreachable };
        let sips = uri.scheme == Scheme::Sips;
        let wanted = uri.transport().or(sips.then_some(Transport::Tls));
        let maddr = uri.param("maddr").and_then(Host::parse);
        let host = maddr.unwrap_or(uri.host);
        let ip = match host {
            Host::V4(ip) => ip.into(),
            Host::V6(ip) => ip.into(),
            Host::Name("") => return Hop::Unreachable,
            Host::Name(name) => {
                return Hop::Name { host: name.into(), port: uri.port, transport: wanted, sips };
            }
        };
        let transport = wanted.unwrap_or(Transport::Udp);
        let port = uri.port.unwrap_or(transport.default_port());
        self.flow_to(transport, SocketAddr::new(ip, port)).map_or(Hop::Unreachable, Hop::Flow)
    }

    /// Asks the driver for a name's addresses; `false`: too many questions wait already.
    pub(crate) fn resolve(&mut self, hop: Hop, waiting: Resolving) -> bool {
        let Hop::Name { host, port, transport, sips } = hop else { return false };
        if self.resolving.len() >= MAX_RESOLVING {
            return false;
        }
        let id = QueryId(self.next_query);
        self.next_query += 1;
        self.resolving.insert(id, waiting);
        self.outputs.push_back(Output::Resolve(Query { id, host, port, transport, sips }));
        true
    }

    /// Begins a request: start line, Via on `flow`, Max-Forwards.
    pub(crate) fn begin_request(
        &self,
        method: &str,
        uri: &[u8],
        flow: &Flow,
        branch: &str,
        max_forwards: u8,
    ) -> Writer {
        let mut writer = Writer::request(method, uri);
        if let Some(listener) = self.listener(flow) {
            writer.header_with(HeaderName::Via, |value| {
                value.put("SIP/2.0/").put(flow.transport.via_token()).put(" ");
                value.host_port(listener.advertised).put(";branch=").put(branch).put(";rport");
            });
        }
        writer.header_with(HeaderName::MaxForwards, |value| {
            value.number(max_forwards);
        });
        writer
    }

    /// Our Contact on a flow.
    pub(crate) fn write_contact(&self, writer: &mut Writer, flow: &Flow) {
        let Some(listener) = self.listener(flow) else { return };
        writer.header_with(HeaderName::Contact, |value| {
            value.put("<sip:").host_port(listener.advertised);
            if flow.transport != Transport::Udp {
                value.put(";transport=").put(flow.transport.uri_token());
            }
            value.put(">");
        });
    }

    /// Hands a finished request to its client transaction.
    pub(crate) fn start_client(
        &mut self,
        method: Method,
        branch: &str,
        bytes: Bytes,
        flow: Flow,
        user: ClientUse,
    ) -> ClientKey {
        self.layer.send_request(self.now, method, branch, bytes, flow, user)
    }
}
