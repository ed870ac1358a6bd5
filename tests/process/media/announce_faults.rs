//! Announcements that cannot be played, or must not be fetched: the call goes on, and soon.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::config::Config;
use mediator_tests::web::{Page, Web};
use serde_json::json;

use super::announce::loopback_allowed;
use super::studio::{ALICE, BOB, Studio, hear_each_other, prompt_wav};

/// A call whose announcement cannot be played: bob is called within `limit`, both talk, it is counted and the log names it.
fn goes_on(studio: &Studio, url: &str, limit: Duration) -> Result<()> {
    let failed = "mediator_sounds_unplayed_total";
    let before = studio.metric(failed).unwrap_or_default();
    let binding = studio.bind(&json!({ "announce": url }))?;
    let count = studio.bob.calls();
    let start = Instant::now();
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(count + 1)?;
    let took = start.elapsed();
    ensure!(took <= limit, "bob is called after {took:?}");
    leg_b.ring()?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    ensure!(studio.metric(failed)? > before, "not counted");
    let sid = binding["binding_sid"].as_str().unwrap_or_default();
    studio.mediator.delete(&format!("/bindings/{sid}"))?.gone()
}

/// The usual cast, with a web server and a short patience.
fn open(name: &str) -> Result<(Studio, Web)> {
    let fetch = "{ allow = [\"127.0.0.0/8\"], timeout = \"1s\", max_bytes = 1048576 }";
    let studio = Studio::open_with(name, |config| config.media("fetch", fetch))?;
    let web = studio.web()?;
    Ok((studio, web))
}

const SOON: Duration = Duration::from_millis(800);
const PATIENCE: Duration = Duration::from_millis(2500);

#[test]
fn what_is_not_there_or_is_no_audio_is_passed_over() -> Result<()> {
    let (studio, web) = open("faults_content")?;
    let garbage: Vec<u8> =
        (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut broken = prompt_wav()?;
    broken.truncate(30);
    let urls = [
        web.serve("/gone.wav", Page::Status(404)),
        web.serve("/broken.wav", Page::Status(500)),
        web.serve("/garbage.wav", Page::File(garbage.clone())),
        web.serve("/garbage.mp3", Page::File(garbage)),
        web.serve("/cut.wav", Page::File(broken)),
        web.serve("/empty.mp3", Page::File(Vec::new())),
        "missing.wav".to_owned(),
        "file:../mediator.toml".to_owned(),
        "http://127.0.0.1:1/nobody.wav".to_owned(),
    ];
    for url in urls {
        goes_on(&studio, &url, SOON).map_err(|error| error.context(url))?;
    }
    studio.close()
}

#[test]
fn a_redirect_loop_and_a_far_redirect_are_passed_over() -> Result<()> {
    let (studio, web) = open("faults_redirect")?;
    let url = web.serve("/a.wav", Page::Redirect("/b.wav".to_owned()));
    web.serve("/b.wav", Page::Redirect(url.clone()));
    goes_on(&studio, &url, SOON)?;
    let asked = web.asked().len();
    ensure!(asked <= 6, "asked {asked} times");
    let file = web.serve("/c.wav", Page::Redirect("file:///etc/passwd".to_owned()));
    goes_on(&studio, &file, SOON)?;
    studio.close()
}

#[test]
fn four_gigabytes_and_no_end_are_not_taken() -> Result<()> {
    let (studio, web) = open("faults_huge")?;
    let claimed = web.serve("/claimed.wav", Page::Announced(4 * 1024 * 1024 * 1024));
    goes_on(&studio, &claimed, SOON)?;
    let endless = web.serve("/endless.wav", Page::Endless);
    goes_on(&studio, &endless, PATIENCE)?;
    // What the kernel holds beside what is read.
    let sent = web.sent();
    ensure!(sent < 24 * 1024 * 1024, "{sent} bytes were taken");
    studio.close()
}

#[test]
fn a_slow_server_and_a_mute_one_are_given_up() -> Result<()> {
    let (studio, web) = open("faults_slow")?;
    let slow = web.serve("/slow.wav", Page::Slow(prompt_wav()?, Duration::from_secs(20)));
    goes_on(&studio, &slow, PATIENCE)?;
    let mute = web.serve("/mute.wav", Page::Mute);
    goes_on(&studio, &mute, PATIENCE)?;
    studio.close()
}

#[test]
fn a_caller_that_gives_up_while_it_is_fetched_is_heard() -> Result<()> {
    let studio = Studio::open_with("faults_cancel", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/mute.wav", Page::Mute);
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    leg_a.sees("a provisional response", |one| one.status().is_some())?;
    leg_a.cancel()?;
    ensure!(leg_a.outcome()?.status() == Some(487), "no 487");
    ensure!(studio.bob.calls() == 0, "bob was called");
    studio.close()
}

#[test]
fn private_addresses_are_asked_only_where_they_are_allowed() -> Result<()> {
    let studio = Studio::open("faults_private")?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    let signed = url.replace("http://", "http://alice:sesame@") + "?signature=abracadabra";
    goes_on(&studio, &signed, SOON)?;
    let port = url.rsplit(':').next().unwrap_or_default().to_owned();
    for host in ["localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]"] {
        goes_on(&studio, &format!("http://{host}:{port}"), PATIENCE)?;
    }
    ensure!(web.asked().is_empty(), "asked: {:?}", web.asked());
    let log = studio.server.log();
    ensure!(log.contains("media.fetch.allow"), "the remedy is not told: {log}");
    ensure!(
        !log.contains("sesame") && !log.contains("abracadabra"),
        "a secret is in the log: {log}"
    );
    studio.close()?;
    let narrow = |config: Config| config.media("fetch", "{ allow = [\"10.0.0.0/8\"] }");
    let studio = Studio::open_with("faults_narrow", narrow)?;
    goes_on(&studio, &url, SOON)?;
    ensure!(web.asked().is_empty(), "asked: {:?}", web.asked());
    studio.close()
}
