//! Configurations for the server under test, written as an operator writes them.
//!
//! Each test names the objects it needs; the sockets, the memory store and (unless it says otherwise) relayed media
//! are the same for all. The text is TOML by hand, so that the server's own reader is not trusted twice.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use crate::stage::Transport;

/// The token of the Core API in every configuration.
pub const CORE_TOKEN: &str = "process-tests";

/// A configuration that grows object by object.
#[derive(Debug, Clone)]
pub struct Config {
    ip: Ipv4Addr,
    store: String,
    mode: Mode,
    sip: String,
    media: String,
    dialout: String,
    core: String,
    objects: String,
}

/// In which direction a carrier's address is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Calls come from there.
    Inbound,
    /// Calls go there.
    Outbound,
}

/// Who carries media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The server: neither side sees the other's address.
    Relay,
    /// The two sides send to each other.
    Direct,
}

impl Mode {
    /// As the configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Direct => "direct",
        }
    }
}

impl Config {
    /// SIP over UDP and TCP on port 5060 of `ip`, the API on its port 8080, nothing provisioned.
    pub fn new(ip: Ipv4Addr) -> Self {
        let (sip, media, dialout, core, objects) = Default::default();
        let store = "memory:".to_owned();
        Self { ip, store, mode: Mode::Relay, sip, media, dialout, core, objects }
    }

    /// Who carries media; the server unless it is set.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets a key of `[sip]`; `value` is TOML.
    #[must_use]
    pub fn sip(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.sip, "{key} = {value}");
        self
    }

    /// Sets a key of `[media]` beside the address, which is the server's, and the mode; `value` is TOML. Ports are
    /// 30000 to 39999 unless it is `port_range`.
    #[must_use]
    pub fn media(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.media, "{key} = {value}");
        self
    }

    /// Sets a key of `[dialout]`; `value` is TOML.
    #[must_use]
    pub fn dialout(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.dialout, "{key} = {value}");
        self
    }

    /// Sets a key of `[core]` beside the token, which is [`CORE_TOKEN`]; `value` is TOML.
    #[must_use]
    pub fn core(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.core, "{key} = {value}");
        self
    }

    /// Keeps objects in a store of its own instead of in memory.
    #[must_use]
    pub fn store(mut self, url: &str) -> Self {
        url.clone_into(&mut self.store);
        self
    }

    /// Adds a carrier that is known by its address.
    #[must_use]
    pub fn carrier(self, name: &str, address: SocketAddr, direction: Direction) -> Self {
        self.carrier_over(name, address, direction, Transport::Udp)
    }

    /// Adds a carrier that is known by its address, over a transport of choice.
    #[must_use]
    pub fn carrier_over(
        self,
        name: &str,
        address: SocketAddr,
        direction: Direction,
        transport: Transport,
    ) -> Self {
        let direction = match direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        };
        let transport = match transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let (ip, port) = (address.ip(), address.port());
        self.object(&format!(
            "[[endpoint]]\nname = \"{name}\"\ntype = \"system_gateway\"\naddresses = [{{ ip = \
             \"{ip}\", port = {port}, transport = \"{transport}\", direction = \"{direction}\" }}]"
        ))
    }

    /// Adds a mediator endpoint that owns `dids` and sends what is no DID here to `outbound`.
    #[must_use]
    pub fn masking(self, name: &str, dids: &[&str], outbound: &str) -> Self {
        let dids = list(dids);
        self.object(&format!(
            "[[endpoint]]\nname = \"{name}\"\ntype = \"mediator\"\nlogin = \"{name}\"\npassword = \
             \"{name}\"\ndids = {dids}\noutbound = \"{outbound}\""
        ))
    }

    /// Adds a phone that registers with `name` as user name and password.
    #[must_use]
    pub fn phone(self, name: &str, did: &str) -> Self {
        self.object(&format!(
            "[[endpoint]]\nname = \"{name}\"\ntype = \"third_party\"\nsip_username = \"{name}\"\n\
             sip_password = \"{name}\"\ndids = [\"{did}\"]"
        ))
    }

    /// Adds a trunk group that tries `endpoints` in order.
    #[must_use]
    pub fn trunk_group(self, name: &str, failure_codes: &str, endpoints: &[&str]) -> Self {
        let mut trunks = String::new();
        for (priority, endpoint) in endpoints.iter().enumerate() {
            let _ = write!(trunks, "{{ endpoint = \"{endpoint}\", priority = {priority} }}, ");
        }
        self.object(&format!(
            "[[trunk_group]]\nname = \"{name}\"\nsoft_failure_codes = \"{failure_codes}\"\ntrunks \
             = [{trunks}]"
        ))
    }

    /// Adds a binding of the mediator endpoint `masking` for any caller, that lasts; `attributes`
    /// is the inside of a TOML inline table.
    #[must_use]
    pub fn binding(self, redirect_did: &str, destination_did: &str, attributes: &str) -> Self {
        self.object(&format!(
            "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"{redirect_did}\"\n\
             destination_did = \"{destination_did}\"\nmaximum_ttl = -1\n\
             wait_origination_did_ttl = -1\nattributes = {{ {attributes} }}"
        ))
    }

    /// Adds any further tables, as TOML.
    #[must_use]
    pub fn object(mut self, toml: &str) -> Self {
        self.objects.push_str(toml);
        self.objects.push_str("\n\n");
        self
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let Self { ip, store, mode, sip, media, dialout, core, objects } = self;
        let mode = mode.name();
        let default = "port_range = \"30000-39999\"\n";
        let ports = if media.contains("port_range") { "" } else { default };
        format!(
            "[sip]\nlisten = [\"udp:{ip}:5060\", \"tcp:{ip}:5060\"]\n{sip}\n[media]\n\
             listen_address = \"{ip}\"\n{ports}mode = \"{mode}\"\n{media}\n[dialout]\n{dialout}\n\
             [api]\nlisten = \"{ip}:8080\"\n\n[core]\ntoken = \"{CORE_TOKEN}\"\n{core}\n\
             [store]\nurl = \"{store}\"\n\n{objects}"
        )
    }
}

/// A TOML list of strings.
fn list(items: &[&str]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", quoted.join(", "))
}
