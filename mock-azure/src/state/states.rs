//! What each service remembers beside its ARM resources, without a list of the services.

use std::{any::Any, cell::OnceCell};

/// One value of each type that was ever asked for; the first asker gets the type's default.
///
/// A chain, because a cell that is filled once can hand out its value while more cells are filled.
#[derive(Default)]
pub(crate) struct States {
    first: OnceCell<Box<Cell>>,
}

struct Cell {
    value: Box<dyn Any + Send>,
    next: States,
}

impl States {
    /// What one service remembers.
    pub(crate) fn get<T: Any + Default + Send>(&self) -> &T {
        let mut rest = self;
        loop {
            let cell = rest
                .first
                .get_or_init(|| Box::new(Cell { value: Box::new(T::default()), next: States::default() }));
            if let Some(found) = cell.value.downcast_ref() {
                return found;
            }
            rest = &cell.next;
        }
    }

    /// The same, to be changed.
    pub(crate) fn get_mut<T: Any + Default + Send>(&mut self) -> &mut T {
        self.get::<T>();
        let mut rest = self.first.get_mut();
        while let Some(cell) = rest {
            if let Some(found) = cell.value.downcast_mut() {
                return found;
            }
            rest = cell.next.first.get_mut();
        }
        unreachable!("the line above has put it there")
    }
}

impl std::fmt::Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("States").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::States;

    #[test]
    fn each_type_has_one_value_which_begins_as_its_default() {
        let mut states = States::default();
        assert_eq!(states.get::<u32>(), &0);
        *states.get_mut::<String>() = "kept".to_owned();
        *states.get_mut::<u32>() += 7;
        assert_eq!((states.get::<u32>(), states.get::<String>().as_str()), (&7, "kept"));
        assert_eq!(states.get::<u64>(), &0);
    }
}
