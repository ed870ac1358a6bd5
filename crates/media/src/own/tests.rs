//! Nothing is sent to a media socket of ours; to another program's on this machine it is.

use core::net::Ipv4Addr;

use super::*;

#[test]
fn of_the_range_only_what_is_bound_is_ours_where_that_is_told() {
    let ours: IpAddr = [127, 0, 0, 1].into();
    let mut own = OwnSockets::new([ours].into(), 30_000..=30_099);
    let to = |port| SocketAddr::new(ours, port);
    assert!(!own.may_send_to(to(30_000)) && !own.may_send_to(to(30_099)));
    assert!(own.may_send_to(to(30_100)) && own.may_send_to("127.0.0.2:30000".parse().unwrap()));
    let mapped = "[::ffff:127.0.0.1]:30000".parse().unwrap();
    assert!(!own.may_send_to(mapped));
    let bound = Arc::new(PortSet::default());
    own.watch(bound.clone());
    assert!(own.may_send_to(to(30_000)));
    bound.insert(30_000);
    assert!(!own.may_send_to(to(30_000)) && own.may_send_to(to(30_002)));
}

#[test]
fn says_where_nothing_may_go() {
    let own = OwnSockets::new([IpAddr::V4(Ipv4Addr::LOCALHOST)].into(), 30_000..=30_999);
    for (address, expected) in [
        ("127.0.0.1:29999", true),
        ("127.0.0.1:30000", false),
        ("127.0.0.1:30999", false),
        ("127.0.0.1:31000", true),
        ("127.0.0.2:30000", true),
        ("[::ffff:127.0.0.1]:30000", false),
        ("0.0.0.0:4000", false),
        ("[::]:4000", false),
        ("255.255.255.255:4000", false),
        ("[::ffff:224.0.0.1]:4000", false),
        ("[ff02::1]:4000", false),
        ("192.0.2.1:0", false),
        ("192.0.2.1:4000", true),
        ("[2001:db8::1]:30000", true),
    ] {
        assert_eq!(own.may_send_to(address.parse().unwrap()), expected, "{address}");
    }
}
