//! The supervisor against real binaries: what it promises when all goes well (`life`), when somebody
//! is killed (`kills`), and what it refuses (`refusals`).

mod kills;
mod life;
mod refusals;
mod scene;
