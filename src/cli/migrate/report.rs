//! What a run did, as an answer: shared by up, adopt, repair and down.

use crate::cli::error::ExitStatus;
use crate::cli::render::{Answer, Column, Field, Fit, Grid, Single, Tone};
use crate::store::{Finding, MigrationReport, Problem};

/// A line of the answer.
pub(super) struct Line {
    version: i32,
    name: String,
    action: &'static str,
    milliseconds: Option<i64>,
}

const LINES: &[Column<Line>] = &[
    Column {
        name: "version",
        header: "VERSION",
        fit: Fit::Keep,
        value: |line| Field::Int(line.version.into()),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Shrink(16),
        value: |line| Field::text(Some(&line.name)),
    },
    Column {
        name: "action",
        header: "ACTION",
        fit: Fit::Keep,
        value: |line| Field::Word(line.action.to_owned(), Tone::Good),
    },
    Column {
        name: "duration_ms",
        header: "DURATION",
        fit: Fit::Keep,
        value: |line| Field::maybe(line.milliseconds, Field::Millis),
    },
];

fn lines(report: &MigrationReport) -> Vec<Line> {
    let milliseconds =
        |d: std::time::Duration| Some(i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    let line = |version, name: &str, action, milliseconds| Line {
        version,
        name: name.to_owned(),
        action,
        milliseconds,
    };
    let applied = report.applied.iter();
    let mut lines: Vec<_> = applied
        .map(|m| line(m.version, &m.name, "applied", milliseconds(m.duration)))
        .collect();
    let repaired = report.repaired.iter();
    lines.extend(repaired.map(|m| line(m.version, &m.name, "repaired", milliseconds(m.duration))));
    let adopted = report.adopted.iter().filter_map(|name| {
        let (version, rest) = name.strip_prefix('V')?.split_once("__")?;
        Some(line(version.parse().ok()?, rest, "adopted", None))
    });
    lines.extend(adopted);
    lines.sort_by_key(|line| line.version);
    let undone = report.undone.iter();
    lines.extend(undone.map(|m| line(m.version, &m.name, "undone", milliseconds(m.duration))));
    lines
}

/// The answer; `nothing` is said where nothing was done.
pub(super) fn answer<'r>(
    report: &'r MigrationReport,
    nothing: &str,
) -> Answer<Single<'r, MigrationReport>, serde_json::Value> {
    let mut notes = Vec::new();
    if let Some(copy) = &report.copy {
        notes.push(format!(
            "before it was changed, the database was copied to {}",
            copy.display()
        ));
    }
    let removed = report.removed_copies.iter();
    notes.extend(removed.map(|copy| format!("removed an older copy: {}", copy.display())));
    if !report.adopted.is_empty() {
        notes.push(format!(
            "recorded without running, because it was all there: {}",
            report.adopted.join(", ")
        ));
    }
    for repaired in &report.repaired {
        if !repaired.findings.is_empty() {
            let told = tell(&repaired.findings);
            notes.push(format!(
                "V{:03}__{} was there in part; made right: {told}",
                repaired.version, repaired.name
            ));
        }
    }
    notes.extend(report.remarks.iter().cloned());
    for left in &report.left {
        notes.push(format!(
            "{} is not as it should be: {}",
            left.migration,
            sentence(&left.finding)
        ));
    }
    if report.rehearsed && !report.is_empty() {
        notes.push("this was a rehearsal: everything is undone".to_owned());
    }
    if report.is_empty() && report.left.is_empty() {
        notes.push(nothing.to_owned());
    }
    Answer {
        data: Single(report),
        meta: serde_json::json!({
            "applied": report.applied.len(), "adopted": report.adopted.len(), "repaired": report.repaired.len(),
            "undone": report.undone.len(), "left": report.left.len(), "rehearsed": report.rehearsed,
        }),
        facts: Vec::new(),
        grid: Grid::new(
            LINES,
            &["version", "name", "action", "duration_ms"],
            &[],
            &lines(report),
        )
        .with_id("version"),
        footer: Vec::new(),
        notes,
    }
}

/// How the command ends.
pub(super) fn status(report: &MigrationReport) -> ExitStatus {
    if report.left.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Drift
    }
}

/// Findings by name, the first ones.
fn tell(findings: &[Finding]) -> String {
    let mut told: Vec<_> = findings.iter().take(6).map(short).collect();
    if findings.len() > told.len() {
        told.push(format!("{} more", findings.len() - told.len()));
    }
    told.join(", ")
}

/// What is wrong with a thing, in a few words.
pub(super) fn short(finding: &Finding) -> String {
    format!("{} ({})", finding.object, word(finding.problem))
}

/// The word for what is wrong.
pub(super) const fn word(problem: Problem) -> &'static str {
    match problem {
        Problem::Missing => "missing",
        Problem::Different => "different",
        Problem::Unwanted => "unwanted",
        Problem::Invalid => "invalid",
    }
}

/// What is wrong with a thing, and how it should be.
pub(super) fn sentence(finding: &Finding) -> String {
    let object = &finding.object;
    match (&finding.expected, &finding.found) {
        (Some(expected), Some(found)) => format!("{object} is '{found}', expected is '{expected}'"),
        (Some(_), None) => format!("{object} is missing"),
        (None, _) => format!("{object} is still there"),
    }
}
