//! Privacy: RFC 3323 §4.2, RFC 3325 §9.3.

use super::tokens::trim;

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

impl PrivacyFlags {
    /// Adds what one line asks for. Values stand between `;`; a comma, which peers send too, is taken alike,
    /// since a privacy that is asked for must not be missed. Unknown ones are left out.
    pub(crate) fn add_line(&mut self, line: &[u8]) {
        for token in line.split(|byte| matches!(byte, b';' | b',')).map(trim) {
            for (name, flag) in [
                ("id", &mut self.id),
                ("user", &mut self.user),
                ("header", &mut self.header),
                ("session", &mut self.session),
                ("critical", &mut self.critical),
                ("none", &mut self.none),
            ] {
                *flag |= token.eq_ignore_ascii_case(name.as_bytes());
            }
        }
    }
}
