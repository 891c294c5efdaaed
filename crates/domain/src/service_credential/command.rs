//! What can be asked of a service credential.

use jiff::Timestamp;

use super::proof::Proof;
use super::state::{Bounds, Permission};
use crate::{Name, ServiceCredentialId};

/// A wish about one service credential.
#[derive(Debug, Clone)]
pub enum ServiceCredentialCommand {
    /// Bring one into being.
    Create {
        /// Its id.
        service_credential_id: ServiceCredentialId,
        /// Who asks, as recorded.
        created_by: String,
        /// Its display name.
        name: Name,
        /// What it may do; doubles count once.
        permissions: Vec<Permission>,
        /// Where it may do that.
        bounds: Bounds,
        /// What proves it. One with an identity has an id that the identity determines, so that a second
        /// one meets the first.
        proof: Proof,
        /// The moment of asking.
        now: Timestamp,
    },
    /// End it for good.
    Revoke {
        /// The moment of asking.
        now: Timestamp,
    },
}
