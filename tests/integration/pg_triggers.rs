//! Rows that somebody else writes into the PostgreSQL store: activity of sessions, and every sum, stay right.

use std::collections::BTreeMap;

use sqlx::Executor;

use crate::support::postgres::{self, Database, Rows, VERSIONS, Version, schema};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn database(version: Version) -> Database {
    schema::migrated(postgres::plain(version))
}

fn session(number: u32) -> String {
    uuid::Uuid::from_u128(u128::from(number)).to_string()
}

#[expect(clippy::unnecessary_wraps, reason = "a value as rows have it")]
fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Numbers that look random and are the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).expect("a place")]
    }
}

/// Sums of one key: requests, timed, duration, tokens in and out, micro-dollars, bytes in; then shortest and longest.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Sums([i64; 7], Option<i64>, Option<i64>);

impl Sums {
    fn add(&mut self, other: &Self) {
        for (sum, one) in self.0.iter_mut().zip(other.0) {
            *sum += one;
        }
        self.1 = [self.1, other.1].into_iter().flatten().min();
        self.2 = [self.2, other.2].into_iter().flatten().max();
    }

    fn of(cells: &[Option<String>]) -> Self {
        let number =
            |cell: &Option<String>| cell.as_deref().map(|n| n.parse::<i64>().expect("a number"));
        let sums: Vec<i64> = cells[..7]
            .iter()
            .map(|cell| number(cell).unwrap_or(0))
            .collect();
        Self(
            sums.try_into().expect("seven"),
            number(&cells[7]),
            number(&cells[8]),
        )
    }
}

type Keyed = BTreeMap<Vec<String>, Sums>;

/// Rows of keys and sums, added up by key; keys without requests are dropped.
fn keyed(rows: Rows, keys: usize) -> Keyed {
    let mut sums = Keyed::new();
    for row in rows {
        let key = row[..keys]
            .iter()
            .map(|cell| cell.clone().unwrap_or_default())
            .collect();
        sums.entry(key).or_default().add(&Sums::of(&row[keys..]));
    }
    sums.retain(|_, sums| sums.0[0] != 0);
    sums
}

/// Every sum that is kept, against the rows. The adding up is done here, key by key.
fn check(database: &Database, when: &str) {
    let columns = "requests, timed_requests, duration_ms_sum, prompt_tokens, completion_tokens, \
        (cost * 1000000)::bigint, bytes_in, duration_ms_min, duration_ms_max";
    let key = "user_id, client_type, server, method, tool_name, status";
    // One row a request: its key and itself.
    let each = format!(
        "SELECT date_trunc('hour', r.timestamp, 'UTC'), coalesce(r.user_id, '{NOBODY}'), s.client_type, \
         coalesce(s.server, ''), left(r.method, 100), coalesce(left(r.tool_name, 100), ''), r.status, 1, \
         CASE WHEN r.duration_ms IS NULL THEN 0 ELSE 1 END, r.duration_ms, r.prompt_tokens, r.completion_tokens, \
         (nullif(r.estimated_cost, 'NaN') * 1000000)::bigint, r.bytes_in, r.duration_ms, r.duration_ms, r.session_id \
         FROM archon_mcp_requests r JOIN archon_mcp_sessions s USING (session_id) WHERE s.counted"
    );
    let requests = database.run(&each);
    let hours = database.run(&format!(
        "SELECT hour, {key}, {columns} FROM archon_usage_hourly UNION ALL \
         SELECT hour, {key}, {columns} FROM archon_usage_pending"
    ));
    assert_eq!(
        keyed(hours, 7),
        keyed(requests.clone(), 7),
        "by hour, {when}"
    );

    let of_all = database.run(&format!(
        "SELECT hour, method, tool_name, status, {columns} FROM archon_usage_hourly_all UNION ALL \
         SELECT hour, method, tool_name, status, {columns} FROM archon_usage_pending"
    ));
    let over_all = requests.iter().map(|row| {
        let mut row = row.clone();
        row.drain(1..4);
        row
    });
    assert_eq!(
        keyed(of_all, 4),
        keyed(over_all.collect(), 4),
        "by hour over all, {when}"
    );

    let days = database.run(&format!(
        "SELECT to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD'), client_type, server, method, tool_name, status, {columns} \
         FROM archon_usage_daily UNION ALL \
         SELECT to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD'), client_type, server, method, tool_name, status, {columns} \
         FROM archon_usage_pending"
    ));
    let by_day = requests.iter().map(|row| {
        let mut row = row.clone();
        row[0] = row[0].as_deref().map(|at| at[..10].to_owned());
        row.remove(1);
        row
    });
    assert_eq!(keyed(days, 6), keyed(by_day.collect(), 6), "by day, {when}");

    let sums = database.run(
        "SELECT session_id, total_requests, failed_requests, total_prompt_tokens, total_completion_tokens, \
         (total_cost * 1000000)::bigint, bytes_in FROM archon_mcp_sessions WHERE counted",
    );
    for row in sums {
        let mut expected = [0_i64; 6];
        let number =
            |cell: &Option<String>| cell.as_deref().map_or(0, |n| n.parse().expect("a number"));
        for request in requests.iter().filter(|request| request[16] == row[0]) {
            let handshake = matches!(
                request[4].as_deref(),
                Some("initialize" | "server/discover")
            );
            expected[0] += i64::from(!handshake);
            expected[1] += i64::from(!handshake && request[6].as_deref() != Some("success"));
            for (place, column) in [(2, 10), (3, 11), (4, 12), (5, 13)] {
                expected[place] += number(&request[column]);
            }
        }
        let found: Vec<i64> = row[1..].iter().map(number).collect();
        assert_eq!(found, expected, "session {:?}, {when}", row[0]);
    }

    let spans = database.run(
        "SELECT s.session_id, first_success_at, last_success_at, r.first, r.last FROM archon_mcp_sessions AS s \
         LEFT JOIN (SELECT session_id, min(timestamp) AS first, max(timestamp) AS last FROM archon_mcp_requests \
            WHERE status = 'success' AND method NOT IN ('initialize', 'server/discover') GROUP BY session_id) AS r USING (session_id) \
         WHERE s.counted AND (first_success_at, last_success_at) IS DISTINCT FROM (r.first, r.last)",
    );
    assert_eq!(
        spans,
        Vec::<Vec<Option<String>>>::new(),
        "first and last success, {when}"
    );

    // The views, whose sums over ended sessions are kept as well.
    let views = database.run(
        "SELECT (SELECT coalesce(sum(total_sessions), 0) FROM archon_mcp_session_stats) = count(*), \
            (SELECT coalesce(sum(disconnected_sessions), 0) FROM archon_mcp_session_stats) = count(*) FILTER (WHERE status = 'disconnected'), \
            (SELECT coalesce(sum(error_disconnects), 0) FROM archon_mcp_session_stats) \
                = count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason LIKE 'error%'), \
            (SELECT coalesce(sum(total_requests), 0) FROM archon_mcp_user_stats) = coalesce(sum(total_requests) FILTER (WHERE user_id IS NOT NULL), 0), \
            (SELECT max(max_session_duration_seconds) FROM archon_mcp_user_stats) IS NOT DISTINCT FROM \
                max(total_duration) FILTER (WHERE user_id IS NOT NULL AND status = 'disconnected'), \
            (SELECT min(first_session_at) FROM archon_mcp_user_stats) IS NOT DISTINCT FROM min(connected_at) FILTER (WHERE user_id IS NOT NULL), \
            (SELECT max(last_activity_at) FROM archon_mcp_user_stats) IS NOT DISTINCT FROM max(last_activity) FILTER (WHERE user_id IS NOT NULL), \
            (SELECT count(*) FROM archon_mcp_user_stats) = count(DISTINCT user_id) \
         FROM archon_mcp_sessions",
    );
    assert_eq!(views, vec![vec![text("t"); 8]], "views, {when}");
}

fn a_request(random: &mut Random) -> String {
    format!(
        "('{}', '{}', {}, {}, {}, {}, now() - interval '{} minutes', {}, '{}', {})",
        session(u32::try_from(random.below(10)).expect("small")),
        random.one(&["tools/call", "initialize", "tools/list"]),
        random.one(&["NULL", "'read'", "'write'", "repeat('long', 60)"]),
        random.one(&["NULL", "0", "5", "2000000000"]),
        random.one(&["NULL", "3", "100000000"]),
        random.one(&["NULL", "0.5", "12345.678901", "'NaN'"]),
        random.below(4_000),
        random.one(&["NULL", "1", "5", "100", "999"]),
        random.one(&["success", "success", "error", "timeout"]),
        random.one(&["NULL", "10"]),
    )
}

fn insert(rows: &[String]) -> String {
    format!(
        "INSERT INTO archon_mcp_requests (session_id, method, tool_name, prompt_tokens, completion_tokens, estimated_cost, \
         timestamp, duration_ms, status, bytes_in) VALUES {}",
        rows.join(",")
    )
}

/// One random statement of somebody who writes, changes or deletes.
fn a_statement(random: &mut Random, step: u64) -> String {
    let some_requests = |n: u64| {
        format!(
            "request_id IN (SELECT request_id FROM archon_mcp_requests ORDER BY md5(request_id::text || {step}) LIMIT {n})"
        )
    };
    let id = session(u32::try_from(random.below(10)).expect("small"));
    match random.below(20) {
        0..8 => {
            let many = [1, 1, 3, 25][usize::try_from(random.below(4)).expect("small")];
            let rows: Vec<String> = (0..many).map(|_| a_request(random)).collect();
            insert(&rows)
        }
        8 | 9 => format!(
            "DELETE FROM archon_mcp_requests WHERE {}",
            some_requests(1 + random.below(20))
        ),
        10 | 11 => {
            let change = random.one(&[
                "duration_ms = 2000",
                "duration_ms = NULL",
                "status = 'error'",
                "error_message = 'only this'",
                "timestamp = timestamp - interval '3 hours'",
                "prompt_tokens = 11, estimated_cost = 1",
            ]);
            format!(
                "UPDATE archon_mcp_requests SET {change} WHERE {}",
                some_requests(1 + random.below(20))
            )
        }
        12..16 => {
            let change = random.one(&[
                "client_type = 'Cline'", "client_type = 'Claude', server = 's2'", "server = NULL",
                "user_id = '00000000-0000-0000-0000-0000000000aa'", "user_id = NULL", "last_activity = now()",
                "status = 'disconnected', disconnected_at = now(), disconnect_reason = 'error: X', total_duration = 50",
                "total_duration = 20", "connected_at = now() - interval '1 day'",
                "status = 'active', disconnected_at = NULL",
            ]);
            format!("UPDATE archon_mcp_sessions SET {change} WHERE session_id = '{id}'")
        }
        16 => format!(
            "DELETE FROM archon_mcp_sessions WHERE session_id = '{id}'; \
             INSERT INTO archon_mcp_sessions (session_id, client_type, status, disconnect_reason, total_duration, user_id) \
             VALUES ('{id}', 'Cursor', 'disconnected', 'timeout', 9, '00000000-0000-0000-0000-0000000000bb')"
        ),
        17 => "SELECT archon_merge_usage(), archon_merge_totals()".into(),
        18 => "SELECT archon_recount()".into(),
        _ => format!("SELECT archon_count_sessions({})", 1 + random.below(12)),
    }
}

#[test]
fn every_sum_stays_right_whatever_others_write_change_and_delete() {
    for version in VERSIONS {
        let database = database(version);
        let mut random = Random(100 + u64::from(version.major()));
        for number in 0..10 {
            database.run(&format!(
                "INSERT INTO archon_mcp_sessions (session_id, client_type, user_id) VALUES ('{}', 'Claude', {})",
                session(number),
                ["NULL", "'00000000-0000-0000-0000-0000000000aa'"][usize::from(number % 2 == 0)],
            ));
        }
        for step in 0..20 {
            let statements: Vec<String> = (0..8)
                .map(|n| a_statement(&mut random, step * 8 + n))
                .collect();
            database.run(&statements.join(";\n"));
            check(
                &database,
                &format!("PostgreSQL {}, step {step}", version.major()),
            );
        }
        database.run("TRUNCATE archon_mcp_requests");
        check(&database, "after TRUNCATE");
        database.run("TRUNCATE archon_mcp_sessions CASCADE");
        check(&database, "after TRUNCATE of everything");
    }
}

#[test]
fn a_transaction_that_is_rolled_back_leaves_no_sum_behind() {
    let database = database(Version::V15);
    database.run(&format!(
        "INSERT INTO archon_mcp_sessions (session_id) VALUES ('{}')",
        session(1)
    ));
    let row = format!(
        "INSERT INTO archon_mcp_requests (session_id, method, duration_ms) VALUES ('{}', 'ping', 5)",
        session(1)
    );
    database.run(&row);
    database.run(&format!(
        "BEGIN; {row}; SELECT archon_merge_usage(); ROLLBACK"
    ));
    check(&database, "after a rollback");
    database.run(&format!(
        "BEGIN; DELETE FROM archon_mcp_sessions WHERE session_id = '{}'; ROLLBACK",
        session(1)
    ));
    check(&database, "after a deletion that was none");
    assert_eq!(
        database.value("SELECT total_requests FROM archon_mcp_sessions"),
        text("1")
    );
}

#[test]
fn activity_moves_forward_never_beyond_now_and_a_closed_session_stays_closed() {
    for version in [Version::V13, Version::V18] {
        let database = database(version);
        database.run(&format!(
            "INSERT INTO archon_mcp_sessions (session_id, status, connected_at, last_activity, disconnected_at, \
             disconnect_reason, total_duration) VALUES \
             ('{}', 'idle', now() - interval '2 hours', now() - interval '1 hour', NULL, NULL, NULL), \
             ('{}', 'idle', now() - interval '2 hours', now() - interval '1 hour', NULL, NULL, NULL), \
             ('{}', 'disconnected', now() - interval '2 hours', now() - interval '1 hour', now() - interval '1 hour', 'timeout', 3600)",
            session(1), session(2), session(3)
        ));
        let request = |id: u32, at: &str| {
            database.run(&format!("INSERT INTO archon_mcp_requests (session_id, method, timestamp) VALUES ('{}', 'ping', {at})", session(id)));
        };
        let state = |id: u32, condition: &str| {
            database.run(&format!(
                "SELECT status, {condition} FROM archon_mcp_sessions WHERE session_id = '{}'",
                session(id)
            ))
        };
        request(1, "now() - interval '90 minutes'");
        let hour_ago = "last_activity < now() - interval '59 minutes' AND last_activity > now() - interval '61 minutes'";
        assert_eq!(
            state(1, hour_ago),
            vec![vec![text("idle"), text("t")]],
            "an older row moves nothing"
        );
        request(1, "now() + interval '3 days'");
        assert_eq!(
            state(1, "last_activity <= clock_timestamp()"),
            vec![vec![text("active"), text("t")]]
        );
        request(2, "now() - interval '30 minutes'");
        assert_eq!(
            state(2, "last_activity < now() - interval '29 minutes'"),
            vec![vec![text("idle"), text("t")]]
        );
        request(2, "now()");
        assert_eq!(
            state(2, "last_activity = last_activity"),
            vec![vec![text("active"), text("t")]]
        );
        request(3, "now()");
        assert_eq!(
            state(
                3,
                "disconnect_reason = 'timeout' AND total_duration = 3600 AND total_requests = 1"
            ),
            vec![vec![text("disconnected"), text("t")]],
        );
    }
}

#[test]
fn requests_belong_to_the_user_of_their_session_also_when_that_comes_later() {
    let database = database(Version::V15);
    let user = "00000000-0000-0000-0000-0000000000aa";
    database.run(&format!(
        "INSERT INTO archon_mcp_sessions (session_id) VALUES ('{0}'); \
         INSERT INTO archon_mcp_requests (session_id, method) VALUES ('{0}', 'ping'); \
         UPDATE archon_mcp_sessions SET user_id = '{user}'; \
         INSERT INTO archon_mcp_requests (session_id, method) VALUES ('{0}', 'ping')",
        session(1)
    ));
    let users = database.run("SELECT user_id, count(*) FROM archon_mcp_requests GROUP BY 1");
    assert_eq!(users, vec![vec![text(user), text("2")]]);
    check(&database, "after the user came");
}

#[test]
fn no_trigger_of_ours_works_row_by_row() {
    for version in VERSIONS {
        let rows = database(version).run(
            "SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger AS t \
             WHERE NOT t.tgisinternal AND t.tgtype & 1 = 1 ORDER BY 1, 2",
        );
        assert_eq!(rows, Rows::new(), "{version:?}");
    }
}

#[test]
fn many_sessions_are_changed_and_deleted_at_once() {
    for version in VERSIONS {
        let database = database(version);
        database.run(
            "INSERT INTO archon_mcp_sessions (session_id, client_type, user_id, status, disconnected_at, total_duration) \
             SELECT gen_random_uuid(), 'Cursor', CASE n % 3 WHEN 0 THEN gen_random_uuid() END, \
                 CASE n % 2 WHEN 0 THEN 'active' ELSE 'disconnected' END, CASE n % 2 WHEN 1 THEN now() END, n \
             FROM generate_series(1, 3000) AS n; \
             INSERT INTO archon_mcp_requests (session_id, method, duration_ms) \
             SELECT session_id, 'ping', n FROM archon_mcp_sessions, generate_series(1, 3) AS n",
        );
        check(&database, "after many came");
        // One first: what a connection has planned for one must also do for many.
        database.run(
            "UPDATE archon_mcp_sessions SET client_type = 'Claude' \
             WHERE session_id = (SELECT min(session_id::text)::uuid FROM archon_mcp_sessions); \
             UPDATE archon_mcp_sessions SET client_type = 'Cline', status = 'disconnected', disconnected_at = now(), \
                 user_id = coalesce(user_id, '00000000-0000-0000-0000-000000000007') WHERE total_duration > 400",
        );
        check(&database, "after many changed");
        database.run(
            "DELETE FROM archon_mcp_sessions WHERE session_id = (SELECT min(session_id::text)::uuid FROM archon_mcp_sessions); \
             DELETE FROM archon_mcp_sessions WHERE total_duration % 5 <> 0",
        );
        check(&database, "after many were deleted");
        let left = database.run("SELECT count(*) FROM archon_usage_leaving");
        assert_eq!(
            left,
            vec![vec![text("0")]],
            "what leaves is noted for one statement only"
        );
    }
}

#[test]
fn many_rows_of_one_session_update_it_once_and_one_row_by_its_index() {
    let database = database(Version::V15);
    let rows = database.run(&format!(
        "INSERT INTO archon_mcp_sessions (session_id) VALUES ('{}'); BEGIN; \
         INSERT INTO archon_mcp_requests (session_id, method) SELECT '{0}', 'ping' FROM generate_series(1, 4000); \
         SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'archon_mcp_sessions'; COMMIT",
        session(1)
    ));
    assert_eq!(rows, vec![vec![text("1")]], "one update for one statement");
    // After a statement with many rows a small one must not read all sessions.
    database.run("INSERT INTO archon_mcp_sessions (client_type) SELECT 'Claude' FROM generate_series(1, 5000)");
    let read =
        "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'archon_mcp_sessions'";
    let scans = database.run(&format!(
        "BEGIN; INSERT INTO archon_mcp_requests (session_id, method) SELECT session_id, 'ping' FROM archon_mcp_sessions; \
         {read}; INSERT INTO archon_mcp_requests (session_id, method) VALUES ('{}', 'ping'); {read}; COMMIT",
        session(1)
    ));
    assert_eq!(
        scans[0], scans[1],
        "sessions read one after the other for one request"
    );
    check(&database, "after many rows");
}

/// Two writers whose statements name the same sessions in opposite order.
#[test]
fn writers_in_opposite_order_do_not_lock_each_other_out() {
    let database = database(Version::V15);
    database.run("INSERT INTO archon_mcp_sessions (session_id) SELECT lpad(to_hex(n), 32, '0')::uuid FROM generate_series(1, 40) n");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let writer = |order: &'static str| {
            let options = database.options_as("postgres");
            async move {
                let mut connection = sqlx::ConnectOptions::connect(&options).await?;
                for _ in 0..60 {
                    let sql = format!(
                        "INSERT INTO archon_mcp_requests (session_id, method, tool_name) \
                         SELECT session_id, 'tools/call', 'x' || get_byte(uuid_send(session_id), 15) % 3 \
                         FROM archon_mcp_sessions ORDER BY session_id {order}"
                    );
                    connection.execute(sqlx::AssertSqlSafe(sql)).await?;
                }
                Ok::<(), sqlx::Error>(())
            }
        };
        let (a, b, c) = tokio::join!(writer("ASC"), writer("DESC"), writer("ASC"));
        for done in [a, b, c] {
            done.expect("no deadlock");
        }
    });
    check(&database, "after three writers at once");
}

#[test]
fn archonctl_s_own_writer_is_left_to_count_for_itself() {
    let database = database(Version::V18);
    database.run(&format!(
        "INSERT INTO archon_mcp_sessions (session_id, last_activity) VALUES ('{0}', now() - interval '1 hour'); \
         BEGIN; SET LOCAL archonctl.writer = 'fold'; INSERT INTO archon_mcp_requests (session_id, method) VALUES ('{0}', 'ping'); COMMIT",
        session(1)
    ));
    let untouched = "SELECT total_requests, last_activity < now() - interval '59 minutes', \
        (SELECT count(*) FROM archon_usage_pending) FROM archon_mcp_sessions";
    assert_eq!(
        database.run(untouched),
        vec![vec![text("0"), text("t"), text("0")]]
    );
    database.run("SELECT archon_recount(); SELECT archon_count_sessions(10)");
    check(&database, "counted anew");
}

#[test]
fn what_was_written_while_triggers_were_missing_is_counted_when_the_migration_runs_again() {
    for version in [Version::V13, Version::V18] {
        let database = database(version);
        let row = format!(
            "INSERT INTO archon_mcp_requests (session_id, method, duration_ms) VALUES ('{}', 'ping', 5)",
            session(1)
        );
        database.run(&format!(
            "INSERT INTO archon_mcp_sessions (session_id) VALUES ('{}'); {row}",
            session(1)
        ));
        // The older trigger, one for each row, comes back.
        database.run(
            "DROP TRIGGER trigger_update_session_status ON archon_mcp_requests; \
             CREATE OR REPLACE FUNCTION update_session_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             UPDATE archon_mcp_sessions SET status = 'active', last_activity = NEW.timestamp WHERE session_id = NEW.session_id; RETURN NEW; END $$; \
             CREATE TRIGGER trigger_update_session_status AFTER INSERT ON archon_mcp_requests FOR EACH ROW EXECUTE FUNCTION update_session_status()",
        );
        database.run(&format!("UPDATE archon_mcp_sessions SET status = 'disconnected', disconnected_at = now(), disconnect_reason = 'timeout'; {row}"));
        assert_eq!(
            database.value("SELECT status FROM archon_mcp_sessions"),
            text("active"),
            "reopened by the older trigger"
        );
        schema::run_all(&database, "public", 0);
        check(&database, "after running everything again");
        assert_eq!(
            database.run("SELECT status, total_requests FROM archon_mcp_sessions"),
            vec![vec![text("disconnected"), text("2")]]
        );
        database.run(&row);
        assert_eq!(
            database.run("SELECT status, total_requests FROM archon_mcp_sessions"),
            vec![vec![text("disconnected"), text("3")]]
        );
        check(&database, "and after one row more");
    }
}

#[test]
fn down_scripts_take_everything_back_and_up_again_counts_what_is_there() {
    for version in [Version::V13, Version::V18] {
        let database = database(version);
        let row = format!(
            "INSERT INTO archon_mcp_requests (session_id, method, duration_ms) VALUES ('{}', 'ping', 5)",
            session(1)
        );
        database.run(&format!(
            "INSERT INTO archon_mcp_sessions (session_id) VALUES ('{}'); {row}",
            session(1)
        ));
        schema::take_back(&database, 100);
        // Nothing of ours is in the way of the older writers.
        database.run(&row);
        assert_eq!(
            database.value("SELECT request_count FROM get_mcp_usage_by_tool()"),
            text("2")
        );
        schema::run_all(&database, "public", 100);
        check(&database, "up again");
        schema::take_back(&database, 1);
        let left = database.run("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')");
        assert_eq!(left, vec![vec![text("archon_migrations")]]);
    }
}
