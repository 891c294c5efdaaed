//! Canonical REST: every RPC with a `google.api.http` rule, by that rule, and no code for any one of them.

mod answer;
mod bind;
mod error;
mod routes;
mod stream;
mod table;
mod tree;

pub(crate) use answer::serve;
pub use routes::RoutesError;
pub(crate) use routes::{Body, Route, Routes};
pub use stream::Lines;
pub(crate) use table::TABLE;
pub use tree::TemplateError;
pub(crate) use tree::{Found, Template, Tree, decoded};
