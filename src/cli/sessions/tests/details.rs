//! One session with its operations, and the statistics.

use super::super::{show, stats};
use super::{at, ended, json, now, rendered, text};
use crate::cli::render::Format;
use crate::model::Cost;
use crate::reports::{
    ClientStats, OperationRow, Pagination, SessionDetails, SessionStats, UsageTotals,
};

fn operation() -> OperationRow {
    OperationRow {
        request_id: uuid::Uuid::from_u128(7),
        session_id: ended().session_id,
        method: "tools/call".to_owned(),
        tool_name: Some("search".to_owned()),
        prompt_tokens: Some(10),
        completion_tokens: Some(20),
        total_tokens: 30,
        estimated_cost: Cost::from_micros(1_500),
        timestamp: at("2026-07-28T09:02:58Z"),
        duration_ms: Some(1_250),
        status: "error".to_owned(),
        error_message: Some("no such\nindex".to_owned()),
        prompt_name: None,
        resource_uri: None,
        sent_by: "client".to_owned(),
        bytes_in: Some(100),
        bytes_out: None,
        protocol_version: None,
        trace_id: None,
    }
}

fn details() -> SessionDetails {
    SessionDetails {
        session: ended(),
        requests: vec![operation()],
        summary: UsageTotals {
            total_requests: 12,
            total_prompt_tokens: 100,
            total_completion_tokens: 200,
            total_tokens: 300,
            total_cost: Cost::from_micros(1_500),
        },
        pagination: Pagination {
            total: 12,
            limit: 1,
            offset: 0,
            has_more: true,
        },
    }
}

/// Rule: operation/tokens-and-cost
#[test]
fn one_session_is_shown_with_its_operations_and_their_sums() {
    let details = details();
    let answer = show::answer(&details, now());
    assert_eq!(
        text(&answer, Format::Table),
        "\
Session:        01983f5e-8c00-7000-8000-0000000000bb
Status:         disconnected
Client:         Cursor \\x1b[31m9
Client type:    Cursor
User:           -
Server:         default
Era:            -
Protocol:       2026-07-28
Derivation:     -
User agent:     -
Connected:      2026-07-28T08:00:00.000000Z (4h ago)
Last activity:  2026-07-28T09:03:00.000000Z (2h ago)
Ended:          2026-07-28T09:03:00.000000Z (2h ago)
Noticed:        2026-07-28T10:03:01.000000Z (1h ago)
Duration:       1h 3m
Reason:         timeout
Requests:       12 (1 failed)
Notifications:  3
Bytes in:       4.0 KiB
Bytes out:      1.5 KiB
Capabilities:   {\"roots\":{}}

STARTED  METHOD      TARGET  STATUS  DURATION  TOKENS  ERROR
2h ago   tools/call  search  error      1.2 s      30  no such\\nindex

12 operations, about 300 tokens (100 in, 200 out), about $0.001500; tokens and cost are estimates
"
    );
    assert_eq!(
        rendered(&answer, Format::Table).notes,
        ["1 of 12 operations; --offset 1 shows the next ones."]
    );
    let document = json(&answer);
    assert_eq!(document["data"]["summary"]["total_cost"], 0.0015);
    assert_eq!(document["data"]["pagination"]["has_more"], true);
    assert_eq!(document["meta"]["total"], 12);
    assert_eq!(text(&answer, Format::Jsonl).lines().count(), 1);
    assert!(text(&answer, Format::Csv).starts_with("timestamp,method,target,status,"));
}

#[test]
fn statistics_have_a_row_for_each_client_and_one_for_all() {
    let client = |name: &str, sessions| ClientStats {
        client_type: name.to_owned(),
        total_sessions: sessions,
        avg_duration_seconds: Some(61.0),
        ..ClientStats::default()
    };
    let some = SessionStats {
        period: None,
        by_client: vec![client("Claude", 3), client("Cursor", 1)],
        total: client("all", 4),
    };
    let table = text(&stats::answer(&some), Format::Table);
    let firsts: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(firsts, ["CLIENT", "Claude", "Cursor", "all"]);
    assert!(table.contains("1m 1s"), "{table}");
    let document = json(&stats::answer(&some));
    assert_eq!(document["data"]["total"]["total_sessions"], 4);
    assert_eq!(document["data"]["by_client"][1]["client_type"], "Cursor");
    let none = SessionStats {
        period: None,
        by_client: Vec::new(),
        total: client("all", 0),
    };
    assert!(
        rendered(&stats::answer(&none), Format::Table)
            .out
            .is_empty()
    );
}
