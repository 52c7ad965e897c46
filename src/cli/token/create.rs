//! `archonctl token create`: the one time that a token is seen.

use std::time::Duration;

use serde::Serialize;

use super::Row;
use crate::auth::{self, Scope};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Column, Field, Fit, Grid, Single};
use crate::cli::store::block_on;
use crate::model::parse_duration;

const EXAMPLES: &str = "\
Examples:
  archonctl token create grafana --scope read
  archonctl token create notes-server --scope write --expires 90d
  archonctl token create backup --scope read -q > token.txt";

/// Make a token; it is shown this once, with -q nothing else
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to call it: who will use it
    #[arg(value_name = "NAME", value_parser = auth::token_name)]
    name: String,

    /// What it may be used for; repeat it or separate with commas: read to ask, write to report sessions, admin for everything
    #[arg(
        long,
        value_enum,
        value_name = "SCOPE",
        value_delimiter = ',',
        required = true
    )]
    scope: Vec<ScopeArg>,

    /// How long it is good for, such as 90d [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ScopeArg {
    Read,
    Write,
    Admin,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Read => Self::Read,
            ScopeArg::Write => Self::Write,
            ScopeArg::Admin => Self::Admin,
        }
    }
}

/// Longest life, which keeps instants within what all databases hold.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text)?;
    if lifetime.is_zero() || lifetime > LONGEST {
        return Err(format!(
            "'{text}' is out of bounds; more than nothing and at most a hundred years"
        ));
    }
    Ok(lifetime)
}

/// A token, seen whole.
#[derive(Serialize)]
struct New {
    token: String,
    #[serde(flatten)]
    row: Row,
}

const COLUMNS: &[Column<New>] = &[
    Column {
        name: "token",
        header: "TOKEN",
        fit: Fit::Keep,
        value: |n| Field::text(Some(&n.token)),
    },
    Column {
        name: "id",
        header: "ID",
        fit: Fit::Drop(3),
        value: |n| Field::text(Some(&n.row.id)),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Drop(1),
        value: |n| Field::text(Some(&n.row.name)),
    },
    Column {
        name: "scopes",
        header: "SCOPES",
        fit: Fit::Drop(2),
        value: |n| Field::Text(n.row.scopes.join(" ")),
    },
    Column {
        name: "expires_at",
        header: "EXPIRES",
        fit: Fit::Drop(2),
        value: |n| Field::maybe(n.row.expires_at, Field::Due),
    },
];

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let now = context.now;
    let expires_at = args.expires.map(|lifetime| now.plus(lifetime));
    let scopes = args.scope.iter().copied().map(Scope::from).collect();
    let created = block_on(async {
        let store = super::open(&place, true).await?;
        Ok(auth::create(&store, &args.name, scopes, now, expires_at).await?)
    })?;
    let new = New {
        token: created.token,
        row: Row::of(created.info, now),
    };
    let answer = Answer {
        data: Single(&new),
        meta: serde_json::json!({}),
        facts: Vec::new(),
        grid: Grid::new(
            COLUMNS,
            &["token", "name", "scopes", "expires_at"],
            &["id"],
            std::slice::from_ref(&new),
        )
        .with_id("token"),
        footer: Vec::new(),
        notes: vec!["The token is shown this once; keep it where nobody else reads it.".to_owned()],
    };
    args.output.print(&answer, &view)?;
    Ok(ExitStatus::Done)
}
