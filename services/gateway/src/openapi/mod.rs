//! OpenAPI 3.1: of the canonical surface, made from the same descriptors and routes that serve it, and of
//! the products' surfaces, made from the structs that they read and write.

mod comments;
pub(crate) mod compatible;
mod errors;
mod examples;
mod groups;
mod operation;
mod schema;

pub(crate) use compatible::compatible;
pub(crate) use operation::document;
