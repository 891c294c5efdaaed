//! Signatures of other people's JWTs: a public key of an identity provider, and whether it signed a token
//! (RFC 7515; RFC 7518, 3.3 and 3.4; RFC 8037).
//!
//! `jsonwebtoken` has no cryptography of its own since version 10, and its two ready-made providers are
//! not ours to use: one brings a second backend, the other the `rsa` crate. Here it gets `ring`. It takes a
//! token apart and compares algorithm, issuer and audience a second time; it is not relied on for what it is
//! lax about: of two members of one name it keeps the last, it knows no limits of size, and it reads the
//! machine's clock, so that times are not checked here at all. Whoever calls has checked all that before.

use std::fmt;
use std::sync::LazyLock;

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::de::IgnoredAny;
use signature::Verifier;

/// The algorithms that a JWT may be signed with. Each goes with its own kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// Ed25519 (RFC 8037). The curve Ed448 is not taken.
    EdDsa,
    /// ECDSA on P-256 with SHA-256, signatures of 64 bytes.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
}

impl JwtAlgorithm {
    /// As the header of a token names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    const fn of_the_library(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// Numbers that make no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtKeyFault {
    /// Not of the length that the curve has.
    #[error("a coordinate is not of 32 bytes")]
    Coordinate,
    /// Not of 2048 to 8192 bits, or with leading zeros.
    #[error("the modulus is not of 2048 to 8192 bits")]
    Modulus,
    /// Even, smaller than 3, of more than 32 bits, or with leading zeros.
    #[error("the exponent is not an odd number from 3 to 2^32")]
    Exponent,
}

/// A public key, good for one algorithm only.
#[derive(Clone)]
pub struct JwtKey {
    algorithm: JwtAlgorithm,
    key: DecodingKey,
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JwtKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl JwtKey {
    /// The Ed25519 key of this point.
    ///
    /// # Errors
    /// [`JwtKeyFault::Coordinate`].
    pub fn ed25519(x: &[u8]) -> Result<Self, JwtKeyFault> {
        coordinate(x)?;
        Ok(Self { algorithm: JwtAlgorithm::EdDsa, key: DecodingKey::from_ed_der(x) })
    }

    /// The P-256 key of this point. Whether it is on the curve is seen at each check.
    ///
    /// # Errors
    /// [`JwtKeyFault::Coordinate`].
    pub fn p256(x: &[u8], y: &[u8]) -> Result<Self, JwtKeyFault> {
        coordinate(x)?;
        coordinate(y)?;
        let point = [&[4][..], x, y].concat();
        Ok(Self { algorithm: JwtAlgorithm::Es256, key: DecodingKey::from_ec_der(&point) })
    }

    /// The RSA key of this modulus and exponent, big-endian.
    ///
    /// # Errors
    /// [`JwtKeyFault::Modulus`], [`JwtKeyFault::Exponent`].
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, JwtKeyFault> {
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        let plain = |number: &[u8]| number.first().is_some_and(|&first| first != 0);
        if !plain(n) || !(2048..=8192).contains(&bits) {
            return Err(JwtKeyFault::Modulus);
        }
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !plain(e) || !odd || e.len() > 4 || e == [1] {
            return Err(JwtKeyFault::Exponent);
        }
        let key = DecodingKey::from_rsa_raw_components(n, e);
        Ok(Self { algorithm: JwtAlgorithm::Rs256, key })
    }

    /// What it is good for.
    #[must_use]
    pub const fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    /// Whether this key signed the whole of `jwt` with its algorithm, for this audience and by this
    /// issuer. Not when: no clock is looked at.
    #[must_use]
    pub fn signed(&self, jwt: &str, issuer: &str, audience: &str) -> bool {
        static INSTALLED: LazyLock<()> = LazyLock::new(|| {
            // The only one who installs a provider in this program is this line.
            let _ = RING.install_default();
        });
        LazyLock::force(&INSTALLED);
        let mut validation = Validation::new(self.algorithm.of_the_library());
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        jsonwebtoken::decode::<IgnoredAny>(jwt, &self.key, &validation).is_ok()
    }
}

fn coordinate(bytes: &[u8]) -> Result<(), JwtKeyFault> {
    if bytes.len() == 32 { Ok(()) } else { Err(JwtKeyFault::Coordinate) }
}

/// `ring`, for the three algorithms. Nothing is signed here.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(Error::from(ErrorKind::InvalidAlgorithm)),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let known = [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256]
        .into_iter()
        .find(|known| known.of_the_library() == *algorithm)
        .filter(|known| known.of_the_library().family() == key.family());
    let algorithm = known.ok_or_else(|| Error::from(ErrorKind::InvalidAlgorithm))?;
    Ok(Box::new(JwtKey { algorithm, key: key.clone() }))
}

impl JwtVerifier for JwtKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm.of_the_library()
    }
}

impl Verifier<Vec<u8>> for JwtKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let checked = match (self.algorithm, self.key.kind()) {
            (JwtAlgorithm::EdDsa, DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
            (JwtAlgorithm::Es256, DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (JwtAlgorithm::Rs256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message,
                    signature,
                )
            }
            (
                JwtAlgorithm::EdDsa | JwtAlgorithm::Es256,
                DecodingKeyKind::RsaModulusExponent { .. },
            )
            | (JwtAlgorithm::Rs256, DecodingKeyKind::SecretOrDer(_)) => {
                Err(ring::error::Unspecified)
            }
        };
        checked.map_err(|_| signature::Error::new())
    }
}
