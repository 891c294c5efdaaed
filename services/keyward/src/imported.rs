//! Keys of other systems: how the parts that a credential is kept by are derived from a text of any
//! shape, or from its SHA-256, which is all that an importer may have.
//!
//! Secret: the SHA-256, in the base62 of our own secrets, so that it is MACed and checked as those are.
//! Kid: 96 bits of a MAC of it, so that it can be looked up and says nothing of it. Key id: another MAC
//! of it, so that one key is imported once in a deployment, by whomever, even at the same time. Both MACs
//! are under the first chain key, whichever is active: to a text of any shape nothing says when it was
//! imported, so under a key that changes, each look-up would be one for each key that ever was, and two
//! imports under two keys would be two keys. Hence the first chain key never leaves the ring. Who learns
//! it can tell the ids of keys whose text he has, and nothing else: to pass, he needs the text.

use domain::{
    Binding, CredentialKind, CredentialRecord, DigestAlgorithm, Env, InvalidValue, KeyId, Kid,
    Presented, Secret, WorkspaceId,
};
use uuid::Uuid;
use vault::{ChainKey, Peppers};

const KID: &[u8] = b"keyward.imported.kid.v1";
const ID: &[u8] = b"keyward.imported.id.v1";

/// Guessing a shorter one is a matter of trying.
const SHORTEST: usize = 16;

/// A key of another system.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Foreign([u8; 32]);

impl Foreign {
    /// The key of this text, as VerifyKey will be given it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(vault::sha256(text.as_bytes()))
    }

    /// The key of this text, if it can be imported.
    ///
    /// # Errors
    /// Too short or long, or not visible ASCII, or what begins like a credential of ours.
    pub fn of_raw(text: &str, brand: &domain::Brand) -> Result<Self, InvalidValue> {
        let length = SHORTEST..=Presented::MAX_LENGTH;
        if !length.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidValue::new("must have 16 to 128 visible ASCII characters"));
        }
        if Presented::parse(text, brand).is_ok() {
            return Err(InvalidValue::new("must not be a credential of this service"));
        }
        Ok(Self::of(text))
    }

    /// The key with this SHA-256, in hexadecimal or base64.
    ///
    /// # Errors
    /// Neither spelling, or not of 32 bytes.
    pub fn of_sha256(text: &str) -> Result<Self, InvalidValue> {
        let bytes = if text.len() == 64 { from_hex(text) } else { from_base64(text) };
        let invalid = || InvalidValue::new("must be 64 hexadecimal digits, or base64 of 32 bytes");
        bytes.map(Self).ok_or_else(invalid)
    }

    /// What it is looked up and checked by.
    #[must_use]
    pub fn parts(&self, chain: &ChainKey) -> (Kid, Secret) {
        let mac = chain.lasting(&[KID, &self.0].concat());
        let mut bits = [0; 12];
        bits.copy_from_slice(&mac[..12]);
        (Kid::from_entropy(bits), Secret::from_entropy(&self.0))
    }

    /// The id of the key that it becomes: a UUIDv8 (RFC 9562, 5.8), which does not sort by creation.
    #[must_use]
    pub fn key_id(&self, chain: &ChainKey) -> KeyId {
        let mac = chain.lasting(&[ID, &self.0].concat());
        let mut bits = [0; 16];
        bits.copy_from_slice(&mac[..16]);
        KeyId::new(uuid::Builder::from_custom_bytes(bits).into_uuid())
    }

    /// What is kept of it.
    #[must_use]
    pub fn record(
        &self,
        chain: &ChainKey,
        peppers: &Peppers,
        workspace: WorkspaceId,
        env: Env,
    ) -> CredentialRecord {
        let (kid, secret) = self.parts(chain);
        let resource: Uuid = self.key_id(chain).uuid();
        let kind = CredentialKind::Imported;
        let binding = Binding { workspace: Some(workspace), resource, kid, env, kind };
        let (pepper, digest) = peppers.digest(&binding, secret.expose());
        CredentialRecord { kid, pepper, algorithm: DigestAlgorithm::ImportedSha256, digest }
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<[u8; 32]> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_may_be_hexadecimal_or_any_base64_and_is_the_text_s_own() {
        // SHA-256 of "abc", FIPS 180-4 example B.1.
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let spellings = [
            hex,
            &hex.to_uppercase(),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=",
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
        ];
        for text in spellings {
            assert!(Foreign::of_sha256(text).is_ok_and(|key| key == Foreign::of("abc")), "{text}");
        }
        for text in ["", &hex[..62], &format!("{hex}00"), &hex.replace('b', "g"), "YWJj", "é"] {
            assert!(Foreign::of_sha256(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_raw_key_is_visible_ascii_of_some_length_and_none_of_ours() {
        let brand = domain::Brand::default();
        let refused = |text: &str| Foreign::of_raw(text, &brand).is_err();
        assert!(
            refused(&"x".repeat(15)) && refused(&"x".repeat(129)) && refused("a b c d e f g h i")
        );
        assert!(refused("schlüssel-mit-umlaut"));
        assert!(!refused(&"x".repeat(16)) && !refused(&"x".repeat(128)));
        let secret = Secret::from_entropy(&[7; 32]);
        let kid = Kid::from_entropy([7; 12]);
        let ours = domain::SecretText::new(&brand, CredentialKind::ApiKey, Env::Live, kid, &secret);
        assert!(refused(ours.expose()));
    }
}
