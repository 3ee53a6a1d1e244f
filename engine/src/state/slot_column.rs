//! Values by slot that stay where they are when more come.

use std::ops::{Index, IndexMut};

const BITS: u32 = 14;
const PIECE: usize = 1 << BITS;

/// A column of an operator, in pieces of equal size. One vector would be copied whenever it doubles: with millions of
/// keys a pause that is noticed, and twice the memory.
#[derive(Debug)]
pub struct SlotColumn<T> {
    pieces: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for SlotColumn<T> {
    fn default() -> Self {
        SlotColumn { pieces: Vec::new(), len: 0 }
    }
}

/// A column grows to so many slots when there are to be so many at least: seldom, and not by much.
pub fn room_for(slots: usize) -> usize {
    match slots {
        0 => 0,
        1..=PIECE => slots.next_power_of_two().max(16),
        _ => slots.next_multiple_of(PIECE),
    }
}

impl<T> SlotColumn<T> {
    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn clear(&mut self) {
        self.pieces.clear();
        self.len = 0;
    }

    pub fn get(&self, slot: usize) -> Option<&T> {
        self.pieces.get(slot >> BITS)?.get(slot & (PIECE - 1))
    }

    pub fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.pieces.get_mut(slot >> BITS)?.get_mut(slot & (PIECE - 1))
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    pub fn push(&mut self, value: T) {
        match self.pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(value),
            None => {
                // The first piece grows as vectors do, for most states are small; others will be filled.
                let mut piece = Vec::with_capacity(if self.len == 0 { 4 } else { PIECE });
                piece.push(value);
                self.pieces.push(piece);
            }
        }
        self.len += 1;
    }

    /// Makes room for slots below `capacity`, and some more ([`room_for`]).
    pub fn grow_with(&mut self, capacity: usize, mut fresh: impl FnMut() -> T) {
        if capacity <= self.len {
            return;
        }
        let wanted = room_for(capacity);
        while self.len < wanted {
            if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
                self.pieces.push(Vec::new());
            }
            let Some(piece) = self.pieces.last_mut() else { return };
            let before = piece.len();
            let more = (PIECE - before).min(wanted - self.len);
            piece.reserve_exact(more);
            piece.resize_with(before + more, &mut fresh);
            self.len += more;
        }
    }
}

impl<T: Default> SlotColumn<T> {
    pub fn grow(&mut self, capacity: usize) {
        self.grow_with(capacity, T::default);
    }
}

impl<T> Index<usize> for SlotColumn<T> {
    type Output = T;

    #[inline]
    fn index(&self, slot: usize) -> &T {
        &self.pieces[slot >> BITS][slot & (PIECE - 1)]
    }
}

impl<T> IndexMut<usize> for SlotColumn<T> {
    #[inline]
    fn index_mut(&mut self, slot: usize) -> &mut T {
        &mut self.pieces[slot >> BITS][slot & (PIECE - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_while_the_column_grows() {
        let mut column = SlotColumn::<u64>::default();
        let mut before = 0;
        for slot in 0..3 * PIECE + 1 {
            column.grow(slot + 1);
            assert!(column.len() > slot && column.len() >= before);
            assert_eq!(column[slot], 0);
            column[slot] = slot as u64;
            before = column.len();
        }
        assert_eq!((column.len(), column.iter().count()), (4 * PIECE, 4 * PIECE));
        assert!(column.iter().take(3 * PIECE + 1).enumerate().all(|(slot, value)| *value == slot as u64));
        assert_eq!((column.get(3 * PIECE), column.get(4 * PIECE)), (Some(&(3 * PIECE as u64)), None));
        let place = std::ptr::from_ref(&column[PIECE]);
        column.grow(9 * PIECE);
        assert_eq!(place, std::ptr::from_ref(&column[PIECE]));
    }

    #[test]
    fn values_may_come_singly() {
        let mut column = SlotColumn::default();
        (0..PIECE + 2).for_each(|slot| column.push(slot));
        assert_eq!((column.len(), column[PIECE + 1]), (PIECE + 2, PIECE + 1));
        column.grow(PIECE + 3);
        assert_eq!((column.len(), column[PIECE + 1], column[PIECE + 2]), (2 * PIECE, PIECE + 1, 0));
        column.clear();
        assert!(column.is_empty() && column.get(0).is_none());
    }
}
