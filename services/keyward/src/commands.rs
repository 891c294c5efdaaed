//! The one command loop: read the stream, fold, decide, append at the expected revision, and begin
//! again when somebody else was faster.
//!
//! Deliberately absent: the wire, and who may ask. Both were settled before a command comes here.

mod config;
mod intent;

use domain::Rejection;
use eventlog::{
    Append, AppendOutcome, EventLog, LogError, Metadata, NewRequest, Position, StoredRequest,
    StreamId,
};
use vault::{NoEntropy, SealError};

pub use config::Configured;
use intent::Decision;
pub use intent::{Change, Folded, Intent, Subject};

use crate::clock::Clock;

/// How often a command is decided anew after a conflict before it is given up.
const MOST_ATTEMPTS: u32 = 8;

/// Who asks, from where, and in which request: what is stored with every event.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The tenant, if the events belong to one.
    pub workspace_id: Option<domain::WorkspaceId>,
    /// Stored with the events.
    pub metadata: Metadata,
}

/// What became of the intents.
#[derive(Debug)]
pub struct Committed {
    /// What each intent's subject is now, in the order of the intents.
    pub folded: Vec<Folded>,
    /// The position of the last event written or, if all was so already, of the last event that said
    /// so: whoever has it sees what was answered.
    pub position: Position,
}

/// An answer to a command that is not an error of the caller's wire.
#[derive(Debug)]
pub enum Outcome {
    /// Done, now or before.
    Committed(Committed),
    /// The client's request was answered before; nothing was done.
    Repeated(StoredRequest),
}

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The rules say no.
    #[error("the command was rejected")]
    Rejected(#[from] Rejection),
    /// The resource is not at the etag that the caller expects.
    #[error("the resource has changed")]
    EtagMismatch {
        /// Its revision now.
        actual: u64,
    },
    /// Others kept changing the same thing.
    #[error("others kept changing the same resource")]
    Contended,
    /// A stored event can't be read by this build.
    #[error("a stored event can't be read")]
    Undecodable(#[from] domain::DecodeError),
    /// No random bytes for the ids of events.
    #[error("no event ids can be drawn")]
    NoEntropy(#[from] NoEntropy),
    /// The reply to remember can't be sealed.
    #[error("the reply can't be sealed")]
    Seal(#[from] SealError),
    /// The log does not answer, or not as it must.
    #[error("the log refused")]
    Log(#[from] LogError),
}

/// Runs commands against the log.
#[derive(Debug, Clone)]
pub struct Commands {
    log: EventLog,
    clock: Clock,
}

impl Commands {
    /// Commands on this log.
    #[must_use]
    pub const fn new(log: EventLog, clock: Clock) -> Self {
        Self { log, clock }
    }

    /// The log that is written.
    #[must_use]
    pub const fn log(&self) -> &EventLog {
        &self.log
    }

    /// Does all of `intents`, or none. `remember` is given what the subjects will be, and the position
    /// that this rests on, and makes the record of the client's request. It is written in the same
    /// transaction, or in one of its own if all is so already. It may be called more than once.
    ///
    /// # Errors
    /// See [`CommandError`]. Nothing was written, except possibly under [`LogError::OutcomeUnknown`].
    pub async fn execute(
        &self,
        envelope: &Envelope,
        intents: &[Intent],
        remember: impl Fn(&[Folded], Position) -> Result<Option<NewRequest>, SealError> + Send,
    ) -> Result<Outcome, CommandError> {
        for _ in 0..MOST_ATTEMPTS {
            let mut decisions = Vec::with_capacity(intents.len());
            for intent in intents {
                decisions.push(self.decide(intent).await?);
            }
            match self.append(envelope, decisions, &remember).await {
                Err(CommandError::Log(LogError::Conflict { .. })) => {
                    metrics::counter!("keyward_command_retries_total").increment(1);
                }
                settled => return settled,
            }
        }
        Err(CommandError::Contended)
    }

    /// The key as the log has it now.
    ///
    /// # Errors
    /// It is not there, or not this workspace's: [`Rejection::NotFound`]. The log does not answer.
    pub async fn api_key(
        &self,
        workspace: domain::WorkspaceId,
        key_id: domain::KeyId,
    ) -> Result<domain::api_key::ApiKey, CommandError> {
        let recorded = self.log.read_stream(&StreamId::new(key_id.to_string())?).await?;
        let state: domain::api_key::ApiKeyState = intent::fold(&recorded)?;
        let key = state.present().filter(|key| key.workspace_id == workspace);
        Ok(key.ok_or(Rejection::NotFound)?.clone())
    }

    /// The workspace of the key of this id; `None` if there is no such key.
    ///
    /// # Errors
    /// The log does not answer, or an event can't be read.
    pub async fn owner_of(
        &self,
        key_id: domain::KeyId,
    ) -> Result<Option<domain::WorkspaceId>, CommandError> {
        let recorded = self.log.read_stream(&StreamId::new(key_id.to_string())?).await?;
        let state: domain::api_key::ApiKeyState = intent::fold(&recorded)?;
        Ok(state.present().map(|key| key.workspace_id))
    }

    /// Whether this id is a service credential's that has ended for good.
    ///
    /// # Errors
    /// The log does not answer, or an event can't be read.
    pub async fn is_revoked(&self, id: domain::ServiceCredentialId) -> Result<bool, CommandError> {
        let recorded = self.log.read_stream(&StreamId::new(id.to_string())?).await?;
        let state: domain::service_credential::ServiceCredentialState = intent::fold(&recorded)?;
        Ok(state.present().is_some_and(|one| one.revoked_at.is_some()))
    }

    /// The auth tokens of a key as the log has them now, and the revision that they are at.
    ///
    /// # Errors
    /// The log does not answer, or an event can't be read.
    pub async fn auth_tokens(
        &self,
        key_id: domain::KeyId,
    ) -> Result<(domain::auth_token::AuthTokens, u64), CommandError> {
        let stream = StreamId::new(format!("{key_id}/auth_tokens"))?;
        let recorded = self.log.read_stream(&stream).await?;
        let revision = recorded.last().map_or(0, |stored| stored.revision.get());
        Ok((intent::fold(&recorded)?, revision))
    }

    /// A key, if there is one of this id, and its auth tokens, as the log has them now.
    ///
    /// # Errors
    /// The log does not answer, or an event can't be read.
    pub async fn key_and_auth_tokens(
        &self,
        key_id: domain::KeyId,
    ) -> Result<(domain::api_key::ApiKeyState, domain::auth_token::AuthTokens), CommandError> {
        let stream = StreamId::new(key_id.to_string())?;
        let key = async { Ok(self.log.read_stream(&stream).await?) };
        let (key, (tokens, _)) = tokio::try_join!(key, self.auth_tokens(key_id))?;
        Ok((intent::fold(&key)?, tokens))
    }

    async fn decide(&self, intent: &Intent) -> Result<Decision, CommandError> {
        let recorded = match intent.begins_stream() {
            true => Vec::new(),
            false => self.log.read_stream(&intent.stream()?).await?,
        };
        intent.decide(&recorded, self.clock.now())
    }

    async fn append(
        &self,
        envelope: &Envelope,
        decisions: Vec<Decision>,
        remember: impl Fn(&[Folded], Position) -> Result<Option<NewRequest>, SealError>,
    ) -> Result<Outcome, CommandError> {
        let seen = decisions.iter().map(|decision| decision.seen).max().unwrap_or(Position::ZERO);
        let (folded, streams): (Vec<_>, Vec<_>) =
            decisions.into_iter().map(|decision| (decision.folded, decision.append)).unzip();
        let request = remember(&folded, seen)?;
        if request.is_none() && streams.iter().all(|stream| stream.events.is_empty()) {
            // It is acknowledged as if it were done now, so it must be as safe.
            self.log.confirm().await?;
            return Ok(Outcome::Committed(Committed { folded, position: seen }));
        }
        let append = Append {
            workspace_id: envelope.workspace_id.map(|id| id.to_string()),
            streams,
            metadata: envelope.metadata.clone(),
            request,
        };
        Ok(match self.log.append(append).await? {
            AppendOutcome::Appended(appended) => {
                Outcome::Committed(Committed { folded, position: appended.last })
            }
            AppendOutcome::Remembered(position) => {
                Outcome::Committed(Committed { folded, position })
            }
            AppendOutcome::Repeated(stored) => Outcome::Repeated(stored),
        })
    }
}
