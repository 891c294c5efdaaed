//! One credential of a key in memory. A million of them must fit, so what is common lies inline, what
//! repeats is shared, and what few keys have is behind one pointer.
//!
//! An entry is never changed: the writer puts a changed copy in its place.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::verdict::{EXPIRES_SOON, Facts, Question};
use domain::{
    AddressRanges, DomainRules, Env, KeyId, Kid, Labels, Micros, PepperId, Principal,
    RevocationReason, ScopeSet, SecretDigest,
};

use crate::answer::{KeyView, Warning, Warnings};
use crate::workspaces::{Standing, WorkspaceRecord};

/// With its kid and the map's own alignment an entry is 128 bytes, a size class of most allocators.
const _: () = assert!(size_of::<Entry>() <= 112);

const SOON: i64 = EXPIRES_SOON.as_secs() * 1_000_000;

/// One credential and what is known of its key.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) digest: SecretDigest,
    pub(crate) key_id: KeyId,
    pub(crate) workspace: Arc<WorkspaceRecord>,
    pub(crate) name: Box<str>,
    pub(crate) scopes: Arc<ScopeSet>,
    pub(crate) addresses: Option<Arc<AddressRanges>>,
    pub(crate) rare: Option<Arc<Rare>>,
    pub(crate) expires_at: Moment,
    pub(crate) generation: u32,
    pub(crate) pepper: PepperId,
    pub(crate) env: Env,
    pub(crate) replaced: Replaced,
}

/// What few keys have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rare {
    pub(crate) attributes: Option<Arc<Attributes>>,
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
    pub(crate) revoked_at: Moment,
    /// Counts only with `revoked_at`.
    pub(crate) revocation: Option<RevocationReason>,
    pub(crate) disabled: bool,
    /// Whether `not_after` counts as over whatever the clock says.
    pub(crate) ended: bool,
    /// Whether the credential is a key of another system.
    pub(crate) imported: bool,
}

impl Rare {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether many keys may have the same: moments are each key's own.
    pub(crate) fn may_repeat(&self) -> bool {
        [self.not_before, self.not_after, self.revoked_at] == [Moment::NONE; 3]
    }
}

/// What describes a key and is often the same for all keys of one owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) principal: Option<Principal>,
    /// Only if it restricts anything.
    pub(crate) domains: Option<DomainRules>,
    /// Only if there are any.
    pub(crate) metadata: Option<Labels>,
}

impl Hash for Attributes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.principal.hash(state);
        self.domains.hash(state);
        self.metadata.as_ref().map(Labels::pairs).hash(state);
    }
}

/// A moment that may be missing, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Far before the first year that a timestamp can have.
    pub(crate) const NONE: Self = Self(i64::MIN);

    pub(crate) fn get(self) -> Option<Micros> {
        (self != Self::NONE).then_some(Micros(self.0))
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T: Into<Micros>> From<Option<T>> for Moment {
    fn from(at: Option<T>) -> Self {
        at.map_or(Self::NONE, |at| Self(at.into().0))
    }
}

/// Whether another entry has taken this one's place. Set after the new one can be found, so whoever
/// sees what the writer did next also sees this. A copy starts afresh.
#[derive(Debug, Default)]
pub(crate) struct Replaced(AtomicBool);

impl Replaced {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Clone for Replaced {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Entry {
    /// What an unknown kid is checked against: nothing matches it, as pepper 0 is never issued, and
    /// what did match would belong to no known workspace.
    pub(crate) fn absent() -> Self {
        let nobody = domain::WorkspaceId::new(uuid::Uuid::nil());
        Self {
            digest: SecretDigest([0; 32]),
            key_id: KeyId::new(uuid::Uuid::nil()),
            workspace: Arc::new(WorkspaceRecord::unknown(nobody)),
            name: Box::default(),
            scopes: Arc::default(),
            addresses: None,
            rare: None,
            expires_at: Moment::NONE,
            generation: 0,
            pepper: PepperId(0),
            env: Env::Test,
            replaced: Replaced::default(),
        }
    }

    /// Whether a secret that matched `before` matches this one too.
    pub(crate) fn answers_to(&self, before: &Self) -> bool {
        self.digest == before.digest
            && self.pepper == before.pepper
            && self.key_id == before.key_id
            && self.workspace.id() == before.workspace.id()
    }

    /// What the rules look at.
    #[inline]
    pub(crate) fn facts(&self, standing: Standing) -> Facts<'_> {
        let rare = self.rare.as_deref();
        let attributes = rare.and_then(|rare| rare.attributes.as_deref());
        Facts {
            revoked: rare.and_then(|rare| rare.revoked_at.get().zip(rare.revocation)),
            disabled: rare.is_some_and(|rare| rare.disabled),
            not_before: rare.and_then(|rare| rare.not_before.get()),
            expires_at: self.expires_at.get(),
            credential_not_after: rare.and_then(|rare| rare.not_after.get()),
            credential_ended: rare.is_some_and(|rare| rare.ended),
            workspace_suspended: standing.suspended(),
            addresses: self.addresses.as_deref(),
            domains: attributes.and_then(|attributes| attributes.domains.as_ref()),
            scopes: &self.scopes,
        }
    }

    /// What may be told of the key.
    #[inline]
    pub(crate) fn view(&self, kid: Kid) -> KeyView<'_> {
        let rare = self.rare.as_deref();
        let attributes = rare.and_then(|rare| rare.attributes.as_deref());
        KeyView {
            key_id: self.key_id,
            workspace_id: self.workspace.id(),
            name: &self.name,
            env: self.env,
            kid,
            imported: rare.is_some_and(|rare| rare.imported),
            generation: self.generation,
            scopes: &self.scopes,
            principal: attributes.and_then(|attributes| attributes.principal.as_ref()),
            expires_at: self.expires_at.get(),
            grace_until: rare.and_then(|rare| rare.not_after.get()),
            metadata: attributes.and_then(|attributes| attributes.metadata.as_ref()),
        }
    }

    /// What an accepted key's owner should know.
    #[inline]
    pub(crate) fn warnings(&self, question: &Question<'_>) -> Warnings {
        let soon = question.latest.0.saturating_add(SOON);
        let expires_soon = self.expires_at.get().is_some_and(|end| end.0 <= soon);
        let in_grace = self.rare.as_deref().is_some_and(|rare| rare.not_after.get().is_some());
        Warnings::default()
            .with(Warning::ExpiresSoon, expires_soon)
            .with(Warning::InRotationGrace, in_grace)
            .with(Warning::UnrestrictedIp, self.addresses.is_none())
    }
}
