//! Transports by their names.

use std::string::ToString;

use super::*;

#[test]
fn names_each_transport_as_via_uri_and_config_write_it() {
    for (transport, via, uri, port, reliable) in [
        (Transport::Udp, "UDP", "udp", 5060, false),
        (Transport::Tcp, "TCP", "tcp", 5060, true),
        (Transport::Tls, "TLS", "tls", 5061, true),
        (Transport::Ws, "WS", "ws", 80, true),
        (Transport::Wss, "WSS", "wss", 443, true),
    ] {
        assert_eq!(transport.via_token(), via);
        assert_eq!(transport.uri_token(), uri);
        assert_eq!(transport.to_string(), uri);
        assert_eq!(transport.default_port(), port);
        assert_eq!(transport.is_reliable(), reliable);
        assert_eq!(Transport::from_token(via), Some(transport));
        assert_eq!(Transport::from_token(uri), Some(transport));
    }
    assert_eq!(Transport::from_token("sctp"), None);
    assert_eq!(Transport::from_token(""), None);
}
