//! SIGHUP: what is kept in files is to be read again now. Whoever keeps such a thing subscribes.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The signal, and who is told of it.
pub struct Reload {
    hangups: Option<Signal>,
    told: watch::Sender<()>,
}

impl Reload {
    /// From here on SIGHUP does not end the program, if it is heeded.
    ///
    /// # Errors
    /// The system takes no more signals.
    pub fn new(heeded: bool) -> io::Result<Self> {
        let hangups = heeded.then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self { hangups, told: watch::Sender::new(()) })
    }

    /// Changes with every signal from now on; several at once count as one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.told.subscribe()
    }

    /// Tells the subscribers until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let Some(hangups) = &mut self.hangups else {
            return stop.cancelled().await;
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(()) = hangups.recv() => {}
            }
            tracing::info!("SIGHUP: reading files again");
            self.told.send_replace(());
        }
    }
}
