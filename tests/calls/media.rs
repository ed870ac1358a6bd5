//! Media through us: whose it is, what of it crosses, and when a call without it ends. Contract section 2.

use std::net::SocketAddr;

use mediator_call::Originator;
use mediator_sim::{CALLED, Media, Move, Party, REDIRECT, Sim, Stage, What};

use crate::support::{
    ALICE, BOB, connect, ends_well, millis, relayed, seconds, speaking, speaking_on,
};

const VOICE_A: What = What::Voice(Party::A);
const VOICE_B: What = What::Voice(Party::B);

/// What somebody hears in their first call.
fn order(sim: &mut Sim, who: usize) -> Vec<What> {
    sim.ua(who).talk(0).order()
}

/// What somebody has heard in the last so many milliseconds.
fn lately(sim: &mut Sim, who: usize, span: u64) -> Vec<What> {
    let from = sim.now().as_millis().saturating_sub(span);
    sim.ua(who).talk(0).since(mediator_model::Instant::from_millis(from))
}

/// Both fall silent, and what is under way arrives.
fn hush(sim: &mut Sim) {
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.voice = false;
    }
    sim.run_for(millis(500));
}

#[test]
fn each_side_hears_the_other_and_sees_our_address_alone() {
    let mut sim = speaking(1);
    connect(&mut sim);
    sim.run_for(seconds(10));
    assert_eq!(order(&mut sim, ALICE), [VOICE_B]);
    assert_eq!(order(&mut sim, BOB), [VOICE_A]);
    for who in [ALICE, BOB] {
        let sdp = sim.ua(who).calls[0].dialogs[0].heard[0].clone();
        assert!(sdp.contains("c=IN IP4 10.0.0.1"), "{sdp}");
        let talk = sim.ua(who).talk(0);
        assert!(talk.heard.len() > 500, "{}", talk.heard.len());
        assert_eq!((talk.sources(), talk.missing()), (1, 0));
        assert!(talk.longest_gap() <= millis(25), "{:?}", talk.longest_gap());
        let ports: Vec<u16> = talk.heard.iter().map(|heard| heard.from.port()).collect();
        assert!(ports.windows(2).all(|pair| pair[0] == pair[1]));
        assert!(talk.heard.iter().all(|heard| heard.from.ip().to_string() == "10.0.0.1"));
    }
    assert_eq!(sim.media_ports_used(), 2);
    ends_well(&mut sim);
}

#[test]
fn reports_are_our_own_and_say_goodbye() {
    use mediator_media::rtcp::Part;
    let mut sim = speaking(1);
    sim.media_net.delay(40, 41);
    connect(&mut sim);
    sim.run_for(seconds(30));
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(2));
    for who in [ALICE, BOB] {
        let talk = sim.ua(who).talk(0).clone();
        let source = talk.heard[0].ssrc;
        let senders = |part: &&Part| matches!(part, Part::Sender { ssrc, .. } if *ssrc == source);
        let senders = talk.reports.iter().filter(senders).count();
        assert!((3..=14).contains(&senders), "{senders} in 30 s");
        assert!(talk.reports.contains(&Part::Bye { ssrc: source }), "{:?}", talk.reports);
    }
    ends_well(&mut sim);
    for leg in sim.records[0].figures.as_deref().copied().unwrap() {
        let round_trip = leg.round_trip.unwrap().as_millis();
        assert!((75..=120).contains(&round_trip), "{round_trip} ms there and back");
    }
}

#[test]
fn reports_share_the_port_with_who_offers_it() {
    use mediator_media::rtcp::Part;
    for mux in [[true, false], [false, true], [true, true]] {
        let mut sim = speaking(1);
        for who in [ALICE, BOB] {
            sim.ua(who).quirks.mux = mux[who];
        }
        connect(&mut sim);
        sim.run_for(seconds(30));
        for (who, rtp) in [(ALICE, 6000), (BOB, 7000)] {
            let talk = sim.ua(who).talk(0).clone();
            // The called side is not offered it.
            let port = if mux[who] && who == ALICE { rtp } else { rtp + 1 };
            assert_eq!(
                talk.reported_at.iter().copied().collect::<Vec<_>>(),
                [port],
                "{mux:?} {who}"
            );
            let blocks = talk.reports.iter().filter(|part| matches!(part, Part::Block { .. }));
            assert!(blocks.count() >= 3, "what it sends is reported, too");
        }
        ends_well(&mut sim);
    }
}

#[test]
fn what_is_no_media_is_not_passed_on() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.voice = false;
    connect(&mut sim);
    let rtp = sim.ua(ALICE).described(0).unwrap().rtp.unwrap();
    let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
    let before = sim.ua(BOB).talk(0).heard.len();
    let mut dice = mediator_sim::Dice::new(5);
    for number in 0..500_u16 {
        let length = dice.below(200) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| dice.next_u64() as u8).collect();
        // Half of them look like RTP or RTCP of the version.
        if number % 2 == 0
            && let Some(first) = bytes.first_mut()
        {
            *first = *first & 0x3F | 0x80;
        }
        // The payload types that were agreed on are media.
        if let Some(second) = bytes.get_mut(1)
            && matches!(*second & 0x7F, 0 | 8 | 101)
        {
            *second += 1;
        }
        sim.inject("192.0.2.1:6000", rtp, &bytes);
        sim.inject("192.0.2.1:6001", rtcp, &bytes);
        sim.run_for(millis(5));
    }
    assert_eq!(sim.ua(BOB).talk(0).heard.len(), before);
    assert!(sim.media_counters().malformed > 50);
    sim.ua(ALICE).quirks.voice = true;
    sim.run_for(seconds(1));
    assert_eq!(lately(&mut sim, BOB, 500), [VOICE_A]);
    ends_well(&mut sim);
}

#[test]
fn each_side_keeps_its_own_payload_types() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.formats =
        Some(&[(97, "iLBC/8000"), (8, "PCMA/8000"), (100, "telephone-event/8000")]);
    sim.ua(BOB).quirks.formats =
        Some(&[(110, "iLBC/8000"), (98, "telephone-event/8000"), (8, "PCMA/8000")]);
    connect(&mut sim);
    sim.run_for(seconds(1));
    for (who, voice, key) in [(ALICE, 97, 100), (BOB, 110, 98)] {
        let other = ALICE + BOB - who;
        sim.ua(other).act(0, Move::Key('7'));
        sim.run_for(seconds(1));
        let talk = sim.ua(who).talk(0);
        assert_eq!(talk.keys(), "7");
        for heard in &talk.heard {
            let expected = if heard.what == What::Key('7') { key } else { voice };
            assert_eq!(heard.payload_type, expected, "{heard:?}");
        }
        let event: Vec<_> = talk.heard.iter().filter_map(|heard| heard.event).collect();
        assert_eq!(event.last(), Some(&(800, true)));
        assert_eq!((talk.sources(), talk.missing()), (1, 0));
    }
    ends_well(&mut sim);
}

#[test]
fn the_two_laws_of_g711_are_rewritten_into_each_other() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.formats = Some(&[(0, "PCMU/8000"), (101, "telephone-event/8000")]);
    sim.ua(BOB).quirks.formats = Some(&[(8, "PCMA/8000"), (101, "telephone-event/8000")]);
    connect(&mut sim);
    sim.run_for(seconds(2));
    assert_eq!((order(&mut sim, ALICE), order(&mut sim, BOB)), (vec![VOICE_B], vec![VOICE_A]));
    assert!(sim.ua(ALICE).talk(0).heard.iter().all(|heard| heard.encoding == "PCMU"));
    assert!(sim.ua(BOB).talk(0).heard.iter().all(|heard| heard.encoding == "PCMA"));
    sim.ua(ALICE).act(0, Move::Key('#'));
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).talk(0).keys(), "#");
    ends_well(&mut sim);
}

#[test]
fn no_common_codec_is_488() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.formats = Some(&[(97, "iLBC/8000")]);
    sim.ua(BOB).quirks.formats = Some(&[(8, "PCMA/8000")]);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(5));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(488));
    assert_eq!(sim.ua(BOB).confirmed(), 0);
    ends_well(&mut sim);
}

#[test]
fn who_is_held_hears_nothing_until_the_call_is_resumed() {
    for who in [ALICE, BOB] {
        for hold in [Media::Hold, Media::Inactive, Media::OldHold] {
            let mut sim = speaking(1);
            connect(&mut sim);
            let other = ALICE + BOB - who;
            sim.ua(who).act(0, Move::Reinvite(hold));
            sim.run_for(seconds(1));
            let sdp = sim.ua(other).calls[0].dialogs[0].heard.last().cloned().unwrap();
            assert!(!sdp.contains("0.0.0.0") && !sdp.contains("a=sendrecv"), "{hold:?} {sdp}");
            sim.run_for(seconds(90));
            assert_eq!(sim.ua(who).confirmed(), 1, "a call on hold has no media timeout");
            assert!(lately(&mut sim, who, 80_000).is_empty(), "{hold:?}");
            sim.ua(who).act(0, Move::Reinvite(Media::Active));
            sim.run_for(seconds(1));
            for who in [ALICE, BOB] {
                assert_eq!(lately(&mut sim, who, 500).len(), 1, "{who} {hold:?}");
                assert_eq!(sim.ua(who).talk(0).sources(), 1);
            }
            ends_well(&mut sim);
        }
    }
}

#[test]
fn who_is_on_hold_hears_nothing_of_a_peer_that_does_not_heed_it() {
    for who in [ALICE, BOB] {
        for hold in [Media::Hold, Media::Inactive, Media::OldHold] {
            let mut sim = speaking(1);
            let other = ALICE + BOB - who;
            sim.ua(other).quirks.heedless = true;
            connect(&mut sim);
            sim.ua(who).act(0, Move::Reinvite(hold));
            sim.run_for(seconds(5));
            assert!(lately(&mut sim, who, 3000).is_empty(), "{hold:?}");
            sim.ua(who).act(0, Move::Reinvite(Media::Active));
            sim.run_for(seconds(1));
            assert_eq!(lately(&mut sim, who, 500).len(), 1, "{hold:?}");
            assert_eq!(sim.ua(who).talk(0).sources(), 1);
            ends_well(&mut sim);
        }
    }
}

#[test]
fn another_codec_and_address_take_the_media_along() {
    for who in [ALICE, BOB] {
        let mut sim = speaking(1);
        connect(&mut sim);
        let other = ALICE + BOB - who;
        sim.ua(who).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(1));
        assert_eq!(lately(&mut sim, who, 500).len(), 1, "{who} is heard and hears");
        assert_eq!(lately(&mut sim, other, 500).len(), 1, "{who} is heard and hears");
        let last = sim.ua(who).talk(0).heard.last().cloned().unwrap();
        assert_eq!(last.encoding, "PCMA");
        for who in [ALICE, BOB] {
            let talk = sim.ua(who).talk(0);
            assert_eq!(talk.sources(), 1);
            assert!(talk.missing() < 5, "{} packets are missing", talk.missing());
        }
        ends_well(&mut sim);
    }
}

#[test]
fn a_late_offer_gets_its_media_through() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.late_offer = true;
    connect(&mut sim);
    sim.run_for(seconds(1));
    assert_eq!((order(&mut sim, ALICE), order(&mut sim, BOB)), (vec![VOICE_B], vec![VOICE_A]));
    sim.ua(BOB).act(0, Move::LateReinvite);
    sim.run_for(seconds(1));
    assert_eq!(lately(&mut sim, ALICE, 500), [VOICE_B]);
    assert_eq!(lately(&mut sim, BOB, 500), [VOICE_A]);
    ends_well(&mut sim);
}

#[test]
fn early_media_is_heard_before_the_answer() {
    for reliable in [false, true] {
        let mut sim = speaking(1);
        sim.ua(ALICE).quirks.supports_100rel = reliable;
        sim.ua(BOB).quirks.early_voice = true;
        let ring = Move::Ring { status: 183, fork: 0, sdp: true, reliable };
        sim.ua(BOB).script = vec![(millis(20), ring), (seconds(5), Move::Answer { fork: 0 })];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(4));
        assert_eq!(sim.ua(ALICE).confirmed(), 0);
        assert_eq!(order(&mut sim, ALICE), [VOICE_B], "reliable: {reliable}");
        sim.run_for(seconds(3));
        assert_eq!(order(&mut sim, BOB), [VOICE_A]);
        let talk = sim.ua(ALICE).talk(0);
        assert_eq!((talk.sources(), talk.missing()), (1, 0));
        ends_well(&mut sim);
    }
}

#[test]
fn the_next_trunk_goes_on_in_the_same_stream() {
    let mut stage = relayed();
    stage.way_out(2, 1, 0);
    let mut sim = speaking_on(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    let early = |status| Move::Ring { status, fork: 0, sdp: true, reliable: false };
    for who in [BOB, carol] {
        sim.ua(who).quirks.voice = true;
        sim.ua(who).quirks.early_voice = true;
    }
    let busy = Move::Refuse { status: 503, headers: Vec::new() };
    sim.ua(BOB).script = vec![(millis(20), early(183)), (seconds(2), busy)];
    sim.ua(carol).script = vec![(millis(20), early(183)), (seconds(2), Move::Answer { fork: 0 })];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(6));
    assert_eq!((sim.ua(BOB).confirmed(), sim.ua(carol).confirmed()), (0, 1));
    assert!(sim.ua(carol).talk(0).heard.len() > 80, "carol hears alice");
    assert_eq!(sim.ua(BOB).talk(0).heard.len(), 0);
    let talk = sim.ua(ALICE).talk(0).clone();
    assert_eq!((talk.order(), talk.sources(), talk.missing()), (vec![VOICE_B], 1, 0));
    assert!(talk.heard.len() > 250, "alice hears both, one after the other");
    ends_well(&mut sim);
}

#[test]
fn the_fork_that_answers_is_heard_from_then_on() {
    for reliable in [false, true] {
        let mut sim = speaking(1);
        sim.ua(ALICE).quirks.supports_100rel = reliable;
        sim.ua(BOB).quirks.early_voice = true;
        let early = |fork| Move::Ring { status: 183, fork, sdp: true, reliable };
        sim.ua(BOB).script = vec![
            (millis(20), early(0)),
            (millis(700), early(1)),
            (seconds(3), Move::Answer { fork: 1 }),
        ];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(6));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        assert_eq!(lately(&mut sim, ALICE, 500), [VOICE_B]);
        assert_eq!(lately(&mut sim, BOB, 500), [VOICE_A]);
        let talk = sim.ua(ALICE).talk(0);
        assert_eq!((talk.sources(), talk.missing()), (1, 0));
        ends_well(&mut sim);
    }
}

#[test]
fn who_sends_from_behind_a_nat_is_answered_there() {
    for who in [ALICE, BOB] {
        for nat in ["10.1.0.1", "10.2.0.1", "203.0.113.9"] {
            let mut sim = speaking(1);
            sim.ua(who).quirks.nat = Some(nat.parse().unwrap());
            connect(&mut sim);
            sim.run_for(seconds(5));
            let other = ALICE + BOB - who;
            let voice = [VOICE_A, VOICE_B];
            assert_eq!(order(&mut sim, who), [voice[other]], "{who} behind {nat}");
            assert_eq!(order(&mut sim, other), [voice[who]], "{who} behind {nat}");
            let talk = sim.ua(who).talk(0);
            assert!(talk.heard.len() > 200, "{who} behind {nat}: {}", talk.heard.len());
            ends_well(&mut sim);
        }
    }
}

/// An RTP packet of a stranger.
fn forged(number: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 0];
    bytes.extend(number.to_be_bytes());
    bytes.extend((u32::from(number) * 160).to_be_bytes());
    bytes.extend(*b"evil");
    bytes.extend([0xAA; 160]);
    bytes
}

#[test]
fn media_of_strangers_is_refused_and_counted() {
    let mut sim = speaking(1);
    connect(&mut sim);
    let port: SocketAddr = sim.ua(ALICE).described(0).unwrap().rtp.unwrap();
    for number in 0..100 {
        sim.inject("198.51.100.66:4444", port, &forged(number));
        // The right host is not enough while the right source is heard.
        sim.inject("192.0.2.1:4444", port, &forged(number));
        sim.inject("198.51.100.66:4445", SocketAddr::new(port.ip(), port.port() + 1), b"\x80\xc8");
        sim.run_for(millis(20));
    }
    sim.run_for(seconds(1));
    assert_eq!(order(&mut sim, BOB), [VOICE_A]);
    assert_eq!(sim.ua(BOB).talk(0).missing(), 0);
    let strange = |it: &&(_, SocketAddr, Vec<u8>)| it.1.ip().to_string() == "198.51.100.66";
    assert_eq!(sim.strangers.iter().filter(strange).count(), 0, "nothing is sent to a stranger");
    ends_well(&mut sim);
    assert_eq!(sim.records[0].figures.as_deref().copied().unwrap()[0].refused, 200);
}

#[test]
fn a_stranger_who_is_first_gives_way_to_the_peer() {
    let mut sim = speaking(1);
    sim.ua(ALICE).quirks.voice = false;
    connect(&mut sim);
    let port: SocketAddr = sim.ua(ALICE).described(0).unwrap().rtp.unwrap();
    for number in 0..50 {
        sim.inject("198.51.100.66:4444", port, &forged(number));
        sim.run_for(millis(20));
    }
    sim.ua(ALICE).quirks.voice = true;
    sim.run_for(seconds(1));
    let sent = sim.strangers.len();
    for number in 50..100 {
        sim.inject("198.51.100.66:4444", port, &forged(number));
        sim.run_for(millis(20));
    }
    assert_eq!(lately(&mut sim, BOB, 900), [VOICE_A]);
    assert_eq!(lately(&mut sim, ALICE, 900), [VOICE_B]);
    assert_eq!(sim.strangers.len(), sent);
    ends_well(&mut sim);
}

#[test]
fn what_is_lost_or_late_on_one_side_is_so_on_the_other_and_in_the_record() {
    let mut sim = speaking(7);
    connect(&mut sim);
    sim.media_net.loss(10).delay(5, 60);
    sim.run_for(seconds(60));
    hush(&mut sim);
    let sent = sim.ua(ALICE).talk(0).sent;
    let heard = sim.ua(BOB).talk(0).clone();
    assert_eq!(heard.sources(), 1);
    // Lost on the way to us, and again on the way to Bob.
    let missing = heard.missing() * 100 / sent as usize;
    assert!((15..23).contains(&missing), "{missing} %");
    ends_well(&mut sim);
    let [a, b] = sim.records[0].figures.as_deref().copied().unwrap();
    for (leg, sent) in [(a, sent), (b, sim.ua(BOB).talk(0).sent)] {
        assert_eq!(leg.packets + leg.lost, sent, "{leg:?}");
        assert!((7..13).contains(&(leg.lost * 100 / sent)), "{leg:?}");
        assert!(leg.reordered > 100, "{leg:?}");
        assert!((3.0..40.0).contains(&leg.jitter_ms), "{leg:?}");
        assert!((2.0..4.2).contains(&leg.mos.unwrap()), "{leg:?}");
    }
    assert_eq!(a.packets_sent, b.packets);
}

#[test]
fn a_good_call_has_good_figures() {
    let mut sim = speaking(1);
    connect(&mut sim);
    sim.run_for(seconds(30));
    hush(&mut sim);
    ends_well(&mut sim);
    for (who, leg) in
        [ALICE, BOB].into_iter().zip(sim.records[0].figures.as_deref().copied().unwrap())
    {
        let talk = sim.ua(who).talk(0);
        assert_eq!((leg.packets, leg.packets_sent), (talk.sent, talk.heard.len() as u64));
        assert_eq!((leg.bytes, leg.lost, leg.reordered), (talk.sent * 160, 0, 0));
        assert!(leg.jitter_ms < 1.0 && leg.mos.unwrap() > 4.3, "{leg:?}");
    }
}

#[test]
fn a_call_without_media_ends_after_the_timeout_and_not_before() {
    let mut stage = relayed();
    stage.settings.media.timeout = seconds(20);
    let mut sim = Sim::new(1, stage);
    crate::support::cast(&mut sim);
    let at = sim.now();
    sim.ua(BOB).script = vec![
        (millis(20), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
        (seconds(40), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(58));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1), "from answer on");
    sim.run_for(seconds(5));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (0, 0));
    assert!(sim.now() - at < seconds(64));
    for who in [ALICE, BOB] {
        let dialog = sim.ua(who).calls[0].dialogs[0].clone();
        assert!(dialog.bye_received);
        assert!(dialog.bye_reason.is_some_and(|reason| reason.contains("cause=408")));
    }
    assert_eq!(sim.records[0].disconnect_originator, Originator::System);
    ends_well(&mut sim);
}

#[test]
fn media_of_either_side_keeps_a_call_up() {
    for who in [ALICE, BOB] {
        let mut sim = speaking(1);
        sim.ua(ALICE + BOB - who).quirks.voice = false;
        connect(&mut sim);
        sim.run_for(seconds(150));
        assert_eq!(sim.ua(who).confirmed(), 1);
        sim.ua(who).quirks.voice = false;
        sim.run_for(seconds(70));
        assert_eq!(sim.ua(who).confirmed(), 0);
        ends_well(&mut sim);
    }
}

#[test]
fn ports_are_given_back_however_a_call_ends() {
    type Prepare = fn(&mut Sim);
    let endings: [(&str, Prepare); 8] = [
        ("BYE of the caller", |sim| sim.ua(ALICE).later(0, seconds(2), Move::Bye)),
        ("BYE of the called", |sim| sim.ua(BOB).script.push((seconds(2), Move::Bye))),
        ("CANCEL while it rings", |sim| {
            sim.ua(BOB).script.truncate(1);
            sim.ua(ALICE).later(0, seconds(2), Move::Cancel);
        }),
        ("busy", |sim| {
            sim.ua(BOB).refuses(486);
        }),
        ("unavailable", |sim| {
            sim.ua(BOB).refuses(503);
        }),
        ("silence", |sim| sim.ua(BOB).quirks.silent = true),
        ("nobody answers", |sim| sim.ua(BOB).script.truncate(1)),
        ("CANCEL that crosses the answer", |sim| {
            sim.ua(ALICE).later(0, millis(505), Move::Cancel);
        }),
    ];
    for (name, prepare) in endings {
        let mut sim = speaking(1);
        sim.ua(ALICE).invite(REDIRECT);
        prepare(&mut sim);
        sim.run_for(millis(100));
        if name != "busy" && name != "unavailable" {
            assert_eq!(sim.media_ports_used(), 2, "{name}");
        }
        sim.run_for(seconds(200));
        assert_eq!(sim.media_ports_used(), 0, "{name}");
        ends_well(&mut sim);
    }
}

#[test]
fn without_a_port_a_call_gets_503_and_a_time() {
    let mut stage = relayed();
    // Two pairs: one call.
    stage.media_ports = 30_000..=30_003;
    let mut sim = Sim::new(1, stage);
    crate::support::cast(&mut sim);
    connect(&mut sim);
    let second = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    let answer = sim.ua(ALICE).calls[second].answer.clone().unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.header("Retry-After").is_some(), "{answer:?}");
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(40));
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).confirmed(), 1, "ports that came back are used again");
    ends_well(&mut sim);
}

#[test]
fn where_media_goes_directly_no_port_is_taken() {
    let mut sim = Sim::new(1, Stage::usual());
    crate::support::cast(&mut sim);
    for who in [ALICE, BOB] {
        sim.ua(who).quirks.voice = true;
        sim.ua(who).quirks.plain = true;
    }
    connect(&mut sim);
    sim.run_for(seconds(2));
    assert_eq!((sim.media_ports_used(), sim.media_orders.len()), (0, 0));
    assert_eq!((order(&mut sim, ALICE), order(&mut sim, BOB)), (vec![VOICE_B], vec![VOICE_A]));
    assert_eq!(sim.media_counters().packets, 0);
    ends_well(&mut sim);
}

#[test]
fn calls_do_not_hear_each_other() {
    let mut sim = speaking(1);
    sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(BOB).confirmed(), 2);
    assert_eq!(sim.media_ports_used(), 4);
    for call in 0..2 {
        for who in [ALICE, BOB] {
            let talk = sim.ua(who).talk(call);
            assert_eq!((talk.sources(), talk.missing()), (1, 0));
            assert!(talk.heard.len() > 100);
        }
    }
    ends_well(&mut sim);
    let figures: Vec<_> =
        sim.records.iter().map(|record| record.figures.as_deref().copied().unwrap()).collect();
    assert_eq!(figures.len(), 2);
}
