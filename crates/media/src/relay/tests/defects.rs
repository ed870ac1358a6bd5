//! A panic costs the session that met it: the others go on without a gap, and it can be closed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Panics where one session sends; counts what another one sends.
struct Trap {
    of: SessionKey,
    others: usize,
}

impl Outlet for Trap {
    fn send(&mut self, from: Lane, _: SocketAddr, _: &[u8]) {
        assert_ne!(from.session, self.of, "on purpose");
        self.others += 1;
    }
}

#[test]
fn a_panic_costs_the_session_that_met_it_alone() {
    const OTHER: Sid = Sid::from_u128(8);
    // Both are woken at the same instants, whichever of them comes first.
    for defective in [CALL, OTHER] {
        let mut world = World::joined(&[format(0, Speech::Pcmu)], &[format(0, Speech::Pcmu)]);
        let ports = [MediaPort::new(30_004).unwrap(), MediaPort::new(30_006).unwrap()];
        let Opened::Session(other, _) = world.order(Order::Open { call: OTHER, ports }) else {
            panic!("a session begins");
        };
        let terms = Box::new(terms(Side::A, &[format(0, Speech::Pcmu)]));
        world.order(Order::Terms { call: OTHER, side: Side::A, terms });
        world.order(Order::Hear { call: OTHER, side: Side::A, hear: Hear::Silence });
        world.hear(Side::A, Hear::Silence);
        let of = if defective == CALL { world.session } else { other };
        let mut trap = Trap { of, others: 0 };
        let end = world.now + MS * 2000;
        let mut found = Vec::new();
        while let Some(at) = world.relay.next_deadline().filter(|at| *at < end) {
            let due = || world.relay.handle_deadline(at, &mut trap);
            if catch_unwind(AssertUnwindSafe(due)).is_err() {
                let call = world.relay.defective().unwrap();
                assert_eq!(world.relay.defective(), None, "told once");
                found.push(call);
                let closed = world.relay.order(at, Order::Close { call }, &mut Wire::default());
                assert!(matches!(closed, Opened::Closed(..)));
                world.relay.handle_deadline(at, &mut trap);
            }
        }
        assert_eq!(found, [defective]);
        // A packet each 20 ms.
        assert!((99..=101).contains(&trap.others), "{} packets", trap.others);
    }
}
