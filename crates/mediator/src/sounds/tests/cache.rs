//! What is kept of fetched files: over restarts, over failures, and within bounds.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::web::{LOOPBACK, Server, file, status};
use super::*;

/// A service that keeps files in a folder.
fn keeping(folder: &TempDir, lines: &str) -> Sounds {
    let cache = folder.path().join("cache");
    Sounds::new(&media(folder.path(), &format!("{LOOPBACK}\n{lines}")), Some(&cache))
}

async fn length(sounds: &Sounds, url: &str, speech: Speech) -> Result<u128, SoundFailure> {
    let track = sounds.track(announcement(url), speech, 20).await;
    track.map(|track| track.length().as_millis())
}

/// Files of the cache.
fn kept(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("cache")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Serves a file with an entity tag that is asked for again each time; counts whole answers.
fn tagged(server: &Server, age: &'static str) -> (String, Arc<AtomicUsize>) {
    let whole: Arc<AtomicUsize> = Arc::default();
    let count = whole.clone();
    let url = server.at("/a.wav", move |request| {
        let tag = request.headers().get("if-none-match").map(|tag| tag.to_str().unwrap());
        if tag == Some("\"v1\"") {
            return Response304::with(age);
        }
        count.fetch_add(1, Ordering::Relaxed);
        file(&[("etag", "\"v1\""), ("cache-control", age)], wav(500))
    });
    (url, whole)
}

struct Response304;

impl Response304 {
    fn with(age: &'static str) -> axum::response::Response {
        let mut response = status(304);
        response.headers_mut().insert("cache-control", age.parse().unwrap());
        response
    }
}

#[tokio::test]
async fn asks_again_by_entity_tag() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let (url, whole) = tagged(&server, "no-cache");
    let sounds = keeping(&folder, "");
    for speech in Speech::ALL {
        assert_eq!(length(&sounds, &url, speech).await, Ok(500));
    }
    assert_eq!(whole.load(Ordering::Relaxed), 1, "the others were told that it is unchanged");
    assert!(server.asked() >= 4);
    assert!(metric(&sounds, "mediator_sound_fetches_total{outcome=\"unchanged\"}") >= 3);
    // Another process finds what this one has kept.
    let sounds = keeping(&folder, "");
    assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(500));
    assert_eq!(whole.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn does_not_ask_while_a_file_is_fresh() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let (url, _) = tagged(&server, "public, max-age=3600");
    for _ in 0..3 {
        let sounds = keeping(&folder, "");
        for speech in Speech::ALL {
            assert_eq!(length(&sounds, &url, speech).await, Ok(500));
        }
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn plays_a_file_that_was_replaced() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let url = server.at("/a.wav", |_| {
        file(
            &[("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT"), ("cache-control", "max-age=0")],
            wav(500),
        )
    });
    let sounds = keeping(&folder, "");
    assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(500));
    server.at("/a.wav", |request| {
        let since = request.headers().get("if-modified-since").unwrap();
        assert_eq!(since, "Sat, 21 Nov 2026 10:00:00 GMT");
        file(&[("cache-control", "max-age=0")], wav(700))
    });
    assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(700));
    assert_eq!(kept(&folder).len(), 1);
}

#[tokio::test]
async fn plays_the_copy_of_a_server_that_is_down() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let (url, _) = tagged(&server, "no-cache");
    assert_eq!(length(&keeping(&folder, ""), &url, Speech::Pcmu).await, Ok(500));
    server.at("/a.wav", |_| status(500));
    let sounds = keeping(&folder, "");
    assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(500));
    assert_eq!(metric(&sounds, "mediator_sound_stale_total"), 1);
    server.stop().await;
    let sounds = keeping(&folder, "");
    for speech in Speech::ALL {
        assert_eq!(length(&sounds, &url, speech).await, Ok(500), "{speech:?}");
    }
    assert_eq!(metric(&sounds, "mediator_sound_fetches_total{outcome=\"failed\"}"), 1);
}

#[tokio::test]
async fn keeps_nothing_that_may_not_be_stored() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let url = server.at("/a.wav", |_| file(&[("cache-control", "no-store")], wav(500)));
    let sounds = keeping(&folder, "");
    for speech in Speech::ALL {
        assert_eq!(length(&sounds, &url, speech).await, Ok(500));
    }
    assert_eq!(kept(&folder), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_damaged_copy_is_as_good_as_none() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let (url, whole) = tagged(&server, "max-age=3600");
    assert_eq!(length(&keeping(&folder, ""), &url, Speech::Pcmu).await, Ok(500));
    let path = kept(&folder).remove(0);
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let damages: [(&str, Vec<u8>); 6] = [
        ("a bit", flipped),
        ("its end", good[..good.len() - 100].to_vec()),
        ("all but its beginning", good[..10].to_vec()),
        ("all", Vec::new()),
        ("its header", [b"{}\n".to_vec(), wav(500)].concat()),
        ("everything", vec![0xff; 10_000]),
    ];
    for (asked, (name, damaged)) in (2..).zip(damages) {
        fs::write(&path, damaged).unwrap();
        assert_eq!(length(&keeping(&folder, ""), &url, Speech::Pcmu).await, Ok(500), "{name}");
        assert_eq!(whole.load(Ordering::Relaxed), asked, "{name}");
        assert_eq!(fs::read(&path).unwrap(), good, "{name}");
    }
}

#[tokio::test]
async fn keeps_so_much_and_no_more() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::write(cache.join("half.sound.part"), "written by a process that was killed").unwrap();
    fs::write(cache.join("notes.txt"), "somebody else's").unwrap();
    // Three files of 8 KB fit.
    let sounds = keeping(&folder, "cache_max_bytes = \"27KiB\"");
    assert!(!cache.join("half.sound.part").exists() && cache.join("notes.txt").exists());
    for at in 0..8 {
        let url = server.at(&format!("/{at}.wav"), |_| file(&[], wav(500)));
        assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(500));
        let bytes = metric(&sounds, "mediator_sound_cache_bytes{cache=\"disk\"}");
        assert!(bytes <= 27 * 1024, "{bytes}");
    }
    assert_eq!(kept(&folder).len(), 3 + 1);
    // With less room at the next start there is less of it.
    let sounds = keeping(&folder, "cache_max_bytes = \"10KiB\"");
    assert_eq!(kept(&folder).len(), 1 + 1);
    // A file that does not fit at all is played, and not kept.
    let url = server.at("/large.wav", |_| file(&[], wav(5_000)));
    assert_eq!(length(&sounds, &url, Speech::Pcmu).await, Ok(5_000));
    assert!(kept(&folder).len() <= 2);
}

#[tokio::test]
async fn is_asked_once_for_all_that_wait() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let url = server.at("/a.wav", |_| {
        let mut response = file(&[], wav(500));
        response.extensions_mut().insert(std::time::Duration::from_millis(200));
        response
    });
    let sounds = keeping(&folder, "");
    let all: Vec<_> = (0..100)
        .map(|at| {
            let (sounds, url) = (sounds.clone(), url.clone());
            // In all codecs: they are different tracks of one file.
            let speech = Speech::ALL[at % Speech::ALL.len()];
            tokio::spawn(async move { length(&sounds, &url, speech).await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), Ok(500));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_done_without() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    fs::write(folder.path().join("cache"), "a file where a folder should be").unwrap();
    let url = server.at("/a.wav", |_| file(&[], wav(500)));
    let sounds = keeping(&folder, "");
    for speech in Speech::ALL {
        assert_eq!(length(&sounds, &url, speech).await, Ok(500));
    }
}
