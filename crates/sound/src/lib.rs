//! Sounds for calls: audio files decoded, resampled and encoded into tracks, tones by country plan, and the built-in
//! pieces.
//!
//! Bytes go in and tracks come out: where files come from is the server's affair. All of it takes milliseconds and more,
//! so it is done beside calls, never in their way.
