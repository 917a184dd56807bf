//! A command that reaches the pool through a FIFO, and the process between the two.
//!
//! Nobody can see who waits at a FIFO. So one token is kept on offer in it, and when that is gone
//! another is asked for. What comes back goes back to steve, which decides who is next: a client
//! that took it again from the FIFO, before this process came to see it, has been faster than that.
//! All tokens are this process's own as far as steve knows, that of the command included, and so
//! they are free when it ends, however it ends; the command is then told to end as well.

use std::ffi::OsString;
use std::process::Command;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, Result};

use super::device::Device;
use super::error::Error;
use super::fifo::Fifo;
use super::run::{FAILED, Failure, fifo, not_started, prepare};
use crate::cli::complain;
use crate::sys::child::{Change, Child, stop_self};
use crate::sys::exec;
use crate::sys::signals::Signals;
use crate::sys::signals::number::{CHLD, CONT, HUP, INT, QUIT, TERM, TSTP, USR1, USR2, WINCH};

/// Signals that are meant for the command, and the one that tells of it.
const SIGNALS: [i32; 10] = [CHLD, HUP, INT, QUIT, TERM, USR1, USR2, TSTP, CONT, WINCH];

/// Most bytes that are taken from the FIFO at once.
const BATCH: usize = 64;

/// Runs the command, whose token is taken already, to its end, and returns the status to exit with.
pub(super) fn run(
    device: &Device<'_>,
    token: u8,
    command: &[OsString],
) -> std::result::Result<u8, Failure> {
    let system = |what| move |errno| (Error::System(what, errno), FAILED);
    let pipe = Fifo::create().map_err(system("make a FIFO"))?;
    let signals = Signals::block_these(&SIGNALS).map_err(system("block signals"))?;
    fcntl_setfl(device, OFlags::RDWR | OFlags::NONBLOCK).map_err(system("prepare the device"))?;
    let mut prepared: Command = prepare(command, &fifo(&pipe.path()));
    let child = Child::start(&mut prepared, &signals).map_err(|error| {
        let _ = device.give_back(&[token]);
        not_started(&prepared, exec::failure(prepared.get_program(), &error))
    })?;
    let mut bridge = Bridge {
        device,
        pipe,
        held: 1,
        offers: false,
        connected: true,
    };
    bridge
        .serve(&child, &signals)
        .map_err(system("move tokens"))
}

/// The way between the FIFO and the device.
struct Bridge<'d> {
    device: &'d Device<'d>,
    pipe: Fifo,
    /// Tokens of ours: the command's own, what it has taken, and what is on offer.
    held: usize,
    /// The FIFO has not been seen empty since a token was put on offer in it.
    offers: bool,
    /// The device still answers.
    connected: bool,
}

impl Bridge<'_> {
    fn serve(&mut self, child: &Child, signals: &Signals) -> Result<u8> {
        loop {
            if let Some(status) = pass_signals(child, signals)? {
                return Ok(status);
            }
            if self.connected
                && let Err(error) = self.settle()
            {
                // The command goes on with the tokens that it and the FIFO have.
                self.connected = false;
                complain("stevie", error);
            }
            self.wait(signals)?;
        }
    }

    /// Waits for a signal, for something at the FIFO, and, where there is no offer, for a token.
    fn wait(&self, signals: &Signals) -> Result<()> {
        let news = if self.connected {
            PollFlags::IN
        } else {
            PollFlags::empty()
        };
        let mut fds = [
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(&self.pipe, news),
            PollFd::new(self.device, PollFlags::IN),
        ];
        // A device that is gone would show an error even when nothing is asked of it.
        let count = if self.connected && !self.offers { 3 } else { 2 };
        match poll(&mut fds[..count], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Gives back what has come back, and sees to it that one token is on offer if steve has one.
    fn settle(&mut self) -> std::result::Result<(), Error> {
        let mut returned = self.pipe.has_returned();
        loop {
            let lying = self.pipe.len().map_err(at_pipe)?;
            // A byte that lies alone after something has come back may be that, and the offer
            // taken: steve is to decide who is next.
            let stays = self.offers && self.held > 0 && (lying > 1 || lying == 1 && !returned);
            if lying == 1 && stays {
                return Ok(());
            }
            self.take_back(lying, usize::from(stays))?;
            returned = false;
            if lying > 1 {
                continue;
            }
            let token = self.device.try_take()?;
            self.offers = token.is_some();
            match token {
                Some(token) => self.pipe.put(token).map_err(at_pipe)?,
                None => return Ok(()),
            }
            self.held += 1;
        }
    }

    /// Takes all but `stay` of `lying` bytes out of the FIFO, and gives them back to steve.
    ///
    /// Some programs put a byte in that they never took out. No token stands for it, and it is
    /// dropped; so is all that steve would not have, as it has taken our tokens away.
    fn take_back(&mut self, lying: usize, stay: usize) -> std::result::Result<(), Error> {
        let mut room = [0; BATCH];
        let room = &mut room[..BATCH.min(lying - stay)];
        if room.is_empty() {
            return Ok(());
        }
        let bytes = self.pipe.take(room).map_err(at_pipe)?;
        let tokens = &bytes[..bytes.len().min(self.held - stay)];
        if tokens.is_empty() {
            return Ok(());
        }
        let taken = self.device.give_back(tokens)?;
        self.held = if taken < tokens.len() {
            0
        } else {
            self.held - taken
        };
        Ok(())
    }
}

fn at_pipe(errno: Errno) -> Error {
    Error::System("use the FIFO", errno)
}

/// Hands on the signals that have come, and returns the status to exit with once the command has
/// ended.
///
/// A terminal's signals reach the command by themselves, as it is in the same process group. When
/// it stops, this process stops as well, so that whoever watches sees it.
fn pass_signals(child: &Child, signals: &Signals) -> Result<Option<u8>> {
    while let Some(signal) = signals.read_next()? {
        if signal.number != CHLD && !signal.by_kernel {
            // It may have ended just now.
            let _ = child.signal(signal.number);
        }
    }
    loop {
        match child.change()? {
            None => return Ok(None),
            Some(Change::Exited(status)) => return Ok(Some(status)),
            Some(Change::Killed(signal)) => return Ok(Some(signal.saturating_add(128))),
            Some(Change::Stopped) => {
                stop_self()?;
                // Whoever continued us may have meant us alone.
                let _ = child.signal(CONT);
            }
        }
    }
}
