//! A tone is heard for as long as it was played, and another one is not heard in it.

use std::env;
use std::time::Duration;

use super::{heard, write};

#[test]
fn hears_what_was_played_and_nothing_else() {
    let path = env::temp_dir().join(format!("mediator-tone-{}.wav", std::process::id()));
    write(&path, 440.0, Duration::from_secs(2)).unwrap();
    let rows = [(440.0, 2000), (880.0, 0), (400.0, 0), (1000.0, 0)];
    for (hertz, millis) in rows {
        assert_eq!(heard(&path, hertz).unwrap(), Duration::from_millis(millis), "{hertz} Hz");
    }
    // As linphonec leaves it while it records.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..44].fill(0);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(heard(&path, 440.0).unwrap(), Duration::from_secs(2));
    std::fs::write(&path, []).unwrap();
    assert_eq!(heard(&path, 440.0).unwrap(), Duration::ZERO);
    std::fs::remove_file(&path).unwrap();
}
