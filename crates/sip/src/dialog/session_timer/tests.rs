//! RFC 4028: Table 2 of §9, §7.2, §7.4, §10.

use super::super::testing::{request, response};
use super::{
    Negotiated, SessionTimer, SessionTimerSettings, TimerEvent, TimerOffer, TooSmall, TooSmallRetry,
};
use crate::{Refresher, Request, Response, SessionExpires};
use alloc::format;
use core::time::Duration;
use mediator_model::Instant;

const NOW: Instant = Instant::from_millis(5_000);
const SETTINGS: SessionTimerSettings = SessionTimerSettings { session_expires: 1800, min_se: 90 };

fn invite(lines: &str) -> Request {
    request(&format!(
        "INVITE sip:us@example.net SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\n\
         Max-Forwards: 70\n\
         From: <sip:them@example.com>;tag=them\n\
         To: <sip:us@example.net>\n\
         Call-ID: timer\n\
         CSeq: 1 INVITE\n\
         {lines}Content-Length: 0"
    ))
}

fn answer(status: u16, lines: &str) -> Response {
    response(&format!(
        "SIP/2.0 {status} Whatever\n\
         Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\n\
         From: <sip:us@example.net>;tag=us\n\
         To: <sip:them@example.com>;tag=them\n\
         Call-ID: timer\n\
         CSeq: 1 INVITE\n\
         {lines}Content-Length: 0"
    ))
}

fn uas(lines: &str) -> Negotiated {
    SessionTimer::new().negotiate_uas(&invite(lines), &SETTINGS).unwrap()
}

fn uac(lines: &str) -> Negotiated {
    let timer = SessionTimer::new();
    timer.negotiate_uac(&answer(200, lines), &timer.offer(&SETTINGS))
}

fn running(agreed: Negotiated) -> SessionTimer {
    let mut timer = SessionTimer::new();
    timer.start(NOW, agreed);
    timer
}

fn after(seconds: u64) -> Instant {
    NOW + Duration::from_secs(seconds)
}

#[test]
fn as_uas_the_refresher_is_that_of_table_2() {
    use Refresher::{Uac, Uas};
    for (lines, refresher, require) in [
        ("", Uas, false),
        ("Session-Expires: 1800\n", Uas, false),
        // "NA" in the table: a peer that does not know timers cannot be told to refresh.
        ("Session-Expires: 1800;refresher=uac\n", Uas, false),
        ("Supported: timer\n", Uac, true),
        ("Supported: timer\nSession-Expires: 1800\n", Uac, true),
        ("Supported: timer\nSession-Expires: 1800;refresher=uac\n", Uac, true),
        ("Supported: 100rel, timer\nx: 1800 ;refresher=uas\n", Uas, true),
    ] {
        let agreed = uas(lines);
        assert_eq!(agreed.session_expires().refresher, Some(refresher), "{lines}");
        assert_eq!(agreed.requires_timer(), require, "{lines}");
        assert_eq!(agreed.we_refresh(), refresher == Uas, "{lines}");
    }
}

#[test]
fn as_uas_the_interval_is_ours_within_what_the_peer_allows() {
    for (lines, seconds) in [
        ("", 1800),
        ("Supported: timer\nSession-Expires: 600\n", 600),
        ("Supported: timer\nSession-Expires: 7200\n", 1800),
        ("Supported: timer\nSession-Expires: 7200\nMin-SE: 3600\n", 3600),
        ("Supported: timer\nMin-SE: 2400\n", 2400),
        ("Supported: timer\nSession-Expires: 90\n", 90),
        ("Supported: timer\nSession-Expires: 4294967295\nMin-SE: 4294967295\n", 86_400),
        // A proxy's mistake that no 422 may answer.
        ("Session-Expires: 10\n", 90),
        ("Supported: timer\nSession-Expires: soon\n", 1800),
    ] {
        assert_eq!(uas(lines).session_expires().seconds, seconds, "{lines}");
    }
}

#[test]
fn as_uas_too_small_an_interval_gets_422_with_our_min_se() {
    let timer = SessionTimer::new();
    let strict = SessionTimerSettings { session_expires: 1800, min_se: 300 };
    for (settings, seconds, min_se) in [
        (SETTINGS, 89, Some(90)),
        (SETTINGS, 90, None),
        (strict, 299, Some(300)),
        (strict, 300, None),
    ] {
        let request = invite(&format!("Supported: timer\nSession-Expires: {seconds}\n"));
        let refused = timer.negotiate_uas(&request, &settings).err();
        assert_eq!(refused, min_se.map(|min_se| TooSmall { min_se }), "{seconds}");
    }
}

#[test]
fn settings_below_90_seconds_count_as_90() {
    let timer = SessionTimer::new();
    let settings = SessionTimerSettings { session_expires: 10, min_se: 5 };
    assert_eq!(timer.offer(&settings).session_expires.seconds, 90);
    let short = invite("Supported: timer\nSession-Expires: 60\n");
    assert_eq!(timer.negotiate_uas(&short, &settings), Err(TooSmall { min_se: 90 }));
}

#[test]
fn the_first_offer_leaves_the_refresher_open() {
    assert_eq!(
        SessionTimer::new().offer(&SETTINGS),
        TimerOffer {
            session_expires: SessionExpires { seconds: 1800, refresher: None },
            min_se: None
        }
    );
}

#[test]
fn as_uac_the_2xx_decides() {
    for (lines, seconds, we_refresh, one_sided) in [
        ("Require: timer\nSession-Expires: 1800;refresher=uac\n", 1800, true, false),
        ("Require: timer\nSession-Expires: 600;refresher=uas\n", 600, false, false),
        ("Session-Expires: 1200\n", 1200, true, false),
        ("", 1800, true, true),
        ("Session-Expires: never\n", 1800, true, true),
        // Against the RFC, but it is when the peer will hang up.
        ("Session-Expires: 3600;refresher=uas\n", 3600, false, false),
        ("Session-Expires: 1;refresher=uas\n", 90, false, false),
        ("Session-Expires: 4294967295;refresher=uas\n", 86_400, false, false),
    ] {
        let agreed = uac(lines);
        assert_eq!(agreed.interval(), Duration::from_secs(seconds), "{lines}");
        assert_eq!(agreed.we_refresh(), we_refresh, "{lines}");
        assert_eq!(agreed.is_one_sided(), one_sided, "{lines}");
    }
}

#[test]
fn our_refresh_is_due_at_half_the_interval() {
    let mut timer = running(uac("Session-Expires: 1800;refresher=uac\n"));
    assert_eq!(timer.next_deadline(), Some(after(900)));
    assert_eq!(timer.handle_deadline(after(899)), TimerEvent::None);
    assert_eq!(timer.handle_deadline(after(900)), TimerEvent::Refresh);
    assert_eq!(timer.handle_deadline(after(900)), TimerEvent::None, "once");
}

#[test]
fn our_refresh_restarts_the_interval() {
    let agreed = uac("Session-Expires: 1800;refresher=uac\n");
    let mut timer = running(agreed);
    timer.handle_deadline(after(900));
    timer.start(after(901), agreed);
    assert_eq!(timer.next_deadline(), Some(after(901 + 900)));
}

#[test]
fn a_session_that_we_cannot_refresh_expires() {
    let mut timer = running(uac("Session-Expires: 1800;refresher=uac\n"));
    assert_eq!(timer.handle_deadline(after(900)), TimerEvent::Refresh);
    assert_eq!(timer.next_deadline(), Some(after(1800)));
    assert_eq!(timer.handle_deadline(after(1800)), TimerEvent::Expired);
    assert_eq!(timer.next_deadline(), None);
    assert_eq!(timer.handle_deadline(after(9999)), TimerEvent::None);
}

#[test]
fn a_refresh_that_failed_is_tried_again_until_the_session_expires() {
    let mut timer = running(uac("Session-Expires: 100;refresher=uac\n"));
    assert_eq!(timer.handle_deadline(after(50)), TimerEvent::Refresh);
    timer.refresh_failed(after(60), Duration::from_secs(3));
    assert_eq!(timer.next_deadline(), Some(after(63)));
    assert_eq!(timer.handle_deadline(after(63)), TimerEvent::Refresh);
    timer.refresh_failed(after(64), Duration::from_hours(1));
    assert_eq!(timer.next_deadline(), Some(after(100)));
    assert_eq!(timer.handle_deadline(after(100)), TimerEvent::Expired);
}

#[test]
fn a_peer_that_does_not_refresh_gets_bye_32_seconds_or_a_third_before_the_end() {
    for (seconds, expires) in [(1800, 1768), (96, 64), (90, 60)] {
        let mut timer =
            running(uas(&format!("Supported: timer\nSession-Expires: {seconds};refresher=uac\n")));
        assert_eq!(timer.next_deadline(), Some(after(expires)), "{seconds}");
        assert_eq!(timer.handle_deadline(after(expires - 1)), TimerEvent::None);
        assert_eq!(timer.handle_deadline(after(expires)), TimerEvent::Expired);
    }
}

#[test]
fn a_peers_failure_to_refresh_is_not_put_off_by_ours() {
    let mut timer = running(uas("Supported: timer\nSession-Expires: 90;refresher=uac\n"));
    timer.refresh_failed(after(1), Duration::from_hours(1));
    assert_eq!(timer.next_deadline(), Some(after(60)));
}

#[test]
fn a_running_session_keeps_its_interval_and_its_refresher() {
    let timer = running(uac("Session-Expires: 600;refresher=uas\n"));
    let offer = timer.offer(&SETTINGS).session_expires;
    assert_eq!(offer, SessionExpires { seconds: 600, refresher: Some(Refresher::Uas) });
    let agreed = timer.negotiate_uas(&invite("Supported: timer\n"), &SETTINGS).unwrap();
    assert!(!agreed.we_refresh());

    let timer = running(uac("Session-Expires: 600;refresher=uac\n"));
    let offer = timer.offer(&SETTINGS).session_expires;
    assert_eq!(offer, SessionExpires { seconds: 600, refresher: Some(Refresher::Uac) });
    let agreed = timer.negotiate_uas(&invite("Supported: timer\n"), &SETTINGS).unwrap();
    assert!(agreed.we_refresh());
}

#[test]
fn a_422_raises_the_interval() {
    let mut timer = SessionTimer::new();
    assert_eq!(timer.handle_too_small(&answer(422, "Min-SE: 3600\n")), TooSmallRetry::Again);
    let offer = timer.offer(&SETTINGS);
    assert_eq!((offer.session_expires.seconds, offer.min_se), (3600, Some(3600)));
}

#[test]
fn a_422_that_asks_for_less_than_we_do_leaves_the_interval() {
    let mut timer = SessionTimer::new();
    assert_eq!(timer.handle_too_small(&answer(422, "Min-SE: 120\n")), TooSmallRetry::Again);
    let offer = timer.offer(&SETTINGS);
    assert_eq!((offer.session_expires.seconds, offer.min_se), (1800, Some(120)));
}

#[test]
fn gives_up_on_a_422_that_says_nothing_new_or_too_much() {
    for lines in ["", "Min-SE: x\n", "Min-SE: 0\n", "Min-SE: 86401\n"] {
        let mut timer = SessionTimer::new();
        assert_eq!(timer.handle_too_small(&answer(422, lines)), TooSmallRetry::GiveUp, "{lines}");
    }
    let mut timer = SessionTimer::new();
    timer.handle_too_small(&answer(422, "Min-SE: 3600\n"));
    assert_eq!(timer.handle_too_small(&answer(422, "Min-SE: 3600\n")), TooSmallRetry::GiveUp);
}

#[test]
fn gives_up_on_the_third_422_to_a_request() {
    let mut timer = SessionTimer::new();
    for (min_se, retry) in
        [(2000, TooSmallRetry::Again), (3000, TooSmallRetry::Again), (4000, TooSmallRetry::GiveUp)]
    {
        let refused = answer(422, &format!("Min-SE: {min_se}\n"));
        assert_eq!(timer.handle_too_small(&refused), retry, "{min_se}");
    }
    // The next request starts to count anew.
    assert_eq!(timer.handle_too_small(&answer(422, "Min-SE: 4000\n")), TooSmallRetry::Again);
}

#[test]
fn a_success_forgets_the_422_before_it() {
    let mut timer = SessionTimer::new();
    timer.handle_too_small(&answer(422, "Min-SE: 2000\n"));
    timer.handle_too_small(&answer(422, "Min-SE: 3000\n"));
    timer.start(NOW, uac("Session-Expires: 3000;refresher=uac\n"));
    assert_eq!(timer.handle_too_small(&answer(422, "Min-SE: 4000\n")), TooSmallRetry::Again);
}

#[test]
fn stops_at_the_end_of_the_call() {
    let mut timer = running(uac(""));
    timer.stop();
    assert_eq!(timer.next_deadline(), None);
    assert_eq!(timer.handle_deadline(after(99_999)), TimerEvent::None);
}

#[test]
fn is_small() {
    assert!(size_of::<SessionTimer>() <= 48, "{} bytes", size_of::<SessionTimer>());
}
