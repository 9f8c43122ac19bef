//! The AWS services beside the database, each as thin as it can be: files, queues, keys, signatures and identities.

mod error;
mod files;
mod identity;
mod keys;
mod post;
mod queues;
mod signer;

pub use error::PlatformError;
pub use files::{Download, FileStream, Files, Listed};
pub use identity::{Identities, NewIdentity};
pub use keys::Keys;
pub use post::{PostPolicy, UploadTarget, presigned_post};
pub use queues::{FifoMessage, Queue};
pub use signer::{Signer, public_key_from_pem, public_key_pem, signature_checker};
