//! How long a "not found" takes says nothing of why: an unknown kid, a secret that is wrong at its
//! beginning or at its end, a revoked key with a wrong secret.
//!
//! A program of its own, so that nothing else of it runs meanwhile. Questions are asked in turn, a few at a
//! time, in an order that changes; of each kind the median counts. Noise of the machine comes over all kinds
//! alike, and what is left of it differs from round to round, whereas a leak is there in every round: so
//! one quiet round of several is enough, and the controls, which leak, must have none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::hint::black_box;
use std::time::Instant;

use domain::verdict::{Denial, Verdict};
use domain::{Binding, PepperId, SECRET_LENGTH, SecretDigest};
use verifier::Verifier;
use world::World;

/// Rounds of which one must be quiet.
const ROUNDS: usize = 8;
/// Measurements of each kind in a round.
const SAMPLES: usize = 1_500;
/// Questions of one measurement.
const BATCH: usize = 4;
/// How far the medians of two kinds may be apart, as a share of the least. A MAC is most of an answer; one
/// that is left out makes it differ by a third and more.
const APART: f64 = 0.01;

/// Nanoseconds a question of each kind takes, the median of all measurements.
fn medians(questions: &[String], ask: impl Fn(&str)) -> Vec<f64> {
    let mut taken = vec![Vec::with_capacity(SAMPLES); questions.len()];
    for sample in 0..SAMPLES {
        for place in 0..questions.len() {
            // Each kind is as often the first as the last, and as often behind each other one.
            let kind =
                (place * (1 + sample % (questions.len() - 1)) + sample / 7) % questions.len();
            let began = Instant::now();
            for _ in 0..BATCH {
                ask(black_box(&questions[kind]));
            }
            taken[kind].push(began.elapsed().as_nanos());
        }
    }
    let median = |mut taken: Vec<u128>| {
        taken.sort_unstable();
        taken[taken.len() / 2] as f64 / BATCH as f64
    };
    taken.into_iter().map(median).collect()
}

/// How far the kinds are apart in the quietest round, as a share; and the medians of that round.
fn apart(questions: &[String], enough: f64, ask: impl Fn(&str)) -> (f64, Vec<f64>) {
    let mut quietest = (f64::INFINITY, Vec::new());
    for _ in 0..ROUNDS {
        let medians = medians(questions, &ask);
        let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
        let most = medians.iter().copied().fold(0.0, f64::max);
        let apart = most / least - 1.0;
        if apart < quietest.0 {
            quietest = (apart, medians);
        }
        if quietest.0 < enough {
            break;
        }
    }
    quietest
}

type Check<'a> = dyn Fn(&Binding, &[u8; SECRET_LENGTH], PepperId, &SecretDigest) -> bool + 'a;

fn ask(verifier: &Verifier, check: &Check<'_>, text: &str) {
    let verdict = verifier.verify(&world::query(text), check, |answer| answer.verdict.clone());
    assert_eq!(black_box(verdict), Ok(Verdict::Denied(Denial::NotFound)));
}

#[test]
fn why_a_key_is_not_found_does_not_show_in_the_time_that_it_takes() {
    let world = World::new();
    let questions = world.not_found();
    let (verifier, peppers) = (&world.verifier, world.ring.peppers());
    let told = |check: &Check<'_>| apart(&questions, APART, |text| ask(verifier, check, text));

    let sound = |binding: &Binding, secret: &[u8; 43], pepper, digest: &SecretDigest| {
        peppers.matches(binding, secret, pepper, digest)
    };
    let (share, medians) = told(&sound);
    println!("as it is: {share:.4} apart, {medians:.1?} ns");
    assert!(share < APART, "{share:.4} apart: {medians:.1?} ns");

    // Controls: what would be wrong is seen.
    let without_mac = |binding: &Binding, secret: &[u8; 43], pepper, digest: &SecretDigest| {
        digest.0 != [0; 32] && peppers.matches(binding, secret, pepper, digest)
    };
    let (share, medians) = told(&without_mac);
    println!("nothing is checked of an unknown kid: {share:.4} apart, {medians:.1?} ns");
    assert!(share > APART, "it is not seen: {medians:.1?} ns");

    let right = world.secret();
    let early_return = |binding: &Binding, secret: &[u8; 43], pepper, digest: &SecretDigest| {
        let same = peppers.matches(binding, secret, pepper, digest);
        for (one, other) in secret.iter().zip(&right) {
            if black_box(one) != black_box(other) {
                return false;
            }
        }
        same
    };
    let (share, medians) = told(&early_return);
    println!("secrets are compared to the first difference: {share:.4} apart, {medians:.1?} ns");
    assert!(share > APART, "it is not seen: {medians:.1?} ns");
}
