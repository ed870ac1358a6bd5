//! Every port is a member of its own.

use super::*;

#[test]
fn holds_what_was_added_and_nothing_else() {
    let ports = PortSet::default();
    let some = [0, 1, 63, 64, 30_000, 30_001, u16::MAX];
    for port in some {
        ports.insert(port);
    }
    let held: alloc::vec::Vec<u16> = (0..=u16::MAX).filter(|port| ports.contains(*port)).collect();
    assert_eq!(held, some);
    ports.remove(30_000);
    ports.remove(30_002);
    assert!(!ports.contains(30_000) && ports.contains(30_001) && !ports.contains(30_002));
}
