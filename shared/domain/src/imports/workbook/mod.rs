//! Excel workbooks: the cells of the first sheet, written as separated values that are read like any other file.
//!
//! Nothing holds a sheet: its cells are read and written one by one. What a workbook keeps beside its sheets, its texts and its styles, is in memory, and held
//! to a limit, as is the longest cell.

mod cell;
mod metered;
mod parts;
mod table;

use std::io::{self, Read, Seek, Write};

use calamine::{Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use self::metered::{Allowance, Metered};
use self::table::Table;
use super::dialect::FileProblem;

/// A workbook may have so many bytes, packed as it is.
pub const MOST_WORKBOOK: u64 = 100 * 1024 * 1024;

/// What a workbook may come to, in bytes of XML.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Everything that may be read of it, all sheets included.
    unpacked: u64,
    /// Its texts and styles, which take about four times as much memory.
    text: u64,
    /// From one cell to the next. A cell may be so long, which takes about five times as much memory, and so may be the empty rows behind it.
    gap: u64,
}

const LIMITS: Limits = Limits { unpacked: 1024 * 1024 * 1024, text: 128 * 1024 * 1024, gap: 96 * 1024 * 1024 };

/// Why the rows of a workbook weren't written.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// The workbook is to blame.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// What is written to is.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the first sheet that isn't hidden of the workbook `packed` to `out`: text in UTF-8, separated by commas, which the first line says, a line for each row
/// up to the last one with something in it. `unpacked` is an empty file for as much as a workbook may unpack to; what is in it afterwards is of no use.
///
/// Texts and numbers are as a person sees them, but never with an exponent; a number is filled up with zeros when its format is zeros. Dates and times are as in
/// ISO 8601, truths `TRUE` and `FALSE`, errors blank, and a formula is what it came to.
///
/// It reads and writes files and may take long: it isn't for an asynchronous thread.
///
/// # Errors
/// When the file is no workbook, is damaged, or is more than can be read; when `unpacked` or `out` can't be written. `out` may have got a part of it.
///
/// # Panics
/// None of its own, but the reader's arithmetic may overflow where a damaged workbook numbers its cells, in builds that check for it.
pub fn write_first_sheet<P, U, W>(packed: P, unpacked: U, out: W) -> Result<(), WorkbookError>
where
    P: Read + Seek,
    U: Read + Write + Seek,
    W: Write,
{
    write_within(&LIMITS, packed, unpacked, out)
}

fn write_within<P, U, W>(limits: &Limits, packed: P, unpacked: U, out: W) -> Result<(), WorkbookError>
where
    P: Read + Seek,
    U: Read + Write + Seek,
    W: Write,
{
    let unpacked = parts::unpack(packed, unpacked, limits)?;
    let allowance = Allowance::of(limits.text);
    let mut workbook = Xlsx::new(Metered::new(unpacked, allowance.clone())).map_err(|_| damaged_or(&allowance, FileProblem::TooMuchText))?;
    let shown = workbook.sheets_metadata().iter().find(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    let name = shown.map(|sheet| sheet.name.clone()).ok_or(FileProblem::NoSheet)?;
    allowance.renew(limits.gap);
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|_| damaged_or(&allowance, FileProblem::WorkbookGap(0)))?;
    let digits: Vec<usize> = cells.styles().iter().map(cell::digits).collect();
    let mut table = Table::new(out, limits.unpacked);
    loop {
        allowance.renew(limits.gap);
        match cells.next_cell_with_style_id() {
            Ok(Some((cell, style))) => table.put(cell.get_position(), &cell::text(cell.get_value(), digits.get(style).copied().unwrap_or(0)))?,
            Ok(None) => return table.finish(),
            // An error that only newer programs know, such as #SPILL!, is as blank as the others.
            Err(XlsxError::CellError(_)) => {}
            Err(_) => return Err(damaged_or(&allowance, FileProblem::WorkbookGap(table.rows())).into()),
        }
    }
}

/// Why a workbook can't be read: it has more than it may, or it is damaged.
fn damaged_or(allowance: &Allowance, too_much: FileProblem) -> FileProblem {
    if allowance.is_overdrawn() { too_much } else { FileProblem::DamagedWorkbook }
}

#[cfg(test)]
mod tests;
