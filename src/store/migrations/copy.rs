//! A copy of the embedded database beside it, before a run changes it.
//!
//! Made with `VACUUM INTO` on a connection of its own while the run holds the right to write: exactly what is there, and
//! nothing comes between. A few are kept.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::connection::Conn;
use super::error::MigrationError;
use super::progress::{Event, Progress};
use super::tokens::literal;
use crate::store::dialect;

/// How many copies stay.
const KEPT: usize = 3;

/// Ends the names of copies.
const EXTENSION: &str = "bak";

/// Copies `file`; where to, and which older copies were removed for it.
pub(super) async fn before_change(
    file: &Path,
    progress: &dyn Progress,
) -> Result<(PathBuf, Vec<PathBuf>), MigrationError> {
    let copy = free_name(file);
    progress.tell(&Event::Copying { path: &copy });
    // A copy that is not whole must not look like one.
    let unfinished = copy.with_extension("unfinished");
    let refused = |why: String| MigrationError::Copy {
        path: copy.clone(),
        why,
    };
    let copied = vacuum_into(file, &unfinished).await;
    let copied = copied.map_err(|error| error.to_string());
    let copied = copied.and_then(|()| owner_only(&unfinished).map_err(|error| error.to_string()));
    let copied =
        copied.and_then(|()| fs::rename(&unfinished, &copy).map_err(|error| error.to_string()));
    if let Err(why) = copied {
        // Whatever there is of it is of no use.
        let _ = fs::remove_file(&unfinished);
        return Err(refused(why));
    }
    let removed = prune(file);
    Ok((copy, removed))
}

/// Whether there are sessions or requests: others can be made again.
pub(super) async fn has_data(conn: &mut Conn) -> Result<bool, MigrationError> {
    let asking = MigrationError::asking("tell whether it is empty");
    for table in ["archon_mcp_sessions", "archon_mcp_requests"] {
        let there =
            format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        if conn.value(&there).await.map_err(&asking)?.is_some() {
            let any = format!("SELECT 1 FROM {table} LIMIT 1");
            if conn.value(&any).await.map_err(&asking)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn vacuum_into(file: &Path, copy: &Path) -> Result<(), sqlx::Error> {
    let mut conn = SqliteConnection::connect_with(&dialect::embedded_options(file, false)).await?;
    let path = copy
        .to_str()
        .ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?;
    let sql = format!("VACUUM INTO {}", literal(path));
    // Safe: a quoted path.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    conn.close().await
}

#[cfg(unix)]
fn owner_only(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn owner_only(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// `archonctl.db.20261124T061200Z.bak`, or with a number where that is taken.
fn free_name(file: &Path) -> PathBuf {
    let now = Utc::now().format("%Y%m%dT%H%M%SZ");
    let name = |number: u32| {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        let number = if number < 2 {
            String::new()
        } else {
            format!("-{number}")
        };
        name.push(format!(".{now}{number}.{EXTENSION}"));
        file.with_file_name(name)
    };
    let mut names = (1..).map(name);
    names.find(|path| !path.exists()).unwrap_or_default()
}

/// Removes the oldest copies of `file`; those that are gone. One that cannot be removed stays.
fn prune(file: &Path) -> Vec<PathBuf> {
    let mut copies = copies(file);
    let surplus = copies.len().saturating_sub(KEPT);
    copies.truncate(surplus);
    copies.retain(|copy| fs::remove_file(copy).is_ok());
    copies
}

/// The copies of `file`, oldest first.
fn copies(file: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (
        file.parent(),
        file.file_name().and_then(|name| name.to_str()),
    ) else {
        return Vec::new();
    };
    let begins = format!("{name}.");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let stamp = name
                .strip_prefix(&begins)
                .and_then(|rest| rest.strip_suffix(".bak"));
            // Nothing that somebody called otherwise.
            stamp.is_some_and(|stamp| {
                stamp.len() >= 16 && stamp.as_bytes()[8] == b'T' && stamp.as_bytes()[15] == b'Z'
            })
        })
        .collect();
    // The times in the names are in order; of the same second, `…Z.bak` came before `…Z-2.bak`.
    found.sort_by_key(|path| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (name.split('-').next().map(str::to_owned), name.len(), name)
    });
    found
}
