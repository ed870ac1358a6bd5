//! A 3xx from leg B: not followed, unless the trunk's `allow_forward` says otherwise (contract §2).
//!
//! An automatic redirect is a hole for toll fraud, so it is the operator's choice, trunk by trunk.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;

use mediator_model::{AllowForward, Number};
use mediator_sip::NameAddr;
use mediator_sip::dialog::request_uri;
use mediator_sip::header::Contacts;
use mediator_sip::message::Response;

use crate::branch::{Branch, Destination};
use crate::call::Call;
use crate::context::{Core, Hop};
use crate::identity::{Shown, number_of};
use crate::limits::{admit_destination, retry_after_seconds};
use crate::registrar::thousandths;
use crate::request::LoginOf;
use crate::verdict::Failure;

/// Contacts of a redirect that are looked at.
const MAX_CONTACTS: usize = 10;
/// Redirects that one call follows.
pub(crate) const MAX_REDIRECTS: u8 = 5;

impl Call {
    /// Follows a redirect of a branch where its trunk allows it; `false`: it counts as a failure.
    pub(crate) fn redirect(&mut self, cx: &mut Core, id: u16, response: &Response) -> bool {
        let Some(branch) = self.branches.iter().find(|branch| branch.id == id) else {
            return false;
        };
        let Some(dial) = &self.dial else { return false };
        let mode = dial
            .directory
            .trunk(branch.destination.trunk)
            .map_or(AllowForward::Disabled, |trunk| trunk.allow_forward);
        if mode == AllowForward::Disabled || dial.redirects >= MAX_REDIRECTS {
            return false;
        }
        let Some(contact) = best_contact(cx, response, mode) else { return false };
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else {
            return false;
        };
        let branch = self.branches.swap_remove(at);
        self.forget_dialogs();
        if let Some(dial) = &mut self.dial {
            dial.redirects += 1;
        }
        let number = number_of(&contact.uri);
        match (mode, number) {
            (AllowForward::DirectUri, _) => {
                self.follow_uri(cx, &branch, &request_uri(&contact.uri));
            }
            (AllowForward::Direct, Some(number)) => self.follow_number(cx, &branch, number),
            (AllowForward::Protected, Some(number)) => {
                if let Some(dial) = &mut self.dial {
                    dial.routed.shown = Shown::Number(dial.routed.target);
                }
                self.follow_number(cx, &branch, number);
            }
            (AllowForward::Reroute, Some(number)) => self.reroute(cx, number),
            (
                AllowForward::Disabled
                | AllowForward::Direct
                | AllowForward::Protected
                | AllowForward::Reroute,
                _,
            ) => {
                self.note_failure(Failure::Final { status: 480, retry_after: None, cause: None });
                self.go_on(cx);
            }
        }
        true
    }

    /// The Contact's number through the same trunk. A phone is no way to other numbers: from there it is routed anew.
    fn follow_number(&mut self, cx: &mut Core, branch: &Branch, number: Number) {
        if !matches!(branch.destination.login, LoginOf::Address(_)) {
            return self.reroute(cx, number);
        }
        let Some(dial) = &mut self.dial else { return };
        let old = format!("{}", dial.routed.target);
        let place = Destination {
            uri: replace_number(&branch.destination.uri, &old, number),
            to: replace_number(&branch.destination.to, &old, number),
            ..branch.destination.clone()
        };
        dial.routed.target = number;
        if self.admit_again(cx, &place) {
            self.ring(cx, place, branch.flow, VecDeque::new());
        }
        self.go_on(cx);
    }

    /// The Contact's URI as it is.
    fn follow_uri(&mut self, cx: &mut Core, branch: &Branch, uri: &[u8]) {
        let place = Destination {
            uri: uri.into(),
            to: [b"<", uri, b">"].concat().into_boxed_slice(),
            by_flow: false,
            login: LoginOf::Nobody,
            ..branch.destination.clone()
        };
        if self.admit_again(cx, &place) {
            match cx.hop_to(uri) {
                Hop::Flow(flow) => self.ring(cx, place, flow, VecDeque::new()),
                name @ Hop::Name { .. } => self.resolve_first(cx, place, name),
                Hop::Unreachable => self.note_failure(Failure::Unreachable),
            }
        }
        self.go_on(cx);
    }

    /// Counts the start that a followed redirect is: the attempt's reservation goes on, its rate does not.
    fn admit_again(&mut self, cx: &Core, place: &Destination) -> bool {
        let Some(directory) = self.dial.as_ref().map(|dial| dial.directory.clone()) else {
            return false;
        };
        let Some(endpoint) = directory.endpoint(place.endpoint) else { return false };
        match admit_destination(&cx.ports, endpoint, cx.now) {
            Ok(()) => true,
            Err(refused) => {
                self.note_failure(Failure::Limited(retry_after_seconds(refused)));
                false
            }
        }
    }

    /// The Contact's number is routed anew: to a phone here, or out through the same account.
    fn reroute(&mut self, cx: &mut Core, number: Number) {
        let ports = cx.ports.clone();
        let (now, wall) = (cx.now, cx.wall());
        if let Some(dial) = &mut self.dial {
            let directory = dial.directory.clone();
            let router = crate::route::Router {
                directory: &directory,
                ports: &ports,
                now,
                wall,
                claiming: crate::route::Claiming::DryRun,
            };
            match router.forward(number, &dial.routed.accounts, &mut cx.dice) {
                Ok(attempts) => {
                    dial.routed.target = number;
                    dial.routed.attempts = attempts;
                }
                Err(no_route) => {
                    let status = no_route.status();
                    dial.verdict.answered(crate::verdict::Answer::plain(status));
                }
            }
        }
        self.go_on(cx);
    }
}

/// The Contact of a 3xx that its sender likes best of those that `mode` can follow, the first of equals.
fn best_contact<'a>(cx: &Core, response: &'a Response, mode: AllowForward) -> Option<NameAddr<'a>> {
    let Ok(Contacts::List(list)) = response.contacts() else { return None };
    let follows = |contact: &NameAddr<'_>| match mode {
        AllowForward::Disabled => false,
        AllowForward::DirectUri => cx.hop_to(&request_uri(&contact.uri)) != Hop::Unreachable,
        AllowForward::Direct | AllowForward::Protected | AllowForward::Reroute => {
            number_of(&contact.uri).is_some()
        }
    };
    let q = |contact: &NameAddr<'_>| contact.params.value("q").map_or(1000, thousandths);
    let usable = list.take(MAX_CONTACTS).filter_map(Result::ok).filter(follows);
    usable.reduce(|best, next| if q(&next) > q(&best) { next } else { best })
}

/// A URI or To value with the number of its user part replaced.
fn replace_number(text: &[u8], old: &str, new: Number) -> Box<[u8]> {
    let text = alloc::string::String::from_utf8_lossy(text);
    text.replacen(&format!("{old}@"), &format!("{new}@"), 1).into_bytes().into_boxed_slice()
}

#[cfg(test)]
mod tests;
