//! A pairing heap through a [`Slab`]: the first in line, with removal from anywhere.
//!
//! Fredman, Sedgewick, Sleator and Tarjan, "The pairing heap" (1986): insertion is O(1), removal
//! O(log n) amortized.

use super::slab::{Id, Slab};

/// A member's place in the heap.
pub(super) struct Node<T> {
    /// First child.
    child: Option<Id<T>>,
    /// Next sibling.
    next: Option<Id<T>>,
    /// Previous sibling, or the parent for a first child.
    prev: Option<Id<T>>,
    present: bool,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node {
            child: None,
            next: None,
            prev: None,
            present: false,
        }
    }
}

/// What a `T` needs in order to stand in a heap. Its rank must not change while it does.
pub(super) trait Ranked: Sized {
    fn node_mut(&mut self) -> &mut Node<Self>;
    /// Whether `self` comes out before `other`.
    fn before(&self, other: &Self) -> bool;
}

pub(super) struct Heap<T> {
    root: Option<Id<T>>,
}

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Heap { root: None }
    }
}

impl<T: Ranked> Heap<T> {
    /// All members, each checked to come after the one above it and to be linked both ways.
    #[cfg(test)]
    pub(super) fn audit(&self, slab: &mut Slab<T>) -> Vec<Id<T>> {
        let mut members: Vec<_> = self.root.into_iter().collect();
        let mut next = 0;
        while let Some(&above) = members.get(next) {
            let mut child = slab[above].node_mut().child;
            let mut prev = above;
            while let Some(id) = child {
                assert!(
                    !slab[id].before(&slab[above]),
                    "{id:?} comes before {above:?}"
                );
                assert_eq!(slab[id].node_mut().prev, Some(prev));
                members.push(id);
                prev = id;
                child = slab[id].node_mut().next;
            }
            next += 1;
        }
        for &id in &members {
            assert!(slab[id].node_mut().present);
        }
        members
    }

    pub(super) fn first(&self) -> Option<Id<T>> {
        self.root
    }

    pub(super) fn insert(&mut self, slab: &mut Slab<T>, id: Id<T>) {
        *slab[id].node_mut() = Node {
            present: true,
            ..Node::default()
        };
        self.root = meld(slab, self.root, Some(id));
    }

    /// Removes `id` if it is in the heap.
    pub(super) fn remove(&mut self, slab: &mut Slab<T>, id: Id<T>) {
        let Node {
            child,
            next,
            prev,
            present,
        } = std::mem::take(slab[id].node_mut());
        if !present {
            return;
        }
        if let Some(next) = next {
            slab[next].node_mut().prev = prev;
        }
        if let Some(prev) = prev {
            let node = slab[prev].node_mut();
            if node.child == Some(id) {
                node.child = next;
            } else {
                node.next = next;
            }
        }
        let orphans = pair(slab, child);
        let rest = if self.root == Some(id) {
            None
        } else {
            self.root
        };
        self.root = meld(slab, rest, orphans);
    }
}

/// Joins two heaps; the later root becomes the first child of the earlier.
fn meld<T: Ranked>(slab: &mut Slab<T>, a: Option<Id<T>>, b: Option<Id<T>>) -> Option<Id<T>> {
    let (Some(a), Some(b)) = (a, b) else {
        return a.or(b);
    };
    let (top, under) = if slab[b].before(&slab[a]) {
        (b, a)
    } else {
        (a, b)
    };
    let child = slab[top].node_mut().child.replace(under);
    if let Some(child) = child {
        slab[child].node_mut().prev = Some(under);
    }
    let node = slab[under].node_mut();
    node.next = child;
    node.prev = Some(top);
    Some(top)
}

/// Joins a list of siblings into one heap: pairs from the left, then the pairs from the right.
fn pair<T: Ranked>(slab: &mut Slab<T>, first: Option<Id<T>>) -> Option<Id<T>> {
    let mut pairs = None; // a stack, linked by `next`
    let mut rest = first;
    while let Some(a) = rest {
        let b = detach(slab, a);
        rest = b.and_then(|b| detach(slab, b));
        let joined = meld(slab, Some(a), b);
        if let Some(joined) = joined {
            slab[joined].node_mut().next = pairs;
        }
        pairs = joined;
    }
    let mut root = None;
    while let Some(top) = pairs {
        pairs = detach(slab, top);
        root = meld(slab, root, Some(top));
    }
    root
}

/// Cuts `id` off its siblings and returns the next of them.
fn detach<T: Ranked>(slab: &mut Slab<T>, id: Id<T>) -> Option<Id<T>> {
    let node = slab[id].node_mut();
    node.prev = None;
    node.next.take()
}
