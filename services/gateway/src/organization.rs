//! The organization's paths, as its documentation has them. Nothing is answered here yet.

use crate::problem;
use crate::surface::Table;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "organization",
    claims: |path| path.starts_with("/v1/api-keys"),
    endpoints: &[],
    envelope: problem::envelope,
};
