//! Envelopes for secrets of others and personal details: a data key (DEK) seals values, and a key of the
//! ring (KEK) wraps the DEK. To erase what a DEK sealed, its wrapped form is forgotten. Where wrapped DEKs
//! are kept, what each of them seals, and when they are wrapped anew, is the service's.

use domain::{Sealed, WorkspaceId};
use secrecy::{SecretSlice, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::gcm::{GcmKey, bound};
use crate::keyring::Slots;
use crate::{NoEntropy, SealError};

/// Version of the seal: AES-256-GCM, and the fields of [`Dek::aad`] authenticated.
const VERSION: u8 = 1;
const SEAL_LABEL: &str = "keyward.seal";
const WRAP_LABEL: &str = "keyward.dek";

/// What kind of value is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealPurpose {
    /// A secret of somebody else's inside a configuration: a provider's key, a webhook's token.
    ConfigSecret,
    /// A detail of a person: an e-mail address, the address of a last use.
    PersonalDetail,
}

impl SealPurpose {
    /// The authenticated spelling: changing one makes what is sealed unreadable.
    const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigSecret => "config_secret",
            Self::PersonalDetail => "personal_detail",
        }
    }
}

/// Where a sealed value belongs, beside the workspace, which the DEK knows. What is sealed for one
/// place opens at no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What kind of value it is.
    pub purpose: SealPurpose,
    /// The resource that the value is part of, such as the key whose configuration it is in.
    pub resource: Uuid,
    /// The field, by its full path: `email.api_key`.
    pub field: &'a str,
    /// Which provider's, where the field holds one value for each.
    pub provider: Option<&'a str>,
}

/// A sealed value or a wrapped key did not open. Says no more than can be said to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key ring has no such KEK.
    #[error("the key ring has no KEK {0}, under which a data key is wrapped")]
    UnknownKek(u16),
    /// It was sealed under another data key.
    #[error("sealed under another data key")]
    OtherDek,
    /// A version of the seal that this build does not know.
    #[error("sealed in version {0}, which this build does not know")]
    UnknownVersion(u8),
    /// It was changed, or moved from where it was sealed for, or the key is another.
    #[error("does not open: changed, moved, or sealed under another key")]
    DoesNotOpen,
    /// It opened, but is not UTF-8.
    #[error("opens, but not to text")]
    NotText,
}

/// A data key could not be wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RewrapError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be wrapped.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A data key of a workspace: 32 random bytes, wiped when dropped. It can't be printed.
///
/// Nonces are random, so one DEK may seal at most 2^32 values; a key's settings stay far below.
pub struct Dek {
    id: Uuid,
    workspace: WorkspaceId,
    key: Zeroizing<[u8; 32]>,
}

impl Dek {
    /// The id that sealed values name it by.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The workspace whose values it seals.
    #[must_use]
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Seals `plaintext` for `place`.
    ///
    /// # Errors
    /// [`SealError`]: no chance, or over 64 GiB.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Sealed, SealError> {
        let aad = self.aad(VERSION, place);
        Ok(Sealed {
            dek: self.id,
            version: VERSION,
            bytes: GcmKey::new(&self.key).seal(&[], &aad, plaintext)?,
        })
    }

    /// The bytes that were sealed for `place`; wiped when dropped.
    ///
    /// # Errors
    /// [`OpenError`] if it was sealed for another place or under another DEK, or was changed.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretSlice<u8>, OpenError> {
        // Copied once, to its exact length: making a box of the buffer itself could move the
        // plaintext and leave the old place unwiped.
        let plaintext = self.open_bytes(place, sealed)?;
        Ok(SecretSlice::new(Box::from(plaintext.as_slice())))
    }

    /// The text that was sealed for `place`; wiped when dropped.
    ///
    /// # Errors
    /// As [`Dek::open`], and [`OpenError::NotText`].
    pub fn open_text(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, OpenError> {
        let plaintext = self.open_bytes(place, sealed)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| OpenError::NotText)?;
        Ok(SecretString::new(Box::from(text)))
    }

    fn open_bytes(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if sealed.dek != self.id {
            return Err(OpenError::OtherDek);
        }
        if sealed.version != VERSION {
            return Err(OpenError::UnknownVersion(sealed.version));
        }
        let aad = self.aad(sealed.version, place);
        let plaintext = GcmKey::new(&self.key).open(&aad, &sealed.bytes);
        plaintext.ok_or(OpenError::DoesNotOpen)
    }

    /// Label, purpose, workspace, resource, field, provider, version, DEK id. An absent provider is
    /// an empty field; a present one has a byte before it, so that an empty one is not the same.
    fn aad(&self, version: u8, place: &Place<'_>) -> Vec<u8> {
        let provider = place.provider.map(|name| [&[1], name.as_bytes()].concat());
        bound(
            SEAL_LABEL,
            &[
                place.purpose.as_str().as_bytes(),
                self.workspace.uuid().as_bytes(),
                place.resource.as_bytes(),
                place.field.as_bytes(),
                provider.as_deref().unwrap_or_default(),
                &[version],
                self.id.as_bytes(),
            ],
        )
    }
}

/// A DEK as it may be stored: wrapped under a KEK of the ring.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedDek {
    /// The KEK's id.
    pub kek: u16,
    /// Nonce, ciphertext and tag: 60 bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for WrappedDek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WrappedDek").field("kek", &self.kek).finish_non_exhaustive()
    }
}

/// The keys that wrap data keys.
#[derive(Debug)]
pub struct Keks {
    keys: Slots<GcmKey>,
}

impl Keks {
    pub(crate) const fn new(keys: Slots<GcmKey>) -> Self {
        Self { keys }
    }

    /// Draws the data key `id` of a workspace. It is lost unless its wrapped form is stored.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new_dek(&self, workspace: WorkspaceId, id: Uuid) -> Result<Dek, NoEntropy> {
        let mut key = Zeroizing::new([0; 32]);
        crate::fill(key.as_mut_slice())?;
        Ok(Dek { id, workspace, key })
    }

    /// Wraps `dek` under the active KEK, bound to its id and workspace.
    ///
    /// # Errors
    /// [`SealError::NoEntropy`].
    pub fn wrap(&self, dek: &Dek) -> Result<WrappedDek, SealError> {
        let (kek, key) = self.keys.active();
        let aad = wrap_aad(kek, dek.workspace, dek.id);
        let bytes = key.seal(&[], &aad, dek.key.as_slice())?;
        Ok(WrappedDek { kek, bytes })
    }

    /// The data key `id` of a workspace, from its wrapped form.
    ///
    /// # Errors
    /// [`OpenError::UnknownKek`], or [`OpenError::DoesNotOpen`] if it was changed or is another
    /// workspace's or has another id.
    pub fn unwrap(
        &self,
        workspace: WorkspaceId,
        id: Uuid,
        wrapped: &WrappedDek,
    ) -> Result<Dek, OpenError> {
        let kek = wrapped.kek;
        let key = self.keys.get(kek).ok_or(OpenError::UnknownKek(kek))?;
        let opened = key.open(&wrap_aad(kek, workspace, id), &wrapped.bytes);
        let bytes = opened.ok_or(OpenError::DoesNotOpen)?;
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(OpenError::DoesNotOpen);
        }
        key.copy_from_slice(&bytes);
        Ok(Dek { id, workspace, key })
    }

    /// The data key `id` of a workspace, wrapped anew under the active KEK.
    ///
    /// # Errors
    /// As [`Keks::unwrap`] and [`Keks::wrap`].
    pub fn rewrap(
        &self,
        workspace: WorkspaceId,
        id: Uuid,
        wrapped: &WrappedDek,
    ) -> Result<WrappedDek, RewrapError> {
        Ok(self.wrap(&self.unwrap(workspace, id, wrapped)?)?)
    }

    /// Which KEK wraps new data keys; a [`WrappedDek`] under another one is due to be wrapped anew.
    #[must_use]
    pub const fn active_id(&self) -> u16 {
        self.keys.active().0
    }
}

fn wrap_aad(kek: u16, workspace: WorkspaceId, id: Uuid) -> Vec<u8> {
    bound(WRAP_LABEL, &[workspace.uuid().as_bytes(), id.as_bytes(), &[VERSION], &kek.to_be_bytes()])
}
