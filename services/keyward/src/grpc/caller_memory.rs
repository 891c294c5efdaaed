//! Callers that this thread has checked before: the same service presents the same credential with
//! every verdict, and checking it costs as much as checking the key.
//!
//! What is kept is a fingerprint, never the credential. A remembered caller counts as long as no
//! credential of any caller has changed since: after a revocation everybody is checked anew.

use std::cell::RefCell;

use vault::{Fingerprint, Fingerprints};
use verifier::{CallerRefusal, KnownCaller, Verifier};

use crate::node::Node;

/// Callers that a thread remembers; two that meet in a slot only make each other be checked again.
const SLOTS: usize = 64;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::new(Memory {
        fingerprints: Fingerprints::new().ok(),
        slots: [const { None }; SLOTS],
    });
}

struct Memory {
    /// Without chance nothing is remembered.
    fingerprints: Option<Fingerprints>,
    slots: [Option<Remembered>; SLOTS],
}

struct Remembered {
    fingerprint: Fingerprint,
    /// The state of all callers that he was found in; no two verifiers have the same.
    callers: u64,
    known: KnownCaller,
}

/// Who presents this credential; as [`Verifier::caller`].
///
/// # Errors
/// As there.
#[inline]
pub(super) fn find(
    node: &Node,
    verifier: &Verifier,
    presented: &str,
) -> Result<KnownCaller, CallerRefusal> {
    // Read before looking: what changes while he is looked up is seen at the next call.
    let callers = verifier.callers_version();
    MEMORY.with_borrow_mut(|memory| {
        let fingerprint =
            memory.fingerprints.as_ref().and_then(|table| table.of(presented.as_bytes()));
        let Some(fingerprint) = fingerprint else {
            return verifier.caller(presented, node.secret_check());
        };
        let slot = &mut memory.slots[fingerprint.slot(SLOTS)];
        if let Some(one) = slot
            && one.fingerprint == fingerprint
            && one.callers == callers
        {
            return Ok(one.known.clone());
        }
        let known = verifier.caller(presented, node.secret_check())?;
        *slot = Some(Remembered { fingerprint, callers, known: known.clone() });
        Ok(known)
    })
}
