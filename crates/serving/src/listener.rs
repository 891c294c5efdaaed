//! The socket that accepts, and the hand-out of connections to the serving threads in turn.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::peers::Peers;
use crate::worker::{Accepted, Serve, Slot, Worker};

/// How many may be served, and by how many.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Serving threads; at least one.
    pub threads: usize,
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// Of these, from one address other than loopback; more are closed at once.
    pub connections_per_address: usize,
}

/// A bound listener and the threads that will serve its connections.
pub struct Listener {
    socket: TcpListener,
    workers: Vec<Worker>,
    slots: Arc<Semaphore>,
    peers: Arc<Peers>,
}

impl Listener {
    /// Binds `address` and starts the serving threads, called `name` and a number. Nothing is accepted
    /// yet. What a thread serves with is made in it by what `each` gives it, from the word to stop.
    ///
    /// # Errors
    /// The address can't be bound, or a thread not be started.
    pub fn bind<S, M>(
        address: SocketAddr,
        capacity: Capacity,
        name: &str,
        mut each: impl FnMut() -> M,
    ) -> io::Result<Self>
    where
        S: Serve,
        M: FnOnce(CancellationToken) -> S + Send + 'static,
    {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let mut start = |number| Worker::start(format!("{name}-{number}"), each());
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            workers: (0..capacity.threads).map(&mut start).collect::<io::Result<_>>()?,
            slots: Arc::new(Semaphore::new(capacity.connections)),
            peers: Peers::new(capacity.connections_per_address),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until `stop`, then lets what is under way finish for at most `drain`.
    pub async fn serve(self, stop: CancellationToken, drain: Duration) {
        let mut next = 0;
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.accept() => accepted,
            };
            if let Some(accepted) = accepted {
                self.workers[next % self.workers.len()].hand(accepted);
                next = next.wrapping_add(1);
            }
        }
        drop(self.socket);
        let drained = self.workers.into_iter().map(|worker| worker.drain(drain));
        futures_util::future::join_all(drained).await;
    }

    async fn accept(&self) -> Option<Accepted> {
        // The semaphore is never closed; without a slot nothing is accepted.
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        // As a plain socket, so that it is watched by the thread that serves it: while this runtime
        // watched it, every call would wake a thread of each.
        let accepted = self.socket.accept().await;
        match accepted.and_then(|(stream, address)| Ok((stream.into_std()?, address))) {
            Ok((stream, address)) => {
                let Some(place) = self.peers.admit(address.ip()) else {
                    tracing::debug!(%address, "too many connections from one address");
                    return None;
                };
                Some(Accepted { stream, address, slot: Slot { _all: permit, _address: place } })
            }
            Err(error) => {
                // Mostly out of file descriptors: wait for some to be closed.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;

    /// Says on which thread it is, and the how many-th of those open; then gives back what it is sent.
    struct Echo(Arc<AtomicUsize>);

    impl Serve for Echo {
        const UNDER_WAY: &'static str = "echoes";

        async fn serve(self: Arc<Self>, accepted: Accepted, _number: u64) {
            let mut stream = TcpStream::from_std(accepted.stream).unwrap();
            let open = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let said = format!("{} {open}", std::thread::current().name().unwrap_or_default());
            stream.write_all(said.as_bytes()).await.unwrap();
            let (mut from, mut to) = stream.split();
            // The client may go away as it likes.
            let _ = tokio::io::copy(&mut from, &mut to).await;
            self.0.fetch_sub(1, Ordering::SeqCst);
            drop(accepted.slot);
        }
    }

    fn listen(connections: usize) -> Listener {
        let capacity = Capacity { threads: 2, connections, connections_per_address: 1 };
        let open = Arc::default();
        let each = || {
            let open = Arc::clone(&open);
            move |_| Echo(open)
        };
        Listener::bind(([127, 0, 0, 1], 0).into(), capacity, "echo", each).unwrap()
    }

    async fn greeting(stream: &mut TcpStream) -> String {
        let mut said = [0; 8];
        stream.read_exact(&mut said).await.unwrap();
        String::from_utf8(said.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn connections_go_to_the_threads_in_turn_and_one_too_many_waits_for_a_slot() {
        let listener = listen(2);
        let address = listener.address().unwrap();
        let serving = listener.serve(CancellationToken::new(), Duration::ZERO);
        let _serving = AbortOnDropHandle::new(tokio::spawn(serving));
        let connect = async || TcpStream::connect(address).await.unwrap();
        let mut first = connect().await;
        assert_eq!(greeting(&mut first).await, "echo-0 1");
        let mut open = connect().await;
        assert_eq!(greeting(&mut open).await, "echo-1 2");
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(connect().await);
        }
        for mut next in waiting {
            drop(open);
            assert!(greeting(&mut next).await.ends_with(" 2"));
            open = next;
        }
    }

    #[tokio::test]
    async fn what_is_under_way_may_finish_after_the_stop_and_nothing_new_begins() {
        let listener = listen(10);
        let (address, stop) = (listener.address().unwrap(), CancellationToken::new());
        let serving = tokio::spawn(listener.serve(stop.clone(), Duration::from_secs(60)));
        let mut open = TcpStream::connect(address).await.unwrap();
        greeting(&mut open).await;
        stop.cancel();
        while TcpStream::connect(address).await.is_ok() {}
        for _ in 0..1_000 {
            open.write_all(b"late").await.unwrap();
            let mut said = [0; 4];
            open.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"late");
        }
        assert!(!serving.is_finished());
        drop(open);
        serving.await.unwrap();
    }
}
