//! A table of fixed capacity, and the indices into it.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU16;
use std::ops::{Index, IndexMut};

/// The place of a `T` in its table: valid until that `T` is removed.
pub struct Id<T>(NonZeroU16, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// The place as a number from 0, for arrays that run beside the slab.
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// The id of place `index`; `None` past the largest slab.
    pub(super) fn from_index(index: usize) -> Option<Self> {
        let place = u16::try_from(index).ok()?.checked_add(1)?;
        NonZeroU16::new(place).map(|place| Id(place, PhantomData))
    }
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index())
    }
}

/// A table is full; the event that did not fit changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

enum Slot<T> {
    Used(T),
    /// Next in the list of free places.
    Free(Option<Id<T>>),
}

/// Up to a fixed number of `T`, reserved once. Pages of places never used stay untouched, so that
/// room for thousands costs a small pool no memory.
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Option<Id<T>>,
    used: usize,
    capacity: usize,
}

impl<T> Slab<T> {
    /// Room for `capacity` (at most 65,535).
    pub(super) fn new(capacity: usize) -> Self {
        Slab {
            slots: Vec::with_capacity(capacity),
            free: None,
            used: 0,
            capacity,
        }
    }

    /// How many are in use.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    pub(super) fn is_full(&self) -> bool {
        self.used == self.capacity
    }

    pub(super) fn insert(&mut self, value: T) -> Result<Id<T>, Full> {
        if let Some(id) = self.free {
            let slot = &mut self.slots[id.index()];
            if let Slot::Free(next) = *slot {
                self.free = next;
            }
            *slot = Slot::Used(value);
            self.used += 1;
            return Ok(id);
        }
        if self.is_full() {
            return Err(Full);
        }
        let id = Id::from_index(self.slots.len()).ok_or(Full)?;
        self.slots.push(Slot::Used(value));
        self.used += 1;
        Ok(id)
    }

    pub(super) fn remove(&mut self, id: Id<T>) {
        debug_assert!(matches!(self.slots[id.index()], Slot::Used(_)));
        self.slots[id.index()] = Slot::Free(self.free);
        self.free = Some(id);
        self.used -= 1;
    }

    /// How many are in use, each place checked to be either that or in the list of free ones.
    #[cfg(test)]
    pub(super) fn audit(&self) -> usize {
        let mut free = 0;
        let mut next = self.free;
        while let Some(id) = next {
            let Slot::Free(after) = self.slots[id.index()] else {
                panic!("{id:?} is in use and free");
            };
            free += 1;
            next = after;
        }
        assert_eq!(self.used + free, self.slots.len());
        assert!(self.slots.len() <= self.capacity);
        assert_eq!(self.slots.capacity(), self.capacity);
        self.used
    }

    /// All that is in use, by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| match slot {
                Slot::Used(value) => Id::from_index(index).map(|id| (id, value)),
                Slot::Free(_) => None,
            })
    }
}

/// An id of this slab always names a used place: whoever removes a `T` first unlinks it everywhere.
impl<T> Index<Id<T>> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: Id<T>) -> &T {
        match &self.slots[id.index()] {
            Slot::Used(value) => value,
            Slot::Free(_) => unreachable!("{id:?} was removed"),
        }
    }
}

impl<T> IndexMut<Id<T>> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        match &mut self.slots[id.index()] {
            Slot::Used(value) => value,
            Slot::Free(_) => unreachable!("{id:?} was removed"),
        }
    }
}
