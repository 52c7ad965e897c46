//! How sessions are right now, and what may be asked of prices.

use std::time::Duration;

use super::mean;
use super::percent;
use super::types::{
    AgeDistribution, ConnectionHealth, RecentSession, SessionsHealth, StatusBreakdown,
};
use crate::model::{SessionStatus, Timestamp};
use crate::store::{Page, PriceRow, SessionFilter, SessionRow, Store, StoreError};

/// An open session is healthy with activity less than so long ago.
const HEALTHY: Duration = Duration::from_mins(5);
/// And stale without any for longer than this.
const STALE: Duration = Duration::from_mins(10);
/// Sessions that are listed.
const LISTED: u32 = 10;
const HOURS: u32 = 24;

/// How sessions are: all by status, the open ones by age, those of the last day, and the latest.
///
/// # Errors
/// When the store does not answer.
pub async fn sessions_health(store: &Store, now: Timestamp) -> Result<SessionsHealth, StoreError> {
    let open = store
        .open_ages(now.minus(HEALTHY), now.minus(STALE))
        .await?;
    let disconnected = store.count_ended().await?;
    let since = now.minus(Duration::from_hours(u64::from(HOURS)));
    let day = store.connected_since(since).await?;
    let filter = SessionFilter {
        page: Page {
            limit: LISTED,
            offset: 0,
        },
        ..SessionFilter::default()
    };
    let latest = store.list_sessions(&filter).await?;
    let all_open = open.active + open.idle;
    Ok(SessionsHealth {
        status_breakdown: StatusBreakdown {
            active: open.active,
            idle: open.idle,
            disconnected,
            total: all_open + disconnected,
        },
        age_distribution: AgeDistribution {
            healthy: open.healthy,
            aging: all_open - open.healthy - open.stale,
            stale: open.stale,
        },
        connection_health: ConnectionHealth {
            avg_duration_seconds: mean(day.duration_sum, day.timed_sessions),
            sessions_per_hour: mean(day.sessions, i64::from(HOURS)).unwrap_or_default(),
            disconnect_rate_percent: percent(day.ended, day.sessions),
            total_sessions_24h: day.sessions,
        },
        recent_activity: latest
            .iter()
            .map(|session| RecentSession::of(session, now))
            .collect(),
        timestamp: now,
    })
}

/// How many sessions are active.
///
/// # Errors
/// When the store does not answer.
pub async fn active_sessions(store: &Store, now: Timestamp) -> Result<i64, StoreError> {
    let open = store
        .open_ages(now.minus(HEALTHY), now.minus(STALE))
        .await?;
    Ok(open.active)
}

impl RecentSession {
    fn of(session: &SessionRow, now: Timestamp) -> Self {
        let minutes = |from: Timestamp, to: Timestamp| to.since(from).as_secs_f64() / 60.0;
        let end = match session.status {
            SessionStatus::Disconnected => session.disconnected_at.unwrap_or(session.last_activity),
            _ => now,
        };
        Self {
            session_id: session.session_id,
            client_type: session.client_type.clone(),
            status: session.status,
            age_minutes: tenths(minutes(session.last_activity, now)),
            uptime_minutes: tenths(minutes(session.connected_at, end)),
        }
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Prices of models whose names contain `model`, by providers whose names contain `provider`, with no regard to case.
///
/// # Errors
/// When the store does not answer.
pub async fn prices(
    store: &Store,
    provider: Option<&str>,
    model: Option<&str>,
) -> Result<Vec<PriceRow>, StoreError> {
    let contains = |text: &str, part: Option<&str>| {
        part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
    };
    let mut prices = store.prices().await?;
    prices
        .retain(|price| contains(&price.model_name, model) && contains(&price.provider, provider));
    Ok(prices)
}
