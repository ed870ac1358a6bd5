//! Route sets: RFC 3261 §12.1, §12.2.1.1.

/// The most hops of a route set; a message that names more is refused.
pub const MAX_ROUTES: usize = 32;
