//! A snapshot as bytes.
//!
//! One byte of version, then every field in the order of the structs: numbers in LEB128 (seven
//! bits a byte, low ones first; signed ones zigzag), options as 0 or 1 and the value, lists and
//! texts as their length and what they hold. Decoding takes any bytes: it fails where they are no
//! snapshot, and never asks for more room than the bytes could fill.

use std::time::Duration;

use super::{
    Build, Client, Holder, Lease, Limit, Origin, Readings, Refusal, Snapshot, Token, Totals,
};

/// The first byte; it changes whenever the rest does.
pub const VERSION: u8 = 1;

impl Snapshot {
    /// The snapshot as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.put(&mut out);
        out
    }

    /// The snapshot that `bytes` are; `None` if they are none, or of another version.
    pub fn decode(bytes: &[u8]) -> Option<Snapshot> {
        let (&version, mut input) = bytes.split_first()?;
        if version != VERSION {
            return None;
        }
        let snapshot = Snapshot::take(&mut input)?;
        let has_build = |client: &Client| usize::from(client.build) < snapshot.builds.len();
        let whole = input.is_empty() && snapshot.clients.iter().all(has_build);
        whole.then_some(snapshot)
    }
}

/// What can be written and read back. Each takes at least one byte.
trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut &[u8]) -> Option<Self>;
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = input.split_first()?;
            *input = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

macro_rules! as_u64 {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                u64::take(input)?.try_into().ok()
            }
        }
    )*};
}

as_u64!(u8, u16, u32);

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        match u8::take(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        let zigzag = (self << 1) ^ (self >> 63);
        zigzag.cast_unsigned().put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let zigzag = u64::take(input)?;
        Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }
}

/// In nanoseconds.
impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX).put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Duration::from_nanos(u64::take(input)?))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        match bool::take(input)? {
            true => T::take(input).map(Some),
            false => Some(None),
        }
    }
}

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let mut array = [T::default(); N];
        for item in &mut array {
            *item = T::take(input)?;
        }
        Some(array)
    }
}

/// The length of something whose items take at least a byte each.
fn take_length(input: &mut &[u8]) -> Option<usize> {
    let length = usize::try_from(u64::take(input)?).ok()?;
    (length <= input.len()).then_some(length)
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        (0..take_length(input)?).map(|_| T::take(input)).collect()
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let length = take_length(input)?;
        let (text, rest) = input.split_at_checked(length)?;
        *input = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl Wire for Limit {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u8).put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Limit::ALL.get(usize::from(u8::take(input)?)).copied()
    }
}

impl Wire for Refusal {
    fn put(&self, out: &mut Vec<u8>) {
        let number: u8 = match *self {
            Refusal::NoneLeft => 0,
            Refusal::PerProcessLimit => 1,
            Refusal::BuildLimit => 2,
            Refusal::Limit(limit) => 3 + limit as u8,
        };
        number.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Refusal::ALL.get(usize::from(u8::take(input)?)).copied()
    }
}

impl Wire for Holder {
    fn put(&self, out: &mut Vec<u8>) {
        let (kind, number) = match *self {
            Holder::Process(pid) => (0_u8, u64::from(pid)),
            Holder::File(file) => (1, file),
        };
        kind.put(out);
        number.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        match u8::take(input)? {
            0 => u32::take(input).map(Holder::Process),
            1 => u64::take(input).map(Holder::File),
            _ => None,
        }
    }
}

impl Wire for Origin {
    fn put(&self, out: &mut Vec<u8>) {
        let (kind, number) = match *self {
            Origin::Root(pid) => (0_u8, pid),
            Origin::Session(session) => (1, session),
            Origin::Unknown => (2, 0),
        };
        kind.put(out);
        number.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        match (u8::take(input)?, u32::take(input)?) {
            (0, pid) => Some(Origin::Root(pid)),
            (1, session) => Some(Origin::Session(session)),
            (2, 0) => Some(Origin::Unknown),
            _ => None,
        }
    }
}

macro_rules! fields {
    ($type:ident: $($field:ident),*) => {
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                Some($type { $($field: Wire::take(input)?),* })
            }
        }
    };
}

fields!(Snapshot: uptime, settings, effective, available, in_use, reserved, readings, stops, builds, clients, totals);
fields!(Readings: load, load_expected, memory, memory_expected, pressure);
fields!(Build: origin, weight, limit, tokens, members);
fields!(Client: holder, uid, command, build, tokens, reserved, waiting, missed, refusal, lease);
fields!(Token: byte, age);
fields!(Lease: jobs, min_memory_avail);
fields!(Totals: grants, reclaimed, refusals, wakeups, lapsed);
