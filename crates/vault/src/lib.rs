//! All cryptography of Keyward but TLS: MACs of credentials, sealed envelopes, the key ring,
//! chance.
//!
//! A [`KeyRing`] is read from one text and hands out what its keys can do, never the keys:
//! [`Peppers`] check secrets, [`Keks`] wrap the data keys ([`Dek`]) that seal other people's
//! secrets, [`ChainKey`] authenticates the event log, [`Tokens`] seal short-lived texts. [`JwtKey`] is another's:
//! the public key of an identity provider. `ring` is
//! used here and for TLS only, so that another library is a change of this crate. Deliberately
//! absent: where wrapped keys and check values are stored, clocks, and every decision about who may
//! pass.
//!
//! Keys are wiped from our memory as soon as they are loaded; the key schedules that `ring` makes
//! of them live as long as the ring and are not wiped by it.

mod chain;
mod chance;
mod check;
mod envelope;
mod fingerprint;
mod gcm;
mod hash;
mod jwt;
mod keyring;
mod mask;
mod peppers;
mod tokens;

pub use chain::ChainKey;
pub use chance::{NoEntropy, fill, random};
pub use check::KeyCheck;
pub use envelope::{Dek, Keks, OpenError, Place, RewrapError, SealPurpose, WrappedDek};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use gcm::SealError;
pub use hash::{same_secret, sha256};
pub use jwt::{JwtAlgorithm, JwtKey, JwtKeyFault};
pub use keyring::{KeyPurpose, KeyRing, KeyRingError, KeyRingFault, RingEdit, RingKey};
pub use mask::{looks_masked, mask};
pub use peppers::Peppers;
pub use tokens::{NotOurs, TokenPurpose, Tokens};
