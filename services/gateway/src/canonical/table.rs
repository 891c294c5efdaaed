//! The surface: what is left of `/v1/`. Its endpoints are not here but in the routes of the descriptors.

use super::error::envelope;
use crate::surface::Table;

/// The surface.
pub(crate) static TABLE: Table =
    Table { name: "canonical", claims: |path| path.starts_with("/v1/"), endpoints: &[], envelope };
