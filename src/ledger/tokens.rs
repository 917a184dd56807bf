//! Tokens in hands: given out, given back.

use super::records::{Client, Token};
use super::slab::Id;
use super::{Ledger, Links, Time, YOUNG};

/// What tokens look like: a shell passes these through unharmed, even unquoted. The first is the
/// one that GNU make writes back whatever it read.
pub(super) const BYTES: &[u8; 63] =
    b"+ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The bit of `byte` in [`Client::bytes`]; none for a byte that is no token.
fn bit(byte: u8) -> u64 {
    BYTES
        .iter()
        .position(|&b| b == byte)
        .map_or(0, |place| 1 << place)
}

impl Ledger {
    /// Gives `client` a token: the one set aside for it, or one more of the pool.
    pub(super) fn take(&mut self, now: Time, id: Id<Client>) -> u8 {
        if self.clients[id].is_reserved() {
            self.reserved -= 1;
        } else {
            self.occupy(now, id);
        }
        self.stop_timer(id);
        let client = &mut self.clients[id];
        let place = (!client.bytes).trailing_zeros() as usize;
        let byte = BYTES.get(place).copied().unwrap_or(BYTES[0]);
        client.bytes |= bit(byte);
        client.held += 1;
        client.took = true;
        client.missed = None;
        client.lapses = 0;
        let token = Token {
            byte,
            client: id,
            since: now,
            young: true,
            by_client: Links::default(),
            by_age: Links::default(),
        };
        let Ok(token) = self.tokens.insert(token) else {
            unreachable!("tokens in use never exceed jobs, nor jobs the table");
        };
        self.clients[id].tokens.push_back(&mut self.tokens, token);
        self.young.push_back(&mut self.tokens, token);
        self.young_count += 1;
        self.totals.grants += 1;
        self.take_next_place(id);
        byte
    }

    /// The client's token with `byte`, else its oldest.
    pub(super) fn token_for(&self, id: Id<Client>, byte: u8) -> Option<Id<Token>> {
        let client = &self.clients[id];
        let mut oldest = client.tokens.iter(&self.tokens);
        if client.bytes & bit(byte) == 0 {
            return oldest.next();
        }
        oldest.find(|&token| self.tokens[token].byte == byte)
    }

    /// The oldest token of another client of the build that `client` belongs to.
    pub(super) fn oldest_of_build(&self, id: Id<Client>) -> Option<Id<Token>> {
        let build = self.clients[id].build;
        let of_build =
            |token: &Token| token.client != id && self.clients[token.client].build == build;
        let tokens = self.tokens.iter().filter(|(_, token)| of_build(token));
        tokens
            .min_by_key(|(_, token)| token.since)
            .map(|(id, _)| id)
    }

    /// Puts a token back into the pool.
    pub(super) fn put_back(&mut self, now: Time, token: Id<Token>) {
        let Token {
            client: id,
            byte,
            young,
            ..
        } = self.tokens[token];
        if young {
            self.young.remove(&mut self.tokens, token);
            self.young_count -= 1;
        }
        self.clients[id].tokens.remove(&mut self.tokens, token);
        self.tokens.remove(token);
        self.clients[id].held -= 1;
        let client = &self.clients[id];
        let same = |token: Id<Token>| self.tokens[token].byte == byte;
        // Past so many tokens the first byte stands for several.
        let shared = byte == BYTES[0] && client.tokens.iter(&self.tokens).any(same);
        if !shared {
            self.clients[id].bytes &= !bit(byte);
        }
        self.vacate(now, id);
    }

    /// Counts one token more in use by `client`.
    pub(super) fn occupy(&mut self, now: Time, id: Id<Client>) {
        self.load_share.advance(now, self.in_use);
        self.in_use += 1;
        let build = self.clients[id].build;
        self.builds[build].in_use += 1;
    }

    /// Counts one token less in use by `client`.
    pub(super) fn vacate(&mut self, now: Time, id: Id<Client>) {
        self.load_share.advance(now, self.in_use);
        self.in_use -= 1;
        let build = self.clients[id].build;
        self.builds[build].in_use -= 1;
    }

    /// Takes the tokens that have come of age off the young ones.
    pub(super) fn age(&mut self, now: Time) {
        while let Some(token) = self.young.first() {
            if now.since(self.tokens[token].since) < YOUNG {
                break;
            }
            self.young.remove(&mut self.tokens, token);
            self.tokens[token].young = false;
            self.young_count -= 1;
        }
    }
}
