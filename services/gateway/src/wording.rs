//! What the service says with names of its own, in words that fit every product.

use crate::refusal::Refusal;

/// The message of a refusal.
pub(crate) fn message(refusal: &Refusal) -> &str {
    match refusal.reason() {
        "CREDENTIAL_MISSING" => "the header Authorization: Bearer is missing",
        "TWO_CREDENTIALS" => "there must be one credential only",
        "PAGE_TOKEN_INVALID" => "pageToken must be the nextPageToken of the same list",
        "REQUEST_ID_REUSED" => "the Idempotency-Key was used for another request",
        "ROTATION_GRACE_RUNNING" => "the secret before the last rotation is still good",
        "API_KEY_EXPIRED" => "the key is expired",
        _ => refusal.message(),
    }
}
