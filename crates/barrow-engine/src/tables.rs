//! What features give each other: values found by their type.

use crate::feature::RegisterError;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

/// Handles of features' tables (`Interfaces`, `Fib` …), each cheap to clone.
#[derive(Default)]
pub(crate) struct Tables(RefCell<HashMap<TypeId, Box<dyn Any>>>);

impl Tables {
    pub(crate) fn insert<T: Clone + 'static>(&self, table: T) -> Result<(), RegisterError> {
        let former = self
            .0
            .borrow_mut()
            .insert(TypeId::of::<T>(), Box::new(table));
        match former {
            None => Ok(()),
            Some(_) => Err(RegisterError::DuplicateTable(std::any::type_name::<T>())),
        }
    }

    pub(crate) fn get<T: Clone + 'static>(&self) -> Option<T> {
        let tables = self.0.borrow();
        tables
            .get(&TypeId::of::<T>())
            .and_then(|table| table.downcast_ref::<T>())
            .cloned()
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tables({})", self.0.borrow().len())
    }
}
