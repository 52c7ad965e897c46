//! An MCP server with three tools that tracks itself: over streamable HTTP through a `tower` layer, over stdio through a
//! wrapper of the transport. No proxy, no daemon; ask with `archonctl sessions list --data-dir DIR`.
//!
//! `cargo run --example tracked_server -- --data-dir DIR [--listen 127.0.0.1:8000 | --stdio]`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use archonctl::track::{Options, Tracking};
use axum::Router;
use clap::Parser;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Message {
    /// What to say.
    message: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Numbers {
    a: i64,
    b: i64,
}

/// The server. It knows nothing of being tracked.
#[derive(Clone, Debug)]
struct Tools;

#[tool_router]
#[allow(
    clippy::unused_self,
    reason = "tools are methods; these three need nothing of their server"
)]
impl Tools {
    #[tool(description = "Answers with the message")]
    fn echo(&self, Parameters(Message { message }): Parameters<Message>) -> String {
        format!("Echo: {message}")
    }

    #[tool(description = "Adds two whole numbers")]
    fn add(&self, Parameters(Numbers { a, b }): Parameters<Numbers>) -> Result<String, String> {
        let sum = a.checked_add(b).ok_or("the sum is too large")?;
        Ok(sum.to_string())
    }

    #[tool(description = "Always fails")]
    fn fail(&self) -> Result<String, String> {
        Err("failed as asked".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(
            Implementation::new("tracked-server", env!("CARGO_PKG_VERSION")),
        )
    }
}

#[derive(Debug, Parser)]
struct Arguments {
    /// Where the journal and the store live.
    #[arg(long)]
    data_dir: PathBuf,
    /// Serve over HTTP, at /mcp of this address.
    #[arg(long, default_value = "127.0.0.1:8000")]
    listen: String,
    /// Serve one client on standard input and output.
    #[arg(long, conflicts_with = "listen")]
    stdio: bool,
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve());
    // A read of standard input cannot be called off, and is not waited for.
    runtime.shutdown_background();
    served
}

async fn serve() -> anyhow::Result<()> {
    // Over stdio standard output belongs to the client.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let arguments = Arguments::parse();
    let tracking = Tracking::start(Options::new("tracked-server", arguments.data_dir)).await?;
    let served = if arguments.stdio {
        serve_stdio(&tracking).await
    } else {
        return serve_http(tracking, &arguments.listen).await;
    };
    tracking.stop().await;
    served
}

/// Serves one client, until it leaves or this process is told to stop.
async fn serve_stdio(tracking: &Tracking) -> anyhow::Result<()> {
    let transport = tracking.wrap((tokio::io::stdin(), tokio::io::stdout()));
    let told = CancellationToken::new();
    let running = Tools.serve_with_ct(transport, told.clone());
    let mut terminated = signal(SignalKind::terminate())?;
    let serving = async {
        running.await?.waiting().await?;
        anyhow::Ok(())
    };
    tokio::select! {
        served = serving => served,
        _ = terminated.recv() => {
            told.cancel();
            Ok(())
        }
    }
}

/// Serves until this process is told to stop; then what is under way is answered first.
async fn serve_http(tracking: Tracking, listen: &str) -> anyhow::Result<()> {
    let streams = CancellationToken::new();
    let config = StreamableHttpServerConfig::default().with_cancellation_token(streams.clone());
    let sessions = Arc::new(LocalSessionManager::default());
    let mcp = StreamableHttpService::new(|| Ok(Tools), sessions, config);
    let app = Router::new()
        .route_service("/mcp", mcp)
        .route_layer(tracking.layer())
        // Where requests come from: it tells the sessions of two users apart.
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listening on {listen}"))?;
    tracing::info!("serving http://{}/mcp", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let told = CancellationToken::new();
    let serving = axum::serve(listener, app).with_graceful_shutdown(told.clone().cancelled_owned());
    let serving = tokio::spawn(serving.into_future());
    terminated.recv().await;
    // Nothing new, then the end of what is tracked, and only then the streams that clients hold: the sessions end because
    // the server stopped, and not because a stream broke.
    told.cancel();
    tracking.stop().await;
    streams.cancel();
    serving.await?.context("serving")
}
