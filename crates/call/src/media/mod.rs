//! A call's media, as the call engine has it: two pairs of ports, what each leg has agreed on, and what each side hears.
//!
//! Nothing of RTP is here: orders go out, and what became of them comes back. A call whose two sides send to each other
//! has none of it.
//!
//! - `edit`: what is written to one side of the other's SDP; `own`: SDP of our own; `terms`: what a leg has agreed on.
//! - `align`: an offer of ours to leg A, where what we had told it does not suit leg B.
//! - `session`: from the ports to the figures; `sounds`: what a side hears.
//!
//! Invariants: ports that were reserved are given back once, by the session that was opened with them or, where none
//! was, by us; a call with a session tells its record when the session is closed.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use mediator_media::{Hear, Order, Side};
use mediator_model::{MediaPort, MediaPorts, NoMediaPort, Sid};

use crate::cdr::CallRecord;
use crate::context::Core;
use crate::io::{MediaSettings, Output};
use crate::request::EarlyDialog;

mod align;
mod edit;
mod own;
mod session;
mod sounds;
mod terms;
mod way;

#[cfg(test)]
mod tests;

pub(crate) use align::Realign;
pub(crate) use edit::{OurEnd, Uncrossed};
pub(crate) use own::{OUR_OFFER, codec_of, restricted, suits};
pub(crate) use session::needs_media;
pub(crate) use sounds::Purpose;
pub(crate) use way::{Role, Way, way, written};

/// A call's media.
#[derive(Debug)]
pub(crate) struct CallMedia {
    ports: [MediaPort; 2],
    /// Our address in SDP, for as long as the call lasts.
    address: IpAddr,
    a: SideMedia,
    b: SideMedia,
    /// The last token of a play.
    token: u32,
    /// An offer in a 2xx of a peer, until the other side's ACK answers it.
    late_offer: Option<Box<[u8]>>,
    /// Keys that are to be sent to side B when the two sides are joined.
    dials: bool,
    /// What side A is to be offered: side B takes nothing that it favours.
    realign: Option<Box<Realign>>,
    /// The record of a call that has ended, until the session is closed.
    record: Option<Box<CallRecord>>,
}

/// A side's media.
#[derive(Debug, Default)]
struct SideMedia {
    /// Of the SDP of both that the last terms were made from, and whose it was.
    told: Option<(u64, u16)>,
    /// The dialog that it is, or will be, where the side is dialled.
    dialog: Option<EarlyDialog>,
    /// How often that was another one.
    dialogs: u16,
    /// RTCP comes on RTP's port.
    rtcp_mux: bool,
    /// DTMF is sent there, whether or not the other side has events.
    events: bool,
    /// We have answered its offer, or made it one, ourselves: what the other side says changes nothing for it.
    speaks: bool,
    hears: Hears,
    playing: Option<sounds::Playing>,
}

/// What a side was last made to hear, so that it is not ordered twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Hears {
    #[default]
    Nothing,
    Silence,
    Peer,
    Sound,
}

impl CallMedia {
    /// Reserves a pair of ports for each side of a call that is about to begin.
    pub(crate) fn reserve(
        ports: &dyn MediaPorts,
        settings: &MediaSettings,
    ) -> Result<Box<Self>, NoMediaPort> {
        let a = ports.reserve()?;
        let b = ports.reserve().inspect_err(|_| ports.release(a))?;
        Ok(Box::new(Self {
            ports: [a, b],
            address: settings.address,
            a: SideMedia::default(),
            b: SideMedia::default(),
            token: 0,
            late_offer: None,
            dials: false,
            realign: None,
            record: None,
        }))
    }

    /// Gives the ports of a call back that came to nothing before its session was opened.
    pub(crate) fn release(self, ports: &dyn MediaPorts) {
        for port in self.ports {
            ports.release(port);
        }
    }

    /// Opens the session: from here on the ports are its.
    pub(crate) fn open(&self, cx: &mut Core, call: Sid) {
        cx.media(Order::Open { call, ports: self.ports });
    }

    /// Our end of a side's leg.
    pub(crate) fn end(&self, side: Side) -> OurEnd {
        let [a, b] = self.ports;
        let port = match side {
            Side::A => a,
            Side::B => b,
        };
        let known = self.side(side);
        OurEnd {
            at: SocketAddr::new(self.address, port.rtp()),
            rtcp_mux: known.rtcp_mux,
            events: known.events,
        }
    }

    /// DTMF is going to be sent to side B.
    pub(crate) const fn dial_later(&mut self) {
        self.b.events = true;
        self.dials = true;
    }

    /// A side's SDP is ours from here on: what the other side says changes nothing for it.
    pub(crate) fn speak_to(&mut self, side: Side) {
        self.side_mut(side).speaks = true;
    }

    /// The two sides negotiate with each other from here on.
    pub(crate) fn fall_silent(&mut self) {
        self.a.speaks = false;
        self.b.speaks = false;
    }

    /// Whether a side's SDP is ours.
    pub(crate) fn speaks_to(&self, side: Side) -> bool {
        self.side(side).speaks
    }

    const fn side(&self, side: Side) -> &SideMedia {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut SideMedia {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// Makes a side hear something that is no sound of ours.
    fn hear(&mut self, cx: &mut Core, call: Sid, (side, hear): (Side, Hear)) {
        let hears = match &hear {
            Hear::Nothing => Hears::Nothing,
            Hear::Silence => Hears::Silence,
            Hear::Peer => Hears::Peer,
            Hear::Sound(_) | Hear::SoundThenPeer(_) => Hears::Sound,
        };
        let known = self.side_mut(side);
        if hears != Hears::Sound {
            known.playing = None;
            if known.hears == hears {
                return;
            }
        }
        known.hears = hears;
        cx.media(Order::Hear { call, side, hear });
    }
}

impl Core {
    /// Asks something of media.
    pub(crate) fn media(&mut self, order: Order) {
        self.outputs.push_back(Output::Media(order));
    }
}
