//! The columns of sessions, shared by every list of them.

use crate::cli::render::{Column, Field, Fit, Tone};
use crate::model::SessionStatus;
use crate::reports::SessionRow;

/// Every column; CSV has them all, in this order.
pub(super) const SESSIONS: &[Column<SessionRow>] = &[
    Column {
        name: "session_id",
        header: "SESSION",
        fit: Fit::Keep,
        value: |s| Field::Text(s.session_id.to_string()),
    },
    Column {
        name: "client",
        header: "CLIENT",
        fit: Fit::Shrink(12),
        value: client,
    },
    Column {
        name: "client_type",
        header: "TYPE",
        fit: Fit::Drop(8),
        value: |s| Field::text(Some(&s.client_type)),
    },
    Column {
        name: "status",
        header: "STATUS",
        fit: Fit::Keep,
        value: |s| status(s.status),
    },
    Column {
        name: "era",
        header: "ERA",
        fit: Fit::Drop(9),
        value: |s| Field::text(s.era.as_deref()),
    },
    Column {
        name: "total_requests",
        header: "REQUESTS",
        fit: Fit::Drop(6),
        value: |s| Field::Int(s.total_requests),
    },
    Column {
        name: "connected_at",
        header: "CONNECTED",
        fit: Fit::Drop(7),
        value: |s| Field::Time(s.connected_at),
    },
    Column {
        name: "last_activity",
        header: "LAST ACTIVITY",
        fit: Fit::Keep,
        value: |s| Field::Time(s.last_activity),
    },
    Column {
        name: "disconnected_at",
        header: "ENDED",
        fit: Fit::Drop(5),
        value: |s| Field::maybe(s.disconnected_at, Field::Time),
    },
    Column {
        name: "total_duration",
        header: "DURATION",
        fit: Fit::Keep,
        value: |s| Field::maybe(s.total_duration, Field::Seconds),
    },
    Column {
        name: "disconnect_reason",
        header: "REASON",
        fit: Fit::Keep,
        value: |s| Field::maybe(s.disconnect_reason.as_deref(), reason),
    },
    Column {
        name: "derivation",
        header: "DERIVATION",
        fit: Fit::Keep,
        value: |s| Field::text(s.derivation.as_deref()),
    },
    Column {
        name: "server",
        header: "SERVER",
        fit: Fit::Keep,
        value: |s| Field::text(s.server.as_deref()),
    },
    Column {
        name: "user",
        header: "USER",
        fit: Fit::Shrink(12),
        value: user,
    },
    Column {
        name: "failed_requests",
        header: "FAILED",
        fit: Fit::Keep,
        value: |s| Field::Int(s.failed_requests),
    },
    Column {
        name: "notifications",
        header: "NOTIFICATIONS",
        fit: Fit::Keep,
        value: |s| Field::Int(s.notifications),
    },
    Column {
        name: "bytes_in",
        header: "IN",
        fit: Fit::Keep,
        value: |s| Field::Bytes(s.bytes_in),
    },
    Column {
        name: "bytes_out",
        header: "OUT",
        fit: Fit::Keep,
        value: |s| Field::Bytes(s.bytes_out),
    },
    Column {
        name: "client_name",
        header: "CLIENT NAME",
        fit: Fit::Shrink(12),
        value: |s| Field::text(s.client_name.as_deref()),
    },
    Column {
        name: "client_version",
        header: "CLIENT VERSION",
        fit: Fit::Shrink(12),
        value: |s| Field::text(s.client_version.as_deref()),
    },
    Column {
        name: "protocol_version",
        header: "PROTOCOL",
        fit: Fit::Shrink(10),
        value: |s| Field::text(s.protocol_version.as_deref()),
    },
    Column {
        name: "user_agent",
        header: "USER AGENT",
        fit: Fit::Shrink(12),
        value: |s| Field::text(s.user_agent.as_deref()),
    },
    Column {
        name: "user_id",
        header: "USER ID",
        fit: Fit::Keep,
        value: |s| Field::maybe(s.user_id, |id| Field::Text(id.to_string())),
    },
    Column {
        name: "user_email",
        header: "USER EMAIL",
        fit: Fit::Keep,
        value: |s| Field::text(s.user_email.as_deref()),
    },
    Column {
        name: "user_name",
        header: "USER NAME",
        fit: Fit::Shrink(12),
        value: |s| Field::text(s.user_name.as_deref()),
    },
    Column {
        name: "detected_at",
        header: "DETECTED",
        fit: Fit::Keep,
        value: |s| Field::maybe(s.detected_at, Field::Time),
    },
    Column {
        name: "resumed_from",
        header: "RESUMED FROM",
        fit: Fit::Keep,
        value: |s| Field::maybe(s.resumed_from, |id| Field::Text(id.to_string())),
    },
];

/// What the client calls itself, with its version; its type where it has no name.
pub(super) fn client(session: &SessionRow) -> Field {
    let name = session
        .client_name
        .as_deref()
        .unwrap_or(&session.client_type);
    Field::Text(match session.client_version.as_deref() {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// The user's address, else name, else id.
pub(super) fn user(session: &SessionRow) -> Field {
    let said = session
        .user_email
        .as_deref()
        .or(session.user_name.as_deref());
    match (said, session.user_id) {
        (Some(said), _) => Field::Text(said.to_owned()),
        (None, id) => Field::maybe(id, |id| Field::Text(id.to_string())),
    }
}

pub(super) fn status(status: SessionStatus) -> Field {
    let tone = match status {
        SessionStatus::Active => Tone::Good,
        SessionStatus::Idle => Tone::Warn,
        SessionStatus::Disconnected => Tone::Faint,
    };
    Field::Word(status.as_str().to_owned(), tone)
}

/// Reasons may have been written by others: an unknown one is shown as it stands.
pub(super) fn reason(reason: &str) -> Field {
    if reason.starts_with("error") {
        Field::Word(reason.to_owned(), Tone::Bad)
    } else {
        Field::Text(reason.to_owned())
    }
}
