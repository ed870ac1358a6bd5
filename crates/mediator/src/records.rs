//! Call records: from what an engine tells of a call that ended to the rows that the APIs list and callbacks get.
//!
//! A call of a binding flow or a dialout gets a Mediator record; every call gets a record for each leg that there was. What is
//! refused before it meets a binding gets none. Numbers hidden by Privacy are in none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mediator_call::io::Listener;
use mediator_call::{CallRecord, DialledLeg, FlowKind, LegA, Originator};
use mediator_media::Figures;
use mediator_model::{Flow, ListenerId, Sid, UnixMillis};
use mediator_store::record::{CallRow, DialoutRecord, LegRow, MediaFigures, Object};
use mediator_store::{CallDelivery, Calls};
use tokio::runtime::Handle;
use tokio::time::sleep;

#[cfg(test)]
mod tests;

/// Tell the ids of records that belong to one sid apart from it and from each other: any constants do, as sids are
/// random.
const LEG_A: u128 = 0x9d2c_5680_efc6_0000_0a11_5a5a_0f0f_a0a0;
const LEG_B: u128 = 0x71d6_7fff_eda6_0000_0b22_a5a5_f0f0_b0b0;
const DIALOUT: u128 = 0x5deb_7c3e_c2b2_0000_0d33_3c3c_0ff0_d0d0;

/// How long appends may gather before they are delivered; and when the disk did not take them meanwhile.
const SOON: Duration = Duration::from_millis(50);
const AGAIN: Duration = Duration::from_secs(1);

/// Where Mediator records are posted now; `None`: nowhere.
pub type CallbackUrl = Box<dyn Fn() -> Option<Box<str>> + Send + Sync>;

/// What a recorder is made of.
pub struct RecorderParts {
    /// Where records are kept.
    pub calls: Arc<dyn Calls>,
    /// The operator's callback `app_mediator`.
    pub callback: CallbackUrl,
    /// The sockets, for our own addresses in leg records.
    pub listeners: Vec<Listener>,
    /// Wakes whoever delivers callbacks. It must not wait.
    pub delivery_queued: Box<dyn Fn() + Send + Sync>,
}

/// Keeps the records of calls that ended.
pub struct Recorder {
    calls: Arc<dyn Calls>,
    callback: CallbackUrl,
    listeners: Vec<Listener>,
    nudge: Arc<Nudge>,
}

/// How a dialout ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DialoutEnd {
    /// When stage one was dialled, or was given up.
    pub date_start: UnixMillis,
    /// When the two were joined.
    pub date_talk: Option<UnixMillis>,
    /// The end.
    pub date_stop: UnixMillis,
    /// The final code.
    pub sip_cause: u16,
    /// Who ended it.
    pub originator: Originator,
}

impl DialoutEnd {
    /// It ended by itself before anybody was called.
    pub const fn undialled(at: UnixMillis, sip_cause: u16) -> Self {
        let originator = Originator::System;
        Self { date_start: at, date_talk: None, date_stop: at, sip_cause, originator }
    }
}

impl Recorder {
    /// Keeps records where the parts say.
    pub fn new(parts: RecorderParts) -> Self {
        let RecorderParts { calls, callback, listeners, delivery_queued } = parts;
        let nudge = Nudge { wake: delivery_queued, is_due: AtomicBool::new(false) };
        Self { calls, callback, listeners, nudge: Arc::new(nudge) }
    }

    /// Keeps what is to be kept of a call that ended. Does not wait.
    pub fn call_ended(&self, record: &CallRecord) {
        let call = call_row(record);
        let legs = leg_rows(record, &self.listeners);
        self.append(call, legs);
    }

    /// Keeps the record of a dialout; it has one, however often it is ended. Does not wait.
    pub fn dialout_ended(&self, dialout: &DialoutRecord, end: &DialoutEnd) {
        self.append(Some(dialout_row(dialout, end)), Vec::new());
    }

    fn append(&self, call: Option<CallRow>, legs: Vec<LegRow>) {
        let callback = call.as_ref().and_then(|_| (self.callback)());
        let is_queued = callback.is_some();
        self.calls.append(CallDelivery { call, legs, callback });
        if is_queued {
            self.nudge.soon();
        }
    }
}

/// Wakes the deliverer when some calls have ended: its look ends their gathering in the store. On a slow disk it finds
/// nothing yet, and looks again.
struct Nudge {
    wake: Box<dyn Fn() + Send + Sync>,
    /// A task is about to wake it.
    is_due: AtomicBool,
}

impl Nudge {
    fn soon(self: &Arc<Self>) {
        // Outside of a runtime nobody can wait: then it is woken as it is.
        let Ok(runtime) = Handle::try_current() else { return (self.wake)() };
        if self.is_due.swap(true, Ordering::Relaxed) {
            return;
        }
        let nudge = self.clone();
        runtime.spawn(async move {
            sleep(SOON).await;
            nudge.is_due.store(false, Ordering::Relaxed);
            (nudge.wake)();
            sleep(AGAIN).await;
            (nudge.wake)();
        });
    }
}

/// The Mediator record; `None` for calls that neither a binding nor a dialout ran.
fn call_row(record: &CallRecord) -> Option<CallRow> {
    let endpoint = record.endpoint?;
    let (dr_sid, reference, attributes, dtmf, direction) = match record.kind {
        FlowKind::Binding => {
            let binding = record.binding.as_ref()?;
            let attributes = binding.attributes.as_ref();
            (
                record.call,
                binding.sid,
                attributes,
                binding.dtmf.as_deref().map(Into::into),
                "inbound",
            )
        }
        FlowKind::Dialout => {
            let dialout = record.dialout.as_ref()?;
            let dr_sid = derived(dialout.sid, DIALOUT);
            (dr_sid, dialout.sid, Some(&dialout.attributes), None, "outbound")
        }
        FlowKind::Inbound => return None,
    };
    let [media_src, media_dst] = record
        .figures
        .as_ref()
        .map_or_else(Default::default, |figures| figures.each_ref().map(media_figures));
    let json = attributes.and_then(|attributes| attributes.json.as_deref());
    Some(CallRow {
        dr_sid,
        endpoint_sid: endpoint,
        event_type: record.kind.as_str().into(),
        reference_sid: Some(reference),
        attributes: json.map(object).unwrap_or_default(),
        dtmf,
        direction: direction.into(),
        number_src: record.number_src,
        number_redirect: record.number_redirect,
        number_dst: Some(record.number_dst),
        date_start: record.date_start,
        date_talk: record.date_talk,
        date_stop: record.date_stop,
        date_insert: record.date_stop,
        sip_cause: record.sip_cause,
        disconnect_originator: record.disconnect_originator.as_str().into(),
        media_src,
        media_dst,
    })
}

/// What the APIs show of a leg's media.
pub fn media_figures(figures: &Figures) -> MediaFigures {
    // A hundredth is more than either is exact to.
    let rounded = |value: f32| (f64::from(value) * 100.0).round() / 100.0;
    MediaFigures {
        packets: Some(figures.packets),
        lost: Some(figures.lost),
        jitter_ms: Some(rounded(figures.jitter_ms)),
        mos: figures.mos.map(rounded),
    }
}

fn dialout_row(dialout: &DialoutRecord, end: &DialoutEnd) -> CallRow {
    CallRow {
        dr_sid: derived(dialout.sid, DIALOUT),
        endpoint_sid: dialout.account_sid,
        event_type: "dialout".into(),
        reference_sid: Some(dialout.sid),
        attributes: dialout.attributes.clone(),
        dtmf: None,
        direction: "outbound".into(),
        number_src: Some(dialout.stage_one_destination_did),
        number_redirect: dialout.redirect_did,
        number_dst: Some(dialout.stage_two_destination_did),
        date_start: end.date_start,
        date_talk: end.date_talk,
        date_stop: end.date_stop,
        date_insert: end.date_stop,
        sip_cause: end.sip_cause,
        disconnect_originator: end.originator.as_str().into(),
        media_src: MediaFigures::default(),
        media_dst: MediaFigures::default(),
    }
}

/// Attributes were an object when they were stored.
fn object(json: &str) -> Object {
    serde_json::from_str(json).unwrap_or_default()
}

/// Leg A came from an endpoint, or went to one as a dialout's stage one; leg B went to one. Where nothing was dialled
/// there is no such leg.
fn leg_rows(record: &CallRecord, listeners: &[Listener]) -> Vec<LegRow> {
    let leg_a = match &record.leg_a {
        LegA::Incoming { endpoint, call_id, flow, identity } => Some(LegRow {
            dr_sid: derived(record.call, LEG_A),
            direction: "inbound".into(),
            date_start: record.date_start,
            endpoint_sid_src: Some(*endpoint),
            number_src: record.number_src,
            number_dst: Some(record.number_redirect),
            number_external: record.number_src,
            ip_src: Some(peer(flow)),
            ip_dst: ours(flow.listener, listeners),
            sipcallid_src: Some((**call_id).into()),
            sipcause: record.sip_cause,
            identity: *identity,
            ..common(record)
        }),
        LegA::Dialled(leg) => leg.as_deref().map(|leg| dialled(record, (leg, LEG_A), listeners)),
    };
    let leg_b = record.leg_b.as_ref().map(|leg| dialled(record, (leg, LEG_B), listeners));
    leg_a.into_iter().chain(leg_b).collect()
}

fn dialled(
    record: &CallRecord,
    (leg, which): (&DialledLeg, u128),
    listeners: &[Listener],
) -> LegRow {
    LegRow {
        dr_sid: derived(record.call, which),
        direction: "outbound".into(),
        date_start: leg.date_start,
        endpoint_sid_dst: Some(leg.endpoint),
        number_src: leg.number_src,
        number_dst: Some(leg.number_dst),
        number_external: Some(leg.number_dst),
        ip_src: ours(leg.flow.listener, listeners),
        ip_dst: Some(peer(&leg.flow)),
        sipcallid_dst: Some((*leg.call_id).into()),
        sipcause: leg.sip_cause,
        ..common(record)
    }
}

/// What both legs of a call share.
fn common(record: &CallRecord) -> LegRow {
    // Of each leg where it passed here: they differ where we rewrite one codec into another.
    let own = record.figures.as_ref().map(|figures| figures.each_ref().map(|leg| leg.codec));
    let [codec_src, codec_dst] = own
        .filter(|_| record.codec.is_some())
        .map_or([record.codec; 2], |own| own.map(|codec| codec.or(record.codec)));
    LegRow {
        dr_sid: record.call,
        call_sid: record.call,
        direction: Box::default(),
        date_start: record.date_start,
        date_talk: record.date_talk,
        date_stop: record.date_stop,
        date_insert: record.date_stop,
        endpoint_sid_src: None,
        endpoint_sid_dst: None,
        number_src: None,
        number_dst: None,
        number_external: None,
        ip_src: None,
        ip_dst: None,
        sipcallid_src: None,
        sipcallid_dst: None,
        sipcause: 0,
        codec_src: codec_src.map(Into::into),
        codec_dst: codec_dst.map(Into::into),
        disconnect_originator: record.disconnect_originator.as_str().into(),
        identity: None,
    }
}

const fn derived(from: Sid, which: u128) -> Sid {
    Sid::from_random(from.as_u128() ^ which)
}

fn peer(flow: &Flow) -> Box<str> {
    flow.remote.to_string().into()
}

fn ours(id: ListenerId, listeners: &[Listener]) -> Option<Box<str>> {
    let listener = listeners.iter().find(|listener| listener.id == id)?;
    Some(listener.advertised.to_string().into())
}
