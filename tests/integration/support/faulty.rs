//! A TCP proxy that breaks what passes through it, in the ways networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What is wrong with the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Whatever passes, in either direction, comes so much later.
    Delay(Duration),
    /// New connections are closed at once.
    Refuse,
    /// Half-open: nothing passes any more on any connection, and nobody is told. Connections from this time stay so.
    Silent,
    /// The next message of the client that holds this text reaches the server; the answer does not reach the client, whose
    /// connection breaks instead. Then nothing is wrong any more.
    LoseAnswerTo(&'static str),
    /// The connection breaks once so many more bytes of the client have passed. Then nothing is wrong any more.
    BreakAfter(usize),
}

/// A running proxy; it ends with this value.
pub(crate) struct Faulty {
    /// On 127.0.0.1.
    pub(crate) port: u16,
    way: Arc<Way>,
}

struct Way {
    server: u16,
    fault: Mutex<Fault>,
    /// Both ends of every connection, kept open until the proxy ends or cuts them.
    ends: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
    /// How often a fault that happens once has happened.
    happened: AtomicUsize,
}

impl Faulty {
    /// Starts one in front of `port` of this machine.
    pub(crate) fn in_front_of(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("its address").port();
        let way = Arc::new(Way {
            server: port,
            fault: Mutex::new(Fault::None),
            ends: Mutex::default(),
            over: AtomicBool::new(false),
            happened: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&way);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                shared.accept(client);
            }
        });
        Self { port: own, way }
    }

    /// Changes what is wrong from now on.
    pub(crate) fn set(&self, fault: Fault) {
        *self
            .way
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Breaks every connection there is.
    pub(crate) fn cut(&self) {
        for end in self
            .way
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            // One that is gone already needs no end.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// How often a fault that happens once has happened.
    pub(crate) fn happened(&self) -> usize {
        self.way.happened.load(Ordering::SeqCst)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.way.over.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Way {
    fn fault(&self) -> Fault {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A fault that happens once has happened.
    fn happen(&self) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Fault::None;
        self.happened.fetch_add(1, Ordering::SeqCst);
    }

    fn keep(&self, end: &TcpStream) {
        let end = end.try_clone().expect("a handle");
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(end);
    }

    fn accept(self: &Arc<Self>, client: TcpStream) {
        match self.fault() {
            Fault::Refuse => return,
            Fault::Silent => return self.keep(&client),
            _ => {}
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else {
            return;
        };
        self.keep(&client);
        self.keep(&server);
        let (from_client, to_server) = (client.try_clone(), server.try_clone());
        let (from_client, to_server) =
            (from_client.expect("a handle"), to_server.expect("a handle"));
        let way = Arc::clone(self);
        std::thread::spawn(move || way.requests(from_client, to_server));
        let way = Arc::clone(self);
        std::thread::spawn(move || way.answers(server, client));
    }

    /// Carries what the client says to the server.
    fn requests(&self, mut client: TcpStream, mut server: TcpStream) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            let said = &bytes[..count];
            match self.fault() {
                Fault::Silent => return,
                Fault::Delay(time) => std::thread::sleep(time),
                Fault::LoseAnswerTo(text) if holds(said, text.as_bytes()) => {
                    // Nobody else may hear the answer.
                    let _ = client.shutdown(Shutdown::Both);
                    let _ = server.write_all(said);
                    self.happen();
                    return self.end_when_answered(&server);
                }
                Fault::BreakAfter(left) => {
                    let Some(left) = left.checked_sub(count) else {
                        let _ = server.write_all(&said[..left]);
                        self.happen();
                        break;
                    };
                    self.set_left(left);
                }
                _ => {}
            }
            if server.write_all(said).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }

    fn set_left(&self, left: usize) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Fault::BreakAfter(left);
    }

    /// Lets the server do what it was told before it learns that nobody listens: the thread that carries its answers reads
    /// them, and fails to pass them on.
    fn end_when_answered(&self, server: &TcpStream) {
        self.keep(server);
        let _ = server.shutdown(Shutdown::Write);
    }

    /// Carries what the server says to the client.
    fn answers(&self, mut server: TcpStream, mut client: TcpStream) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = server.read(&mut bytes) {
            match self.fault() {
                Fault::Silent => return,
                Fault::Delay(time) => std::thread::sleep(time),
                _ => {}
            }
            if client.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
