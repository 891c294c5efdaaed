//! The index itself: what readers look at without a lock, and the writer's own behind one.
//!
//! Why a read is never torn:
//! 1. An entry is never changed in place; a reader has either the old one or the new one, whole.
//! 2. What is shared by all keys of a workspace is one atomic, read once a verdict.
//! 3. The two together are of one moment: a replaced entry is marked so before the writer goes on,
//!    and a reader that meets the mark behind its look at the workspace looks the entry up again.
//!    Guarded by
//!    `what_is_applied_while_the_secret_is_checked_is_seen_whole_or_not_at_all` and
//!    `a_verdict_is_of_one_moment` in `tests/concurrency.rs`.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::{Brand, Kid, Secret, ServiceCredentialId, SpiffeId, WorkspaceId};
use foldhash::fast::RandomState;
use papaya::{HashMap, ResizeMode};

use crate::callers::{CallerEntry, Service};
use crate::entry::Entry;
use crate::workspaces::{WorkspaceFacts, WorkspaceRecord};
use crate::writer::Writer;

/// Entries that one insert moves while a map grows: short enough to never be felt.
const MOVED_PER_INSERT: usize = 64;

/// The next version of the callers of any verifier.
static NEXT_VERSION: AtomicU64 = AtomicU64::new(0);

fn next_version() -> u64 {
    NEXT_VERSION.fetch_add(1, Ordering::Relaxed)
}

/// Derives the kid and the secret that a key of another system is kept by from its text.
pub type Imported = Box<dyn Fn(&str) -> (Kid, Secret) + Send + Sync>;

/// All keys and callers in memory. Share it in an [`Arc`].
pub struct Verifier {
    pub(crate) brand: Brand,
    pub(crate) entries: HashMap<Kid, Entry, RandomState>,
    pub(crate) callers: HashMap<Kid, CallerEntry, RandomState>,
    /// Service credentials without a secret, by the identity that proves them.
    pub(crate) identities: HashMap<SpiffeId, Service, RandomState>,
    callers_version: AtomicU64,
    pub(crate) workspaces: HashMap<WorkspaceId, Arc<WorkspaceRecord>, RandomState>,
    /// Stand in for whatever is not found, so that it costs the same work.
    pub(crate) absent: Entry,
    pub(crate) absent_caller: CallerEntry,
    pub(crate) keys: AtomicUsize,
    pub(crate) known_workspaces: AtomicUsize,
    pub(crate) any_quarantined: AtomicBool,
    pub(crate) any_imported: AtomicBool,
    /// What an imported key was stored by.
    pub(crate) imported: Option<Imported>,
    any_service_credential_quarantined: AtomicBool,
    writer: Mutex<Writer>,
}

/// How much is in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Keys, revoked ones among them.
    pub keys: usize,
    /// Credentials of keys: more than keys while some rotate.
    pub credentials: usize,
    /// Workspaces that are known.
    pub workspaces: usize,
    /// Live workspace tokens and service credentials, by secret or by identity.
    pub callers: usize,
}

impl Verifier {
    /// An empty index for credentials of this brand.
    #[must_use]
    pub fn new(brand: Brand) -> Self {
        Self {
            brand,
            entries: map(),
            callers: map(),
            identities: map(),
            callers_version: AtomicU64::new(next_version()),
            workspaces: map(),
            absent: Entry::absent(),
            absent_caller: CallerEntry::absent(),
            keys: AtomicUsize::new(0),
            known_workspaces: AtomicUsize::new(0),
            any_quarantined: AtomicBool::new(false),
            any_imported: AtomicBool::new(false),
            imported: None,
            any_service_credential_quarantined: AtomicBool::new(false),
            writer: Mutex::default(),
        }
    }

    /// This index, which also finds imported keys: `imported` says what each text was stored by.
    #[must_use]
    pub fn finding_imported(self, imported: Imported) -> Self {
        Self { imported: Some(imported), ..self }
    }

    /// What is known of a workspace; `None` if there is none. Of a quarantined one even that can't be
    /// said.
    #[must_use]
    pub fn workspace(&self, workspace_id: WorkspaceId) -> Option<WorkspaceFacts> {
        let workspaces = self.workspaces.pin();
        let standing = workspaces.get(&workspace_id)?.standing();
        (standing.known() | standing.quarantined()).then(|| standing.facts())
    }

    /// How much is in the index; while a writer is at work, roughly.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            keys: self.keys.load(Ordering::Relaxed),
            credentials: self.entries.len(),
            workspaces: self.known_workspaces.load(Ordering::Relaxed),
            callers: self.callers.len() + self.identities.len(),
        }
    }

    /// Nothing is decided for this workspace from here on, until the next start: one of its events
    /// could not be applied. Its token is no caller's any more. Works for a workspace that is not
    /// known, too, as that event may have been its first.
    pub fn quarantine(&self, workspace_id: WorkspaceId) {
        let _writer = self.write();
        self.any_quarantined.store(true, Ordering::SeqCst);
        self.record(workspace_id).quarantine();
        self.callers_changed();
    }

    /// This service credential is no caller's from here on, until the next start: one of its events
    /// could not be applied. Works for one that is not known, too, as that event may have been its
    /// first.
    pub fn quarantine_service_credential(&self, id: ServiceCredentialId) {
        let mut writer = self.write();
        self.any_service_credential_quarantined.store(true, Ordering::SeqCst);
        writer.quarantined_service_credentials.insert(id);
        if let Some(found_by) = writer.service_credentials.insert(id, None).flatten() {
            self.remove_service_credential(&found_by);
        }
        self.callers_changed();
    }

    /// Puts everything under quarantine that `before` has there. For the verifier that takes its place
    /// in the same run: the rows it was loaded from may be past what was missed, by a newer build's
    /// doing, and yet say less than the event did.
    pub fn quarantine_as(&self, before: &Self) {
        let workspaces = before.workspaces.pin();
        let quarantined = workspaces.values().filter(|record| record.standing().quarantined());
        quarantined.for_each(|record| self.quarantine(record.id()));
        let ids: Vec<_> = before.write().quarantined_service_credentials.iter().copied().collect();
        ids.into_iter().for_each(|id| self.quarantine_service_credential(id));
    }

    /// Whether any service credential is quarantined: one that is not found may be that one.
    #[must_use]
    pub fn any_service_credential_quarantined(&self) -> bool {
        self.any_service_credential_quarantined.load(Ordering::SeqCst)
    }

    /// Names the state of all callers' credentials: as long as it is the same, [`Verifier::caller`]
    /// finds and refuses the same ones. No other verifier of this program has the same. Whoever keeps
    /// what he found reads this before he looks, so that a change in between makes it void.
    #[inline]
    #[must_use]
    pub fn callers_version(&self) -> u64 {
        self.callers_version.load(Ordering::Acquire)
    }

    /// To be called after every change of a caller's credential, before it is said to be applied.
    pub(crate) fn callers_changed(&self) {
        self.callers_version.store(next_version(), Ordering::Release);
    }

    /// Only the writer may call this, under its lock.
    pub(crate) fn record(&self, workspace_id: WorkspaceId) -> Arc<WorkspaceRecord> {
        let workspaces = self.workspaces.pin();
        let unknown = || Arc::new(WorkspaceRecord::unknown(workspace_id));
        Arc::clone(workspaces.get_or_insert_with(workspace_id, unknown))
    }

    pub(crate) fn write(&self) -> MutexGuard<'_, Writer> {
        self.writer
            .lock()
            .expect("a writer that panicked left half an event, and only a new start mends that")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

fn map<K, V>() -> HashMap<K, V, RandomState> {
    HashMap::builder()
        .hasher(RandomState::default())
        .resize_mode(ResizeMode::Incremental(MOVED_PER_INSERT))
        .build()
}
