//! What a batch makes of sessions, in statements of many rows. Decides nothing: [`super::batch`] did.

use super::batch::Batch;
use super::limits::Limits;
use super::tracked::{End, Tracked};
use crate::model::{Cost, SessionId};
use crate::store::connection::WriteTx;
use crate::store::dialect::{Cell, Kind, ManyRows};
use crate::store::error::StoreError;

/// New sessions; and the identity of those that had a stand-in, whose own counts are added to.
static INSERT_SESSIONS: ManyRows<35> = ManyRows::new(
    "INSERT INTO archon_mcp_sessions (session_id, instance_id, client_type, client_name, client_version, \
     client_capabilities, era, derivation, server, session_key, principal, protocol_version, user_agent, user_id, \
     user_email, user_name, connected_at, last_activity, status, disconnected_at, detected_at, disconnect_reason, \
     total_duration, resumed_from, survives_instance, total_requests, failed_requests, notifications, bytes_in, \
     bytes_out, total_prompt_tokens, total_completion_tokens, total_cost, first_success_at, last_success_at) {rows} \
     ON CONFLICT (session_id) DO UPDATE SET instance_id = excluded.instance_id, client_type = excluded.client_type, \
     client_name = excluded.client_name, client_version = excluded.client_version, \
     client_capabilities = excluded.client_capabilities, era = excluded.era, derivation = excluded.derivation, \
     server = excluded.server, session_key = excluded.session_key, principal = excluded.principal, \
     protocol_version = excluded.protocol_version, user_agent = excluded.user_agent, user_id = excluded.user_id, \
     user_email = excluded.user_email, user_name = excluded.user_name, connected_at = excluded.connected_at, \
     last_activity = excluded.last_activity, status = excluded.status, \
     disconnected_at = coalesce(excluded.disconnected_at, archon_mcp_sessions.disconnected_at), \
     detected_at = coalesce(excluded.detected_at, archon_mcp_sessions.detected_at), \
     disconnect_reason = coalesce(excluded.disconnect_reason, archon_mcp_sessions.disconnect_reason), \
     total_duration = coalesce(excluded.total_duration, archon_mcp_sessions.total_duration), \
     resumed_from = excluded.resumed_from, survives_instance = excluded.survives_instance, \
     total_requests = archon_mcp_sessions.total_requests + excluded.total_requests, \
     failed_requests = archon_mcp_sessions.failed_requests + excluded.failed_requests, \
     notifications = archon_mcp_sessions.notifications + excluded.notifications, \
     bytes_in = archon_mcp_sessions.bytes_in + excluded.bytes_in, \
     bytes_out = archon_mcp_sessions.bytes_out + excluded.bytes_out, \
     total_prompt_tokens = archon_mcp_sessions.total_prompt_tokens + excluded.total_prompt_tokens, \
     total_completion_tokens = archon_mcp_sessions.total_completion_tokens + excluded.total_completion_tokens, \
     total_cost = archon_mcp_sessions.total_cost + excluded.total_cost, \
     first_success_at = CASE WHEN excluded.first_success_at < archon_mcp_sessions.first_success_at \
        THEN excluded.first_success_at ELSE coalesce(archon_mcp_sessions.first_success_at, excluded.first_success_at) END, \
     last_success_at = CASE WHEN excluded.last_success_at > archon_mcp_sessions.last_success_at \
        THEN excluded.last_success_at ELSE coalesce(archon_mcp_sessions.last_success_at, excluded.last_success_at) END \
     WHERE archon_mcp_sessions.derivation IS NULL",
    [
        Kind::Id,
        Kind::Id,
        Kind::Limited(50),
        Kind::Text,
        Kind::Text,
        Kind::Json,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Id,
        Kind::Limited(255),
        Kind::Text,
        Kind::Instant,
        Kind::Instant,
        Kind::Text,
        Kind::Instant,
        Kind::Instant,
        Kind::Limited(100),
        Kind::Small,
        Kind::Id,
        Kind::Flag,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Money,
        Kind::Instant,
        Kind::Instant,
    ],
);

/// Sessions that go on. Apart from the ended ones because the columns of an end are indexed: naming them here would write
/// those index entries anew for every batch.
static UPDATE_LIVE: ManyRows<13> = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET last_activity = d.column2, status = d.column3, \
     total_requests = s.total_requests + d.column4, failed_requests = s.failed_requests + d.column5, \
     notifications = s.notifications + d.column6, bytes_in = s.bytes_in + d.column7, \
     bytes_out = s.bytes_out + d.column8, total_prompt_tokens = s.total_prompt_tokens + d.column9, \
     total_completion_tokens = s.total_completion_tokens + d.column10, total_cost = s.total_cost + d.column11, \
     first_success_at = CASE WHEN d.column12 < s.first_success_at THEN d.column12 \
        ELSE coalesce(s.first_success_at, d.column12) END, \
     last_success_at = CASE WHEN d.column13 > s.last_success_at THEN d.column13 \
        ELSE coalesce(s.last_success_at, d.column13) END \
     FROM ({rows}) AS d WHERE s.session_id = d.column1",
    [
        Kind::Id,
        Kind::Instant,
        Kind::Text,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Money,
        Kind::Instant,
        Kind::Instant,
    ],
);

/// The ends of sessions.
static UPDATE_ENDED: ManyRows<5> = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET disconnected_at = d.column2, disconnect_reason = d.column3, \
     detected_at = d.column4, total_duration = d.column5 FROM ({rows}) AS d \
     WHERE s.session_id = d.column1",
    [
        Kind::Id,
        Kind::Instant,
        Kind::Limited(100),
        Kind::Instant,
        Kind::Small,
    ],
);

/// What a session was told under other ids. What it knows itself stays.
static UPDATE_JOINED: ManyRows<9> = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET connected_at = d.column2, \
     total_duration = coalesce(d.column3, s.total_duration), \
     client_type = CASE WHEN s.client_name IS NULL AND d.column5 IS NOT NULL THEN d.column4 ELSE s.client_type END, \
     client_name = coalesce(s.client_name, d.column5), client_version = coalesce(s.client_version, d.column6), \
     client_capabilities = coalesce(s.client_capabilities, d.column7), \
     protocol_version = coalesce(s.protocol_version, d.column8), user_agent = coalesce(s.user_agent, d.column9) \
     FROM ({rows}) AS d WHERE s.session_id = d.column1",
    [
        Kind::Id,
        Kind::Instant,
        Kind::Small,
        Kind::Limited(50),
        Kind::Text,
        Kind::Text,
        Kind::Json,
        Kind::Text,
        Kind::Text,
    ],
);

static INSERT_ALIASES: ManyRows<2> = ManyRows::new(
    "INSERT INTO archon_session_aliases (alias, session_id) {rows} ON CONFLICT (alias) DO NOTHING",
    [Kind::Id, Kind::Id],
);

/// Writes which ids are other names of sessions, and what those sessions were told under them.
pub(super) async fn joined(
    tx: &mut WriteTx,
    batch: &Batch<'_>,
    limits: Limits,
) -> Result<(), StoreError> {
    let rows: Vec<[Cell<'_>; 9]> = batch
        .joined()
        .map(|(session, joined)| {
            let client = &joined.client;
            [
                Cell::Id(Some(session.id.0)),
                Cell::Instant(Some(session.connected_at)),
                Cell::Count(session.total_duration()),
                Cell::Text(Some(session.client_type())),
                Cell::Text(client.name.as_deref()),
                Cell::Text(within(client.version.as_deref(), limits.version)),
                Cell::Text(client.capabilities.as_deref()),
                Cell::Text(joined.protocol_version),
                Cell::Text(joined.user_agent),
            ]
        })
        .collect();
    let written = UPDATE_JOINED.execute(tx, &rows).await;
    written.map_err(StoreError::during("write what sessions were told"))?;
    let row = |(alias, session): &(SessionId, SessionId)| {
        [Cell::Id(Some(alias.0)), Cell::Id(Some(session.0))]
    };
    let rows: Vec<[Cell<'_>; 2]> = batch.aliases().iter().map(row).collect();
    let written = INSERT_ALIASES.execute(tx, &rows).await;
    written.map_err(StoreError::during("write other names of sessions"))?;
    Ok(())
}

/// Inserts sessions, as they are at the end of the batch, in the order of their ids: two writers that insert the same ones
/// wait for each other and not in a circle.
pub(super) async fn sessions(
    tx: &mut WriteTx,
    batch: &Batch<'_>,
    limits: Limits,
) -> Result<(), StoreError> {
    let mut new = batch.to_insert();
    new.sort_unstable_by_key(|session| session.id);
    let rows: Vec<[Cell<'_>; 35]> = new
        .iter()
        .map(|session| inserted(session, batch, limits))
        .collect();
    let written = INSERT_SESSIONS.execute(tx, &rows).await;
    written.map_err(StoreError::during("write new sessions"))?;
    Ok(())
}

fn inserted<'s>(session: &'s Tracked<'_>, batch: &Batch<'_>, limits: Limits) -> [Cell<'s>; 35] {
    let opened = session.opened;
    let end = session.end.as_ref();
    let sums = session.sums;
    let joined = session.joined.as_ref();
    [
        Cell::Id(Some(session.id.0)),
        Cell::Id(session.owner(batch.instance).map(|id| id.0)),
        Cell::Text(Some(session.client_type())),
        Cell::Text(session.client.name.as_deref()),
        Cell::Text(within(session.client.version.as_deref(), limits.version)),
        Cell::Text(session.client.capabilities.as_deref()),
        Cell::Text(opened.map(|o| o.era.as_str())),
        Cell::Text(opened.map(|o| o.derivation.as_str())),
        Cell::Text(opened.map(|o| &*o.server)),
        Cell::Text(opened.map(|o| &*o.session_key)),
        Cell::Text(opened.map(|o| &*o.principal)),
        Cell::Text(
            opened
                .and_then(|o| o.protocol_version.as_deref())
                .or(joined.and_then(|joined| joined.protocol_version)),
        ),
        Cell::Text(
            opened
                .and_then(|o| o.user_agent.as_deref())
                .or(joined.and_then(|joined| joined.user_agent)),
        ),
        Cell::Id(opened.and_then(|o| o.user.user_id)),
        Cell::Text(opened.and_then(|o| o.user.user_email.as_deref())),
        Cell::Text(within(
            opened.and_then(|o| o.user.user_name.as_deref()),
            limits.user_name,
        )),
        Cell::Instant(Some(session.connected_at)),
        Cell::Instant(Some(session.last_activity)),
        Cell::Text(Some(session.status.as_str())),
        Cell::Instant(end.map(|e| e.disconnected_at)),
        Cell::Instant(end.and_then(|e| e.detected_at)),
        Cell::Text(end.and_then(|e| e.reason.as_deref())),
        Cell::Count(end.map(|e| e.total_duration)),
        Cell::Id(session.resumed_from.map(|id| id.0)),
        Cell::Flag(opened.is_some_and(|o| o.survives_instance)),
        Cell::Count(Some(sums.requests)),
        Cell::Count(Some(sums.failed)),
        Cell::Count(Some(sums.notifications)),
        Cell::Count(Some(sums.bytes_in)),
        Cell::Count(Some(sums.bytes_out)),
        Cell::Count(Some(sums.prompt_tokens)),
        Cell::Count(Some(sums.completion_tokens)),
        Cell::Money(Cost::from_micros(sums.cost)),
        Cell::Instant(sums.first_success_at),
        Cell::Instant(sums.last_success_at),
    ]
}

/// As much of `text` as has room.
fn within(text: Option<&str>, width: Option<usize>) -> Option<&str> {
    let end = |text: &str| {
        width
            .and_then(|width| text.char_indices().nth(width))
            .map(|(end, _)| end)
    };
    text.map(|text| end(text).map_or(text, |end| &text[..end]))
}

/// Brings stored sessions to where they are at the end of the batch.
pub(super) async fn changes(tx: &mut WriteTx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let changed = batch.to_update();
    let rows: Vec<[Cell<'_>; 13]> = changed.iter().map(|session| updated(session)).collect();
    let written = UPDATE_LIVE.execute(tx, &rows).await;
    written.map_err(StoreError::during("write the state of sessions"))?;
    let ended = changed
        .iter()
        .filter_map(|session| session.end.as_ref().map(|end| (session.id, end)));
    let rows: Vec<[Cell<'_>; 5]> = ended.map(|(id, end)| over(id, end)).collect();
    let written = UPDATE_ENDED.execute(tx, &rows).await;
    written.map_err(StoreError::during("write the ends of sessions"))?;
    Ok(())
}

fn updated<'s>(session: &Tracked<'_>) -> [Cell<'s>; 13] {
    let sums = session.sums;
    [
        Cell::Id(Some(session.id.0)),
        Cell::Instant(Some(session.last_activity)),
        Cell::Text(Some(session.status.as_str())),
        Cell::Count(Some(sums.requests)),
        Cell::Count(Some(sums.failed)),
        Cell::Count(Some(sums.notifications)),
        Cell::Count(Some(sums.bytes_in)),
        Cell::Count(Some(sums.bytes_out)),
        Cell::Count(Some(sums.prompt_tokens)),
        Cell::Count(Some(sums.completion_tokens)),
        Cell::Money(Cost::from_micros(sums.cost)),
        Cell::Instant(sums.first_success_at),
        Cell::Instant(sums.last_success_at),
    ]
}

fn over(id: SessionId, end: &End) -> [Cell<'_>; 5] {
    [
        Cell::Id(Some(id.0)),
        Cell::Instant(Some(end.disconnected_at)),
        Cell::Text(end.reason.as_deref()),
        Cell::Instant(end.detected_at),
        Cell::Count(Some(end.total_duration)),
    ]
}
