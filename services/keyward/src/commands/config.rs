//! A key's configuration as the log has it, now or then; and the record of who was shown a secret of it.

use domain::api_key::{ApiKey, ApiKeyState};
use domain::config::{Config, ConfigState, RevealEvent};
use domain::{Event, KeyId, Rejection, WorkspaceId};
use eventlog::{Append, AppendOutcome, Expected, Position, RecordedEvent, StreamAppend, StreamId};

use super::{CommandError, Commands, Envelope, intent};

/// A key and its configuration at one moment.
#[derive(Debug, Clone)]
pub struct Configured {
    /// The key.
    pub key: ApiKey,
    /// Its configuration.
    pub config: Config,
    /// The last revision of the configuration's stream.
    pub revision: u64,
}

impl Commands {
    /// A key and its configuration as the log has them, as far as `is_past` holds of its events.
    ///
    /// # Errors
    /// It was not there then, or is not this workspace's: [`Rejection::NotFound`]. The log does not
    /// answer.
    pub async fn config(
        &self,
        workspace: WorkspaceId,
        key_id: KeyId,
        is_past: impl Fn(&RecordedEvent) -> bool,
    ) -> Result<Configured, CommandError> {
        let mut of_key = self.log.read_stream(&StreamId::new(key_id.to_string())?).await?;
        of_key.retain(|event| is_past(event));
        let key: ApiKeyState = intent::fold(&of_key)?;
        let key = key.present().filter(|key| key.workspace_id == workspace);
        let key = key.ok_or(Rejection::NotFound)?.clone();
        let stream = StreamId::new(format!("{key_id}/config"))?;
        let mut of_config = self.log.read_stream(&stream).await?;
        of_config.retain(|event| is_past(event));
        let config: ConfigState = intent::fold(&of_config)?;
        let config = config.present().ok_or(Rejection::NotFound)?.clone();
        let revision = of_config.last().map_or(0, |event| event.revision.get());
        Ok(Configured { key, config, revision })
    }

    /// Writes down that a secret is about to be shown. There is nothing to decide, so it goes behind
    /// whatever is in its stream.
    ///
    /// # Errors
    /// The log does not answer. Nothing was written, except possibly under
    /// [`eventlog::LogError::OutcomeUnknown`].
    pub async fn record_reveal(
        &self,
        envelope: Envelope,
        event: RevealEvent,
    ) -> Result<Position, CommandError> {
        let event = Event::Reveal(event);
        let append = Append {
            workspace_id: envelope.workspace_id.map(|id| id.to_string()),
            streams: vec![StreamAppend {
                stream: StreamId::new(event.stream())?,
                expected: Expected::Any,
                events: vec![intent::new_event(&event, self.clock.now())?],
            }],
            metadata: envelope.metadata,
            request: None,
        };
        Ok(match self.log.append(append).await? {
            AppendOutcome::Appended(appended) => appended.last,
            // Only requests are remembered and repeated, and this is none.
            AppendOutcome::Remembered(position) => position,
            AppendOutcome::Repeated(stored) => stored.position,
        })
    }
}
