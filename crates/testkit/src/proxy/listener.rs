//! The proxy as tests hold it, and the thread that accepts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as plain};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::fault::{Direction, Faults, Mode, Moment, Trigger, When};
use super::line::serve;
use super::stream::Upstream;
use crate::database::TestDatabase;

/// A TCP proxy on `127.0.0.1` whose line can be broken. Ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    upstream: Arc<Mutex<Upstream>>,
    faults: Arc<Faults>,
    counts: Arc<Counts>,
    /// Asks the thread to have the listener as the mode wants it; closed, it ends the thread.
    settle: mpsc::UnboundedSender<plain::Sender<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicUsize,
    open: AtomicUsize,
}

impl FaultProxy {
    /// Starts a proxy in front of a database, a durable server or any [`Upstream`].
    ///
    /// # Panics
    /// When no port of `127.0.0.1` can be had.
    pub fn in_front_of(upstream: impl Into<Upstream>) -> Self {
        let upstream = Arc::new(Mutex::new(upstream.into()));
        let faults = Arc::new(Faults::new());
        let counts = Arc::new(Counts::default());
        let (settle, requests) = mpsc::unbounded_channel();
        let (tell, told) = plain::channel();
        let (thread_faults, thread_counts) = (Arc::clone(&faults), Arc::clone(&counts));
        let thread_upstream = Arc::clone(&upstream);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
            runtime.block_on(async {
                let port = Port::take().unwrap_or_else(|error| panic!("no port: {error}"));
                // The test may be gone already.
                let _ = tell.send(port.address);
                accept(port, thread_upstream, thread_faults, thread_counts, requests).await;
            });
        });
        let address = told.recv().expect("the proxy's thread says its address or has panicked");
        let proxy = Self { address, upstream, faults, counts, settle };
        proxy.set(Mode::Pass);
        proxy
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The superuser's URL of a database through the proxy.
    pub fn url_for(&self, database: &TestDatabase) -> String {
        self.url_as("postgres", database.name())
    }

    /// The URL of a role on a database, by name, through the proxy.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}/{database}", self.address)
    }

    /// Lets bytes pass again; new connections are accepted when this returns.
    pub fn resume(&self) {
        self.set(Mode::Pass);
    }

    /// Holds all bytes until `resume`.
    pub fn pause(&self) {
        self.set(Mode::Pause);
    }

    /// Resets all connections and refuses new ones until `resume`.
    pub fn cut(&self) {
        self.set(Mode::Cut);
    }

    /// Swallows all bytes until `resume`.
    pub fn blackhole(&self) {
        self.set(Mode::Blackhole);
    }

    /// Swallows all bytes that go this way until `resume`.
    pub fn blackhole_one_way(&self, direction: Direction) {
        self.set(Mode::BlackholeOneWay(direction));
    }

    /// Leads new connections elsewhere, as a name that is moved after a failover. Those that are open
    /// stay where they are.
    pub fn lead_to(&self, upstream: impl Into<Upstream>) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream.into();
    }

    /// Resets all connections; new ones are served.
    pub fn reset_connections(&self) {
        self.faults.reset_connections();
    }

    /// The mode of now.
    pub fn mode(&self) -> Mode {
        self.faults.now().mode
    }

    /// Once these bytes go this way, resets the connection they were on. New ones are served. A chunk
    /// counts as a whole: what was sent together with the bytes shares their fate.
    pub fn cut_at(&self, pattern: &[u8], direction: Direction, moment: Moment) -> Trigger {
        assert!(!pattern.is_empty(), "an empty pattern is everywhere");
        self.faults.plan(When::Seen(pattern.to_vec()), direction, moment, false)
    }

    /// As `cut_at`, but the whole proxy is cut from then on, until `resume`.
    pub fn cut_all_at(&self, pattern: &[u8], direction: Direction, moment: Moment) -> Trigger {
        assert!(!pattern.is_empty(), "an empty pattern is everywhere");
        self.faults.plan(When::Seen(pattern.to_vec()), direction, moment, true)
    }

    /// Once so many more bytes have gone this way, on all connections together, resets the connection
    /// that carried the last of them. The bytes themselves are forwarded.
    pub fn cut_after_bytes(&self, bytes: usize, direction: Direction) -> Trigger {
        self.faults.plan(When::Bytes(bytes), direction, Moment::AfterForwarding, false)
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    fn set(&self, mode: Mode) {
        self.faults.set(mode);
        let (tell, told) = plain::channel();
        // The thread answers within microseconds, or it has ended and there is nothing to wait for.
        let _ = self.settle.send(tell);
        let _ = told.recv();
    }
}

/// A port that stays ours while nobody listens on it: bound, it is taken; not listening, it refuses.
struct Port {
    address: SocketAddr,
    _holder: TcpSocket,
}

impl Port {
    fn take() -> io::Result<Self> {
        let holder = shared_socket()?;
        holder.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { address: holder.local_addr()?, _holder: holder })
    }

    fn listen(&self) -> io::Result<TcpListener> {
        let socket = shared_socket()?;
        socket.bind(self.address)?;
        socket.listen(256)
    }
}

fn shared_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    Ok(socket)
}

async fn accept(
    port: Port,
    upstream: Arc<Mutex<Upstream>>,
    faults: Arc<Faults>,
    counts: Arc<Counts>,
    mut requests: mpsc::UnboundedReceiver<plain::Sender<()>>,
) {
    let mut state = faults.watch();
    let mut listener = None;
    let mut lines = JoinSet::new();
    loop {
        let now = *state.borrow_and_update();
        if now.mode == Mode::Cut {
            listener = None;
        } else if listener.is_none() {
            let new = port.listen().unwrap_or_else(|error| panic!("cannot listen: {error}"));
            listener = Some(new);
        }
        tokio::select! {
            biased;
            _ = state.changed() => {}
            request = requests.recv() => match request {
                Some(tell) => { let _ = tell.send(()); }
                None => return,
            },
            Some(_) = lines.join_next(), if !lines.is_empty() => {}
            client = next_client(listener.as_ref()) => {
                counts.accepted.fetch_add(1, Ordering::SeqCst);
                counts.open.fetch_add(1, Ordering::SeqCst);
                let (upstream, faults) = (Arc::clone(&upstream), Arc::clone(&faults));
                let counts = Arc::clone(&counts);
                lines.spawn(async move {
                    serve(client, upstream, faults, now.epoch).await;
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }
}

/// The next client; for ever when nobody listens.
async fn next_client(listener: Option<&TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        // A client that went before it was accepted is not worth a word.
        if let Ok((client, _)) = listener.accept().await {
            return client;
        }
    }
}
