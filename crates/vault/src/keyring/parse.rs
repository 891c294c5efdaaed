//! The text of a key ring: read into raw keys, or made of new ones. Raw keys live here for as long
//! as it takes to set them up, and are wiped when dropped; copies that the TOML reader makes inside
//! itself are beyond our reach.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{KeyPurpose, KeyRingFault, RingKey, Slots};
use crate::NoEntropy;

const HEAD: &str = "\
# The key ring of one Keyward deployment. Without it no credential verifies and no sealed secret
# opens; whoever has it and the database has both. Keep a copy, apart from the database's backups.
# To rotate: `keyward keyring new`, `activate` and `retire`, as the runbook says. At most mode 0600.
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingText {
    #[serde(default)]
    pepper: Vec<Entry>,
    #[serde(default)]
    kek: Vec<Entry>,
    #[serde(default)]
    chain: Vec<Entry>,
    #[serde(default)]
    page_token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: u16,
    #[serde(deserialize_with = "wiped")]
    key: Zeroizing<String>,
    active: bool,
}

fn wiped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// One key as it stands in the file.
pub(super) struct RawKey {
    pub(super) id: u16,
    pub(super) bytes: Zeroizing<[u8; 32]>,
}

impl RawKey {
    fn of(purpose: KeyPurpose, entry: &Entry) -> Result<Self, KeyRingFault> {
        let id = entry.id;
        if id == 0 {
            return Err(KeyRingFault::ZeroId(purpose));
        }
        // The decoder wants room for what 44 characters could be at most.
        let mut room = Zeroizing::new([0; 33]);
        let decoded = BASE64_STANDARD.decode_slice(entry.key.as_bytes(), room.as_mut_slice());
        let mut bytes = Zeroizing::new([0; 32]);
        if !decoded.is_ok_and(|length| length == bytes.len()) {
            return Err(KeyRingFault::BadKey(purpose, id));
        }
        bytes.copy_from_slice(&room[..32]);
        Ok(Self { id, bytes })
    }
}

/// The keys of one purpose: one active, the others kept for what was made under them.
pub(super) struct RawKeys {
    active: RawKey,
    others: Vec<RawKey>,
}

impl RawKeys {
    fn of(purpose: KeyPurpose, entries: &[Entry]) -> Result<Self, KeyRingFault> {
        let mut active = Vec::new();
        let mut others: Vec<RawKey> = Vec::new();
        for entry in entries {
            let key = RawKey::of(purpose, entry)?;
            if active.iter().chain(&others).any(|known| known.id == key.id) {
                return Err(KeyRingFault::DoubleId(purpose, key.id));
            }
            if entry.active { &mut active } else { &mut others }.push(key);
        }
        let count = active.len();
        match (active.pop(), active.is_empty()) {
            (Some(active), true) => Ok(Self { active, others }),
            _ => Err(KeyRingFault::NotOneActive { purpose, active: count }),
        }
    }

    /// Whether this is the id of the active one.
    pub(super) const fn is_active(&self, id: u16) -> bool {
        self.active.id == id
    }

    /// Every key, the active one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &RawKey> {
        std::iter::once(&self.active).chain(&self.others)
    }

    /// The keys, set up for use.
    pub(super) fn slots<K>(&self, make: impl Fn(&[u8; 32]) -> K) -> Slots<K> {
        let slot = |key: &RawKey| (key.id, make(&key.bytes));
        Slots::new(slot(&self.active), self.others.iter().map(slot).collect())
    }
}

/// The keys of a ring that keeps every rule.
pub(super) struct RawRing {
    pub(super) pepper: RawKeys,
    pub(super) kek: RawKeys,
    pub(super) chain: RawKeys,
    pub(super) page_token: RawKeys,
}

impl RawRing {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, KeyRingFault> {
        let entries: RingText = toml::from_str(text).map_err(|error| {
            // Only the place is taken over: the reader's own message repeats what stands there.
            let start = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().iter().take(start);
            KeyRingFault::Malformed { line: 1 + before.filter(|&&byte| byte == b'\n').count() }
        })?;
        let ring = Self {
            pepper: RawKeys::of(KeyPurpose::Pepper, &entries.pepper)?,
            kek: RawKeys::of(KeyPurpose::Kek, &entries.kek)?,
            chain: RawKeys::of(KeyPurpose::Chain, &entries.chain)?,
            page_token: RawKeys::of(KeyPurpose::PageToken, &entries.page_token)?,
        };
        ring.refuse_double_keys()?;
        Ok(ring)
    }

    pub(super) const fn keys(&self, purpose: KeyPurpose) -> &RawKeys {
        match purpose {
            KeyPurpose::Pepper => &self.pepper,
            KeyPurpose::Kek => &self.kek,
            KeyPurpose::Chain => &self.chain,
            KeyPurpose::PageToken => &self.page_token,
        }
    }

    /// Every key, by purpose and id.
    pub(super) fn list(&self) -> Vec<RingKey> {
        let of = |purpose: KeyPurpose| {
            let keys = self.keys(purpose);
            let key = |id| RingKey { purpose, id, active: keys.is_active(id) };
            keys.all().map(|raw| key(raw.id)).collect::<Vec<_>>()
        };
        let mut list: Vec<_> = KeyPurpose::ALL.into_iter().flat_map(of).collect();
        list.sort_unstable();
        list
    }

    fn refuse_double_keys(&self) -> Result<(), KeyRingFault> {
        let mut seen: Vec<&RawKey> = Vec::new();
        for purpose in KeyPurpose::ALL {
            for key in self.keys(purpose).all() {
                if seen.iter().any(|known| known.bytes == key.bytes) {
                    return Err(KeyRingFault::DoubleKey(purpose, key.id));
                }
                seen.push(key);
            }
        }
        Ok(())
    }

    /// The text of a ring with one new key for each purpose.
    pub(super) fn text_of_new_keys() -> Result<Zeroizing<String>, NoEntropy> {
        // Of its final length at once: a text that grew would leave keys behind.
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str(HEAD);
        for purpose in KeyPurpose::ALL {
            let bytes = Zeroizing::new(crate::random::<32>()?);
            write_entry(&mut text, purpose, &RawKey { id: 1, bytes }, true);
        }
        Ok(text)
    }
}

/// Adds a key to a text of a ring. The text must have room for it: one that grew would leave keys behind.
pub(super) fn write_entry(text: &mut String, purpose: KeyPurpose, key: &RawKey, active: bool) {
    text.push_str("\n[[");
    text.push_str(purpose.as_str());
    text.push_str("]]\nid = ");
    text.push_str(&key.id.to_string());
    text.push_str("\nkey = \"");
    BASE64_STANDARD.encode_string(key.bytes.as_slice(), text);
    text.push_str(if active { "\"\nactive = true\n" } else { "\"\nactive = false\n" });
}
