//! The file that is imported, the contacts that are there before, and what it comes to.

use std::collections::BTreeMap;
use std::ops::Range;

use switchboard_domain::imports::RowCounts;

use crate::pipeline::Chance;

const HERE: &str = "Windsor";
const BEFORE: &str = "Tecumseh";
const EARLIER: &str = "Laval";
pub(super) const ELSEWHERE: &str = "Gatineau";

/// How much is swept.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) rows: usize,
    pub(super) chunk_rows: u64,
    /// Cases of each fault, and cases with another import in between; none for all there are.
    pub(super) sample: Option<(usize, usize)>,
    /// Of how many parts which, from 0.
    pub(super) part: (usize, usize),
}

impl Extent {
    pub(super) fn asked_for() -> Self {
        let whole = Self { rows: 2_000, chunk_rows: 250, sample: None, part: (0, 1) };
        match std::env::var("SWEEP").as_deref() {
            Ok("all") => whole,
            Ok(part) => {
                let (part, parts) = part.split_once('/').unwrap_or_else(|| panic!("SWEEP is all, or a part such as 3/40"));
                let (part, parts): (usize, usize) = (part.parse().unwrap(), parts.parse().unwrap());
                assert!((1..=parts).contains(&part), "SWEEP is all, or a part such as 3/40");
                Self { part: (part - 1, parts), ..whole }
            }
            Err(_) => Self { rows: 200, chunk_rows: 35, sample: Some((6, 4)), part: (0, 1) },
        }
    }

    /// Contacts that are there: a third as the file says, a sixth of them deleted, the others in another city.
    pub(super) fn existing(self) -> usize {
        self.rows * 3 / 20
    }

    pub(super) fn existing_city(self, number: usize) -> &'static str {
        if number < self.existing() / 3 { HERE } else { BEFORE }
    }

    pub(super) fn deleted(self) -> Range<usize> {
        self.existing() * 5 / 6..self.existing()
    }

    /// People of the file.
    pub(super) fn people(self) -> usize {
        self.rows * 83 / 100
    }

    /// Those of them whose address is none.
    pub(super) fn without_address(self) -> Range<usize> {
        self.people() - self.rows * 3 / 100..self.people()
    }

    /// People of the other import.
    pub(super) fn others(self) -> impl Iterator<Item = usize> {
        (0..self.people()).step_by(self.people() / 50).take(50)
    }
}

/// A line of the file.
#[derive(Clone, Copy)]
enum Line {
    Person { number: usize, city: &'static str },
    Wrong,
    Long,
    Blank,
}

/// The file, and what it comes to.
pub(super) struct Input {
    pub(super) extent: Extent,
    pub(super) text: String,
    /// The last row of each person, by their number.
    pub(super) last: BTreeMap<usize, (u64, &'static str)>,
    pub(super) counts: RowCounts,
}

impl Input {
    pub(super) fn new(extent: Extent) -> Self {
        let (people, twice, wrong) = (extent.people(), extent.rows / 10, extent.rows / 25);
        let chance = Chance::new(41);
        let person = |number| Line::Person { number, city: HERE };
        let mut lines: Vec<Line> = (0..people).map(person).collect();
        lines.extend((0..twice).map(|_| Line::Person { number: chance.below(extent.without_address().start), city: EARLIER }));
        lines.extend(vec![Line::Wrong; wrong]);
        lines.extend(vec![Line::Long; extent.rows - people - twice - wrong]);
        chance.shuffle(&mut lines);
        for place in (0..lines.len()).rev().step_by(25) {
            lines.insert(place, Line::Blank);
        }
        let mut input = Self { extent, text: "phone,name,city,email\n".to_owned(), last: BTreeMap::new(), counts: RowCounts::default() };
        let (mut row, mut persons) = (0, 0);
        for line in lines {
            let text = input.line(line);
            input.text.push_str(&text);
            row += u64::from(!matches!(line, Line::Blank));
            match line {
                Line::Person { number, city } => {
                    persons += 1;
                    input.last.insert(number, (row, city));
                }
                Line::Wrong | Line::Long => input.counts.failed += 1,
                Line::Blank => {}
            }
        }
        input.counts.skipped = persons - input.last.len() as u64;
        for (number, (_, city)) in &input.last {
            let is_there = *number < extent.existing();
            let says_so = extent.existing_city(*number) == *city && !extent.deleted().contains(number);
            let count = match (is_there, says_so) {
                (false, _) => &mut input.counts.created,
                (true, true) => &mut input.counts.unchanged,
                (true, false) => &mut input.counts.updated,
            };
            *count += 1;
            input.counts.warned += u64::from(extent.without_address().contains(number));
        }
        assert_eq!((row, input.counts.total()), (extent.rows as u64, extent.rows as u64));
        input
    }

    fn line(&self, line: Line) -> String {
        match line {
            // The same number, written otherwise.
            Line::Person { number, city: EARLIER } => format!("+1 (514) 555-{number:04},Person {number},{EARLIER},person{number}@example.com\n"),
            Line::Person { number, city } => self.person(number, city),
            Line::Wrong => "12,Nobody,,\n".to_owned(),
            Line::Long => "514-555-9999,Nobody,,,too much\n".to_owned(),
            Line::Blank => " , ,\"\",\n".to_owned(),
        }
    }

    fn person(&self, number: usize, city: &str) -> String {
        let host = if self.extent.without_address().contains(&number) { "" } else { "example.com" };
        format!("514-555-{number:04},Person {number},{city},person{number}@{host}\n")
    }

    /// A file of the contacts that are there before.
    pub(super) fn existing(&self) -> String {
        let rows = (0..self.extent.existing()).map(|number| self.person(number, self.extent.existing_city(number)));
        std::iter::once("phone,name,city,email\n".to_owned()).chain(rows).collect()
    }

    /// The file of the other import.
    pub(super) fn other(&self) -> String {
        let rows = self.extent.others().map(|number| format!("514-555-{number:04},{ELSEWHERE}\n"));
        std::iter::once("phone,city\n".to_owned()).chain(rows).collect()
    }
}

pub(super) fn e164(number: usize) -> String {
    format!("+1514555{number:04}")
}
