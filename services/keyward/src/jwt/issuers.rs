//! All identity providers of this deployment, and whom a token of theirs stands for.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::claims::{self, User};
use super::fault::Fault;
use super::fetch::RootsError;
use super::provider::{NoKey, Provider};
use super::settings::{self, SettingsError};
use super::source::Source;
use super::token::Unverified;
use crate::clock::Clock;

const REFUSED: &str = "keyward_jwt_refused_total";

/// Issuers that can't be used: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum IssuersError {
    /// The file can't be read.
    #[error("--jwt-issuers: can't read {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it must be.
    #[error("--jwt-issuers: {path}: {source}")]
    Settings {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: SettingsError,
    },
    /// The roots for an issuer's address can't be used.
    #[error("--jwt-issuers: issuer {name:?}: {source}")]
    Roots {
        /// The issuer's name.
        name: String,
        /// Why.
        source: RootsError,
    },
    /// An issuer's `jwks_file` is not what it must be.
    #[error("--jwt-issuers: issuer {name:?}: its key set can't be used: {why}")]
    Keys {
        /// The issuer's name.
        name: String,
        /// Why.
        why: String,
    },
}

/// Why it can't be said whom a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotKnown {
    /// It is not valid, whatever is wrong with it.
    Invalid,
    /// The keys of its issuer are not known here.
    Unavailable,
}

/// All identity providers.
#[derive(Default)]
pub(crate) struct Issuers(Vec<Provider>);

impl Issuers {
    /// Those of this file; none without one. Key sets in files are read, those elsewhere are not waited for.
    ///
    /// # Errors
    /// See [`IssuersError`].
    pub(crate) async fn open(path: Option<&Path>, clock: &Clock) -> Result<Self, IssuersError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        describe_metrics();
        let text = settings::read(path)
            .map_err(|source| IssuersError::File { path: path.to_owned(), source })?;
        let issuers = settings::parse(&text)
            .map_err(|source| IssuersError::Settings { path: path.to_owned(), source })?;
        let mut providers = Vec::new();
        for issuer in issuers {
            let name = issuer.name.clone();
            let source = match Source::of(&issuer.keys) {
                Ok(source) => source,
                Err(source) => return Err(IssuersError::Roots { name, source }),
            };
            let provider = Provider::new(issuer, source, clock.clone());
            if provider.in_a_file() {
                provider.look().await.map_err(|why| IssuersError::Keys { name, why })?;
            }
            providers.push(provider);
        }
        Ok(Self(providers))
    }

    /// Keeps the keys of all up to date, until `stop`.
    pub(crate) async fn keep_up(&self, stop: CancellationToken) {
        join_all(self.0.iter().map(|provider| provider.keep_up(stop.clone()))).await;
        stop.cancelled().await;
    }

    /// Whom `jwt` stands for, now, in a request of this client, if it says of which it is.
    ///
    /// # Errors
    /// It stands for nobody, or that can't be said.
    pub(crate) async fn user(
        &self,
        jwt: &str,
        client: Option<&[u8]>,
        clock: &Clock,
    ) -> Result<User, NotKnown> {
        let (issuer, outcome) = self.judge(jwt, client, clock).await;
        outcome.map_err(|fault| {
            let not_known = match fault {
                Fault::NoKeys => NotKnown::Unavailable,
                Fault::Size
                | Fault::Form
                | Fault::Header
                | Fault::Algorithm
                | Fault::Issuer
                | Fault::Audience
                | Fault::Expired
                | Fault::NotYet
                | Fault::Time
                | Fault::Subject
                | Fault::Key
                | Fault::Signature
                | Fault::Workspace
                | Fault::Role
                | Fault::Portal
                | Fault::Client => NotKnown::Invalid,
            };
            note(issuer, fault);
            not_known
        })
    }

    /// Notes that a user of this subject came with a workspace that is not there.
    pub(crate) fn note_no_workspace(&self, user: &User) {
        let name = user.subject.split_once(':').map_or("", |(name, _)| name);
        let known = self.0.iter().find(|one| one.issuer.name == name);
        note(known.map_or("none", |one| &one.issuer.name), Fault::Workspace);
    }

    /// The name of the issuer, and whom the token stands for or what is wrong with it.
    async fn judge(
        &self,
        jwt: &str,
        client: Option<&[u8]>,
        clock: &Clock,
    ) -> (&str, Result<User, Fault>) {
        let token = match Unverified::read(jwt) {
            Ok(token) => token,
            Err(fault) => return ("none", Err(fault)),
        };
        let said = token.claims.get("iss").and_then(Value::as_str);
        let provider = self.0.iter().find(|one| Some(one.issuer.issuer.as_str()) == said);
        let Some(provider) = provider else {
            return ("none", Err(Fault::Issuer));
        };
        let user = match signed(provider, jwt, &token, clock).await {
            Ok(()) => claims::user(&token.claims, &provider.issuer, client),
            Err(fault) => Err(fault),
        };
        (&provider.issuer.name, user)
    }
}

/// Whether the token is one of this issuer, for us, and counts now. No key is looked for before all is right that
/// can be told without one.
async fn signed(
    provider: &Provider,
    jwt: &str,
    token: &Unverified,
    clock: &Clock,
) -> Result<(), Fault> {
    let issuer = &provider.issuer;
    if token.algorithm != issuer.algorithm.as_str() {
        return Err(Fault::Algorithm);
    }
    claims::counts(&token.claims, issuer, clock.bounds())?;
    let key = provider.key(token.kid.as_deref()).await.map_err(|none| match none {
        NoKey::Unknown => Fault::Key,
        NoKey::Unavailable => Fault::NoKeys,
    })?;
    if !key.signed(jwt, &issuer.issuer, &issuer.audience) {
        return Err(Fault::Signature);
    }
    Ok(())
}

fn note(issuer: &str, fault: Fault) {
    tracing::debug!(issuer, fault = fault.as_str(), "a JWT was refused");
    metrics::counter!(REFUSED, "issuer" => issuer.to_owned(), "fault" => fault.as_str())
        .increment(1);
}

fn describe_metrics() {
    metrics::describe_counter!(REFUSED, "JWTs refused, by issuer and what was wrong");
    metrics::describe_counter!(
        "keyward_jwks_looks_total",
        "Looks at the keys of identity providers, by issuer and outcome"
    );
}
