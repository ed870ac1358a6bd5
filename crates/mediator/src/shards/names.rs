//! Names of trunks and of remote targets: the engine's questions, answered by the resolver (RFC 3263).

use std::net::SocketAddr;
use std::sync::Arc;

use mediator_call::io::{Input, Listener, Query};
use mediator_model::Transport;
use mediator_net::{
    DnsName, Post, Reach, Resolver, ResolverError, ResolverSettings, Target, TargetHost, Zone,
};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;
use tracing::debug;

/// The resolver for these listeners: the system's name servers.
pub(super) fn resolver(listeners: &[Listener]) -> Result<Resolver, ResolverError> {
    let reach = listeners.iter().map(|one| (one.id, one.transport, one.bound)).collect();
    let reach = Reach::of(reach);
    Resolver::system(reach, Zone::default(), ResolverSettings::default())
}

/// Answers one question when the resolver has; no candidates where the name leads nowhere.
pub(super) async fn answer(resolver: Arc<Resolver>, query: Query, orders: Post<Input>) {
    let Query { id, host, port, transport, sips } = query;
    let name = TargetHost::Name(DnsName::new(&host));
    let target = Target { secure: sips, host: name, port, transport };
    // Weights of SRV (RFC 2782): fair dice, a stream for each question.
    let mut dice = ChaCha12Rng::seed_from_u64(id.0);
    let candidates = match resolver.locate(&target, &mut dice).await {
        Ok(found) => found.into_iter().map(|one| (one.transport, one.remote)).collect(),
        Err(cause) => {
            debug!(%cause, host, "not resolved");
            Vec::<(Transport, SocketAddr)>::new()
        }
    };
    orders.post_always(Input::Resolved { id, candidates });
}
