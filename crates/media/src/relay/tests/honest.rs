//! A peer that says the truth over a network that does not treat it well, and a side whose hearing changes all the time.

use proptest::prelude::*;

use super::*;

/// What becomes of one of the peer's packets, which it sends every 20 ms: `None`: it is lost; else so many ms on the way.
type Way = Option<u8>;

#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Hear(u8),
    Dial,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![20 => Just(Change::Nothing), 2 => any::<u8>().prop_map(Change::Hear), 1 => Just(Change::Dial)]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![1 => Just(None), 12 => (0..15_u8).prop_map(Some), 1 => (0..60_u8).prop_map(Some)]
}

fn perform(world: &mut World, token: &mut u32, change: Change) {
    match change {
        Change::Nothing => {}
        Change::Dial => {
            world.order(Order::Dial { call: CALL, side: Side::A, digits: "7".into() });
        }
        Change::Hear(kind) => {
            *token += 1;
            let sound = play(*token, if kind & 8 == 0 { Repeat::Once } else { Repeat::Forever });
            let (hear, plays) = match kind & 7 {
                0 => (Hear::Nothing, false),
                1 => (Hear::Silence, false),
                2 | 3 => (Hear::Sound(sound), true),
                4 => (Hear::SoundThenPeer(sound), true),
                _ => (Hear::Peer, false),
            };
            world.hear(Side::A, hear);
            if plays {
                world.track(Side::A, *token, tone(Speech::Pcmu, 20, 30, 1));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_side_hears_is_one_stream_whatever_it_comes_from(
        steps in proptest::collection::vec((way(), change()), 50..400)
    ) {
        let formats = [format(0, Speech::Pcmu), event(101, 8000)];
        let mut world = World::joined(&formats, &formats);
        let mut bob = Talker::new(0, 6);
        let began = world.now;
        let mut arrivals: Vec<(Duration, Header)> = Vec::new();
        for (at, (way, _)) in (0_u32..).zip(&steps) {
            let header = bob.next();
            if let Some(delay) = way {
                arrivals.push((MS * (20 * at + u32::from(*delay)), header));
            }
        }
        arrivals.sort_by_key(|arrival| arrival.0);
        let mut arrivals = arrivals.into_iter().peekable();
        let mut token = 0;
        for (at, (_, change)) in (1_u32..).zip(&steps) {
            let end = began + MS * (20 * at);
            while let Some((after, header)) = arrivals.next_if(|arrival| began + arrival.0 < end) {
                let wait = (began + after) - world.now;
                world.pass(wait);
                world.packet(Side::B, header, &[0x55; 160]);
            }
            let wait = end - world.now;
            world.pass(wait);
            perform(&mut world, &mut token, *change);
        }
        let figures = world.relay.figures(CALL).unwrap()[1];
        let mut heard = world.heard_by(Side::A);
        let Some(first) = heard.first().map(Sent::header) else { return Ok(()) };
        let place = |sent: &Sent| sent.header().sequence.wrapping_sub(first.sequence).cast_signed();
        heard.sort_by_key(place);
        let mut missing = 0;
        for (one, other) in heard.iter().zip(&heard[1..]) {
            let (before, after) = (one.header(), other.header());
            prop_assert_eq!(before.ssrc, after.ssrc);
            let ahead = after.sequence.wrapping_sub(before.sequence);
            prop_assert!(ahead >= 1, "a number twice");
            missing += u64::from(ahead - 1);
            let ticks = after.timestamp.wrapping_sub(before.timestamp).cast_signed();
            let is_event = before.payload_type == 101 && after.payload_type == 101;
            prop_assert!(ticks > 0 || (is_event && ticks == 0), "time goes back by {}", ticks);
        }
        // Packets that came too late for their place are lost to this side as well.
        prop_assert!(missing <= figures.lost + figures.reordered, "{} of {:?}", missing, figures);
        // The packets of an event have the timestamp of its beginning.
        let last = heard.iter().rfind(|sent| sent.header().payload_type == 0);
        let Some(last) = last else { return Ok(()) };
        let passed = (last.at - heard[0].at).as_millis() as i64 * 8;
        let told = i64::from(last.header().timestamp.wrapping_sub(first.timestamp));
        prop_assert!(told >= passed - 80 * 8, "{} ticks in the time of {}", told, passed);
    }
}
