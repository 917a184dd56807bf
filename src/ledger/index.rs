//! A hash index: from a key to the record that carries it.

use super::slab::{Id, Slab};

/// What a record is found by.
pub(super) trait Keyed<K> {
    fn key(&self) -> K;
}

/// A key that spreads over the index.
pub(super) trait Hashed: Copy + PartialEq {
    fn hash(self) -> u64;
}

impl Hashed for u64 {
    fn hash(self) -> u64 {
        // Fibonacci hashing: the upper bits of the product are well mixed for any run of numbers.
        self.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Finds records of a [`Slab`] by key; open addressing, linear probing, never more than half full,
/// so that a lookup takes a step or two however many records there are.
pub(super) struct Index<T> {
    places: Vec<Option<Id<T>>>,
    shift: u32,
}

impl<T> Index<T> {
    /// An index for up to `capacity` records.
    pub(super) fn new(capacity: usize) -> Self {
        let places = (capacity.max(4) * 2).next_power_of_two();
        Index {
            places: vec![None; places],
            shift: 64 - places.trailing_zeros(),
        }
    }

    fn home<K: Hashed>(&self, key: K) -> usize {
        // Fits: the shift leaves as many bits as `places` has.
        (key.hash() >> self.shift) as usize
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    /// The record with `key`; of several, one of them.
    pub(super) fn find<K: Hashed>(&self, slab: &Slab<T>, key: K) -> Option<Id<T>>
    where
        T: Keyed<K>,
    {
        let mut place = self.home(key);
        while let Some(id) = self.places[place] {
            if slab[id].key() == key {
                return Some(id);
            }
            place = self.after(place);
        }
        None
    }

    /// How many records are in it.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.iter().flatten().count()
    }

    pub(super) fn insert<K: Hashed>(&mut self, slab: &Slab<T>, id: Id<T>)
    where
        T: Keyed<K>,
    {
        let mut place = self.home(slab[id].key());
        while self.places[place].is_some() {
            place = self.after(place);
        }
        self.places[place] = Some(id);
    }

    /// Removes `id`, which must still carry the key it was inserted under.
    pub(super) fn remove<K: Hashed>(&mut self, slab: &Slab<T>, id: Id<T>)
    where
        T: Keyed<K>,
    {
        let mut hole = self.home(slab[id].key());
        while self.places[hole] != Some(id) {
            if self.places[hole].is_none() {
                return;
            }
            hole = self.after(hole);
        }
        // Moves back what probed past the hole, so that no marker of the dead is needed.
        let mut place = self.after(hole);
        while let Some(next) = self.places[place] {
            let home = self.home(slab[next].key());
            let mask = self.places.len() - 1;
            if (place.wrapping_sub(home) & mask) >= (place.wrapping_sub(hole) & mask) {
                self.places[hole] = Some(next);
                hole = place;
            }
            place = self.after(place);
        }
        self.places[hole] = None;
    }
}
