//! Sessions and operations made up by rule, and putting them into a store.

use uuid::Uuid;

use crate::model::{
    Cost, Operation, OperationStatus, Record, RequestId, SessionId, Target, Timestamp,
};
use crate::store::testing::{TestStore, at};

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// A session as it is put in. Times in seconds before the present.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: u128,
    pub(super) client_type: &'static str,
    pub(super) connected: i64,
    pub(super) last_activity: i64,
    pub(super) status: &'static str,
    pub(super) disconnected: Option<i64>,
    pub(super) duration: Option<i64>,
    pub(super) reason: Option<&'static str>,
    pub(super) user: Option<u128>,
}

impl Session {
    /// Microseconds before the present.
    fn middle(&self) -> i64 {
        (self.connected + self.last_activity) * 500_000
    }
}

/// An operation as it is put in.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) id: u128,
    pub(super) session: u128,
    pub(super) method: String,
    pub(super) tool: Option<String>,
    /// Microseconds before the present.
    pub(super) before: i64,
    pub(super) duration_ms: u32,
    pub(super) status: OperationStatus,
    pub(super) error: Option<String>,
    pub(super) prompt: Option<i64>,
    pub(super) completion: Option<i64>,
    pub(super) cost: Option<i64>,
}

pub(super) struct MadeUp {
    pub(super) now: Timestamp,
    pub(super) sessions: Vec<Session>,
    pub(super) requests: Vec<Request>,
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn signed(&mut self, bound: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(bound).expect("small"))).expect("small")
    }
}

impl MadeUp {
    pub(super) fn new() -> Self {
        let mut chance = Chance(7);
        let mut made_up = Self {
            // Some minutes past some hour.
            now: at(200 * DAY + 1_234),
            sessions: Vec::new(),
            requests: Vec::new(),
        };
        let clients = ["Claude", "Cursor", "Éditeur", "Unknown"];
        let reasons = [
            Some("client_disconnect"),
            Some("timeout"),
            Some("timeout_no_activity"),
            Some("error: Broken"),
            Some("something else"),
            None,
        ];
        for n in 0..60_u8 {
            let age = match n % 4 {
                0 => chance.signed(2 * HOUR),
                1 => chance.signed(2 * DAY),
                2 => chance.signed(20 * DAY),
                _ => chance.signed(120 * DAY),
            };
            let length = chance.signed(age.max(1));
            let ended = n % 5 != 0;
            made_up.sessions.push(Session {
                id: 0x1000 + u128::from(n),
                client_type: clients[usize::from(n) % clients.len()],
                connected: age,
                last_activity: age - length,
                status: match (ended, n % 10) {
                    (true, _) => "disconnected",
                    (false, 0) => "active",
                    _ => "idle",
                },
                disconnected: ended.then_some(age - length),
                duration: (ended && n % 7 != 0).then_some(length),
                reason: if ended {
                    reasons[usize::from(n) % reasons.len()]
                } else {
                    None
                },
                user: (n % 3 != 0).then_some(u128::from(n % 3)),
            });
        }
        // One whose clock goes wrong: it is active in the future.
        made_up.sessions[5].last_activity = -HOUR;
        made_up.sessions[5].status = "active";
        made_up.sessions[5].disconnected = None;
        made_up.sessions[5].duration = None;
        made_up.sessions[5].reason = None;
        for n in 0..900_u32 {
            // The last sessions have none at all.
            let session =
                made_up.sessions[usize::try_from(chance.below(55)).expect("small")].clone();
            let within = (session.connected - session.last_activity).max(1) * 1_000_000;
            let before = session.connected * 1_000_000 - chance.signed(within);
            made_up.request(&mut chance, n, session.id, before);
        }
        // A tool each, in one session.
        for n in 900..2_100_u32 {
            let id = made_up.sessions[1].id;
            let within = made_up.sessions[1].middle();
            made_up.request(&mut chance, n, id, within + i64::from(n));
            let request = made_up.requests.last_mut().expect("just added");
            request.method = "tools/call".to_owned();
            request.tool = Some(format!("one_of_many_{n}"));
        }
        made_up
    }

    fn request(&mut self, chance: &mut Chance, n: u32, session: u128, before: i64) {
        let (method, tool) = match chance.below(12) {
            0 => ("initialize", None),
            1 => ("tools/list", None),
            2 => ("tools/call", Some("dateï_löschen")),
            3..6 => ("tools/call", Some("Search_Code")),
            _ => ("tools/call", Some("read_file")),
        };
        let status = match chance.below(12) {
            0 => OperationStatus::Timeout,
            1 | 2 => OperationStatus::Error,
            _ => OperationStatus::Success,
        };
        let longest = 1 << (4 + chance.below(12));
        let duration_ms = u32::try_from(chance.below(longest)).expect("small");
        let errors = ["Broken PIPE while reading", "niçht gefunden", "50% _done_"];
        self.requests.push(Request {
            id: 0xA000_0000 + u128::from(n),
            session,
            method: method.to_owned(),
            tool: tool.map(str::to_owned),
            before,
            duration_ms,
            status,
            error: (status == OperationStatus::Error)
                .then(|| errors[usize::try_from(chance.below(3)).expect("small")].to_owned()),
            prompt: (chance.below(9) > 0).then(|| chance.signed(500)),
            completion: (chance.below(9) > 0).then(|| chance.signed(2_000)),
            cost: (chance.below(5) > 0).then(|| chance.signed(40_000)),
        });
    }

    /// When something was so many microseconds before the present.
    pub(super) fn ago(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros() - micros)
    }

    pub(super) async fn put_into(&self, test: &mut TestStore) {
        let on = test.on;
        let at = |seconds: i64| on.instant(self.ago(seconds * 1_000_000));
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        let rows: Vec<String> = self
            .sessions
            .iter()
            .map(|s| {
                format!(
                    "({}, '{}', {}, {}, '{}', {}, {}, {}, {})",
                    on.id(s.id),
                    s.client_type,
                    at(s.connected),
                    at(s.last_activity),
                    s.status,
                    or_null(s.disconnected.map(at)),
                    or_null(s.duration.map(|d| d.to_string())),
                    or_null(s.reason.map(|r| format!("'{r}'"))),
                    or_null(s.user.map(|u| on.id(u))),
                )
            })
            .collect();
        test.execute(&format!(
            "INSERT INTO archon_mcp_sessions (session_id, client_type, connected_at, last_activity, status, \
             disconnected_at, total_duration, disconnect_reason, user_id) VALUES {}",
            rows.join(", ")
        ))
        .await;
        self.fold(test, &self.requests).await;
    }

    async fn fold(&self, test: &mut TestStore, requests: &[Request]) {
        let records: Vec<Record> = requests
            .iter()
            .map(|r| {
                Record::OperationFinished(Box::new(Operation {
                    request_id: RequestId(Uuid::from_u128(r.id)),
                    session_id: SessionId(Uuid::from_u128(r.session)),
                    method: r.method.as_str().into(),
                    target: r.tool.as_deref().map(|tool| Target::Tool(tool.into())),
                    from_server: false,
                    started_at: self.ago(r.before),
                    duration_us: u64::from(r.duration_ms) * 1_000,
                    status: r.status,
                    error_message: r.error.as_deref().map(Into::into),
                    bytes_in: 1,
                    bytes_out: 2,
                    protocol_version: None,
                    trace_id: None,
                    prompt_tokens: r.prompt.map(|n| u32::try_from(n).expect("small")),
                    completion_tokens: r.completion.map(|n| u32::try_from(n).expect("small")),
                    estimated_cost: r.cost.map(Cost::from_micros),
                    model: None,
                }))
            })
            .collect();
        test.fold(&records).await;
    }

    /// Two more operations: one of the last hours, one of some day long gone.
    pub(super) async fn add_late_ones(&mut self, test: &mut TestStore) {
        let mut chance = Chance(99);
        let first = self.requests.len();
        for (n, session) in [(5_000, 0), (5_001, 3)] {
            let session = self.sessions[session].clone();
            self.request(&mut chance, n, session.id, session.middle());
        }
        for request in &mut self.requests[first..] {
            request.tool = Some("late_one".to_owned());
            request.method = "tools/call".to_owned();
            request.duration_ms = 77_777;
        }
        let late = self.requests[first..].to_vec();
        self.fold(test, &late).await;
    }
}
