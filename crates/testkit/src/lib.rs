//! What tests of storage need: a database of their own on a real Postgres, a server that can be
//! killed, a proxy that breaks the line, and waiting on conditions.
//!
//! One server per test binary starts on first use and ends with the test binary, in whatever way;
//! nothing is left behind. It is found by `pgserver` among the installed ones; nothing is fetched.
//!
//! Deliberately not here: anything that knows a schema, and every fake. Development only.

mod database;
mod durable;
mod eventually;
mod folder;
mod postgres;
mod proxy;
mod standby;

pub use database::{Fork, TestDatabase, database, database_from};
pub use durable::{DurableServer, durable_server};
pub use eventually::{Condition, eventually};
pub use postgres::Postgres;
pub use proxy::{Direction, FaultProxy, Mode, Moment, Trigger, Upstream};
pub use standby::{Standby, primary_server, standby_of};
