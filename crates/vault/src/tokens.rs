//! Short-lived sealed texts that hang on no data key: page tokens, and the replies kept
//! for repeated requests. Not a credential of any kind: whoever holds one may only hand it back.
//!
//! `version || key id || salt || nonce || ciphertext || tag`. Each purpose has its own key, derived
//! by HMAC from the ring's; each message has its own key, derived from that by 128 random bits of
//! salt. With the 96 bits of nonce no number of messages that can be made comes near a collision,
//! so these keys, unlike a DEK, have no bound on seals.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use zeroize::Zeroizing;

use crate::SealError;
use crate::gcm::{GcmKey, bound};
use crate::hash;
use crate::keyring::Slots;

const VERSION: u8 = 1;
const SALT: usize = 16;
const HEADER: usize = 1 + 2 + SALT;
const LABEL: &str = "keyward.token";

/// What a sealed text is for; one for another purpose does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenPurpose {
    /// Where the next page of a list begins.
    Page,
    /// The reply that a repeated request gets again.
    Reply,
}

impl TokenPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Reply => "reply",
        }
    }
}

/// The text was not sealed by us, for this purpose and this `aad`. Which of these is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of ours")]
pub struct NotOurs;

/// The keys of one id, by purpose.
pub(crate) struct TokenKeys {
    page: hmac::Key,
    reply: hmac::Key,
}

impl TokenKeys {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = hash::hmac_key(key);
        let derived = |purpose: TokenPurpose| {
            let text = format!("keyward.token-key.v1:{}", purpose.as_str());
            hash::hmac_key(&Zeroizing::new(hash::mac(&key, text.as_bytes())))
        };
        Self { page: derived(TokenPurpose::Page), reply: derived(TokenPurpose::Reply) }
    }

    fn message_key(&self, purpose: TokenPurpose, salt: &[u8]) -> GcmKey {
        let key = match purpose {
            TokenPurpose::Page => &self.page,
            TokenPurpose::Reply => &self.reply,
        };
        GcmKey::new(&Zeroizing::new(hash::mac(key, salt)))
    }
}

/// Seals and opens short-lived texts.
#[derive(Debug)]
pub struct Tokens {
    keys: Slots<TokenKeys>,
}

impl Tokens {
    pub(crate) const fn new(keys: Slots<TokenKeys>) -> Self {
        Self { keys }
    }

    /// Which key seals new texts.
    #[must_use]
    pub const fn active_id(&self) -> u16 {
        self.keys.active().0
    }

    /// `plaintext` as base64url without padding, sealed for `purpose`. It opens only with the same
    /// `aad`: what the text hangs on but the other side is to send again, such as caller and
    /// filter.
    ///
    /// # Errors
    /// [`SealError`]: no chance, or over 64 GiB.
    pub fn seal(
        &self,
        purpose: TokenPurpose,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<String, SealError> {
        let sealed = self.seal_bytes(purpose, aad, plaintext)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// As [`Tokens::seal`], as bytes, for what is stored and not sent.
    ///
    /// # Errors
    /// [`SealError`]: no chance, or over 64 GiB.
    pub fn seal_bytes(
        &self,
        purpose: TokenPurpose,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let (id, keys) = self.keys.active();
        let salt = crate::random::<SALT>()?;
        let mut header = [VERSION; HEADER];
        header[1..3].copy_from_slice(&id.to_be_bytes());
        header[3..].copy_from_slice(&salt);
        let aad = token_aad(purpose, &header, aad);
        keys.message_key(purpose, &salt).seal(&header, &aad, plaintext)
    }

    /// What was sealed for `purpose` and `aad`; wiped when dropped.
    ///
    /// # Errors
    /// [`NotOurs`] for anything else, however it differs.
    pub fn open(
        &self,
        purpose: TokenPurpose,
        aad: &[u8],
        token: &str,
    ) -> Result<Zeroizing<Vec<u8>>, NotOurs> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| NotOurs)?;
        self.open_bytes(purpose, aad, &sealed)
    }

    /// As [`Tokens::open`], of [`Tokens::seal_bytes`].
    ///
    /// # Errors
    /// [`NotOurs`] for anything else, however it differs.
    pub fn open_bytes(
        &self,
        purpose: TokenPurpose,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOurs> {
        let (header, rest) = sealed.split_first_chunk::<HEADER>().ok_or(NotOurs)?;
        let [version, high, low, salt @ ..] = header;
        if *version != VERSION {
            return Err(NotOurs);
        }
        let id = u16::from_be_bytes([*high, *low]);
        let keys = self.keys.get(id).ok_or(NotOurs)?;
        keys.message_key(purpose, salt).open(&token_aad(purpose, header, aad), rest).ok_or(NotOurs)
    }
}

fn token_aad(purpose: TokenPurpose, header: &[u8; HEADER], aad: &[u8]) -> Vec<u8> {
    bound(LABEL, &[purpose.as_str().as_bytes(), header, aad])
}
