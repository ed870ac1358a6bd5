//! kill -9 at any instant under load: what was acknowledged is there, and nothing else.
//!
//! Clients create, change and delete through the API, callers claim waiting bindings, calls leave records; then the
//! process is killed, started again on the same folder, and everything it holds is compared with what it had
//! acknowledged. The folder goes through all rounds. `CRASH_ROUNDS` sets their number (5), `CRASH_SEED` the seed
//! (1). A kill leaves the page cache: that the disk has it too is the store's own test.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::config::{CORE_TOKEN, Config, Direction};
use mediator_tests::phone::{Behaviour, Phone};
use mediator_tests::server::Server;
use serde_json::{Value, json};

use super::ledger::{Change, Ledger};
use crate::api::desk::{merge, text};
use crate::api::schema::Chance;
use crate::scene::Scene;

/// Clients that write at the same time.
const WRITERS: usize = 3;
/// DIDs that waiting bindings are called at, and so many more for the others.
const DIDS: usize = 8;
/// How long before the end a call must have ended for its record to be wanted.
const RECORDED: Duration = Duration::from_secs(1);

/// A number of one of the ranges that the test uses.
fn number(range: u32, i: usize) -> String {
    format!("{range}{i:06}")
}

fn claim_did(i: usize) -> String {
    number(15162, 100 + i)
}

fn written_did(i: usize) -> String {
    number(15162, 200 + i)
}

/// What all rounds know.
#[derive(Debug, Default)]
struct Known {
    bindings: Ledger,
    dialouts: Ledger,
    /// Bindings whose calls must have left a record.
    calls: BTreeSet<String>,
}

/// A client that writes until the server is gone.
struct Writer {
    api: Api,
    chance: Chance,
    /// Makes numbers that no other writer or round uses.
    prefix: u32,
    made: usize,
    known: Known,
}

/// Where a list of the API is, and the name of its sid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Bindings,
    Dialouts,
}

impl List {
    fn path(self) -> &'static str {
        match self {
            Self::Bindings => "/bindings",
            Self::Dialouts => "/dialouts",
        }
    }

    fn sid(self) -> &'static str {
        match self {
            Self::Bindings => "binding_sid",
            Self::Dialouts => "dialout_sid",
        }
    }
}

impl Writer {
    /// Writes until a request is not answered; a wrong answer is an error.
    fn run(mut self) -> Result<Known> {
        loop {
            let done = match self.chance.below(20) {
                0..10 => self.create(List::Bindings),
                10..12 => self.create(List::Dialouts),
                12..15 => self.update(),
                15..18 => self.delete(),
                _ => self.refused(),
            };
            match done {
                Ok(true) => {}
                Ok(false) => return Ok(self.known),
                Err(error) => return Err(error),
            }
        }
    }

    fn ledger(&mut self, list: List) -> &mut Ledger {
        match list {
            List::Bindings => &mut self.known.bindings,
            List::Dialouts => &mut self.known.dialouts,
        }
    }

    /// What a new object is made of.
    fn fields(&mut self, list: List) -> Value {
        self.made += 1;
        let own = number(self.prefix, self.made);
        match list {
            List::Bindings => json!({
                "origination_did": own, "redirect_did": written_did(self.chance.below(DIDS)),
                "destination_did": "442071234567", "maximum_ttl": -1, "name": format!("n{}", self.made),
                "attributes": { "n": self.made, "text": "x".repeat(self.chance.below(200)) },
            }),
            List::Dialouts => json!({
                "stage_one_destination_did": own, "stage_two_destination_did": "442071234567",
                "redirect_did": written_did(0), "delay": 86_400,
            }),
        }
    }

    /// Whether the server still answers.
    fn create(&mut self, list: List) -> Result<bool> {
        let fields = self.fields(list);
        let Ok(reply) = self.api.post(list.path(), &fields) else {
            let mut fields = fields;
            if let Some(map) = fields.as_object_mut() {
                map.remove("delay");
            }
            self.ledger(list).unanswered(Change::Create(fields));
            return Ok(false);
        };
        let made = reply.ok()?;
        let sid = text(&made, list.sid())?.to_owned();
        self.ledger(list).put(&sid, made);
        Ok(true)
    }

    /// One of the bindings of this writer.
    fn any(&mut self) -> Option<(String, Value)> {
        let count = self.known.bindings.len();
        let at = self.chance.below(count);
        self.known.bindings.objects().nth(at).map(|(sid, object)| (sid.clone(), object.clone()))
    }

    fn update(&mut self) -> Result<bool> {
        let Some((sid, object)) = self.any() else { return Ok(true) };
        self.made += 1;
        let patch = json!({
            "name": format!("p{}", self.made), "dtmf": "12#",
            "attributes": { "p": self.made, "n": null },
        });
        let mut after = object;
        merge(&mut after, &json!({ "name": patch["name"], "dtmf": "12#" }));
        if let Some(attributes) = after["attributes"].as_object_mut() {
            attributes.remove("n");
            attributes.insert("p".to_owned(), json!(self.made));
        }
        let Ok(reply) = self.api.patch(&format!("/bindings/{sid}"), &patch) else {
            self.known.bindings.unanswered(Change::Update(sid, after));
            return Ok(false);
        };
        ensure!(reply.ok()? == after, "{after}: {}", reply.shown());
        self.known.bindings.put(&sid, after);
        Ok(true)
    }

    fn delete(&mut self) -> Result<bool> {
        let Some((sid, _)) = self.any() else { return Ok(true) };
        let Ok(reply) = self.api.delete(&format!("/bindings/{sid}")) else {
            self.known.bindings.unanswered(Change::Delete(sid));
            return Ok(false);
        };
        reply.gone()?;
        self.known.bindings.removed(&sid);
        Ok(true)
    }

    /// What is refused must not be found later: the ledger does not know of it.
    fn refused(&mut self) -> Result<bool> {
        let Some((_, object)) = self.any() else { return Ok(true) };
        let body = json!({
            "destination_did": "442071230000", "redirect_did": object["redirect_did"],
            "origination_did": object["origination_did"], "name": "refused",
        });
        let Ok(reply) = self.api.post("/bindings", &body) else { return Ok(false) };
        reply.errors(409)?;
        Ok(true)
    }
}

/// Callers who race for waiting bindings.
struct Claims {
    api: Api,
    sip: SocketAddr,
    phone: Phone,
    prefix: u32,
    known: Known,
    /// Bindings whose call has ended, and when.
    ended: Vec<(Instant, String)>,
}

impl Claims {
    /// Claims until the server is gone.
    fn run(mut self) -> Result<(Known, Vec<(Instant, String)>)> {
        for i in 0.. {
            if !self.claim(i)? {
                break;
            }
        }
        Ok((self.known, self.ended))
    }

    /// One waiting binding and two callers; whether the server still answers.
    fn claim(&mut self, i: usize) -> Result<bool> {
        let fields = json!({
            "redirect_did": claim_did(i % DIDS), "destination_did": "442071234567",
            "maximum_ttl": -1, "wait_origination_did_ttl": 86_400, "name": "claimed",
        });
        let Ok(reply) = self.api.post("/bindings", &fields) else {
            self.known.bindings.unanswered(Change::Create(fields));
            return Ok(false);
        };
        let made = reply.ok()?;
        let sid = text(&made, "binding_sid")?.to_owned();
        self.known.bindings.put(&sid, made.clone());
        let callers = [number(self.prefix, 2 * i), number(self.prefix, 2 * i + 1)];
        let claimed = |caller: &str| {
            let mut object = made.clone();
            merge(&mut object, &json!({ "origination_did": caller }));
            object
        };
        for caller in &callers {
            let update = Change::Update(sid.clone(), claimed(caller));
            self.known.bindings.unanswered(update);
        }
        let mut calls = Vec::new();
        for caller in &callers {
            calls.push(self.phone.dial(self.sip, &claim_did(i % DIDS), caller)?);
        }
        let mut through = Vec::new();
        for (call, caller) in calls.iter().zip(&callers) {
            match self.phone.final_status(call) {
                Ok(200) => through.push((call, caller)),
                Ok(480) => {}
                Ok(status) => anyhow::bail!("{status} for {caller}"),
                Err(_) => {
                    // Of who got through the answer was heard: the binding is theirs.
                    for (_, caller) in through {
                        self.known.bindings.put(&sid, claimed(caller));
                    }
                    return Ok(false);
                }
            }
        }
        ensure!(through.len() == 1, "{} callers got through to {sid}", through.len());
        for (call, caller) in through {
            self.known.bindings.put(&sid, claimed(caller));
            self.phone.hang_up(call)?;
            self.ended.push((Instant::now(), sid.clone()));
        }
        Ok(true)
    }
}

fn config(scene: &Scene) -> Config {
    let dids: Vec<String> = (0..DIDS).flat_map(|i| [claim_did(i), written_did(i)]).collect();
    let dids: Vec<&str> = dids.iter().map(String::as_str).collect();
    Config::new(scene.server.ip())
        .store(&format!("file:{}", scene.stage.path("data").display()))
        .carrier("carrier-in", scene.caller.sip(), Direction::Inbound)
        .carrier("carrier-out", scene.callee.sip(), Direction::Outbound)
        .masking("masking", &dids, "carrier-out")
}

/// One round: load, kill, and what is known then.
fn round(scene: &Scene, server: Server, round: u32, chance: &mut Chance) -> Result<Known> {
    let to = SocketAddr::from((scene.server.ip(), 8080));
    let _callee = Phone::start(scene.callee.sip(), Behaviour::Answers)?;
    let claims = Claims {
        api: Api::mediator(to, "masking", "masking"),
        sip: scene.server.sip(),
        phone: Phone::start(scene.caller.sip(), Behaviour::Answers)?,
        prefix: 3_310_000 + round,
        known: Known::default(),
        ended: Vec::new(),
    };
    let claims = thread::spawn(move || claims.run());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let writer = Writer {
                api: Api::mediator(to, "masking", "masking"),
                chance: Chance::new(u64::from(round) * 10 + writer as u64),
                prefix: 4_410_000 + 10 * round + writer as u32,
                made: 0,
                known: Known::default(),
            };
            thread::spawn(move || writer.run())
        })
        .collect();
    thread::sleep(Duration::from_millis(200 + chance.below(1500) as u64));
    // SIGKILL.
    drop(server);
    let killed = Instant::now();
    let mut known = Known::default();
    for writer in writers {
        let of = writer.join().expect("the thread does not panic")?;
        known.bindings.merge(of.bindings);
        known.dialouts.merge(of.dialouts);
    }
    let (of, ended) = claims.join().expect("the thread does not panic")?;
    known.bindings.merge(of.bindings);
    let early = |at: &Instant| killed.saturating_duration_since(*at) > RECORDED;
    known.calls = ended.into_iter().filter(|(at, _)| early(at)).map(|(_, sid)| sid).collect();
    Ok(known)
}

/// All objects of a list, by sid.
fn listed(api: &Api, list: List) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    let mut page = api.get(&format!("{}?limit=1000", list.path()))?.ok()?;
    loop {
        for item in page["items"].as_array().context("items")? {
            found.insert(text(item, list.sid())?.to_owned(), item.clone());
        }
        let Some(next) = page["pagination"]["next"].as_str().map(str::to_owned) else {
            ensure!(page["total"] == found.len(), "{} of {}", found.len(), page["total"]);
            return Ok(found);
        };
        page = api.get(&next)?.ok()?;
    }
}

/// Takes away bindings that were left waiting: the next round needs their DIDs.
fn sweep(api: &Api, bindings: &mut Ledger) -> Result<()> {
    let waiting: Vec<String> = bindings
        .objects()
        .filter(|(_, binding)| binding["name"] == "claimed" && binding["origination_did"].is_null())
        .map(|(sid, _)| sid.clone())
        .collect();
    for sid in waiting {
        api.delete(&format!("/bindings/{sid}"))?.gone()?;
        bindings.removed(&sid);
    }
    Ok(())
}

/// The bindings of which there is a call record.
fn recorded(core: &Api) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut page = core.get("/app/mediator/calls?limit=1000")?.ok()?;
    loop {
        for item in page["items"].as_array().context("items")? {
            let sid = text(item, "reference_sid")?.to_owned();
            let twice = item["sip_cause"] == 200 && !found.insert(sid.clone());
            ensure!(!twice, "two records of the one call through {sid}");
        }
        let Some(next) = page["pagination"]["next"].as_str().map(str::to_owned) else {
            return Ok(found);
        };
        page = core.get(&next)?.ok()?;
    }
}

#[test]
fn keeps_what_was_acknowledged_and_nothing_else() -> Result<()> {
    let setting = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    let rounds: u32 = setting("CRASH_ROUNDS").unwrap_or(5);
    let seed = setting("CRASH_SEED").unwrap_or(1);
    let mut chance = Chance::new(u64::from(seed));
    let scene = Scene::new("store_crash")?;
    let config = config(&scene);
    let to = SocketAddr::from((scene.server.ip(), 8080));
    let mut known = Known::default();
    let mut server = scene.serve(&config)?;
    for i in 1..=rounds {
        let during = round(&scene, server, i, &mut chance)?;
        known.bindings.merge(during.bindings);
        known.dialouts.merge(during.dialouts);
        known.calls.extend(during.calls);
        let start = Instant::now();
        server = scene.serve(&config)?;
        let ready = start.elapsed();
        let api = Api::mediator(to, "masking", "masking");
        let what = || format!("round {i}, seed {seed}");
        known.bindings.settle(&listed(&api, List::Bindings)?, &[]).with_context(what)?;
        known.dialouts.settle(&listed(&api, List::Dialouts)?, &["delay"]).with_context(what)?;
        let records = recorded(&Api::core(to, CORE_TOKEN))?;
        let lost: Vec<&String> = known.calls.difference(&records).collect();
        ensure!(lost.is_empty(), "round {i}: no record of the calls through {lost:?}");
        sweep(&api, &mut known.bindings)?;
        println!(
            "round {i}: {} bindings, {} dialouts, {} records, ready in {} ms",
            known.bindings.len(),
            known.dialouts.len(),
            records.len(),
            ready.as_millis()
        );
    }
    server.stop()
}
