//! The AWS services beside the database, each as thin as it can be: files, queues, keys and identities.

mod error;
mod files;
mod identity;
mod keys;
mod queues;

pub use error::PlatformError;
pub use files::{Download, FileStream, Files};
pub use identity::{Identities, NewIdentity};
pub use keys::Keys;
pub use queues::{FifoMessage, Queue};
