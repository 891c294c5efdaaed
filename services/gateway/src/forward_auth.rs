//! Verification for proxies that ask before they let a request through. Nothing is answered here yet.

use crate::problem;
use crate::surface::Table;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "forward_auth",
    claims: |path| path.starts_with("/verify"),
    endpoints: &[],
    envelope: problem::envelope,
};
