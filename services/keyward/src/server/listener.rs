//! The socket that accepts, and the hand-out of connections to the serving threads in turn.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serving::Peers;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use super::limits::Limits;
use super::tls::Tls;
use super::worker::{Accepted, Slot, Worker};
use crate::grpc::express::ExpressLayer;

/// A bound listener and the threads that will serve its connections.
pub struct Listener {
    socket: TcpListener,
    workers: Vec<Worker>,
    slots: Arc<Semaphore>,
    peers: Arc<Peers>,
}

impl Listener {
    /// Binds `address` and starts `threads` serving threads. Nothing is accepted yet.
    ///
    /// # Errors
    /// The address can't be bound, or a thread not be started.
    pub fn bind(
        address: SocketAddr,
        threads: usize,
        limits: Limits,
        tls: Option<&Arc<Tls>>,
        routes: &Routes,
        express: &ExpressLayer,
    ) -> io::Result<Self> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let workers = (0..threads)
            .map(|number| {
                Worker::start(number, limits, tls.cloned(), routes.clone(), express.clone())
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            workers,
            slots: Arc::new(Semaphore::new(limits.connections)),
            peers: Peers::new(limits.connections_per_address),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until `stop`, then lets the calls under way finish for at most `drain`.
    pub async fn serve(self, stop: CancellationToken, drain: Duration) {
        let mut next = 0;
        loop {
            let slots = Arc::clone(&self.slots);
            let accepted = async {
                // The semaphore is never closed; without a slot nothing is accepted.
                let permit = slots.acquire_owned().await.ok()?;
                // As a plain socket, so that it is watched by the thread that serves it: while this
                // runtime watched it, every call would wake a thread of each.
                let accepted = self.socket.accept().await;
                match accepted.and_then(|(stream, address)| Ok((stream.into_std()?, address))) {
                    Ok((stream, address)) => {
                        let Some(place) = self.peers.admit(address.ip()) else {
                            tracing::debug!(%address, "too many connections from one address");
                            return None;
                        };
                        let slot = Slot { _node: permit, _address: place };
                        Some(Accepted { stream, address, slot })
                    }
                    Err(error) => {
                        // Mostly out of file descriptors: wait for some to be closed.
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        None
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = accepted => if let Some(accepted) = accepted {
                    self.workers[next % self.workers.len()].hand(accepted);
                    next = next.wrapping_add(1);
                },
            }
        }
        drop(self.socket);
        let drained = self.workers.into_iter().map(|worker| worker.drain(drain));
        futures_util::future::join_all(drained).await;
    }
}
