//! The order of trunks: by priority, then by weight.

use alloc::vec::Vec;

use mediator_model::{AllowForward, EndpointIndex, Sid, Trunk};

use super::{NoRoute, order_trunks};
use crate::dice::Dice;

fn trunks(all: &[(u16, u16)]) -> Vec<Trunk> {
    let trunk = |(at, (priority, weight)): (usize, &(u16, u16))| Trunk {
        sid: Sid::from_u128(at as u128),
        name: "t".into(),
        endpoint: EndpointIndex(0),
        priority: *priority,
        weight: *weight,
        in_capacity: None,
        out_capacity: None,
        allow_forward: AllowForward::Disabled,
    };
    all.iter().enumerate().map(trunk).collect()
}

#[test]
fn lower_priorities_come_first_and_every_trunk_comes_once() {
    let trunks = trunks(&[(2, 0), (0, 5), (1, 1), (0, 0), (2, 9)]);
    for seed in 0..100 {
        let ordered = order_trunks(&trunks, &mut Dice::new([seed; 32]));
        let priorities: Vec<u16> = ordered.iter().map(|at| trunks[*at].priority).collect();
        assert_eq!(priorities, [0, 0, 1, 2, 2]);
        let mut each: Vec<usize> = ordered.to_vec();
        each.sort_unstable();
        assert_eq!(each, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn within_a_priority_weight_is_the_share_of_first_places() {
    for (weights, share) in [((30, 10), 750), ((0, 0), 500), ((1, 0), 1000)] {
        let trunks = trunks(&[(0, weights.0), (0, weights.1)]);
        let mut dice = Dice::new([7; 32]);
        let firsts = (0..4000).filter(|_| order_trunks(&trunks, &mut dice)[0] == 0).count();
        assert!(firsts.abs_diff(share * 4) < 120, "{weights:?}: {firsts} of 4000");
    }
}

#[test]
fn each_dead_end_has_its_code() {
    for (no_route, status) in [
        (NoRoute::UnknownDid, 404),
        (NoRoute::NoBinding, 480),
        (NoRoute::NotRegistered, 480),
        (NoRoute::Loop, 482),
        (NoRoute::TooDeep, 483),
        (NoRoute::AllDead502, 502),
        (NoRoute::AllDead503, 503),
        (NoRoute::NoTrunk, 503),
    ] {
        assert_eq!(no_route.status(), status);
    }
}
