//! Velt's paths, as its documentation has them. Nothing is answered here yet.

use crate::problem;
use crate::surface::Table;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "velt",
    claims: |path| path.starts_with("/v2/"),
    endpoints: &[],
    envelope: problem::envelope,
};
