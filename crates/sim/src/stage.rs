//! Endpoints, trunks, numbers and bindings of a run: the usual set, to be changed before the engines start.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mediator_call::Engine;
use mediator_call::io::{EngineSetup, Listener, MediaMode, Ports, Settings};
use mediator_media::{Ears, NoEars};
use mediator_model::{
    Address, AddressHost, AllowForward, Attributes, Binding, BindingKey, ClaimWindow, Did,
    Direction, Directory, Endpoint, EndpointIndex, EndpointKind, FailurePolicy, ListenerId, Number,
    NumberFormat, Outbound, Secret, Sid, SipCredentials, Transport, Trunk, TrunkGroup,
    TrunkGroupIndex, UnixMillis,
};
use mediator_sip::digest::NonceKey;
use mediator_table::{BindingTable, ContactTable, Gate, GateSettings, UnboundPorts};

use crate::Dice;

/// The caller's number.
pub const CALLER: &str = "14155550100";
/// The number dialled: the account's.
pub const REDIRECT: &str = "15162065346";
/// The number behind the binding.
pub const CALLED: &str = "442071234567";
/// The mediator endpoint's sid.
pub const ACCOUNT: Sid = Sid::from_u128(3);
/// The wall clock at the start.
pub(crate) const EPOCH: UnixMillis = UnixMillis(1_700_000_000_000);

/// A number from its digits.
///
/// # Panics
/// Where the digits are none.
pub fn number(digits: &str) -> Number {
    Number::from_digits(digits).expect("a test writes digits")
}

/// What a run is made of.
pub struct Stage {
    /// Index 0: the caller's carrier, index 1: the called side's, index 2: the account.
    pub endpoints: Vec<Endpoint>,
    /// Index 0: the way out, with the called side's carrier; index 1: the account's.
    pub groups: Vec<TrunkGroup>,
    /// The account's number.
    pub dids: Vec<Did>,
    /// Bindings at the start.
    pub bindings: Vec<Binding>,
    /// What the operator has set.
    pub settings: Settings,
    /// Limits of strangers.
    pub gate: GateSettings,
    /// How many engines share the calls.
    pub shards: usize,
    /// Our ports for media.
    pub media_ports: RangeInclusive<u16>,
    /// What hears keys in codecs other than G.711; at first nothing does.
    pub ears: Arc<dyn Ears>,
    sids: u128,
}

impl Stage {
    /// A carrier at 10.1.0.1 calls [`REDIRECT`]; the binding leads to [`CALLED`] by a carrier at 10.2.0.1,
    /// under [`REDIRECT`].
    pub fn usual() -> Self {
        let us = "10.0.0.1:5060".parse().expect("an address");
        let listener =
            |id, transport| Listener { id: ListenerId(id), transport, advertised: us, bound: us };
        let listeners = vec![listener(0, Transport::Udp), listener(1, Transport::Tcp)];
        let mut stage = Self {
            endpoints: Vec::new(),
            groups: Vec::new(),
            dids: Vec::new(),
            bindings: Vec::new(),
            settings: direct(Settings::new(listeners, NonceKey::new([7; 32]))),
            gate: GateSettings::default(),
            shards: 1,
            media_ports: 30_000..=39_999,
            ears: Arc::new(NoEars),
            sids: 1000,
        };
        let caller = stage.gateway("caller", "10.1.0.1:5060");
        let called = stage.gateway("called", "10.2.0.1:5060");
        let account = stage.endpoint(
            "account",
            EndpointKind::Mediator { outbound: Some(Outbound(TrunkGroupIndex(0))) },
        );
        debug_assert_eq!((caller.0, called.0, account.0), (0, 1, 2));
        stage.endpoints[2].sid = ACCOUNT;
        stage.group(&[(called, 0, 0)]);
        let own = stage.group(&[(account, 0, 0)]);
        stage.did(REDIRECT, own);
        stage.bind(REDIRECT, None, CALLED, &[("hide_origination_did", "true")]);
        stage
    }

    fn sid(&mut self) -> Sid {
        self.sids += 1;
        Sid::from_u128(self.sids)
    }

    /// Adds an endpoint without addresses.
    pub fn endpoint(&mut self, name: &str, kind: EndpointKind) -> EndpointIndex {
        let sid = self.sid();
        self.endpoints.push(Endpoint {
            sid,
            name: name.into(),
            kind,
            addresses: Vec::new(),
            auth_required: true,
            capacity: 0,
            cps_limit: 0,
            out_credentials: None,
            number_format: NumberFormat::Digits,
            dids: Vec::new(),
        });
        EndpointIndex(self.endpoints.len() as u32 - 1)
    }

    /// Adds a carrier.
    pub fn gateway(&mut self, name: &str, at: &str) -> EndpointIndex {
        let index = self.endpoint(name, EndpointKind::SystemGateway);
        self.address(index, at, 0);
        index
    }

    /// Adds an address to an endpoint: `ip:port` or a name, over UDP.
    pub fn address(&mut self, endpoint: EndpointIndex, at: &str, priority: u16) {
        let (host, port) = match at.parse::<std::net::SocketAddr>() {
            Ok(at) => (AddressHost::Ip(at.ip()), Some(at.port())),
            Err(_) => (AddressHost::Name(at.into()), None),
        };
        let transport = Some(Transport::Udp);
        let address = Address {
            direction: Direction::Any,
            host,
            port,
            transport,
            priority,
            credentials: None,
        };
        self.endpoints[endpoint.0 as usize].addresses.push(address);
    }

    /// Adds a phone that registers as `user`, password `secret`, with a number of its own.
    pub fn phone(&mut self, user: &str, digits: &str) -> EndpointIndex {
        let credentials = SipCredentials { username: user.into(), password: Secret::new("secret") };
        let index =
            self.endpoint(user, EndpointKind::ThirdParty { credentials: Some(credentials) });
        self.endpoints[index.0 as usize].dids.push(number(digits));
        let group = self.group(&[(index, 0, 0)]);
        self.did(digits, group);
        index
    }

    /// Adds a trunk group: endpoint, priority, weight of each trunk.
    pub fn group(&mut self, trunks: &[(EndpointIndex, u16, u16)]) -> TrunkGroupIndex {
        let sid = self.sid();
        let trunks = trunks.iter().map(|trunk| self.trunk(*trunk)).collect();
        let failure = FailurePolicy::default();
        self.groups.push(TrunkGroup { sid, name: "group".into(), trunks, failure });
        TrunkGroupIndex(self.groups.len() as u32 - 1)
    }

    /// A trunk that is in no group yet.
    pub fn trunk(&mut self, (endpoint, priority, weight): (EndpointIndex, u16, u16)) -> Trunk {
        Trunk {
            sid: self.sid(),
            name: "trunk".into(),
            endpoint,
            priority,
            weight,
            in_capacity: None,
            out_capacity: None,
            allow_forward: AllowForward::Disabled,
        }
    }

    /// Adds a carrier at 10.2.0.`host` to the way out.
    pub fn way_out(&mut self, host: u8, priority: u16, weight: u16) -> EndpointIndex {
        let endpoint = self.gateway("another", &format!("10.2.0.{host}:5060"));
        let trunk = self.trunk((endpoint, priority, weight));
        self.groups[0].trunks.push(trunk);
        endpoint
    }

    /// Adds a number that leads to a group.
    pub fn did(&mut self, digits: &str, group: TrunkGroupIndex) {
        let sid = self.sid();
        self.dids.push(Did { sid, number: number(digits), trunk_group: Some(group) });
    }

    /// Adds a binding that never ends and waits for nobody.
    pub fn bind(&mut self, redirect: &str, from: Option<&str>, to: &str, with: &[(&str, &str)]) {
        let mut attributes = Attributes::default();
        for (key, value) in with {
            attributes.set(key, value).expect("a test sets what can be set");
        }
        let sid = self.sid();
        self.bindings.push(Binding {
            sid,
            account_sid: ACCOUNT,
            key: BindingKey { redirect_did: number(redirect), origination_did: from.map(number) },
            destination_did: number(to),
            claim: ClaimWindow::Closed,
            expires: None,
            dtmf: None,
            attributes: Some(Box::new(attributes)),
        });
    }

    /// The binding at first waits so long for its first caller.
    pub fn wait_for_first_caller(&mut self, within: Duration) {
        if let Some(binding) = self.bindings.first_mut() {
            binding.claim = ClaimWindow::OpenUntil((EPOCH + within).into());
        }
    }

    /// Replaces the attributes of the first binding.
    pub fn attributes(&mut self, with: &[(&str, &str)]) {
        let (redirect, to) = {
            let old = self.bindings.remove(0);
            (old.key.redirect_did.to_string(), old.destination_did.to_string())
        };
        self.bind(&redirect, None, &to, with);
        self.bindings.rotate_right(1);
    }

    pub(crate) fn build(self, dice: &mut Dice) -> Built {
        let directory = Directory::new(self.endpoints, self.groups, self.dids);
        let directory = Arc::new(directory.expect("a test names what is there"));
        let table = Arc::new(BindingTable::with_capacity(16));
        for binding in self.bindings {
            table.insert(Arc::new(binding), EPOCH).expect("a test binds a number once");
        }
        let gate = Arc::new(Gate::new(self.gate));
        let media = Arc::new(UnboundPorts::new(self.media_ports));
        let ports = Ports {
            bindings: table.clone(),
            locations: Arc::new(ContactTable::new()),
            admission: gate.clone(),
            media: media.clone(),
        };
        let settings = Arc::new(self.settings);
        let engines = (0..self.shards)
            .map(|shard| {
                Engine::new(EngineSetup {
                    shard,
                    shards: self.shards,
                    settings: settings.clone(),
                    directory: directory.clone(),
                    ports: ports.clone(),
                    seed: dice.seed(),
                    epoch: EPOCH,
                })
            })
            .collect();
        Built { engines, table, gate, media, directory, ports }
    }
}

/// With media of ours only where a call needs it.
fn direct(mut settings: Settings) -> Settings {
    settings.media.mode = MediaMode::Direct;
    settings
}

/// What a stage becomes.
pub(crate) struct Built {
    pub(crate) engines: Vec<Engine>,
    pub(crate) table: Arc<BindingTable>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) media: Arc<UnboundPorts>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) ports: Ports,
}

/// Bytes of a text.
pub(crate) fn bytes_of(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
