//! A bucket in the process: what of S3 the code asks for, on the client's own wire. It keeps no versions, and no lock.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use switchboard_domain::clock::Clock;
use switchboard_platform::Files;

use crate::wire::Wire;

/// Keys of one page of a list, fewer than S3's own so that tests have several.
const PAGE: usize = 5;
/// The least that a part of an upload may have, but for the last.
const LEAST_PART: usize = 5 * 1024 * 1024;

/// A bucket.
#[derive(Clone)]
pub struct Bucket {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<dyn Clock>,
    wire: Wire,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Bucket").field(&self.keys()).finish()
    }
}

#[derive(Debug, Default)]
struct Inside {
    files: BTreeMap<String, (Vec<u8>, Timestamp)>,
    /// Writes that still come through; none when all do.
    writes_left: Option<usize>,
    locked: BTreeMap<String, String>,
    /// The parts of uploads that were begun and neither completed nor given up, by the uploads' ids.
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    uploads_begun: usize,
}

impl Inside {
    /// Counts a write; an error when whoever writes is dead by now.
    fn write(&mut self) -> Result<(), ConnectorError> {
        match &mut self.writes_left {
            Some(0) => return Err(ConnectorError::io("the writer is dead".into())),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    /// Makes one file of the parts of an upload.
    fn complete(&mut self, key: &str, upload: &str, now: Timestamp) -> Answer {
        let Some(parts) = self.uploads.remove(upload) else {
            return refused(404, "NoSuchUpload");
        };
        if parts.is_empty() || parts.values().rev().skip(1).any(|part| part.len() < LEAST_PART) {
            return refused(400, "EntityTooSmall");
        }
        let bytes = parts.into_values().collect::<Vec<_>>().concat();
        let xml = format!("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", tag(&bytes));
        self.files.insert(key.to_owned(), (bytes, now));
        Answer(200, None, xml.into_bytes())
    }
}

/// An answer before it is one: its status, its entity tag, its body.
struct Answer(u16, Option<String>, Vec<u8>);

impl Bucket {
    /// An empty bucket, whose files are as old as this clock says.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::over(clock, &Wire::default())
    }

    /// The same, reached over this wire.
    #[must_use]
    pub fn over(clock: Arc<dyn Clock>, wire: &Wire) -> Self {
        Self { inside: Arc::default(), clock, wire: wire.clone() }
    }

    /// The bucket as the code knows it, over a client that tries nothing again.
    #[must_use]
    pub fn files(&self) -> Files {
        let credentials = Credentials::new("test", "test", None, None, "testkit");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(self.wire.over(SharedHttpClient::new(self.clone())))
            .endpoint_url("http://bucket.test")
            .force_path_style(true)
            .region(Region::new("ca-central-1"))
            .credentials_provider(credentials.clone());
        Files::new(aws_sdk_s3::Client::from_conf(config.build()), "bucket").with_credentials(Some(SharedCredentialsProvider::new(credentials)))
    }

    /// The keys of all files, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.lock().files.keys().cloned().collect()
    }

    /// What is in a file.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().files.get(key).map(|(bytes, _)| bytes.clone())
    }

    /// Until when a file is locked, as it was asked for.
    #[must_use]
    pub fn locked_until(&self, key: &str) -> Option<String> {
        self.lock().locked.get(key).cloned()
    }

    /// Writes a file behind the code's back.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        let now = self.clock.now();
        self.lock().files.insert(key.to_owned(), (bytes, now));
    }

    /// Removes a file behind the code's back; what was in it.
    pub fn remove(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().files.remove(key).map(|(bytes, _)| bytes)
    }

    /// Lets so many writes through and none after them, as if whoever writes were killed there; `None` lets all through.
    pub fn let_through(&self, writes: Option<usize>) {
        self.lock().writes_left = writes;
    }

    /// How many uploads in parts were begun and neither completed nor given up.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.lock().uploads.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> Result<Answer, ConnectorError> {
        let uri = request.uri();
        let path = uri.split_once("://").map_or(uri, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let key = path.split_once('/').map_or("", |(_, key)| key);
        let key = decoded(key);
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        let body = || request.body().bytes().unwrap_or_default().to_vec();
        let upload = parameter(query, "uploadId").unwrap_or_default();
        let mut inside = self.lock();
        Ok(match (request.method(), key.as_str()) {
            ("GET", "") => Answer(200, None, listed(&inside, query).into_bytes()),
            ("GET" | "HEAD", key) => {
                let Some((bytes, _)) = inside.files.get(key) else {
                    return Ok(refused(404, "NoSuchKey"));
                };
                let tag = tag(bytes);
                if header("if-match").is_some_and(|wanted| wanted != tag) {
                    return Ok(refused(412, "PreconditionFailed"));
                }
                match header("range") {
                    _ if request.method() == "HEAD" => Answer(200, Some(tag), Vec::new()),
                    Some(range) => match ranged(&range, bytes) {
                        Some(part) => Answer(206, Some(tag), part.to_vec()),
                        None => refused(416, "InvalidRange"),
                    },
                    None => Answer(200, Some(tag), bytes.clone()),
                }
            }
            ("POST", _) if parameter(query, "uploads").is_some() => {
                inside.write()?;
                inside.uploads_begun += 1;
                let id = inside.uploads_begun.to_string();
                inside.uploads.insert(id.clone(), BTreeMap::new());
                Answer(200, None, format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>").into_bytes())
            }
            ("POST", key) if !upload.is_empty() => {
                inside.write()?;
                inside.complete(key, &upload, self.clock.now())
            }
            ("PUT", _) if !upload.is_empty() => {
                inside.write()?;
                let number = parameter(query, "partNumber").and_then(|number| number.parse().ok()).unwrap_or_default();
                match inside.uploads.get_mut(&upload) {
                    Some(parts) => {
                        let tag = tag(&body());
                        parts.insert(number, body());
                        Answer(200, Some(tag), Vec::new())
                    }
                    None => refused(404, "NoSuchUpload"),
                }
            }
            ("DELETE", _) if !upload.is_empty() => match inside.uploads.remove(&upload) {
                Some(_) => Answer(204, None, Vec::new()),
                None => refused(404, "NoSuchUpload"),
            },
            ("PUT", key) => {
                let there = inside.files.get(key).map(|(bytes, _)| tag(bytes));
                if header("if-none-match").is_some() && there.is_some() {
                    return Ok(refused(412, "PreconditionFailed"));
                }
                match (header("if-match"), there) {
                    (Some(_), None) => return Ok(refused(404, "NoSuchKey")),
                    (Some(wanted), Some(there)) if wanted != there => return Ok(refused(412, "PreconditionFailed")),
                    _ => {}
                }
                inside.write()?;
                let bytes = body();
                let tag = tag(&bytes);
                inside.locked.extend(header("x-amz-object-lock-retain-until-date").map(|until| (key.to_owned(), until)));
                inside.files.insert(key.to_owned(), (bytes, self.clock.now()));
                Answer(200, Some(tag), Vec::new())
            }
            ("DELETE", key) => {
                inside.files.remove(key);
                Answer(204, None, Vec::new())
            }
            _ => refused(501, "NotImplemented"),
        })
    }
}

/// The entity tag of a file, in its quotes.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A parameter of a query; empty when it has no value.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut parts = query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
    parts.find(|(given, _)| *given == name).map(|(_, value)| decoded(value))
}

/// The bytes that a header such as `bytes=0-9` asks for; none when there are none.
fn ranged<'a>(range: &str, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    bytes.get(first..(last + 1).min(bytes.len())).filter(|part| !part.is_empty())
}

fn refused(status: u16, code: &str) -> Answer {
    Answer(status, None, format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>").into_bytes())
}

/// One page of a list, as `ListObjectsV2` writes it.
fn listed(inside: &Inside, query: &str) -> String {
    let query: BTreeMap<String, String> = query.split('&').filter_map(|part| part.split_once('=')).map(|(name, value)| (decoded(name), decoded(value))).collect();
    let part = |name: &str| query.get(name).map(String::as_str);
    let (prefix, delimiter) = (part("prefix").unwrap_or_default(), part("delimiter"));
    let after = part("continuation-token").or(part("start-after")).unwrap_or_default();
    let most = part("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let mut rows: Vec<(String, Option<Timestamp>)> = Vec::new();
    for (key, (_, written_at)) in inside.files.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let folder = delimiter.and_then(|delimiter| key[prefix.len()..].split_once(delimiter).map(|(folder, _)| format!("{prefix}{folder}{delimiter}")));
        let row = folder.map_or_else(|| (key.clone(), Some(*written_at)), |folder| (folder, None));
        if row.0.as_str() > after && rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    let has_more = rows.len() > most;
    rows.truncate(most);
    let mut xml = format!("<ListBucketResult><IsTruncated>{has_more}</IsTruncated>");
    if let Some((last, _)) = rows.last().filter(|_| has_more) {
        xml.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    }
    for (key, written_at) in rows {
        xml.push_str(&match written_at.map(|at| Timestamp::from_second(at.as_second()).unwrap_or(at)) {
            Some(at) => format!("<Contents><Key>{key}</Key><LastModified>{at}</LastModified></Contents>"),
            None => format!("<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"),
        });
    }
    xml + "</ListBucketResult>"
}

impl HttpConnector for Bucket {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request).map(|Answer(status, tag, body)| {
            let status = StatusCode::try_from(status).expect("a status");
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            if let Some(tag) = tag {
                response.headers_mut().insert("etag", tag);
            }
            response
        }))
    }
}

impl HttpClient for Bucket {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
