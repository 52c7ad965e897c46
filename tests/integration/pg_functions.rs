//! What the functions and views of the PostgreSQL schema answer, against sums computed here from the same random rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::support::postgres::{self, Database, Rows, VERSIONS, Version, schema};

/// 2026-03-01T00:00:00Z.
const START: i64 = 1_772_323_200_000_000;
const HOUR: i64 = 3_600_000_000;
/// Hours over which rows are spread.
const SPAN: i64 = 24 * 40;

const REASONS: [Option<&str>; 9] = [
    Some("timeout"),
    Some("timeout_no_activity"),
    Some("client_disconnect"),
    Some("server_shutdown"),
    Some("error"),
    Some("error:UpstreamError"),
    Some("error: ConnectionError"),
    Some("errors of another kind"),
    None,
];

/// Numbers that look random and are the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        i64::try_from(number).expect("31 bits") % end
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        let len = i64::try_from(of.len()).expect("few");
        of[usize::try_from(self.below(len)).expect("a place")]
    }

    /// `None` one time in `times`.
    fn maybe(&mut self, times: i64, end: i64) -> Option<i64> {
        (self.below(times) > 0).then(|| self.below(end))
    }
}

#[derive(Debug)]
struct Session {
    id: u128,
    client: &'static str,
    user: Option<i64>,
    email: Option<String>,
    connected: i64,
    last_activity: i64,
    status: &'static str,
    ended: Option<i64>,
    reason: Option<&'static str>,
    duration: Option<i64>,
}

#[derive(Debug)]
struct Request {
    session: usize,
    method: &'static str,
    tool: Option<&'static str>,
    prompt: Option<i64>,
    completion: Option<i64>,
    /// Millionths of a dollar.
    cost: Option<i64>,
    at: i64,
    duration: Option<i64>,
    status: &'static str,
}

impl Request {
    fn is_handshake(&self) -> bool {
        matches!(self.method, "initialize" | "server/discover")
    }

    fn is_usage(&self) -> bool {
        self.status == "success" && !self.is_handshake()
    }
}

struct World {
    sessions: Vec<Session>,
    requests: Vec<Request>,
}

fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let mut sessions: Vec<Session> = (0..120)
        .map(|n| {
            let connected = START + random.below(SPAN * 3600) * 1_000_000 + random.below(1_000_000);
            let status = random.one(&["active", "idle", "disconnected", "disconnected"]);
            let length = random.below(90_000) * 1_000_000;
            let ended = (status == "disconnected").then_some(connected + length);
            let user = random.maybe(5, 9);
            Session {
                id: 0x1000 + n,
                client: random.one(&["Claude", "Cursor", "Cline", "Unknown"]),
                user,
                // Users change their address, and some sessions don't know it.
                email: user.and_then(|user| {
                    random
                        .maybe(4, 3)
                        .map(|n| format!("u{user}.{n}@example.org"))
                }),
                connected,
                last_activity: connected + length,
                status,
                ended,
                reason: ended
                    .and_then(|_| REASONS[usize::try_from(random.below(9)).expect("a place")]),
                duration: ended.and_then(|_| (random.below(6) > 0).then_some(length / 1_000_000)),
            }
        })
        .collect();
    let requests: Vec<Request> = (0..4_000)
        .map(|_| {
            let method = random.one(&[
                "tools/call",
                "tools/call",
                "tools/list",
                "initialize",
                "server/discover",
            ]);
            // Often exactly on the hour, where periods begin and end.
            let within = if random.below(10) == 0 {
                0
            } else {
                random.below(HOUR)
            };
            Request {
                session: usize::try_from(random.below(120)).expect("a place"),
                method,
                tool: (method == "tools/call").then(|| random.one(&["read", "write", "search"])),
                prompt: random.maybe(5, 1_000_000_000),
                completion: random.maybe(5, 1_000_000_000),
                cost: random.maybe(5, 20_000_000_000),
                at: START + random.below(SPAN) * HOUR + within,
                duration: random.maybe(5, 60_000),
                status: random.one(&["success", "success", "success", "error", "timeout"]),
            }
        })
        .collect();
    // Activity lasts to the end of the last request.
    for request in &requests {
        let end = request.at + request.duration.unwrap_or(0) * 1_000;
        let session = &mut sessions[request.session];
        session.last_activity = session.last_activity.max(end);
    }
    World { sessions, requests }
}

fn uuid(number: u128) -> String {
    uuid::Uuid::from_u128(number).to_string()
}

fn user_id(number: i64) -> String {
    uuid(0xAAAA_0000 + u128::try_from(number).expect("not negative"))
}

/// An instant as a literal that doesn't depend on the time zone.
fn instant(micros: i64) -> String {
    format!("(timestamptz 'epoch' + interval '1 microsecond' * {micros})")
}

fn literal<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'"))
}

/// Micro-dollars as PostgreSQL writes `numeric` with six places.
fn dollars(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Writes the world as another writer would: plain INSERTs of the columns that were there before archonctl.
fn insert(world: &World) -> String {
    let mut sql = String::new();
    for s in &world.sessions {
        let at = |micros: Option<i64>| micros.map_or_else(|| "NULL".to_owned(), instant);
        writeln!(
            sql,
            "INSERT INTO archon_mcp_sessions (session_id, client_type, connected_at, last_activity, status, \
             disconnected_at, disconnect_reason, total_duration, user_id, user_email, user_name) \
             VALUES ('{}', '{}', {}, {}, '{}', {}, {}, {}, {}, {}, {});",
            uuid(s.id),
            s.client,
            instant(s.connected),
            instant(s.last_activity),
            s.status,
            at(s.ended),
            literal(s.reason),
            literal(s.duration),
            literal(s.user.map(user_id)),
            literal(s.email.as_ref()),
            literal(s.user.map(|user| format!("User {user}"))),
        )
        .expect("text");
    }
    for piece in world.requests.chunks(37) {
        let rows: Vec<String> = piece
            .iter()
            .map(|r| {
                format!(
                    "('{}', '{}', {}, {}, {}, {}, {}, {}, '{}')",
                    uuid(world.sessions[r.session].id),
                    r.method,
                    literal(r.tool),
                    literal(r.prompt),
                    literal(r.completion),
                    literal(r.cost.map(dollars)),
                    instant(r.at),
                    literal(r.duration),
                    r.status,
                )
            })
            .collect();
        writeln!(
            sql,
            "INSERT INTO archon_mcp_requests (session_id, method, tool_name, prompt_tokens, completion_tokens, \
             estimated_cost, timestamp, duration_ms, status) VALUES {};",
            rows.join(",")
        )
        .expect("text");
    }
    sql
}

/// Sums over requests.
#[derive(Default)]
struct Sums {
    requests: i64,
    prompt: i64,
    completion: i64,
    cost: i64,
    timed: i64,
    duration: i64,
    sessions: BTreeSet<usize>,
}

impl Sums {
    fn add(&mut self, request: &Request) {
        self.requests += i64::from(!request.is_handshake());
        self.prompt += request.prompt.unwrap_or(0);
        self.completion += request.completion.unwrap_or(0);
        self.cost += request.cost.unwrap_or(0);
        self.timed += i64::from(request.duration.is_some());
        self.duration += request.duration.unwrap_or(0);
        self.sessions.insert(request.session);
    }
}

impl World {
    fn usage(&self, from: i64, to: i64) -> impl Iterator<Item = &Request> {
        let all = self.requests.iter();
        all.filter(move |r| r.is_usage() && r.at >= from && r.at <= to)
    }

    /// A session with everything it did.
    fn did(&self, session: usize) -> Sums {
        let mut sums = Sums::default();
        let own = self.requests.iter().filter(|r| r.session == session);
        own.for_each(|r| sums.add(r));
        sums
    }

    /// The value of a column of the user's sessions that connected last and has one.
    fn latest<T>(&self, user: i64, column: impl Fn(&Session) -> Option<T>) -> Option<T> {
        let own = self.sessions.iter().filter(|s| s.user == Some(user));
        let known = own.filter_map(|s| column(s).map(|value| (s.connected, s.id, value)));
        known
            .max_by_key(|(at, id, _)| (*at, *id))
            .map(|found| found.2)
    }
}

/// The mean with four places, rounded as text would be; `None` without anything to divide by.
fn mean(sum: i64, count: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    (count > 0).then(|| sum as f64 / count as f64)
}

fn close(found: Option<&str>, expected: Option<f64>, what: &str) {
    let found = found.map(|text| text.parse::<f64>().expect("a number"));
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some(expected)) if (found - expected).abs() < 0.006 => {}
        _ => panic!("{what}: {found:?} instead of {expected:?}"),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "a value as rows have it"
)]
fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

/// Periods whose ends lie everywhere: on hours, on days, within an hour, over everything, over nothing.
fn periods(random: &mut Random) -> Vec<(i64, i64)> {
    let mut periods = vec![
        (START, START + SPAN * HOUR),
        (START + 24 * HOUR, START + 48 * HOUR),
        (START + 5 * HOUR, START + 6 * HOUR),
        (START + 5 * HOUR, START + 6 * HOUR - 1),
        (START + HOUR / 3, START + HOUR / 2),
        (START - 900 * HOUR, START - HOUR),
        (START + 100 * HOUR, START + 90 * HOUR),
    ];
    for _ in 0..12 {
        let from = START + random.below(SPAN * 3600) * 1_000_000;
        periods.push((from, from + random.below(300 * 3600) * 1_000_000));
    }
    periods
}

fn check_usage(database: &Database, world: &World, zone: &str) {
    for (from, to) in periods(&mut Random(77)) {
        let call = |name: &str, columns: &str| {
            database.run(&format!(
                "SET TimeZone = '{zone}'; SELECT {columns} FROM {name}({}, {})",
                instant(from),
                instant(to)
            ))
        };
        let mut all = Sums::default();
        let mut tools: BTreeMap<&str, Sums> = BTreeMap::new();
        for request in world.usage(from, to) {
            all.add(request);
            tools
                .entry(request.tool.unwrap_or(request.method))
                .or_default()
                .add(request);
        }
        let summary = call(
            "get_mcp_usage_summary",
            "total_requests, total_prompt_tokens, total_completion_tokens, total_tokens, total_cost::numeric(30,6), \
             unique_sessions",
        );
        let [row] = &summary[..] else {
            panic!("one row")
        };
        let expected = [
            some(all.requests),
            some(all.prompt),
            some(all.completion),
            some(all.prompt + all.completion),
            some(dollars(all.cost)),
        ];
        assert_eq!(row[..5], expected, "summary from {from} to {to}");
        assert_eq!(
            row[5],
            some(all.sessions.len()),
            "sessions from {from} to {to}"
        );

        let by_tool = call(
            "get_mcp_usage_by_tool",
            "tool_name, request_count, total_tokens, total_cost::numeric(30,6), avg_duration_ms",
        );
        assert_eq!(by_tool.len(), tools.len(), "tools from {from} to {to}");
        let counts: Vec<i64> = by_tool
            .iter()
            .map(|row| {
                row[1]
                    .as_deref()
                    .expect("a count")
                    .parse()
                    .expect("a number")
            })
            .collect();
        assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
        for row in &by_tool {
            let name = row[0].as_deref().expect("a name");
            let sums = tools
                .get(name)
                .unwrap_or_else(|| panic!("{name} is no tool"));
            let expected = [
                some(sums.requests),
                some(sums.prompt + sums.completion),
                some(dollars(sums.cost)),
            ];
            assert_eq!(row[1..4], expected, "{name} from {from} to {to}");
            close(row[4].as_deref(), mean(sums.duration, sums.timed), name);
        }
    }
}

fn check_lists(database: &Database, world: &World) {
    let mut open: Vec<&Session> = world
        .sessions
        .iter()
        .filter(|s| s.ended.is_none())
        .collect();
    open.sort_by_key(|s| std::cmp::Reverse((s.last_activity, s.id)));
    let found =
        database.run("SELECT session_id, client_type, status FROM get_active_mcp_clients()");
    let expected: Rows = open
        .iter()
        .map(|s| vec![some(uuid(s.id)), some(s.client), some(s.status)])
        .collect();
    assert_eq!(found, expected, "active clients");

    for (from, to) in periods(&mut Random(78)) {
        let mut ended: Vec<(usize, &Session)> = world.sessions.iter().enumerate().collect();
        ended.retain(|(_, s)| s.ended.is_some_and(|at| at >= from && at <= to));
        ended.sort_by_key(|(_, s)| std::cmp::Reverse((s.ended, s.id)));
        let expected: Rows = ended
            .iter()
            .map(|(place, s)| {
                vec![
                    some(uuid(s.id)),
                    some(s.client),
                    s.duration.map(|n| n.to_string()),
                    s.reason.map(str::to_owned),
                    some(world.did(*place).requests),
                ]
            })
            .collect();
        let found = database.run(&format!(
            "SELECT session_id, client_type, total_duration, disconnect_reason, total_requests \
             FROM get_disconnected_sessions({}, {})",
            instant(from),
            instant(to)
        ));
        assert_eq!(found, expected, "sessions that ended from {from} to {to}");

        let mut own: Vec<(usize, &Session)> = world.sessions.iter().enumerate().collect();
        own.retain(|(_, s)| s.user == Some(2) && s.connected >= from && s.connected <= to);
        own.sort_by_key(|(_, s)| std::cmp::Reverse((s.connected, s.id)));
        let expected: Rows = own
            .iter()
            .map(|(place, s)| {
                vec![
                    some(uuid(s.id)),
                    some(s.status),
                    some(world.did(*place).requests),
                ]
            })
            .collect();
        let found = database.run(&format!(
            "SELECT session_id, status, total_requests FROM get_user_sessions('{}', {}, {})",
            user_id(2),
            instant(from),
            instant(to)
        ));
        assert_eq!(found, expected, "a user's sessions from {from} to {to}");
    }
}

fn check_session_stats(database: &Database, world: &World) {
    let found = database.run(
        "SELECT client_type, total_sessions, active_sessions, disconnected_sessions, timeout_disconnects, \
         client_disconnects, server_shutdown_disconnects, error_disconnects, idle_sessions, max_duration_seconds, \
         avg_duration_seconds FROM archon_mcp_session_stats",
    );
    let clients: BTreeSet<&str> = world.sessions.iter().map(|s| s.client).collect();
    assert_eq!(found.len(), clients.len());
    for row in &found {
        let client = row[0].as_deref().expect("a client type");
        let own: Vec<&Session> = world
            .sessions
            .iter()
            .filter(|s| s.client == client)
            .collect();
        let count =
            |matches: &dyn Fn(&Session) -> bool| some(own.iter().filter(|s| matches(s)).count());
        let because = |reasons: &'static [&'static str]| {
            count(&move |s: &Session| s.reason.is_some_and(|reason| reasons.contains(&reason)))
        };
        let durations: Vec<i64> = own.iter().filter_map(|s| s.duration).collect();
        let expected = [
            count(&|_| true),
            count(&|s| s.status == "active"),
            count(&|s| s.status == "disconnected"),
            because(&["timeout", "timeout_no_activity"]),
            because(&["client_disconnect"]),
            because(&["server_shutdown"]),
            because(&["error", "error:UpstreamError", "error: ConnectionError"]),
            count(&|s| s.status == "idle"),
            durations.iter().max().map(ToString::to_string),
        ];
        assert_eq!(row[1..10], expected, "{client}");
        let timed = i64::try_from(durations.len()).expect("few");
        close(
            row[10].as_deref(),
            mean(durations.iter().sum(), timed),
            client,
        );
    }
}

fn check_users(database: &Database, world: &World) {
    let stats = database.run(
        "SELECT user_id, user_email, user_name, total_sessions, active_sessions, disconnected_sessions, \
         max_session_duration_seconds, total_requests, total_tokens, total_cost::numeric(30,6), avg_session_duration_seconds, \
         first_session_at = (SELECT min(connected_at) FROM archon_mcp_sessions s WHERE s.user_id = v.user_id), \
         last_activity_at = (SELECT max(last_activity) FROM archon_mcp_sessions s WHERE s.user_id = v.user_id) \
         FROM archon_mcp_user_stats v",
    );
    let users: BTreeSet<i64> = world.sessions.iter().filter_map(|s| s.user).collect();
    assert_eq!(stats.len(), users.len(), "one row for each user");
    for user in users {
        let id = user_id(user);
        let row = stats
            .iter()
            .find(|row| row[0].as_deref() == Some(&id))
            .expect("the user");
        let own: Vec<(usize, &Session)> = world
            .sessions
            .iter()
            .enumerate()
            .filter(|(_, s)| s.user == Some(user))
            .collect();
        let durations: Vec<i64> = own.iter().filter_map(|(_, s)| s.duration).collect();
        let (mut requests, mut tokens, mut cost) = (0, 0, 0);
        for (place, _) in &own {
            let did = world.did(*place);
            requests += did.requests;
            tokens += did.prompt + did.completion;
            cost += did.cost;
        }
        let open = own
            .iter()
            .filter(|(_, s)| s.status != "disconnected")
            .count();
        let email = world.latest(user, |s| s.email.clone());
        let expected = [
            email.clone(),
            some(format!("User {user}")),
            some(own.len()),
            some(open),
            some(own.len() - open),
            durations.iter().max().map(ToString::to_string),
            some(requests),
            some(tokens),
            some(dollars(cost)),
        ];
        assert_eq!(row[1..10], expected, "user {user}");
        let timed = i64::try_from(durations.len()).expect("few");
        close(
            row[10].as_deref(),
            mean(durations.iter().sum(), timed),
            "average duration",
        );
        assert_eq!(
            row[11..13],
            [some("t"), some("t")],
            "first and last of user {user}"
        );

        // The same over a period that holds all of it.
        let summary = database.run(&format!(
            "SELECT user_email, total_sessions, active_sessions, total_requests, total_tokens, total_cost::numeric(30,6), \
             most_used_client FROM get_user_activity_summary('{id}', 100000)"
        ));
        let mut clients: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, s) in &own {
            *clients.entry(s.client).or_default() += 1;
        }
        let most = clients.values().copied().max().unwrap_or(0);
        let favourite = clients
            .iter()
            .find(|(_, n)| **n == most)
            .map(|(name, _)| *name);
        let expected = vec![vec![
            email,
            some(own.len()),
            some(open),
            some(requests),
            some(tokens),
            some(dollars(cost)),
            favourite.map(str::to_owned),
        ]];
        assert_eq!(summary, expected, "summary of user {user}");
    }
    let nobody = database.run(&format!(
        "SELECT * FROM get_user_activity_summary('{}')",
        user_id(999)
    ));
    assert_eq!(nobody, Rows::new(), "a user without sessions");
}

fn check_everything(database: &Database, world: &World, zone: &str) {
    check_usage(database, world, zone);
    check_lists(database, world);
    check_session_stats(database, world);
    check_users(database, world);
}

#[test]
fn every_function_and_view_tells_the_truth_on_every_version() {
    for version in VERSIONS {
        let database = schema::migrated(postgres::plain(version));
        let world = world(5 + u64::from(version.major()));
        database.run(&insert(&world));
        check_everything(&database, &world, "Asia/Kathmandu");
        // With nothing pending.
        database.run("SELECT archon_merge_usage()");
        check_everything(&database, &world, "America/St_Johns");
    }
}

#[test]
fn answers_are_the_same_while_sessions_are_still_being_counted() {
    let database = schema::migrated(postgres::plain(Version::V15));
    let world = world(42);
    database.run(&insert(&world));
    database.run("SELECT archon_recount()");
    check_usage(&database, &world, "UTC");
    database.run("SELECT archon_count_sessions(50)");
    check_usage(&database, &world, "UTC");
    while database.value("SELECT archon_count_sessions(50)") != some(0) {}
    check_everything(&database, &world, "UTC");
}

#[test]
fn what_001_to_014_install_tells_the_truth_before_the_later_ones() {
    for version in [Version::V13, Version::V18] {
        let database = postgres::plain(version).fresh_database();
        for number in [1, 13, 14] {
            schema::run_one(&database, "public", number);
        }
        let mut world = world(9);
        // What the limits of the older columns allow.
        for request in &mut world.requests {
            request.cost = request.cost.map(|cost| cost % 10_000_000_000);
        }
        database.run(&insert(&world));
        check_usage(&database, &world, "Asia/Kathmandu");
        check_lists(&database, &world);
        check_users(&database, &world);
    }
}

#[test]
fn a_price_counts_from_its_day_on_and_names_match_in_any_case() {
    let database = schema::migrated(postgres::plain(Version::V13));
    database.run(
        "INSERT INTO archon_llm_pricing (model_name, provider, input_price_per_1k, output_price_per_1k, effective_date) \
         VALUES ('gpt-4o', 'OpenAI', 1, 1, current_date + 1), ('m', 'P', 2, 4, current_date - 1), ('m', 'P', 9, 9, current_date - 2)",
    );
    let cost =
        |arguments: &str| database.value(&format!("SELECT calculate_request_cost({arguments})"));
    assert_eq!(
        cost("'gpt-4o', 'openai', 1000, 2000"),
        some("0.022500"),
        "not tomorrow's price"
    );
    assert_eq!(
        cost("'M', 'p', 1000, 2000"),
        some("10.000000"),
        "yesterday's, not the day before's"
    );
    assert_eq!(cost("'m', 'P', NULL, 1"), some("0.004000"));
    assert_eq!(cost("'unknown', 'OpenAI', 1000, 1000"), some("0"));
}

#[test]
fn functions_work_in_any_schema_and_whatever_the_caller_s_search_path() {
    let database = postgres::plain(Version::V15).fresh_database();
    database.run("CREATE SCHEMA \"Tracking data\"");
    schema::run_all(&database, "Tracking data", 0);
    let world = world(11);
    database.run(&format!(
        "SET search_path TO \"Tracking data\"; {}",
        insert(&world)
    ));
    database.run("CREATE TABLE public.archon_mcp_sessions (session_id text)");
    for call in [
        "get_active_mcp_clients()",
        "get_disconnected_sessions('2026-01-01', '2027-01-01')",
        "get_user_sessions('00000000-0000-0000-0000-0000aaaa0002', '2026-01-01', '2027-01-01')",
        "get_user_activity_summary('00000000-0000-0000-0000-0000aaaa0002', 100000)",
        "get_mcp_usage_summary('2026-01-01', '2027-01-01')",
        "get_mcp_usage_by_tool('2026-01-01', '2027-01-01')",
        "calculate_request_cost('gpt-4o', 'OpenAI', 1000, 1000)",
        "archon_usage('2026-01-01', '2027-01-01')",
    ] {
        let rows = database.run(&format!(
            "SET search_path TO public; SELECT * FROM \"Tracking data\".{call}"
        ));
        assert!(!rows.is_empty(), "{call}");
    }
    // Rows written from another search path are counted all the same.
    let sums = "SELECT sum(total_requests) FROM \"Tracking data\".archon_mcp_sessions";
    let before: i64 = database
        .value(sums)
        .expect("a sum")
        .parse()
        .expect("a number");
    database.run(
        "SET search_path TO public; INSERT INTO \"Tracking data\".archon_mcp_requests (session_id, method) \
         SELECT session_id, 'tools/call' FROM \"Tracking data\".archon_mcp_sessions LIMIT 1",
    );
    assert_eq!(database.value(sums), some(before + 1));
}
