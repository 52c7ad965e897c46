//! What the commands print, from values.

use std::time::Duration;

use super::status::{answer as status_answer, verdict};
use super::verify::{answer as verify_answer, differences};
use super::{explain, report};
use crate::cli::error::ExitStatus;
use crate::cli::render::{Format, render};
use crate::cli::tests::view;
use crate::store::{
    AppliedMigration, Finding, Holder, Leftover, MigrationError, MigrationReport,
    MigrationStanding, MigrationState, MigrationStatus, Presence, Problem, RepairedMigration,
};

fn state(
    version: i32,
    name: &str,
    state: MigrationStanding,
    applied_at: Option<&str>,
) -> MigrationState {
    MigrationState {
        version,
        name: name.to_owned(),
        state,
        applied_at: applied_at.map(|at| at.parse().expect("RFC 3339")),
        recorded: applied_at.is_some(),
        recorded_in_archon: Some(applied_at.is_some()),
        probed: match state {
            MigrationStanding::Applied => Presence::Present,
            MigrationStanding::Partial => Presence::Partial,
            _ => Presence::Absent,
        },
        findings: Vec::new(),
    }
}

fn status(states: Vec<MigrationState>) -> MigrationStatus {
    MigrationStatus {
        states,
        schema: Some("public".to_owned()),
        remarks: Vec::new(),
    }
}

fn states() -> Vec<MigrationState> {
    vec![
        state(
            1,
            "requests",
            MigrationStanding::Applied,
            Some("2026-07-28T10:00:00Z"),
        ),
        state(13, "disconnects", MigrationStanding::Pending, None),
    ]
}

fn finding(object: &str, problem: Problem) -> Finding {
    Finding {
        object: object.parse().expect("a name"),
        problem,
        expected: Some("integer".to_owned()),
        found: (problem == Problem::Different).then(|| "text".to_owned()),
    }
}

fn partial(version: i32, findings: Vec<Finding>) -> MigrationState {
    MigrationState {
        findings,
        ..state(
            version,
            "half",
            MigrationStanding::Partial,
            Some("2026-07-28T10:00:00Z"),
        )
    }
}

#[test]
fn a_status_lists_every_migration_and_says_what_to_do() {
    let status = status(states());
    let rendered = render(&status_answer(&status), &view(Format::Table)).expect("a table");
    assert_eq!(
        String::from_utf8(rendered.out).expect("UTF-8"),
        "VERSION  NAME         STATE    RECORDED  IN ARCHON  PROBED   APPLIED\n      \
         1  requests     applied  yes       yes        present  2h ago\n     \
         13  disconnects  pending  no        no         absent   -\n"
    );
    assert_eq!(
        rendered.notes,
        ["1 pending; `archonctl migrate up` applies them"]
    );
    assert_eq!(verdict(&status.states), ExitStatus::Pending);
    assert_eq!(verdict(&status.states[..1]), ExitStatus::Done);
}

#[test]
fn drift_weighs_more_than_pending() {
    for drift in [
        MigrationStanding::Changed,
        MigrationStanding::Unknown,
        MigrationStanding::Partial,
        MigrationStanding::Lost,
        MigrationStanding::Unrecorded,
    ] {
        let mut states = states();
        states[0].state = drift;
        assert_eq!(verdict(&states), ExitStatus::Drift);
    }
}

#[test]
fn a_wide_status_names_what_is_missing() {
    let status = status(vec![partial(
        13,
        vec![finding("column t.c", Problem::Missing)],
    )]);
    let wide = render(&status_answer(&status), &view(Format::Wide))
        .expect("a table")
        .out;
    let wide = String::from_utf8(wide).expect("UTF-8");
    assert!(wide.contains("column t.c (missing)"), "{wide}");
    let json = render(&status_answer(&status), &view(Format::Json))
        .expect("JSON")
        .out;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["data"][0]["findings"][0]["object"], "column t.c");
    assert_eq!(json["data"][0]["probed"], "partial");
    assert_eq!(json["meta"]["partial"], 1);
}

#[test]
fn a_difference_is_told_once_with_the_last_migration_that_wants_it() {
    let both = finding("function f()", Problem::Different);
    let status = status(vec![
        partial(
            13,
            vec![both.clone(), finding("column t.c", Problem::Missing)],
        ),
        partial(100, vec![both]),
        state(
            101,
            "lost",
            MigrationStanding::Lost,
            Some("2026-07-28T10:00:00Z"),
        ),
        state(102, "later", MigrationStanding::Pending, None),
    ]);
    let found = differences(&status.states);
    let rendered = render(&verify_answer(&status, &found), &view(Format::Table)).expect("a table");
    assert_eq!(
        String::from_utf8(rendered.out).expect("UTF-8"),
        "MIGRATION   OBJECT        PROBLEM\n\
         V013__half  column t.c    missing\n\
         V100__half  function f()  different\n\
         V101__lost  -             recorded, not there\n"
    );
    let json = render(&verify_answer(&status, &found), &view(Format::Json))
        .expect("JSON")
        .out;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["data"][1]["found"], "text");
    assert_eq!(json["meta"]["pending"], 1);
}

#[test]
fn a_run_says_what_it_did() {
    let report = MigrationReport {
        applied: vec![AppliedMigration {
            version: 14,
            name: "users".to_owned(),
            duration: Duration::from_micros(3_500),
        }],
        adopted: vec!["V001__requests".to_owned()],
        repaired: vec![RepairedMigration {
            version: 13,
            name: "ends".to_owned(),
            duration: Duration::from_millis(2),
            findings: vec![finding("column t.c", Problem::Missing)],
        }],
        ..MigrationReport::default()
    };
    let answer = report::answer(&report, "nothing");
    let json = render(&answer, &view(Format::Json)).expect("JSON").out;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["data"]["applied"][0]["duration_ms"], 3.5);
    let rendered = render(&answer, &view(Format::Table)).expect("a table");
    assert_eq!(
        String::from_utf8(rendered.out).expect("UTF-8"),
        "VERSION  NAME      ACTION    DURATION\n      1  requests  adopted          -\n     \
         13  ends      repaired      2 ms\n     14  users     applied       3 ms\n"
    );
    assert_eq!(
        rendered.notes,
        [
            "recorded without running, because it was all there: V001__requests",
            "V013__ends was there in part; made right: column t.c (missing)",
        ]
    );
    let nothing = MigrationReport::default();
    let rendered = render(
        &report::answer(&nothing, "The store is up to date."),
        &view(Format::Table),
    );
    let rendered = rendered.expect("nothing");
    assert!(rendered.out.is_empty());
    assert_eq!(rendered.notes, ["The store is up to date."]);
}

#[test]
fn what_a_run_could_not_make_right_is_drift_by_name() {
    let report = MigrationReport {
        left: vec![Leftover {
            migration: "V100__x".to_owned(),
            finding: finding("column t.c", Problem::Different),
        }],
        ..MigrationReport::default()
    };
    assert_eq!(report::status(&report), ExitStatus::Drift);
    let notes = report::answer(&report, "nothing").notes;
    assert_eq!(
        notes,
        ["V100__x is not as it should be: column t.c is 'text', expected is 'integer'"]
    );
}

#[test]
fn errors_say_who_is_in_the_way_and_what_next() {
    let holder = Holder {
        pid: 42,
        user: Some("ci".to_owned()),
        application_name: Some("archonctl".to_owned()),
        client_address: Some("192.0.2.7".to_owned()),
        since: Some("2026-07-28T10:00:00Z".parse().expect("RFC 3339")),
        state: Some("idle".to_owned()),
        object: None,
    };
    let locked = MigrationError::Locked {
        holders: vec![holder],
    };
    let told = explain(&locked).expect("an error of its own");
    assert_eq!(told.status(), ExitStatus::Busy);
    let (message, hint) = told.told();
    assert_eq!(
        message,
        "another run of migrations is under way: process 42 'archonctl' of ci from 192.0.2.7 since \
         2026-07-28T10:00:00.000000Z (idle)"
    );
    assert!(hint.is_some_and(|hint| hint.contains("--wait")));
    for (error, status) in [
        (
            MigrationError::Pooler {
                pooler: "a pooler".to_owned(),
            },
            ExitStatus::Connection,
        ),
        (
            MigrationError::NoSuchMigration {
                version: 2,
                known: vec![1, 13],
            },
            ExitStatus::Usage,
        ),
        (
            MigrationError::Interrupted { done: Vec::new() },
            ExitStatus::Interrupted,
        ),
        (MigrationError::ReadOnly, ExitStatus::Failure),
    ] {
        assert_eq!(
            explain(&error).expect("an error of its own").status(),
            status,
            "{error}"
        );
    }
}
