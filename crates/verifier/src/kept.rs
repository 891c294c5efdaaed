//! What a question found, kept for later: for whoever asks many questions of one state of the index, and
//! has the answers written when the index may go on.
//!
//! It shares what the index shares, and is as it was found, whatever becomes of the key.

use domain::verdict::{Check, Outcome};
use domain::{Binding, Kid, PepperId, SECRET_LENGTH, SecretDigest};

use crate::answer::Answer;
use crate::entry::Entry;
use crate::query::Query;
use crate::verifier::Verifier;
use crate::verify::Finding;
use crate::workspaces::Standing;

/// See the module.
pub struct Kept(Inner);

enum Inner {
    Malformed,
    NotFound,
    Quarantined,
    Found(Kid, Box<Entry>, Standing),
}

impl Verifier {
    /// Looks for the key of `query` as [`Verifier::verify`] does, and keeps what there is.
    pub fn keep(
        &self,
        query: &Query<'_>,
        check: impl Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool,
    ) -> Kept {
        self.find(query, check, |finding| {
            Kept(match finding {
                Finding::Malformed => Inner::Malformed,
                Finding::NotFound => Inner::NotFound,
                Finding::Quarantined => Inner::Quarantined,
                Finding::Found(kid, entry, standing) => {
                    Inner::Found(kid, Box::new(entry.clone()), standing)
                }
            })
        })
    }
}

impl Kept {
    /// Answers the query that it was found for, as [`Verifier::verify`] would have.
    pub fn verify<R>(&self, query: &Query<'_>, respond: impl FnOnce(&Answer<'_>) -> R) -> R {
        self.finding().verify(query, respond)
    }

    /// Answers the query that it was found for, as [`Verifier::explain`] would have.
    pub fn explain<R>(
        &self,
        query: &Query<'_>,
        respond: impl FnOnce(&Answer<'_>, Vec<(Check, Outcome)>) -> R,
    ) -> R {
        self.finding().explain(query, respond)
    }

    fn finding(&self) -> Finding<'_> {
        match &self.0 {
            Inner::Malformed => Finding::Malformed,
            Inner::NotFound => Finding::NotFound,
            Inner::Quarantined => Finding::Quarantined,
            Inner::Found(kid, entry, standing) => Finding::Found(*kid, entry, *standing),
        }
    }
}
