//! Forms that put one file into a bucket from a browser: a POST policy under a signature (AWS Signature Version 4), made here because the SDK makes none.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_sdk_s3::config::Credentials;
use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::PlatformError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The status that answers a file which was taken. It has no body.
const TAKEN: &str = "204";
/// How a variable begins. The service puts the file's name in place of one before it looks at the policy.
const VARIABLE: &str = "${";

/// What a form may put where, and until when.
#[derive(Debug, Clone, Copy)]
pub struct PostPolicy<'a> {
    /// Where forms of the bucket are sent.
    pub url: &'a str,
    /// The bucket's region.
    pub region: &'a str,
    /// The bucket.
    pub bucket: &'a str,
    /// The key of the file, which no form of this policy can choose.
    pub key: &'a str,
    /// Bytes that the file may have at most; it has at least one.
    pub max_bytes: u64,
    /// When the service no longer takes it.
    pub expires_at: Timestamp,
}

/// A form that is ready to be sent. Whoever has it may upload: it is as good as a password until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTarget {
    /// Where it is sent by POST, as `multipart/form-data`.
    pub url: String,
    /// Its fields, each sent as it is and none beside them. Behind them comes `file`.
    pub fields: Vec<(String, String)>,
    /// When the service no longer takes it, in whole seconds. Credentials that end earlier end it earlier.
    pub expires_at: Timestamp,
}

/// Signs a form with the rights of these credentials. No request.
///
/// The policy names each field with its only value, so that the service refuses another key, another bucket, and any field more: none can make the file
/// public, encrypt it otherwise or give it a type.
///
/// # Errors
/// [`PlatformError::Refused`] for a key that is empty or has a variable in it (`${`), and when nothing could be uploaded for want of bytes.
pub fn presigned_post(policy: &PostPolicy<'_>, credentials: &Credentials, now: Timestamp) -> Result<UploadTarget, PlatformError> {
    let refused = |what: &str| Err(PlatformError::Refused(format!("{}: no form is signed for {what}", policy.key)));
    if policy.key.is_empty() || policy.key.contains(VARIABLE) {
        return refused("a key that is empty or has a variable");
    }
    if policy.max_bytes == 0 {
        return refused("a file without bytes");
    }
    let (date, time) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    let scope = format!("{}/{date}/{}/s3/aws4_request", credentials.access_key_id(), policy.region);
    let mut fields = vec![
        field("key", policy.key),
        field("success_action_status", TAKEN),
        field("x-amz-algorithm", ALGORITHM),
        field("x-amz-credential", &scope),
        field("x-amz-date", &time),
    ];
    fields.extend(credentials.session_token().map(|token| field("x-amz-security-token", token)));
    let document = BASE64.encode(document(policy, &fields).as_bytes());
    let signature = signature(credentials.secret_access_key(), &date, policy.region, &document);
    fields.extend([field("policy", &document), field("x-amz-signature", &signature)]);
    Ok(UploadTarget { url: policy.url.to_owned(), fields, expires_at: policy.expires_at })
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The policy as JSON: what must hold of a form with these fields.
fn document(policy: &PostPolicy<'_>, fields: &[(String, String)]) -> String {
    let mut conditions = vec![json!(["eq", "$bucket", policy.bucket]), json!(["content-length-range", 1, policy.max_bytes])];
    conditions.extend(fields.iter().map(|(name, value)| json!(["eq", format!("${name}"), value])));
    ascii(&json!({ "expiration": policy.expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), "conditions": conditions }))
}

/// JSON in which every character beyond ASCII is escaped, as the service wants it in a policy.
fn ascii(json: &Value) -> String {
    let mut text = String::new();
    for unit in json.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

/// The signature of a policy in Base64, for a day as `20151229`.
fn signature(secret: &str, date: &str, region: &str, policy: &str) -> String {
    let first = Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    let key = [date, region, "s3", "aws4_request"].into_iter().fold(first, |key, part| Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref()));
    HEXLOWER.encode(sign(&key, policy.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const DATE: &str = "20151229";
    const REGION: &str = "us-east-1";

    /// The policy of "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)" in the API reference of S3, in Base64.
    fn published() -> String {
        let lines = [
            r#"{ "expiration": "2015-12-30T12:00:00.000Z","#,
            r#"  "conditions": ["#,
            r#"    {"bucket": "sigv4examplebucket"},"#,
            r#"    ["starts-with", "$key", "user/user1/"],"#,
            r#"    {"acl": "public-read"},"#,
            r#"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
            r#"    ["starts-with", "$Content-Type", "image/"],"#,
            r#"    {"x-amz-meta-uuid": "14365123651274"},"#,
            r#"    {"x-amz-server-side-encryption": "AES256"},"#,
            r#"    ["starts-with", "$x-amz-meta-tag", ""],"#,
            "",
            r#"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
            r#"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
            r#"    {"x-amz-date": "20151229T000000Z" }"#,
            "  ]",
            "}",
        ];
        BASE64.encode(lines.join("\r\n").as_bytes())
    }

    fn policy(key: &str) -> PostPolicy<'_> {
        let expires_at = "2026-11-30T17:00:00Z".parse().unwrap();
        PostPolicy { url: "https://uploads.test/", region: "ca-central-1", bucket: "uploads", key, max_bytes: 1_000, expires_at }
    }

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, token.map(str::to_owned), None, "test")
    }

    fn signed(key: &str, token: Option<&str>) -> UploadTarget {
        presigned_post(&policy(key), &credentials(token), "2026-11-30T16:00:00Z".parse().unwrap()).unwrap()
    }

    fn value<'a>(target: &'a UploadTarget, name: &str) -> &'a str {
        &target.fields.iter().find(|field| field.0 == name).unwrap().1
    }

    fn document_of(target: &UploadTarget) -> (String, Value) {
        let text = String::from_utf8(BASE64.decode(value(target, "policy").as_bytes()).unwrap()).unwrap();
        let json = serde_json::from_str(&text).unwrap();
        (text, json)
    }

    #[test]
    fn a_key_that_the_service_would_fill_in_an_empty_one_and_a_file_without_bytes_are_refused() {
        let now = "2026-11-30T16:00:00Z".parse().unwrap();
        for key in ["", "uploads/${filename}", "${"] {
            assert!(matches!(presigned_post(&policy(key), &credentials(None), now), Err(PlatformError::Refused(_))), "{key}");
        }
        assert!(matches!(presigned_post(&PostPolicy { max_bytes: 0, ..policy("a") }, &credentials(None), now), Err(PlatformError::Refused(_))));
    }

    #[test]
    fn the_example_that_the_service_publishes_has_the_signature_it_publishes() {
        assert_eq!(signature(SECRET, DATE, REGION, &published()), "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
    }

    #[test]
    fn any_other_byte_of_the_policy_and_any_other_secret_day_or_region_has_another_signature() {
        let published = published();
        let right = signature(SECRET, DATE, REGION, &published);
        for place in 0..published.len() {
            let (before, rest) = published.split_at(place);
            let other = if rest.starts_with('A') { 'B' } else { 'A' };
            assert_ne!(signature(SECRET, DATE, REGION, &format!("{before}{other}{}", &rest[1..])), right, "byte {place}");
        }
        for (secret, date, region) in [("another", DATE, REGION), (SECRET, "20151230", REGION), (SECRET, DATE, "us-east-2")] {
            assert_ne!(signature(secret, date, region, &published), right, "{date} {region}");
        }
    }

    #[test]
    fn a_form_is_held_to_its_bucket_its_key_its_size_and_each_of_its_fields() {
        let target = signed("uploads/t/i.csv", Some("a token"));
        let (_, document) = document_of(&target);
        let expected = json!([
            ["eq", "$bucket", "uploads"],
            ["content-length-range", 1, 1_000],
            ["eq", "$key", "uploads/t/i.csv"],
            ["eq", "$success_action_status", "204"],
            ["eq", "$x-amz-algorithm", "AWS4-HMAC-SHA256"],
            ["eq", "$x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20261130/ca-central-1/s3/aws4_request"],
            ["eq", "$x-amz-date", "20261130T160000Z"],
            ["eq", "$x-amz-security-token", "a token"],
        ]);
        assert_eq!(document, json!({ "expiration": "2026-11-30T17:00:00.000Z", "conditions": expected }));
        let sent: BTreeMap<&str, &str> = target.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(sent.len(), target.fields.len(), "no field twice");
        let named = expected.as_array().unwrap().iter().skip(2).map(|condition| (condition[1].as_str().unwrap().trim_start_matches('$'), condition[2].as_str().unwrap()));
        let proofs = ["policy", "x-amz-signature"].map(|name| (name, value(&target, name)));
        assert_eq!(sent, named.chain(proofs).collect());
        assert_eq!((target.url.as_str(), target.expires_at), ("https://uploads.test/", policy("").expires_at));
    }

    #[test]
    fn lasting_credentials_have_no_token_to_send() {
        let target = signed("a", None);
        assert!(target.fields.iter().all(|(name, _)| name != "x-amz-security-token"));
        assert!(!document_of(&target).0.contains("token"));
    }

    #[test]
    fn the_form_carries_the_signature_of_its_policy() {
        let target = signed("a", None);
        assert_eq!(value(&target, "x-amz-signature"), signature(SECRET, "20261130", "ca-central-1", value(&target, "policy")));
    }

    #[test]
    fn quotes_backslashes_controls_and_characters_beyond_ascii_are_escaped_in_the_policy_and_sent_as_they_are() {
        for key in ["a\"],[\"starts-with\",\"$key\",\"", "a\\b", "a\nb\u{1}", "été/😀.csv", "a$b"] {
            let target = signed(key, None);
            let (text, document) = document_of(&target);
            assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
            assert_eq!(document["conditions"][2], json!(["eq", "$key", key]));
            assert_eq!(document["conditions"].as_array().unwrap().len(), 7);
            assert_eq!(value(&target, "key"), key);
        }
        assert!(document_of(&signed("é😀", None)).0.contains(r"\u00e9\ud83d\ude00"));
    }
}
