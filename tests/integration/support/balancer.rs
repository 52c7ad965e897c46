//! A round-robin balancer: every connection goes to the next backend; one that is not there is left out.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A running balancer. Clients that use a connection for one request change their backend with each.
pub(crate) struct Balancer {
    /// The MCP endpoint behind it.
    pub(crate) url: String,
}

impl Balancer {
    /// Starts one in front of the daemons at `urls`.
    pub(crate) fn in_front_of(urls: &[&str]) -> Self {
        let authority = |url: &&str| {
            let rest = url.strip_prefix("http://").expect("a URL");
            rest.split('/').next().expect("an authority").to_owned()
        };
        let backends: Arc<[String]> = urls.iter().map(authority).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let turn = AtomicUsize::new(0);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let first = turn.fetch_add(1, Ordering::Relaxed);
                let backends = Arc::clone(&backends);
                std::thread::spawn(move || {
                    let mut tried = 0..backends.len();
                    let found = tried.find_map(|n| {
                        TcpStream::connect(&backends[(first + n) % backends.len()]).ok()
                    });
                    if let Some(backend) = found {
                        pass(&client, &backend);
                    }
                });
            }
        });
        Self { url }
    }
}

/// Carries bytes both ways until both sides have ended.
fn pass(client: &TcpStream, backend: &TcpStream) {
    std::thread::scope(|scope| {
        scope.spawn(|| one_way(client, backend));
        one_way(backend, client);
    });
}

fn one_way(mut from: &TcpStream, mut to: &TcpStream) {
    let mut bytes = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    // The other side may be gone.
    let _ = to.shutdown(Shutdown::Write);
}
