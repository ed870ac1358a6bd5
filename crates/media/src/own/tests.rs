//! Nothing is sent to a media socket of ours; to another program's on this machine it is.

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
