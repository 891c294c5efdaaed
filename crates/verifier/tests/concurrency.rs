//! Readers beside a writer: no read waits, none is torn, and none that starts after a revocation was
//! applied accepts the key.

mod world;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use domain::verdict::{Denial, Verdict};
use domain::{Binding, CredentialKind, Env, Event};
use verifier::Verifier;
use world::*;

const READERS: usize = 2;
const EVENTS: usize = 100_000;

/// Runs `read` over and over on every reader, until `write` is done, and at least once after.
fn beside(read: impl Fn() + Sync, write: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    read();
                }
                read();
            });
        }
        write();
        done.store(true, Ordering::SeqCst);
    });
}

fn is_revoked(verifier: &Verifier, key: &Key) -> bool {
    let told = verdict(verifier, &query(key.text()));
    matches!(told, Ok(Verdict::Denied(Denial::Revoked { .. })))
}

#[test]
fn a_verdict_is_of_one_moment() {
    // The key and its workspace are switched so that one of the two always denies. Whoever took the
    // key of one moment and the workspace of another would sometimes accept it.
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), suspended(ws(1)), key.created()]);
    let round: [Event; 4] =
        [disabled(key.key_id), resumed(ws(1)), suspended(ws(1)), enabled(key.key_id)];
    let answered = AtomicUsize::new(0);
    beside(
        || {
            let told = verdict(&verifier, &query(key.text()));
            let of_one_moment = [Denial::Disabled, Denial::WorkspaceSuspended];
            let Ok(Verdict::Denied(denial)) = told else {
                panic!("torn: {told:?}");
            };
            assert!(of_one_moment.contains(&denial), "torn: {denial:?}");
            answered.fetch_add(1, Ordering::Relaxed);
        },
        || {
            for event in round.iter().cycle().take(EVENTS) {
                verifier.apply(event);
            }
        },
    );
    assert!(answered.into_inner() > 1_000);
}

#[test]
fn what_is_applied_while_the_secret_is_checked_is_seen_whole_or_not_at_all() {
    // The check runs between the look at the key and the look at its workspace.
    let key = key(1, ws(1));
    let mut other_digest = key.folded();
    other_digest.credentials[0].record.digest.0[0] ^= 1;
    let mut other_kid = key.folded();
    other_kid.credentials[0].record =
        mint(2, CredentialKind::ApiKey, Env::Live, Some(ws(1)), key.key_id.uuid()).record;
    let told_amid = |change: &dyn Fn(&Verifier)| {
        let created = [workspace_created(ws(1)), suspended(ws(1)), key.created()];
        let verifier = following(&created);
        let amid = |binding: &Binding, secret: &_, pepper, digest: &_| {
            change(&verifier);
            check(binding, secret, pepper, digest)
        };
        verifier.verify(&query(key.text()), amid, |answer| answer.verdict.clone())
    };
    let switched = told_amid(&|verifier| {
        verifier.apply(&disabled(key.key_id));
        verifier.apply(&resumed(ws(1)));
    });
    assert_eq!(switched, Ok(Verdict::Denied(Denial::Disabled)));
    let accepted = told_amid(&|verifier| verifier.apply(&resumed(ws(1))));
    assert_eq!(accepted, Ok(Verdict::Accepted));
    // The secret that was checked says nothing about a credential that has another digest.
    for reloaded in [other_digest, other_kid] {
        let told = told_amid(&|verifier| {
            verifier.apply(&resumed(ws(1)));
            verifier.load_key(&reloaded);
        });
        assert_eq!(told, Ok(Verdict::Denied(Denial::NotFound)));
    }
}

#[test]
fn no_read_that_starts_after_a_revocation_was_applied_accepts_the_key() {
    // The index grows all the while, so that reads fall into moves between tables as well.
    let keys: Vec<Key> = (0..10_000).map(|n| key(n, ws(1))).collect();
    let verifier = following(&[workspace_created(ws(1))]);
    let (created, revoked_so_far) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let turn = AtomicUsize::new(0);
    beside(
        || {
            let dead = revoked_so_far.load(Ordering::SeqCst);
            let begun = created.load(Ordering::SeqCst);
            let turn = turn.fetch_add(7, Ordering::Relaxed);
            for n in [dead.checked_sub(1), turn.checked_rem(dead)].into_iter().flatten() {
                assert!(is_revoked(&verifier, &keys[n]), "key {n} passed after its end");
            }
            for n in [begun.checked_sub(1), turn.checked_rem(begun)].into_iter().flatten() {
                let told = verdict(&verifier, &query(keys[n].text()));
                assert_ne!(told, Ok(Verdict::Denied(Denial::NotFound)), "key {n} was lost");
            }
        },
        || {
            for (n, key) in keys.iter().enumerate() {
                verifier.apply(&key.created());
                created.store(n + 1, Ordering::SeqCst);
                if let Some(old) = n.checked_sub(3) {
                    verifier.apply(&revoked(keys[old].key_id));
                    revoked_so_far.store(old + 1, Ordering::SeqCst);
                }
            }
        },
    );
    assert_eq!(verifier.counts().keys, keys.len());
}

#[test]
fn a_suspension_that_was_applied_holds_for_every_key_at_once() {
    let keys: Vec<Key> = (0..50).map(|n| key(n, ws(1))).collect();
    let verifier = following(&[workspace_created(ws(1))]);
    keys.iter().for_each(|key| verifier.apply(&key.created()));
    // Odd while the workspace is surely suspended.
    let epoch = AtomicUsize::new(0);
    let (looked, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let suspended_now = Ok(Verdict::Denied(Denial::WorkspaceSuspended));
    beside(
        || {
            for key in &keys {
                let before = epoch.load(Ordering::SeqCst);
                let told = verdict(&verifier, &query(key.text()));
                if before % 2 == 1 && epoch.load(Ordering::SeqCst) == before {
                    wrong.fetch_add(usize::from(told != suspended_now), Ordering::Relaxed);
                    looked.fetch_add(1, Ordering::Relaxed);
                }
            }
        },
        || {
            for _ in 0..2_000 {
                verifier.apply(&suspended(ws(1)));
                epoch.fetch_add(1, Ordering::SeqCst);
                let goal = looked.load(Ordering::Relaxed) + 1;
                // On one busy core the readers may never meet a suspension of a moment's length.
                while looked.load(Ordering::Relaxed) < goal {
                    thread::yield_now();
                }
                epoch.fetch_add(1, Ordering::SeqCst);
                verifier.apply(&resumed(ws(1)));
            }
        },
    );
    assert_eq!(wrong.into_inner(), 0);
}

#[test]
fn a_reader_inside_an_answer_does_not_hold_up_the_writer() {
    let key = key(1, ws(1));
    let verifier = following(&[workspace_created(ws(1)), key.created()]);
    verifier.verify(&query(key.text()), check, |answer| {
        thread::scope(|scope| {
            let write = || {
                for _ in 0..1_000 {
                    verifier.apply(&disabled(key.key_id));
                }
                verifier.apply(&revoked(key.key_id));
            };
            scope.spawn(write).join().unwrap();
        });
        // The answer is still the one of its moment, and what it borrows is still there.
        assert_eq!(answer.verdict, Ok(Verdict::Accepted));
        assert_eq!(answer.key.unwrap().name, "key number 1");
    });
    assert!(is_revoked(&verifier, &key));
}
