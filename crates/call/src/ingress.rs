//! Who sent a request: contract §1 (a live registration, an endpoint's address, digest) and §2's answers to strangers.
//!
//! Strangers get nothing useful: a challenge, 403 after wrong credentials, and silence once they are banned.

use core::net::IpAddr;

use mediator_model::{
    Directory, Endpoint, EndpointIndex, EndpointKind, Flow, SipCredentials, SourceMatch,
};
use mediator_sip::HeaderName;
use mediator_sip::digest::{
    Algorithm, Credentials, NonceState, Stale, challenge_value, verify_password,
};
use mediator_sip::message::Request;
use mediator_sip::transaction::ServerKey;
use mediator_sip::uri::Uri;

use crate::context::Core;
use crate::io::Event;

/// Which proof of identity a request must bring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// An address or a registration will do.
    AddressOrDigest,
    /// Only digest: REGISTER.
    Digest,
}

/// What credentials turned out to be.
enum Verdict {
    /// The endpoint's.
    Valid(EndpointIndex),
    /// None for our realm.
    Absent,
    /// Right once, but the nonce is too old, used up or not ours: ask again.
    Stale,
    /// The endpoint's, but for another Request-URI.
    OtherUri,
    /// Wrong.
    Wrong,
}

impl Core {
    /// Whether the source is banned: it gets silence for what would begin something. A phone that is registered from
    /// there is not: who shares its address does not silence it.
    pub(crate) fn is_banned(&self, flow: &Flow) -> bool {
        self.ports.admission.is_banned(flow.remote, self.now)
            && self.ports.locations.registered_at(flow, self.now).is_none()
    }

    /// The endpoint that sent a request; where `None`, the request has been answered.
    pub(crate) fn identify(
        &mut self,
        server: ServerKey,
        request: &Request,
        proof: Proof,
    ) -> Option<EndpointIndex> {
        let flow = self.layer.server_source(server)?;
        if proof == Proof::AddressOrDigest
            && let Some(endpoint) = self.endpoint_at(&flow)
        {
            return Some(endpoint);
        }
        match self.verify(request, flow.remote.ip(), proof) {
            Verdict::Valid(endpoint) => Some(endpoint),
            Verdict::Absent => self.challenge(server, request, &flow, Stale::No),
            Verdict::Stale => self.challenge(server, request, &flow, Stale::Yes),
            // RFC 7616 §3.4.6. No guess: proxies on the way rewrite Request-URIs.
            Verdict::OtherUri => {
                let source = flow.remote.ip();
                let reason = "credentials for another URI";
                self.event(Event::Refused { status: 400, reason, source });
                self.refuse_with(server, request, 400, "Credentials for another URI", |_| {});
                self.keep_nothing_of(server, &flow);
                None
            }
            Verdict::Wrong => {
                if self.directory.identify(flow.remote.ip(), flow.remote.port())
                    == SourceMatch::Unknown
                {
                    self.ports.admission.wrong_credentials(flow.remote, self.now);
                }
                let source = flow.remote.ip();
                self.event(Event::Refused { status: 403, reason: "wrong credentials", source });
                self.refuse(server, request, 403);
                self.keep_nothing_of(server, &flow);
                None
            }
        }
    }

    /// The endpoint whose live registration or address a source is.
    pub(crate) fn endpoint_at(&self, flow: &Flow) -> Option<EndpointIndex> {
        let registered = self.ports.locations.registered_at(flow, self.now);
        if let Some(index) = registered.and_then(|sid| self.directory.endpoint_by_sid(sid)) {
            return Some(index);
        }
        match self.directory.identify(flow.remote.ip(), flow.remote.port()) {
            SourceMatch::One(index) => Some(index),
            SourceMatch::Several(_) | SourceMatch::Unknown => None,
        }
    }

    fn challenge(
        &mut self,
        server: ServerKey,
        request: &Request,
        flow: &Flow,
        stale: Stale,
    ) -> Option<EndpointIndex> {
        if !self.ports.admission.admit_challenge(flow.remote, self.now) {
            self.counters.silenced.add_one();
            self.layer.forget_server(server);
            return None;
        }
        self.counters.challenges.add_one();
        let salt = self.dice.next_u64();
        let nonce = self.settings.nonce_key.mint(self.wall(), salt, flow.remote.ip());
        let settings = self.settings.clone();
        self.refuse_with(server, request, 401, "Unauthorized", |writer| {
            // The most wanted first: RFC 8760 §2.3.
            for &algorithm in &settings.digest {
                let value = challenge_value(&settings.realm, &nonce, algorithm, stale);
                writer.header(HeaderName::WwwAuthenticate, value);
            }
        });
        self.keep_nothing_of(server, flow);
        None
    }

    /// 481 to a request that belongs to nothing here.
    pub(crate) fn refuse_stray(&mut self, server: ServerKey, request: &Request) {
        let source = self.layer.server_source(server);
        self.refuse(server, request, 481);
        if let Some(source) = source {
            self.keep_nothing_of(server, &source);
        }
    }

    /// A refused stranger costs no memory (RFC 3261 §26.3.2.4): a copy of the request is refused anew, and the ACK of
    /// the refusal finds nothing.
    fn keep_nothing_of(&mut self, server: ServerKey, source: &Flow) {
        let remote = source.remote;
        if self.directory.identify(remote.ip(), remote.port()) == SourceMatch::Unknown
            && self.ports.locations.registered_at(source, self.now).is_none()
        {
            self.layer.forget_server(server);
        }
    }

    /// After a reload: who has other credentials now, or none, must register anew.
    ///
    /// Each shard does this once it has the new directory, so that no registration outlives it that a slower shard
    /// let in by the old one.
    pub(crate) fn forget_registrations(&self, before: &Directory) {
        for endpoint in before.endpoints() {
            let Some(credentials) = sip_credentials(endpoint) else { continue };
            let now = self.directory.endpoint_by_sid(endpoint.sid);
            let now = now.and_then(|index| self.directory.endpoint(index));
            if now.and_then(sip_credentials) != Some(credentials) {
                self.ports.locations.forget(endpoint.sid);
            }
        }
    }

    fn verify(&self, request: &Request, source: IpAddr, proof: Proof) -> Verdict {
        let realm = self.settings.realm.as_bytes();
        // What was not offered is no answer to a challenge of ours.
        let offered = |algorithm: Algorithm| self.settings.digest.contains(&algorithm);
        let ours = |credentials: &Credentials<'_>| {
            *credentials.realm == *realm && credentials.algorithm.is_some_and(offered)
        };
        let mut sent = request.authorization(HeaderName::Authorization);
        let Some(credentials) = sent.find(ours) else { return Verdict::Absent };
        let nonce_key = &self.settings.nonce_key;
        let nonce = match nonce_key.check(&credentials.nonce, self.wall(), source) {
            NonceState::Fresh { id } => Some(id),
            NonceState::Stale => None,
            // Not ours: nothing that was computed with it says anything.
            NonceState::Forged => return Verdict::Absent,
        };
        let Some(index) = self.owner_of(request, &credentials, proof) else {
            return Verdict::Wrong;
        };
        if !is_for(&credentials, request) {
            return Verdict::OtherUri;
        }
        let count = credentials.nc.unwrap_or(0);
        match nonce {
            Some(id) if self.ports.admission.nonce_fresh(id, count, self.now) => {
                Verdict::Valid(index)
            }
            Some(_) | None => Verdict::Stale,
        }
    }

    /// The endpoint whose password a request's credentials show.
    fn owner_of(
        &self,
        request: &Request,
        credentials: &Credentials<'_>,
        proof: Proof,
    ) -> Option<EndpointIndex> {
        let username = core::str::from_utf8(&credentials.username).unwrap_or_default();
        let index = self.directory.endpoint_by_user(username);
        // Registering is always by digest; other requests only where the endpoint may (`auth_required`).
        let may = |endpoint: &&Endpoint| proof == Proof::Digest || endpoint.auth_required;
        let endpoint = index.and_then(|index| self.directory.endpoint(index)).filter(may);
        let secret = endpoint.and_then(sip_credentials);
        // An unknown user costs the same as a wrong password and is told the same.
        let password = secret.map_or("", |secret| secret.password.expose());
        let right = verify_password(credentials, request.method_token(), password);
        index.filter(|_| right && secret.is_some())
    }
}

/// Whether credentials are for a request's Request-URI.
fn is_for(credentials: &Credentials<'_>, request: &Request) -> bool {
    let same = || {
        let theirs = Uri::parse(&credentials.uri).ok()?;
        Some(theirs.equivalent(&request.uri_parsed().ok()?))
    };
    *credentials.uri == *request.uri() || same() == Some(true)
}

/// What an endpoint registers and authenticates with.
fn sip_credentials(endpoint: &Endpoint) -> Option<&SipCredentials> {
    match &endpoint.kind {
        EndpointKind::ThirdParty { credentials } => credentials.as_ref(),
        EndpointKind::Mediator { .. } | EndpointKind::SystemGateway => None,
    }
}
