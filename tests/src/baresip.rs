//! baresip, driven by its `ctrl_tcp` module: JSON in netstrings.
//!
//! Events are kept in the order they came; each wait goes on where the last one ended.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::child::{Actor, until};
use crate::stage::{Stage, Transport, wait_bound};
use crate::tone;

/// The TCP port of its control connection.
const CONTROL_PORT: u16 = 4444;
/// How long the phone may take for anything.
const LIMIT: Duration = Duration::from_secs(15);
/// How long one read of the control connection waits.
const READ_SLICE: Duration = Duration::from_millis(20);
/// The length of what it plays; calls are shorter.
const PLAYED: Duration = Duration::from_mins(1);

/// A phone that runs.
#[derive(Debug)]
pub struct Baresip {
    actor: Actor,
    control: TcpStream,
    home: PathBuf,
    received: Vec<u8>,
    messages: Vec<Value>,
    seen: usize,
}

impl Baresip {
    /// Starts a phone called `name` on `ip`, port 5060, UDP; it plays a tone of `hertz` and speaks
    /// G.711 u only. With a `registrar` it registers there, with `name` as user and password.
    pub fn start(
        stage: &Stage,
        name: &str,
        ip: Ipv4Addr,
        registrar: Option<SocketAddr>,
        hertz: f64,
    ) -> Result<Self> {
        Self::start_with(stage, name, (ip, registrar), hertz, "PCMU")
    }

    /// As [`Self::start`], with a codec of choice, as `opus/48000/2`; one that it does not know becomes G.711 u.
    pub fn start_with(
        stage: &Stage,
        name: &str,
        (ip, registrar): (Ipv4Addr, Option<SocketAddr>),
        hertz: f64,
        codec: &str,
    ) -> Result<Self> {
        let home = stage.path(name);
        fs::create_dir_all(&home)?;
        let sound = home.join("play.wav");
        tone::write(&sound, hertz, PLAYED)?;
        let folder = home.display();
        let sound = sound.display();
        fs::write(home.join("config"), settings(ip, &folder.to_string(), &sound.to_string()))?;
        fs::write(home.join("accounts"), account(name, ip, registrar, codec))?;
        fs::write(home.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&home).env("HOME", &home).current_dir(&home);
        let actor = Actor::start(&home, "baresip", &command)?;
        let address = SocketAddr::from((ip, CONTROL_PORT));
        wait_bound(address, Transport::Tcp).with_context(|| actor.tail())?;
        let control = TcpStream::connect(address)?;
        control.set_read_timeout(Some(READ_SLICE))?;
        let mut phone =
            Self { actor, control, home, received: Vec::new(), messages: Vec::new(), seen: 0 };
        wait_bound(SocketAddr::from((ip, 5060)), Transport::Udp)
            .with_context(|| phone.actor.tail())?;
        // An answer to any command tells that the control connection is served.
        phone.say("reginfo", "")?;
        phone.sees("an answer", |message| message.get("response").is_some())?;
        Ok(phone)
    }

    /// Gives a command: `dial`, `accept`, `hold`, `resume`, `sndcode`, `hangup`, `quit`.
    pub fn say(&mut self, command: &str, parameters: &str) -> Result<()> {
        let text = json!({ "command": command, "params": parameters }).to_string();
        let net = format!("{}:{text},", text.len());
        self.control.write_all(net.as_bytes()).with_context(|| format!("say {command}"))
    }

    /// Waits for a message that satisfies `wanted`, after the last one waited for.
    pub fn sees(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let found = until(LIMIT, &format!("baresip: {what}"), || {
            self.receive()?;
            let ahead = self.messages.iter().enumerate().skip(self.seen);
            let hit = ahead.into_iter().find(|(_, message)| wanted(message));
            Ok(hit.map(|(at, message)| (at, message.clone())))
        });
        let (at, message) = found.with_context(|| {
            format!("messages so far: {:#?}\n{}", self.messages, self.actor.tail())
        })?;
        self.seen = at + 1;
        Ok(message)
    }

    /// Waits for an event of that type; gives its parameter.
    pub fn event(&mut self, kind: &str) -> Result<String> {
        let message = self.sees(kind, |message| text(message, "type") == kind)?;
        Ok(text(&message, "param").to_owned())
    }

    /// Waits until the registrar has accepted the phone.
    pub fn registered(&mut self) -> Result<()> {
        until(LIMIT, "baresip: a registration", || {
            self.say("reginfo", "")?;
            let answer = self.sees("an answer", |message| message.get("response").is_some())?;
            Ok(text(&answer, "data").contains("OK ").then_some(()))
        })
    }

    /// Dials `user` at `server`.
    pub fn dial(&mut self, user: &str, server: SocketAddr) -> Result<()> {
        self.say("dial", &format!("sip:{user}@{server}"))
    }

    /// Waits for a call that comes in; gives the caller's URI.
    pub fn rings(&mut self) -> Result<String> {
        let message =
            self.sees("CALL_INCOMING", |message| text(message, "type") == "CALL_INCOMING")?;
        Ok(text(&message, "peeruri").to_owned())
    }

    /// How long the tone of `hertz` was heard so far.
    pub fn heard(&self, hertz: f64) -> Result<Duration> {
        // The module names its files by the time of day and by direction; a hold begins new ones.
        let mut sum = Duration::ZERO;
        for file in fs::read_dir(&self.home)? {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-dec.wav")) {
                sum += tone::heard(&path, hertz)?;
            }
        }
        Ok(sum)
    }

    /// Ends the phone properly.
    pub fn quit(&mut self) -> Result<()> {
        self.say("quit", "")?;
        self.actor.wait(LIMIT).map(drop)
    }

    /// Takes in what has come on the control connection.
    fn receive(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        match self.control.read(&mut buffer) {
            Ok(0) => bail!("baresip closed its control connection"),
            Ok(length) => self.received.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        while let Some((message, used)) = netstring(&self.received)? {
            self.messages.push(serde_json::from_slice(message)?);
            self.received.drain(..used);
        }
        Ok(())
    }
}

/// A member of a message that is text; empty where it is absent.
fn text<'a>(message: &'a Value, member: &str) -> &'a str {
    message.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// The first whole netstring of a buffer, and how many bytes it took.
fn netstring(bytes: &[u8]) -> Result<Option<(&[u8], usize)>> {
    let Some(colon) = bytes.iter().position(|&byte| byte == b':') else { return Ok(None) };
    let digits = str::from_utf8(bytes.get(..colon).unwrap_or_default())?;
    let length: usize = digits.parse().with_context(|| format!("a netstring's length {digits}"))?;
    let end = colon + 1 + length;
    Ok(bytes.get(colon + 1..end).filter(|_| bytes.len() > end).map(|text| (text, end + 1)))
}

/// The phone's configuration file.
fn settings(ip: Ipv4Addr, folder: &str, sound: &str) -> String {
    let modules: String =
        ["g711", "g722", "opus", "aufile", "sndfile", "uuid", "account", "menu", "ctrl_tcp"]
            .map(|name| {
                let keyword = match name {
                    "uuid" | "account" => "module_tmp",
                    "menu" | "ctrl_tcp" => "module_app",
                    _ => "module",
                };
                format!("{keyword} {name}.so\n")
            })
            .concat();
    format!(
        "poll_method epoll\nsip_listen {ip}:5060\nnet_interface {ip}\ncall_max_calls 4\n\
         audio_player aufile,{folder}/played.wav\naudio_source aufile,{sound}\n\
         audio_alert aufile,/dev/null\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\n\
         auplay_channels 1\nausrc_format s16\nauplay_format s16\nrtp_ports 10000-20000\n\
         jitter_buffer_delay 5-10\nmodule_path {}\n{modules}ctrl_tcp_listen {ip}:{CONTROL_PORT}\n\
         snd_path {folder}\n",
        module_path(),
    )
}

/// Where the distribution keeps the modules.
fn module_path() -> &'static str {
    let places = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];
    places.into_iter().find(|place| fs::metadata(place).is_ok()).unwrap_or(places[0])
}

/// The phone's account file.
fn account(name: &str, ip: Ipv4Addr, registrar: Option<SocketAddr>, codec: &str) -> String {
    match registrar {
        Some(registrar) => format!(
            "<sip:{name}@{registrar};transport=udp>;auth_user={name};auth_pass={name};regint=600;\
             audio_codecs={codec}\n"
        ),
        None => format!("<sip:{name}@{ip};transport=udp>;regint=0;audio_codecs={codec}\n"),
    }
}
