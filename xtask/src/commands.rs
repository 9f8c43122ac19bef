//! One module per command.

pub(crate) mod bench;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod env;
pub(crate) mod logs;
pub(crate) mod operator;
pub(crate) mod reset;
pub(crate) mod test;
pub(crate) mod tools;
pub(crate) mod up;
pub(crate) mod watch;
