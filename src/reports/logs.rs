//! Operations of all sessions, newest first: logs and errors.
//!
//! How many match is told by sums, also those of a search; rows are read only where they say that some are.

use std::collections::BTreeMap;

use super::digest::{Digest, Status, Stretch, Wanted, fingerprint};
use super::percent;
use super::types::{ErrorEntry, ErrorPage, ErrorSummary, LogEntry, LogPage, Pagination};
use crate::model::{OperationStatus, SessionId, Timestamp};
use crate::store::{
    OperationFilter, OperationRow, Page, Store, StoreError, Stretch as StoreStretch, UNITS,
    UnitSums,
};

const HOUR: i64 = UNITS.0;
const DAY: i64 = UNITS.1;

/// Which operations a log asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only this level.
    pub level: Option<LogLevel>,
    /// Only those whose tool name or error message contains this, with no regard to the case of ASCII letters.
    pub search: Option<String>,
    /// Only this session's.
    pub session_id: Option<SessionId>,
}

/// How grave an operation's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Success.
    Info,
    /// Timeout.
    Warning,
    /// Error.
    Error,
}

impl LogLevel {
    const fn status(self) -> OperationStatus {
        match self {
            Self::Info => OperationStatus::Success,
            Self::Warning => OperationStatus::Timeout,
            Self::Error => OperationStatus::Error,
        }
    }

    /// The level of a status.
    #[must_use]
    pub fn word_of(status: &str) -> &'static str {
        match Status::of(status) {
            Status::Success => "info",
            Status::Timeout => "warning",
            Status::Error => "error",
        }
    }
}

/// Operations that match `filter`, newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn logs(
    store: &Store,
    digest: &Digest,
    filter: &LogFilter,
    page: Page,
    now: Timestamp,
) -> Result<LogPage, StoreError> {
    let wanted = OperationFilter {
        statuses: filter.level.map(LogLevel::status).into_iter().collect(),
        session: filter.session_id,
        search: filter.search.clone().filter(|text| !text.is_empty()),
        ..OperationFilter::default()
    };
    let (operations, total) = if wanted.session.is_some() {
        let total = store.count_operations(&wanted).await?;
        let rows = store.operations(&wanted, page).await?;
        let rows = rows.into_iter().map(|row| row.operation).collect();
        (rows, total.iter().map(|count| count.operations).sum())
    } else {
        let buckets = match &wanted.search {
            None => without_search(store, &wanted, now).await?,
            Some(search) => with_search(store, digest, &wanted, search, now).await?,
        };
        let rows = read(store, &wanted, page, &buckets).await?;
        (rows, buckets.iter().map(|bucket| bucket.operations).sum())
    };
    let shown = page.offset.saturating_add(operations.len() as u64);
    Ok(LogPage {
        logs: operations
            .into_iter()
            .map(|request| LogEntry {
                level: LogLevel::word_of(&request.status),
                request,
            })
            .collect(),
        pagination: Pagination {
            total,
            limit: page.limit,
            offset: page.offset,
            has_more: u64::try_from(total).is_ok_and(|total| shown < total),
        },
    })
}

/// A stretch of time and how many operations in it match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    from: i64,
    before: i64,
    operations: i64,
}

/// How many operations there are, by day and hour, the newest first.
async fn without_search(
    store: &Store,
    wanted: &OperationFilter,
    now: Timestamp,
) -> Result<Vec<Bucket>, StoreError> {
    let sums = store.sums_over_time(StoreStretch::AllTime { now }).await?;
    let buckets = units(&sums, now).into_iter().map(|(stretch, unit)| Bucket {
        from: stretch.from,
        before: stretch.before,
        operations: unit
            .iter()
            .filter(|sum| has(&wanted.statuses, Status::of(&sum.status)))
            .map(|sum| sum.requests)
            .sum(),
    });
    Ok(newest_first(buckets.collect()))
}

/// How many operations match a search, by hour, the newest first.
async fn with_search(
    store: &Store,
    digest: &Digest,
    wanted: &OperationFilter,
    search: &str,
    now: Timestamp,
) -> Result<Vec<Bucket>, StoreError> {
    let sums = store.sums_over_time(StoreStretch::AllTime { now }).await?;
    let stretches: Vec<Wanted> = units(&sums, now)
        .into_iter()
        .map(|(stretch, unit)| Wanted {
            stretch,
            fingerprint: fingerprint(unit.iter()),
        })
        .collect();
    let known = digest.units(store, &stretches).await?;
    let matches = digest.matches(search);
    let mut buckets = Vec::new();
    for unit in known {
        if let Some(texts) = &unit.texts {
            let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
            for text in texts {
                if has(&wanted.statuses, text.status) && matches.has(text) {
                    *hours.entry(text.hour.as_micros()).or_default() += text.operations;
                }
            }
            buckets.extend(hours.into_iter().map(|(from, operations)| Bucket {
                from,
                before: from.saturating_add(HOUR),
                operations,
            }));
        } else {
            let (from, before) = unit.stretch.ends();
            let here = OperationFilter {
                from: Some(from),
                before: Some(before),
                ..wanted.clone()
            };
            let counts = store.count_operations(&here).await?;
            buckets.push(Bucket {
                from: unit.stretch.from,
                before: unit.stretch.before,
                operations: counts.iter().map(|count| count.operations).sum(),
            });
        }
    }
    Ok(newest_first(buckets))
}

/// The days and hours that `sums` are of, each with its own.
fn units(sums: &[UnitSums], now: Timestamp) -> Vec<(Stretch, &[UnitSums])> {
    let today = now.as_micros().div_euclid(DAY).saturating_mul(DAY);
    sums.chunk_by(|a, b| a.began == b.began)
        .filter_map(|unit| {
            let from = unit.first()?.began.as_micros();
            let length = if from < today { DAY } else { HOUR };
            let before = from.saturating_add(length);
            Some((Stretch { from, before }, unit))
        })
        .collect()
}

fn has(statuses: &[OperationStatus], status: Status) -> bool {
    let same = |wanted: &OperationStatus| Status::of(wanted.as_str()) == status;
    statuses.is_empty() || statuses.iter().any(same)
}

fn newest_first(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    buckets.retain(|bucket| bucket.operations > 0);
    buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket.from));
    buckets
}

/// Reads a page, looking only where `buckets` say that something is.
async fn read(
    store: &Store,
    wanted: &OperationFilter,
    page: Page,
    buckets: &[Bucket],
) -> Result<Vec<OperationRow>, StoreError> {
    let mut rows = Vec::new();
    for part in parts(page, buckets) {
        let here = OperationFilter {
            from: Some(Timestamp::from_micros(part.from)),
            before: part.before.map(Timestamp::from_micros),
            ..wanted.clone()
        };
        let missing = page
            .limit
            .saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if missing == 0 {
            break;
        }
        let page = Page {
            limit: missing,
            offset: part.skip,
        };
        let found = store.operations(&here, page).await?;
        rows.extend(found.into_iter().map(|row| row.operation));
    }
    Ok(rows)
}

/// A stretch to read rows of, but for the newest `skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    from: i64,
    /// `None` for the newest: what came since the sums were read is part of it.
    before: Option<i64>,
    skip: u64,
}

/// The stretches that a page lies in, newest first; those that follow each other as one.
fn parts(page: Page, buckets: &[Bucket]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut skip, mut missing) = (page.offset, u64::from(page.limit));
    for (place, bucket) in buckets.iter().enumerate() {
        let here = u64::try_from(bucket.operations).unwrap_or(0);
        if missing == 0 {
            break;
        }
        if parts.is_empty() && skip >= here {
            skip -= here;
            continue;
        }
        match parts.last_mut() {
            Some(last) if last.from == bucket.before => last.from = bucket.from,
            _ => parts.push(Part {
                from: bucket.from,
                before: (place > 0).then_some(bucket.before),
                skip,
            }),
        }
        missing = missing.saturating_sub(here - skip);
        skip = 0;
    }
    parts
}

/// Operations that did not succeed, newest first, and how many there are of them.
///
/// # Errors
/// When the store does not answer.
pub async fn errors(
    store: &Store,
    severity: Option<OperationStatus>,
    session: Option<SessionId>,
    limit: u32,
    now: Timestamp,
) -> Result<ErrorPage, StoreError> {
    let both = vec![OperationStatus::Error, OperationStatus::Timeout];
    let mut filter = OperationFilter {
        statuses: severity.map_or_else(|| both.clone(), |severity| vec![severity]),
        session,
        ..OperationFilter::default()
    };
    let page = Page { limit, offset: 0 };
    let rows = store.operations(&filter, page).await?;
    let last = if severity.is_none() {
        rows.first().map(|row| row.operation.timestamp)
    } else {
        filter.statuses = both;
        let page = Page {
            limit: 1,
            offset: 0,
        };
        let newest = store.operations(&filter, page).await?;
        newest.first().map(|row| row.operation.timestamp)
    };
    let mut counts = [0_i64; 3];
    let mut count = |status: &str, operations: i64| {
        counts[match Status::of(status) {
            Status::Success => 0,
            Status::Error => 1,
            Status::Timeout => 2,
        }] += operations;
    };
    if session.is_some() {
        filter.statuses = Vec::new();
        for found in store.count_operations(&filter).await? {
            count(&found.status, found.operations);
        }
    } else {
        for sum in store.sums_over_time(StoreStretch::AllTime { now }).await? {
            count(&sum.status, sum.requests);
        }
    }
    let [success, error, timeout] = counts;
    Ok(ErrorPage {
        errors: rows
            .into_iter()
            .map(|row| ErrorEntry {
                severity: row.operation.status.clone(),
                session_client_type: row.session_client_type,
                request: row.operation,
            })
            .collect(),
        summary: ErrorSummary {
            error_count: error,
            timeout_count: timeout,
            last_error_at: last,
            error_rate_percent: percent(error + timeout, success + error + timeout),
        },
        total: match severity {
            Some(OperationStatus::Error) => error,
            Some(OperationStatus::Timeout) => timeout,
            _ => error + timeout,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_only_where_something_is() {
        let bucket = |from, before, operations| Bucket {
            from,
            before,
            operations,
        };
        let buckets = [bucket(30, 40, 5), bucket(20, 30, 5), bucket(0, 10, 5)];
        let page = |limit, offset| parts(Page { limit, offset }, &buckets);
        let part = |from, before, skip| Part { from, before, skip };
        assert_eq!(page(3, 0), [part(30, None, 0)]);
        assert_eq!(page(10, 0), [part(20, None, 0)]);
        assert_eq!(page(11, 0), [part(20, None, 0), part(0, Some(10), 0)]);
        assert_eq!(page(2, 5), [part(20, Some(30), 0)]);
        assert_eq!(page(5, 7), [part(20, Some(30), 2), part(0, Some(10), 0)]);
        assert_eq!(page(5, 12), [part(0, Some(10), 2)]);
        assert_eq!(page(5, 15), []);
    }
}
