//! What the layer makes of messages, by rule.

mod clients;
mod limits;
mod random;
mod servers;
mod wire;

use self::wire::{Ask, INVITE, answer, answer_message, answer_response, parse, tcp, text, udp};
use super::{MAX_TIMERS_A_STEP, TransactionLayer};
use crate::transaction::{
    ClientKey, Counters, LayerSettings, Live, Output, Received, ServerKey, response_flow,
};
use crate::{Method, Request};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use mediator_model::{ConnectionId, Flow, Instant, Transport};

type Layer = TransactionLayer<u32>;

fn layer() -> Layer {
    Layer::new(LayerSettings::default())
}

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// What the layer made of a message, in a word or two.
fn kind(received: &Received<u32>) -> String {
    match received {
        Received::Request { request, .. } => format!("request {}", request.method()),
        Received::Cancel { invite, .. } => format!("cancel {}", invite.is_some()),
        Received::Ack { .. } => "ack".into(),
        Received::Response { user, response, .. } => format!("{} for {user}", response.status()),
        Received::Late2xx { user, .. } => format!("late for {user}"),
        Received::Stray(response) => format!("stray {}", response.status()),
        Received::Foreign(response) => format!("foreign {}", response.status()),
        Received::Absorbed => "absorbed".into(),
        Received::Overloaded { .. } => "overloaded".into(),
        Received::Unreadable(_) => "unreadable".into(),
    }
}

/// Everything that the layer wants done, in a word or two each.
fn outputs(layer: &mut Layer) -> Vec<String> {
    core::iter::from_fn(|| layer.poll_output())
        .map(|output| match output {
            Output::Send { bytes, .. } => first_word(&bytes),
            Output::TimedOut { user, .. } => format!("timed out {user}"),
            Output::TransportFailed { user, .. } => format!("failed {user}"),
            Output::AckMissing { .. } => "ack missing".into(),
            Output::Unanswered { .. } => "unanswered".into(),
        })
        .collect()
}

/// The method of a request, the status of a response.
fn first_word(bytes: &[u8]) -> String {
    let mut words = text(bytes).split([' ', '\r']);
    match words.next().unwrap() {
        "SIP/2.0" => words.next().unwrap().to_string(),
        method => method.to_string(),
    }
}

/// Receives one request over UDP; gives what it was and what was sent.
fn take(layer: &mut Layer, ask: Ask<'_>) -> (String, Vec<String>) {
    let received = layer.receive(ms(0), ask.message(), udp());
    (kind(&received), outputs(layer))
}

#[track_caller]
fn server(layer: &mut Layer, ask: Ask<'_>) -> (ServerKey, Request) {
    match layer.receive(ms(0), ask.message(), udp()) {
        Received::Request { server, request } | Received::Cancel { server, request, .. } => {
            (server, request)
        }
        other => panic!("{other:?}"),
    }
}

fn respond(layer: &mut Layer, server: ServerKey, request: &Request, status: u16) {
    let bytes = Bytes::from(answer(request, status, ";tag=t1"));
    layer.respond(ms(0), server, status, bytes);
}

/// A request of ours.
const OURS: Ask<'static> = Ask { via: "192.0.2.1:5060;branch=z9hG4bKours", ..INVITE };
const OUR_BRANCH: &str = "z9hG4bKours";

fn send(layer: &mut Layer, ask: Ask<'_>, flow: Flow, user: u32) -> ClientKey {
    let request = ask.request();
    let branch = text(request.via().unwrap().branch().unwrap()).to_string();
    layer.send_request(ms(0), request.method(), &branch, request.bytes().clone(), flow, user)
}

/// Lets every timer run that is due by then.
fn run_until(layer: &mut Layer, end: Instant) -> Vec<String> {
    let mut done = Vec::new();
    while let Some(now) = layer.next_deadline().filter(|at| *at <= end) {
        layer.handle_deadline(now);
        done.extend(outputs(layer));
    }
    done
}

/// Nothing is live, and no table remembers anything.
#[track_caller]
fn assert_is_clean(layer: &Layer) {
    assert!(layer.is_empty(), "{:?}", layer.live());
    assert_eq!((layer.servers.leftovers(), layer.clients.leftovers()), (0, 0));
    assert!(layer.wheel.is_empty() && layer.next_deadline().is_none());
}

#[track_caller]
fn assert_leaves_nothing(layer: &mut Layer) {
    run_until(layer, ms(1_000_000));
    assert_is_clean(layer);
}
