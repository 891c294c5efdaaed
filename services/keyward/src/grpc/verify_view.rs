//! A VerifyKeyRequest as it is looked at: borrowed, from the message that prost made or straight from
//! the bytes that came. The latter knows the common fields only; whatever else is in the bytes, broken
//! ones too, is left to prost, so that there is one opinion on it.

use api::v1::VerifyKeyRequest;
use api::v1::consistency::Requirement;
use smallvec::SmallVec;

/// See the module. Fields are those of the message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct View<'a> {
    pub(super) key: &'a str,
    pub(super) workspace_id: &'a str,
    pub(super) client_ip: &'a str,
    pub(super) origin: &'a str,
    pub(super) user_agent: &'a str,
    pub(super) expected_key_id: &'a str,
    pub(super) all_of: SmallVec<[&'a str; 4]>,
    pub(super) any_of: SmallVec<[&'a str; 4]>,
    pub(super) allowed_envs: SmallVec<[i32; 2]>,
    pub(super) mode: i32,
    pub(super) requirement: Option<&'a Requirement>,
}

impl<'a> View<'a> {
    /// The view of a message.
    pub(super) fn of(request: &'a VerifyKeyRequest) -> Self {
        let scopes = request.required_scopes.as_ref();
        let all_of = scopes.into_iter().flat_map(|scopes| &scopes.all_of);
        let any_of = scopes.into_iter().flat_map(|scopes| &scopes.any_of);
        Self {
            key: &request.key,
            workspace_id: &request.workspace_id,
            client_ip: &request.client_ip,
            origin: &request.origin,
            user_agent: &request.user_agent,
            expected_key_id: &request.expected_key_id,
            all_of: all_of.map(String::as_str).collect(),
            any_of: any_of.map(String::as_str).collect(),
            allowed_envs: request.allowed_envs.iter().copied().collect(),
            mode: request.mode,
            requirement: request.consistency.as_ref().and_then(|one| one.requirement.as_ref()),
        }
    }

    /// The view of an encoded message; `None` if it has to be read by prost.
    #[inline]
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut view = Self::default();
        let mut rest = bytes;
        while let Some((&tag, after)) = rest.split_first() {
            rest = after;
            // A tag is the field's number and its wire type: 2 has a length, 0 is a number. Numbers
            // over 15 take two bytes, and none of those is here.
            match tag {
                0x0a => view.key = text(&mut rest)?,
                0x12 => view.workspace_id = text(&mut rest)?,
                0x1a => view.client_ip = text(&mut rest)?,
                0x22 => view.read_scopes(chunk(&mut rest)?)?,
                0x2a => {
                    let mut packed = chunk(&mut rest)?;
                    while !packed.is_empty() {
                        view.allowed_envs.push(small(&mut packed)?);
                    }
                }
                0x28 => view.allowed_envs.push(small(&mut rest)?),
                0x32 => view.origin = text(&mut rest)?,
                0x3a => view.user_agent = text(&mut rest)?,
                0x42 => view.expected_key_id = text(&mut rest)?,
                0x50 => view.mode = small(&mut rest)?,
                _ => return None,
            }
        }
        Some(view)
    }

    fn read_scopes(&mut self, mut rest: &'a [u8]) -> Option<()> {
        while let Some((&tag, after)) = rest.split_first() {
            rest = after;
            match tag {
                0x0a => self.all_of.push(text(&mut rest)?),
                0x12 => self.any_of.push(text(&mut rest)?),
                _ => return None,
            }
        }
        Some(())
    }
}

/// A number of one byte; longer ones are rare.
#[inline]
fn small(rest: &mut &[u8]) -> Option<i32> {
    let (&number, after) = rest.split_first()?;
    *rest = after;
    (number < 0x80).then_some(i32::from(number))
}

/// Bytes behind their length, which has one byte or two.
#[inline]
fn chunk<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = match **rest {
        [low, ref after @ ..] if low < 0x80 => (usize::from(low), after),
        [low, high, ref after @ ..] if high < 0x80 => {
            (usize::from(low & 0x7f) | usize::from(high) << 7, after)
        }
        _ => return None,
    };
    let (chunk, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(chunk)
}

#[inline]
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(chunk(rest)?).ok()
}

#[cfg(test)]
mod tests {
    use api::v1::{Consistency, RequiredScopes};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn requests() -> impl Strategy<Value = VerifyKeyRequest> {
        let texts = || prop::collection::vec(".{0,20}", 0..4);
        let scopes = prop::option::of(
            (texts(), texts()).prop_map(|(all_of, any_of)| RequiredScopes { all_of, any_of }),
        );
        let consistency = prop::option::weighted(0.2, ".{0,9}").prop_map(|token| {
            token.map(|token| Consistency { requirement: Some(Requirement::AtLeast(token)) })
        });
        let lines = (".{0,200}", ".{0,40}", ".{0,40}", ".{0,40}", ".{0,40}", ".{0,40}");
        (lines, scopes, prop::collection::vec(0..4_i32, 0..4), 0..300_i32, consistency).prop_map(
            |(lines, required_scopes, allowed_envs, mode, consistency)| VerifyKeyRequest {
                key: lines.0,
                workspace_id: lines.1,
                client_ip: lines.2,
                required_scopes,
                allowed_envs,
                origin: lines.3,
                user_agent: lines.4,
                expected_key_id: lines.5,
                consistency,
                mode,
            },
        )
    }

    proptest! {
        #[test]
        fn bytes_are_read_as_prost_reads_them(request in requests()) {
            let bytes = request.encode_to_vec();
            let view = View::read(&bytes);
            let common = request.consistency.is_none() && request.mode < 128;
            prop_assert_eq!(view, common.then(|| View::of(&request)));
        }

        #[test]
        fn what_is_read_of_any_bytes_prost_reads_too(
            parts in prop::collection::vec((requests(), any::<prop::sample::Index>()), 1..3),
            junk in prop::collection::vec(any::<u8>(), 0..6),
        ) {
            // Messages one behind the other are merged; some are cut, which mostly breaks them.
            let mut bytes = Vec::new();
            for (request, cut) in parts {
                let mut one = request.encode_to_vec();
                one.truncate(cut.index(one.len() * 4 + 1));
                bytes.extend(one);
            }
            bytes.extend(junk);
            let request = VerifyKeyRequest::decode(bytes.as_slice());
            if let Some(view) = View::read(&bytes) {
                prop_assert_eq!(Ok(view), request.as_ref().map(View::of));
            }
        }
    }
}
