//! Whether a password is right, in a time that tells nothing about it.
//!
//! What is kept is a text, or an argon2 PHC string (`$argon2id$...`). argon2 takes tens of milliseconds and megabytes by
//! design: it runs on a thread of its own, few at once, and what it found right is remembered for some minutes. The key
//! of that memory holds the PHC string too, so a changed password is not found in it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use foldhash::fast::RandomState;
use hmac::{Hmac, Mac};
use mediator_model::Secret;
use parking_lot::Mutex;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::Peer;

/// How long a right password is remembered.
const REMEMBERED: Duration = Duration::from_mins(5);
/// How many are remembered.
const MAX_REMEMBERED: usize = 4096;
/// How many argon2 computations run at once.
const MAX_HASHING: usize = 2;

/// Checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    /// Of this process alone.
    key: [u8; 32],
    remembered: Mutex<HashMap<[u8; 32], Instant, RandomState>>,
    hashing: Semaphore,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        // Without randomness nothing is remembered wrongly: the key only keeps memory dumps from showing passwords.
        let _ = getrandom::fill(&mut key);
        Self {
            key,
            remembered: Mutex::new(HashMap::default()),
            hashing: Semaphore::new(MAX_HASHING),
        }
    }

    /// Whether `given` is the password of `login`; `kept` is `None` where there is no such login.
    pub(crate) async fn verify(&self, login: &str, kept: Option<&Secret>, given: String) -> bool {
        let Some(kept) = kept else { return false };
        if !kept.expose().starts_with("$argon2") {
            return self.are_equal(kept.expose(), &given);
        }
        let key = self.digest(&[login, kept.expose(), &given]);
        if self.remembers(&key) {
            return true;
        }
        let Ok(_place) = self.hashing.acquire().await else { return false };
        let phc = kept.clone();
        let hashing = tokio::task::spawn_blocking(move || {
            PasswordHash::new(phc.expose()).is_ok_and(|hash| {
                Argon2::default().verify_password(given.as_bytes(), &hash).is_ok()
            })
        });
        let is_right = hashing.await.unwrap_or(false);
        if is_right {
            self.remember(key);
        }
        is_right
    }

    /// Compares hashes, so that not even the length shows.
    pub(crate) fn are_equal(&self, one: &str, other: &str) -> bool {
        self.digest(&[one]).ct_eq(&self.digest(&[other])).into()
    }

    /// What credentials from somewhere are known by; nobody else can work it out.
    pub(super) fn proof(&self, peer: Peer, credentials: &str) -> [u8; 32] {
        self.digest(&[&format!("{peer:?}"), credentials])
    }

    /// What a login is counted by.
    pub(super) fn of_login(&self, login: &str) -> u64 {
        let digest = self.digest(&[login]);
        digest.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
    }

    fn digest(&self, parts: &[&str]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            debug_assert!(false, "a key of any length will do");
            return [0; 32];
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    fn remembers(&self, key: &[u8; 32]) -> bool {
        self.remembered.lock().get(key).is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    fn remember(&self, key: [u8; 32]) {
        let mut remembered = self.remembered.lock();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, at| at.elapsed() < REMEMBERED);
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, Instant::now());
    }
}
