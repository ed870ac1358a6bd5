//! Callbacks, by what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_api::callbacks::Counts;

use super::{Kind, Page, Source};

/// The deliverer's counts as metrics.
pub struct CallbackMetrics(pub Arc<Counts>);

impl Source for CallbackMetrics {
    fn collect(&self, page: &mut Page) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        page.family(
            "mediator_callback_attempts_total",
            "Call records posted, by whether they were taken.",
            Kind::Counter,
        );
        page.sample(&[("outcome", "delivered")], count(&self.0.delivered));
        page.sample(&[("outcome", "failed")], count(&self.0.failed));
        page.family("mediator_callbacks_dead_total", "Callbacks given up.", Kind::Counter);
        page.sample(&[], count(&self.0.dead));
        page.family("mediator_callbacks_running", "Posts under way.", Kind::Gauge);
        page.sample(&[], count(&self.0.running));
    }
}
