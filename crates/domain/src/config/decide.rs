//! The rules of a configuration.

use super::command::ConfigCommand;
use super::event::{ConfigEvent, Created, SecretDeleted, SecretPut, SubjectErased};
use super::secrets::{Provider, SecretField};
use super::state::{Config, ConfigState};
use crate::{Decider, Rejection};

impl Decider for ConfigState {
    type Command = ConfigCommand;
    type Event = ConfigEvent;

    fn decide(&self, command: ConfigCommand) -> Result<Vec<ConfigEvent>, Rejection> {
        match self {
            Self::Missing => create(command).map(|event| vec![event]),
            Self::Present(config) => change(config, command),
        }
    }

    fn evolve(self, event: &ConfigEvent) -> Self {
        self.after(event)
    }
}

fn create(command: ConfigCommand) -> Result<ConfigEvent, Rejection> {
    match command {
        ConfigCommand::Create { key_id, workspace_id, settings, now } => {
            Ok(ConfigEvent::Created(Box::new(Created {
                key_id,
                workspace_id,
                settings: *settings,
                at: now,
            })))
        }
        ConfigCommand::Update { .. }
        | ConfigCommand::PutSecret { .. }
        | ConfigCommand::DeleteSecret { .. }
        | ConfigCommand::EraseSubject { .. } => Err(Rejection::NotFound),
    }
}

/// What becomes of a configuration that exists. No event: it is already so.
fn change(config: &Config, command: ConfigCommand) -> Result<Vec<ConfigEvent>, Rejection> {
    let (key_id, settings) = (config.key_id, &config.settings);
    match command {
        ConfigCommand::Create { .. } => Err(Rejection::AlreadyExists),
        ConfigCommand::Update { changes, now } => changes.of(config, now),
        ConfigCommand::PutSecret { field, value, now } => {
            let full = settings.ai_models.len() >= Provider::MOST;
            let adds = field.provider().is_some() && settings.secret(&field).is_none();
            if full && adds {
                return Err(Rejection::TooManyProviders);
            }
            let put = SecretPut { key_id, field, value: *value, at: now };
            Ok(vec![ConfigEvent::SecretPut(Box::new(put))])
        }
        ConfigCommand::DeleteSecret { field, .. } if settings.secret(&field).is_none() => {
            Ok(Vec::new())
        }
        ConfigCommand::DeleteSecret { field, now } => {
            if field == SecretField::EmailApiKey && settings.email.is_foreign() {
                return Err(Rejection::EmailKeyInUse);
            }
            Ok(vec![ConfigEvent::SecretDeleted(SecretDeleted { key_id, field, at: now })])
        }
        ConfigCommand::EraseSubject { .. } if !settings.holds_sealed() => Ok(Vec::new()),
        ConfigCommand::EraseSubject { now } => {
            Ok(vec![ConfigEvent::SubjectErased(SubjectErased { key_id, at: now })])
        }
    }
}
