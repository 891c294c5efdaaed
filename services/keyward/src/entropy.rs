//! Where all chance ends: ids, selectors and secrets are drawn here, from the vault's source.

use domain::{Kid, Secret};
use jiff::Timestamp;
use uuid::Uuid;
use vault::NoEntropy;
use zeroize::Zeroizing;

/// A UUIDv7 (RFC 9562, 5.7): milliseconds of `now`, then random bits, so that ids sort by creation.
///
/// # Errors
/// The system gives no random bytes.
pub fn uuid_v7(now: Timestamp) -> Result<Uuid, NoEntropy> {
    let millis = now.as_millisecond().max(0).unsigned_abs();
    let random = vault::random::<10>()?;
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// A fresh selector.
///
/// # Errors
/// The system gives no random bytes.
pub fn kid() -> Result<Kid, NoEntropy> {
    Ok(Kid::from_entropy(vault::random::<12>()?))
}

/// A fresh secret of 256 random bits.
///
/// # Errors
/// The system gives no random bytes.
pub fn secret() -> Result<Secret, NoEntropy> {
    Ok(Secret::from_entropy(&Zeroizing::new(vault::random::<32>()?)))
}
