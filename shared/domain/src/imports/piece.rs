//! What a worker does at once: a chunk of a file, or the rest of one that a worker before left at a row because its time was over.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A chunk from a row on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Piece {
    /// The chunk.
    pub chunk: u32,
    /// The first row of the rest; 0 for the whole chunk.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_row: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Piece {
    /// A whole chunk.
    #[must_use]
    pub fn whole(chunk: u32) -> Self {
        Self { chunk, from_row: 0 }
    }

    /// What is left of the same chunk from a row on.
    #[must_use]
    pub fn rest(self, from_row: u64) -> Self {
        Self { from_row, ..self }
    }
}

/// Six digits for the chunk, and twelve behind a point for the row: pieces are in the order of their names.
impl fmt::Display for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from_row {
            0 => write!(formatter, "{:06}", self.chunk),
            row => write!(formatter, "{:06}.{row:012}", self.chunk),
        }
    }
}

impl FromStr for Piece {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())).ok_or(());
        let (chunk, from_row) = match text.split_once('.') {
            None => (text, 0),
            Some((chunk, row)) => (chunk, number(row)?),
        };
        Ok(Self { chunk: u32::try_from(number(chunk)?).map_err(|_| ())?, from_row })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_stand_in_the_order_of_the_rows() {
        let pieces = [Piece::whole(1), Piece::whole(1).rest(4_000), Piece::whole(1).rest(20_000), Piece::whole(2), Piece::whole(11)];
        for piece in pieces {
            assert_eq!(piece.to_string().parse(), Ok(piece));
        }
        let names: Vec<String> = pieces.iter().map(ToString::to_string).collect();
        assert!(names.is_sorted() && pieces.is_sorted(), "{names:?}");
    }

    #[test]
    fn anything_else_is_no_name() {
        for text in ["", ".", "1.", ".1", "a", "-1", "+1", "1.x", "99999999999"] {
            assert_eq!(text.parse::<Piece>(), Err(()), "{text}");
        }
    }
}
