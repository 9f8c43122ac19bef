//! Contacts: read by what the viewer may see, and changed, a verb a file.

mod access;
mod apply;
mod as_of;
mod assign;
mod create;
mod delete;
mod duplicates;
mod edit;
mod erase;
mod history;
mod list;
mod merge;
mod notes;
mod read;
mod set_status;
mod update;

pub(crate) use access::check_owner;
pub use apply::{Applied, Operation, Owner, apply};
pub use as_of::{ContactThen, as_of};
pub use assign::{AssignContacts, MOST_ASSIGNED, PerContact, assign};
pub use create::{CreateContact, create};
pub(crate) use delete::status_of_returned;
pub use delete::{delete, restore};
pub use duplicates::{Duplicates, DuplicatesPage, DuplicatesPlace, duplicates};
pub use erase::{Erasure, RECOVERY_DAYS, erase};
pub use history::{EventView, history};
pub use list::{MOST_EXAMINED, Walked, get_many, list, walk};
pub use merge::{MergeContacts, merge, unmerge};
pub use notes::{AddNote, add_note, note, notes};
pub use read::{by_phone, get};
pub use set_status::{SetStatus, set_status};
pub use update::{UpdateContact, update};
