//! What the tests are made of: a service, clients, programs, and waiting for things.

pub mod client;
pub mod run;
pub mod scratch;
pub mod service;
pub mod shell;
pub mod sys;
pub mod transport;
pub mod wait;
pub mod worker;

pub use client::{Client, IN, OUT, Pending};
pub use run::{run, steve, stevie};
pub use service::Service;
pub use shell::Shell;
pub use transport::Transport;
pub use wait::until;
