//! What one host offers beyond the common part.

use std::{any::Any, cell::RefCell, fmt, rc::Rc};

/// Values found by their type: how a process node asks for what only some hosts have (frames to
/// next nodes, a table of interfaces), and copes where it is absent.
///
/// A handle: clones show the same values, and a host may add some while it runs.
///
/// ```
/// use barrow_core::Extensions;
///
/// struct Greeting(&'static str);
/// let extensions = Extensions::new();
/// assert!(extensions.get::<Greeting>().is_none());
/// extensions.insert(Greeting("hello"));
/// assert_eq!(extensions.get::<Greeting>().map(|g| g.0), Some("hello"));
/// ```
#[derive(Clone, Default)]
pub struct Extensions {
    values: Rc<RefCell<Vec<Rc<dyn Any>>>>,
}

impl Extensions {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value; one of the same type is replaced (those who hold it keep it).
    pub fn insert<T: 'static>(&self, value: T) {
        let value: Rc<dyn Any> = Rc::new(value);
        let mut values = self.values.borrow_mut();
        let old = match values.iter_mut().find(|v| v.is::<T>()) {
            Some(place) => Some(std::mem::replace(place, value)),
            None => {
                values.push(value);
                None
            }
        };
        drop(values); // before the old value's destructor
        drop(old);
    }

    /// The same with one more value.
    #[must_use]
    pub fn with<T: 'static>(self, value: T) -> Self {
        self.insert(value);
        self
    }

    /// The value of type `T`; `None` where this host has none.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<Rc<T>> {
        self.values
            .borrow()
            .iter()
            .find_map(|v| v.clone().downcast().ok())
    }

    /// Forgets every value.
    pub fn clear(&self) {
        let values = self.values.take();
        drop(values);
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("values", &self.values.borrow().len())
            .finish()
    }
}
