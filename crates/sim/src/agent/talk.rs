//! An agent's media: what it says and hears in a call.
//!
//! It sends a packet every 20 ms while its voice is on, from where its SDP says or from behind a NAT, with everything in
//! it that may not cross: contributing sources, a header extension, padding and a name. It keeps what it hears.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use mediator_media::rtcp::{Compound, Part, Report, ReportBlock, SenderInfo, middle};
use mediator_media::{Track, g711};
use mediator_model::Instant;

use super::{Agent, Described, Dialog, Media, Standing};
use crate::sounds::{What, payload, recognise};

/// Between two packets.
const STEP: Duration = Duration::from_millis(20);
/// Between two reports.
const REPORTS: Duration = Duration::from_secs(5);
/// Longer than a packet may be under way.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// Packets of a key that is down, before the three of its end; and of the pause behind it.
const DOWN: u16 = 5;
const UP: u16 = 4;

/// A packet that was heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// When.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// The marker bit.
    pub marker: bool,
    /// The payload type.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp.
    pub timestamp: u32,
    /// The source.
    pub ssrc: u32,
    /// What it says.
    pub what: What,
    /// The encoding.
    pub encoding: String,
    /// The payload of an event: its duration in ticks, and whether it is over.
    pub event: Option<(u16, bool)>,
}

/// What a call's agent has said and heard in media.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// Every packet that came, in order.
    pub heard: Vec<Heard>,
    /// Packets of RTP that were sent.
    pub sent: u64,
    /// What RTCP said.
    pub reports: Vec<Part>,
    /// The ports that RTCP came to.
    pub reported_at: BTreeSet<u16>,
    pub(crate) ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next: Instant,
    next_report: Instant,
    keys: VecDeque<char>,
    /// Payloads to be sent before anything else is said, a packet each.
    payloads: VecDeque<Vec<u8>>,
    /// The key that is down, since which timestamp, and its packets so far.
    pressed: Option<(char, u32, u16)>,
    /// The last sender report that came.
    last_report: Option<(u32, Instant)>,
}

impl Talk {
    /// Has the agent say that next: packets of 20 ms in the codec that it speaks.
    pub fn say(&mut self, track: &Track) {
        let packets = (0..track.packets()).filter_map(|at| track.packet(at));
        self.payloads.extend(packets.map(<[u8]>::to_vec));
    }

    /// What was heard, each once until something else was.
    pub fn order(&self) -> Vec<What> {
        let mut order: Vec<What> = self.heard.iter().map(|heard| heard.what).collect();
        order.dedup();
        order
    }

    /// What was heard since then, each once until something else was.
    pub fn since(&self, from: Instant) -> Vec<What> {
        let late = self.heard.iter().filter(|heard| heard.at >= from);
        let mut order: Vec<What> = late.map(|heard| heard.what).collect();
        order.dedup();
        order
    }

    /// How many packets said that.
    pub fn count(&self, what: What) -> usize {
        self.heard.iter().filter(|heard| heard.what == what).count()
    }

    /// From the first packet that said so to the end of the last one.
    pub fn lasted(&self, what: What) -> Duration {
        let mut all = self.heard.iter().filter(|heard| heard.what == what).map(|heard| heard.at);
        let Some(first) = all.next() else { return Duration::ZERO };
        all.next_back().unwrap_or(first) + STEP - first
    }

    /// The keys that came as events, a press each.
    pub fn keys(&self) -> String {
        let mut seen = BTreeSet::new();
        let mut keys = String::new();
        for heard in &self.heard {
            if let What::Key(key) = heard.what
                && seen.insert(heard.timestamp)
            {
                keys.push(key);
            }
        }
        keys
    }

    /// How many sources there were.
    pub fn sources(&self) -> usize {
        self.heard.iter().map(|heard| heard.ssrc).collect::<BTreeSet<_>>().len()
    }

    /// Numbers between the first and the last that did not come, over all sources.
    pub fn missing(&self) -> usize {
        let mut seen = BTreeSet::new();
        let mut last = None;
        for heard in &self.heard {
            let number = match last {
                None => 1_000_000_i64,
                Some((before, number)) => {
                    let step = heard.sequence.wrapping_sub(before).cast_signed();
                    number + i64::from(step)
                }
            };
            last = Some((heard.sequence, number));
            seen.insert(number);
        }
        match (seen.first(), seen.last()) {
            (Some(first), Some(last)) => last.abs_diff(*first) as usize + 1 - seen.len(),
            _ => 0,
        }
    }

    /// What no stream may show, though packets were lost, repeated or late: several sources, a number that was given to two
    /// packets, or audio whose time goes back.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sources() > 1 {
            faults.push(format!("{} sources of media", self.sources()));
        }
        let mut numbers: BTreeMap<i64, &Heard> = BTreeMap::new();
        let mut last = None;
        for heard in &self.heard {
            let number = match last {
                None => 1_000_000_i64,
                Some((before, number)) => {
                    let step: u16 = heard.sequence.wrapping_sub(before);
                    number + i64::from(step.cast_signed())
                }
            };
            last = Some((heard.sequence, number));
            let known = numbers.entry(number).or_insert(heard);
            if (known.timestamp, known.what) != (heard.timestamp, heard.what) {
                faults.push(format!("one number for two packets: {known:?} {heard:?}"));
            }
        }
        let audio: Vec<&Heard> =
            numbers.into_values().filter(|heard| heard.event.is_none()).collect();
        for pair in audio.windows(2) {
            if let [one, other] = pair
                && other.timestamp.wrapping_sub(one.timestamp).cast_signed() <= 0
            {
                faults.push(format!("time goes back: {one:?} {other:?}"));
            }
        }
        faults.truncate(3);
        faults
    }

    /// The longest time without a packet.
    pub fn longest_gap(&self) -> Duration {
        let pairs = self.heard.windows(2).filter_map(|pair| match pair {
            [one, other] => Some(other.at - one.at),
            _ => None,
        });
        pairs.max().unwrap_or_default()
    }
}

impl Agent {
    /// What was said and heard in a call.
    pub fn talk(&mut self, call: usize) -> &mut Talk {
        while self.talks.len() <= call {
            let random = self.dice.next_u64();
            self.talks.push(Talk {
                ssrc: random as u32,
                sequence: (random >> 32) as u16,
                timestamp: (random >> 24) as u32,
                ..Talk::default()
            });
        }
        &mut self.talks[call]
    }

    /// The source of a call's media, once it has any.
    pub(crate) fn sources(&self) -> impl Iterator<Item = u32> {
        self.talks.iter().map(|talk| talk.ssrc)
    }

    /// What the peer has said of its media last.
    pub fn described(&self, call: usize) -> Option<Described> {
        Some(Described::read(self.talking(call)?.heard.last()?))
    }

    pub(crate) fn press(&mut self, call: usize, key: char) {
        self.talk(call).keys.push_back(key);
    }

    /// The dialog in which media flows.
    fn talking(&self, call: usize) -> Option<&Dialog> {
        let dialogs = &self.calls.get(call)?.dialogs;
        let confirmed = dialogs.iter().find(|dialog| dialog.standing == Standing::Confirmed);
        let may = |dialog: &&Dialog| {
            dialog.standing == Standing::Early && self.quirks.early_voice && dialog.described
        };
        let dialog = confirmed.or_else(|| dialogs.iter().rfind(may))?;
        (!dialog.heard.is_empty() && !self.quirks.silent).then_some(dialog)
    }

    /// Whether something is to be said in a call.
    fn is_live(&self, call: usize) -> bool {
        let talk = self.talks.get(call);
        let presses = talk.is_some_and(|talk| {
            talk.pressed.is_some() || !talk.keys.is_empty() || !talk.payloads.is_empty()
        });
        (self.quirks.voice || presses) && self.talking(call).is_some()
    }

    /// When the next packet is due.
    pub(crate) fn next_talk(&self) -> Option<Instant> {
        if !self.quirks.voice && self.talks.is_empty() {
            return None;
        }
        let live = (0..self.calls.len()).filter(|call| self.is_live(*call));
        live.map(|call| self.talks.get(call).map_or(Instant::ZERO, |talk| talk.next)).min()
    }

    /// Says what is due.
    pub(crate) fn run_talks(&mut self) {
        for call in 0..self.calls.len() {
            let now = self.now;
            if self.is_live(call) && self.talk(call).next <= now {
                self.step(call);
            }
        }
    }

    fn step(&mut self, call: usize) {
        let now = self.now;
        let Some(dialog) = self.talking(call) else { return };
        let media = dialog.agreed;
        let Some(peer) = self.described(call) else { return };
        let voice = self.quirks.voice;
        let talk = self.talk(call);
        // A first packet, or one after a pause, is due now.
        let late = now.saturating_since(talk.next);
        let steps = if late > STEP { late.as_millis() / 20 + 1 } else { 1 };
        talk.next = if late > STEP { now + STEP } else { talk.next + STEP };
        talk.timestamp = talk.timestamp.wrapping_add(steps as u32 * 160);
        if voice && talk.next_report <= now {
            talk.next_report = now + REPORTS;
            self.report(call, (media, &peer), false);
        }
        let may_send = matches!(media, Media::Active | Media::Other) && peer.receives;
        if !may_send && !self.quirks.heedless {
            return;
        }
        let talk = self.talk(call);
        if let Some(payload) = talk.payloads.pop_front() {
            return self.speak(call, (media, &peer), |_| payload);
        }
        if talk.pressed.is_none()
            && let Some(key) = talk.keys.pop_front()
        {
            talk.pressed = Some((key, talk.timestamp, 0));
        }
        if let Some(pressed) = talk.pressed {
            return self.press_on(call, (media, &peer), pressed);
        }
        if voice {
            self.speak_up(call, (media, &peer));
        }
    }

    /// The next packet of a key; the pause behind it.
    fn press_on(&mut self, call: usize, way: (Media, &Described), pressed: (char, u32, u16)) {
        let (key, since, sent) = pressed;
        let sent = sent + 1;
        let events = way.1.number("telephone-event/8000");
        let takes = self.formats().iter().any(|(_, name)| name.starts_with("telephone-event"));
        let number = events.filter(|_| takes);
        let voice = self.quirks.voice;
        self.talk(call).pressed = (sent < DOWN + UP).then_some((key, since, sent));
        let Some(number) = number else {
            let audio = if sent <= DOWN { tones(key, sent) } else { vec![0; 160] };
            return self.speak(call, way, |encoding| in_law(encoding, audio));
        };
        let event = mediator_media::event::event_of(key).unwrap_or(0);
        if sent <= DOWN {
            let end = sent == DOWN;
            for _ in 0..if end { 3 } else { 1 } {
                let [high, low] = (sent * 160).to_be_bytes();
                let flags = if end { 0x8A } else { 0x0A };
                let marker = sent == 1;
                self.packet(call, way, (number, marker, since), &[event, flags, high, low]);
            }
        } else if voice {
            self.speak_up(call, way);
        }
    }

    /// A packet of voice.
    fn speak_up(&mut self, call: usize, way: (Media, &Described)) {
        let voice = What::Voice(self.profile.party);
        self.speak(call, way, |encoding| payload(voice, encoding, 160));
    }

    /// A packet of audio, which is given the encoding that it is to have.
    fn speak(
        &mut self,
        call: usize,
        way: (Media, &Described),
        audio: impl FnOnce(&str) -> Vec<u8>,
    ) {
        let (media, peer) = way;
        let skipped = usize::from(media == Media::Other);
        let mine = self.formats().iter().skip(skipped);
        let mut spoken = mine.filter(|(_, name)| !name.starts_with("telephone-event"));
        let Some((number, name)) = spoken.find_map(|(_, name)| Some((peer.number(name)?, *name)))
        else {
            return;
        };
        let encoding = name.split('/').next().unwrap_or_default();
        let bytes = audio(encoding);
        let timestamp = self.talk(call).timestamp;
        let rate: u32 = name.split('/').nth(1).and_then(|rate| rate.parse().ok()).unwrap_or(8000);
        let first = self.talk(call).sent == 0;
        let timestamp = timestamp.wrapping_mul(rate / 8000);
        self.packet(call, way, (number, first, timestamp), &bytes);
    }

    /// A packet with everything in it that may not cross.
    fn packet(
        &mut self,
        call: usize,
        (media, peer): (Media, &Described),
        (number, marker, timestamp): (u8, bool, u32),
        payload: &[u8],
    ) {
        let Some(to) = peer.rtp else { return };
        let canary = self.profile.party.canary();
        let from = self.media_really_at(call, media);
        let plain = self.quirks.plain;
        let talk = self.talk(call);
        talk.sequence = talk.sequence.wrapping_add(1);
        talk.sent += 1;
        let odd = !plain && talk.sent.is_multiple_of(3);
        let mut bytes = vec![if odd { 0xB1 } else { 0x80 }, u8::from(marker) << 7 | number];
        bytes.extend(talk.sequence.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(talk.ssrc.to_be_bytes());
        if odd {
            bytes.extend(talk.ssrc.to_be_bytes());
            bytes.extend([0xBE, 0xDE, 0, 2]);
            bytes.extend(canary.as_bytes().iter().chain(&[0; 8]).take(8));
        }
        bytes.extend(payload);
        if odd {
            bytes.extend([0, 0, 0, 4]);
        }
        self.media_outbox.push((from, to, bytes));
    }

    /// A sender report with its name.
    fn report(&mut self, call: usize, (media, peer): (Media, &Described), bye: bool) {
        let now = self.now;
        let muxed = self.quirks.mux && peer.mux;
        let Some(to) = (if muxed { peer.rtp } else { peer.rtcp }) else { return };
        let canary = self.profile.party.canary();
        let from = self.media_really_at(call, media);
        let from = SocketAddr::new(from.ip(), from.port() + u16::from(!muxed));
        let talk = self.talk(call);
        let last = talk.heard.last();
        let block = last.map(|heard| ReportBlock {
            ssrc: heard.ssrc,
            highest_sequence: u32::from(heard.sequence),
            last_sr: talk.last_report.map_or(0, |(ntp, _)| ntp),
            delay_since_last_sr: talk
                .last_report
                .map_or(0, |(_, at)| mediator_media::rtcp::units(now - at)),
            ..ReportBlock::default()
        });
        let packets = talk.sent as u32;
        let info = SenderInfo {
            ntp: (now.as_millis() << 32) / 1000 + (0x1234 << 32),
            timestamp: talk.timestamp,
            packets,
            octets: packets * 160,
        };
        let report = Report { ssrc: talk.ssrc, sender: Some(info), block, cname: canary, bye };
        self.media_outbox.push((from, to, report.write().to_vec()));
    }

    /// A datagram of media that came to a call's port.
    pub(crate) fn hear_media(
        &mut self,
        now: Instant,
        (call, from): (usize, SocketAddr),
        (to, bytes): (SocketAddr, &[u8]),
    ) {
        self.now = now;
        let is_report = matches!(bytes, [_, 192..=223, ..]);
        if to.port() % 2 == 1 || is_report && self.quirks.mux {
            if is_report {
                self.talk(call).reported_at.insert(to.port());
            }
            return self.hear_report(call, bytes);
        }
        let Some((header, payload)) = bytes.split_first_chunk::<12>() else {
            return self.fault(format!("media of {} bytes", bytes.len()));
        };
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *header;
        // What comes from the other side itself may be as odd as our own.
        let is_ours = from.ip() == self.server.ip();
        if first != 0x80 && is_ours {
            self.fault(format!("an RTP header that begins with {first:#x}"));
        }
        let payload_type = second & 0x7F;
        let mine = self.formats().iter().find(|(number, _)| *number == payload_type);
        let Some((_, name)) = mine else {
            if !is_ours {
                return;
            }
            return self.fault(format!("the payload type {payload_type}, which is not its own"));
        };
        let encoding = name.split('/').next().unwrap_or_default();
        let event = mediator_media::event::Payload::parse(payload)
            .filter(|_| encoding == "telephone-event");
        let what = match event {
            Some(event) => event.key().map_or(What::Other, What::Key),
            None => recognise(encoding, payload),
        };
        let heard = Heard {
            at: now,
            from,
            marker: second & 0x80 != 0,
            payload_type,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            what,
            encoding: encoding.to_owned(),
            event: event.map(|event| (event.duration, event.end)),
        };
        if is_ours {
            self.check_hold(call, &heard);
        }
        self.talk(call).heard.push(heard);
    }

    /// Nothing is sent to who is not to hear anything.
    fn check_hold(&mut self, call: usize, heard: &Heard) {
        let now = self.now;
        let Some(dialog) = self.talking(call) else { return };
        // Who has offered to hear again may hear before that is answered.
        let is_hold = |media| matches!(media, Media::Hold | Media::Inactive | Media::OldHold);
        let holds = is_hold(dialog.agreed) && is_hold(dialog.media);
        if holds && now.saturating_since(dialog.agreed_at) > UNDER_WAY {
            let (media, since) = (dialog.agreed, dialog.agreed_at);
            self.fault(format!("media though it said {media:?} at {since:?}: {heard:?}"));
        }
    }

    fn hear_report(&mut self, call: usize, bytes: &[u8]) {
        let now = self.now;
        let Ok(compound) = Compound::parse(bytes) else {
            return self.fault(format!("RTCP that cannot be read: {bytes:x?}"));
        };
        let mut parts = Vec::new();
        compound.for_each(|part| parts.push(part));
        for part in &parts {
            if let Part::Sender { info, .. } = part {
                self.talk(call).last_report = Some((middle(info.ntp), now));
            }
        }
        self.talk(call).reports.extend(parts);
    }
}

/// Samples in a law of G.711.
fn in_law(encoding: &str, samples: Vec<i16>) -> Vec<u8> {
    let law = if encoding == "PCMA" { g711::linear_to_alaw } else { g711::linear_to_ulaw };
    samples.into_iter().map(law).collect()
}

/// 20 ms of a key's two tones: the part with that number, from 1 on.
fn tones(key: char, part: u16) -> Vec<i16> {
    const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let at = "123A456B789C*0#D".find(key).unwrap_or(0);
    let begin = (part - 1) * 160;
    let sample = |n: u16| {
        let time = std::f64::consts::TAU * f64::from(n) / 8000.0;
        let sum = (ROWS[at / 4] * time).sin() + (COLUMNS[at % 4] * time).sin();
        (sum * 7000.0) as i16
    };
    (begin..begin + 160).map(sample).collect()
}
