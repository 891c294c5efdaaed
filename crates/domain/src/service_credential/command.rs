//! What can be asked of a service credential.

use jiff::Timestamp;

use super::state::{Bounds, Permission};
use crate::{CredentialRecord, Name, ServiceCredentialId};

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
        /// Its secret, as stored.
        credential: CredentialRecord,
        /// The moment of asking.
        now: Timestamp,
    },
    /// End it for good.
    Revoke {
        /// The moment of asking.
        now: Timestamp,
    },
}
