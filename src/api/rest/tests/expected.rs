//! The answers, worked out in the plainest way from the list of what was put in: no sums, no SQL.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::made_up::{DAY, HOUR, MINUTE, MadeUp, Request, Session};
use crate::model::OperationStatus;

pub(super) struct Expected<'m>(pub(super) &'m MadeUp);

fn uuid(id: u128) -> String {
    Uuid::from_u128(id).to_string()
}

fn handshake(request: &Request) -> bool {
    matches!(request.method.as_str(), "initialize" | "server/discover")
}

fn dollars(micros: i64) -> f64 {
    micros.to_string().parse::<f64>().expect("a number") / 1e6
}

fn share(part: usize, whole: usize) -> Value {
    if whole == 0 {
        Value::Null
    } else {
        json!(real(part) / real(whole) * 100.0)
    }
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("small"))
}

fn mean(values: &[i64]) -> Value {
    if values.is_empty() {
        return Value::Null;
    }
    let sum: i64 = values.iter().sum();
    json!(sum.to_string().parse::<f64>().expect("a number") / real(values.len()))
}

fn tokens(request: &Request) -> i64 {
    request.prompt.unwrap_or(0) + request.completion.unwrap_or(0)
}

fn sum(requests: &[&Request], of: impl Fn(&Request) -> i64) -> i64 {
    requests.iter().map(|request| of(request)).sum()
}

fn count(requests: &[&Request], status: OperationStatus) -> usize {
    requests.iter().filter(|r| r.status == status).count()
}

fn change(now: Option<f64>, before: Option<f64>) -> Value {
    match (now, before) {
        (Some(now), Some(before)) if before != 0.0 => json!((now - before) / before * 100.0),
        _ => Value::Null,
    }
}

impl Expected<'_> {
    /// Paths and what they answer.
    pub(super) fn answers(&self) -> Vec<(String, Value)> {
        let mut all = vec![
            (
                "/api/mcp/health".to_owned(),
                json!({"status": "healthy", "service": "mcp"}),
            ),
            (
                "/api/mcp/status".to_owned(),
                json!({"status": "running", "uptime": 90, "logs": []}),
            ),
            (
                "/api/mcp/config".to_owned(),
                json!({"host": "127.0.0.1", "port": 8051, "transport": "streamable-http", "model_choice": null}),
            ),
            (
                "/health".to_owned(),
                json!({"status": "healthy", "service": "archon-mcp", "success": true, "uptime_seconds": 90}),
            ),
            (
                "/api/mcp/sessions".to_owned(),
                json!({
                    "active_sessions": self.sessions(&["active"]).len(),
                    "session_timeout": 3600,
                    "server_uptime_seconds": 90,
                }),
            ),
            (
                "/api/mcp/sessions/health".to_owned(),
                self.sessions_health(),
            ),
        ];
        for (filter, statuses) in [
            ("", &["active", "idle"][..]),
            ("?status_filter=active", &["active"]),
            ("?status_filter=idle", &["idle"]),
            ("?status_filter=disconnected", &["disconnected"]),
            ("?status_filter=all", &["active", "idle", "disconnected"]),
        ] {
            let sessions = self.sessions(statuses);
            let clients: Vec<_> = sessions.iter().map(|s| self.client(s)).collect();
            all.push((
                format!("/api/mcp/clients{filter}"),
                json!({"clients": clients, "total": clients.len()}),
            ));
        }
        for (days, limit, offset) in [(7, 50, 0), (1, 3, 2), (30, 5, 10), (30, 200, 1_000)] {
            all.push((
                format!("/api/mcp/sessions/disconnected?days={days}&limit={limit}&offset={offset}"),
                self.disconnected(days, limit, offset),
            ));
        }
        for (n, limit, offset) in [(0, 100, 0), (1, 1_000, 200), (2, 3, 1), (59, 100, 0)] {
            let id = self.0.sessions[n].id;
            all.push((
                format!(
                    "/api/mcp/sessions/{}?limit={limit}&offset={offset}",
                    uuid(id)
                ),
                self.session(id, limit, offset),
            ));
        }
        self.usage_summaries(&mut all);
        for days in [1, 7, 30, 90] {
            all.push((
                format!("/api/mcp/analytics?days={days}"),
                self.analytics(days, true),
            ));
        }
        all.push((
            "/api/mcp/analytics?compare=false".to_owned(),
            self.analytics(30, false),
        ));
        self.errors_and_logs(&mut all);
        all
    }

    /// Newest activity first.
    fn sessions(&self, statuses: &[&str]) -> Vec<&Session> {
        let mut found: Vec<_> = self
            .0
            .sessions
            .iter()
            .filter(|s| statuses.contains(&self.status(s)))
            .collect();
        found.sort_by_key(|s| (self.last_activity(s), std::cmp::Reverse(s.id)));
        found
    }

    /// Whoever does something is not idle.
    fn status(&self, session: &Session) -> &'static str {
        let did = self.0.requests.iter().any(|r| r.session == session.id);
        match session.status {
            "idle" if did => "active",
            status => status,
        }
    }

    /// Microseconds before the present. An operation that ended later moves it.
    fn last_activity(&self, session: &Session) -> i64 {
        let put_in = session.last_activity * 1_000_000;
        let requests = self.0.requests.iter().filter(|r| r.session == session.id);
        let ends = requests.map(|r| r.before - i64::from(r.duration_ms) * 1_000);
        ends.fold(put_in, i64::min)
    }

    fn client(&self, s: &Session) -> Value {
        let at = |seconds: i64| self.0.ago(seconds * 1_000_000).to_string();
        json!({
            "session_id": uuid(s.id),
            "client_type": s.client_type,
            "client_version": null,
            "connected_at": at(s.connected),
            "last_activity": self.0.ago(self.last_activity(s)).to_string(),
            "status": self.status(s),
            "disconnected_at": s.disconnected.map(at),
            "total_duration": s.duration,
            "disconnect_reason": s.reason,
            "user_id": s.user.map(uuid),
            "user_email": null,
            "user_name": null,
        })
    }

    fn whole_session(&self, s: &Session) -> Value {
        let mut session = self.client(s);
        session["client_capabilities"] = Value::Null;
        session["metadata"] = json!({});
        let counted = |r: &&Request| r.session == s.id && !handshake(r);
        session["total_requests"] = self.0.requests.iter().filter(counted).count().into();
        session
    }

    fn sessions_health(&self) -> Value {
        let open = self.sessions(&["active", "idle"]);
        let older = |s: &&&Session, seconds: i64| self.last_activity(s) > seconds * 1_000_000;
        let stale = open.iter().filter(|s| older(s, 10 * MINUTE)).count();
        let fresh = open
            .iter()
            .filter(|s| self.last_activity(s) < 5 * MINUTE * 1_000_000)
            .count();
        let all = self.0.sessions.len();
        let day: Vec<_> = self
            .0
            .sessions
            .iter()
            .filter(|s| s.connected <= DAY)
            .collect();
        let ended: Vec<_> = day.iter().filter(|s| s.status == "disconnected").collect();
        let durations: Vec<i64> = ended.iter().filter_map(|s| s.duration).collect();
        let latest = self.sessions(&["active", "idle", "disconnected"]);
        let recent: Vec<_> = latest
            .iter()
            .take(10)
            .map(|s| json!({"session_id": uuid(s.id), "client_type": s.client_type, "status": self.status(s)}))
            .collect();
        json!({
            "status_breakdown": {
                "active": self.sessions(&["active"]).len(),
                "idle": self.sessions(&["idle"]).len(),
                "disconnected": self.sessions(&["disconnected"]).len(),
                "total": all,
            },
            "age_distribution": {
                "healthy": fresh,
                "aging": open.len() - fresh - stale,
                "stale": stale,
            },
            "connection_health": {
                "avg_duration_seconds": mean(&durations),
                "sessions_per_hour": real(day.len()) / 24.0,
                "disconnect_rate_percent": share(ended.len(), day.len()),
                "total_sessions_24h": day.len(),
            },
            "recent_activity": recent,
            "timestamp": self.0.now.to_string(),
        })
    }

    fn disconnected(&self, days: i64, limit: usize, offset: usize) -> Value {
        let mut ended: Vec<_> = self
            .0
            .sessions
            .iter()
            .filter(|s| {
                s.disconnected
                    .is_some_and(|at| (0..=days * DAY).contains(&at))
            })
            .collect();
        ended.sort_by_key(|s| (s.disconnected, std::cmp::Reverse(s.id)));
        let mut reasons: BTreeMap<&str, i64> = BTreeMap::new();
        for session in &ended {
            *reasons
                .entry(session.reason.unwrap_or("unknown"))
                .or_default() += 1;
        }
        let durations: Vec<i64> = ended.iter().filter_map(|s| s.duration).collect();
        let page = ended.iter().skip(offset).take(limit);
        let page: Vec<_> = page.map(|s| self.whole_session(s)).collect();
        json!({
            "sessions": page,
            "statistics": {
                "total_disconnected": ended.len(),
                "disconnect_reasons": reasons,
                "avg_duration_seconds": mean(&durations),
                "max_duration_seconds": durations.iter().max(),
                "min_duration_seconds": durations.iter().min(),
            },
            "period": {
                "start": self.0.ago(days * DAY * 1_000_000).to_string(),
                "end": self.0.now.to_string(),
                "days": days,
            },
        })
    }

    fn request(&self, r: &Request) -> Value {
        json!({
            "request_id": uuid(r.id),
            "session_id": uuid(r.session),
            "method": r.method,
            "tool_name": r.tool,
            "prompt_tokens": r.prompt,
            "completion_tokens": r.completion,
            "total_tokens": tokens(r),
            "estimated_cost": dollars(r.cost.unwrap_or(0)),
            "timestamp": self.0.ago(r.before).to_string(),
            "duration_ms": r.duration_ms,
            "status": r.status.as_str(),
            "error_message": r.error,
        })
    }

    /// Newest first.
    fn requests(&self, which: impl Fn(&Request) -> bool) -> Vec<&Request> {
        let mut found: Vec<_> = self.0.requests.iter().filter(|r| which(r)).collect();
        found.sort_by_key(|r| (r.before, std::cmp::Reverse(r.id)));
        found
    }

    fn session(&self, id: u128, limit: usize, offset: usize) -> Value {
        let session = self.0.sessions.iter().find(|s| s.id == id).expect("put in");
        let all = self.requests(|r| r.session == id);
        let page = all.iter().skip(offset).take(limit);
        let page: Vec<_> = page.map(|r| self.request(r)).collect();
        let (prompt, completion) = (
            sum(&all, |r| r.prompt.unwrap_or(0)),
            sum(&all, |r| r.completion.unwrap_or(0)),
        );
        json!({
            "session": self.whole_session(session),
            "requests": page,
            "summary": {
                "total_requests": all.iter().filter(|r| !handshake(r)).count(),
                "total_prompt_tokens": prompt,
                "total_completion_tokens": completion,
                "total_tokens": prompt + completion,
                "total_cost": dollars(sum(&all, |r| r.cost.unwrap_or(0))),
            },
            "pagination": {
                "total": all.len(), "limit": limit, "offset": offset,
                "has_more": offset + page.len() < all.len(),
            },
        })
    }

    fn usage_summaries(&self, all: &mut Vec<(String, Value)>) {
        for days in [1, 30, 365] {
            let (start, end) = (days * DAY * 1_000_000, 0);
            all.push((
                format!("/api/mcp/usage/summary?days={days}"),
                self.usage(start, end, days),
            ));
        }
        let (start, end) = (50 * DAY * 1_000_000 + 7, 3 * HOUR * 1_000_000 - 1);
        let (from, to) = (self.0.ago(start), self.0.ago(end));
        all.push((
            format!("/api/mcp/usage/summary?start_date={from}&end_date={to}"),
            self.usage(start, end, 50),
        ));
        all.push((
            format!("/api/mcp/usage/summary?end_date={to}&days=2"),
            self.usage(end + 2 * DAY * 1_000_000, end, 2),
        ));
        all.push((
            "/api/mcp/usage/summary?start_date=2001-01-01&end_date=2001-01-02".to_owned(),
            json!({
                "period": {"start": "2001-01-01T00:00:00.000000Z", "end": "2001-01-02T00:00:00.000000Z", "days": 1},
                "summary": {
                    "total_requests": 0, "total_prompt_tokens": 0, "total_completion_tokens": 0,
                    "total_tokens": 0, "total_cost": 0, "unique_sessions": 0,
                },
                "by_tool": {},
            }),
        ));
    }

    fn usage(&self, start: i64, end: i64, days: i64) -> Value {
        let used = self.requests(|r| {
            (end..=start).contains(&r.before)
                && r.status == OperationStatus::Success
                && !handshake(r)
        });
        let mut tools: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
        for request in &used {
            let name = request.tool.as_deref().unwrap_or(&request.method);
            tools.entry(name).or_default().push(request);
        }
        let sessions: std::collections::BTreeSet<u128> = used.iter().map(|r| r.session).collect();
        let by_tool: BTreeMap<_, _> = tools
            .into_iter()
            .map(|(name, requests)| {
                let cost = dollars(sum(&requests, |r| r.cost.unwrap_or(0)));
                let tool = json!({"count": requests.len(), "tokens": sum(&requests, tokens), "cost": cost});
                (name, tool)
            })
            .collect();
        json!({
            "period": {
                "start": self.0.ago(start).to_string(), "end": self.0.ago(end).to_string(), "days": days,
            },
            "summary": {
                "total_requests": used.len(),
                "total_prompt_tokens": sum(&used, |r| r.prompt.unwrap_or(0)),
                "total_completion_tokens": sum(&used, |r| r.completion.unwrap_or(0)),
                "total_tokens": sum(&used, tokens),
                "total_cost": dollars(sum(&used, |r| r.cost.unwrap_or(0))),
                "unique_sessions": sessions.len(),
            },
            "by_tool": by_tool,
        })
    }

    fn analytics(&self, days: i64, compare: bool) -> Value {
        let length = days * DAY * 1_000_000;
        let all = self.requests(|r| (0..=length).contains(&r.before) && !handshake(r));
        let of_day = |request: &Request| self.0.ago(request.before).to_string()[..10].to_owned();
        let daily: Vec<_> = (0..=days)
            .rev()
            .map(|n| {
                let date = self.0.ago(n * DAY * 1_000_000).to_string()[..10].to_owned();
                let here: Vec<&Request> =
                    all.iter().copied().filter(|r| of_day(r) == date).collect();
                json!({
                    "date": date,
                    "requests": here.len(),
                    "tokens": sum(&here, tokens),
                    "cost": dollars(sum(&here, |r| r.cost.unwrap_or(0))),
                    "success_rate": share(count(&here, OperationStatus::Success), here.len()),
                })
            })
            .collect();
        let hourly: Vec<_> = (0..24)
            .map(|hour| {
                let digits = format!("{hour:02}");
                let here = all
                    .iter()
                    .filter(|r| self.0.ago(r.before).to_string()[11..13] == digits);
                let durations: Vec<i64> = here.map(|r| i64::from(r.duration_ms)).collect();
                json!({"hour": hour, "requests": durations.len(), "avg_duration": mean(&durations)})
            })
            .collect();
        let durations: Vec<i64> = all.iter().map(|r| i64::from(r.duration_ms)).collect();
        let mut sorted: Vec<i64> = durations
            .iter()
            .map(|ms| {
                let digits = ms.to_string().len();
                let step = 10_i64.pow(u32::try_from(digits.saturating_sub(3)).expect("small"));
                ms / step * step
            })
            .collect();
        sorted.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            rank.checked_sub(1).map(|place| sorted[place])
        };
        let before =
            self.requests(|r| r.before > length && r.before <= 2 * length + 1 && !handshake(r));
        let figure = |now: f64, before: f64| json!({"current": now, "previous": before, "change_percent": change(Some(now), Some(before))});
        let micros = |requests: &[&Request]| dollars(sum(requests, |r| r.cost.unwrap_or(0)));
        let all_tokens = |requests: &[&Request]| dollars(sum(requests, tokens)) * 1e6;
        let rate = |requests: &[&Request]| {
            share(count(requests, OperationStatus::Success), requests.len())
        };
        json!({
            "period": {
                "start": self.0.ago(length).to_string(), "end": self.0.now.to_string(), "days": days,
            },
            "trends": {"daily": daily, "hourly": hourly},
            "ratios": {
                "success": count(&all, OperationStatus::Success),
                "error": count(&all, OperationStatus::Error),
                "timeout": count(&all, OperationStatus::Timeout),
                "success_rate": rate(&all),
            },
            "response_times": {
                "by_tool": Self::times_by_tool(&all),
                "overall_avg": mean(&durations),
                "p50": percentile(50), "p95": percentile(95), "p99": percentile(99),
            },
            "comparison": compare.then(|| json!({
                "requests": figure(real(all.len()), real(before.len())),
                "success_rate": {
                    "current": rate(&all), "previous": rate(&before),
                    "change_percent": change(rate(&all).as_f64(), rate(&before).as_f64()),
                },
                "tokens": figure(all_tokens(&all), all_tokens(&before)),
                "cost": figure(micros(&all), micros(&before)),
            })),
        })
    }

    fn times_by_tool(all: &[&Request]) -> Vec<Value> {
        let mut tools: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for request in all {
            let name = request.tool.as_deref().unwrap_or(&request.method);
            tools
                .entry(name)
                .or_default()
                .push(i64::from(request.duration_ms));
        }
        let mut tools: Vec<_> = tools.into_iter().collect();
        tools.sort_by_key(|(_, durations)| std::cmp::Reverse(durations.len()));
        tools
            .into_iter()
            .map(|(tool, durations)| {
                json!({
                    "tool": tool, "avg_ms": mean(&durations), "min_ms": durations.iter().min(),
                    "max_ms": durations.iter().max(), "count": durations.len(),
                })
            })
            .collect()
    }

    fn errors_and_logs(&self, all: &mut Vec<(String, Value)>) {
        use OperationStatus::{Error, Success, Timeout};
        let one = uuid(self.0.sessions[1].id);
        let severities = [
            ("all", &[Error, Timeout][..]),
            ("error", &[Error]),
            ("timeout", &[Timeout]),
        ];
        for (word, statuses) in severities {
            for session in [None, Some(self.0.sessions[1].id)] {
                let query = session.map_or(String::new(), |_| format!("&session_id={one}"));
                all.push((
                    format!("/api/mcp/errors?severity={word}&limit=7{query}"),
                    self.errors(statuses, session, 7),
                ));
            }
        }
        let levels = [
            ("all", None),
            ("info", Some(Success)),
            ("warning", Some(Timeout)),
            ("error", Some(Error)),
        ];
        for (level, status) in levels {
            // As written, and as it stands in a URL.
            for (search, written) in [
                ("", ""),
                ("FILE", "FILE"),
                ("broken pipe", "broken%20pipe"),
                ("%", "%25"),
                ("_code", "_code"),
                ("löschen", "l%C3%B6schen"),
                ("niçht", "ni%C3%A7ht"),
                ("one_of_many_1", "one_of_many_1"),
                ("one_of_many_1007", "one_of_many_1007"),
                ("late", "late"),
                ("nothing has this", "nothing+has+this"),
            ] {
                for session in [None, Some(self.0.sessions[1].id)] {
                    for (limit, offset) in [(10, 0), (1_000, 3), (2, 60), (5, 100_000)] {
                        if limit < 10 && (status.is_some() || session.is_some()) {
                            continue;
                        }
                        let query = session.map_or(String::new(), |_| format!("&session_id={one}"));
                        let path = format!(
                            "/api/mcp/logs?level={level}&search={written}&limit={limit}&offset={offset}{query}"
                        );
                        let found = self.requests(|r| {
                            let has = |text: &Option<String>| {
                                text.as_deref().is_some_and(|text| {
                                    text.to_ascii_lowercase()
                                        .contains(&search.to_ascii_lowercase())
                                })
                            };
                            status.is_none_or(|status| r.status == status)
                                && session.is_none_or(|session| r.session == session)
                                && (search.is_empty() || has(&r.tool) || has(&r.error))
                        });
                        all.push((path, self.log(&found, limit, offset)));
                    }
                }
            }
        }
    }

    fn log(&self, found: &[&Request], limit: usize, offset: usize) -> Value {
        let page = found.iter().skip(offset).take(limit);
        let page: Vec<_> = page
            .map(|request| {
                let mut entry = self.request(request);
                entry["level"] = match request.status {
                    OperationStatus::Success => "info",
                    OperationStatus::Timeout => "warning",
                    OperationStatus::Error => "error",
                }
                .into();
                entry
            })
            .collect();
        json!({
            "pagination": {
                "total": found.len(), "limit": limit, "offset": offset,
                "has_more": offset + page.len() < found.len(),
            },
            "logs": page,
        })
    }

    fn errors(&self, statuses: &[OperationStatus], session: Option<u128>, limit: usize) -> Value {
        let here = |r: &Request| session.is_none_or(|session| r.session == session);
        let all = self.requests(here);
        let failed: Vec<&Request> = all
            .iter()
            .copied()
            .filter(|r| r.status != OperationStatus::Success)
            .collect();
        let wanted: Vec<_> = failed
            .iter()
            .filter(|r| statuses.contains(&r.status))
            .collect();
        let page: Vec<_> = wanted
            .iter()
            .take(limit)
            .map(|r| {
                let session = self.0.sessions.iter().find(|s| s.id == r.session);
                let mut entry = self.request(r);
                entry["severity"] = r.status.as_str().into();
                entry["session_client_type"] = session.expect("put in").client_type.into();
                entry
            })
            .collect();
        json!({
            "errors": page,
            "summary": {
                "error_count": count(&failed, OperationStatus::Error),
                "timeout_count": count(&failed, OperationStatus::Timeout),
                "last_error_at": failed.first().map(|r| self.0.ago(r.before).to_string()),
                "error_rate_percent": share(failed.len(), all.len()),
            },
            "total": wanted.len(),
        })
    }
}
