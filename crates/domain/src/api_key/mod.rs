//! The API key: all but its secret.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;

pub use command::ApiKeyCommand;
pub use event::{ApiKeyEvent, Created, Disabled, Enabled, Revoked};
pub use state::{ApiKey, ApiKeyState, Credential, Revocation, Settings, Status};
