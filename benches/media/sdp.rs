//! The sessions of this bench's phones, and where servers say that they are.

use std::net::SocketAddr;

use anyhow::{Context, Result};

/// The offer or answer of a phone that has its media there.
pub(crate) fn describe(phone: SocketAddr) -> String {
    let (ip, port) = (phone.ip(), phone.port());
    format!(
        "v=0\r\no=phone 53655765 2353687637 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio \
         {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
    )
}

/// Where the first media section of whatever holds a description wants its media.
pub(crate) fn address(text: &str) -> Result<SocketAddr> {
    let behind = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let word = |rest: &str| rest.split([' ', '\r', '\n']).next().unwrap_or_default().to_owned();
    let ip = behind("c=IN IP4 ").map(word).context("no c= line")?;
    let port = behind("m=audio ").map(word).context("no m= line")?;
    format!("{ip}:{port}").parse().with_context(|| format!("{ip}:{port} is no address"))
}
