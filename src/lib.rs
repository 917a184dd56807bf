//! steve, a system-wide jobserver, and stevie, its client.
//!
//! * [`ledger`] decides who gets the next token: a pure state machine.
//! * [`sys`] speaks to the kernel and holds every `unsafe`.
//! * [`steve`] joins the two into the service; [`stevie`] is the client.
//! * [`ioctl`] and [`report`] are what the two programs say to each other.
//! * [`cli`] is what their command lines have in common.

#![deny(unsafe_code)]

pub mod cli;
pub mod ioctl;
pub mod ledger;
pub mod report;
pub mod steve;
pub mod stevie;
pub mod sys;
