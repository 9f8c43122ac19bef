//! Where it is what time: the zone of a postal code and of an area code, from tables in `data/`.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Prefixes with their zones, in the order of the prefixes.
type Table = Vec<(&'static str, &'static str)>;

static CANADA: LazyLock<Table> = LazyLock::new(|| table(include_str!("../data/ca_postal_codes.tsv")));
static UNITED_STATES: LazyLock<Table> = LazyLock::new(|| table(include_str!("../data/us_zip_codes.tsv")));
static AREA_CODES: LazyLock<Table> = LazyLock::new(|| table(include_str!("../data/area_codes.tsv")));

/// The IANA zone in which a tidied postal code lies (`H3A 1B2`, `12345` or `12345-6789`).
///
/// Knows Canada, the United States and the territories that have ZIP codes; `None` for other countries, codes of another form, areas that don't
/// exist and military addresses, which may be anywhere.
#[must_use]
pub fn of_postal_code(country: &str, postal_code: &str) -> Option<&'static str> {
    match country {
        "CA" => {
            let bytes = postal_code.as_bytes();
            let formed = bytes.len() == 7
                && bytes.iter().enumerate().all(|(index, byte)| match index {
                    3 => *byte == b' ',
                    0 | 2 | 5 => byte.is_ascii_uppercase(),
                    _ => byte.is_ascii_digit(),
                });
            longest(&CANADA, formed.then(|| postal_code.replace(' ', ""))?.as_str())
        }
        "US" | "AS" | "GU" | "MP" | "PR" | "VI" => {
            let (zip, addition) = postal_code.split_once('-').unwrap_or((postal_code, "0000"));
            let formed = digits(zip, 5) && digits(addition, 4);
            longest(&UNITED_STATES, formed.then_some(zip)?)
        }
        _ => None,
    }
}

/// The IANA zone in which the numbers of this one's area code were given out, for E.164 numbers of country code 1.
///
/// An area code in more than one zone has the one where most of its people live. `None` for other country codes and for toll-free and personal
/// numbers, which belong to no place. A number may have moved with its owner, so this is a guess, better than none.
#[must_use]
pub fn of_phone(e164: &str) -> Option<&'static str> {
    let number = e164.strip_prefix("+1")?;
    longest(&AREA_CODES, digits(number, 10).then_some(number)?)
}

/// The first moment at which the clocks of a zone show this time or a later one: of a time that comes twice the first, of one that is skipped the
/// moment of the change.
#[must_use]
pub fn first_moment(zone: &TimeZone, local: DateTime) -> Timestamp {
    let beyond = if local < DateTime::ZERO { Timestamp::MIN } else { Timestamp::MAX };
    let moment = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset the skipped time lies just before the change.
            after.to_timestamp(local).map(|before| zone.following(before).next().map_or(before, |change| change.timestamp()))
        }
    };
    moment.unwrap_or(beyond)
}

/// The zone of the longest prefix of a text that the table has. The text is ASCII.
fn longest(table: &Table, text: &str) -> Option<&'static str> {
    (1..=text.len()).rev().find_map(|length| {
        let prefix = text.get(..length)?;
        table.binary_search_by_key(&prefix, |(key, _)| key).ok().and_then(|index| table.get(index)).map(|(_, zone)| *zone)
    })
}

fn table(text: &'static str) -> Table {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect()
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    use super::*;

    const TABLES: [(&str, &LazyLock<Table>, &str); 3] = [
        ("ca_postal_codes.tsv", &CANADA, include_str!("../data/ca_postal_codes.tsv")),
        ("us_zip_codes.tsv", &UNITED_STATES, include_str!("../data/us_zip_codes.tsv")),
        ("area_codes.tsv", &AREA_CODES, include_str!("../data/area_codes.tsv")),
    ];

    #[test]
    fn malformed_and_unknown_postal_codes_have_no_zone() {
        for (country, code) in [
            ("CA", ""),
            ("CA", "H"),
            ("CA", "H3A"),
            ("CA", "H3A1B2"),
            ("CA", "h3a 1b2"),
            ("CA", "H3A 1B22"),
            ("CA", "H3A\u{a0}1B2"),
            ("CA", "éé é"),
            ("CA", "D1A 1A1"),
            ("CA", "X2A 1A1"),
            ("CA", "12345"),
            ("US", ""),
            ("US", "1234"),
            ("US", "123456"),
            ("US", "1234５"),
            ("US", "12345-"),
            ("US", "12345-678"),
            ("US", "12345-67890"),
            ("US", "12345 6789"),
            ("US", "H3A 1B2"),
            ("US", "00000"),
            ("US", "09012"),
            ("US", "34012"),
            ("US", "96201"),
            ("FR", "75001"),
            ("GB", "SW1A 1AA"),
            ("us", "10001"),
            ("", "10001"),
        ] {
            assert_eq!(of_postal_code(country, code), None, "{code:?} in {country:?}");
        }
    }

    #[test]
    fn numbers_that_belong_to_no_place_have_no_zone() {
        for number in [
            "",
            "+",
            "+1",
            "+1514",
            "+1514555012",
            "+151455501234",
            "15145550123",
            "+1514555012x",
            "+1５14555012",
            "+33612345678",
            "+18005550123",
            "+18885550123",
            "+19005550123",
            "+15005550123",
            "+15335550123",
            "+16005550123",
            "+16225550123",
            "+17005550123",
            "+17105550123",
            "+19995550123",
        ] {
            assert_eq!(of_phone(number), None, "{number:?}");
        }
    }

    #[test]
    fn canadian_places_have_their_zones() {
        for (place, code, zone) in [
            ("St. John's", "A1C 5M2", "America/St_Johns"),
            ("L'Anse-au-Loup", "A0K 3L0", "America/St_Johns"),
            ("Cartwright", "A0K 1V0", "America/Goose_Bay"),
            ("Goose Bay", "A0P 1C0", "America/Goose_Bay"),
            ("Labrador City", "A2V 2X6", "America/Goose_Bay"),
            ("Halifax", "B3J 3A5", "America/Halifax"),
            ("Charlottetown", "C1A 1J4", "America/Halifax"),
            ("Moncton", "E1C 1E8", "America/Moncton"),
            ("Québec", "G1R 4P5", "America/Toronto"),
            ("Sept-Îles", "G4R 1A1", "America/Toronto"),
            ("Îles-de-la-Madeleine", "G4T 1A1", "America/Halifax"),
            ("Blanc-Sablon", "G0G 1C0", "America/Blanc-Sablon"),
            ("Havre-Saint-Pierre", "G0G 1P0", "America/Toronto"),
            ("Montréal", "H3A 1B2", "America/Toronto"),
            ("Gatineau", "J8X 3X1", "America/Toronto"),
            ("Toronto", "M5V 3L9", "America/Toronto"),
            ("Thunder Bay", "P7B 5E1", "America/Toronto"),
            ("Marathon", "P0T 2E0", "America/Toronto"),
            ("Atikokan", "P0T 1C0", "America/Atikokan"),
            ("Kenora", "P9N 1S1", "America/Winnipeg"),
            ("Fort Frances", "P9A 1A1", "America/Winnipeg"),
            ("Rainy River", "P0W 1L0", "America/Winnipeg"),
            ("Winnipeg", "R3C 4A2", "America/Winnipeg"),
            ("Regina", "S4P 3Y2", "America/Regina"),
            ("Lloydminster", "S9V 0A1", "America/Edmonton"),
            ("Creighton", "S0P 0A0", "America/Winnipeg"),
            ("Calgary", "T2P 1J9", "America/Edmonton"),
            ("Vancouver", "V6B 1A1", "America/Vancouver"),
            ("Dawson Creek", "V1G 2K9", "America/Dawson_Creek"),
            ("Fort St. John", "V1J 1Y5", "America/Dawson_Creek"),
            ("Fort Nelson", "V0C 1R0", "America/Fort_Nelson"),
            ("Cranbrook", "V1C 3R8", "America/Edmonton"),
            ("Golden", "V0A 1H0", "America/Edmonton"),
            ("Fernie", "V0B 1M0", "America/Edmonton"),
            ("Creston", "V0B 1G0", "America/Creston"),
            ("Revelstoke", "V0E 2S0", "America/Vancouver"),
            ("Whitehorse", "Y1A 2C6", "America/Whitehorse"),
            ("Yellowknife", "X1A 2N4", "America/Yellowknife"),
            ("Iqaluit", "X0A 0H0", "America/Iqaluit"),
            ("Resolute", "X0A 0V0", "America/Resolute"),
            ("Cambridge Bay", "X0B 0C0", "America/Cambridge_Bay"),
            ("Rankin Inlet", "X0C 0G0", "America/Rankin_Inlet"),
            ("Coral Harbour", "X0C 0C0", "America/Atikokan"),
        ] {
            assert_eq!(of_postal_code("CA", code), Some(zone), "{place}");
        }
    }

    #[test]
    fn american_places_have_their_zones() {
        for (place, code, zone) in [
            ("New York", "10001", "America/New_York"),
            ("New York, with ZIP+4", "10001-1234", "America/New_York"),
            ("Boston", "02139", "America/New_York"),
            ("San Juan", "00901", "America/Puerto_Rico"),
            ("Charlotte Amalie", "00802", "America/St_Thomas"),
            ("Atlanta", "30303", "America/New_York"),
            ("Tallahassee", "32301", "America/New_York"),
            ("Pensacola", "32501", "America/Chicago"),
            ("Panama City", "32401", "America/Chicago"),
            ("Port St. Joe", "32456", "America/New_York"),
            ("Phenix City", "36867", "America/New_York"),
            ("Nashville", "37201", "America/Chicago"),
            ("Chattanooga", "37402", "America/New_York"),
            ("Knoxville", "37902", "America/New_York"),
            ("Crossville", "38555", "America/Chicago"),
            ("Louisville", "40202", "America/Kentucky/Louisville"),
            ("Lexington", "40507", "America/New_York"),
            ("Bowling Green", "42101", "America/Chicago"),
            ("Elizabethtown", "42701", "America/Kentucky/Louisville"),
            ("Indianapolis", "46204", "America/Indiana/Indianapolis"),
            ("Gary", "46402", "America/Chicago"),
            ("South Bend", "46601", "America/Indiana/Indianapolis"),
            ("Knox", "46534", "America/Indiana/Knox"),
            ("Evansville", "47708", "America/Chicago"),
            ("Detroit", "48226", "America/Detroit"),
            ("Marquette", "49855", "America/Detroit"),
            ("Iron Mountain", "49801", "America/Menominee"),
            ("Chicago", "60601", "America/Chicago"),
            ("Sioux Falls", "57104", "America/Chicago"),
            ("Rapid City", "57701", "America/Denver"),
            ("Bismarck", "58501", "America/Chicago"),
            ("Dickinson", "58601", "America/Denver"),
            ("Wichita", "67202", "America/Chicago"),
            ("Goodland", "67735", "America/Denver"),
            ("Omaha", "68102", "America/Chicago"),
            ("North Platte", "69101", "America/Chicago"),
            ("Scottsbluff", "69361", "America/Denver"),
            ("Dallas", "75201", "America/Chicago"),
            ("El Paso", "79901", "America/Denver"),
            ("Alpine", "79830", "America/Chicago"),
            ("Denver", "80202", "America/Denver"),
            ("Boise", "83702", "America/Boise"),
            ("Coeur d'Alene", "83814", "America/Los_Angeles"),
            ("Lewiston", "83501", "America/Los_Angeles"),
            ("Riggins", "83549", "America/Boise"),
            ("Salt Lake City", "84101", "America/Denver"),
            ("Phoenix", "85003", "America/Phoenix"),
            ("Flagstaff", "86001", "America/Phoenix"),
            ("Window Rock", "86515", "America/Denver"),
            ("Tuba City", "86045", "America/Denver"),
            ("Second Mesa, in the Hopi Reservation", "86043", "America/Phoenix"),
            ("Las Vegas", "89101", "America/Los_Angeles"),
            ("West Wendover", "89883", "America/Denver"),
            ("Los Angeles", "90012", "America/Los_Angeles"),
            ("Honolulu", "96813", "Pacific/Honolulu"),
            ("Pago Pago", "96799", "Pacific/Pago_Pago"),
            ("Hagåtña", "96910", "Pacific/Guam"),
            ("Saipan", "96950", "Pacific/Saipan"),
            ("Portland", "97201", "America/Los_Angeles"),
            ("Ontario, Oregon", "97914", "America/Boise"),
            ("Anchorage", "99501", "America/Anchorage"),
            ("Adak", "99546", "America/Adak"),
        ] {
            assert_eq!(of_postal_code("US", code), Some(zone), "{place}");
        }
        assert_eq!(of_postal_code("PR", "00901"), Some("America/Puerto_Rico"));
    }

    #[test]
    fn area_codes_have_their_zones() {
        for (place, number, zone) in [
            ("Montréal", "+15145550123", "America/Toronto"),
            ("Thunder Bay", "+18075550123", "America/Toronto"),
            ("Winnipeg", "+12045550123", "America/Winnipeg"),
            ("Regina", "+14745550123", "America/Regina"),
            ("Edmonton", "+17805550123", "America/Edmonton"),
            ("Vancouver", "+16045550123", "America/Vancouver"),
            ("Halifax", "+19025550123", "America/Halifax"),
            ("Moncton", "+15065550123", "America/Moncton"),
            ("St. John's", "+17095550123", "America/St_Johns"),
            ("Whitehorse", "+18676685012", "America/Whitehorse"),
            ("Iqaluit", "+18679795012", "America/Iqaluit"),
            ("elsewhere in 867", "+18675550123", "America/Yellowknife"),
            ("New York", "+12125550123", "America/New_York"),
            ("Gary", "+12195550123", "America/Chicago"),
            ("Pensacola", "+18505550123", "America/Chicago"),
            ("Orlando", "+16895550123", "America/New_York"),
            ("Chattanooga", "+14235550123", "America/New_York"),
            ("Louisville", "+15025550123", "America/Kentucky/Louisville"),
            ("Detroit", "+13135550123", "America/Detroit"),
            ("Indianapolis", "+13175550123", "America/Indiana/Indianapolis"),
            ("El Paso", "+19155550123", "America/Denver"),
            ("Boise", "+12085550123", "America/Boise"),
            ("Phoenix", "+16025550123", "America/Phoenix"),
            ("Los Angeles", "+13105550123", "America/Los_Angeles"),
            ("Anchorage", "+19075550123", "America/Anchorage"),
            ("Honolulu", "+18085550123", "Pacific/Honolulu"),
            ("San Juan", "+17875550123", "America/Puerto_Rico"),
            ("Guam", "+16715550123", "Pacific/Guam"),
            ("Bermuda", "+14415550123", "Atlantic/Bermuda"),
            ("Jamaica", "+18765550123", "America/Jamaica"),
        ] {
            assert_eq!(of_phone(number), Some(zone), "{place}");
        }
    }

    #[test]
    fn the_longest_prefix_decides() {
        assert_eq!(of_postal_code("CA", "G4T 9Z9"), Some("America/Halifax"));
        assert_eq!(of_postal_code("CA", "G4V 9Z9"), Some("America/Toronto"));
        assert_eq!(of_postal_code("CA", "X0A 0V0"), Some("America/Resolute"));
        assert_eq!(of_postal_code("CA", "X0A 0W0"), Some("America/Iqaluit"));
        assert_eq!(of_postal_code("US", "37349"), Some("America/Chicago"));
        assert_eq!(of_postal_code("US", "37343"), Some("America/New_York"));
    }

    #[test]
    fn every_line_parses_in_order_with_a_zone_the_database_knows() {
        for (name, table, text) in TABLES {
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert_eq!(lines.len(), table.len(), "{name}");
            assert!(text.starts_with("# ") && text.contains("How it was made"), "{name} says where it is from");
            assert!(table.is_sorted_by(|(before, _), (after, _)| before < after), "{name} is sorted and has each prefix once");
            for (prefix, zone) in table.iter() {
                let known = jiff::tz::TimeZone::get(zone).unwrap();
                assert_eq!(known.iana_name(), Some(*zone), "{name}: {prefix}");
                assert!(!prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{name}: {prefix}");
            }
        }
    }

    #[test]
    fn no_line_repeats_what_a_shorter_one_says() {
        for (name, table, _) in TABLES {
            for (prefix, zone) in table.iter() {
                assert_ne!(longest(table, &prefix[..prefix.len() - 1]), Some(*zone), "{name}: {prefix}");
            }
        }
    }

    /// A new area code in the telephone metadata needs a line in `data/area_codes.tsv`.
    #[test]
    fn every_area_code_with_a_place_has_a_zone() {
        let missing: BTreeSet<u16> = (200..1000)
            .filter(|area| {
                let e164 = format!("+1{area}2345678");
                let number = PHONE_NUMBER_UTIL.parse(&e164, None).unwrap();
                PHONE_NUMBER_UTIL.get_number_type(&number) == PhoneNumberType::FixedLineOrMobile && of_phone(&e164).is_none()
            })
            .collect();
        assert_eq!(missing, BTreeSet::new());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(country in "CA|US|PR|.{0,3}", code in ".{0,12}", phone in "\\+?1?.{0,14}") {
            let _ = (of_postal_code(&country, &code), of_phone(&phone));
        }
    }
}
