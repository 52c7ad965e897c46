//! Ends sessions that nothing is heard of.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{DisconnectReason, ErrorType, Record, Timestamp};

use super::session::{LiveSession, SessionState};
use super::tracker::Tracker;

/// Activity that is later than what was last written by less than this is not written for its own sake.
const WORTH_WRITING: Duration = Duration::from_secs(1);

/// How much later an end is judged where other instances share the store: what they saw has reached it by then.
const OTHERS_TAKE: Duration = Duration::from_secs(1);

/// What the sweep found due for one session, its end aside.
enum Due {
    Nothing,
    Touch(Timestamp, u32),
}

/// What is over, by what is known of a session.
#[derive(Clone, Copy)]
pub(super) enum Over {
    Idle,
    Left(Timestamp),
    Broken(ErrorType, Timestamp),
    TimedOut(Timestamp),
}

impl Tracker {
    /// Looks at every open session once: ends those that left, broke or timed out, marks the idle ones, and writes down the
    /// activity of held streams. Called about once a second; a late call changes when an end is noticed, never when it
    /// happened. Where other instances share the store, ends are left to [`Tracker::confirm`].
    pub fn sweep(&self) {
        let now = self.now();
        let alone = !self.is_shared();
        for session in self.registry.all() {
            if alone && self.end_if_due(&session) {
                continue;
            }
            match self.due(&session, now) {
                Due::Nothing => {}
                Due::Touch(at, notifications) => self.write_touch(&session, at, notifications),
            }
        }
    }

    /// Ends a session whose end is due, or marks it idle; says whether it did.
    pub(super) fn end_if_due(&self, session: &Arc<LiveSession>) -> bool {
        let over = {
            let mut state = session.state();
            if state.closed {
                return false;
            }
            let over = self.judge(&state, self.now());
            if matches!(over, Some(Over::Idle)) {
                state.idle = true;
            }
            over
        };
        match over {
            None => return false,
            Some(Over::Idle) => {
                let session_id = session.id();
                self.write(session, Record::SessionIdle { session_id }, None);
            }
            Some(Over::Left(at)) => self.close(session, DisconnectReason::ClientDisconnect, at),
            Some(Over::Broken(kind, at)) => self.close(session, DisconnectReason::Error(kind), at),
            Some(Over::TimedOut(at)) => self.close(session, DisconnectReason::Timeout, at),
        }
        true
    }

    /// What is over for a session.
    pub(super) fn judge(&self, state: &SessionState, now: Timestamp) -> Option<Over> {
        if state.in_flight > 0 || state.streams > 0 {
            return None;
        }
        let later = if self.is_shared() {
            OTHERS_TAKE.min(self.options.disconnect_grace)
        } else {
            Duration::ZERO
        };
        let grace = self.options.disconnect_grace + later;
        if let Some(left_at) = state.left_at
            && now.since(left_at) >= grace
        {
            return Some(Over::Left(left_at));
        }
        if let Some((kind, at)) = state.broken
            && now.since(at) >= grace
        {
            return Some(Over::Broken(kind, at));
        }
        let quiet = now.since(state.last_activity);
        if quiet >= self.options.session_timeout + later {
            return Some(Over::TimedOut(state.last_activity));
        }
        (quiet >= self.options.idle_after + later && !state.idle).then_some(Over::Idle)
    }

    fn due(&self, session: &Arc<LiveSession>, now: Timestamp) -> Due {
        let mut state = session.state();
        if state.closed {
            return Due::Nothing;
        }
        if state.in_flight > 0 || state.streams > 0 {
            state.last_activity = state.last_activity.max(now);
            state.idle = false;
            let unwritten = now.since(state.written_activity) >= self.touch_every();
            return if unwritten || state.unsent.is_some() || state.notifications > 0 {
                Due::Touch(now, std::mem::take(&mut state.notifications))
            } else {
                Due::Nothing
            };
        }
        if state.unsent.is_some()
            || state.last_activity.since(state.written_activity) >= WORTH_WRITING
        {
            let notifications = std::mem::take(&mut state.notifications);
            return Due::Touch(state.last_activity, notifications);
        }
        Due::Nothing
    }

    /// How often the activity of a held stream is written down: often enough for others to know of it before they judge.
    fn touch_every(&self) -> Duration {
        let every = self.options.touch_every;
        if !self.is_shared() {
            return every;
        }
        let options = &self.options;
        let shortest = options
            .session_timeout
            .min(options.idle_after)
            .min(options.disconnect_grace);
        every.min(shortest / 3)
    }
}
