//! The configuration of a key: what the product that uses the key reads with it.
//!
//! The owner's e-mail address that `GetConfig` shows is a fact of the key, not of this stream.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;
mod values;

pub use command::ConfigCommand;
pub use event::{ConfigEvent, Created};
pub use state::{Config, ConfigState};
pub use values::{
    AiModels, ConfigSettings, DocumentAccess, EmailProvider, EmailService, Plan, TemplateId,
    WebhookService, WebhookUrl,
};
