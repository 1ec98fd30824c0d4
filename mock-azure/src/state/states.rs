//! The services' state besides ARM resources, stored by type, so that no list of services is needed.

use std::{any::Any, cell::OnceCell};

/// One value of each type that was requested. The first request creates the type's default.
///
/// The values form a chain, since a cell that is filled once can lend its value while more cells are filled.
#[derive(Default)]
pub(crate) struct States {
    first: OnceCell<Box<Cell>>,
}

struct Cell {
    value: Box<dyn Any + Send>,
    next: States,
}

impl States {
    /// The state of this type.
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

    /// The state of this type, mutably.
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
