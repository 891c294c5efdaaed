//! The API key: all but its secret.

mod changes;
mod command;
mod decide;
mod event;
#[cfg(test)]
mod spec;
mod state;

pub use changes::Changes;
pub use command::ApiKeyCommand;
pub use decide::UNDELETE_WINDOW;
pub use event::{
    AddressesChanged, ApiKeyEvent, Created, Deleted, Disabled, DomainsChanged, Enabled, GraceEnded,
    MetadataChanged, OwnerChanged, Redescribed, Renamed, Revoked, Rotated, ScopesChanged,
    SubjectErased, Undeleted, ValidityChanged,
};
pub use state::{ApiKey, ApiKeyState, Credential, KEPT_CREDENTIALS, Revocation, Settings, Status};
