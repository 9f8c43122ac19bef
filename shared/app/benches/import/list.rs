//! A list of people, the same in every run, with duplicates, wrong numbers and wrong addresses among them; and what an import of it comes to.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use switchboard_domain::imports::RowCounts;

/// Its columns.
pub(crate) const HEADER: &str = "name,phone,email,address,city,region,postal code,source\n";
/// The numbers of one area code: seven digits, of which the first is neither 0 nor 1.
pub(crate) const NUMBERS: u64 = 8_000_000;

const FIRST_NAMES: [&str; 8] = ["Zoé", "Émile", "Marie", "Jean-Luc", "Noor", "Françoise", "Otto", "Wei"];
const LAST_NAMES: [&str; 9] = ["Gélinas", "Tremblay", "Roy", "Côté", "Singh", "Martin", "Nguyen", "Rautenstrauch", "Li"];
const PLACES: [(&str, &str, &str); 8] = [
    ("Montréal", "QC", "H2X"),
    ("Québec", "QC", "G1R"),
    ("Toronto", "ON", "M5V"),
    ("Ottawa", "ON", "K1P"),
    ("Vancouver", "BC", "V6B"),
    ("Calgary", "AB", "T2P"),
    ("Winnipeg", "MB", "R3C"),
    ("Halifax", "NS", "B3J"),
];
const LETTERS: &[u8; 20] = b"ABCEGHJKLMNPRSTVWXYZ";
/// What isn't the number of anybody.
const WRONG_NUMBERS: [&str; 4] = ["", "514-55", "514-123-4567", "none yet"];

/// One row in 200 has no number that exists.
fn has_wrong_number(row: u64) -> bool {
    row % 200 == 7
}

/// One row in 200 has an e-mail address that is none.
fn has_wrong_email(row: u64) -> bool {
    row % 200 == 13
}

/// The row whose number one row in 100 has again: far in front of it, in the middle of what was before.
fn repeated(row: u64) -> Option<u64> {
    (row % 100 == 99).then(|| row / 200 * 100 + 50)
}

fn count(rows: u64, of: u64, rest: u64) -> u64 {
    (rows + of - 1 - rest) / of
}

/// What an import of so many rows comes to.
pub(crate) fn expected(rows: u64) -> RowCounts {
    let (failed, warned, skipped) = (count(rows, 200, 7), count(rows, 200, 13), count(rows, 100, 99));
    RowCounts { created: rows - failed - skipped, failed, skipped, warned, ..RowCounts::default() }
}

/// Some numbers that several rows have, each in E.164 with the last of its rows, which is the one that counts.
pub(crate) fn repeated_numbers(rows: u64) -> impl Iterator<Item = (String, u64)> {
    let originals = rows / 200;
    (0..originals).step_by(usize::try_from(originals / 20).unwrap_or(1).max(1)).map(move |place| {
        let last = [place * 200 + 199, place * 200 + 99].into_iter().find(|row| *row < rows).unwrap_or(place * 100 + 50);
        (format!("+1{}", number(place * 100 + 50).replace('-', "")), last)
    })
}

fn number(row: u64) -> String {
    let number = row % NUMBERS;
    format!("514-{}-{:04}", 200 + number / 10_000, number % 10_000)
}

/// The e-mail address of a row, when it has a right one.
pub(crate) fn email(row: u64) -> String {
    format!("person{row}@example.com")
}

fn write_row(out: &mut impl Write, row: u64) -> std::io::Result<()> {
    let pick = |of: usize, every: u64| usize::try_from(row / every).unwrap_or_default() % of;
    let (first, last) = (FIRST_NAMES[pick(8, 1)], LAST_NAMES[pick(9, 1)]);
    let name = if row.is_multiple_of(10) { format!("\"{last}, {first}\"") } else { format!("{first} {last}") };
    let phone = if has_wrong_number(row) { WRONG_NUMBERS[pick(4, 200)].to_owned() } else { number(repeated(row).unwrap_or(row)) };
    let email = if has_wrong_email(row) { format!("person{row} at example.com") } else { email(row) };
    let (city, region, area) = PLACES[pick(8, 3)];
    let letter = char::from(LETTERS[pick(20, 10)]);
    writeln!(out, "{name},{phone},{email},{row} rue Saint-Denis #{},{city},{region},{area} {}{letter}{},Trade show {}", row % 40, row % 10, row / 200 % 10, row % 12)
}

/// The whole of a short list.
pub(crate) fn text(rows: u64) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    (0..rows).for_each(|row| write_row(&mut text, row).expect("memory"));
    text
}

/// Writes a list to the disk.
pub(crate) fn write(path: &Path, rows: u64) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    file.write_all(HEADER.as_bytes()).expect("the disk");
    (0..rows).for_each(|row| write_row(&mut file, row).expect("the disk"));
    file.flush().expect("the disk");
}

/// The rows of a list of at least so many bytes. No row is shorter than the first ones are on average.
pub(crate) fn rows_of(bytes: u64) -> u64 {
    let sample = 1_000;
    bytes * sample / (text(sample).len() as u64) + 1
}
