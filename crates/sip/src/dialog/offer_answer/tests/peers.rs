//! Two peers that keep the rules, each with its own machine, over a line that delays: whatever they do and
//! whatever crosses, they never differ about what a message means, and they come to rest together.

use super::super::{Carrier, Meaning, OfferAnswer, OfferIn, Sdp, Side, Violation};
use alloc::collections::VecDeque;
use proptest::prelude::*;

/// What travels from one peer to the other.
#[derive(Clone, Copy, Debug)]
enum Wire {
    /// A message and what it meant to its sender.
    Message(Carrier, Sdp, Meaning),
    /// The failure of a request of the receiver.
    Failure(OfferIn),
}

/// What a peer may do next, if its machine lets it.
#[derive(Clone, Copy, Debug)]
enum Move {
    Send(Carrier, Sdp),
    Refuse(OfferIn),
    /// Takes what has arrived.
    Receive,
}

#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one transaction that is or is not open")]
struct Peer {
    machine: OfferAnswer,
    inbox: VecDeque<Wire>,
    /// Requests of the other peer that wait for our final response.
    invite: bool,
    update: bool,
    prack: bool,
    /// A reliable 1xx of ours has no PRACK yet; and whether it had SDP.
    unacknowledged: Option<Sdp>,
    /// A reliable 1xx of the other peer waits for our PRACK.
    owes_prack: bool,
    owes_ack: bool,
    prack_under_way: bool,
}

impl Peer {
    /// Whether SIP, apart from offer and answer, lets this peer send that now.
    fn has_occasion(&self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::InviteRequest | Carrier::UpdateRequest => true,
            Carrier::UnreliableProvisional => self.invite,
            Carrier::ReliableProvisional => self.invite && self.unacknowledged.is_none(),
            Carrier::Final2xx => self.invite && self.unacknowledged != Some(Sdp::Present),
            Carrier::Ack => self.owes_ack,
            Carrier::PrackRequest => self.owes_prack && !self.prack_under_way,
            Carrier::Prack2xx => self.prack,
            Carrier::Update2xx => self.update,
        }
    }

    fn note_sent(&mut self, carrier: Carrier, sdp: Sdp) {
        match carrier {
            Carrier::InviteRequest | Carrier::UpdateRequest | Carrier::UnreliableProvisional => {}
            Carrier::ReliableProvisional => self.unacknowledged = Some(sdp),
            Carrier::Final2xx => {
                self.invite = false;
                self.unacknowledged = None;
            }
            Carrier::Ack => self.owes_ack = false,
            Carrier::PrackRequest => {
                self.owes_prack = false;
                self.prack_under_way = true;
            }
            Carrier::Prack2xx => self.prack = false,
            Carrier::Update2xx => self.update = false,
        }
    }

    fn note_received(&mut self, carrier: Carrier) {
        match carrier {
            Carrier::InviteRequest => self.invite = true,
            Carrier::UpdateRequest => self.update = true,
            Carrier::UnreliableProvisional | Carrier::Ack | Carrier::Update2xx => {}
            Carrier::ReliableProvisional => self.owes_prack = true,
            Carrier::Final2xx => {
                self.owes_ack = true;
                self.owes_prack = false;
            }
            Carrier::PrackRequest => {
                self.prack = true;
                self.unacknowledged = None;
            }
            Carrier::Prack2xx => self.prack_under_way = false,
        }
    }
}

fn request_of(carrier: Carrier) -> OfferIn {
    match carrier {
        Carrier::InviteRequest => OfferIn::Invite,
        Carrier::UpdateRequest => OfferIn::Update,
        Carrier::PrackRequest => OfferIn::Prack,
        other => panic!("{other:?} cannot be refused"),
    }
}

/// Lets `actor` try a move; says whether it did anything.
fn step(actor: &mut Peer, other: &mut Peer, wanted: Move) -> bool {
    match wanted {
        Move::Send(carrier, sdp) => send(actor, other, (carrier, sdp)),
        Move::Refuse(request) => refuse(actor, other, request),
        Move::Receive => receive(actor, other),
    }
}

fn send(actor: &mut Peer, other: &mut Peer, (carrier, sdp): (Carrier, Sdp)) -> bool {
    if !actor.has_occasion(carrier) {
        return false;
    }
    let meaning = actor.machine.meaning(Side::Local, carrier, sdp);
    if matches!(meaning, Meaning::Refused(_) | Meaning::Violation(_)) {
        return false;
    }
    actor.machine.handle(Side::Local, carrier, sdp);
    actor.note_sent(carrier, sdp);
    other.inbox.push_back(Wire::Message(carrier, sdp, meaning));
    true
}

fn refuse(actor: &mut Peer, other: &mut Peer, request: OfferIn) -> bool {
    let open = match request {
        // A UAS that keeps the rules waits for the PRACK also before it fails the INVITE: not needed by
        // RFC 3262, but else the PRACK's answer belongs to nothing.
        OfferIn::Invite => actor.invite && actor.unacknowledged.is_none(),
        OfferIn::Update => actor.update,
        OfferIn::Prack => actor.prack,
    };
    if !open {
        return false;
    }
    match request {
        OfferIn::Invite => actor.invite = false,
        OfferIn::Update => actor.update = false,
        OfferIn::Prack => actor.prack = false,
    }
    actor.machine.request_failed(Side::Remote, request);
    other.inbox.push_back(Wire::Failure(request));
    true
}

fn receive(actor: &mut Peer, other: &mut Peer) -> bool {
    match actor.inbox.pop_front() {
        None => return false,
        Some(Wire::Failure(request)) => {
            actor.machine.request_failed(Side::Local, request);
            match request {
                OfferIn::Invite => actor.owes_prack = false,
                OfferIn::Update => {}
                OfferIn::Prack => actor.prack_under_way = false,
            }
        }
        Some(Wire::Message(carrier, sdp, meant)) => {
            let invite_over = actor.machine.invite_under_way() != Some(Side::Remote);
            let meaning = actor.machine.handle(Side::Remote, carrier, sdp);
            match meaning {
                Meaning::Refused(_) => {
                    other.inbox.push_back(Wire::Failure(request_of(carrier)));
                    if carrier == Carrier::PrackRequest {
                        actor.unacknowledged = None;
                    }
                }
                // A PRACK with an offer that crossed the final response to its INVITE: 481.
                Meaning::Violation(Violation::Misplaced)
                    if carrier == Carrier::PrackRequest && invite_over =>
                {
                    other.inbox.push_back(Wire::Failure(OfferIn::Prack));
                }
                Meaning::Nothing
                | Meaning::Offer
                | Meaning::Answer
                | Meaning::Preview
                | Meaning::PreviewStands
                | Meaning::Repeat
                | Meaning::Violation(_) => {
                    assert_eq!(meaning, meant, "{carrier:?} {sdp:?} in {:?}", actor.machine);
                    actor.note_received(carrier);
                }
            }
        }
    }
    true
}

/// Everything that a peer can want, most urgent first: what it owes before what it may.
fn closing_moves() -> impl Iterator<Item = Move> {
    [Carrier::Ack, Carrier::PrackRequest, Carrier::Prack2xx, Carrier::Update2xx, Carrier::Final2xx]
        .into_iter()
        .flat_map(|carrier| [Move::Send(carrier, Sdp::Present), Move::Send(carrier, Sdp::Absent)])
}

/// Both peers start nothing new and bring to an end what is under way.
fn come_to_rest(peers: &mut [Peer; 2]) {
    for _ in 0..200 {
        let mut moved = false;
        for actor in 0..2 {
            let [first, second] = peers;
            let (actor, other) = if actor == 0 { (first, second) } else { (second, first) };
            moved |= receive(actor, other);
            if actor.inbox.is_empty() {
                moved |= closing_moves().any(|wanted| step(actor, other, wanted));
            }
        }
        if !moved {
            return;
        }
    }
    panic!("the peers do not come to rest: {peers:?}");
}

fn moves() -> impl Strategy<Value = Move> {
    let carriers = prop::sample::select(&[
        Carrier::InviteRequest,
        Carrier::UnreliableProvisional,
        Carrier::ReliableProvisional,
        Carrier::Final2xx,
        Carrier::Ack,
        Carrier::PrackRequest,
        Carrier::Prack2xx,
        Carrier::UpdateRequest,
        Carrier::Update2xx,
    ]);
    let bodies = prop::sample::select(&[Sdp::Absent, Sdp::Present]);
    let requests = prop::sample::select(&[OfferIn::Invite, OfferIn::Update, OfferIn::Prack]);
    prop_oneof![
        6 => (carriers, bodies).prop_map(|(carrier, sdp)| Move::Send(carrier, sdp)),
        1 => requests.prop_map(Move::Refuse),
        4 => Just(Move::Receive),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn peers_that_keep_the_rules_agree_and_come_to_rest(
        script in prop::collection::vec((any::<bool>(), moves()), 1..120)
    ) {
        let mut peers = [Peer::default(), Peer::default()];
        for (swap, wanted) in script {
            let [first, second] = &mut peers;
            let (actor, other) = if swap { (second, first) } else { (first, second) };
            step(actor, other, wanted);
            // Each side may believe in an offer of its own only while the two cross.
            let at_rest = peers.iter().all(|peer| peer.inbox.is_empty());
            let [one, two] = [0, 1].map(|peer: usize| peers[peer].machine.unanswered());
            prop_assert!(!at_rest || one == two.map(Side::other), "{peers:?}");
        }
        come_to_rest(&mut peers);
        prop_assert!(peers[0].machine.is_stable(), "{peers:?}");
        prop_assert!(peers[1].machine.is_stable(), "{peers:?}");
    }
}
