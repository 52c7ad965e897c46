//! A database on a server, and running SQL in it as any role, from any kind of test.

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, ValueRef};

use super::Server;

/// The rows of the statements that gave any, each value as PostgreSQL writes it.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// A database that is dropped with this value.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) server: &'static Server,
    pub(crate) name: String,
}

impl Database {
    /// As `postgres`, its owner.
    pub(crate) fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// As `role`, which needs no password.
    pub(crate) fn url_as(&self, role: &str) -> String {
        let (port, name) = (self.server.port, &self.name);
        format!("postgres://{role}@127.0.0.1:{port}/{name}")
    }

    /// As `postgres`, over the unix socket.
    pub(crate) fn socket_url(&self) -> String {
        let dir = self.server.dir.display();
        let (port, name) = (self.server.port, &self.name);
        format!("postgres:///{name}?host={dir}&port={port}&user=postgres")
    }

    /// For connections of the test's own.
    pub(crate) fn options_as(&self, role: &str) -> PgConnectOptions {
        self.server.options(role, &self.name)
    }

    /// A connection of the test's own, as `postgres`.
    pub(crate) async fn connect(&self) -> PgConnection {
        self.options_as("postgres")
            .connect()
            .await
            .expect("a connection")
    }

    /// Runs one or more statements as `postgres`; they must succeed. All rows, as text.
    pub(crate) fn run(&self, sql: &str) -> Rows {
        self.run_as("postgres", sql)
    }

    /// Runs one or more statements as `role`, which logs in; they must succeed.
    pub(crate) fn run_as(&self, role: &str, sql: &str) -> Rows {
        self.try_as(role, sql)
            .unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    /// Runs one or more statements as `role`, which logs in.
    pub(crate) fn try_as(&self, role: &str, sql: &str) -> Result<Rows, sqlx::Error> {
        run(&self.options_as(role), sql)
    }

    /// Runs one or more statements as the superuser.
    pub(crate) fn admin(&self, sql: &str) -> Rows {
        self.server.admin(&self.name, sql)
    }

    /// The one value that `sql` gives.
    pub(crate) fn value(&self, sql: &str) -> Option<String> {
        let rows = self.run(sql);
        let [row] = &rows[..] else {
            panic!("one row expected, not {}: {sql}", rows.len())
        };
        row.first().cloned().flatten()
    }

    /// Runs statements in a transaction as PostgREST does for a signed-in user: as `role` (`anon`, `authenticated`,
    /// `service_role`), with `sub` as the user. What they write is kept if they all succeed.
    pub(crate) fn signed_in(
        &self,
        role: &str,
        sub: Option<&str>,
        sql: &str,
    ) -> Result<Rows, sqlx::Error> {
        let sub = sub.map_or_else(String::new, |sub| format!(r#""sub":"{sub}","#));
        let claims = format!(r#"{{{sub}"role":"{role}"}}"#);
        let sql = format!(
            "BEGIN; SET LOCAL ROLE {role}; SET LOCAL request.jwt.claims = '{claims}'; {sql}; COMMIT"
        );
        self.try_as("postgres", &sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!(r#"DROP DATABASE IF EXISTS "{}" WITH (FORCE)"#, self.name);
        // One that stays behind goes with its server.
        let _ = run(
            &self.server.options(self.server.superuser, "postgres"),
            &sql,
        );
    }
}

/// Runs one or more statements on a connection of their own.
pub(super) fn run(options: &PgConnectOptions, sql: &str) -> Result<Rows, sqlx::Error> {
    blocking(async {
        let mut connection = options.connect().await?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut connection)
            .await;
        let closed = connection.close().await;
        let rows = done?.iter().map(texts).collect();
        closed.map(|()| rows)
    })
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    (0..row.len())
        .map(|place| {
            let value = row.try_get_raw(place).expect("a column");
            let text = || value.as_str().expect("text").to_owned();
            (!value.is_null()).then(text)
        })
        .collect()
}

/// Runs `work` to its end on a thread of its own: the caller may be in a runtime already.
fn blocking<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(work)
        });
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
