//! After a defect: the call that was acting when the engine panicked is ended, and nothing of it is kept.
//!
//! What the panic left of it may break no rule of the engine's own, but may be anything else. So it is hung up like
//! any call, which tells both sides; if that panics too, or it panics ever again, it is taken out as it is.

use mediator_model::Instant;

use crate::call::CallKey;
use crate::cdr::Originator;
use crate::engine::Engine;
use crate::io::Event;

#[cfg(test)]
mod tests;

impl Engine {
    /// To be called after a panic of the engine was caught: ends the call that met it. Where this panics too, it is
    /// to be called once more.
    pub fn abandon(&mut self, now: Instant) {
        let Some(key) = self.acting.take() else { return self.run_layer() };
        self.core.now = self.core.now.max(now);
        if self.defective.insert(key) {
            if let Some(call) = self.call(key) {
                let call = Some(call.sid);
                self.core.event(Event::Bug { call, what: "the engine panicked in a call" });
            }
            self.with_call(key, |call, core| call.hang_up(core, Originator::System, None));
        } else {
            self.remove(key);
        }
        self.run_layer();
    }

    /// Takes a call out, whatever it still waits for: its caller hears 500, its limits are given back.
    fn remove(&mut self, key: CallKey) {
        self.defective.remove(&key);
        let Some(Some(mut call)) = self.calls.remove(key) else { return };
        self.sids.remove(&call.sid);
        self.core.wheel.arm(&mut call.timer, None, crate::context::TimerKey::Call(key));
        if let Some(invite) = call.invite.take() {
            self.invites.remove(&invite.server);
            self.core.refuse(invite.server, &invite.request, 500);
        }
        call.end(&mut self.core, Originator::System, 500);
        // What becomes of its media finds no call any more.
        call.forget_media(&mut self.core);
        self.core.event(Event::CallGone { call: call.sid });
    }
}
