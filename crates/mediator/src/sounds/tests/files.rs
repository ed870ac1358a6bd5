//! Files of the media folder, what stands in for them, and what is kept of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use mediator_model::Number;
use tempfile::TempDir;

use super::super::tracks::Tracks;
use super::*;

#[tokio::test]
async fn plays_files_of_the_folder_and_of_nowhere_else() {
    let (outside, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(outside.path().join("secret.wav"), wav(500)).unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a b.wav"), wav(500)).unwrap();
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("sub/c.wav"), wav(500)).unwrap();
    symlink(at("a b.wav"), at("inside.wav")).unwrap();
    symlink(outside.path().join("secret.wav"), at("link.wav")).unwrap();
    symlink(outside.path(), at("linked")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    fs::File::create(at("large.wav")).unwrap().set_len(4 << 30).unwrap();
    fs::write(at("text.wav"), "no audio at all").unwrap();
    let secret = outside.path().join("secret.wav").display().to_string();
    let unfetched = Err(SoundFailure::Unfetched);
    let rows = [
        ("a b.wav".to_owned(), Ok(500)),
        ("file:///a%20b.wav".to_owned(), Ok(500)),
        ("sub/c.wav".to_owned(), Ok(500)),
        (format!("file://{}", at("sub/c.wav").display()), Ok(500)),
        (format!("file:{}", at("sub/c.wav").display()), Ok(500)),
        (format!("file://{}", at("link.wav").display()), unfetched),
        ("inside.wav".to_owned(), Ok(500)),
        ("link.wav".to_owned(), unfetched),
        ("linked/secret.wav".to_owned(), unfetched),
        (format!("file:{secret}"), unfetched),
        (secret, unfetched),
        ("sub/../../x.wav".to_owned(), unfetched),
        ("missing.wav".to_owned(), unfetched),
        ("sub".to_owned(), unfetched),
        ("pipe".to_owned(), unfetched),
        ("large.wav".to_owned(), unfetched),
        ("text.wav".to_owned(), Err(SoundFailure::Undecoded)),
    ];
    let sounds = service(folder.path(), "");
    let begun = Instant::now();
    for (name, expected) in rows {
        let length = play(&sounds, announcement(&name)).await;
        assert_eq!(length.map(|track| track.length().as_millis()), expected, "{name}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "a pipe was waited for");
    let of = |outcome| {
        let name = "mediator_sound_tracks_total";
        metric(&sounds, &format!("{name}{{kind=\"announcement\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((of("found"), of("unfetched"), of("undecoded")), (6, 10, 1));
}

#[tokio::test]
async fn plays_a_file_as_it_is_now() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.wav");
    fs::write(&file, wav(500)).unwrap();
    let sounds = service(folder.path(), "");
    let length = async || play(&sounds, announcement("a.wav")).await.unwrap().length().as_millis();
    assert_eq!(length().await, 500);
    assert_eq!(length().await, 500);
    assert_eq!(metric(&sounds, "mediator_sound_cache_hits_total{cache=\"memory\"}"), 1);
    fs::write(&file, wav(700)).unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
    assert_eq!(length().await, 700);
}

#[tokio::test]
async fn what_cannot_be_played_has_a_stand_in() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("own.wav"), wav(660)).unwrap();
    let lines = "hold_music = \"missing.wav\"\nconfirmation_prompt = \"own.wav\"";
    let sounds = service(folder.path(), lines);
    let length =
        async |sound: Sound| play(&sounds, sound).await.map(|track| track.length().as_millis());
    assert_eq!(length(Sound::HoldMusic).await, Ok(48_000));
    assert_eq!(length(Sound::Confirmation(None)).await, Ok(660));
    assert_eq!(length(Sound::Confirmation(Some("missing.wav".into()))).await, Ok(660));
    assert_eq!(length(Sound::Confirmation(Some("gopher://x/".into()))).await, Ok(660));
    let default = length(announcement("default")).await.unwrap();
    assert!((2_000..4_000).contains(&default), "{default}");
    let number = Number::from_digits("4930123456").unwrap();
    assert_eq!(length(Sound::Tone { tone: Tone::Ringing, number }).await, Ok(5_000));
    assert_eq!(length(Sound::Digits("1,2".into())).await, Ok(900));
    for speech in Speech::ALL {
        let track = sounds.track(announcement("default"), speech, 40).await.unwrap();
        assert_eq!((track.speech(), track.packet_ms()), (speech, 40));
    }
}

#[tokio::test]
async fn many_that_ask_at_once_share_the_work() {
    let folder = TempDir::new().unwrap();
    let sounds = service(folder.path(), "");
    let all: Vec<_> = (0..200)
        .map(|_| {
            let sounds = sounds.clone();
            tokio::spawn(async move { play(&sounds, Sound::HoldMusic).await.unwrap() })
        })
        .collect();
    let mut tracks = Vec::new();
    for track in all {
        tracks.push(track.await.unwrap());
    }
    assert!(tracks.iter().all(|track| Arc::ptr_eq(track, &tracks[0])));
    let bytes = metric(&sounds, "mediator_sound_cache_bytes{cache=\"memory\"}");
    assert!((384_000..500_000).contains(&bytes), "{bytes}");
}

#[test]
fn keeps_what_was_used_last() {
    let track = || {
        let mut track = Track::new(Speech::Pcmu, 20);
        (0..10).for_each(|_| track.push(&[0; 160]));
        Arc::new(track)
    };
    // Each costs 1,600 bytes, 4 a packet and what an entry costs: three fit.
    let mut tracks = Tracks::new(7_000);
    for key in 0..3 {
        tracks.keep(key, Ok(track()));
    }
    assert!(tracks.find(&0).is_some());
    tracks.keep(3, Ok(track()));
    assert!(tracks.find(&1).is_none(), "it was used longest ago");
    assert!([0, 2, 3].iter().all(|key| tracks.find(key).is_some()));
    for key in 100..10_000 {
        tracks.keep(key, Err(SoundFailure::Undecoded));
        assert!(tracks.bytes() <= 7_000);
    }
    assert_eq!(tracks.find(&9_999), Some(Err(SoundFailure::Undecoded)));
    let mut small = Tracks::new(1_000);
    small.keep(0, Ok(track()));
    assert!(small.find(&0).is_none() && small.bytes() == 0, "it does not fit at all");
}

#[test]
fn check_tells_of_configured_files_that_cannot_be_played() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("good.wav"), wav(500)).unwrap();
    fs::write(folder.path().join("bad.wav"), "no audio").unwrap();
    let lines =
        "hold_music = \"good.wav\"\nconfirmation_prompt = \"bad.wav\"\nannouncement = \"gone.wav\"";
    let told = unplayable(&media(folder.path(), lines));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("media.confirmation_prompt: ") && told[0].contains("no wav or mp3")
    );
    assert!(told[1].starts_with("media.announcement: ") && told[1].contains("No such file"));
    assert!(
        unplayable(&media(folder.path(), "hold_music = \"http://x.example/a.wav\"")).is_empty()
    );
}
