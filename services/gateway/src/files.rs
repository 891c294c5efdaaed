//! What is kept in files and may change while the gateway runs: the certificate, the credentials of `/verify`
//! and of new workspaces, and the secret that the service has as well. Each is read again soon after it has
//! changed, and at once when it is asked for. What can't be used is refused with one line of the log, and
//! what was there stays.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use serving::{FileStamp, TlsError, stamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError, TlsFiles};
use crate::secrets::{Secret, load_credential, load_shared};

/// How often it is looked whether a file has changed.
const LOOK: Duration = Duration::from_secs(2);

/// What is spoken under TLS, best first.
const PROTOCOLS: &[&str] = &["h2", "http/1.1"];

/// The current state of each.
pub(crate) struct Files {
    tls: Option<(TlsFiles, watch::Sender<Arc<ServerConfig>>)>,
    credential: Kept,
    workspace: Kept,
    shared: Kept,
}

/// A secret, and the file that it is from, if it is from one.
struct Kept {
    path: Option<PathBuf>,
    load: fn(&Path) -> Result<Secret, ConfigError>,
    current: watch::Sender<Option<Secret>>,
}

impl Files {
    /// What the configuration has read, and the certificate.
    ///
    /// # Errors
    /// The certificate or its key can't be used.
    pub(crate) fn new(config: &Config) -> Result<Self, TlsError> {
        let tls = config.tls.as_ref().map(|files| {
            let loaded = serving::load(files, PROTOCOLS)?.config;
            Ok((files.clone(), watch::Sender::new(loaded)))
        });
        Ok(Self {
            tls: tls.transpose()?,
            credential: Kept {
                path: config.verify_credential_file.clone(),
                load: |path| load_credential("verify-credential-file", path),
                current: watch::Sender::new(config.verify_credential.clone()),
            },
            workspace: Kept {
                path: config.workspace_credential_file.clone(),
                load: |path| load_credential("velt-workspace-credential-file", path),
                current: watch::Sender::new(config.workspace_credential.clone()),
            },
            shared: Kept {
                path: config.gateway_secret_file.clone(),
                load: load_shared,
                current: watch::Sender::new(config.gateway_secret.clone()),
            },
        })
    }

    /// What new connections get, if they get TLS.
    pub(crate) fn tls(&self) -> Option<watch::Receiver<Arc<ServerConfig>>> {
        self.tls.as_ref().map(|(_, current)| current.subscribe())
    }

    /// What verdicts are asked for with.
    pub(crate) fn credential(&self) -> Option<Secret> {
        self.credential.current.borrow().clone()
    }

    /// What workspaces are made with for those who sign up.
    pub(crate) fn workspace(&self) -> Option<Secret> {
        self.workspace.current.borrow().clone()
    }

    /// What tells the service that it is a gateway who calls.
    pub(crate) fn shared(&self) -> Option<Secret> {
        self.shared.current.borrow().clone()
    }

    /// Keeps to the files until `stop`.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = self.stamps();
        let mut unsettled = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            // Before they are read: what is written later is then seen to have changed.
            let stamps = self.stamps();
            let changed = stamps != seen;
            // Certificate and key are written one after the other: a look later both are there.
            if unsettled && !changed {
                self.read_again();
            }
            unsettled = changed;
            seen = stamps;
        }
    }

    /// Reads all of them.
    pub(crate) fn read_again(&self) {
        if let Some((files, current)) = &self.tls {
            match serving::load(files, PROTOCOLS) {
                Ok(loaded) => {
                    current.send_replace(loaded.config);
                    tracing::info!("the certificate was read again; new connections get it");
                }
                Err(error) => refused(&error),
            }
        }
        self.credential.read_again("the credential of /verify");
        self.workspace.read_again("the credential of new workspaces");
        self.shared.read_again("the secret of the gateway");
    }

    fn stamps(&self) -> Vec<Option<FileStamp>> {
        let tls = self.tls.iter().flat_map(|(files, _)| [&files.certificate, &files.key]);
        let secrets = [&self.credential, &self.workspace, &self.shared];
        let secrets = secrets.into_iter().filter_map(|kept| kept.path.as_ref());
        tls.chain(secrets).map(|path| stamp(path)).collect()
    }
}

impl Kept {
    fn read_again(&self, what: &str) {
        let Some(path) = &self.path else {
            return;
        };
        match (self.load)(path) {
            Ok(loaded) => {
                self.current.send_replace(Some(loaded));
                tracing::info!("{what} was read again");
            }
            Err(error) => refused(&error),
        }
    }
}

fn refused(error: &dyn Error) {
    let cause = error.source().map(ToString::to_string);
    tracing::error!(%error, cause, "a file was refused; what was there stays");
}
