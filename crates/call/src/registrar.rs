//! The registrar of `third_party` endpoints: RFC 3261 §10.3.
//!
//! The address of record is the endpoint's SIP user name, or one of its numbers. Contacts are kept with the
//! flow that the REGISTER came on, and calls go back over it (NAT).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use mediator_model::{
    ContactBinding, ContactError, ContactUpdate, Endpoint, EndpointIndex, EndpointKind, Flow,
    Number, Sid,
};
use mediator_sip::header::Contacts;
use mediator_sip::message::Request;
use mediator_sip::transaction::ServerKey;
use mediator_sip::uri::Scheme;
use mediator_sip::{HeaderName, NameAddr};

use crate::context::Core;
use crate::incoming::unsupported;
use crate::ingress::Proof;
use crate::io::Event;

/// The shortest registration: a shorter one is 423 (RFC 3261 §10.3 step 7).
const MIN_EXPIRES: u32 = 60;
/// A registration that names no time.
const DEFAULT_EXPIRES: u32 = 3600;
/// The longest registration; a longer one is cut to this.
const MAX_EXPIRES: u32 = 7200;
/// Contacts that one REGISTER may carry.
const MAX_CONTACTS: usize = 10;

/// Why a REGISTER is refused.
enum Refusal {
    Status(u16, &'static str),
    TooBrief,
}

/// What a REGISTER came to.
struct Registered {
    endpoint: Sid,
    /// How many contacts there were.
    before: usize,
    /// Those that there are now.
    contacts: Vec<ContactBinding>,
}

impl Core {
    /// Answers a REGISTER.
    pub(crate) fn register(&mut self, server: ServerKey, request: &Request) {
        let Some(index) = self.identify(server, request, Proof::Digest) else { return };
        if unsupported(self, server, request) {
            return;
        }
        let Some(flow) = self.layer.server_source(server) else { return };
        match self.try_register(index, request, flow) {
            Ok(registered) => self.confirm(server, request, flow, &registered),
            Err(Refusal::Status(status, phrase)) => {
                self.refuse_with(server, request, status, phrase, |_| {});
            }
            Err(Refusal::TooBrief) => {
                self.refuse_with(server, request, 423, "Interval Too Brief", |writer| {
                    writer.header_fmt(HeaderName::MinExpires, format_args!("{MIN_EXPIRES}"));
                });
            }
        }
    }

    fn try_register(
        &mut self,
        index: EndpointIndex,
        request: &Request,
        flow: Flow,
    ) -> Result<Registered, Refusal> {
        let directory = self.directory.clone();
        let endpoint = directory.endpoint(index).ok_or(Refusal::Status(403, "Forbidden"))?;
        if !owns_address_of_record(endpoint, request) {
            return Err(Refusal::Status(403, "Not your address of record"));
        }
        let updates = self.updates(request, flow)?;
        let locations = &self.ports.locations;
        let before = locations.contacts(endpoint.sid, self.now).len();
        let contacts =
            locations.update(endpoint.sid, updates, self.now).map_err(|error| match error {
                ContactError::OutOfOrder => {
                    Refusal::Status(400, "CSeq is older than the registration's")
                }
                ContactError::TooMany => Refusal::Status(403, "Too many contacts"),
            })?;
        Ok(Registered { endpoint: endpoint.sid, before, contacts })
    }

    fn updates(&self, request: &Request, flow: Flow) -> Result<Vec<ContactUpdate>, Refusal> {
        let bad = |phrase| Refusal::Status(400, phrase);
        let call_id: Box<str> =
            alloc::string::String::from_utf8_lossy(request.call_id().unwrap_or_default()).into();
        let cseq = request.cseq().map_err(|_| bad("Malformed CSeq"))?.number;
        let expires = request.expires().map_err(|_| bad("Malformed Expires"))?;
        if request.first(HeaderName::Contact).is_none() {
            return Ok(Vec::new());
        }
        let list = match request.contacts().map_err(|_| bad("Malformed Contact"))? {
            Contacts::Star if expires == Some(0) => {
                return Ok(alloc::vec![ContactUpdate::RemoveAll { call_id, cseq }]);
            }
            Contacts::Star => return Err(bad("Contact * wants Expires 0")),
            Contacts::List(list) => list,
        };
        let mut updates = Vec::new();
        for contact in list {
            let contact = contact.map_err(|_| bad("Malformed Contact"))?;
            if updates.len() == MAX_CONTACTS {
                return Err(bad("Too many contacts"));
            }
            updates.push(self.contact_update(&contact, expires, (&call_id, cseq), flow)?);
        }
        Ok(updates)
    }

    fn contact_update(
        &self,
        contact: &NameAddr<'_>,
        header_expires: Option<u32>,
        (call_id, cseq): (&str, u32),
        flow: Flow,
    ) -> Result<ContactUpdate, Refusal> {
        let uri = core::str::from_utf8(contact.uri.raw)
            .map_err(|_| Refusal::Status(400, "Malformed Contact"))?;
        // It becomes the Request-URI of calls to the phone, where headers may not be (§19.1.1).
        if !matches!(contact.uri.scheme, Scheme::Sip | Scheme::Sips)
            || contact.uri.headers.is_some()
        {
            return Err(Refusal::Status(400, "Contact is no SIP URI that can be called"));
        }
        // §10.2.1.1: a value that cannot be read counts as 3600.
        let own =
            contact.params.value("expires").map(|text| number_in(text).unwrap_or(DEFAULT_EXPIRES));
        let seconds = own.or(header_expires).unwrap_or(DEFAULT_EXPIRES);
        if seconds == 0 {
            return Ok(ContactUpdate::Remove { uri: uri.into(), call_id: call_id.into(), cseq });
        }
        if seconds < MIN_EXPIRES {
            return Err(Refusal::TooBrief);
        }
        Ok(ContactUpdate::Put(ContactBinding {
            uri: uri.into(),
            flow,
            call_id: call_id.into(),
            cseq,
            q_thousandths: contact.params.value("q").map_or(1000, thousandths),
            expires: self.now + Duration::from_secs(seconds.min(MAX_EXPIRES).into()),
        }))
    }

    fn confirm(
        &mut self,
        server: ServerKey,
        request: &Request,
        flow: Flow,
        registered: &Registered,
    ) {
        let Registered { endpoint, before, ref contacts } = *registered;
        let now = self.now;
        self.refuse_with(server, request, 200, "OK", |writer| {
            for contact in contacts {
                // Rounded up, so that a phone that refreshes in time never comes late.
                let left = contact.expires.saturating_since(now).as_millis().div_ceil(1000);
                writer.header_fmt(
                    HeaderName::Contact,
                    format_args!("<{}>;expires={left}", contact.uri),
                );
            }
        });
        let (contacts, source) = (contacts.len(), flow.remote);
        self.event(Event::Registration { endpoint, before, contacts, source });
    }
}

/// §10.3 step 3: the user may only register its own address of record.
fn owns_address_of_record(endpoint: &Endpoint, request: &Request) -> bool {
    let EndpointKind::ThirdParty { credentials: Some(credentials) } = &endpoint.kind else {
        return false;
    };
    let Ok(to) = request.to() else { return false };
    let user = to.uri.user_decoded();
    *user == *credentials.username
        || Number::from_user(&user).is_ok_and(|number| endpoint.dids.contains(&number))
}

fn number_in(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// `0.7` -> 700; what cannot be read counts as 1.
pub(crate) fn thousandths(text: &[u8]) -> u16 {
    let Ok(text) = core::str::from_utf8(text) else { return 1000 };
    match text.trim().split_once('.') {
        None => {
            if text.trim() == "0" {
                0
            } else {
                1000
            }
        }
        Some(("0", digits)) => {
            let padded = digits.bytes().chain(core::iter::repeat(b'0')).take(3);
            padded.fold(0, |sum, byte| sum * 10 + u16::from(byte.wrapping_sub(b'0').min(9)))
        }
        Some(_) => 1000,
    }
}

#[cfg(test)]
mod tests;
