//! Page tokens (AIP-158): a cursor, sealed and bound to its list. A changed one, or one of another
//! list, is refused.

use api::v1::ErrorReason;
use readmodel::Cursor;
use vault::TokenPurpose;

use super::status::Refusal;
use crate::node::Node;

const DEFAULT_SIZE: usize = 50;
const MOST: usize = 1_000;

/// The number of rows of a page: 50 unless set, at most 1,000.
///
/// # Errors
/// A negative size.
pub(super) fn size(asked: i32) -> Result<usize, Refusal> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MOST)),
        Err(_) => Err(Refusal::field("page_size", "must not be negative")),
    }
}

/// The cursor in a page token of the list that is described by `bound`; `None` for an empty token.
///
/// # Errors
/// It was changed, or is of another list.
pub(super) fn read(node: &Node, bound: &[u8], token: &str) -> Result<Option<Cursor>, Refusal> {
    read_as(node, bound, token, |bytes| Cursor::from_bytes(bytes).ok())
}

/// As [`read`], in a list whose places are not [`Cursor`]s; `place` reads what [`write_bytes`] sealed.
///
/// # Errors
/// As [`read`].
pub(super) fn read_as<Place>(
    node: &Node,
    bound: &[u8],
    token: &str,
    place: impl FnOnce(&[u8]) -> Option<Place>,
) -> Result<Option<Place>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let opened =
        node.ring.load().tokens().open(TokenPurpose::Page, &vault::sha256(bound), token).ok();
    opened.and_then(|bytes| place(&bytes)).map(Some).ok_or_else(|| {
        Refusal::new(
            ErrorReason::PageTokenInvalid,
            "page_token: must be the next_page_token of the same list",
        )
    })
}

/// The page token of a cursor; empty for none.
///
/// # Errors
/// The system gives no random bytes.
pub(super) fn write(node: &Node, bound: &[u8], next: Option<Cursor>) -> Result<String, Refusal> {
    next.map_or(Ok(String::new()), |cursor| write_bytes(node, bound, &cursor.to_bytes()))
}

/// The page token of any place.
///
/// # Errors
/// As [`write`].
pub(super) fn write_bytes(node: &Node, bound: &[u8], place: &[u8]) -> Result<String, Refusal> {
    node.ring
        .load()
        .tokens()
        .seal(TokenPurpose::Page, &vault::sha256(bound), place)
        .map_err(|error| Refusal::internal(&error))
}
