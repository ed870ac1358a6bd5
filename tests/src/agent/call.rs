//! One call of an agent, as a test leads it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::sdp::{self, Read};
use super::{LIMIT, Shared, lock};
use crate::agent::reply::tag;
use crate::child::until;
use crate::hearing::{Recording, Sought};
use crate::rtp::law::Law;
use crate::rtp::{Media, Pressed, keys};
use crate::sipp::log::Logged;
use crate::wire::response;

/// How often and how long a tone must be heard to count: 200 ms.
const ENOUGH: Duration = Duration::from_millis(200);

/// A call.
#[derive(Debug)]
pub struct Call {
    shared: Arc<Shared>,
    id: String,
    media: Arc<Media>,
}

impl Call {
    pub(crate) fn of(shared: &Arc<Shared>, id: &str) -> Result<Self> {
        let media = shared.with(id, |talk| Arc::clone(&talk.media))?;
        Ok(Self { shared: Arc::clone(shared), id: id.to_owned(), media })
    }

    /// Its Call-ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its sockets.
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// The messages of this call that came in.
    pub fn heard(&self) -> Vec<Logged> {
        self.heard_when().into_iter().map(|(_, message)| message).collect()
    }

    fn heard_when(&self) -> Vec<(Instant, Logged)> {
        let heard = lock(&self.shared.heard);
        heard.iter().filter(|(_, one)| one.header("Call-ID") == Some(&self.id)).cloned().collect()
    }

    /// The INVITE that came in.
    pub fn invite(&self) -> Result<Logged> {
        self.shared.with(&self.id, |talk| talk.invite.clone())?.context("it did not come in")
    }

    /// Waits for a message of this call.
    pub fn sees(&self, what: &str, wanted: impl Fn(&Logged) -> bool) -> Result<Logged> {
        self.sees_when(what, wanted).map(|(_, message)| message)
    }

    /// Waits for a message of this call; says when it came.
    pub fn sees_when(
        &self,
        what: &str,
        wanted: impl Fn(&Logged) -> bool,
    ) -> Result<(Instant, Logged)> {
        let found = until(LIMIT, &format!("{what} at {}", self.shared.local), || {
            Ok(self.heard_when().into_iter().find(|(_, message)| wanted(message)))
        });
        found.with_context(|| {
            let lines = self.heard();
            let lines: Vec<_> = lines.iter().map(Logged::start_line).collect();
            format!("so far: {lines:#?}")
        })
    }

    /// Waits for a response to our INVITE with that code.
    pub fn status(&self, code: u16) -> Result<Logged> {
        self.sees(&format!("a {code}"), |one| is_of(one, "INVITE") && one.status() == Some(code))
    }

    /// Whether a response of that code to our INVITE has come.
    pub fn has_status(&self, code: u16) -> bool {
        self.heard().iter().any(|one| is_of(one, "INVITE") && one.status() == Some(code))
    }

    /// Waits for the final response to our INVITE.
    pub fn outcome(&self) -> Result<Logged> {
        self.sees("a final response", |one| {
            is_of(one, "INVITE") && one.status().is_some_and(|status| status >= 200)
        })
    }

    /// The final response to our INVITE, where it has come.
    pub fn outcome_now(&self) -> Option<Logged> {
        self.heard()
            .into_iter()
            .find(|one| is_of(one, "INVITE") && one.status().is_some_and(|status| status >= 200))
    }

    /// Waits until our call is answered; another final response is an error.
    pub fn answered(&self) -> Result<Logged> {
        let outcome = self.outcome()?;
        ensure!(outcome.status() == Some(200), "200 wanted: {}", outcome.text);
        Ok(outcome)
    }

    /// Waits for a request in this call.
    pub fn request(&self, method: &str) -> Result<Logged> {
        self.sees(method, |one| one.method() == Some(method))
    }

    /// Whether such a request has come.
    pub fn has_request(&self, method: &str) -> bool {
        self.heard().iter().any(|one| one.method() == Some(method))
    }

    /// Waits for a BYE.
    pub fn ended(&self) -> Result<Logged> {
        self.request("BYE")
    }

    fn respond(&self, status: &str, body: &str) -> Result<()> {
        let (invite, dialog) =
            self.shared.with(&self.id, |talk| (talk.invite.clone(), talk.dialog.clone()))?;
        let invite = invite.context("nobody called")?;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let extra = format!("{}{kind}", self.shared.contact());
        let text = response(&invite, status, tag(&dialog), &extra, body);
        self.shared.send(dialog.peer, &text)
    }

    /// 180.
    pub fn ring(&self) -> Result<()> {
        self.respond("180 Ringing", "")
    }

    /// 183 with a description: early media.
    pub fn progress(&self) -> Result<()> {
        let body = self.shared.with(&self.id, |talk| talk.describe(talk.remote.is_some()))?;
        self.respond("183 Session Progress", &body)
    }

    /// 200 with a description.
    pub fn answer(&self) -> Result<()> {
        let body = self.shared.with(&self.id, |talk| {
            talk.answered = true;
            talk.describe(talk.remote.is_some())
        })?;
        self.respond("200 OK", &body)
    }

    /// 200 with a description of choice.
    pub fn answer_with(&self, body: &str) -> Result<()> {
        self.shared.with(&self.id, |talk| talk.answered = true)?;
        self.respond("200 OK", body)
    }

    /// A refusal.
    pub fn refuse(&self, status: &str) -> Result<()> {
        self.shared.with(&self.id, |talk| talk.answered = true)?;
        self.respond(status, "")
    }

    /// CANCEL of our INVITE.
    pub fn cancel(&self) -> Result<()> {
        let (text, peer) =
            self.shared.with(&self.id, |talk| (talk.sent_invite.clone(), talk.dialog.peer))?;
        let line =
            |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        let (uri, via) = (text.split(' ').nth(1).unwrap_or_default(), line("Via:"));
        let (from, to) = (line("From:"), line("To:"));
        let cancel = format!(
            "CANCEL {uri} SIP/2.0\r\n{via}\r\n{from}\r\n{to}\r\nCall-ID: {}\r\nCSeq: 1 CANCEL\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            self.id
        );
        self.shared.send(peer, &cancel)
    }

    fn ask(&self, method: &str, extra: &str, body: &str) -> Result<()> {
        let (text, peer) = self.shared.with(&self.id, |talk| {
            talk.sequence += 1;
            let text = talk.dialog.request(&self.shared, (method, talk.sequence), extra, body);
            (text, talk.dialog.peer)
        })?;
        self.shared.send(peer, &text)
    }

    /// BYE; waits for its answer.
    pub fn hang_up(&self) -> Result<()> {
        self.media.hush();
        self.ask("BYE", "", "")?;
        self.sees("the answer to a BYE", |one| is_of(one, "BYE") && one.status() == Some(200))?;
        Ok(())
    }

    /// A re-INVITE with that direction, and an answer to it; gives the answer.
    pub fn offer_again(&self, direction: &str) -> Result<Logged> {
        let body = self.shared.with(&self.id, |talk| {
            direction.clone_into(&mut talk.direction);
            talk.offered = true;
            talk.describe(false)
        })?;
        let extra = format!("{}Content-Type: application/sdp\r\n", self.shared.contact());
        self.ask("INVITE", &extra, &body)?;
        let number = self.shared.with(&self.id, |talk| talk.sequence)?;
        let cseq = format!("{number} INVITE");
        self.sees("the answer to a re-INVITE", |one| {
            one.header("CSeq") == Some(&cseq) && one.status().is_some_and(|status| status >= 200)
        })
    }

    /// A key in an INFO request; waits for its answer and gives the status.
    pub fn press_by_info(&self, key: char) -> Result<u16> {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.ask("INFO", "Content-Type: application/dtmf-relay\r\n", &body)?;
        let number = self.shared.with(&self.id, |talk| talk.sequence)?;
        let cseq = format!("{number} INFO");
        let answer = self.sees("the answer to an INFO", |one| {
            one.header("CSeq") == Some(&cseq) && one.status().is_some()
        })?;
        answer.status().context("no status")
    }

    /// The last description of the other side.
    pub fn remote(&self) -> Result<Read> {
        self.shared.with(&self.id, |talk| talk.remote.clone())?.context("nothing described yet")
    }

    /// Speaks other codecs from the next description on.
    pub fn speak_only(&self, codecs: Vec<sdp::Codec>) -> Result<()> {
        self.shared.with(&self.id, |talk| talk.codecs = codecs)
    }

    /// Shows another address for media than the one where media is.
    pub fn show(&self, address: SocketAddr) -> Result<()> {
        self.shared.with(&self.id, |talk| talk.shown = Some(address))
    }

    /// Speaks a tone from now on, in whatever both sides have, to wherever the other side is.
    pub fn speak(&self, hertz: f64) -> Result<()> {
        self.shared.with(&self.id, |talk| {
            talk.hertz = Some(hertz);
            talk.go_on();
        })
    }

    /// Speaks two tones at once, as a key of a telephone does.
    pub fn speak_two(&self, low: f64, high: f64) -> Result<()> {
        self.speak(low)?;
        self.media.over_it(high);
        Ok(())
    }

    /// Falls silent: no packets.
    pub fn hush(&self) -> Result<()> {
        self.media.hush();
        self.shared.with(&self.id, |talk| talk.hertz = None)
    }

    /// Speaks from a socket of its own on `ip`.
    pub fn speak_from(&self, ip: Ipv4Addr) -> Result<SocketAddr> {
        self.media.speak_from(ip)
    }

    /// Presses keys by RFC 4733; the voice must go.
    pub fn press(&self, pressed: &str) -> Result<()> {
        let events = self.remote()?.events().context("the other side takes no events")?;
        self.media.press(events, pressed)
    }

    /// The keys that were heard as RFC 4733 events.
    pub fn keys(&self) -> Result<Vec<Pressed>> {
        let codecs = self.shared.with(&self.id, |talk| talk.codecs.clone())?;
        let number = |codecs: &[sdp::Codec]| {
            codecs.iter().find(|codec| codec.is_events()).map(|codec| codec.payload_type)
        };
        // Where we answered, the numbers are the other side's.
        let ours = number(&codecs);
        let theirs = self.shared.with(&self.id, |talk| {
            talk.remote.as_ref().filter(|_| !talk.offered).and_then(Read::events)
        })?;
        let heard = self.media.heard();
        Ok(theirs.or(ours).map(|number| keys(&heard, number)).unwrap_or_default())
    }

    /// What was heard so far, whichever law of G.711 it was in.
    pub fn recording(&self) -> Recording {
        Recording::of_packets(&self.media.heard(), &[(0, Law::Mu), (8, Law::A)])
    }

    /// What has been heard since a time.
    pub fn recording_since(&self, since: Instant) -> Recording {
        let mut heard = self.media.heard();
        heard.retain(|packet| packet.at >= since);
        Recording::of_packets(&heard, &[(0, Law::Mu), (8, Law::A)])
    }

    /// Waits until a sound was heard for 200 ms from now on.
    pub fn hears(&self, sought: &Sought) -> Result<()> {
        self.hears_since(sought, Instant::now())
    }

    /// Waits until a sound was heard for 200 ms since a time.
    pub fn hears_since(&self, sought: &Sought, since: Instant) -> Result<()> {
        let what = format!("{} at {}", sought.name, self.shared.local);
        until(LIMIT, &what, || {
            Ok((self.recording_since(since).time_of(sought) >= ENOUGH).then_some(()))
        })
        .with_context(|| {
            let line = self.recording_since(since).timeline(std::slice::from_ref(sought));
            format!("{} packets; heard: {line:?}", self.media.count())
        })
    }
}

/// Whether a message is a response to a request of that method.
fn is_of(message: &Logged, method: &str) -> bool {
    message.status().is_some()
        && message
            .header("CSeq")
            .is_some_and(|cseq| cseq.split_once(' ').is_some_and(|(_, found)| found == method))
}
