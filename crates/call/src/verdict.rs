//! What the caller gets when no branch was answered: contract §2's table of failures.

use mediator_model::FailurePolicy;

/// How a branch failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// No response in time, or 408.
    Timeout,
    /// No way to it: refused, not resolved, no listener.
    Unreachable,
    /// A limit of ours; with the seconds of Retry-After.
    Limited(u32),
    /// A final response.
    Final {
        /// Its code.
        status: u16,
        /// Its Retry-After, in seconds.
        retry_after: Option<u32>,
        /// Its Q.850 cause.
        cause: Option<u16>,
    },
}

impl Failure {
    /// The code that a group's lists are asked for.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Timeout => 408,
            Self::Unreachable | Self::Limited(_) => 503,
            Self::Final { status, .. } => status,
        }
    }

    /// Whether the next trunk is tried.
    pub(crate) fn moves_on(self, policy: &FailurePolicy) -> bool {
        let code = self.code();
        let listed = policy.hard_codes.contains(code) || policy.soft_codes.contains(code);
        match self {
            Self::Timeout | Self::Unreachable | Self::Limited(_) => true,
            Self::Final { status, .. } => {
                // 401 and 407 get here where our credentials were not accepted: the trunk is of no use.
                listed || matches!(status, 401 | 407 | 408) || (500..600).contains(&status)
            }
        }
    }
}

/// What the caller is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) cause: Option<u16>,
}

impl Answer {
    pub(crate) const fn plain(status: u16) -> Self {
        Self { status, retry_after: None, cause: None }
    }
}

/// The failures so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// The best response that is an answer by itself (RFC 3261 §16.7 step 6).
    best: Option<Answer>,
    /// The other side has said something: the end is its.
    pub(crate) heard: bool,
    timeouts: u32,
    others: u32,
    retry_after: Option<u32>,
}

impl Verdict {
    /// Takes in a failure that made routing move on.
    pub(crate) fn moved_on(&mut self, failure: Failure) {
        match failure {
            Failure::Timeout | Failure::Final { status: 408, .. } => self.timeouts += 1,
            Failure::Limited(seconds) => {
                self.others += 1;
                self.retry_after =
                    Some(self.retry_after.map_or(seconds, |least| least.min(seconds)));
            }
            Failure::Unreachable => self.others += 1,
            Failure::Final { retry_after, .. } => {
                self.others += 1;
                self.retry_after = self.retry_after.or(retry_after);
            }
        }
    }

    /// Takes in a response that the caller may get.
    pub(crate) fn answered(&mut self, answer: Answer) {
        // 6xx wins over all; of others the first of the lowest class (RFC 3261 §16.7 step 6).
        let rank = |status: u16| if status >= 600 { 0 } else { status / 100 };
        if self.best.is_none_or(|best| rank(answer.status) < rank(best.status)) {
            self.best = Some(answer);
        }
    }

    /// Whether a response is there that is an answer by itself.
    pub(crate) const fn has_answer(&self) -> bool {
        self.best.is_some()
    }

    /// What the caller gets.
    pub(crate) fn answer(&self) -> Answer {
        if let Some(best) = self.best {
            return best;
        }
        let all_timed_out = self.timeouts > 0 && self.others == 0;
        let status = if all_timed_out { 408 } else { 503 };
        let retry_after = if all_timed_out { None } else { self.retry_after };
        Answer { status, retry_after, cause: None }
    }
}

/// The code that the caller gets for a final response of leg B which is not moved on from.
pub(crate) const fn caller_status(status: u16) -> u16 {
    match status {
        // Not followed, unless the trunk says otherwise.
        300..=399 => 480,
        // Our credentials; says nothing to the caller.
        401 | 407 => 503,
        other => other,
    }
}

#[cfg(test)]
mod tests;
