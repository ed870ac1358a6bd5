//! rtpengine's control protocol `ng`: a cookie and a bencoded dictionary in a datagram.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::sdp;
use crate::traffic::Towards;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Questions before rtpengine is given up; it is still starting at the first ones.
const TRIES: u32 = 20;

/// A bencoded value; numbers and nested dictionaries are not needed to ask.
enum Value<'a> {
    Text(&'a str),
    List(&'a [&'a str]),
}

/// The way to one rtpengine.
#[derive(Debug)]
pub(crate) struct Ng {
    socket: UdpSocket,
    questions: u32,
}

impl Ng {
    /// Waits until rtpengine answers at `address`.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((address.ip(), 0))?;
        socket.connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut ng = Self { socket, questions: 0 };
        ng.ask(&[("command", Value::Text("ping"))])?;
        Ok(ng)
    }

    /// Sets a call up between two phones.
    pub(crate) fn place(&mut self, call: u32, phones: [SocketAddr; 2]) -> Result<Towards> {
        let [a, b] = phones;
        let (id, offer, answer) = (format!("call-{call}"), sdp::describe(a), sdp::describe(b));
        let mut question = vec![
            ("ICE", Value::Text("remove")),
            ("call-id", Value::Text(&id)),
            ("command", Value::Text("offer")),
            ("from-tag", Value::Text("a")),
            ("replace", Value::List(&["origin"])),
            ("sdp", Value::Text(&offer)),
        ];
        let for_b = sdp::address(&self.ask(&question)?)?;
        question.retain(|(key, _)| !["command", "sdp"].contains(key));
        question.push(("command", Value::Text("answer")));
        question.push(("sdp", Value::Text(&answer)));
        question.push(("to-tag", Value::Text("b")));
        question.sort_unstable_by_key(|(key, _)| *key);
        let for_a = sdp::address(&self.ask(&question)?)?;
        Ok([for_a, for_b])
    }

    /// Ends a call.
    pub(crate) fn hang_up(&mut self, call: u32) -> Result<()> {
        let id = format!("call-{call}");
        let question = [
            ("call-id", Value::Text(&id)),
            ("command", Value::Text("delete")),
            ("from-tag", Value::Text("a")),
        ];
        self.ask(&question).map(drop)
    }

    /// Asks; gives the answer as it came. Keys are in order, as bencoding wants them.
    fn ask(&mut self, question: &[(&str, Value<'_>)]) -> Result<String> {
        self.questions += 1;
        let cookie = format!("q{} ", self.questions);
        let text = cookie.clone() + &encode(question);
        let mut buffer = vec![0; 65_536];
        for _ in 0..TRIES {
            // An ICMP error is the answer where nobody listens yet.
            if self.socket.send(text.as_bytes()).is_err() {
                std::thread::sleep(PATIENCE);
                continue;
            }
            let Ok(length) = self.socket.recv(&mut buffer) else {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            };
            let answer = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            let Some(answer) = answer.strip_prefix(&cookie) else { continue };
            let well = ["6:result2:ok", "6:result4:pong"].iter().any(|well| answer.contains(well));
            ensure!(well, "rtpengine says {answer}");
            return Ok(answer.to_owned());
        }
        bail!("rtpengine does not answer {text:?}")
    }
}

fn encode(dictionary: &[(&str, Value<'_>)]) -> String {
    let text = |text: &str| format!("{}:{text}", text.len());
    let pairs = dictionary.iter().map(|(key, value)| {
        text(key)
            + &match value {
                Value::Text(value) => text(value),
                Value::List(items) => {
                    format!("l{}e", items.iter().map(|item| text(item)).collect::<String>())
                }
            }
    });
    format!("d{}e", pairs.collect::<String>())
}
