//! Tests of the sound service.
