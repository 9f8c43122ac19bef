//! Ids as clients give them.

/// An id as it came: none when it doesn't decode, which is treated as an id of nothing.
pub type GivenId<T> = Option<T>;
