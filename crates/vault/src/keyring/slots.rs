//! The keys of one purpose, ready for use. Not a map: a ring holds a handful.

use std::fmt;

/// Keys by id, one of them active. `Debug` shows ids only.
pub(crate) struct Slots<K> {
    active: (u16, K),
    others: Vec<(u16, K)>,
}

impl<K> Slots<K> {
    pub(super) const fn new(active: (u16, K), others: Vec<(u16, K)>) -> Self {
        Self { active, others }
    }

    #[inline]
    pub(crate) const fn active(&self) -> (u16, &K) {
        (self.active.0, &self.active.1)
    }

    /// The key with the lowest id.
    pub(crate) fn first(&self) -> (u16, &K) {
        let (id, key) = self
            .others
            .iter()
            .fold(&self.active, |first, slot| if slot.0 < first.0 { slot } else { first });
        (*id, key)
    }

    #[inline]
    pub(crate) fn get(&self, id: u16) -> Option<&K> {
        std::iter::once(&self.active)
            .chain(&self.others)
            .find(|(known, _)| *known == id)
            .map(|(_, key)| key)
    }
}

impl<K> fmt::Debug for Slots<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<u16> = self.others.iter().map(|(id, _)| *id).collect();
        f.debug_struct("Slots")
            .field("active", &self.active.0)
            .field("others", &others)
            .finish_non_exhaustive()
    }
}
