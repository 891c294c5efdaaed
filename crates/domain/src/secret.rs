//! The format of every credential that Keyward issues, read and written in one pass:
//!
//! ```text
//! <brand><type>_<env>_<kid:17>_<secret:43><crc:6>
//! ```
//!
//! The checksum is CRC-32/ISO-HDLC of all before it, in base62; it catches typing errors offline and
//! secures nothing. Deliberately absent: the MAC over the secret (`vault`) and the drawing of kid and
//! secret (the service).

mod base62;
mod digest;

use std::fmt;

use zeroize::Zeroizing;

pub use digest::{Binding, CredentialRecord, DigestAlgorithm, Kid, PepperId, SecretDigest};

use crate::values::{Env, InvalidValue};

/// Characters of the secret inside a credential: 256 bits in base62.
pub const SECRET_LENGTH: usize = 43;
const KID_LENGTH: usize = 17;
const CRC_LENGTH: usize = 6;

/// What kind of credential it is; a wrong one in a header is refused by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// `k`: an API key.
    ApiKey,
    /// `a`: an auth token, which manages one key's own configuration.
    AuthToken,
    /// `w`: a workspace token.
    WorkspaceToken,
    /// `s`: a service credential.
    ServiceCredential,
    /// `i`: an API key of another system, as it is bound and shown. No text is read as one: else whoever
    /// has the SHA-256 of an imported key could pass with that.
    Imported,
}

impl CredentialKind {
    /// The letter behind the brand.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::ApiKey => 'k',
            Self::AuthToken => 'a',
            Self::WorkspaceToken => 'w',
            Self::ServiceCredential => 's',
            Self::Imported => 'i',
        }
    }

    const fn of(letter: u8) -> Option<Self> {
        match letter {
            b'k' => Some(Self::ApiKey),
            b'a' => Some(Self::AuthToken),
            b'w' => Some(Self::WorkspaceToken),
            b's' => Some(Self::ServiceCredential),
            _ => None,
        }
    }
}

/// What the credentials of one deployment begin with: 2 to 5 lower-case letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand(String);

impl Brand {
    /// The brand, if it can't be taken for somebody else's.
    ///
    /// # Errors
    /// Not 2 to 5 lower-case letters; or `sk`, `pk`, `rk`, or one that begins with `gh`.
    pub fn new(text: &str) -> Result<Self, InvalidValue> {
        let letters =
            (2..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !letters || matches!(text, "sk" | "pk" | "rk") || text.starts_with("gh") {
            return Err(InvalidValue::new(
                "must be 2 to 5 lower-case letters, and not sk, pk, rk or gh...",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self("kw".to_owned())
    }
}

/// The secret part of a credential: 43 characters of canonical base62. Wiped when dropped; it can't
/// be printed.
pub struct Secret(Zeroizing<[u8; SECRET_LENGTH]>);

impl Secret {
    /// The secret that spells these 256 random bits.
    #[must_use]
    pub fn from_entropy(bits: &[u8; 32]) -> Self {
        let mut digits = Zeroizing::new([0; SECRET_LENGTH]);
        base62::encode_256(bits, &mut digits);
        Self(digits)
    }

    /// The characters, for the MAC.
    #[must_use]
    pub fn expose(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }
}

/// A whole credential as text, to be shown once. Wiped when dropped; it can't be printed.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The credential of these parts, with its checksum.
    #[must_use]
    pub fn new(brand: &Brand, kind: CredentialKind, env: Env, kid: Kid, secret: &Secret) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str(&display(brand, kind, env, kid));
        text.push('_');
        text.extend(secret.expose().iter().copied().map(char::from));
        let mut crc = [0; CRC_LENGTH];
        base62::encode_u128(u128::from(crc32fast::hash(text.as_bytes())), &mut crc);
        text.extend(crc.into_iter().map(char::from));
        Self(text)
    }

    /// The text. Whoever takes it out answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The form of a credential that may be shown and logged: all but the secret and checksum.
#[must_use]
pub fn display(brand: &Brand, kind: CredentialKind, env: Env, kid: Kid) -> String {
    format!("{}{}_{}_{kid}", brand.as_str(), kind.letter(), env.as_str())
}

/// The text is no credential of ours: wrong shape, length or checksum. Says no more on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential")]
pub struct Malformed;

/// A credential as somebody presented it: well-formed, not yet believed.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// What kind it claims to be.
    pub kind: CredentialKind,
    /// Which world it claims; believed once the MAC, which covers it, has matched.
    pub env: Env,
    /// The public selector.
    pub kid: Kid,
    secret: &'a [u8; SECRET_LENGTH],
}

impl<'a> Presented<'a> {
    /// The longest text that is looked at.
    pub const MAX_LENGTH: usize = 128;
    /// How many characters of a well-formed text come behind its [`display`] form: an underscore, the
    /// secret and the checksum.
    pub const HIDDEN_LENGTH: usize = 1 + SECRET_LENGTH + CRC_LENGTH;

    /// Reads `text` in one pass. Nothing is trimmed and case counts.
    ///
    /// # Errors
    /// [`Malformed`] for any other shape, a foreign brand, a wrong checksum, or a kid or secret that
    /// is not in its one canonical spelling.
    #[inline]
    pub fn parse(text: &'a str, brand: &Brand) -> Result<Self, Malformed> {
        Self::read(text.as_bytes(), brand.as_str().as_bytes()).ok_or(Malformed)
    }

    fn read(text: &'a [u8], brand: &[u8]) -> Option<Self> {
        let (&letter, rest) = text.strip_prefix(brand)?.split_first()?;
        let kind = CredentialKind::of(letter)?;
        let (env, rest) = match rest.strip_prefix(b"_live_") {
            Some(rest) => (Env::Live, rest),
            None => (Env::Test, rest.strip_prefix(b"_test_")?),
        };
        if rest.len() != KID_LENGTH + 1 + SECRET_LENGTH + CRC_LENGTH {
            return None;
        }
        let (kid, rest) = rest.split_first_chunk::<KID_LENGTH>()?;
        let (secret, crc) = rest.strip_prefix(b"_")?.split_first_chunk::<SECRET_LENGTH>()?;
        let body = &text[..text.len() - CRC_LENGTH];
        if base62::decode_u128(crc)? != u128::from(crc32fast::hash(body)) {
            return None;
        }
        let kid = Kid::from_digits(kid)?;
        base62::is_canonical_256(secret).then_some(Self { kind, env, kid, secret })
    }

    /// The secret's characters, for the MAC.
    #[must_use]
    pub const fn secret(&self) -> &'a [u8; SECRET_LENGTH] {
        self.secret
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("kind", &self.kind)
            .field("env", &self.env)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
