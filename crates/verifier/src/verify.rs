//! One question, one answer. No lock, no wait, and no allocation but for the scopes that a denial
//! lists.
//!
//! Everything that is "not found" does the same work and leaves by one exit: an unknown kid has its
//! secret checked against a stand-in, and what the asker may see is looked at afterwards.

use std::sync::atomic::Ordering;

use domain::verdict::{Check, Denial, Outcome, Verdict, explain, explain_unknown, judge};
use domain::{
    Binding, CredentialKind, Env, Kid, PepperId, Presented, SECRET_LENGTH, SecretDigest,
    WorkspaceId,
};

use crate::answer::{Answer, Quarantined, Warnings};
use crate::entry::Entry;
use crate::query::Query;
use crate::verifier::Verifier;
use crate::workspaces::Standing;

/// What looking for a key came to.
#[derive(Clone, Copy)]
pub(crate) enum Finding<'g> {
    Malformed,
    NotFound,
    Quarantined,
    Found(Kid, &'g Entry, Standing),
}

/// A credential as it was shown, of ours or not.
struct Shown<'a> {
    kind: CredentialKind,
    /// What it claims; an imported key claims nothing.
    env: Option<Env>,
    kid: Kid,
    secret: &'a [u8; SECRET_LENGTH],
}

impl Finding<'_> {
    #[inline]
    pub(crate) fn verify<R>(self, query: &Query<'_>, respond: impl FnOnce(&Answer<'_>) -> R) -> R {
        respond(&match self {
            Self::Malformed => Answer::denied(Denial::Malformed),
            Self::NotFound => Answer::denied(Denial::NotFound),
            Self::Quarantined => Answer::without_key(Err(Quarantined)),
            Self::Found(kid, entry, standing) => found(query, kid, entry, standing),
        })
    }

    pub(crate) fn explain<R>(
        self,
        query: &Query<'_>,
        respond: impl FnOnce(&Answer<'_>, Vec<(Check, Outcome)>) -> R,
    ) -> R {
        match self {
            Self::Malformed => respond(&Answer::denied(Denial::Malformed), explain_unknown(false)),
            Self::NotFound => respond(&Answer::denied(Denial::NotFound), explain_unknown(true)),
            Self::Quarantined => respond(&Answer::without_key(Err(Quarantined)), Vec::new()),
            Self::Found(kid, entry, standing) => {
                let facts = entry.facts(standing);
                let answer = found(query, kid, entry, standing);
                let checks = explain(&facts, &query.question);
                respond(&Answer { facts: Some(facts), ..answer }, checks)
            }
        }
    }
}

impl Verifier {
    /// Answers `query`. `check` says whether a secret matches a digest; it is called exactly once
    /// for a well-formed string, whatever becomes of it, and never for a malformed one. `respond`
    /// gets the answer while the key is borrowed from the index.
    ///
    /// A key whose workspace is not known, which happens only while the index is loaded, is not
    /// found. In a quarantined workspace nothing is found or not found, if `query` is pinned to it.
    ///
    /// Both functions keep retired memory from being let go while they run: keep them short.
    pub fn verify<R>(
        &self,
        query: &Query<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
        respond: impl FnOnce(&Answer<'_>) -> R,
    ) -> R {
        self.find(query, check, |finding| finding.verify(query, respond))
    }

    /// Answers `query` like [`Verifier::verify`], and lists how every check came out. The list is
    /// empty if nothing can be said.
    pub fn explain<R>(
        &self,
        query: &Query<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
        respond: impl FnOnce(&Answer<'_>, Vec<(Check, Outcome)>) -> R,
    ) -> R {
        self.find(query, check, |finding| finding.explain(query, respond))
    }

    #[inline]
    pub(crate) fn find<R>(
        &self,
        query: &Query<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
        then: impl FnOnce(Finding<'_>) -> R,
    ) -> R {
        let Ok(presented) = Presented::parse(query.key, &self.brand) else {
            return self.find_foreign(query, check, then);
        };
        self.find_kid(
            query,
            &Shown {
                kind: presented.kind,
                env: Some(presented.env),
                kid: presented.kid,
                secret: presented.secret(),
            },
            check,
            then,
        )
    }

    /// Looks for a text that is no credential of ours: it may be an imported key.
    #[cold]
    fn find_foreign<R>(
        &self,
        query: &Query<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
        then: impl FnOnce(Finding<'_>) -> R,
    ) -> R {
        let may_be = (1..=Presented::MAX_LENGTH).contains(&query.key.len())
            && self.any_imported.load(Ordering::Acquire);
        let Some(imported) = self.imported.as_ref().filter(|_| may_be) else {
            return then(Finding::Malformed);
        };
        let (kid, secret) = imported(query.key);
        let kind = CredentialKind::Imported;
        let shown = Shown { kind, env: None, kid, secret: secret.expose() };
        self.find_kid(query, &shown, check, |finding| {
            // Whether it was looked up is not told, nor that anybody has imported anything.
            then(if matches!(finding, Finding::NotFound) { Finding::Malformed } else { finding })
        })
    }

    #[inline]
    fn find_kid<R>(
        &self,
        query: &Query<'_>,
        presented: &Shown<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
        then: impl FnOnce(Finding<'_>) -> R,
    ) -> R {
        let entries = self.entries.pin();
        let is_key = matches!(presented.kind, CredentialKind::ApiKey | CredentialKind::Imported);
        let held = entries.get(&presented.kid).filter(|_| is_key);
        let mut entry = held.unwrap_or(&self.absent);
        let env = presented.env.unwrap_or(entry.env);
        let matched = check(
            &Binding {
                workspace: Some(entry.workspace.id()),
                resource: entry.key_id.uuid(),
                kid: presented.kid,
                env,
                kind: presented.kind,
            },
            presented.secret,
            entry.pepper,
            &entry.digest,
        );
        let mut standing = entry.workspace.standing();
        // See `verifier.rs`, 3: entry and standing must be of one moment.
        while entry.replaced.get() {
            let newer = entries.get(&presented.kid);
            entry = newer.filter(|newer| newer.answers_to(entry)).unwrap_or(&self.absent);
            standing = entry.workspace.standing();
        }
        // `&`, not `&&`: which of them fails must not show in the time it takes.
        let found = matched
            & held.is_some()
            & standing.known()
            & (entry.env == env)
            & query.sees(entry.workspace.id(), entry.env, entry.key_id);
        then(if !found {
            match self.undecidable(query.pinned()) {
                true => Finding::Quarantined,
                false => Finding::NotFound,
            }
        } else if standing.quarantined() {
            Finding::Quarantined
        } else {
            Finding::Found(presented.kid, entry, standing)
        })
    }

    /// Whether "not found" would be a guess: the event that was missed may have been the one that
    /// made the key.
    fn undecidable(&self, pinned: Option<WorkspaceId>) -> bool {
        self.any_quarantined.load(Ordering::SeqCst)
            && pinned.is_some_and(|workspace_id| {
                self.workspaces
                    .pin()
                    .get(&workspace_id)
                    .is_some_and(|record| record.standing().quarantined())
            })
    }
}

#[inline]
fn found<'g>(query: &Query<'_>, kid: Kid, entry: &'g Entry, standing: Standing) -> Answer<'g> {
    let verdict = judge(&entry.facts(standing), &query.question);
    let warnings = match verdict {
        Verdict::Accepted => entry.warnings(&query.question),
        Verdict::Denied(_) => Warnings::default(),
    };
    Answer { verdict: Ok(verdict), key: Some(entry.view(kid)), warnings, facts: None }
}
