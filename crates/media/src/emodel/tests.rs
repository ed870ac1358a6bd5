//! Points of the curve that are known, and its direction everywhere.

use core::time::Duration;

use proptest::prelude::*;

use super::{delay, mos, score};

#[test]
fn has_the_known_points() {
    // G.107 annex B, and table 1 of G.109 for what people call them.
    for (rating, expected) in [
        (93.2, 4.41),
        (90.0, 4.34),
        (80.0, 4.02),
        (70.0, 3.60),
        (60.0, 3.10),
        (50.0, 2.58),
        (0.0, 1.0),
    ] {
        assert!((score(rating) - expected).abs() < 0.01, "R {rating} is {}", score(rating));
    }
    for (encoding, millis, loss, expected) in [
        ("PCMU", 0, 0.0, 4.41),
        ("PCMA", 100, 0.0, 4.36),
        ("PCMU", 400, 0.0, 3.05),
        ("PCMU", 20, 0.02, 4.25),
        ("PCMU", 20, 0.10, 3.39),
        ("G729", 20, 0.0, 4.10),
        ("opus", 20, 1.0, 1.19),
    ] {
        let found = mos(encoding, Duration::from_millis(millis), loss);
        assert!((found - expected).abs() < 0.05, "{encoding} {millis} ms {loss}: {found}");
    }
}

#[test]
fn delay_adds_up() {
    let found = delay(Some(Duration::from_millis(80)), 5.0, Duration::from_millis(20));
    assert_eq!(found, Duration::from_millis(40 + 20 + 10));
    assert_eq!(delay(None, f32::NAN, Duration::ZERO), Duration::ZERO);
}

proptest! {
    #[test]
    fn worse_is_never_better(millis in 0_u64..5000, more in 0_u64..1000, loss in -0.5_f32..1.5, extra in 0.0_f32..0.5, codec in 0_usize..6) {
        let encoding = ["PCMU", "G722", "opus", "G729", "AMR", "unknown"][codec];
        let good = mos(encoding, Duration::from_millis(millis), loss);
        let worse = mos(encoding, Duration::from_millis(millis + more), loss + extra);
        prop_assert!((1.0..=4.5).contains(&good));
        prop_assert!(worse <= good + 1e-4, "{} {}", worse, good);
    }
}
