//! Following the log where it is about keys: what each event changes in the entries of the key's
//! credentials.

use domain::api_key::{ApiKeyEvent, ApiKeyState, KEPT_CREDENTIALS, Rotated};
use domain::{AddressRanges, Decider, KeyId, Micros};

use crate::entry::{Attributes, Entry, Moment, Rare};
use crate::verifier::Verifier;
use crate::writer::Writer;

impl Verifier {
    pub(crate) fn apply_key(&self, writer: &mut Writer, event: &ApiKeyEvent) {
        let key_id = event.key_id();
        match event {
            ApiKeyEvent::Created(_) => {
                if !self.kids_of(writer, key_id).is_empty() {
                    return;
                }
                if let Some(key) = ApiKeyState::default().evolve(event).present() {
                    self.put_key(writer, key);
                }
            }
            // A deleted key is switched off and stays so when it is brought back.
            ApiKeyEvent::Disabled(_) | ApiKeyEvent::Deleted(_) => {
                self.change_rare(writer, key_id, |rare| rare.disabled = true);
            }
            ApiKeyEvent::Enabled(_) => {
                self.change_rare(writer, key_id, |rare| rare.disabled = false);
            }
            ApiKeyEvent::Undeleted(_) => {}
            ApiKeyEvent::Revoked(revoked) => self.change_rare(writer, key_id, |rare| {
                rare.revoked_at = Moment::from(Some(revoked.at));
                rare.revocation = Some(revoked.reason);
            }),
            ApiKeyEvent::Rotated(rotated) => self.rotate(writer, rotated),
            ApiKeyEvent::GraceEnded(ended) => {
                self.change_rare(writer, key_id, |rare| end_grace(rare, ended.at.into()));
            }
            ApiKeyEvent::Renamed(_)
            | ApiKeyEvent::ScopesChanged(_)
            | ApiKeyEvent::AddressesChanged(_)
            | ApiKeyEvent::ValidityChanged(_) => self.change_settings(writer, event),
            ApiKeyEvent::OwnerChanged(changed) => {
                let principal = &changed.owner.principal;
                self.change_attributes(writer, key_id, |has| has.principal.clone_from(principal));
            }
            ApiKeyEvent::DomainsChanged(changed) => {
                let domains = changed.domains.restrict().then_some(&changed.domains);
                self.change_attributes(writer, key_id, |has| has.domains = domains.cloned());
            }
            ApiKeyEvent::MetadataChanged(changed) => {
                let labels = &changed.metadata;
                let labels = (!labels.pairs().is_empty()).then_some(labels);
                self.change_attributes(writer, key_id, |has| has.metadata = labels.cloned());
            }
            // Shown by the RPCs that manage a key, and in no verdict.
            ApiKeyEvent::Redescribed(_) | ApiKeyEvent::SubjectErased(_) => {}
        }
    }

    fn change_settings(&self, writer: &mut Writer, event: &ApiKeyEvent) {
        self.change(writer, event.key_id(), |writer, entry, rare| {
            if let ApiKeyEvent::Renamed(changed) = event {
                entry.name = changed.name.as_str().into();
            }
            if let ApiKeyEvent::ScopesChanged(changed) = event {
                entry.scopes = writer.scopes.share(changed.scopes.clone());
            }
            if let ApiKeyEvent::AddressesChanged(changed) = event {
                let list = changed.ip_allowlist.as_ref();
                entry.addresses = list.map(|list| writer.addresses.share(AddressRanges::new(list)));
            }
            if let ApiKeyEvent::ValidityChanged(changed) = event {
                entry.expires_at = Moment::from(changed.expires_at);
                rare.not_before = Moment::from(changed.not_before);
            }
        });
    }

    /// The new credential is like the newest before it in all but what proves it. Of several that are
    /// replaced, each is a verdict of its own, so that the order among them is nobody's to see.
    fn rotate(&self, writer: &mut Writer, rotated: &Rotated) {
        let key_id = rotated.key_id;
        let old = self.kids_of(writer, key_id);
        let newest = old.last().and_then(|kid| Some((*kid, self.entries.pin().get(kid).cloned()?)));
        let Some((before, mut entry)) = newest else {
            return;
        };
        self.change_rare(writer, key_id, |rare| end_grace(rare, rotated.at.into()));
        let mut replaced = entry.clone();
        let mut rare = entry.rare.as_deref().cloned().unwrap_or_default();
        rare.not_after = Moment::from(Some(rotated.grace_until));
        rare.ended = rotated.grace_until <= rotated.at;
        replaced.rare = writer.keep_rare(rare);
        self.put_entry(before, replaced);
        let mut rare = entry.rare.as_deref().cloned().unwrap_or_default();
        rare.imported = false;
        entry.rare = writer.keep_rare(rare);
        entry.digest = rotated.credential.digest;
        entry.pepper = rotated.credential.pepper;
        entry.generation = rotated.generation;
        self.put_entry(rotated.credential.kid, entry);
        let mut new = old.clone();
        new.push(rotated.credential.kid);
        for forgotten in new.drain(..new.len().saturating_sub(KEPT_CREDENTIALS)) {
            self.remove_entry(forgotten);
        }
        writer.kids.set(key_id, &old, &new);
        self.let_go(writer, 1);
    }

    fn change_attributes(
        &self,
        writer: &mut Writer,
        key_id: KeyId,
        change: impl Fn(&mut Attributes),
    ) {
        self.change(writer, key_id, |writer, _, rare| {
            let mut attributes = rare.attributes.as_deref().cloned().unwrap_or_default();
            change(&mut attributes);
            rare.attributes =
                (attributes != Attributes::default()).then(|| writer.attributes.share(attributes));
        });
    }

    fn change_rare(&self, writer: &mut Writer, key_id: KeyId, change: impl Fn(&mut Rare)) {
        self.change(writer, key_id, |_, _, rare| change(rare));
    }

    /// Changes every credential of a key.
    fn change(
        &self,
        writer: &mut Writer,
        key_id: KeyId,
        change: impl Fn(&mut Writer, &mut Entry, &mut Rare),
    ) {
        let entries = self.entries.pin();
        for kid in self.kids_of(writer, key_id) {
            let Some(entry) = entries.get(&kid) else {
                continue;
            };
            let mut entry = entry.clone();
            let mut rare = entry.rare.as_deref().cloned().unwrap_or_default();
            change(writer, &mut entry, &mut rare);
            entry.rare = writer.keep_rare(rare);
            self.put_entry(kid, entry);
        }
    }
}

/// Ends a credential that a newer one has taken over from, if that was still ahead.
fn end_grace(rare: &mut Rare, at: Micros) {
    if let Some(end) = rare.not_after.get() {
        rare.not_after = Moment::from(Some(end.min(at)));
        rare.ended = true;
    }
}
