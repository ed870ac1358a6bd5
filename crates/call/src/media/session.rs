//! A call's session: its terms, its supervision and its end.

use alloc::boxed::Box;

use mediator_media::{Event as MediaEvent, Figures, Hear, Order, Peer, Side};
use mediator_model::Ringback;
use mediator_sip::sdp::content_hash;

use super::OurEnd;
use crate::FlowKind;
use crate::call::Call;
use crate::cdr::{CallRecord, Originator};
use crate::context::Core;
use crate::io::{Event, MediaMode, MediaSettings};
use crate::request::EarlyDialog;
use crate::route::Routed;

/// Whether a call needs media of ours: all do, or its flow does, or something of its binding.
pub(crate) fn needs_media(settings: &MediaSettings, routed: &Routed) -> bool {
    if settings.mode == MediaMode::Relay || routed.kind == FlowKind::Dialout {
        return true;
    }
    let binding = routed.binding.as_ref().map(|(binding, _)| binding);
    let announces = binding.is_some_and(|binding| {
        binding.attributes.as_ref().is_some_and(|attributes| attributes.announce.is_some())
    });
    announces
        || binding.is_some_and(|binding| binding.dtmf.is_some())
        || matches!(routed.ringback, Ringback::Silence | Ringback::HoldMusic)
}

impl Call {
    /// Our end of a side's leg; `None`: the two sides send to each other.
    pub(crate) fn our_end(&self, side: Side) -> Option<OurEnd> {
        self.media.as_ref().map(|media| media.end(side))
    }

    /// Whether we have answered a side's offer, or made it one, ourselves.
    pub(crate) fn speaks_to(&self, side: Side) -> bool {
        self.media.as_ref().is_some_and(|media| media.speaks_to(side))
    }

    /// An exchange with a side is complete: what its peer said, against what we told it last, are its terms.
    pub(crate) fn agreed(&mut self, cx: &mut Core, side: Side, theirs: &[u8]) {
        if self.media.is_none() {
            return;
        }
        let Some((ours, signalling)) = self
            .talker(cx, side)
            .and_then(|talker| Some((talker.sdp.last().cloned()?, talker.flow.remote.ip())))
        else {
            return;
        };
        let early = self.dial.as_ref().and_then(|dial| dial.speaking);
        if let Some(early) = early.filter(|_| self.leg(side).is_none()) {
            self.is_heard_in(side, early);
        }
        let Self { media: Some(media), branches, .. } = self else { return };
        let known = media.side_mut(side);
        let said = content_hash(theirs) ^ content_hash(&ours).rotate_left(1);
        let told = (said, known.dialogs);
        if known.told == Some(told) {
            return;
        }
        let Some(mut terms) = super::terms::terms(theirs, &ours, signalling) else { return };
        if let Some(EarlyDialog { branch, .. }) = known.dialog {
            terms.peer = Peer {
                number: branch.saturating_add(1),
                dialog: known.dialogs,
                has_rivals: branches.iter().any(|other| other.id != branch),
            };
        }
        known.told = Some(told);
        known.rtcp_mux = terms.rtcp_mux;
        cx.media(Order::Terms { call: self.sid, side, terms: Box::new(terms) });
        let speaks = media.a.speaks || media.b.speaks;
        if !speaks && media.a.told.is_some() && media.b.told.is_some() {
            self.hear_each_other(cx);
        }
        self.dial_keys_when_joined(cx);
    }

    /// What a dialled side says is of that dialog from here on: others had our address, too.
    pub(crate) fn is_heard_in(&mut self, side: Side, dialog: EarlyDialog) {
        let Some(media) = &mut self.media else { return };
        let known = media.side_mut(side);
        if known.dialog.replace(dialog) != Some(dialog) {
            known.dialogs = known.dialogs.wrapping_add(1);
        }
    }

    /// Both sides hear the other.
    pub(crate) fn hear_each_other(&mut self, cx: &mut Core) {
        for side in Side::BOTH {
            self.hear(cx, side, Hear::Peer);
        }
    }

    /// The two sides are joined: they hear each other, and are watched.
    pub(crate) fn join_media(&mut self, cx: &mut Core) {
        if let Some(media) = &mut self.media {
            media.fall_silent();
            self.hear_each_other(cx);
            let silence = Some(cx.settings.media.timeout);
            cx.media(Order::Supervise { call: self.sid, silence });
        }
        self.dial_keys_when_joined(cx);
    }

    /// Sends the binding's keys to side B, once, when the two are joined and it has agreed on something.
    fn dial_keys_when_joined(&mut self, cx: &mut Core) {
        let is_talking = self.is_talking();
        let Some(media) = &mut self.media else { return };
        if !is_talking || !media.dials || media.b.told.is_none() {
            return;
        }
        media.dials = false;
        let binding = self.record.as_ref().and_then(|record| record.binding.as_ref());
        if let Some(keys) = binding.and_then(|binding| binding.dtmf.as_deref()) {
            let digits = keys.into();
            cx.media(Order::Dial { call: self.sid, side: Side::B, digits });
        }
    }

    /// Keeps the offer in a 2xx of a peer until the other side's ACK answers it.
    pub(crate) fn keep_late_offer(&mut self, sdp: Option<&[u8]>) {
        if let Some(media) = &mut self.media {
            media.late_offer = sdp.map(Box::from);
        }
    }

    /// The offer that the other side's ACK answers.
    pub(crate) fn take_late_offer(&mut self) -> Option<Box<[u8]>> {
        self.media.as_mut()?.late_offer.take()
    }

    /// What became of the call's media.
    pub(crate) fn media_event(&mut self, cx: &mut Core, event: &MediaEvent) {
        match event {
            MediaEvent::Key { side: Side::A, key, .. } => self.dialout_key(cx, *key),
            MediaEvent::TrackNeeded { .. } | MediaEvent::Key { side: Side::B, .. } => {}
            MediaEvent::SoundEnded { side, token, outcome, .. } => {
                self.sound_ended(cx, (*side, *token), *outcome);
            }
            MediaEvent::Silent { .. } => {
                let reason = "SIP;cause=408;text=\"RTP timeout\"";
                self.hang_up(cx, Originator::System, Some(reason));
            }
            MediaEvent::Closed { figures, .. } => self.media_closed(cx, *figures),
        }
    }

    // ---- the end

    /// Tells the record of a call that is over: at once, or with the figures of its media when its session is closed.
    pub(crate) fn tell_record(&mut self, cx: &mut Core, record: Box<CallRecord>) {
        match &mut self.media {
            None => cx.event(Event::CallEnded(record)),
            Some(media) => {
                media.record = Some(record);
                cx.media(Order::Close { call: self.sid });
            }
        }
    }

    fn media_closed(&mut self, cx: &mut Core, figures: [Figures; 2]) {
        let Some(media) = self.media.take() else { return };
        let figures = Some(Box::new(figures));
        if let Some(mut record) = media.record {
            record.figures = figures;
            return cx.event(Event::CallEnded(record));
        }
        // Whoever carries media has let go of it: the sides would hear nothing for the rest of the call.
        if let Some(record) = &mut self.record {
            record.figures = figures;
        }
        self.hang_up(cx, Originator::System, Some("SIP;cause=500;text=\"Media lost\""));
    }

    /// The session's end is not waited for any longer: the record is told without its figures.
    pub(crate) fn forget_media(&mut self, cx: &mut Core) {
        if let Some(record) = self.media.take().and_then(|media| media.record) {
            cx.event(Event::CallEnded(record));
        }
    }
}
