//! Which id a service credential with an identity has, so that no two live ones have the same identity.
//!
//! 1. The ids of an identity are numbered: each is made of a hash of the identity and its number.
//! 2. A new one takes the first number that no revoked credential has. If a live one has it, it is refused
//!    by its rules.
//! 3. So the credential of a number was begun only after that of the number before it had been revoked; and
//!    a revocation is final. At most one is live.
//! 4. Two that are made at once take the same number, and so the same stream, which begins once.
//!
//! No key goes into the hash: identities are no secrets, and a key may be replaced.

use domain::{ServiceCredentialId, SpiffeId};

use crate::commands::{CommandError, Commands};

const LABEL: &[u8] = b"keyward.service_identity.v1";

/// The id of the next service credential with this identity, or of the live one.
///
/// # Errors
/// The log does not answer, or an event can't be read.
pub async fn next_id(
    commands: &Commands,
    identity: &SpiffeId,
) -> Result<ServiceCredentialId, CommandError> {
    let mut number = 0;
    loop {
        let id = numbered(identity, number);
        if !commands.is_revoked(id).await? {
            return Ok(id);
        }
        number += 1;
    }
}

/// A UUIDv8 (RFC 9562, 5.8), which does not sort by creation.
fn numbered(identity: &SpiffeId, number: u64) -> ServiceCredentialId {
    let content = [LABEL, &number.to_be_bytes(), identity.as_str().as_bytes()].concat();
    let mut bits = [0; 16];
    bits.copy_from_slice(&vault::sha256(&content)[..16]);
    ServiceCredentialId::new(uuid::Builder::from_custom_bytes(bits).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_identity_and_number_and_never_changes() {
        let identity = |text: &str| SpiffeId::new(text).unwrap();
        let (one, other) = (identity("spiffe://example.org/a"), identity("spiffe://example.org/b"));
        let ids = [numbered(&one, 0), numbered(&one, 1), numbered(&other, 0), numbered(&other, 1)];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id));
        }
        // Another id would let a second credential of a stored identity begin.
        assert_eq!(ids[0].to_string(), "svc_3dnrbhqs56gpvszv4aaxcxvkew");
    }
}
