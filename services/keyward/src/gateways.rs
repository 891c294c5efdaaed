//! Who is believed when it says for whom it calls: gateways, told by the certificate of their connection or
//! by a secret that they share with this service. From anybody else such words are dropped and counted.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::SpiffeId;
use secrecy::{ExposeSecret, SecretString};
use serving::stamp;
use telemetry::metrics::{HotCounter, Metrics};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How often it is looked whether the file of the secrets has changed.
const LOOK: Duration = Duration::from_secs(2);
/// The least characters of a secret.
const SHORTEST: usize = 32;
/// The secret, and while it is replaced the one before.
const MOST: usize = 2;

const DROPPED: &str = "keyward_client_address_dropped_total";

/// Who gateways are, as the settings say it.
#[derive(Debug, Clone, Default)]
pub struct GatewayTrust {
    /// Whose certificates are gateways'.
    pub identities: Vec<SpiffeId>,
    /// The file with the secret that gateways present.
    pub secret_file: Option<PathBuf>,
    /// One that this program has drawn for a gateway of its own.
    pub own_secret: Option<SecretString>,
}

/// A file of secrets that can't be used: one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("--gateway-secret-file: {path} {rule}")]
pub struct GatewaySecretError {
    path: PathBuf,
    rule: String,
}

/// The gateways of a running node.
pub struct Gateways {
    trust: GatewayTrust,
    /// From the file; may be others at the next look.
    secrets: ArcSwap<Vec<SecretString>>,
    strangers: HotCounter,
    wrong: HotCounter,
}

impl Gateways {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// It is missing, readable by others, or holds something else.
    pub fn new(trust: GatewayTrust, metrics: &Metrics) -> Result<Self, GatewaySecretError> {
        metrics.describe_counter(
            DROPPED,
            "Calls that named a client's address and were not believed, by whether they came with a wrong secret",
        );
        let secrets = trust.secret_file.as_deref().map(load).transpose()?.unwrap_or_default();
        Ok(Self {
            trust,
            secrets: ArcSwap::from_pointee(secrets),
            strangers: metrics.hot_counter(DROPPED, &[("why", "stranger")]),
            wrong: metrics.hot_counter(DROPPED, &[("why", "wrong_secret")]),
        })
    }

    /// Whether a certificate of this identity is a gateway's.
    #[must_use]
    pub fn has_identity(&self, identity: &SpiffeId) -> bool {
        self.trust.identities.contains(identity)
    }

    /// Whether this is the secret of a gateway. Takes the same time for every wrong one of one length.
    #[must_use]
    pub fn has_secret(&self, presented: &[u8]) -> bool {
        let is =
            |known: &SecretString| vault::same_secret(presented, known.expose_secret().as_bytes());
        let mut found = self.trust.own_secret.as_ref().is_some_and(is);
        for known in self.secrets.load().iter() {
            found |= is(known);
        }
        found
    }

    /// Counts an address that was not believed.
    pub fn dropped(&self, with_secret: bool) {
        if with_secret {
            self.wrong.add(1);
        } else {
            self.strangers.add(1);
        }
    }

    /// Keeps to the file until `stop`. It is read again soon after it has changed, and at once when `now`
    /// changes. What can't be used is refused with one line of the log, and what was there stays.
    pub async fn keep(self: Arc<Self>, mut now: watch::Receiver<()>, stop: CancellationToken) {
        let Some(path) = &self.trust.secret_file else {
            return stop.cancelled().await;
        };
        let mut seen = stamp(path);
        loop {
            let at_once = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => false,
                Ok(()) = now.changed() => true,
            };
            // Before it is read: what is written later is then seen to have changed.
            let stamp = stamp(path);
            if !at_once && stamp == seen {
                continue;
            }
            seen = stamp;
            match load(path) {
                Ok(secrets) => {
                    self.secrets.store(Arc::new(secrets));
                    tracing::info!("the secret of gateways was read again");
                }
                Err(error) => tracing::error!(%error, "refused; the secret before stays"),
            }
        }
    }
}

/// The secrets of the file: one a line.
fn load(path: &Path) -> Result<Vec<SecretString>, GatewaySecretError> {
    let wrong = |rule: String| GatewaySecretError { path: path.to_owned(), rule };
    let unread = |error: std::io::Error| wrong(format!("can't be read: {error}"));
    let mut file = File::open(path).map_err(unread)?;
    if file.metadata().map_err(unread)?.permissions().mode() & 0o077 != 0 {
        return Err(wrong("can be read by others: chmod 600".to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    Read::by_ref(&mut file).take(4_096).read_to_string(&mut text).map_err(unread)?;
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let fits =
        |line: &&str| line.len() >= SHORTEST && line.bytes().all(|byte| byte.is_ascii_graphic());
    if lines.is_empty() || lines.len() > MOST || !lines.iter().all(fits) {
        return Err(wrong(format!(
            "must have one secret of at least {SHORTEST} visible characters, and may have the one before on a second line"
        )));
    }
    Ok(lines.into_iter().map(|line| line.to_owned().into()).collect())
}

#[cfg(test)]
#[path = "gateways_tests.rs"]
mod tests;
