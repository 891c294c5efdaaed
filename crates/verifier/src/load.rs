//! Filling the index from rows. Each call puts what it is given in the place of all that was known of
//! that one key, workspace or service credential; a key may come before its workspace.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::api_key::{ApiKey, Credential};
use domain::service_credential::{Proof, ServiceCredential};
use domain::workspace::Workspace;
use domain::{AddressRanges, CredentialRecord, DigestAlgorithm, KeyId, Kid, WorkspaceId};
use papaya::Guard;

use crate::callers::{CallerEntry, Service, Who};
use crate::entry::{Attributes, Entry, Moment, Rare, Replaced};
use crate::verifier::Verifier;
use crate::writer::{FoundBy, Writer};

/// So many new credentials between two times that retired memory is let go: a grown map's old table
/// would otherwise wait for the next few changes, which may be long.
const FLUSH_EVERY: u32 = 4096;

impl Verifier {
    /// Takes in a workspace as it stands.
    pub fn load_workspace(&self, workspace: &Workspace) {
        self.put_workspace(&mut self.write(), workspace);
    }

    /// Takes in a key as it stands, with all its credentials.
    pub fn load_key(&self, key: &ApiKey) {
        self.put_key(&mut self.write(), key);
    }

    /// Takes in a service credential as it stands.
    pub fn load_service_credential(&self, credential: &ServiceCredential) {
        self.put_service_credential(&mut self.write(), credential);
    }

    pub(crate) fn put_workspace(&self, writer: &mut Writer, workspace: &Workspace) {
        let record = self.record(workspace.workspace_id);
        record.suspend(workspace.suspended.is_some());
        if record.make_known() {
            self.known_workspaces.fetch_add(1, Ordering::Relaxed);
        }
        self.put_workspace_token(writer, workspace.workspace_id, &workspace.token);
    }

    /// The one live token of a workspace. The old one goes first: for a moment none is valid, which
    /// is better than two.
    pub(crate) fn put_workspace_token(
        &self,
        writer: &mut Writer,
        workspace_id: WorkspaceId,
        token: &CredentialRecord,
    ) {
        let callers = self.callers.pin();
        if let Some(old) = writer.workspace_tokens.insert(workspace_id, token.kid) {
            callers.remove(&old);
        }
        let who = Who::Workspace(self.record(workspace_id));
        callers.insert(token.kid, CallerEntry::new(token, who));
        self.callers_changed();
    }

    pub(crate) fn put_service_credential(
        &self,
        writer: &mut Writer,
        credential: &ServiceCredential,
    ) {
        let id = credential.service_credential_id;
        let counts = credential.revoked_at.is_none()
            && !writer.quarantined_service_credentials.contains(&id);
        let live = counts.then(|| match &credential.proof {
            Proof::Secret(secret) => FoundBy::Kid(secret.kid),
            Proof::Identity(identity) => FoundBy::Identity(identity.clone()),
        });
        let old = writer.service_credentials.insert(id, live.clone()).flatten();
        if let Some(old) = old.filter(|old| live.as_ref() != Some(old)) {
            self.remove_service_credential(&old);
        }
        if live.is_some() {
            let permissions = credential.permissions.iter().collect();
            let bounds = Arc::new(credential.bounds.clone());
            let service = Service { id, permissions, bounds };
            match &credential.proof {
                Proof::Secret(secret) => {
                    let entry = CallerEntry::new(secret, Who::Service(service));
                    self.callers.pin().insert(secret.kid, entry);
                }
                Proof::Identity(identity) => {
                    self.identities.pin().insert(identity.clone(), service);
                }
            }
        }
        self.callers_changed();
    }

    pub(crate) fn remove_service_credential(&self, found_by: &FoundBy) {
        match found_by {
            FoundBy::Kid(kid) => drop(self.callers.pin().remove(kid)),
            FoundBy::Identity(identity) => drop(self.identities.pin().remove(identity)),
        }
    }

    pub(crate) fn put_key(&self, writer: &mut Writer, key: &ApiKey) {
        let old = self.kids_of(writer, key.key_id);
        let new: Vec<Kid> =
            key.credentials.iter().map(|credential| credential.record.kid).collect();
        for credential in &key.credentials {
            let entry = self.entry(writer, key, credential);
            self.put_entry(credential.record.kid, entry);
        }
        for gone in old.iter().filter(|kid| !new.contains(kid)) {
            self.remove_entry(*gone);
        }
        match (old.is_empty(), new.is_empty()) {
            (true, false) => self.keys.fetch_add(1, Ordering::Relaxed),
            (false, true) => self.keys.fetch_sub(1, Ordering::Relaxed),
            (true, true) | (false, false) => 0,
        };
        writer.kids.set(key.key_id, &old, &new);
        self.let_go(writer, new.len());
    }

    /// All kids of a key, oldest first; none if the key is not known.
    pub(crate) fn kids_of(&self, writer: &Writer, key_id: KeyId) -> Vec<Kid> {
        let entries = self.entries.pin();
        writer.kids.of(key_id, |kid| entries.get(&kid).is_some_and(|entry| entry.key_id == key_id))
    }

    /// Puts an entry where it is found, and marks the one that it replaces: in this order, see
    /// `verifier.rs`.
    pub(crate) fn put_entry(&self, kid: Kid, entry: Entry) {
        if let Some(old) = self.entries.pin().insert(kid, entry) {
            old.replaced.set();
        }
    }

    /// Takes an entry away, and marks it for those who have just found it.
    pub(crate) fn remove_entry(&self, kid: Kid) {
        if let Some(entry) = self.entries.pin().remove(&kid) {
            entry.replaced.set();
        }
    }

    fn entry(&self, writer: &mut Writer, key: &ApiKey, credential: &Credential) -> Entry {
        let imported = match credential.record.algorithm {
            DigestAlgorithm::HmacSha256 => false,
            DigestAlgorithm::ImportedSha256 => true,
        };
        if imported {
            self.any_imported.store(true, Ordering::Release);
        }
        let settings = &key.settings;
        let attributes = Attributes {
            principal: settings.owner.principal.clone(),
            domains: settings.domains.restrict().then(|| settings.domains.clone()),
            metadata: (!settings.metadata.pairs().is_empty()).then(|| settings.metadata.clone()),
        };
        let rare = Rare {
            attributes: (attributes != Attributes::default())
                .then(|| writer.attributes.share(attributes)),
            not_before: Moment::from(settings.not_before),
            not_after: Moment::from(credential.not_after),
            revoked_at: Moment::from(key.revoked.as_ref().map(|revocation| revocation.at)),
            revocation: key.revoked.as_ref().map(|revocation| revocation.reason),
            disabled: key.disabled_at.is_some(),
            ended: credential.ended,
            imported,
        };
        Entry {
            digest: credential.record.digest,
            key_id: key.key_id,
            workspace: self.record(key.workspace_id),
            name: settings.name.as_str().into(),
            scopes: writer.scopes.share(settings.scopes.clone()),
            addresses: settings
                .ip_allowlist
                .as_ref()
                .map(|networks| writer.addresses.share(AddressRanges::new(networks))),
            rare: writer.keep_rare(rare),
            expires_at: Moment::from(settings.expires_at),
            generation: credential.generation,
            pepper: credential.record.pepper,
            env: settings.env,
            replaced: Replaced::default(),
        }
    }

    pub(crate) fn let_go(&self, writer: &mut Writer, new: usize) {
        writer.since_flush += u32::try_from(new).unwrap_or(FLUSH_EVERY);
        if writer.since_flush >= FLUSH_EVERY {
            writer.since_flush = 0;
            self.entries.guard().flush();
        }
    }
}
