//! Answers about sessions in every format, from rows made up here: lists; one session and statistics in `details`.

mod details;

use std::collections::BTreeMap;

use super::{disconnected, list};
use crate::cli::render::{Answer, Data, Format, Rendered, TimeStyle, render};
use crate::cli::tests::view;
use crate::model::{Period, SessionStatus, Timestamp};
use crate::reports::{
    DisconnectStatistics, DisconnectedSessions, Page, SessionFilter, SessionPage, SessionRow,
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

fn now() -> Timestamp {
    view(Format::Table).now
}

fn active() -> SessionRow {
    SessionRow {
        session_id: "01983f5e-8c00-7000-8000-0000000000aa"
            .parse()
            .expect("an id"),
        client_type: "Claude".to_owned(),
        client_version: Some("2.1.0".to_owned()),
        connected_at: at("2026-07-28T10:30:00Z"),
        last_activity: at("2026-07-28T11:59:20.5Z"),
        status: SessionStatus::Active,
        disconnected_at: None,
        total_duration: None,
        disconnect_reason: None,
        user_id: None,
        user_email: Some("ada@example.com".to_owned()),
        user_name: None,
        client_capabilities: Some(serde_json::json!({"roots": {}})),
        metadata: serde_json::json!({}),
        client_name: Some("claude-code".to_owned()),
        era: Some("modern".to_owned()),
        derivation: Some("vendor".to_owned()),
        server: Some("default".to_owned()),
        protocol_version: Some("2026-07-28".to_owned()),
        user_agent: None,
        detected_at: None,
        resumed_from: None,
        total_requests: 12,
        failed_requests: 1,
        notifications: 3,
        bytes_in: 4_096,
        bytes_out: 1_536,
    }
}

/// As an older tracker wrote it: no name, no era; with an escape sequence where the version belongs.
fn ended() -> SessionRow {
    SessionRow {
        session_id: "01983f5e-8c00-7000-8000-0000000000bb"
            .parse()
            .expect("an id"),
        client_type: "Cursor".to_owned(),
        client_name: None,
        client_version: Some("\u{1b}[31m9".to_owned()),
        status: SessionStatus::Disconnected,
        connected_at: at("2026-07-28T08:00:00Z"),
        last_activity: at("2026-07-28T09:03:00Z"),
        disconnected_at: Some(at("2026-07-28T09:03:00Z")),
        detected_at: Some(at("2026-07-28T10:03:01Z")),
        total_duration: Some(3_780),
        disconnect_reason: Some("timeout".to_owned()),
        user_email: None,
        era: None,
        derivation: None,
        ..active()
    }
}

fn page() -> SessionPage {
    SessionPage {
        sessions: vec![active(), ended()],
        total: 60,
    }
}

fn left() -> DisconnectedSessions {
    DisconnectedSessions {
        sessions: vec![ended()],
        statistics: DisconnectStatistics {
            total_disconnected: 4,
            disconnect_reasons: BTreeMap::from([
                ("client_disconnect".to_owned(), 1),
                ("error:ServerCrash".to_owned(), 1),
                ("timeout".to_owned(), 2),
            ]),
            avg_duration_seconds: Some(3_779.6),
            max_duration_seconds: Some(90_000),
            min_duration_seconds: Some(5),
        },
        period: Period::last_days(7, now()),
    }
}

fn rendered<D: Data, M: serde::Serialize>(answer: &Answer<D, M>, format: Format) -> Rendered {
    render(answer, &view(format)).expect("rendered")
}

fn text<D: Data, M: serde::Serialize>(answer: &Answer<D, M>, format: Format) -> String {
    String::from_utf8(rendered(answer, format).out).expect("UTF-8")
}

fn json<D: Data, M: serde::Serialize>(answer: &Answer<D, M>) -> serde_json::Value {
    serde_json::from_str(&text(answer, Format::Json)).expect("JSON")
}

#[test]
fn a_list_is_a_table_and_says_what_it_leaves_out() {
    let page = page();
    let answer = list::answer(&page, &SessionFilter::default());
    assert_eq!(
        text(&answer, Format::Table),
        "\
SESSION                               CLIENT             TYPE    STATUS        ERA     REQUESTS  CONNECTED  LAST ACTIVITY
01983f5e-8c00-7000-8000-0000000000aa  claude-code 2.1.0  Claude  active        modern        12  1h ago     39s ago
01983f5e-8c00-7000-8000-0000000000bb  Cursor \\x1b[31m9   Cursor  disconnected  -             12  4h ago     2h ago
"
    );
    assert_eq!(
        rendered(&answer, Format::Table).notes,
        ["2 of 60 sessions; --offset 2 shows the next ones."]
    );
}

#[test]
fn a_list_fits_a_terminal_of_eighty_columns_with_whole_ids() {
    let page = page();
    let mut narrow = view(Format::Table);
    narrow.width = Some(80);
    let rendered = render(&list::answer(&page, &SessionFilter::default()), &narrow).expect("table");
    assert_eq!(
        String::from_utf8(rendered.out).expect("UTF-8"),
        "\
SESSION                               CLIENT         STATUS        LAST ACTIVITY
01983f5e-8c00-7000-8000-0000000000aa  claude-code …  active        39s ago
01983f5e-8c00-7000-8000-0000000000bb  Cursor \\x1b[…  disconnected  2h ago
"
    );
    assert!(
        rendered
            .notes
            .iter()
            .any(|note| note.contains("client_type, era")),
        "{:?}",
        rendered.notes
    );
}

#[test]
fn a_wide_list_says_more_and_times_can_be_absolute() {
    let page = page();
    let mut wide = view(Format::Wide);
    wide.time = TimeStyle::Iso;
    let out = render(&list::answer(&page, &SessionFilter::default()), &wide)
        .expect("table")
        .out;
    let table = String::from_utf8(out).expect("UTF-8");
    let header: Vec<&str> = table
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert!(
        header.ends_with(&["DERIVATION", "SERVER", "USER", "FAILED", "IN", "OUT"]),
        "{table}"
    );
    assert!(
        table.contains("2026-07-28T10:30:00Z") && table.contains("4.0 KiB"),
        "{table}"
    );
}

#[test]
fn json_has_every_field_under_its_contract_name() {
    let page = page();
    let answer = list::answer(&page, &SessionFilter::default());
    let document = json(&answer);
    assert_eq!(document["schema_version"], 1);
    let meta =
        serde_json::json!({"period": null, "total": 60, "returned": 2, "limit": 50, "offset": 0});
    assert_eq!(document["meta"], meta);
    let first = &document["data"][0];
    assert_eq!(first.as_object().map(serde_json::Map::len), Some(27));
    assert_eq!(first["last_activity"], "2026-07-28T11:59:20.500000Z");
    assert_eq!(
        first["client_capabilities"],
        serde_json::json!({"roots": {}})
    );
    assert!(first["disconnect_reason"].is_null());
    let printed = text(&answer, Format::Json);
    let order = [
        "schema_version",
        "session_id",
        "client_type",
        "connected_at",
        "meta",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|name| printed.find(&format!("\"{name}\"")))
        .collect();
    assert!(places.is_sorted() && places[0].is_some(), "{printed}");
}

#[test]
fn the_other_formats_say_the_same() {
    let page = page();
    let answer = list::answer(&page, &SessionFilter::default());
    let document = json(&answer);
    let lines = text(&answer, Format::Jsonl);
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(serde_json::Value::Array(lines), document["data"]);
    let yaml: serde_json::Value =
        serde_yaml_ng::from_str(&text(&answer, Format::Yaml)).expect("YAML");
    assert_eq!(yaml, document);
    let csv = text(&answer, Format::Csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let second = reader
        .records()
        .nth(1)
        .expect("a record")
        .expect("a record");
    let field = |name: &str| {
        names
            .iter()
            .position(|n| n == name)
            .and_then(|n| second.get(n))
    };
    assert_eq!(field("total_duration"), Some("3780"));
    assert_eq!(
        field("disconnected_at"),
        Some("2026-07-28T09:03:00.000000Z")
    );
    assert_eq!(field("client_version"), Some("\u{1b}[31m9"));
    assert_eq!(field("era"), Some(""));
    assert!(
        rendered(&answer, Format::Json).notes.is_empty(),
        "remarks are for people"
    );
}

#[test]
fn an_empty_list_says_what_to_do() {
    let none = SessionPage {
        sessions: Vec::new(),
        total: 0,
    };
    let narrowed = SessionFilter {
        with_calls: true,
        ..SessionFilter::default()
    };
    for (filter, said) in [
        (SessionFilter::default(), "serve --upstream"),
        (narrowed, "without filters"),
    ] {
        let rendered = rendered(&list::answer(&none, &filter), Format::Table);
        assert!(rendered.out.is_empty());
        assert!(rendered.notes[0].contains(said), "{:?}", rendered.notes);
        assert_eq!(
            json(&list::answer(&none, &filter))["data"],
            serde_json::json!([])
        );
    }
}

#[test]
fn a_page_behind_the_last_row_says_so() {
    let page = SessionPage {
        sessions: Vec::new(),
        total: 3,
    };
    let filter = SessionFilter {
        page: Page {
            limit: 50,
            offset: 100,
        },
        ..SessionFilter::default()
    };
    let rendered = rendered(&list::answer(&page, &filter), Format::Table);
    assert_eq!(rendered.notes, ["All 3 sessions come before --offset 100."]);
}

#[test]
fn who_left_and_why_ends_with_the_statistics() {
    let left = left();
    let answer = disconnected::answer(&left, Page::default());
    assert_eq!(
        text(&answer, Format::Table),
        "\
SESSION                               CLIENT            TYPE    REQUESTS  CONNECTED  ENDED   DURATION  REASON
01983f5e-8c00-7000-8000-0000000000bb  Cursor \\x1b[31m9  Cursor        12  4h ago     2h ago  1h 3m     timeout

4 sessions ended in 7 days: timeout 2, client_disconnect 1, error:ServerCrash 1; 1h 3m on average, 5s to 1d 1h
"
    );
    let meta = &json(&answer)["meta"];
    assert_eq!(meta["total"], 4);
    assert_eq!(meta["period"]["days"], 7);
    assert_eq!(meta["statistics"]["disconnect_reasons"]["timeout"], 2);
    assert_eq!(meta["statistics"]["avg_duration_seconds"], 3_779.6);
}

#[test]
fn nobody_left_is_no_table_and_a_remark() {
    let nobody = DisconnectedSessions {
        sessions: Vec::new(),
        statistics: DisconnectStatistics::default(),
        period: Period::last_days(1, now()),
    };
    let answer = disconnected::answer(&nobody, Page::default());
    let rendered = rendered(&answer, Format::Table);
    assert!(rendered.out.is_empty());
    assert!(
        rendered.notes[0].starts_with("No session ended in 1 day;"),
        "{:?}",
        rendered.notes
    );
    assert_eq!(json(&answer)["data"], serde_json::json!([]));
}
