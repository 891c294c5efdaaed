//! The data key (DEK) of each workspace: kept wrapped in a table beside the log, opened on demand,
//! remembered for a while. Deliberately outside the log: deleting a row makes what it seals
//! unreadable, and the log stays whole.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Sealed, SealedSecret, WorkspaceId};
use eventlog::{Database, LogError};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use uuid::Uuid;
use vault::{Dek, NoEntropy, OpenError, Place, SealError, SealPurpose, WrappedDek};

use crate::entropy;
use crate::keyring::LiveRing;

/// How many opened data keys are remembered; past it all are forgotten and opened anew.
const MOST_REMEMBERED: usize = 4_096;

/// Opens and makes data keys.
pub struct DataKeys {
    database: Database,
    ring: Arc<LiveRing>,
    opened: Mutex<HashMap<Uuid, Arc<Dek>>>,
    active: Mutex<HashMap<WorkspaceId, Uuid>>,
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
        Self { database, ring, opened: Mutex::default(), active: Mutex::default() }
    }

    /// The data key that seals for `workspace` now; made if it has none.
    ///
    /// # Errors
    /// The database does not answer, or the stored key does not open.
    pub async fn active(
        &self,
        workspace: WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Dek>, DataKeyError> {
        let known = locked(&self.active).get(&workspace).copied();
        if let Some(dek) = known.and_then(|id| locked(&self.opened).get(&id).cloned()) {
            return Ok(dek);
        }
        let client = self.database.client().await?;
        let read =
            "SELECT dek_id, kek, wrapped FROM vault.data_keys WHERE workspace_id = $1 AND active";
        let mut row = client.query_opt(read, &[&workspace.uuid()]).await?;
        if row.is_none() {
            let id = entropy::uuid_v7(now)?;
            let keks = Arc::clone(self.ring.load().keks());
            let wrapped = keks.wrap(&keks.new_dek(workspace, id)?)?;
            // Whoever is first wins; everybody reads what the first one wrote.
            client
                .execute(
                    "INSERT INTO vault.data_keys (dek_id, workspace_id, kek, wrapped, active) \
                     VALUES ($1, $2, $3, $4, true) ON CONFLICT DO NOTHING",
                    &[&id, &workspace.uuid(), &i32::from(wrapped.kek), &wrapped.bytes],
                )
                .await?;
            row = client.query_opt(read, &[&workspace.uuid()]).await?;
        }
        let row = row.ok_or(OpenError::OtherDek)?;
        let id: Uuid = row.try_get(0)?;
        let dek = self.unwrap(workspace, id, row.try_get(1)?, row.try_get(2)?)?;
        locked(&self.active).insert(workspace, id);
        Ok(dek)
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

    async fn of(&self, workspace: WorkspaceId, id: Uuid) -> Result<Option<Arc<Dek>>, DataKeyError> {
        if let Some(dek) = locked(&self.opened).get(&id) {
            return Ok(Some(Arc::clone(dek)));
        }
        let client = self.database.client().await?;
        let read =
            "SELECT kek, wrapped FROM vault.data_keys WHERE dek_id = $1 AND workspace_id = $2";
        match client.query_opt(read, &[&id, &workspace.uuid()]).await? {
            Some(row) => self.unwrap(workspace, id, row.try_get(0)?, row.try_get(1)?).map(Some),
            None => Ok(None),
        }
    }

    fn unwrap(
        &self,
        workspace: WorkspaceId,
        id: Uuid,
        kek: i32,
        bytes: Vec<u8>,
    ) -> Result<Arc<Dek>, DataKeyError> {
        let kek = u16::try_from(kek).map_err(|_| OpenError::UnknownKek(0))?;
        let dek =
            Arc::new(self.ring.load().keks().unwrap(workspace, id, &WrappedDek { kek, bytes })?);
        let mut opened = locked(&self.opened);
        if opened.len() >= MOST_REMEMBERED {
            opened.clear();
            locked(&self.active).clear();
        }
        opened.insert(id, Arc::clone(&dek));
        Ok(dek)
    }
}

/// Seals what belongs to one key under its workspace's data key.
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
        Ok(self.dek.seal(&self.place(SealPurpose::PersonalDetail, field), text.as_bytes())?)
    }

    /// Seals somebody else's secret, with the mask that may be shown.
    ///
    /// # Errors
    /// No random bytes.
    pub fn secret(&self, field: &str, text: &str) -> Result<SealedSecret, DataKeyError> {
        let sealed =
            self.dek.seal(&self.place(SealPurpose::ConfigSecret, field), text.as_bytes())?;
        Ok(SealedSecret { sealed, mask: vault::mask(text) })
    }

    fn place<'f>(&self, purpose: SealPurpose, field: &'f str) -> Place<'f> {
        Place { purpose, resource: self.resource, field, provider: None }
    }
}

/// A lock that is held for a map look-up only, never across an await; a panic under it leaves the map
/// as good as before.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
