//! Contacts: reading them by what the viewer may see, and creating them.

mod create;
mod history;
mod read;

pub use create::{CreateContact, create};
pub use history::{EventView, history};
pub use read::{by_phone, get, get_many, newest};
