//! An acceptance written straight into the bytes of its VerifyKeyResponse: the answer to nearly every
//! call, without the message in between. Denials and EXPLAIN go through `verdict.rs`, which says what
//! an answer holds; a test holds the two to the same.

use std::fmt::{self, Write};
use std::time::Duration;

use domain::{Brand, CredentialKind, Micros, Presented, display};
use verifier::{Answer, KeyView};

use super::convert::environment;
use super::verdict::{cache_for, warning};
use crate::freshness::Fresh;

/// Bytes of a wire message that is being written.
#[derive(Debug, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// Writes an acceptance but for its freshness. `key` is the key as it was presented.
#[inline]
pub(super) fn accepted(
    out: &mut Bytes,
    answer: &Answer<'_>,
    brand: &Brand,
    key: &str,
    depends_on: &[api::v1::VerdictInput],
    now: Micros,
) {
    out.number(1, api::v1::Decision::Accepted as u64);
    if let Some(view) = &answer.key {
        out.nested(4, 2, |out| verified(out, view, brand, key));
    }
    // One by one, as the message has them, not packed.
    answer.warnings.iter().for_each(|one| out.number(5, warning(one) as u64));
    if let Some(left) = cache_for(answer.key.as_ref(), now) {
        out.nested(7, 1, |out| out.duration(left));
    }
    depends_on.iter().for_each(|&one| out.number(8, one as u64));
}

/// Writes the freshness of the answering node.
#[inline]
pub(super) fn stamp(out: &mut Bytes, log: &str, fresh: Fresh) {
    let position = fresh.position.get();
    out.nested(6, 1, |out| {
        out.nested(1, 1, |out| out.display(format_args!("{log}.{position}")));
        out.number(2, position);
        out.nested(3, 1, |out| out.duration(fresh.staleness));
    });
}

#[inline]
fn verified(out: &mut Bytes, view: &KeyView<'_>, brand: &Brand, key: &str) {
    out.nested(1, 1, |out| out.display(view.key_id));
    out.nested(2, 1, |out| out.display(view.workspace_id));
    out.text(3, view.name);
    if view.imported {
        out.nested(4, 1, |out| {
            out.display(display(brand, CredentialKind::Imported, view.env, view.kid))
        });
    } else {
        // The key was found by what stands before its secret: that is its masked form.
        let length = key.len().saturating_sub(Presented::HIDDEN_LENGTH);
        out.text(4, key.get(..length).unwrap_or_default());
    }
    out.number(5, environment(view.env) as u64);
    for scope in view.scopes.iter() {
        out.nested(6, 1, |out| out.0.extend_from_slice(scope.as_str().as_bytes()));
    }
    if let Some(owner) = view.principal {
        let (domain::Principal::User(id) | domain::Principal::ServiceAccount(id)) = owner;
        let field = if matches!(owner, domain::Principal::User(_)) { 1 } else { 2 };
        out.nested(7, 1, |out| out.nested(field, 1, |out| out.0.extend_from_slice(id.as_bytes())));
    }
    if let Some(at) = view.expires_at {
        out.nested(8, 1, |out| out.moment(at));
    }
    out.number(9, u64::from(view.generation));
    if let Some(at) = view.grace_until {
        out.nested(10, 1, |out| out.moment(at));
    }
    for (label, value) in view.metadata.iter().flat_map(|labels| labels.pairs()) {
        out.nested(11, 1, |out| {
            out.text(1, label);
            out.text(2, value);
        });
    }
}

impl Bytes {
    /// A message inside this one, or a text, of which `guess` bytes for the length are enough mostly.
    #[inline]
    fn nested(&mut self, field: u8, guess: usize, write: impl FnOnce(&mut Self)) {
        self.0.push(field << 3 | 2);
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 2][..guess]);
        write(self);
        let mut length = (self.0.len() - start - guess) as u64;
        let taken = if length < 0x80 { 1 } else { length.ilog2() as usize / 7 + 1 };
        if taken != guess {
            self.0.splice(start..start + guess, std::iter::repeat_n(0, taken));
        }
        for place in &mut self.0[start..start + taken] {
            *place = (length & 0x7f) as u8 | 0x80;
            length >>= 7;
        }
        self.0[start + taken - 1] &= 0x7f;
    }

    /// A text that may be missing.
    #[inline]
    fn text(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.nested(field, 1, |out| out.0.extend_from_slice(text.as_bytes()));
        }
    }

    /// A number that may be missing.
    #[inline]
    fn number(&mut self, field: u8, number: u64) {
        if number != 0 {
            self.0.push(field << 3);
            self.varint(number);
        }
    }

    #[inline]
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push((number & 0x7f) as u8);
    }

    #[inline]
    fn duration(&mut self, duration: Duration) {
        self.number(1, duration.as_secs());
        self.number(2, u64::from(duration.subsec_nanos()));
    }

    fn moment(&mut self, at: Micros) {
        // As two's complement, in ten bytes, before 1970.
        self.number(1, at.0.div_euclid(1_000_000).cast_unsigned());
        self.number(2, at.0.rem_euclid(1_000_000).unsigned_abs() * 1_000);
    }

    #[inline]
    fn display(&mut self, what: impl fmt::Display) {
        // Writing into memory does not fail.
        let _ = write!(self, "{what}");
    }
}

impl Write for Bytes {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
#[path = "verdict_bytes_tests.rs"]
mod tests;
