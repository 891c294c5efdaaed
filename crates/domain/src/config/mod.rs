//! The configuration of a key: what the product that uses the key reads with it.
//!
//! The owner's e-mail address and the origins that `GetConfig` shows are facts of the key, not of this
//! stream; who was shown a secret is in a stream of its own.

mod changes;
mod command;
mod decide;
mod event;
mod reveal;
mod secrets;
#[cfg(test)]
mod spec;
mod state;
mod values;

pub use changes::{ConfigChanges, EmailChanges, WebhookChanges};
pub use command::ConfigCommand;
pub use event::{
    AutoOrgUserChanged, ConfigEvent, Created, DocumentAccessChanged, EmailServiceChanged,
    JwtRequirementChanged, PlanChanged, PrivateCommentsSwitched, SecretDeleted, SecretPut,
    SubjectErased, WebhookServiceChanged,
};
pub use reveal::{RevealEvent, Revealed};
pub use secrets::{Provider, SecretField};
pub use state::{Config, ConfigState};
pub use values::{
    AiModels, ConfigSettings, DocumentAccess, EmailLacks, EmailProvider, EmailService, Plan,
    TemplateId, WebhookService, WebhookUrl,
};
