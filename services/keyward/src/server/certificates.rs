//! Reads the files of TLS again: soon after they have changed, and at once on SIGHUP. New connections get
//! what is new; old ones go on until they are old enough to end.
//!
//! What can't be used is refused with one line of the log, and what was there stays.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::serving::{FileStamp, stamp};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::tls::{Tls, load};
use crate::clock::Clock;

/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(2);
/// How long before its end a certificate is warned of.
const SOON: Duration = Duration::from_secs(7 * 86_400);
/// How often.
const AGAIN: Duration = Duration::from_secs(86_400);

const RELOADS: &str = "keyward_tls_reloads_total";
const EXPIRY: &str = "keyward_tls_certificate_expiry_timestamp_seconds";

impl Tls {
    /// Keeps to the files until `stop`. They are read again at once when `now` changes.
    pub async fn keep(
        self: Arc<Self>,
        clock: Clock,
        mut now: watch::Receiver<()>,
        stop: CancellationToken,
    ) {
        describe_metrics();
        let (mut seen, mut settled) = (self.stamp(), true);
        let mut warned = None;
        loop {
            self.tell_expiry(&clock, &mut warned);
            let at_once = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => false,
                Ok(()) = now.changed() => true,
            };
            // Before they are read: what is written later is then seen to have changed.
            let stamp = self.stamp();
            let changed = stamp != seen;
            if at_once || (!changed && !settled) {
                self.reload();
                warned = None;
            }
            // Certificate and key are written one after the other: a look later both are there.
            settled = at_once || !changed;
            seen = stamp;
        }
    }

    fn reload(&self) {
        match load(&self.files) {
            Ok(loaded) => {
                self.current.store(Arc::new(loaded));
                metrics::counter!(RELOADS, "result" => "loaded").increment(1);
                tracing::info!("certificates were read again; new connections get them");
            }
            Err(error) => {
                metrics::counter!(RELOADS, "result" => "refused").increment(1);
                let cause = error.source().map(ToString::to_string);
                tracing::error!(%error, cause, "certificates were refused; those before stay");
            }
        }
    }

    fn tell_expiry(&self, clock: &Clock, warned: &mut Option<Instant>) {
        let Some(expiry) = self.current.load().expiry else {
            return;
        };
        metrics::gauge!(EXPIRY).set(expiry as f64);
        let left = left(expiry, clock.now());
        if left > SOON || warned.is_some_and(|at| at.elapsed() < AGAIN) {
            return;
        }
        *warned = Some(Instant::now());
        let hours_left = left.as_secs() / 3_600;
        let certificate = self.files.certificate.display();
        if left.is_zero() {
            tracing::error!(%certificate, "the certificate is expired");
        } else {
            tracing::warn!(%certificate, hours_left, "the certificate expires soon");
        }
    }

    fn stamp(&self) -> Vec<Option<FileStamp>> {
        let files = [&self.files.certificate, &self.files.key];
        files.into_iter().chain(&self.files.client_ca).map(|path| stamp(path)).collect()
    }
}

/// How long it is until `expiry`, in seconds of the Unix epoch.
fn left(expiry: u64, now: Timestamp) -> Duration {
    let now = u64::try_from(now.as_second()).unwrap_or_default();
    Duration::from_secs(expiry.saturating_sub(now))
}

fn describe_metrics() {
    metrics::describe_counter!(
        RELOADS,
        "How often the files of TLS were read again, by whether they could be used"
    );
    metrics::describe_gauge!(
        EXPIRY,
        "When the certificate that new connections get ends, in seconds of the Unix epoch"
    );
}
