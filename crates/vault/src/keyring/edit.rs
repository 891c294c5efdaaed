//! Changing a ring's file: a key is added, made the active one, or taken out. Each change replaces the
//! file as a whole; comments at its head are kept, others are not. Whether a key may go is for the
//! service to find out: nothing here knows what was made under it.

use std::path::Path;

use zeroize::Zeroizing;

use super::parse::{RawKey, RawRing, write_entry};
use super::{KeyPurpose, KeyRing, KeyRingError, KeyRingFault, RingKey, file};

/// A change of a ring's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingEdit {
    /// A new key with this id, inactive.
    Add(KeyPurpose, u16),
    /// New values are made under this key from now on.
    Activate(KeyPurpose, u16),
    /// The key is taken out.
    Remove(KeyPurpose, u16),
}

impl KeyRing {
    /// Changes the ring in the file at `path`.
    ///
    /// # Errors
    /// [`KeyRingError`]: the file can't be read or written, or the change is refused; it is then as it
    /// was.
    pub fn edit_file(path: &Path, edit: RingEdit) -> Result<(), KeyRingError> {
        edited(path, edit).map_err(|fault| KeyRingError::new(path, fault))
    }

    /// Whether [`KeyRing::edit_file`] would do this now.
    ///
    /// # Errors
    /// As there.
    pub fn may_edit(path: &Path, edit: RingEdit) -> Result<(), KeyRingError> {
        let ring = file::read(path).and_then(|text| RawRing::parse(&text));
        let allowed = ring.and_then(|ring| refuse(&ring, edit));
        allowed.map_err(|fault| KeyRingError::new(path, fault))
    }

    /// The id that the next key of a purpose gets: above every one that the ring has, and above `used`.
    ///
    /// # Errors
    /// [`KeyRingFault::NoMoreIds`].
    pub fn next_id(&self, purpose: KeyPurpose, used: u16) -> Result<u16, KeyRingFault> {
        let of_purpose = self.keys.iter().filter(|key| key.purpose == purpose);
        let last = of_purpose.map(|key| key.id).max().unwrap_or_default().max(used);
        last.checked_add(1).ok_or(KeyRingFault::NoMoreIds(purpose))
    }
}

fn edited(path: &Path, edit: RingEdit) -> Result<(), KeyRingFault> {
    let text = file::read(path)?;
    let ring = RawRing::parse(&text)?;
    refuse(&ring, edit)?;
    let added = match edit {
        RingEdit::Add(_, id) => Some(RawKey { id, bytes: Zeroizing::new(crate::random()?) }),
        RingEdit::Activate(..) | RingEdit::Remove(..) => None,
    };
    // Of its final length at once, or longer: an entry takes fewer than 128 bytes.
    let mut new = Zeroizing::new(String::with_capacity(text.len() + 128 * (ring.list().len() + 1)));
    new.push_str(head(&text));
    for key in ring.list() {
        let raw = ring.keys(key.purpose).all().find(|raw| raw.id == key.id);
        if let Some(raw) = raw.filter(|_| edit != RingEdit::Remove(key.purpose, key.id)) {
            write_entry(&mut new, key.purpose, raw, active_after(key, edit));
        }
        // Beside its like.
        if let RingEdit::Add(purpose, _) = edit
            && ring.list().iter().rfind(|other| other.purpose == purpose) == Some(&key)
            && let Some(added) = &added
        {
            write_entry(&mut new, purpose, added, false);
        }
    }
    file::replace(path, new.as_bytes())
}

fn refuse(ring: &RawRing, edit: RingEdit) -> Result<(), KeyRingFault> {
    let (purpose, id) = match edit {
        RingEdit::Add(purpose, id)
        | RingEdit::Activate(purpose, id)
        | RingEdit::Remove(purpose, id) => (purpose, id),
    };
    let keys = ring.keys(purpose);
    let there = keys.all().any(|key| key.id == id);
    match edit {
        RingEdit::Add(..) if there => Err(KeyRingFault::DoubleId(purpose, id)),
        RingEdit::Add(..) => Ok(()),
        RingEdit::Activate(..) | RingEdit::Remove(..) if !there => {
            Err(KeyRingFault::NoSuchKey(purpose, id))
        }
        RingEdit::Remove(..) if keys.is_active(id) => Err(KeyRingFault::StillActive(purpose, id)),
        RingEdit::Remove(..)
            if purpose == KeyPurpose::Chain && keys.all().all(|key| key.id >= id) =>
        {
            Err(KeyRingFault::FirstChainKey(id))
        }
        RingEdit::Activate(..) | RingEdit::Remove(..) => Ok(()),
    }
}

fn active_after(key: RingKey, edit: RingEdit) -> bool {
    match edit {
        RingEdit::Activate(purpose, id) if purpose == key.purpose => id == key.id,
        RingEdit::Activate(..) | RingEdit::Add(..) | RingEdit::Remove(..) => key.active,
    }
}

/// The lines before the first that is neither a comment nor empty, without the empty ones at the end.
fn head(text: &str) -> &str {
    let is_head = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let length = text.split_inclusive('\n').take_while(is_head).map(str::len).sum::<usize>();
    let kept = text[..length].trim_end();
    // With its line's end, which is there unless nothing is.
    text.get(..kept.len() + 1).filter(|_| !kept.is_empty()).unwrap_or_default()
}
