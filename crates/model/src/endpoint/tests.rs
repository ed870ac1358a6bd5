//! Addresses and blocks as they are written, and secrets that nothing prints.

use std::format;
use std::string::ToString;

use super::*;

fn block(text: &str) -> Cidr {
    text.parse().unwrap()
}

#[test]
fn a_block_holds_its_addresses_and_no_others() {
    for (cidr, inside, outside) in [
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("203.0.113.7/24", "203.0.113.255", "203.0.112.255"),
        ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
        ("203.0.113.128/25", "203.0.113.128", "203.0.113.127"),
        ("::/0", "2001:db8::1", "10.0.0.1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::1/128", "2001:db8::1", "2001:db8::2"),
        ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ("203.0.113.0/24", "::ffff:203.0.113.9", "::ffff:203.0.114.9"),
    ] {
        assert!(block(cidr).contains(inside.parse().unwrap()), "{cidr} {inside}");
        assert!(!block(cidr).contains(outside.parse().unwrap()), "{cidr} {outside}");
    }
}

#[test]
fn a_prefix_past_the_address_counts_as_the_whole_address() {
    let odd = Cidr { base: "203.0.113.7".parse().unwrap(), prefix: 200 };
    assert!(odd.contains("203.0.113.7".parse().unwrap()));
    assert!(!odd.contains("203.0.113.6".parse().unwrap()));
}

#[test]
fn a_block_is_written_as_it_is_read() {
    for text in ["0.0.0.0/0", "203.0.113.0/24", "2001:db8::/32", "::1/128"] {
        assert_eq!(block(text).to_string(), text);
    }
    for (text, why) in [
        ("203.0.113.0", CidrError::Malformed),
        ("carrier.example/24", CidrError::Malformed),
        ("203.0.113/24", CidrError::Malformed),
        ("203.0.113.0/33", CidrError::Prefix),
        ("2001:db8::/129", CidrError::Prefix),
        ("203.0.113.0/", CidrError::Prefix),
        ("203.0.113.0/+8", CidrError::Prefix),
        ("203.0.113.0/-1", CidrError::Prefix),
        ("203.0.113.0/256", CidrError::Prefix),
    ] {
        assert_eq!(text.parse::<Cidr>(), Err(why), "{text}");
    }
}

#[test]
fn a_direction_admits_what_it_says() {
    let both = |direction: Direction| (direction.admits_inbound(), direction.admits_outbound());
    assert_eq!(both(Direction::Any), (true, true));
    assert_eq!(both(Direction::Inbound), (true, false));
    assert_eq!(both(Direction::Outbound), (false, true));
}

#[test]
fn a_secret_is_never_printed() {
    let credentials =
        SipCredentials { username: "alice".into(), password: Secret::new("wonderland") };
    assert_eq!(credentials.password.expose(), "wonderland");
    let shown = format!("{credentials:?} {credentials:#?}");
    assert!(shown.contains("alice") && !shown.contains("wonderland"), "{shown}");
}

#[test]
fn a_port_left_out_is_the_transports() {
    let address = |port, transport| Address {
        direction: Direction::Any,
        host: AddressHost::Name("carrier.example".into()),
        port,
        transport,
        priority: 0,
        credentials: None,
    };
    assert_eq!(address(None, None).port_or_default(), 5060);
    assert_eq!(address(None, Some(Transport::Tls)).port_or_default(), 5061);
    assert_eq!(address(Some(5070), Some(Transport::Tls)).port_or_default(), 5070);
}
