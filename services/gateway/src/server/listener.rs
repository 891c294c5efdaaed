//! The socket that accepts, and the hand-out of connections to the serving threads in turn.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serving::Peers;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::transport::Endpoint;

use super::worker::{Accepted, Slot, Worker};
use crate::node::Shared;

/// A bound listener and the threads that will serve its connections.
pub struct Listener {
    socket: TcpListener,
    workers: Vec<Worker>,
    slots: Arc<Semaphore>,
    peers: Arc<Peers>,
    shared: Arc<Shared>,
}

impl Listener {
    /// Binds the address and starts the serving threads. Nothing is accepted yet.
    ///
    /// # Errors
    /// The address can't be bound, or a thread not be started.
    pub(crate) fn bind(shared: &Arc<Shared>, service: &Endpoint) -> io::Result<Self> {
        let config = &shared.config;
        let socket = std::net::TcpListener::bind(config.listen)?;
        socket.set_nonblocking(true)?;
        let start = |number| Worker::start(number, Arc::clone(shared), service.clone());
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            workers: (0..config.threads).map(start).collect::<io::Result<_>>()?,
            slots: Arc::new(Semaphore::new(config.max_connections)),
            peers: Peers::new(config.max_connections_per_address),
            shared: Arc::clone(shared),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until the gateway stops, then lets the requests under way finish for at most `drain`.
    pub async fn serve(self, drain: Duration) {
        let mut next = 0;
        loop {
            let accepted = tokio::select! {
                () = self.shared.stopping.cancelled() => break,
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
        // As a plain socket, so that it is watched by the thread that serves it.
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
