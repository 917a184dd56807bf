//! Doubly linked lists through a [`Slab`]: O(1) at both ends and in the middle.

use std::marker::PhantomData;

use super::slab::{Id, Slab};

/// A member's neighbours.
pub(super) struct Links<T> {
    prev: Option<Id<T>>,
    next: Option<Id<T>>,
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Links {
            prev: None,
            next: None,
        }
    }
}

/// Names one of the lists that a `T` can be in at the same time.
pub(super) trait Linked<T> {
    fn links(member: &T) -> &Links<T>;
    fn links_mut(member: &mut T) -> &mut Links<T>;
}

/// A list through the links that `L` names. Its members know nothing of the list: whoever calls
/// says rightly in which list a member is.
pub(super) struct List<T, L> {
    head: Option<Id<T>>,
    tail: Option<Id<T>>,
    linked: PhantomData<fn() -> L>,
}

impl<T, L> Default for List<T, L> {
    fn default() -> Self {
        List::new()
    }
}

impl<T, L> List<T, L> {
    pub(super) const fn new() -> Self {
        List {
            head: None,
            tail: None,
            linked: PhantomData,
        }
    }
}

impl<T, L: Linked<T>> List<T, L> {
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    pub(super) fn first(&self) -> Option<Id<T>> {
        self.head
    }

    pub(super) fn after(&self, slab: &Slab<T>, id: Id<T>) -> Option<Id<T>> {
        L::links(&slab[id]).next
    }

    pub(super) fn push_back(&mut self, slab: &mut Slab<T>, id: Id<T>) {
        *L::links_mut(&mut slab[id]) = Links {
            prev: self.tail,
            next: None,
        };
        match self.tail {
            Some(tail) => L::links_mut(&mut slab[tail]).next = Some(id),
            None => self.head = Some(id),
        }
        self.tail = Some(id);
    }

    pub(super) fn remove(&mut self, slab: &mut Slab<T>, id: Id<T>) {
        let Links { prev, next } = std::mem::take(L::links_mut(&mut slab[id]));
        match prev {
            Some(prev) => L::links_mut(&mut slab[prev]).next = next,
            None => self.head = next,
        }
        match next {
            Some(next) => L::links_mut(&mut slab[next]).prev = prev,
            None => self.tail = prev,
        }
    }

    /// All members, each checked to be linked both ways.
    #[cfg(test)]
    pub(super) fn audit(&self, slab: &Slab<T>) -> Vec<Id<T>> {
        let mut members = Vec::new();
        let mut next = self.head;
        while let Some(id) = next {
            assert_eq!(L::links(&slab[id]).prev, members.last().copied());
            members.push(id);
            next = L::links(&slab[id]).next;
        }
        assert_eq!(self.tail, members.last().copied());
        members
    }

    /// From first to last.
    pub(super) fn iter<'a>(
        &self,
        slab: &'a Slab<T>,
    ) -> impl Iterator<Item = Id<T>> + use<'a, T, L> {
        std::iter::successors(self.head, move |&id| L::links(&slab[id]).next)
    }
}
