//! Tests of `own`.
