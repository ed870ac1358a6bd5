//! A scripted SIP peer: caller, callee, phone or carrier, with transactions and dialogs of its own.
//!
//! It keeps the rules of RFC 3261 where it was not told to break them, so that what goes wrong in a run is ours.
//! It shares no code with the engine but digest's arithmetic.

mod callee;
mod caller;
mod compose;
mod description;
mod dialogs;
mod phone;
mod talk;
mod timers;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use mediator_model::{Instant, Transport};

use crate::Wire;
use crate::dice::Dice;

pub use description::Described;
pub use talk::{Heard, Talk};

/// Base timers of RFC 3261 §17.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(32);

/// Whose side an agent is on: nothing that it says of itself may reach the other one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Party {
    /// The caller's.
    A,
    /// The called side's.
    B,
}

impl Party {
    /// The word that is in everything that an agent of this side says of itself.
    pub const fn canary(self) -> &'static str {
        match self {
            Self::A => "CanaryA",
            Self::B => "CanaryB",
        }
    }
}

/// Who an agent is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// For messages of a failed test.
    pub name: &'static str,
    /// Its side.
    pub party: Party,
    /// Where it is.
    pub at: SocketAddr,
    /// What it speaks.
    pub transport: Transport,
    /// The user part of its From.
    pub user: String,
}

/// How an agent answers a kind of request inside a dialog.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Answering {
    /// With 200.
    #[default]
    Accept,
    /// With this code.
    Refuse(u16),
    /// With 180 and nothing more, until CANCEL.
    Ring,
    /// Not at all.
    Silence,
}

/// What an agent does otherwise than others.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    /// Its INVITE has no SDP.
    pub late_offer: bool,
    /// It supports 100rel.
    pub supports_100rel: bool,
    /// It requires 100rel.
    pub requires_100rel: bool,
    /// It asks for this session interval, in seconds.
    pub session_expires: Option<String>,
    /// It answers INVITEs with a shorter interval by 422.
    pub min_se: Option<u32>,
    /// It understands UPDATE.
    pub allows_update: bool,
    /// Its user name and password: it challenges INVITEs as UAS, and answers challenges as UAC.
    pub login: Option<(&'static str, &'static str)>,
    /// As UAS it wants the login.
    pub challenges: bool,
    /// What it says to re-INVITE.
    pub reinvites: Answering,
    /// What it says to BYE.
    pub byes: Answering,
    /// The code of its refusal of UPDATE, though it may allow it.
    pub updates: Option<u16>,
    /// So many ACKs of a 2xx are not sent.
    pub acks_lost: u32,
    /// So many PRACKs are lost, so that they arrive with their first retransmission.
    pub pracks_lost: u32,
    /// A proxy that its responses name in Record-Route.
    pub record_route: Option<String>,
    /// It says nothing of its Contact.
    pub no_contact: bool,
    /// It writes what it sends by hand: answers to nothing are no surprise.
    pub careless: bool,
    /// Its PRACK owes an answer, and has none.
    pub bare_pracks: bool,
    /// It sends no PRACK at all.
    pub prackless: bool,
    /// It says nothing any more.
    pub silent: bool,
    /// From, instead of the usual one.
    pub from: Option<String>,
    /// Further headers of its INVITE.
    pub extra: Vec<(String, String)>,
    /// None of the headers that betray it.
    pub plain: bool,
    /// Max-Forwards of its INVITE; 70 where `None`.
    pub max_forwards: Option<u8>,
    /// It speaks while a call is up.
    pub voice: bool,
    /// As callee it speaks before it answers, too, once it has said where it is.
    pub early_voice: bool,
    /// Its payload types and what they are, its favourite first; `None`: 0, 8 and 101.
    pub formats: Option<&'static [(u8, &'static str)]>,
    /// It sends whatever was agreed on, to a peer on hold, too.
    pub heedless: bool,
    /// It takes RTCP on RTP's port (RFC 5761).
    pub mux: bool,
    /// Its media comes from this address, which is not the one of its SDP, and arrives there alone.
    pub nat: Option<IpAddr>,
}

/// What is said of the media.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// Both ways.
    Active,
    /// On hold.
    Hold,
    /// Neither way.
    Inactive,
    /// On hold as RFC 2543 had it: by an address that is none.
    OldHold,
    /// Another codec and port.
    Other,
}

/// One thing that an agent does.
#[derive(Clone, PartialEq, Debug)]
pub enum Move {
    /// 1xx.
    Ring {
        /// The code.
        status: u16,
        /// Which To tag.
        fork: usize,
        /// With SDP.
        sdp: bool,
        /// With Require: 100rel, where the caller allows it.
        reliable: bool,
    },
    /// 200.
    Answer {
        /// Which To tag.
        fork: usize,
    },
    /// 200 under another To tag, also after a failure: a proxy passes every 2xx (RFC 3261 §16.7 step 5).
    AnswerAfterFailure,
    /// A failure.
    Refuse {
        /// The code.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
    },
    /// CANCEL.
    Cancel,
    /// BYE.
    Bye,
    /// re-INVITE.
    Reinvite(Media),
    /// re-INVITE without SDP.
    LateReinvite,
    /// UPDATE; without SDP where `None`.
    Update(Option<Media>),
    /// INFO with a key.
    Info(char),
    /// A key pressed in the media: as an event where the peer takes events, else as tones.
    Key(char),
    /// INFO with another body.
    OddInfo,
    /// OPTIONS in the dialog.
    Options,
    /// REFER in the dialog.
    Refer,
    /// A request that was sent before, byte for byte.
    Replay,
    /// BYE with a tag that is nobody's.
    WrongTag,
    /// No SIP.
    Garbage,
    /// A response to the INVITE that cannot be read.
    BrokenResponse,
    /// Silence from here on.
    Silence,
}

/// Where a dialog stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// No 2xx.
    Early,
    /// 2xx.
    Confirmed,
    /// BYE went or came.
    Ended,
}

/// A dialog as its agent sees it.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag.
    pub remote_tag: String,
    /// Where it stands.
    pub standing: Standing,
    /// BYE came.
    pub bye_received: bool,
    /// The Reason of that BYE.
    pub bye_reason: Option<String>,
    /// Offers of ours that were accepted by a 2xx without an answer.
    pub unanswered_offers: u32,
    /// Every SDP that came, in order.
    pub heard: Vec<String>,
    pub(crate) target: String,
    pub(crate) cseq_out: u32,
    pub(crate) cseq_in: u32,
    pub(crate) sdp_version: u32,
    /// What was said last of our media, and what of it is agreed on.
    pub(crate) media: Media,
    pub(crate) agreed: Media,
    pub(crate) agreed_at: Instant,
    /// SDP was given in a 1xx.
    pub(crate) described: bool,
    pub(crate) reliable: Option<Reliable>,
    pub(crate) next_rseq: u32,
    pub(crate) last_rseq: u32,
    /// SDP was given in a 1xx that arrived, or in the 2xx.
    pub(crate) answered: bool,
}

/// A reliable 1xx of this agent.
#[derive(Clone, Debug)]
pub(crate) struct Reliable {
    pub(crate) rseq: u32,
    pub(crate) bytes: Bytes,
    pub(crate) at: Instant,
    pub(crate) interval: Duration,
    pub(crate) give_up: Instant,
}

/// A call as its agent sees it.
#[derive(Clone, Debug)]
pub struct AgentCall {
    /// Whether the agent has called.
    pub is_caller: bool,
    /// Call-ID.
    pub call_id: String,
    /// The callee's: the INVITE.
    pub invite: Option<Wire>,
    /// Dialogs, in the order of their first response.
    pub dialogs: Vec<Dialog>,
    /// The final response to the INVITE.
    pub outcome: Option<u16>,
    /// The final response itself.
    pub answer: Option<Wire>,
    /// 1xx codes that came, 100 included.
    pub heard: Vec<u16>,
    /// CANCEL went or came.
    pub cancelled: bool,
    pub(crate) local: String,
    pub(crate) remote: String,
    pub(crate) uri: String,
    pub(crate) cseq: u32,
    pub(crate) challenged: bool,
    pub(crate) wants_100rel: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct ClientTx {
    pub(crate) branch: String,
    pub(crate) method: String,
    pub(crate) cseq: u32,
    pub(crate) call: usize,
    /// The dialog's tags, ours first.
    pub(crate) tags: Option<(String, String)>,
    pub(crate) bytes: Bytes,
    pub(crate) resend: Option<(Instant, Duration)>,
    pub(crate) give_up: Instant,
    pub(crate) proceeding: bool,
    pub(crate) done: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct ServerTx {
    pub(crate) branch: String,
    pub(crate) request: Wire,
    pub(crate) came: Instant,
    pub(crate) call: Option<usize>,
    pub(crate) last: Option<Bytes>,
    pub(crate) finals: Vec<Final>,
}

/// A final response to an INVITE, until its ACK.
#[derive(Clone, Debug)]
pub(crate) struct Final {
    pub(crate) tag: String,
    pub(crate) status: u16,
    pub(crate) bytes: Bytes,
    pub(crate) at: Instant,
    pub(crate) interval: Duration,
    pub(crate) give_up: Instant,
    pub(crate) acked: bool,
    pub(crate) gave_up: bool,
    pub(crate) offered: bool,
    /// It came so late that the request may have been given up.
    pub(crate) late: bool,
}

/// A SIP peer.
#[derive(Debug)]
pub struct Agent {
    /// Who it is.
    pub profile: Profile,
    /// What it does otherwise.
    pub quirks: Quirks,
    /// What it does with an INVITE: when, after its arrival, what.
    pub script: Vec<(Duration, Move)>,
    /// Its calls, the first one first.
    pub calls: Vec<AgentCall>,
    /// Everything that came, in order.
    pub received: Vec<Wire>,
    /// What no peer of ours may have to see.
    pub faults: Vec<String>,
    pub(crate) server: SocketAddr,
    pub(crate) now: Instant,
    pub(crate) outbox: Vec<Bytes>,
    pub(crate) clients: Vec<ClientTx>,
    pub(crate) servers: Vec<ServerTx>,
    pub(crate) cues: Vec<(Instant, usize, Move)>,
    pub(crate) dice: Dice,
    pub(crate) minted: u32,
    pub(crate) sent_requests: Vec<Bytes>,
    /// It has sent an INVITE again after its transaction was over: that is a new call.
    pub(crate) replayed: bool,
    /// Its media, by the place of the call.
    pub(crate) talks: Vec<Talk>,
    /// Datagrams of media: from, to, and what.
    pub(crate) media_outbox: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Its media ports are so much above its side's first ones.
    pub media_offset: u16,
}

impl Agent {
    pub(crate) fn new(profile: Profile, server: SocketAddr, seed: u64) -> Self {
        Self {
            profile,
            quirks: Quirks::default(),
            script: Vec::new(),
            calls: Vec::new(),
            received: Vec::new(),
            faults: Vec::new(),
            server,
            now: Instant::ZERO,
            outbox: Vec::new(),
            clients: Vec::new(),
            servers: Vec::new(),
            cues: Vec::new(),
            dice: Dice::new(seed),
            minted: 0,
            sent_requests: Vec::new(),
            replayed: false,
            talks: Vec::new(),
            media_outbox: Vec::new(),
            media_offset: 0,
        }
    }

    /// Rings after 20 ms and answers after 500 ms.
    pub fn answers(&mut self) -> &mut Self {
        self.script = vec![
            (
                Duration::from_millis(20),
                Move::Ring { status: 180, fork: 0, sdp: false, reliable: false },
            ),
            (Duration::from_millis(500), Move::Answer { fork: 0 }),
        ];
        self
    }

    /// Refuses at once.
    pub fn refuses(&mut self, status: u16) -> &mut Self {
        self.script =
            vec![(Duration::from_millis(5), Move::Refuse { status, headers: Vec::new() })];
        self
    }

    /// Does something with a call so long from now.
    pub fn later(&mut self, call: usize, after: Duration, what: Move) {
        self.cues.push((self.now + after, call, what));
    }

    /// The responses with that code that came.
    pub fn heard(&self, status: u16) -> usize {
        self.received.iter().filter(|wire| wire.status() == status).count()
    }

    /// The requests of that method that came, repetitions included.
    pub fn asked(&self, method: &str) -> usize {
        self.received.iter().filter(|wire| wire.is_request() && wire.method() == method).count()
    }

    /// The confirmed dialogs of all its calls.
    pub fn confirmed(&self) -> usize {
        self.dialogs().filter(|dialog| dialog.standing == Standing::Confirmed).count()
    }

    /// All dialogs.
    pub fn dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.calls.iter().flat_map(|call| &call.dialogs)
    }

    /// Ends everything that is not over.
    pub fn finish(&mut self) {
        self.refuses(480);
        self.cues.clear();
        for call in 0..self.calls.len() {
            let Some(it) = self.calls.get(call) else { continue };
            if it.outcome.is_none() {
                let what = if it.is_caller {
                    Move::Cancel
                } else {
                    Move::Refuse { status: 480, headers: Vec::new() }
                };
                self.act(call, what);
            }
            for dialog in 0..self.calls.get(call).map_or(0, |call| call.dialogs.len()) {
                self.bye(call, dialog);
            }
        }
    }

    pub(crate) fn fault(&mut self, what: impl Into<String>) {
        let what = format!("{}: {}", self.profile.name, what.into());
        self.faults.push(what);
    }

    pub(crate) fn mint(&mut self, what: &str) -> String {
        self.minted += 1;
        let random = self.dice.next_u64();
        format!("{}-{what}{}-{random:x}", self.profile.party.canary(), self.minted)
    }

    pub(crate) fn send(&mut self, bytes: Bytes) {
        if !self.quirks.silent {
            self.outbox.push(bytes);
        }
    }

    /// Takes a message in.
    pub(crate) fn handle(&mut self, now: Instant, bytes: &[u8]) {
        self.now = now;
        let wire = match Wire::read(bytes) {
            Ok(wire) => wire,
            Err(error) => {
                return self.fault(format!("a message {error}: {}", bytes.escape_ascii()));
            }
        };
        self.received.push(wire.clone());
        if self.quirks.silent {
            return;
        }
        if wire.is_request() { self.request(&wire) } else { self.response(&wire) }
    }
}
