//! Ends sessions that nothing is heard of.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{DisconnectReason, ErrorType, Record, Timestamp};

use super::session::LiveSession;
use super::tracker::Tracker;

/// Activity that is later than what was last written by less than this is not written for its own sake.
const WORTH_WRITING: Duration = Duration::from_secs(1);

/// What the sweep found due for one session.
enum Due {
    Nothing,
    Touch(Timestamp, u32),
    Idle,
    Left(Timestamp),
    Broken(ErrorType, Timestamp),
    TimedOut(Timestamp),
}

impl Tracker {
    /// Looks at every open session once: ends those that left, broke or timed out, marks the idle ones, and writes down the
    /// activity of held streams. Called about once a second; a late call changes when an end is noticed, never when it
    /// happened.
    pub fn sweep(&self) {
        let now = self.now();
        for session in self.registry.all() {
            match self.due(&session, now) {
                Due::Nothing => {}
                Due::Touch(at, notifications) => self.write_touch(&session, at, notifications),
                Due::Idle => {
                    self.write(
                        &session,
                        Record::SessionIdle {
                            session_id: session.id,
                        },
                        None,
                    );
                }
                Due::Left(at) => self.close(&session, DisconnectReason::ClientDisconnect, at),
                Due::Broken(kind, at) => self.close(&session, DisconnectReason::Error(kind), at),
                Due::TimedOut(at) => self.close(&session, DisconnectReason::Timeout, at),
            }
        }
    }

    fn due(&self, session: &Arc<LiveSession>, now: Timestamp) -> Due {
        let mut state = session.state();
        if state.closed {
            return Due::Nothing;
        }
        if state.in_flight > 0 || state.streams > 0 {
            state.last_activity = state.last_activity.max(now);
            state.idle = false;
            let unwritten = now.since(state.written_activity) >= self.options.touch_every;
            return if unwritten || state.unsent.is_some() || state.notifications > 0 {
                Due::Touch(now, std::mem::take(&mut state.notifications))
            } else {
                Due::Nothing
            };
        }
        if let Some(left_at) = state.left_at
            && now.since(left_at) >= self.options.disconnect_grace
        {
            return Due::Left(left_at);
        }
        if let Some((kind, at)) = state.broken
            && now.since(at) >= self.options.disconnect_grace
        {
            return Due::Broken(kind, at);
        }
        let quiet = now.since(state.last_activity);
        if quiet >= self.options.session_timeout {
            return Due::TimedOut(state.last_activity);
        }
        if quiet >= self.options.idle_after && !state.idle {
            state.idle = true;
            return Due::Idle;
        }
        if state.unsent.is_some()
            || state.last_activity.since(state.written_activity) >= WORTH_WRITING
        {
            let notifications = std::mem::take(&mut state.notifications);
            return Due::Touch(state.last_activity, notifications);
        }
        Due::Nothing
    }
}
