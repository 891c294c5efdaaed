//! What only the writer needs: which credentials belong to which key, workspace or service, and the
//! tables of shared values. It lies behind the one lock of the crate, which no reader takes.

use std::hash::BuildHasher;
use std::sync::Arc;

use domain::{AddressRanges, KeyId, Kid, ScopeSet, ServiceCredentialId, SpiffeId, WorkspaceId};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet, HashTable};

use crate::entry::{Attributes, Rare};
use crate::interner::Interner;

/// A power of two: each part grows on its own, so that no single growth takes long.
const PARTS: u8 = 64;

#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) kids: KidsOfKeys,
    /// The live token of each workspace.
    pub(crate) workspace_tokens: HashMap<WorkspaceId, Kid, RandomState>,
    /// Every service credential there ever was; `None` once revoked or quarantined.
    pub(crate) service_credentials: HashMap<ServiceCredentialId, Option<FoundBy>, RandomState>,
    /// Those of them, and of others, that nobody may call with until the next start.
    pub(crate) quarantined_service_credentials: HashSet<ServiceCredentialId, RandomState>,
    pub(crate) scopes: Interner<ScopeSet>,
    pub(crate) addresses: Interner<AddressRanges>,
    pub(crate) attributes: Interner<Attributes>,
    rare: Interner<Rare>,
    /// New credentials since the map's retired memory was last let go.
    pub(crate) since_flush: u32,
}

/// What a live service credential is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundBy {
    Kid(Kid),
    Identity(SpiffeId),
}

impl Writer {
    /// `rare` as an entry holds it.
    pub(crate) fn keep_rare(&mut self, rare: Rare) -> Option<Arc<Rare>> {
        if rare.is_empty() {
            return None;
        }
        Some(if rare.may_repeat() { self.rare.share(rare) } else { Arc::new(rare) })
    }
}

/// The kids of each key. Nearly every key has one, which takes a slot of 16 bytes: the key's id is
/// not kept again, as the entry of the kid has it.
#[derive(Debug)]
pub(crate) struct KidsOfKeys {
    newest: Box<[HashTable<Slot>]>,
    /// Those that newer ones have taken over from, for the few keys that have such.
    older: HashMap<KeyId, Box<[Kid]>, RandomState>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// A part of the hash of the key's id, so that a table grows without a look at the entries.
    hash: u32,
    kid: Kid,
}

impl Slot {
    fn spread(self) -> u64 {
        spread(self.hash)
    }
}

impl Default for KidsOfKeys {
    fn default() -> Self {
        Self {
            newest: (0..PARTS).map(|_| HashTable::new()).collect(),
            older: HashMap::default(),
            hasher: RandomState::default(),
        }
    }
}

impl KidsOfKeys {
    /// All kids of a key, oldest first. `belongs` says whether a kid is of this key.
    pub(crate) fn of(&self, key_id: KeyId, belongs: impl Fn(Kid) -> bool) -> Vec<Kid> {
        let (part, hash) = self.place(key_id);
        let own = |slot: &Slot| slot.hash == hash && belongs(slot.kid);
        let newest = self.newest[part].find(spread(hash), own);
        let older = self.older.get(&key_id).into_iter().flatten().copied();
        older.chain(newest.map(|slot| slot.kid)).collect()
    }

    /// Puts `kids`, oldest first, in the place of `old`, which are all that the key had.
    pub(crate) fn set(&mut self, key_id: KeyId, old: &[Kid], kids: &[Kid]) {
        let (part, hash) = self.place(key_id);
        let newest = &mut self.newest[part];
        let was = |slot: &Slot| old.last() == Some(&slot.kid);
        if let Ok(slot) = newest.find_entry(spread(hash), was) {
            slot.remove();
        }
        self.older.remove(&key_id);
        if let [older @ .., last] = kids {
            let slot = Slot { hash, kid: *last };
            newest.insert_unique(slot.spread(), slot, |slot| slot.spread());
            if !older.is_empty() {
                self.older.insert(key_id, older.into());
            }
        }
    }

    fn place(&self, key_id: KeyId) -> (usize, u32) {
        let [a, b, c, d, part, ..] = self.hasher.hash_one(key_id).to_be_bytes();
        (usize::from(part % PARTS), u32::from_be_bytes([a, b, c, d]))
    }
}

/// A table takes its places from the low bits and its tags from the high ones: this fills both.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_that_is_set_again_takes_one_slot_and_has_only_what_was_set_last() {
        let (mut kids, key_id) = (KidsOfKeys::default(), KeyId::new(Uuid::from_u128(1)));
        let [first, second, third] = [1, 2, 3].map(|n| Kid::from_entropy([n; 12]));
        let histories: [&[Kid]; 5] = [&[first], &[first], &[first, second], &[second, third], &[]];
        let mut old = Vec::new();
        for new in histories {
            kids.set(key_id, &old, new);
            old = kids.of(key_id, |_| true);
            assert_eq!(old, new);
            let slots: usize = kids.newest.iter().map(HashTable::len).sum();
            assert_eq!(slots, usize::from(!new.is_empty()));
        }
    }

    #[test]
    fn a_kid_of_another_key_with_the_same_hash_is_not_taken_for_the_keys_own() {
        let (mut kids, key_id) = (KidsOfKeys::default(), KeyId::new(Uuid::from_u128(1)));
        kids.set(key_id, &[], &[Kid::from_entropy([1; 12])]);
        assert_eq!(kids.of(key_id, |_| false), []);
    }
}
