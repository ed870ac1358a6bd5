//! Fewer wake-ups when messages come thick.
//!
//! Waking a sleeping thread for one datagram costs as much as reading and answering it. A shard that
//! has just emptied its sockets may therefore stay away for a fraction of a millisecond and then find
//! several at once. It does so only above a rate at which more will have come; below, every message
//! is met at once. `benches/socket_cost` (section `udp`) shows what it saves.

use std::time::Duration;

use mediator_model::Instant;

/// The longest pause, and so the delay that one message may suffer. With the kernel's timer slack it
/// is some 60 microseconds more.
const LONGEST_PAUSE: Duration = Duration::from_micros(250);

/// The shortest pause that is worth its own system call.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);

/// How many messages a pause should gather.
const GATHERED: f64 = 4.0;

/// The rate is measured over at least this long.
const WINDOW: Duration = Duration::from_millis(10);

/// Measures the rate of messages and tells when, and for how long, to let them gather.
#[derive(Clone, Debug, Default)]
pub struct Moderation {
    window_began: Instant,
    messages: usize,
    pause: Option<Duration>,
}

impl Moderation {
    /// Counts the messages that one turn of the shard's loop brought.
    pub fn count(&mut self, now: Instant, messages: usize) {
        self.messages += messages;
        let elapsed = now - self.window_began;
        if elapsed < WINDOW {
            return;
        }
        // Far fewer than 2^52 messages come in one window.
        #[allow(clippy::cast_precision_loss)]
        let per_second = self.messages as f64 / elapsed.as_secs_f64();
        let expected = per_second * LONGEST_PAUSE.as_secs_f64();
        self.pause = (expected >= 1.0).then(|| {
            let wanted = Duration::from_secs_f64(GATHERED / per_second);
            wanted.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        });
        self.window_began = now;
        self.messages = 0;
    }

    /// How long to stay away once everything is handled and sent: `std::thread::sleep`, since the
    /// runtime's timers count in milliseconds. `None`: wait for the next message as usual.
    pub fn pause(&self) -> Option<Duration> {
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause after a second of `per_millisecond` messages in each millisecond.
    fn pause_at(per_millisecond: usize) -> Option<Duration> {
        let mut moderation = Moderation::default();
        for millisecond in 0..1000 {
            moderation.count(Instant::from_millis(millisecond), per_millisecond);
        }
        moderation.pause()
    }

    #[test]
    fn few_messages_are_met_at_once() {
        assert_eq!(pause_at(0), None);
        assert_eq!(pause_at(1), None);
        assert_eq!(pause_at(3), None);
    }

    #[test]
    fn many_messages_gather_and_the_more_the_shorter() {
        assert_eq!(pause_at(5), Some(LONGEST_PAUSE));
        assert_eq!(pause_at(16), Some(LONGEST_PAUSE));
        assert_eq!(pause_at(40), Some(Duration::from_micros(100)));
        assert_eq!(pause_at(1000), Some(SHORTEST_PAUSE));
    }

    #[test]
    fn it_ends_with_the_rush() {
        let mut moderation = Moderation::default();
        moderation.count(Instant::from_millis(10), 200);
        assert!(moderation.pause().is_some());
        moderation.count(Instant::from_millis(19), 1);
        assert!(moderation.pause().is_some(), "not before the window ends");
        moderation.count(Instant::from_millis(25), 1);
        assert_eq!(moderation.pause(), None);
    }

    #[test]
    fn one_burst_after_silence_is_no_rush() {
        let mut moderation = Moderation::default();
        moderation.count(Instant::from_millis(60_000), 50);
        assert_eq!(moderation.pause(), None);
    }
}
