//! What the operator decides about the APIs.

use std::net::SocketAddr;

use mediator_model::Secret;

/// The scheme of the URLs in answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PublicScheme {
    /// `http`, as on loopback.
    #[default]
    Http,
    /// `https`, where TLS is spoken here.
    Https,
}

impl PublicScheme {
    /// As URLs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What the operator decides about the APIs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The scheme of the URLs in answers.
    pub public_scheme: PublicScheme,
    /// `host[:port]` of the URLs in answers, whatever the client's Host header says; `None`: the Host header's.
    pub public_base: Option<Box<str>>,
    /// Where the APIs are served: the URLs' host where the client names none.
    pub listen: SocketAddr,
    /// User name for `/core/v2/oauth/token`; `None`: nobody gets a token there.
    pub core_username: Option<Box<str>>,
    /// Its password: plain, or an argon2 PHC string.
    pub core_password: Option<Secret>,
}
