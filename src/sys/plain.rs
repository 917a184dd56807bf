//! Plain data: types that may be looked at as bytes, and made from any bytes.

#![allow(unsafe_code)]

use crate::ioctl::Register;
use core::mem::{MaybeUninit, size_of};
use core::slice;

/// A type whose value and bytes are the same thing.
///
/// # Safety
/// The type has no padding, no pointers, and every bit pattern is one of its values.
pub unsafe trait Plain: Copy {
    /// The value whose bytes are all 0.
    fn zeroed() -> Self {
        // SAFETY: every bit pattern is a value, and so is this one.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }

    /// The value's bytes, in memory order.
    fn as_bytes(&self) -> &[u8] {
        // SAFETY: without padding all size_of::<Self>() bytes are initialised, and they are borrowed as long as self.
        unsafe { slice::from_raw_parts((&raw const *self).cast(), size_of::<Self>()) }
    }

    /// The value that `bytes` begins with; `None` where they are too few. Alignment does not matter.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..size_of::<Self>())?;
        // SAFETY: the slice is exactly size_of::<Self>() readable bytes, and any bytes are a value of Self.
        Some(unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }
}

macro_rules! plain {
    ($($name:ty),*) => {
        $(
            // SAFETY: an integer has no padding and no invalid bit pattern.
            unsafe impl Plain for $name {}
        )*
    };
}

plain!(u8, u16, u32, u64, i32, i64);

// SAFETY: an array adds no padding to that of its elements, which have none.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

// SAFETY: four u32 and a u64, which need no padding in this order: the fields' sizes add up to the struct's.
unsafe impl Plain for Register {}

const _: () = assert!(size_of::<Register>() == 4 * size_of::<u32>() + size_of::<u64>());

#[cfg(test)]
mod tests {
    use super::Plain;

    #[test]
    fn bytes_and_value_are_the_same_thing() {
        let value = 0x0102_0304_u32;
        assert_eq!(value.as_bytes(), value.to_ne_bytes());
        assert_eq!(u32::from_bytes(value.as_bytes()), Some(value));
    }

    #[test]
    fn a_value_is_read_from_an_odd_address_and_not_from_too_few_bytes() {
        let bytes = [9, 1, 0, 0, 0, 7];
        assert_eq!(
            u32::from_bytes(&bytes[1..]),
            Some(u32::from_ne_bytes([1, 0, 0, 0]))
        );
        assert_eq!(u32::from_bytes(&bytes[3..]), None);
    }
}
