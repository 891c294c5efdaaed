//! The rules of a configuration.

use super::command::ConfigCommand;
use super::event::{ConfigEvent, Created};
use super::state::ConfigState;
use crate::{Decider, Rejection};

impl Decider for ConfigState {
    type Command = ConfigCommand;
    type Event = ConfigEvent;

    fn decide(&self, command: ConfigCommand) -> Result<Vec<ConfigEvent>, Rejection> {
        match (self, command) {
            (Self::Missing, ConfigCommand::Create { key_id, workspace_id, settings, now }) => {
                Ok(vec![ConfigEvent::Created(Box::new(Created {
                    key_id,
                    workspace_id,
                    settings: *settings,
                    at: now,
                }))])
            }
            (Self::Present(_), ConfigCommand::Create { .. }) => Err(Rejection::AlreadyExists),
        }
    }

    fn evolve(self, event: &ConfigEvent) -> Self {
        self.after(event)
    }
}
