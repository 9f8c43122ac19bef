//! What is wrong with rows, and where it stands.

use async_graphql::SimpleObject;
use switchboard_app::imports::ErrorPlace;
use switchboard_domain::imports::RowError;

use super::int;

/// A row that failed, or a value that was set aside.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportRowError {
    /// The row's number, from 1 for the first row after the header.
    row_number: i32,
    /// The field, when one is to blame.
    field: Option<String>,
    /// The value as it came.
    value: Option<String>,
    /// The stable code.
    code: String,
    /// What is wrong and how to mend it.
    message: String,
    /// The row is used all the same: only a value of it was set aside.
    is_warning: bool,
}

impl From<RowError> for ImportRowError {
    fn from(error: RowError) -> Self {
        Self { row_number: int(error.row), field: error.field, value: error.value, code: error.code, message: error.message, is_warning: error.warning }
    }
}

/// The place of an entry in its list, as a cursor holds it.
pub(super) fn place_text(place: ErrorPlace) -> String {
    format!("{}:{}", place.piece, place.index)
}

/// Reads what [`place_text`] wrote; none for anything else.
pub(super) fn place_of(text: &str) -> Option<ErrorPlace> {
    let (piece, index) = text.split_once(':')?;
    Some(ErrorPlace { piece: piece.parse().ok()?, index: index.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::imports::Piece;

    #[test]
    fn what_is_no_place_is_none() {
        for text in ["", "1", ":", "x:1", "1:x", "1:-1", "1.2"] {
            assert_eq!(place_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_in_a_chunk_and_in_the_rest_of_one_reads_back() {
        for piece in [Piece::whole(7), Piece::whole(7).rest(5_001)] {
            let place = ErrorPlace { piece, index: 12 };
            assert_eq!(place_of(&place_text(place)), Some(place));
        }
    }
}
