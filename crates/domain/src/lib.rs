//! The rules of Keyward, and nothing else: ids, values, commands, events, `decide`/`evolve`, `judge`.
//!
//! Commands ask, `decide` answers with events or a [`Rejection`], `evolve` folds events into state,
//! and [`verdict::judge`] says whether a presented key may pass. Deliberately absent: async, clocks,
//! chance, logging, storage and the wire. Whatever depends on those is an argument.

pub mod api_key;
pub mod auth_token;
pub mod config;
mod decider;
mod domains;
mod event;
mod hex;
mod ids;
mod networks;
mod owner;
mod scopes;
mod secret;
pub mod service_credential;
#[cfg(test)]
mod spec;
mod spiffe;
mod suspect;
mod text;
mod values;
pub mod verdict;
pub mod workspace;

pub use decider::{Decider, Rejection};
pub use domains::{DomainPattern, DomainRules, Origin};
pub use event::{DecodeError, Event, Noun};
pub use ids::{AuthTokenId, KeyId, ServiceCredentialId, WorkspaceId};
pub use networks::{AddressRanges, Network, parse_client_address};
pub use owner::{Owner, Principal};
pub use scopes::{Scope, ScopeSet};
pub use secret::{
    Binding, Brand, CredentialKind, CredentialRecord, DigestAlgorithm, Kid, Malformed, PepperId,
    Presented, SECRET_LENGTH, Secret, SecretDigest, SecretText, display,
};
pub use spiffe::SpiffeId;
pub use suspect::Suspect;
pub use text::{Description, EmailAddress, Name, ReasonText, RevealReason};
pub use values::{
    Env, InvalidValue, JsonObject, Labels, Micros, RevocationReason, Sealed, SealedSecret,
};
