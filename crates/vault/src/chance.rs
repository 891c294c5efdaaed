//! The one source of chance: the operating system's generator, through `ring`. What is drawn, ids,
//! kids, secrets or nonces, is the caller's to say.

use ring::rand::{SecureRandom, SystemRandom};

/// The operating system gave no random bytes. Nothing may go on without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

/// Fills `bytes` from the operating system's generator.
///
/// # Errors
/// [`NoEntropy`] if there is none; `bytes` must then not be used.
pub fn fill(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that opens the system's generator; all others draw from here"
    )]
    let generator = SystemRandom::new();
    generator.fill(bytes).map_err(|_| NoEntropy)
}

/// `N` random bytes. Bytes that become a secret are the caller's to wipe.
///
/// # Errors
/// [`NoEntropy`] if the operating system has none.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}
