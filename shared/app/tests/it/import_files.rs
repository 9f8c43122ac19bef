//! Files as people and programs make them, good and bad, through the whole pipeline: each becomes the rows it says, or tells why not.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use switchboard_app::imports::{CHUNK_ROWS, DroppedFile, Handled, ImportServices, Received, RowsMessage, handle, receive};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{AttributeValue, ContactDetails};
use switchboard_domain::imports::{Import, ImportStatus, RowCounts};
use switchboard_store::{contacts, imports};
use switchboard_testkit::{Bucket, Mailbox, World};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The pipeline over a world, with its buckets and its queue.
struct Pipeline {
    world: World,
    uploads: Bucket,
    rows: Mailbox,
    services: ImportServices,
}

/// A deadline that doesn't come.
fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

impl Pipeline {
    async fn new() -> Self {
        let world = World::new().await;
        let (uploads, results, rows) = (Bucket::new(world.clock.clone()), Bucket::new(world.clock.clone()), Mailbox::default());
        let services =
            ImportServices { services: world.services.clone(), uploads: uploads.files(), results: results.files(), rows: rows.queue(), chunk_rows: CHUNK_ROWS };
        Self { world, uploads, rows, services }
    }

    /// Puts a file in the bucket; what the bucket says of it.
    async fn put(&self, name: &str, upload: u32, bytes: Vec<u8>) -> DroppedFile {
        let (key, length) = (format!("drop/{}/{name}", self.world.tenant.record.slug), bytes.len() as u64);
        self.uploads.put(&key, bytes);
        let (_, tag) = self.services.uploads.get_tagged(&key).await.unwrap().unwrap();
        DroppedFile { key, tag, bytes: length, sequencer: upload.to_string(), at: self.world.clock.now() }
    }

    /// Takes a file in and follows its import to the end.
    async fn import(&self, file: &DroppedFile) -> Import {
        let id = match Box::pin(receive(&self.services, file)).await.unwrap() {
            Received::Planned(id) | Received::Failed(id, _) => id,
            Received::Rejected(why) => panic!("{why}"),
        };
        self.work().await;
        let import = imports::get(&self.world.database.core, &self.world.tenant.scope, id).await.unwrap().unwrap();
        assert!(import.finished_at.is_some(), "it never ended: {import:?}");
        import
    }

    /// Handles messages until there are none; how the last one ended.
    async fn work(&self) -> Option<Handled> {
        let mut last = None;
        loop {
            let messages = self.rows.take();
            if messages.is_empty() {
                return last;
            }
            for message in messages {
                let message: RowsMessage = serde_json::from_str(&message).unwrap();
                last = Some(Box::pin(handle(&self.services, &message, false, in_time())).await.unwrap());
            }
        }
    }

    async fn imported(&self, name: &str, bytes: Vec<u8>) -> Import {
        self.import(&self.put(name, 1, bytes).await).await
    }

    /// What is known of the contact at a number.
    async fn details(&self, e164: &str) -> ContactDetails {
        let id = self.world.tenant.keyring.slot(e164);
        contacts::get(&self.world.database.core, &self.world.tenant, &id).await.unwrap().unwrap().contact.details
    }

    fn staged_key(&self, import: &Import) -> String {
        format!("staged/{}/{}.csv", self.world.tenant.record.id, import.id)
    }
}

/// What becomes of a file.
enum Outcome {
    /// Its rows: created, skipped, failed.
    Rows(u64, u64, u64),
    /// It fails with a reason that says this.
    Fails(&'static str),
}

use Outcome::{Fails, Rows};

/// A file by its name. `~1` to `~9` in its text are numbers that no other file has.
struct Case {
    name: &'static str,
    text: String,
    write: fn(&str) -> Vec<u8>,
    outcome: Outcome,
}

fn case(name: &'static str, text: impl Into<String>, write: fn(&str) -> Vec<u8>, outcome: Outcome) -> Case {
    Case { name, text: text.into(), write, outcome }
}

impl Case {
    /// The file, for the case at this index.
    fn file(&self, index: usize) -> Vec<u8> {
        let text = (1..10).fold(self.text.clone(), |text, digit| text.replace(&format!("~{digit}"), &format!("514-555-{:04}", index * 10 + digit)));
        (self.write)(&text)
    }
}

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn marked(text: &str) -> Vec<u8> {
    [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat()
}

/// Every letter used here is in Latin 1, where a letter's number is its byte.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

fn little(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn big(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn marked_little(text: &str) -> Vec<u8> {
    little(&format!("\u{feff}{text}"))
}

fn marked_big(text: &str) -> Vec<u8> {
    big(&format!("\u{feff}{text}"))
}

fn packed_at(bytes: &[u8], compression: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), compression);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed_bytes(bytes: &[u8]) -> Vec<u8> {
    packed_at(bytes, Compression::default())
}

fn packed(text: &str) -> Vec<u8> {
    packed_bytes(text.as_bytes())
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook whose first sheet has these lines of cells with commas between them. A cell that begins with `#` is a number, with `@` a date and with `%` a date
/// with a time; others are text. A blank cell isn't there, nor is a blank row. A second sheet has something else.
fn workbook(text: &str) -> Vec<u8> {
    let place = |column: usize, row: usize| format!("{}{row}", char::from(b'A' + u8::try_from(column).unwrap()));
    let cell = |(column, text): (usize, &str), row: usize| {
        let place = place(column, row);
        match text.split_at_checked(1) {
            None if text.is_empty() => String::new(),
            Some(("#", number)) => format!(r#"<c r="{place}"><v>{}</v></c>"#, number.replace('-', "")),
            Some(("@", number)) => format!(r#"<c r="{place}" s="1"><v>{number}</v></c>"#),
            Some(("%", number)) => format!(r#"<c r="{place}" s="2"><v>{number}</v></c>"#),
            _ => format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#),
        }
    };
    let line = |(line, row): (&str, usize)| -> String {
        if line.is_empty() {
            return String::new();
        }
        let cells: String = line.split(',').enumerate().map(|numbered| cell(numbered, row)).collect();
        format!(r#"<row r="{row}">{cells}</row>"#)
    };
    let rows: String = text.lines().zip(1..).map(line).collect();
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = format!(
        r#"<Relationships><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{office}/worksheet" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#
    );
    let package = format!(r#"<Relationships><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#);
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    zipped(&[
        ("_rels/.rels", package.as_str()),
        ("xl/workbook.xml", r#"<workbook><sheets><sheet name="Clients" sheetId="1" r:id="r1"/><sheet name="Notes" sheetId="2" r:id="r2"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", relations.as_str()),
        ("xl/styles.xml", r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>"#),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
        ("xl/worksheets/sheet2.xml", r#"<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>what is this?</t></is></c></row></sheetData></worksheet>"#),
    ])
}

/// The same, whose list of parts says that each unpacks to two gigabytes.
fn boasting_workbook(text: &str) -> Vec<u8> {
    let mut file = workbook(text);
    let entries: Vec<usize> = (0..file.len() - 4).filter(|at| file[*at..].starts_with(b"PK\x01\x02")).collect();
    for entry in entries {
        file[entry + 24..entry + 28].copy_from_slice(&(u32::MAX / 2).to_le_bytes());
    }
    file
}

fn half(file: &[u8]) -> Vec<u8> {
    file[..file.len() / 2].to_vec()
}

/// A list of some length whose rows fail, which is fast, but for the first and the last, which are of one number.
fn long_list(rows: usize) -> String {
    let filler: String = (1..rows - 1).map(|row| format!("12,Nobody {},{}\n", row.wrapping_mul(2_654_435_761), row * 31)).collect();
    format!("phone,name,note\n~1,First,1\n{filler}~1,Last,{rows}\n")
}

fn header(columns: usize) -> String {
    (2..=columns).fold("phone".to_owned(), |header, column| format!("{header},column {column}"))
}

fn corpus() -> Vec<Case> {
    let people = "phone,name\r\n~1,Zoé Œuvrard\r\n~2,Łukasz\r\n";
    let french = "Téléphone;Prénom;Nom;Ville\r\n~1;Zoé;Bérubé;Trois-Rivières\r\n~2;;Côté;Lévis\r\n";
    vec![
        // Encodings and archives.
        case("UTF-8", people, utf8, Rows(2, 0, 0)),
        case("UTF-8 with a byte order mark", people, marked, Rows(2, 0, 0)),
        case("UTF-8 with two byte order marks", people, |text| marked(&format!("\u{feff}{text}")), Rows(2, 0, 0)),
        case("a byte order mark before quotes", "\"phone\",\"name\"\n\"~1\",\"Zoé\"\n", marked, Rows(1, 0, 0)),
        case("Windows-1252", french, windows_1252, Rows(2, 0, 0)),
        case("UTF-8 with one byte of Windows-1252", "phone,name\n~1,Zoé\n~2,Bob\n", |text| [text.as_bytes(), b"\xE9"].concat(), Rows(2, 0, 1)),
        case("UTF-16 LE", people, marked_little, Rows(2, 0, 0)),
        case("UTF-16 BE", people, marked_big, Rows(2, 0, 0)),
        case("UTF-16 LE without a byte order mark", people, little, Rows(2, 0, 0)),
        case("UTF-16 BE without a byte order mark", people, big, Rows(2, 0, 0)),
        case("Unicode text of Excel", "Phone\tName\r\n~1\t\"Zoé, or \"\"Zo\"\"\"\r\n", marked_little, Rows(1, 0, 0)),
        case("UTF-16 that is cut within a letter", "phone,name\n~1,Zoe", |text| [marked_little(text), vec![b'x']].concat(), Rows(1, 0, 0)),
        case("UTF-16 of nothing", "", marked_little, Fails("The file is empty.")),
        case("UTF-32", "", |_| b"\xFF\xFE\0\0p\0\0\0h\0\0\0".to_vec(), Fails("text in UTF-32")),
        case("gzip", people, packed, Rows(2, 0, 0)),
        case("gzip of Windows-1252", french, |text| packed_bytes(&windows_1252(text)), Rows(2, 0, 0)),
        case("gzip of UTF-16", people, |text| packed_bytes(&marked_little(text)), Rows(2, 0, 0)),
        case("gzip of UTF-16 without a byte order mark", people, |text| packed_bytes(&big(text)), Rows(2, 0, 0)),
        case("gzip in two members", people, |text| [packed(&text[..20]), packed(&text[20..])].concat(), Rows(2, 0, 0)),
        case("gzip of nothing", "", packed, Fails("The file is empty.")),
        case("gzip that is cut off", people, |text| packed(text).split_last_chunk::<9>().unwrap().0.to_vec(), Fails("damaged or was cut off")),
        case("gzip that is damaged", people, |text| [&packed(text)[..20], &[0xFF; 40]].concat(), Fails("damaged or was cut off")),
        case("gzip of gzip", people, |text| packed_bytes(&packed(text)), Fails("a gzip archive")),
        case("gzip of a picture", "", |_| packed_bytes(b"\x89PNG\r\n\x1a\n\0\0"), Fails("a PNG picture")),
        case("gzip that unpacks to a thousand times its size", "", |_| packed_bytes(&vec![b'\n'; 3_000_000]), Fails("more than 100 times its size")),
        case("gzip of two chunks", long_list(5_100), packed, Rows(1, 1, 5_098)),
        // Workbooks.
        case("a workbook", "phone,name\n~1,Zoé Œuvrard\n~2,Łukasz\n", workbook, Rows(2, 0, 0)),
        case("a workbook whose numbers are numbers", "phone,name\n#1~1,Zoé\n#~2,Ada\n#1~2,Łukasz\n", workbook, Rows(2, 1, 0)),
        case(
            "a French workbook",
            "N° de client,Civilité,Nom,Prénom,Téléphone,Portable,Courriel,CP,Ville,Depuis,Solde\n#12,Mme,Bérubé,Zoé,#1~1,~2,zoe@example.com,G6V 1A1,Lévis,@46328,#1234.56\n\
             #13,M.,Côté,François,#~3,,,,Trois-Rivières,%46328.4375,#12\n",
            workbook,
            Rows(2, 0, 0),
        ),
        case("a workbook with gaps", "\n\nphone,name,,city\n\n~1,,,Paris\n,,,\n\n~2,Ada\n", workbook, Rows(2, 0, 0)),
        case("a workbook without a header", "Zoe,#1~1\nAda,#~2\n", workbook, Rows(2, 0, 0)),
        case("a workbook of one column with other separators in it", "phone; name\n~1\n~2\n", workbook, Rows(2, 0, 0)),
        case("a workbook of two chunks", long_list(5_100), workbook, Rows(1, 1, 5_098)),
        case("a workbook of nothing", "", workbook, Fails("The first sheet of the Excel workbook is empty.")),
        case("a workbook of a header and nothing else", "phone,name\n", workbook, Fails("no rows")),
        case("a workbook that names no number", "name,city\nZoe,Paris\n", workbook, Fails("No column of the header is a telephone number.")),
        case("a workbook that is cut off", "phone\n~1\n", |text| half(&workbook(text)), Fails("The Excel workbook is damaged or was cut off.")),
        case("a workbook that would fill the disk", "phone\n~1\n", boasting_workbook, Fails("unpacks to more than 1 GiB")),
        case("a workbook in a gzip archive", "phone\n~1\n", |text| packed_bytes(&workbook(text)), Fails("a zip archive or an Excel workbook")),
        case("a binary workbook", "", |_| zipped(&[("xl/workbook.bin", "")]), Fails("a binary Excel workbook")),
        case("a zip archive", "phone\n~1\n", |text| zipped(&[("list.csv", text)]), Fails("a zip archive that is no Excel workbook")),
        // Separators, lines and quotes.
        case("semicolons", "phone;name\n~1;\"a,b\"\n~2;c,d\n", utf8, Rows(2, 0, 0)),
        case("tabs", "phone\tname\n~1\ta, b\n", utf8, Rows(1, 0, 0)),
        case("pipes", "phone|name\n~1|a, b\n", utf8, Rows(1, 0, 0)),
        case("a line that tells the separator", "sep=;\r\nphone;name, or names\r\n~1;a, b\r\n", utf8, Rows(1, 0, 0)),
        case("one column", "phone\n~1\n~2\n", utf8, Rows(2, 0, 0)),
        case("CR LF", "phone,name\r\n~1,a\r\n~2,b\r\n", utf8, Rows(2, 0, 0)),
        case("CR", "phone,name\r~1,a\r~2,b\r", utf8, Rows(2, 0, 0)),
        case("line ends of all kinds", "phone,name\r\n~1,a\n~2,b\r~3,c\n\r~4,d", utf8, Rows(4, 0, 0)),
        case("no line end at the end", "phone,name\n~1,a", utf8, Rows(1, 0, 0)),
        case("blank rows everywhere", "\n , \n\"\",\nphone,name\n\n,\n~1,a\n \t,\"\"\n\r\n~2,b\n,,,,\n\n", utf8, Rows(2, 0, 0)),
        case("a hundred thousand empty lines", format!("phone,name\n~1,a\n{}~2,b\n", "\r\n".repeat(100_000)), utf8, Rows(2, 0, 0)),
        case("line ends in quotes", "phone,note\n~1,\"a\r\nb\n\nc\"\n\"~2\n\",d\n", utf8, Rows(2, 0, 0)),
        case("quotes in quotes", "phone,name\n~1,\"Robert \"\"Bob\"\" Roy\"\n~2,\"\"\"\"\"\"\n", utf8, Rows(2, 0, 0)),
        case("everything in quotes", "\"phone\",\"name\"\r\n\"~1\",\"a\"\r\n\"~2\",\"\"\r\n", utf8, Rows(2, 0, 0)),
        case("a quote in a cell without quotes", "phone,name\n~1,Robert \"Bob\" Roy\n~2,6'2\"\n", utf8, Rows(2, 0, 0)),
        case("text behind a closing quote", "phone,name\n~1,\"Hey, I missed \" it\"\n~2,\"a\"b\n~3,\"c\" \n", utf8, Rows(1, 0, 2)),
        case("a quote that never closes", "phone,name\n~1,a\n~2,\"b\n~3,c\n", utf8, Fails("The quote opened in row 2 never closes.")),
        case("a quote that never closes in the header", "phone,\"name\n~1,a\n", utf8, Fails("never closes.")),
        case("short rows", "phone,name,city\n~1\n~2,b\n", utf8, Rows(2, 0, 0)),
        case("long rows of blanks", "phone,name\n~1,a,,, \n~2,b,\u{a0}\n", utf8, Rows(2, 0, 0)),
        case("long rows", "phone,name\n~1,a,x\n~2,b\n~3,c,,,,x\n", utf8, Rows(1, 0, 2)),
        case("spaces around cells", "phone , name\n ~1 , a \n\t~2\t,b\n", utf8, Rows(2, 0, 0)),
        // Headers.
        case("no header", "Zoe,~1\nAda,~2\n", utf8, Rows(2, 0, 0)),
        case("no header, with addresses", "zoe@example.com;Zoe;~1\r\nada@example.com;Ada;~2\r\n", utf8, Rows(2, 0, 0)),
        case("no header and rows of several lengths", "~1\n~2,Ada,ada@example.com\n~3,Bob,,,\n", utf8, Rows(3, 0, 0)),
        case("no header and a byte order mark", "~1,Zoe\n~2,Ada\n", marked, Rows(2, 0, 0)),
        case("no header in a packed file", "~1,Zoe\n~2,Ada\n", packed, Rows(2, 0, 0)),
        case("no header and no number", "zoe@example.com,Zoe\nada@example.com,Ada\n", utf8, Fails("The file has no header")),
        case("names that nobody knows", "qui,quoi\nZoe,~1\nAda,~2\n", utf8, Rows(2, 0, 0)),
        case("the same name several times", "phone,note,note,email,email\n~1,a,b,zoe@example.com,ada@example.com\n", utf8, Rows(1, 0, 0)),
        case("columns without names", "phone,,name,\n~1,x,a,y\n", utf8, Rows(1, 0, 0)),
        case("a name with a line end", "\"Phone\nnumber\",name\n~1,a\n", utf8, Rows(1, 0, 0)),
        case("a header that names no number", "name,city\nZoe,Paris\n", utf8, Fails("No column of the header is a telephone number.")),
        case("a header and nothing else", "phone,name\n\n,\n", utf8, Fails("no rows")),
        case("500 columns", format!("{}\n~1,a\n", header(500)), utf8, Rows(1, 0, 0)),
        case("501 columns", format!("{}\n~1,a\n", header(501)), utf8, Fails("more than 500 columns")),
        case("10,000 columns", format!("{}\n~1,a\n", header(10_000)), utf8, Fails("more than 500 columns")),
        case("as many columns as a spreadsheet can have", format!("phone,name{0}\n~1,a{0}\n", ",".repeat(16_382)), utf8, Rows(1, 0, 0)),
        case("a header that is no header", format!("{}\n~1\n", "x".repeat(70_000)), utf8, Fails("longer than 64 KB")),
        // Values.
        case("words for nothing", "phone,name,city,email,country\n~1,N/A,-,null,n/a\n~2,NULL,(vide),None,\u{2014}\nN/A,c,,,\n", utf8, Rows(2, 0, 1)),
        case("numbers that are none", "phone,name\n,a\n12,b\n5.14556E+09,c\n~1 or ~2,d\n~3,e\n", utf8, Rows(1, 0, 4)),
        case("the same number, however it is written", "phone,name\n~1,a\n+1 ~1,b\n1 ~1,c\n'~1,d\n~2,e\n", utf8, Rows(2, 3, 0)),
        case("values that are set aside", "phone,email,postal code,country\n~1,zoe@,H0H,CA\n+1 ~2,ada@example.com,75001,FR\n", utf8, Rows(2, 0, 0)),
        case("two chunks", long_list(5_100), utf8, Rows(1, 1, 5_098)),
        // What is no list.
        case("nothing", "", utf8, Fails("The file is empty.")),
        case("white space", " \r\n\t\n", utf8, Fails("The file is empty.")),
        case("a byte order mark and nothing else", "", marked, Fails("The file is empty.")),
        case("separators and nothing else", ",,\n,,\n", utf8, Fails("The file is empty.")),
        case("a picture", "", |_| b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Fails("a PNG picture")),
        case("a document", "", |_| b"%PDF-1.7\n%\xE2\xE3\n".to_vec(), Fails("a PDF document")),
        case("the beginning of a zip archive", "", |_| b"PK\x03\x04\x14\0\x06\0".to_vec(), Fails("The Excel workbook is damaged or was cut off.")),
        case("an old workbook", "", |_| b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), Fails("an old or a protected Excel workbook")),
        case("NUL bytes", "phone,name\n~1,a\0\0b\n", utf8, Fails("a binary file")),
        case("NUL bytes further on", format!("phone,name\n{}~1,\0\n", format!("12,{}\n", "x".repeat(30)).repeat(4_000)), utf8, Fails("Row 4001 contains NUL bytes")),
        case("NUL bytes in UTF-16", "phone,name\n~1,a\0b\n", marked_little, Fails("a binary file")),
        case("a cell of two megabytes", format!("phone,name\n~1,a\n~2,{}\n", "x".repeat(2_000_000)), utf8, Fails("Row 2 is longer than 1 MB.")),
        case("a cell of two megabytes in quotes", format!("phone,name\n~1,\"{}\"\n", "x\n".repeat(1_000_000)), utf8, Fails("Row 1 is longer than 1 MB.")),
        case("two megabytes behind a quote that never closes", format!("phone,name\n~1,\"{}", "x\n".repeat(1_000_000)), utf8, Fails("row 1 never closes.")),
        case("a row of two million separators", format!("phone,name\n~1,a{}x\n", ",".repeat(2_000_000)), utf8, Fails("Row 1 is longer than 1 MB.")),
        case(
            "a cell of two megabytes in an archive",
            "",
            |_| packed_at(format!("phone\n12\n{}\n", "x".repeat(2_000_000)).as_bytes(), Compression::none()),
            Fails("Row 2 is longer"),
        ),
        // What other programs write.
        case(
            "Google Contacts",
            "First Name,Middle Name,Last Name,Nickname,Organization Name,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,\
             Phone 2 - Label,Phone 2 - Value,Address 1 - Label,Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 1 - Region,Address 1 - Postal Code,\
             Address 1 - Country\n\
             Zoé,,Bérubé,,Acme,,,https://example.com/photo,* myContacts,* Work,zoe@example.com,Mobile,~1,Work,~2,Home,\"1 rue Principale\nLévis, QC G6V 1A1\nCA\",\
             1 rue Principale,Lévis,QC,G6V 1A1,CA\n\
             Ada,,,,,,,,* myContacts,,,,~3,,,,,,,,,\n\
             Nobody,,,,,,,,* myContacts,* ,nobody@example.com,,,,,,,,,,,\n",
            utf8,
            Rows(2, 0, 1),
        ),
        case(
            "Google Contacts as they once were",
            "Name,Given Name,Additional Name,Family Name,Yomi Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value\r\n\
             Zoé Bérubé,Zoé,,Bérubé,,* My Contacts,* ,zoe@example.com,Mobile,~1\r\n",
            marked_little,
            Rows(1, 0, 0),
        ),
        case(
            "Outlook",
            "\"Title\",\"First Name\",\"Middle Name\",\"Last Name\",\"Suffix\",\"Company\",\"Business Street\",\"Business City\",\"Business State\",\"Business Postal Code\",\
             \"Business Country/Region\",\"Business Fax\",\"Business Phone\",\"Mobile Phone\",\"Birthday\",\"E-mail Address\",\"E-mail Type\",\"Notes\",\"Private\"\r\n\
             \"\",\"Zoé\",\"\",\"Bérubé\",\"\",\"Acme, Inc.\",\"1 Main St\r\nSuite 2\",\"Lévis\",\"QC\",\"G6V 1A1\",\"Canada\",\"\",\"~1\",\"~2\",\"0/0/00\",\"zoe@example.com\",\"SMTP\",\"\
             Line one\r\n\r\nLine \"\"three\"\"\r\n\",\"False\"\r\n\
             \"\",\"Ada\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"~3\",\"\",\"0/0/00\",\"\",\"\",\"\",\"False\"\r\n",
            windows_1252,
            Rows(2, 0, 0),
        ),
        case(
            "HubSpot",
            "\"Record ID\",\"First Name\",\"Last Name\",\"Email\",\"Phone Number\",\"Contact owner\",\"Lead Status\",\"Create Date\",\"Associated Company\",\"State/Region\",\
             \"Country/Region\"\n\
             \"151\",\"Zoé\",\"Bérubé\",\"zoe@example.com\",\"~1\",\"Ada\",\"New\",\"2026-11-02 09:12\",\"Acme\",\"QC\",\"Canada\"\n\
             \"201\",\"Ada\",\"\",\"ada@example.com\",\"\",\"\",\"\",\"2026-11-03 10:00\",\"\",\"\",\"\"\n\
             \"251\",\"Bob\",\"Roy\",\"bob@example.com\",\"+1 ~2\",\"\",\"\",\"2026-11-03 10:01\",\"\",\"\",\"\"\n",
            utf8,
            Rows(2, 0, 1),
        ),
        case(
            "Salesforce",
            "\"Salutation\",\"First Name\",\"Last Name\",\"Mailing Street\",\"Mailing City\",\"Mailing State/Province\",\"Mailing Zip/Postal Code\",\"Mailing Country\",\"Phone\",\
             \"Fax\",\"Mobile\",\"Email\",\"Account Name\"\n\
             \"Ms.\",\"Zoé\",\"Bérubé\",\"1 rue Principale\",\"Lévis\",\"Quebec\",\"G6V 1A1\",\"Canada\",\"~1\",\"~2\",\"~3\",\"zoe@example.com\",\"Acme\"\n\
             \"\",\"Ada\",\"Roy\",\"\",\"\",\"\",\"\",\"\",\"~4\",\"\",\"\",\"\",\"\"\n\
             \n\n\
             \"Contacts with telephone numbers\"\n\
             \"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\"\n\
             \"Confidential Information - Do Not Distribute\"\n",
            utf8,
            Rows(2, 0, 3),
        ),
        case(
            "a French Excel",
            "N° de client;Civilité;Nom;Prénom;Téléphone;Portable;Courriel;Adresse;CP;Ville;Solde;\r\n\
             12;Mme;Bérubé;Zoé;~1;~2;zoe@example.com;\"1, rue de l'Église\";G6V 1A1;Lévis;1 234,56;\r\n\
             13;M.;Côté;François;~3;;;;;Trois-Rivières;-12,00;\r\n\
             ;;;;;;;;;;;\r\n",
            windows_1252,
            Rows(2, 0, 0),
        ),
        case("a French Excel that tells its separator", "sep=;\r\nNom;Prénom;Téléphone\r\nBérubé;Zoé;~1\r\n", windows_1252, Rows(1, 0, 0)),
    ]
}

/// What isn't as expected of a case; none when all is.
async fn complaint(pipeline: &Pipeline, index: usize, case: &Case) -> Option<String> {
    let file = pipeline.put(&format!("{index}.csv"), 1, case.file(index)).await;
    let import = pipeline.import(&file).await;
    let said = || format!("{}: {:?} {:?} of {:?}, {:?}", case.name, import.status, import.counts, import.rows_total, import.failure_reason);
    let reason = import.failure_reason.as_deref().unwrap_or_default();
    match case.outcome {
        Fails(expected) => {
            let is_plain = reason.contains(expected) && reason.ends_with('.');
            let has_nothing = import.counts == RowCounts::default() && import.chunks == 0;
            (import.status != ImportStatus::Failed || !is_plain || !has_nothing).then(said)
        }
        Rows(created, skipped, failed) => {
            let RowCounts { created: new, updated, unchanged, skipped: overtaken, failed: bad, .. } = import.counts;
            let adds_up = Some(new + updated + unchanged + overtaken + bad) == import.rows_total;
            if (new, updated, unchanged, overtaken, bad) != (created, 0, 0, skipped, failed) || !adds_up {
                return Some(said());
            }
            // The same file again changes nothing.
            let again = pipeline.import(&DroppedFile { sequencer: "2".to_owned(), ..file }).await;
            let expected = RowCounts { unchanged: created, skipped, failed, warned: import.counts.warned, ..RowCounts::default() };
            (again.counts != expected).then(|| format!("{} again: {:?} {:?}", case.name, again.counts, again.failure_reason))
        }
    }
}

#[tokio::test]
async fn every_file_becomes_the_rows_it_says_or_tells_why_not() {
    let pipeline = Pipeline::new().await;
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    let mut complaints = Vec::new();
    for (index, case) in corpus.iter().enumerate() {
        complaints.extend(complaint(&pipeline, index, case).await);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(pipeline.uploads.open_uploads(), 0);
}

#[tokio::test]
async fn what_a_packed_file_says_is_staged_and_read_from_there() {
    let pipeline = Pipeline::new().await;
    let text = "phone,name,ville\r\n514-555-0101,Zoé Œuvrard,Lévis\r\n";
    let files = [("plain.csv", utf8(text)), ("named.csv.gz", packed(text)), ("not-named.csv", packed_bytes(&marked_big(text))), ("utf-16.gz", marked_little(text))];
    for (name, bytes) in files {
        let is_plain = bytes == text.as_bytes();
        let import = pipeline.imported(name, bytes.clone()).await;
        assert_eq!(import.status, ImportStatus::Completed, "{name}: {:?}", import.failure_reason);
        let staged = pipeline.uploads.get(&pipeline.staged_key(&import));
        assert_eq!((staged.as_deref(), import.staged.is_none()), ((!is_plain).then_some(text.as_bytes()), is_plain), "{name}");
        assert_eq!((import.file_bytes, import.file_key.as_str(), import.file_name.as_str()), (bytes.len() as u64, format!("drop/demo/{name}").as_str(), name));
        let details = pipeline.details("+15145550101").await;
        assert_eq!((details.name.as_deref(), details.city.as_deref()), (Some("Zoé Œuvrard"), Some("Lévis")), "{name}");
    }
}

#[tokio::test]
async fn a_packed_file_of_many_megabytes_is_staged_in_parts_and_none_are_left_of_a_damaged_one() {
    let pipeline = Pipeline::new().await;
    let filler: String = (0..9_500).map(|row: u64| format!("12,{row},{}\n", "é".repeat(500))).collect();
    let text = format!("phone,name,note\n514-555-0101,First,1\n{filler}514-555-0101,Last,2\n");
    let import = pipeline.imported("large.txt", marked_little(&text)).await;
    assert_eq!(import.counts, RowCounts { created: 1, skipped: 1, failed: 9_500, ..RowCounts::default() });
    assert!(import.chunks > 3, "{import:?}");
    let staged = pipeline.uploads.get(&pipeline.staged_key(&import)).unwrap();
    assert!(staged == text.as_bytes() && pipeline.uploads.open_uploads() == 0);
    assert_eq!(pipeline.details("+15145550101").await.name.as_deref(), Some("Last"));

    let mut damaged = packed_at(text.as_bytes(), Compression::none());
    damaged.truncate(damaged.len() - 4);
    let import = pipeline.imported("damaged.csv.gz", damaged).await;
    assert!(import.failure_reason.as_deref().unwrap().contains("damaged or was cut off"));
    assert_eq!((pipeline.uploads.get(&pipeline.staged_key(&import)), pipeline.uploads.open_uploads()), (None, 0));
}

#[tokio::test]
async fn a_workbook_is_staged_as_its_cells_are_seen() {
    let pipeline = Pipeline::new().await;
    let text = "phone,name,zip,country,signed,called\n#16175550123,Zoé Œuvrard,02134,US,@46328,%46328.4375\n";
    let import = pipeline.imported("clients.xlsx", workbook(text)).await;
    assert_eq!((import.status, import.counts.created), (ImportStatus::Completed, 1), "{:?}", import.failure_reason);
    let staged = pipeline.uploads.get(&pipeline.staged_key(&import)).unwrap();
    let expected = "sep=,\nphone,name,zip,country,signed,called\n16175550123,Zoé Œuvrard,02134,US,2026-11-02,2026-11-02T10:30:00\n";
    assert_eq!(String::from_utf8(staged).unwrap(), expected);
    let details = pipeline.details("+16175550123").await;
    assert_eq!((details.name.as_deref(), details.postal_code.as_deref()), (Some("Zoé Œuvrard"), Some("02134")));
    assert_eq!(details.attributes.get("signed"), Some(&AttributeValue::String("2026-11-02".to_owned())));
}

#[tokio::test]
async fn a_workbook_of_many_megabytes_is_staged_in_parts_and_a_larger_one_is_refused() {
    let pipeline = Pipeline::new().await;
    let filler: String = (0..9_500).map(|row: u64| format!("12,{row},{}\n", "é".repeat(500))).collect();
    let text = format!("phone,name,note\n514-555-0101,First,1\n{filler}514-555-0101,Last,2\n");
    let import = pipeline.imported("large.xlsx", workbook(&text)).await;
    assert_eq!(import.counts, RowCounts { created: 1, skipped: 1, failed: 9_500, ..RowCounts::default() }, "{:?}", import.failure_reason);
    let staged = pipeline.uploads.get(&pipeline.staged_key(&import)).unwrap();
    let expected = format!("sep=,\n{text}").into_bytes();
    let differs_at = staged.iter().zip(&expected).position(|(said, expected)| said != expected);
    assert_eq!((differs_at, staged.len(), pipeline.uploads.open_uploads()), (None, expected.len(), 0));

    let file = pipeline.put("too-large.xlsx", 1, workbook(&text)).await;
    let import = pipeline.import(&DroppedFile { bytes: 100 * 1024 * 1024 + 1, ..file }).await;
    assert!(import.failure_reason.as_deref().unwrap().contains("larger than 100 MB"));
    assert_eq!((pipeline.uploads.get(&pipeline.staged_key(&import)), pipeline.uploads.open_uploads()), (None, 0));
}

#[tokio::test]
async fn a_packed_file_that_is_received_again_or_whose_copy_is_replaced_is_told_apart() {
    let pipeline = Pipeline::new().await;
    let text = "phone,name\n514-555-0101,Zoe\n";
    let file = pipeline.put("twice.gz", 1, packed(text)).await;
    let first = Box::pin(receive(&pipeline.services, &file)).await.unwrap();
    assert_eq!(Box::pin(receive(&pipeline.services, &file)).await.unwrap(), first);
    let import = pipeline.import(&file).await;
    assert_eq!((import.counts.created, import.status), (1, ImportStatus::Completed));
    assert_eq!(pipeline.import(&file).await.counts, import.counts);

    let file = pipeline.put("replaced.gz", 1, packed(text)).await;
    let Received::Planned(id) = Box::pin(receive(&pipeline.services, &file)).await.unwrap() else { panic!() };
    let (core, scope) = (&pipeline.world.database.core, &pipeline.world.tenant.scope);
    let import = imports::get(core, scope, id).await.unwrap().unwrap();
    // The dropped file isn't needed any more, its copy is.
    pipeline.uploads.remove(&file.key).unwrap();
    pipeline.uploads.put(&pipeline.staged_key(&import), b"phone\n514-555-0102\n".to_vec());
    assert_eq!(pipeline.work().await, Some(Handled::Failed));
    let import = imports::get(core, scope, id).await.unwrap().unwrap();
    assert!(import.failure_reason.unwrap().contains("removed or replaced"));
}

#[tokio::test]
async fn columns_are_told_by_their_names_else_by_their_values() {
    let pipeline = Pipeline::new().await;
    let text = "514-555-0101;zoe@example.com;Zoe;7\n514-555-0102;ada@example.com;Ada;8\n";
    let import = pipeline.imported("nameless.csv", utf8(text)).await;
    let mapping = |import: &Import| -> Vec<(String, String, f64)> {
        let field = |column: &switchboard_domain::imports::ColumnMapping| column.field.as_ref().map_or("-".to_owned(), ToString::to_string);
        import.mapping.iter().map(|column| (column.column.clone(), field(column), column.confidence)).collect()
    };
    let is = |column: &str, field: &str, confidence: f64| (column.to_owned(), field.to_owned(), confidence);
    assert_eq!(
        mapping(&import),
        [is("Column 1", "phone", 0.7), is("Column 2", "email", 0.7), is("Column 3", "attributes.Column 3", 0.5), is("Column 4", "attributes.Column 4", 0.5)]
    );
    assert_eq!((import.rows_total, import.counts.created), (Some(2), 2));
    let details = pipeline.details("+15145550101").await;
    assert_eq!((details.email.as_deref(), details.attributes.len()), (Some("zoe@example.com"), 2));

    let import = pipeline.imported("doubled.csv", utf8("who,reach,note,note\nZoe,514-555-0101,a,b\n")).await;
    assert_eq!(
        mapping(&import),
        [is("who", "attributes.who", 0.5), is("reach", "phone", 0.7), is("note", "attributes.note", 0.5), is("note", "attributes.note (2)", 0.5)]
    );
    assert_eq!((import.counts.updated, pipeline.details("+15145550101").await.attributes.len()), (1, 5));
}

#[tokio::test]
async fn a_french_spreadsheet_and_an_address_book_are_read_as_they_were_meant() {
    let pipeline = Pipeline::new().await;
    let corpus = corpus();
    for (name, number) in [("a French Excel", 1), ("a French workbook", 1), ("Google Contacts", 1), ("Outlook", 1), ("Salesforce", 1)] {
        let index = corpus.iter().position(|case| case.name == name).unwrap();
        pipeline.imported(&format!("{index}.csv"), corpus[index].file(index)).await;
        let details = pipeline.details(&format!("+1514555{:04}", index * 10 + number)).await;
        assert_eq!((details.name.as_deref(), details.city.as_deref(), details.postal_code.as_deref()), (Some("Zoé Bérubé"), Some("Lévis"), Some("G6V 1A1")), "{name}");
        assert_eq!((details.email.as_deref(), details.country.as_deref()), (Some("zoe@example.com"), Some("CA")), "{name}");
        assert!(details.alternate_phones.len() == 1 && !details.attributes.is_empty(), "{name}: {details:?}");
    }
}
