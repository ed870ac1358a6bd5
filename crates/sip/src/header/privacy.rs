//! Privacy: RFC 3323 §4.2, RFC 3325 §9.3.

/// The privacy that is asked for; all false where there is no Privacy header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one token of the header")]
pub struct PrivacyFlags {
    /// `id`: the asserted identity is not to be shown (RFC 3325).
    pub id: bool,
    /// `user`: user-level privacy.
    pub user: bool,
    /// `header`: headers that tell of the user.
    pub header: bool,
    /// `session`: the session description.
    pub session: bool,
    /// `critical`: refuse the request rather than do without.
    pub critical: bool,
    /// `none`: no privacy is to be applied.
    pub none: bool,
}
