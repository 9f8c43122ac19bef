use std::io::Cursor;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::sniff;
use super::*;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The formats that the styles 0 to 5 have: none, a date, a date with a time, five digits, text, and hours beyond a day.
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm"/><numFmt numFmtId="165" formatCode="00000"/></numFmts>
    <fonts><font><name val="Calibri"/></font></fonts><cellXfs><xf numFmtId="0"/><xf numFmtId="14" fontId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="49"/>
    <xf numFmtId="46"/></cellXfs></styleSheet>"#;

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A sheet of these rows.
fn sheet(rows: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><worksheet><cols><col min="1" max="3" width="9"/></cols><sheetData>{rows}</sheetData></worksheet>"#)
}

/// A workbook of sheets, each with its state and its rows, and of a list of texts.
fn workbook(sheets: &[(&str, &str)], texts: &str) -> Vec<u8> {
    let office = format!(r#"<Relationships><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#);
    let numbered = || sheets.iter().zip(1..);
    let names: String = numbered().map(|((state, _), number)| format!(r#"<sheet name="S{number}" sheetId="{number}" state="{state}" r:id="rId{number}"/>"#)).collect();
    let relations: String =
        numbered().map(|(_, number)| format!(r#"<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>"#)).collect();
    let mut parts = vec![
        ("_rels/.rels".to_owned(), office),
        ("xl/workbook.xml".to_owned(), format!("<workbook><sheets>{names}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{relations}</Relationships>")),
        ("xl/styles.xml".to_owned(), STYLES.to_owned()),
        ("xl/sharedStrings.xml".to_owned(), texts.to_owned()),
        ("xl/media/image1.png".to_owned(), "\u{89}PNG".to_owned()),
    ];
    parts.extend(numbered().map(|((_, rows), number)| (format!("xl/worksheets/sheet{number}.xml"), sheet(rows))));
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    archive(&parts)
}

fn of_rows(rows: &str) -> Vec<u8> {
    workbook(&[("visible", rows)], "<sst></sst>")
}

fn written(limits: &Limits, file: &[u8]) -> Result<String, FileProblem> {
    let mut out = Vec::new();
    match write_within(limits, Cursor::new(file), Cursor::new(Vec::<u8>::new()), &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(WorkbookError::File(problem)) => Err(problem),
        Err(WorkbookError::Io(error)) => panic!("{error}"),
    }
}

fn rows_of(file: &[u8]) -> Result<String, FileProblem> {
    written(&LIMITS, file)
}

/// Changes what the archive's list says of the size of each file.
fn saying(mut file: Vec<u8>, size: u32) -> Vec<u8> {
    let entries: Vec<usize> = memchr::memmem::find_iter(&file, b"PK\x01\x02").collect();
    for entry in entries {
        file[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
    }
    file
}

#[test]
fn what_is_no_workbook_is_refused_with_its_reason() {
    let file = of_rows(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#);
    for damaged in [b"PK\x03\x04".as_slice(), b"PK\x03\x04 and nothing more", &file[..file.len() / 2], &file[..file.len() - 30]] {
        assert_eq!(rows_of(damaged), Err(FileProblem::DamagedWorkbook), "{} bytes", damaged.len());
    }
    let is_not = |what: &'static str| -> Result<String, FileProblem> { Err(FileProblem::NotText(what)) };
    assert_eq!(rows_of(&archive(&[("photos/a.png", "a"), ("list.xml", "<list/>")])), is_not("a zip archive that is no Excel workbook"));
    assert_eq!(rows_of(&archive(&[("_rels/.rels", ""), ("xl/workbook.bin", "")])), is_not("a binary Excel workbook"));
    assert_eq!(rows_of(&archive(&[("_rels/.rels", "<Relationships/>"), ("xl/workbook.xml", "<workbook/>")])), Err(FileProblem::DamagedWorkbook));
}

#[test]
fn a_workbook_without_cells_to_see_is_refused() {
    let filled = r#"<row r="1"><c r="A1"><v>1</v></c></row>"#;
    assert_eq!(rows_of(&workbook(&[], "<sst/>")), Err(FileProblem::NoSheet));
    assert_eq!(rows_of(&workbook(&[("hidden", filled), ("veryHidden", filled)], "<sst/>")), Err(FileProblem::NoSheet));
    for empty in ["", r#"<row r="1"/>"#, r#"<row r="1"><c r="A1" s="1"/><c r="B1" t="inlineStr"><is><t></t></is></c></row>"#] {
        assert_eq!(rows_of(&workbook(&[("visible", empty), ("visible", filled)], "<sst/>")), Err(FileProblem::EmptySheet), "{empty}");
    }
}

#[test]
fn cells_out_of_their_order_or_without_their_text_are_damage() {
    for rows in [
        r#"<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>"#,
        r#"<row r="1048577"><c r="A1048577"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="XFE1"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="s"><v>7</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="n"><v>x</v></c></row>"#,
        r#"<row r="1"><c r="A1"><v>1</v>"#,
    ] {
        assert_eq!(rows_of(&of_rows(rows)), Err(FileProblem::DamagedWorkbook), "{rows}");
    }
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused_whatever_it_says() {
    let limits = Limits { unpacked: 100_000, ..LIMITS };
    let file = of_rows(&r#"<row r="1"/>"#.repeat(100_000));
    assert!(file.len() < 20_000, "{}", file.len());
    assert_eq!(written(&limits, &file), Err(FileProblem::InflatedWorkbook));
    assert_eq!(written(&LIMITS, &saying(file.clone(), u32::MAX / 2)), Err(FileProblem::InflatedWorkbook));
    assert_eq!(written(&limits, &saying(file, 10)), Err(FileProblem::DamagedWorkbook));
    // What is never read doesn't count.
    let large = "x".repeat(200_000);
    let parts = [("_rels/.rels", "<a/>"), ("xl/workbook.xml", "<workbook/>"), ("xl/calcChain.xml", large.as_str()), ("xl/media/a.bin", large.as_str())];
    assert_eq!(written(&limits, &archive(&parts)), Err(FileProblem::DamagedWorkbook));
}

#[test]
fn texts_and_styles_that_take_too_much_memory_are_refused() {
    let limits = Limits { text: 50_000, ..LIMITS };
    let cell = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
    let texts = format!("<sst>{}</sst>", "<si><t>Zoe</t></si>".repeat(10_000));
    assert_eq!(written(&limits, &workbook(&[("visible", cell)], &texts)), Err(FileProblem::TooMuchText));
    assert_eq!(rows_of(&workbook(&[("visible", cell)], &texts)).as_deref(), Ok("sep=,\nZoe\n"));
    for count in ["99999999999", "18446744073709551615"] {
        let texts = format!(r#"<sst count="1" uniqueCount = "{count}"><si><t>Zoe</t></si></sst>"#);
        assert_eq!(rows_of(&workbook(&[("visible", cell)], &texts)), Err(FileProblem::TooMuchText), "{count}");
    }
    let styles = format!(r#"<styleSheet><fonts><font><name val="{}"/></font></fonts><cellXfs>{}</cellXfs></styleSheet>"#, "x".repeat(20_000), "<xf/>".repeat(20_000));
    let parts = [("_rels/.rels", "<a/>"), ("xl/workbook.xml", "<workbook/>"), ("xl/styles.xml", styles.as_str())];
    assert_eq!(rows_of(&archive(&parts)), Err(FileProblem::TooMuchText));
}

#[test]
fn a_cell_may_be_long_and_not_too_long() {
    let limits = Limits { gap: 40_000, ..LIMITS };
    let cell = |row: u32, length: usize| format!(r#"<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{}</t></is></c></row>"#, "x".repeat(length));
    let many: String = (1..=20).map(|row| cell(row, 20_000)).collect();
    assert_eq!(written(&limits, &of_rows(&many)).unwrap().len(), 6 + 20 * 20_001);
    let long = format!("{}{}", cell(1, 10), cell(2, 60_000));
    assert_eq!(written(&limits, &of_rows(&long)), Err(FileProblem::WorkbookGap(1)));
    let runs = format!(r#"<row r="1"><c r="A1" t="inlineStr"><is>{}</is></c></row>"#, "<r><t>x</t></r>".repeat(5_000));
    assert_eq!(written(&limits, &of_rows(&runs)), Err(FileProblem::WorkbookGap(0)));
}

#[test]
fn cells_of_all_kinds_come_out_as_they_are_seen() {
    let texts = r#"<sst count="3" uniqueCount="3"><si><t>phone</t></si><si><r><t>Zo</t></r><r><rPr><b/></rPr><t xml:space="preserve">é </t></r></si><si><t>a, "b"
c</t></si></sst>"#;
    let rows = r##"
        <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>name</t></is></c><c r="D1" t="str"><f>"no"&amp;"te"</f><v>note</v></c></row>
        <row r="3" spans="1:4"><c r="A3"><v>15145550123</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" s="1"><v>46328</v></c><c r="D3" t="s"><v>2</v></c></row>
        <row r="4"><c r="A4"><v>1.5145550124E10</v></c><c r="B4" t="e"><v>#N/A</v></c><c r="C4" s="2"><v>46328.4375</v></c><c r="D4" s="3"><v>2134</v></c></row>
        <row r="5"><c r="A5"><f>A4+1</f><v>15145550125</v></c><c r="B5" t="e"><v>#SPILL!</v></c><c r="C5" t="b"><v>1</v></c><c r="D5" s="4" t="inlineStr"><is><t>02134</t></is></c></row>
        <row r="6"><c r="A6" t="b"><v>0</v></c><c r="B6" s="3"><v>12.5</v></c><c r="C6" s="5"><v>1.5</v></c><c r="D6" s="2"/></row>
        <row r="7" s="1"/>"##;
    assert_eq!(
        rows_of(&workbook(&[("visible", rows)], texts)).as_deref(),
        Ok("sep=,\nphone,name,,note\n\"\"\n15145550123,Zoé ,2026-11-02,\"a, \"\"b\"\"\nc\"\n15145550124,,2026-11-02T10:30:00,02134\n15145550125,,TRUE,02134\n\
            FALSE,12.5,36:00:00\n")
    );
}

#[test]
fn cells_without_their_places_come_one_behind_the_other() {
    let rows = "<row><c t=\"inlineStr\"><is><t>phone</t></is></c><c/><c t=\"inlineStr\"><is><t>name</t></is></c></row><row/><row><c><v>5145550123</v></c></row>";
    assert_eq!(rows_of(&of_rows(rows)).as_deref(), Ok("sep=,\nphone,,name\n\"\"\n5145550123\n"));
}

#[test]
fn the_first_sheet_that_is_shown_is_read() {
    let row = |text: &str| format!(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>"#);
    let (one, two) = (row("one"), row("two"));
    let read = |states: [&str; 2]| rows_of(&workbook(&[(states[0], one.as_str()), (states[1], two.as_str())], "<sst/>"));
    assert_eq!(read(["visible", "visible"]).as_deref(), Ok("sep=,\none\n"));
    assert_eq!(read(["hidden", "visible"]).as_deref(), Ok("sep=,\ntwo\n"));
}

#[test]
fn an_archive_may_spell_its_names_as_old_programs_do() {
    let file = of_rows(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#);
    let mut spelt = file.clone();
    for (name, other) in [("xl/worksheets/sheet1.xml", r"xl\worksheets\Sheet1.xml"), ("xl/styles.xml", r"XL\Styles.xml")] {
        let places: Vec<usize> = memchr::memmem::find_iter(&file, name).collect();
        assert_eq!(places.len(), 2, "{name}: before its bytes and in the list");
        places.into_iter().for_each(|at| spelt[at..at + other.len()].copy_from_slice(other.as_bytes()));
    }
    assert_eq!(rows_of(&spelt), rows_of(&file));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn texts_come_out_as_they_were_written(cells in prop::collection::vec("[ a-z,;|\"'é名\\n&<>]{1,12}", 1..6)) {
        let cell = |text: &str| format!(r#"<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>"#, escaped(text));
        let header: String = (0..cells.len()).map(|column| cell(&format!("column {column}"))).collect();
        let row: String = cells.iter().map(|text| cell(text)).collect();
        let text = rows_of(&of_rows(&format!("<row>{header}</row><row>{row}</row>"))).unwrap();
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        prop_assert_eq!((beginning.dialect.separator, beginning.leading, beginning.columns.len()), (b',', 2, cells.len()));
        let body = text.strip_prefix("sep=,\n").unwrap();
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body.as_bytes());
        let rows: Vec<Vec<String>> = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(rows, [cells]);
    }

    #[test]
    fn no_damage_is_too_strange(at in any::<prop::sample::Index>(), byte in any::<u8>(), end in any::<prop::sample::Index>()) {
        let mut file = of_rows(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c></row>"#);
        let at = at.index(file.len());
        file[at] = byte;
        let _ = rows_of(&file);
        file.truncate(end.index(file.len()));
        prop_assert!(rows_of(&file).is_err());
    }
}
