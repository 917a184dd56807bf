//! Snapshots on their way out: each is fetched in pieces through the open file it was taken for.

use crate::ioctl::PIECE;

/// Most of them at the same time; a new one takes the place of the oldest.
const MOST: usize = 16;

struct Pending {
    file: u64,
    bytes: Vec<u8>,
    sent: usize,
}

/// The snapshots that are being fetched, oldest first.
#[derive(Default)]
pub(super) struct Snapshots(Vec<Pending>);

impl Snapshots {
    /// Keeps the bytes of a snapshot for `file`, in place of an earlier one.
    pub(super) fn keep(&mut self, file: u64, bytes: Vec<u8>) {
        self.forget(file);
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(Pending {
            file,
            bytes,
            sent: 0,
        });
    }

    /// The next piece for `file`; empty at the end, and where there is none.
    pub(super) fn next(&mut self, file: u64) -> &[u8] {
        let Some(pending) = self.0.iter_mut().find(|pending| pending.file == file) else {
            return &[];
        };
        let rest = pending.bytes.get(pending.sent..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest);
        pending.sent += piece.len();
        piece
    }

    /// `file` is closed.
    pub(super) fn forget(&mut self, file: u64) {
        self.0.retain(|pending| pending.file != file);
    }
}
