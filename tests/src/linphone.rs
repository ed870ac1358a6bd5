//! linphonec, driven by its commands: a phone with a file for a microphone and one for a speaker.
//!
//! Invariant: each wait goes on where the last one ended, so that an event counts once.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::{Actor, until};
use crate::stage::{Stage, Transport, wait_bound};
use crate::tone;

/// How long the phone may take for anything.
const LIMIT: Duration = Duration::from_secs(15);
/// How long the phone may take to end after `quit`.
const QUIT_LIMIT: Duration = Duration::from_secs(5);
/// How soon a state is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// The length of what it plays; calls are shorter.
const PLAYED: Duration = Duration::from_mins(1);

/// How a phone sends digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtmf {
    /// As telephone-events (RFC 4733).
    Events,
    /// In INFO requests.
    Info,
}

/// A phone that runs.
#[derive(Debug)]
pub struct Linphone {
    actor: Actor,
    recording: PathBuf,
    seen: usize,
}

impl Linphone {
    /// Starts a phone called `name` on `ip`, port 5060, UDP; it plays a tone of `hertz` and speaks
    /// G.711 u only. With a `registrar` it registers there, with `name` as user and password.
    pub fn start(
        stage: &Stage,
        name: &str,
        ip: Ipv4Addr,
        registrar: Option<SocketAddr>,
        hertz: f64,
    ) -> Result<Self> {
        Self::start_with(stage, name, (ip, registrar), hertz, Dtmf::Events)
    }

    /// As [`Self::start`], with a choice of how digits are sent.
    pub fn start_with(
        stage: &Stage,
        name: &str,
        (ip, registrar): (Ipv4Addr, Option<SocketAddr>),
        hertz: f64,
        dtmf: Dtmf,
    ) -> Result<Self> {
        let home = stage.path(name);
        fs::create_dir_all(home.join(".local/share/linphone"))?;
        fs::create_dir_all(home.join("tmp"))?;
        fs::write(home.join("rc"), settings(name, ip, registrar, dtmf))?;
        tone::write(&home.join("play.wav"), hertz, PLAYED)?;
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(home.join("rc")).arg("-S").current_dir(&home);
        command.env("HOME", &home).env("TMPDIR", home.join("tmp"));
        command.env("XDG_RUNTIME_DIR", home.join("tmp")).env("LC_ALL", "C");
        let actor = Actor::start(&home, "linphonec", &command)?;
        let recording = home.join("heard.wav");
        let mut phone = Self { actor, recording, seen: 0 };
        wait_bound(SocketAddr::from((ip, 5060)), Transport::Udp)
            .with_context(|| phone.actor.tail())?;
        phone.say("soundcard use files")?;
        phone.say(&format!("play {}", home.join("play.wav").display()))?;
        phone.say(&format!("record {}", phone.recording.display()))?;
        Ok(phone)
    }

    /// Gives a command.
    pub fn say(&mut self, command: &str) -> Result<()> {
        let stdin = self.actor.stdin().context("linphonec has no input")?;
        writeln!(stdin, "{command}").with_context(|| format!("say {command}"))
    }

    /// Waits for a line that contains `part`, after the last one waited for; gives the line.
    pub fn sees(&mut self, part: &str) -> Result<String> {
        let what = format!("a line with {part:?}");
        let (line, at) = self.actor.line(self.seen, LIMIT, &what, |line| line.contains(part))?;
        self.seen = at;
        Ok(line)
    }

    /// Waits until the registrar has accepted the phone, which it tells only when asked.
    pub fn registered(&mut self) -> Result<()> {
        until(LIMIT, "linphonec: a registration", || {
            self.say("status register")?;
            let (line, at) = self.actor.line(self.seen, LIMIT, "its registration", |line| {
                line.starts_with("registered")
            })?;
            self.seen = at;
            thread::sleep(ASK_AGAIN);
            Ok(line.starts_with("registered,").then_some(()))
        })
        .with_context(|| self.actor.tail())
    }

    /// Dials `user` at `server`.
    pub fn dial(&mut self, user: &str, server: SocketAddr) -> Result<()> {
        self.say(&format!("call sip:{user}@{server}"))
    }

    /// Waits for a call that comes in; gives the caller as shown: `"name" <uri>` or `<uri>`.
    pub fn rings(&mut self) -> Result<String> {
        let line = self.sees("Receiving new incoming call from ")?;
        let caller = line.split("incoming call from ").nth(1).unwrap_or_default();
        Ok(caller.split(", assigned id").next().unwrap_or_default().to_owned())
    }

    /// How long the tone of `hertz` was heard so far.
    pub fn heard(&self, hertz: f64) -> Result<Duration> {
        tone::heard(&self.recording, hertz)
    }

    /// Ends the phone properly, so that it unregisters and finishes its recording.
    pub fn quit(&mut self) -> Result<()> {
        self.say("quit")?;
        self.actor.wait(QUIT_LIMIT).map(drop)
    }
}

/// The phone's configuration file.
fn settings(name: &str, ip: Ipv4Addr, registrar: Option<SocketAddr>, dtmf: Dtmf) -> String {
    let (events, info) = match dtmf {
        Dtmf::Events => (1, 0),
        Dtmf::Info => (0, 1),
    };
    // auto_net_state_mon = 0 opens no socket at all; guess_hostname puts another interface's
    // address into From.
    let phone = format!(
        "[sip]\nbind_address={ip}\nsip_port=5060\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\n\
         guess_hostname=0\ncontact=\"{name}\" <sip:{name}@{ip}>\nuse_rfc2833={events}\nuse_info={info}\n\
         default_proxy={}\nregister_only_when_network_is_up=0\n\
         [rtp]\nbind_address={ip}\naudio_rtp_port=7078\n[net]\nauto_net_state_mon=1\n\
         [audio_codec_0]\nmime=PCMU\nrate=8000\nchannels=1\nenabled=1\n\
         [misc]\nadd_missing_audio_codecs=0\n",
        if registrar.is_some() { "0" } else { "-1" },
    );
    let Some(registrar) = registrar else { return phone };
    format!(
        "{phone}[proxy_0]\nreg_proxy=<sip:{registrar};transport=udp>\n\
         reg_identity=sip:{name}@{registrar}\nreg_expires=600\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername={name}\nuserid={name}\npasswd={name}\n"
    )
}
