//! Requests of ours inside a dialog: how they are written, what hangs on their answer, and how a challenge is met.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mediator_model::{Flow, Instant, Sid};
use mediator_sip::HeaderName;
use mediator_sip::dialog::{
    Dialog, DialogChange, EarlyDialogs, ForkId, NewDialog, RequestParts, TimerOffer,
};
use mediator_sip::digest::{Asked, Challenge, Counted, Login, answer, choose};
use mediator_sip::header::{Refresher, SessionExpires};
use mediator_sip::message::{Method, Request, Response, Writer};
use mediator_sip::transaction::{ClientKey, ServerKey};
use smallvec::SmallVec;

use crate::branch::{CancelReason, Wanted};
use crate::context::{ALLOW, Core};
use crate::leg::Side;
use crate::media::Realign;

/// What a request of ours carries beside what its dialog gives.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    pub(crate) method: Method,
    pub(crate) max_forwards: u8,
    pub(crate) body: Option<Body>,
    /// For INVITE and UPDATE: what we say about the session timer.
    pub(crate) timer: Option<TimerOffer>,
    /// For BYE: why; for PRACK: RAck.
    pub(crate) extra: Option<(HeaderName, Box<str>)>,
}

/// A body and its type.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Arc<[u8]>,
}

impl Body {
    pub(crate) const fn sdp(bytes: Arc<[u8]>) -> Self {
        Self { content_type: "application/sdp", bytes }
    }

    pub(crate) fn parts(body: Option<&Self>) -> Option<(&str, &[u8])> {
        body.map(|body| (body.content_type, &*body.bytes))
    }
}

/// The ACK of a 2xx, beside what its dialog gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack<'a> {
    /// The number of its INVITE.
    pub(crate) cseq: u32,
    pub(crate) branch: &'a str,
    pub(crate) body: Option<&'a Body>,
    /// The credentials of its INVITE (RFC 3261 §22.1).
    pub(crate) met: Option<&'a Met>,
}

/// How far the CSeq number of a stray dialog's BYE is above its INVITE's: what was sent in it while it was early is
/// forgotten, and the number must be higher (RFC 3261 §12.2.1.1).
const STRAY_CSEQ_STEP: u32 = 1000;

/// Max-Forwards of requests that begin with us (RFC 3261 §8.1.1.6).
pub(crate) const MAX_FORWARDS: u8 = 70;

impl Outbound {
    pub(crate) const fn new(method: Method) -> Self {
        Self { method, max_forwards: MAX_FORWARDS, body: None, timer: None, extra: None }
    }

    /// A BYE; `reason` is a Reason value (RFC 3326).
    pub(crate) fn bye(reason: Option<&str>) -> Self {
        let extra = reason.map(|reason| (HeaderName::Reason, Box::from(reason)));
        Self { extra, ..Self::new(Method::Bye) }
    }
}

/// A request of the peer of one leg that waits for the answer of the other leg's peer.
#[derive(Debug)]
pub(crate) struct Relayed {
    /// The side that it came from.
    pub(crate) from: Side,
    pub(crate) server: ServerKey,
    pub(crate) request: Request,
}

/// What hangs on the answer to a request of ours.
#[derive(Debug)]
pub(crate) enum Intent {
    /// The end of a leg.
    Bye,
    /// A session refresh (RFC 4028).
    Refresh,
    /// A leg is to agree on what the other one has agreed on.
    Align(Box<Realign>),
    /// Nobody waits for the answer any more.
    Settled,
    /// The answer goes to the other leg's peer.
    Relay(Box<Relayed>),
}

/// A request of ours under way.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) client: ClientKey,
    pub(crate) side: Side,
    pub(crate) request: Outbound,
    pub(crate) cseq: u32,
    /// Credentials were sent: a second challenge is a refusal.
    pub(crate) authenticated: bool,
    pub(crate) intent: Intent,
    /// An INVITE that has no final response by then is cancelled: nothing else ends it (RFC 3261 §17.1.1.2).
    pub(crate) until: Instant,
    pub(crate) wanted: Wanted,
}

impl Outgoing {
    /// The deadline of an INVITE.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = self.request.method == Method::Invite && self.wanted == Wanted::Yes;
        waits.then_some(self.until)
    }

    /// Cancels an INVITE, as soon as a 1xx has come (RFC 3261 §9.1).
    pub(crate) fn cancel(&mut self, cx: &mut Core) {
        if self.request.method == Method::Invite && self.wanted != Wanted::Cancelled {
            let user = crate::context::ClientUse::Orphan;
            let sent = cx.layer.cancel(cx.now, self.client, None, user);
            self.wanted = match sent {
                Some(_) => Wanted::Cancelled,
                None => Wanted::Cancel(CancelReason::CallerGone),
            };
        }
    }
}

/// What waits until a leg's target is resolved.
#[derive(Debug)]
pub(crate) enum Queued {
    Request(Outbound, Intent),
    Ack { cseq: u32, body: Option<Body> },
}

/// An Authorization or Proxy-Authorization header to send.
#[derive(Clone, Debug)]
pub(crate) struct Credentialed {
    pub(crate) name: HeaderName,
    pub(crate) value: Vec<u8>,
    realm: Vec<u8>,
    /// A response that was no challenge of its realm has come since: they were good.
    accepted: bool,
}

/// Whose credentials meet a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LoginOf {
    /// The endpoint's.
    Endpoint,
    /// Those of one of its addresses, else the endpoint's.
    Address(u16),
    /// Nobody's: a place that a peer has named must not learn a hash of ours.
    Nobody,
}

/// Challenges that one INVITE meets: a proxy's, the peer's and a nonce that is stale.
const MAX_CHALLENGES: usize = 3;

/// What an INVITE's challenges were met with; all of it goes with each further INVITE (RFC 3261 §22.3) and with the
/// ACK of its 2xx (§13.2.2.4).
#[derive(Clone, Debug, Default)]
pub(crate) struct Met {
    credentials: SmallVec<[Box<Credentialed>; 1]>,
    challenges: usize,
}

impl Met {
    /// The headers to send.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &Credentialed> {
        self.credentials.iter().map(|credentials| &**credentials)
    }

    /// The INVITE was refused for another reason than its credentials.
    pub(crate) fn accepted(&mut self) {
        for credentials in &mut self.credentials {
            credentials.accepted = true;
        }
    }

    /// Whether a challenge may be met: not where the peer has refused what we have.
    fn may_meet(&self, name: HeaderName, challenge: &Challenge<'_>) -> bool {
        let refused = self
            .headers()
            .any(|known| known.name == name && known.realm == *challenge.realm && !known.accepted);
        self.challenges < MAX_CHALLENGES && (challenge.stale || !refused)
    }

    fn take(&mut self, new: Credentialed) {
        self.challenges += 1;
        self.accepted();
        self.credentials.retain(|known| known.name != new.name || known.realm != new.realm);
        self.credentials.push(Box::new(new));
    }
}

/// Writes what every request in a dialog has.
pub(crate) fn write_parts(writer: &mut Writer, parts: &RequestParts<'_>, method: Method) {
    for route in parts.routes {
        writer.header(HeaderName::Route, route);
    }
    writer.header(HeaderName::From, parts.from);
    writer.header(HeaderName::To, parts.to);
    writer.header(HeaderName::CallId, parts.call_id);
    writer.header_with(HeaderName::CSeq, |value| {
        value.number(parts.cseq).put(" ").put(method.as_str());
    });
}

/// Writes Session-Expires and Min-SE.
pub(crate) fn write_timer(writer: &mut Writer, offer: &TimerOffer) {
    write_session_expires(writer, offer.session_expires);
    if let Some(min_se) = offer.min_se {
        writer.header_with(HeaderName::MinSe, |value| {
            value.number(min_se);
        });
    }
}

/// Writes one Session-Expires.
pub(crate) fn write_session_expires(writer: &mut Writer, value: SessionExpires) {
    writer.header_with(HeaderName::SessionExpires, |text| {
        text.number(value.seconds);
        match value.refresher {
            None => {}
            Some(Refresher::Uac) => {
                text.put(";refresher=uac");
            }
            Some(Refresher::Uas) => {
                text.put(";refresher=uas");
            }
        }
    });
}

impl Core {
    /// Sends a request in a dialog and starts its transaction; gives its key and CSeq number.
    pub(crate) fn request_in_dialog(
        &mut self,
        dialog: &mut Dialog,
        flow: Flow,
        request: &Outbound,
        met: Option<&Met>,
        user: crate::context::ClientUse,
    ) -> (ClientKey, u32) {
        let branch = self.dice.branch();
        let parts = dialog.request_parts(request.method);
        let cseq = parts.cseq;
        let mut writer = self.begin_request(
            request.method.as_str(),
            parts.uri,
            &flow,
            &branch,
            request.max_forwards,
        );
        write_parts(&mut writer, &parts, request.method);
        if matches!(request.method, Method::Invite | Method::Update) {
            self.write_contact(&mut writer, &flow);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, "timer");
        }
        if let Some(timer) = &request.timer {
            write_timer(&mut writer, timer);
        }
        if let Some((name, value)) = &request.extra {
            writer.header(*name, value.as_bytes());
        }
        for credentials in met.into_iter().flat_map(Met::headers) {
            writer.header(credentials.name, &credentials.value);
        }
        let bytes = writer.finish(Body::parts(request.body.as_ref()));
        (self.start_client(request.method, &branch, bytes, flow, user), cseq)
    }

    /// Writes and sends the ACK of a 2xx.
    pub(crate) fn acknowledge(&mut self, dialog: &Dialog, flow: Flow, ack: Ack<'_>) {
        let Ack { cseq, branch, body, met } = ack;
        let parts = dialog.ack_parts(cseq);
        let mut writer = self.begin_request("ACK", parts.uri, &flow, branch, MAX_FORWARDS);
        write_parts(&mut writer, &parts, Method::Ack);
        for credentials in met.into_iter().flat_map(Met::headers) {
            writer.header(credentials.name, &credentials.value);
        }
        let bytes = writer.finish(Body::parts(body));
        self.send(flow, bytes);
    }

    /// Ends a dialog that nobody wants: ACK for its 2xx, then BYE; nobody waits for the answer.
    pub(crate) fn acknowledge_and_bye(
        &mut self,
        dialog: &mut Dialog,
        flow: Flow,
        cseq: u32,
        met: Option<&Met>,
    ) {
        let branch = self.dice.branch();
        self.acknowledge(dialog, flow, Ack { cseq, branch: &branch, body: None, met });
        let bye = Outbound::bye(None);
        self.request_in_dialog(dialog, flow, &bye, None, crate::context::ClientUse::Orphan);
    }

    /// Ends the dialog of a 2xx that nobody waits for any more: a fork that lost, or the answer to a call that is
    /// gone (RFC 3261 §13.2.2.4, §15). All that is needed is in the 2xx, so nothing is remembered; each copy of it
    /// is answered anew.
    pub(crate) fn refuse_stray_2xx(&mut self, client: ClientKey, response: &Response) {
        let Some(flow) = self.layer.client_flow(client) else { return };
        let (Some(from), Ok(tagged), Ok(call_id), Ok(cseq)) = (
            response.first(HeaderName::From),
            response.from_tag(),
            response.call_id(),
            response.cseq().map(|cseq| cseq.number),
        ) else {
            return;
        };
        let target = alloc::format!("sip:{}", flow.remote);
        let mut dialogs = EarlyDialogs::new(&NewDialog {
            call_id,
            local: without_tag(from),
            local_tag: tagged.unwrap_or_default(),
            remote: response.first(HeaderName::To).unwrap_or_default(),
            target: target.as_bytes(),
            routes: &[],
            cseq: cseq.saturating_add(STRAY_CSEQ_STEP),
        });
        if let DialogChange::Confirmed(fork) | DialogChange::Unusable2xx(fork) =
            dialogs.handle_response(response)
            && let Some(dialog) = dialogs.dialog_mut(fork)
        {
            self.acknowledge_and_bye(dialog, flow, cseq, None);
        }
    }

    /// Adds the answer to a 401 or 407 of an endpoint, where we have credentials for it (RFC 3261 §22.2, RFC 7616).
    pub(crate) fn meet_challenge(
        &mut self,
        response: &Response,
        (endpoint, login_of): (Sid, LoginOf),
        (method, uri): (Method, &[u8]),
        met: &mut Met,
    ) -> bool {
        let credentials = self.credentials_for(response, (endpoint, login_of), (method, uri), met);
        credentials.map(|credentials| met.take(credentials)).is_some()
    }

    fn credentials_for(
        &mut self,
        response: &Response,
        (endpoint, login_of): (Sid, LoginOf),
        (method, uri): (Method, &[u8]),
        met: &Met,
    ) -> Option<Credentialed> {
        let (asked, name) = if response.status() == 407 {
            (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization)
        } else {
            (HeaderName::WwwAuthenticate, HeaderName::Authorization)
        };
        let directory = self.directory.clone();
        let endpoint = directory.endpoint(directory.endpoint_by_sid(endpoint)?)?;
        let of_address = match login_of {
            LoginOf::Endpoint => {
                endpoint.addresses.iter().find_map(|address| address.credentials.as_ref())
            }
            LoginOf::Address(at) => endpoint.addresses.get(usize::from(at))?.credentials.as_ref(),
            LoginOf::Nobody => return None,
        };
        let login = of_address.or(endpoint.out_credentials.as_ref())?;
        let asked = response.challenges(asked);
        let challenge = choose(asked.filter(|challenge| met.may_meet(name, challenge)))?;
        let client_nonce = self.stray_tag();
        let value = answer(
            &challenge,
            &Login { username: &login.username, password: login.password.expose() },
            &Asked { method: method.as_str(), uri },
            &Counted { cnonce: &client_nonce, nc: 1 },
        )?;
        let realm = challenge.realm.into_owned();
        Some(Credentialed { name, value, realm, accepted: false })
    }
}

/// A From value of ours, which ends with its tag.
fn without_tag(value: &[u8]) -> &[u8] {
    let at = value.windows(5).rposition(|window| window == b";tag=");
    at.and_then(|at| value.get(..at)).unwrap_or(value)
}

/// Names the early dialog of a branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EarlyDialog {
    pub(crate) branch: u16,
    pub(crate) fork: ForkId,
}
