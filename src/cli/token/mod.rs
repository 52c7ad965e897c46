//! `archonctl token`: what lets programs into the API where it can be reached from other machines.

mod create;
mod list;
mod revoke;

use serde::Serialize;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::render::{Column, Field, Fit, Tone};
use super::store::{Place, open_existing, open_or_create};
use crate::auth::{Scope, TokenError, TokenInfo};
use crate::model::Timestamp;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  archonctl token create grafana --scope read --expires 90d
  archonctl token list
  archonctl token revoke grafana";

const ELSEWHERE: &str = "\
On loopback the API asks for no token. Elsewhere (`archonctl serve --api-listen 0.0.0.0:8181`) each
request shows one: Authorization: Bearer archonctl_…. A token is looked up each time, so one that is
revoked is good no more at once. The store has only a digest of it.";

/// Make, list and revoke tokens for the API
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = ELSEWHERE, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Create(create::Args),
    List(list::Args),
    Revoke(revoke::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    match args.action {
        Action::Create(args) => create::run(&args, context),
        Action::List(args) => list::run(&args, context),
        Action::Revoke(args) => revoke::run(&args, context),
    }
}

/// Opens the store that tokens are in. The embedded one is made if it is not there: the first token is made before the daemon
/// starts.
async fn open(place: &Place, make: bool) -> Result<Store, CliError> {
    if !make {
        let store = open_existing(place).await?;
        store.check_schema().await?;
        return Ok(store);
    }
    let store = open_or_create(place).await?;
    if store.is_embedded() {
        store.migrate_up().await?;
    } else {
        store.check_schema().await?;
    }
    Ok(store)
}

impl From<TokenError> for CliError {
    fn from(error: TokenError) -> Self {
        let message = error.to_string();
        let failure =
            |code, hint: &str| Self::new(ExitStatus::Failure, code, message).with_hint(hint);
        match error {
            TokenError::Store(error) => error.into(),
            TokenError::NameTaken(_) => failure(
                "name_taken",
                "choose another name, or revoke that one first with `archonctl token revoke`",
            ),
            TokenError::Unknown(_) => failure(
                "not_found",
                "`archonctl token list` shows ids and names of all tokens",
            ),
            TokenError::Random => failure("no_random", "try again in a moment"),
        }
    }
}

/// A token as it is shown.
#[derive(Clone, Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    /// `active`, `expired` or `revoked`.
    status: &'static str,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl Row {
    fn of(token: TokenInfo, now: Timestamp) -> Self {
        let words = token.scopes.to_string();
        let scopes = Scope::ALL.map(Scope::as_str).into_iter();
        Self {
            status: token.status(now),
            scopes: scopes
                .filter(|word| words.split(' ').any(|one| one == *word))
                .collect(),
            id: token.id,
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// The columns of the list.
const LISTED: &[Column<Row>] = &[
    Column {
        name: "id",
        header: "ID",
        fit: Fit::Keep,
        value: |r| Field::text(Some(&r.id)),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Shrink(12),
        value: |r| Field::text(Some(&r.name)),
    },
    Column {
        name: "scopes",
        header: "SCOPES",
        fit: Fit::Keep,
        value: |r| Field::Text(r.scopes.join(" ")),
    },
    Column {
        name: "status",
        header: "STATUS",
        fit: Fit::Keep,
        value: |r| {
            let tone = match r.status {
                "active" => Tone::Good,
                "expired" => Tone::Warn,
                _ => Tone::Faint,
            };
            Field::Word(r.status.to_owned(), tone)
        },
    },
    Column {
        name: "created_at",
        header: "CREATED",
        fit: Fit::Drop(2),
        value: |r| Field::Time(r.created_at),
    },
    Column {
        name: "expires_at",
        header: "EXPIRES",
        fit: Fit::Keep,
        value: |r| Field::maybe(r.expires_at, Field::Due),
    },
    Column {
        name: "last_used_at",
        header: "LAST USED",
        fit: Fit::Drop(1),
        value: |r| Field::maybe(r.last_used_at, Field::Time),
    },
    Column {
        name: "revoked_at",
        header: "REVOKED",
        fit: Fit::Keep,
        value: |r| Field::maybe(r.revoked_at, Field::Time),
    },
];
