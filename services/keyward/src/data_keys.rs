//! The data key (DEK) of each key: kept wrapped in a table beside the log, opened on demand, remembered
//! for a while. Deliberately outside the log: deleting a row makes what it seals unreadable, and the log
//! stays whole.
//!
//! An erasure deletes the rows first, then says so in the log, and waits until every node has forgotten
//! what it remembers (`tail.rs`). A row that was read before and comes back after that is not remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Object;
use domain::config::SecretField;
use domain::{KeyId, Sealed, SealedSecret, WorkspaceId};
use eventlog::{Database, LogError};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use vault::{Dek, NoEntropy, OpenError, Place, SealError, SealPurpose, WrappedDek};

use crate::entropy;
use crate::keyring::LiveRing;

/// How many opened data keys are remembered; past it all are forgotten and opened anew.
const MOST_REMEMBERED: usize = 16_384;

/// Opens, makes and destroys data keys.
pub struct DataKeys {
    database: Database,
    ring: Arc<LiveRing>,
    opened: Mutex<Opened>,
}

/// The data keys that were opened lately.
#[derive(Default)]
struct Opened {
    by_id: HashMap<Uuid, Arc<Dek>>,
    /// The one that seals for a key now.
    active: HashMap<KeyId, Uuid>,
    /// How often all of it was forgotten. What was read before that is not remembered after it.
    forgotten: u64,
}

/// Why something can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// The database does not answer.
    #[error("the data key can't be read")]
    Log(#[from] LogError),
    /// It can't be sealed.
    #[error("sealing failed")]
    Seal(#[from] SealError),
    /// It does not open.
    #[error("the seal does not open")]
    Open(#[from] OpenError),
    /// No random bytes.
    #[error("no data key can be drawn")]
    NoEntropy(#[from] NoEntropy),
}

impl From<tokio_postgres::Error> for DataKeyError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Log(error.into())
    }
}

impl DataKeys {
    /// The data keys in this database, wrapped by the key-encryption keys of this ring.
    #[must_use]
    pub fn new(database: Database, ring: Arc<LiveRing>) -> Self {
        Self { database, ring, opened: Mutex::default() }
    }

    /// The data key that seals for a key now; made if it has none.
    ///
    /// # Errors
    /// The database does not answer, or the stored key does not open.
    pub async fn active(
        &self,
        workspace: WorkspaceId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<Arc<Dek>, DataKeyError> {
        let forgotten = {
            let opened = locked(&self.opened);
            let known = opened.active.get(&key).and_then(|id| opened.by_id.get(id));
            if let Some(dek) = known {
                return Ok(Arc::clone(dek));
            }
            opened.forgotten
        };
        let client = self.database.client().await?;
        let read = client
            .prepare_cached(
                "SELECT dek_id, kek, wrapped FROM vault.data_keys \
                 WHERE key_id = $1 AND workspace_id = $2 AND active",
            )
            .await?;
        let mut row = client.query_opt(&read, &[&key.uuid(), &workspace.uuid()]).await?;
        if row.is_none() {
            self.insert(&client, workspace, key, now).await?;
            // Whoever is first wins; everybody reads what the first one wrote.
            row = client.query_opt(&read, &[&key.uuid(), &workspace.uuid()]).await?;
        }
        let row = row.ok_or(OpenError::OtherDek)?;
        let id: Uuid = row.try_get(0)?;
        let dek = self.unwrap(workspace, id, row.try_get(1)?, row.try_get(2)?)?;
        let mut opened = locked(&self.opened);
        if opened.remember(forgotten, &dek) {
            opened.active.insert(key, id);
        }
        Ok(dek)
    }

    /// The first data key of a key that is just being made.
    ///
    /// # Errors
    /// As [`DataKeys::active`].
    pub async fn first(
        &self,
        workspace: WorkspaceId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<Arc<Dek>, DataKeyError> {
        let client = self.database.client().await?;
        match self.insert(&client, workspace, key, now).await? {
            Some(dek) => Ok(Arc::new(dek)),
            // An id that is derived, as of imported keys, may have been tried before.
            None => self.active(workspace, key, now).await,
        }
    }

    async fn insert(
        &self,
        client: &Object,
        workspace: WorkspaceId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<Option<Dek>, DataKeyError> {
        let id = entropy::uuid_v7(now)?;
        let keks = Arc::clone(self.ring.load().keks());
        let dek = keks.new_dek(workspace, id)?;
        let wrapped = keks.wrap(&dek)?;
        let insert = client
            .prepare_cached(
                "INSERT INTO vault.data_keys (dek_id, workspace_id, key_id, kek, wrapped, active) \
                 VALUES ($1, $2, $3, $4, $5, true) ON CONFLICT DO NOTHING",
            )
            .await?;
        let (workspace, key) = (workspace.uuid(), key.uuid());
        let inserted = client
            .execute(&insert, &[&id, &workspace, &key, &i32::from(wrapped.kek), &wrapped.bytes])
            .await?;
        Ok((inserted == 1).then_some(dek))
    }

    /// Opens personal text of `resource`; `None` if its data key was deleted: it is gone for good.
    ///
    /// # Errors
    /// The database does not answer, or the seal does not open.
    pub async fn open_personal(
        &self,
        workspace: WorkspaceId,
        resource: Uuid,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Option<String>, DataKeyError> {
        let Some(dek) = self.of(workspace, sealed.dek).await? else {
            return Ok(None);
        };
        let place = Place { purpose: SealPurpose::PersonalDetail, resource, field, provider: None };
        Ok(Some(dek.open_text(&place, sealed)?.expose_secret().to_owned()))
    }

    /// Opens somebody else's secret in the configuration of `resource`; `None` if its data key was
    /// deleted: it is gone for good.
    ///
    /// # Errors
    /// The database does not answer, or the seal does not open.
    pub async fn open_secret(
        &self,
        workspace: WorkspaceId,
        resource: Uuid,
        field: &SecretField,
        sealed: &Sealed,
    ) -> Result<Option<SecretString>, DataKeyError> {
        let Some(dek) = self.of(workspace, sealed.dek).await? else {
            return Ok(None);
        };
        Ok(Some(dek.open_text(&secret_place(resource, field), sealed)?))
    }

    async fn of(&self, workspace: WorkspaceId, id: Uuid) -> Result<Option<Arc<Dek>>, DataKeyError> {
        let known = locked(&self.opened).by_id.get(&id).cloned();
        match known {
            Some(dek) => Ok(Some(dek).filter(|dek| dek.workspace() == workspace)),
            None => Ok(self.open_ahead(workspace, std::iter::once(id)).await?.pop()),
        }
    }

    /// Opens those of these data keys of a workspace that are not remembered, with one question to the
    /// database, so that what they sealed can be opened without one.
    ///
    /// # Errors
    /// The database does not answer, or a stored key does not open.
    pub async fn open_ahead(
        &self,
        workspace: WorkspaceId,
        ids: impl Iterator<Item = Uuid>,
    ) -> Result<Vec<Arc<Dek>>, DataKeyError> {
        let (unknown, forgotten) = {
            let mut opened = locked(&self.opened);
            let unknown: Vec<Uuid> = ids.filter(|id| !opened.by_id.contains_key(id)).collect();
            if opened.by_id.len() + unknown.len() > MOST_REMEMBERED {
                opened.forget();
            }
            (unknown, opened.forgotten)
        };
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.database.client().await?;
        let read = client
            .prepare_cached(
                "SELECT dek_id, kek, wrapped FROM vault.data_keys \
                 WHERE dek_id = ANY ($1) AND workspace_id = $2",
            )
            .await?;
        let mut deks = Vec::with_capacity(unknown.len());
        for row in client.query(&read, &[&unknown, &workspace.uuid()]).await? {
            let dek = self.unwrap(workspace, row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)?;
            locked(&self.opened).remember(forgotten, &dek);
            deks.push(dek);
        }
        Ok(deks)
    }

    /// Destroys the data keys of these keys of a workspace, in the database; what this program remembers
    /// of them goes with [`DataKeys::forget`]. Says how many there were.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn destroy(
        &self,
        workspace: WorkspaceId,
        keys: &[KeyId],
    ) -> Result<u64, DataKeyError> {
        let keys: Vec<Uuid> = keys.iter().map(|key| key.uuid()).collect();
        let client = self.database.client().await?;
        let sql = "DELETE FROM vault.data_keys WHERE workspace_id = $1 AND key_id = ANY ($2)";
        Ok(client.execute(sql, &[&workspace.uuid(), &keys]).await?)
    }

    /// Destroys the data keys of this workspace that are not of one key: of builds before keys had their
    /// own.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn destroy_of_workspace(&self, workspace: WorkspaceId) -> Result<u64, DataKeyError> {
        let client = self.database.client().await?;
        let sql = "DELETE FROM vault.data_keys WHERE workspace_id = $1 AND key_id IS NULL";
        Ok(client.execute(sql, &[&workspace.uuid()]).await?)
    }

    /// Forgets every data key that was opened: some may have been destroyed.
    pub fn forget(&self) {
        locked(&self.opened).forget();
    }

    fn unwrap(
        &self,
        workspace: WorkspaceId,
        id: Uuid,
        kek: i32,
        bytes: Vec<u8>,
    ) -> Result<Arc<Dek>, DataKeyError> {
        let kek = u16::try_from(kek).map_err(|_| OpenError::UnknownKek(0))?;
        let wrapped = WrappedDek { kek, bytes };
        Ok(Arc::new(self.ring.load().keks().unwrap(workspace, id, &wrapped)?))
    }
}

impl Opened {
    fn forget(&mut self) {
        self.by_id.clear();
        self.active.clear();
        self.forgotten += 1;
    }

    /// Remembers what was read of the database, unless all was forgotten meanwhile: it may have been read
    /// just before it was destroyed.
    fn remember(&mut self, forgotten: u64, dek: &Arc<Dek>) -> bool {
        let counts = forgotten == self.forgotten;
        if counts {
            self.by_id.insert(dek.id(), Arc::clone(dek));
        }
        counts
    }
}

/// Seals what belongs to one key under its data key.
pub struct Sealer<'a> {
    /// The data key.
    pub dek: &'a Dek,
    /// The key that it belongs to.
    pub resource: Uuid,
}

impl Sealer<'_> {
    /// Seals personal text.
    ///
    /// # Errors
    /// No random bytes.
    pub fn personal(&self, field: &str, text: &str) -> Result<Sealed, DataKeyError> {
        let purpose = SealPurpose::PersonalDetail;
        let place = Place { purpose, resource: self.resource, field, provider: None };
        Ok(self.dek.seal(&place, text.as_bytes())?)
    }

    /// Seals somebody else's secret, with the mask that may be shown.
    ///
    /// # Errors
    /// No random bytes.
    pub fn secret(&self, field: &SecretField, text: &str) -> Result<SealedSecret, DataKeyError> {
        let sealed = self.dek.seal(&secret_place(self.resource, field), text.as_bytes())?;
        Ok(SealedSecret { sealed, mask: vault::mask(text) })
    }
}

fn secret_place(resource: Uuid, field: &SecretField) -> Place<'_> {
    let (field, provider) = (field.base(), field.provider());
    Place { purpose: SealPurpose::ConfigSecret, resource, field, provider }
}

/// A lock that is held for a map look-up only, never across an await; a panic under it leaves the map
/// as good as before.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
