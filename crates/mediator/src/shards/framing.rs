//! What streams need to know of SIP: where a message ends, and who is a known peer.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use mediator_model::{Directory, Flow, SourceMatch};
use mediator_net::{Frame, FrameReader, StreamPolicy};
use mediator_sip::message;

/// SIP over streams.
pub(super) struct SipStreams {
    pub(super) directory: Arc<ArcSwap<Directory>>,
}

impl StreamPolicy for SipStreams {
    fn framer(&self, flow: &Flow) -> Box<dyn FrameReader> {
        Box::new(SipFrames { framer: message::Framer::new(), flow: *flow })
    }

    fn is_known_peer(&self, peer: IpAddr) -> bool {
        self.directory.load().identify(peer, 0) != SourceMatch::Unknown
    }
}

/// The messages of one stream (RFC 3261 §18.3).
struct SipFrames {
    framer: message::Framer,
    flow: Flow,
}

impl FrameReader for SipFrames {
    fn push(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
    }

    fn poll_frame(&mut self) -> Frame {
        match self.framer.poll_frame() {
            Ok(None) => Frame::Incomplete,
            // In memory of its own: one kept header must not pin the stream's buffer.
            Ok(Some(message::Frame::Message(bytes))) => {
                Frame::Message(Bytes::copy_from_slice(&bytes))
            }
            Ok(Some(message::Frame::Ping)) => Frame::Ping,
            Ok(Some(message::Frame::Pong)) => Frame::Pong,
            Err(error) => {
                // A stateless 400: no dialog and no transaction can come of a stream that is lost, so any tag will do.
                let answer =
                    error.answerable().map(|broken| broken.answer(self.flow.remote, "lost"));
                Frame::Broken { answer }
            }
        }
    }

    fn pending_bytes(&self) -> usize {
        self.framer.pending_bytes()
    }
}
