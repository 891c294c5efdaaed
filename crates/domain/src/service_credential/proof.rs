//! What a service proves itself with: a secret of ours, or the name in its certificate. Never both: each
//! would have to be taken away by itself.

use crate::{CredentialRecord, SpiffeId};

/// What proves a service credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A secret, as stored.
    Secret(CredentialRecord),
    /// The identity that the client's certificate names; there is no secret.
    Identity(SpiffeId),
}

/// What is stored has no proof, or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("either `credential` or `identity` must be there")]
pub struct NeitherOrBoth;

impl Proof {
    /// The proof of these parts as they are stored.
    ///
    /// # Errors
    /// None is there, or both are.
    pub fn from_parts(
        credential: Option<CredentialRecord>,
        identity: Option<SpiffeId>,
    ) -> Result<Self, NeitherOrBoth> {
        match (credential, identity) {
            (Some(credential), None) => Ok(Self::Secret(credential)),
            (None, Some(identity)) => Ok(Self::Identity(identity)),
            (None, None) | (Some(_), Some(_)) => Err(NeitherOrBoth),
        }
    }

    /// The parts to store it by.
    #[must_use]
    pub fn into_parts(self) -> (Option<CredentialRecord>, Option<SpiffeId>) {
        match self {
            Self::Secret(credential) => (Some(credential), None),
            Self::Identity(identity) => (None, Some(identity)),
        }
    }

    /// The secret, as stored, if there is one.
    #[must_use]
    pub const fn secret(&self) -> Option<&CredentialRecord> {
        match self {
            Self::Secret(credential) => Some(credential),
            Self::Identity(_) => None,
        }
    }

    /// The identity, if it is one.
    #[must_use]
    pub const fn identity(&self) -> Option<&SpiffeId> {
        match self {
            Self::Secret(_) => None,
            Self::Identity(identity) => Some(identity),
        }
    }
}
