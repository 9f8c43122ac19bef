//! Files in one bucket.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ObjectLockMode};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use switchboard_domain::file_parts::FilePart;

use crate::error::PlatformError;
use crate::post::{PostPolicy, UploadTarget, presigned_post};

/// Keys that the service lists at once.
const PAGE: usize = 1_000;
/// A key for finding out how a bucket is addressed: it stands in addresses as it is.
const STAND_IN: &str = "x";

/// One bucket.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
    credentials: Option<SharedCredentialsProvider>,
}

/// What a browser is told of a file that it downloads.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Its media type.
    pub content_type: &'a str,
    /// The name under which it is kept: letters, digits, dots and hyphens.
    pub file_name: &'a str,
}

impl Download<'_> {
    fn disposition(&self) -> String {
        format!("attachment; filename=\"{}\"", self.file_name)
    }
}

/// A file of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// When what is there now was written, by the service's clock, in whole seconds.
    pub written_at: Timestamp,
}

/// A file being read from its beginning to its end.
#[derive(Debug)]
pub struct FileStream {
    key: String,
    body: ByteStream,
}

impl FileStream {
    /// The next block of bytes; none at the end.
    ///
    /// # Errors
    /// [`PlatformError::Unavailable`] when the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Bytes>, PlatformError> {
        self.body.next().await.transpose().map_err(|error| PlatformError::Unavailable(format!("{}: {error}", self.key)))
    }
}

impl Files {
    /// The bucket of this name.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into(), credentials: None }
    }

    /// The same with the credentials that [`Self::presigned_post`] signs with: those of the client, which doesn't give its own out.
    #[must_use]
    pub fn with_credentials(self, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { credentials, ..self }
    }

    /// Begins to read a file whose entity tag must still be `tag`. 1 request.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`], [`PlatformError::Changed`] when another file stands under the key, and those of the service.
    pub async fn stream(&self, key: &str, tag: &str) -> Result<FileStream, PlatformError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key).if_match(quoted(tag));
        let answer =
            request.send().await.map_err(|error| absent_or(PlatformError::of(key, &error), key, error.raw_response().map(|response| response.status().as_u16())))?;
        Ok(FileStream { key: key.to_owned(), body: answer.body })
    }

    /// Reads the bytes from `start` up to `end` of a file whose entity tag must still be `tag`. 1 request.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub async fn range(&self, key: &str, tag: &str, start: u64, end: u64) -> Result<Vec<u8>, PlatformError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key).if_match(quoted(tag)).range(format!("bytes={start}-{}", end.saturating_sub(1)));
        let answer =
            request.send().await.map_err(|error| absent_or(PlatformError::of(key, &error), key, error.raw_response().map(|response| response.status().as_u16())))?;
        collect(key, answer.body).await
    }

    /// Reads a JSON file; none when it isn't there. 1 request.
    ///
    /// # Errors
    /// Those of the service, and [`PlatformError::Refused`] when it isn't the JSON expected.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, PlatformError> {
        let Some(bytes) = self.get(key).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| PlatformError::Refused(format!("{key}: {error}")))
    }

    /// Reads a file whole; none when it isn't there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PlatformError> {
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                return match absent_or(PlatformError::of(key, &error), key, status) {
                    PlatformError::NotFound(_) => Ok(None),
                    other => Err(other),
                };
            }
        };
        collect(key, answer.body).await.map(Some)
    }

    /// Reads a file whole with its entity tag; none when it isn't there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn get_tagged(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, PlatformError> {
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                return match absent_or(PlatformError::of(key, &error), key, status) {
                    PlatformError::NotFound(_) => Ok(None),
                    other => Err(other),
                };
            }
        };
        let tag = answer.e_tag.unwrap_or_default().trim_matches('"').to_owned();
        Ok(Some((collect(key, answer.body).await?, tag)))
    }

    /// Lists the keys that begin with `prefix` and come behind `after`, at most `most` of them, in their order. 1 request per 1,000.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, PlatformError> {
        Ok(self.listed(prefix, after, most).await?.into_iter().map(|file| file.key).collect())
    }

    /// The same with the time of each. 1 request per 1,000.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn listed(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Listed>, PlatformError> {
        let mut files: Vec<Listed> = Vec::new();
        let mut after = after.map(str::to_owned);
        while files.len() < most {
            let asked = (most - files.len()).min(PAGE);
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_start_after(after).max_keys(i32::try_from(asked).unwrap_or(i32::MAX));
            let answer = request.send().await.map_err(|error| PlatformError::of(prefix, &error))?;
            let has_more = answer.is_truncated().unwrap_or(false);
            let before = files.len();
            for object in answer.contents.unwrap_or_default() {
                let written_at = object.last_modified.and_then(|at| Timestamp::from_second(at.secs()).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
                files.push(Listed { key: object.key.unwrap_or_default(), written_at });
            }
            if !has_more || files.len() == before {
                break;
            }
            after = files.last().map(|file| file.key.clone());
        }
        Ok(files)
    }

    /// Lists the folders directly in `prefix`, which ends with a slash or is empty, each as the whole beginning of its keys with the slash at its end, in
    /// their order. 1 request per 1,000.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn list_folders(&self, prefix: &str) -> Result<Vec<String>, PlatformError> {
        let mut folders = Vec::new();
        let mut next = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).delimiter("/").set_continuation_token(next);
            let answer = request.send().await.map_err(|error| PlatformError::of(prefix, &error))?;
            folders.extend(answer.common_prefixes.unwrap_or_default().into_iter().filter_map(|folder| folder.prefix));
            next = answer.next_continuation_token;
            if next.is_none() {
                return Ok(folders);
            }
        }
    }

    /// Whether a file is there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn exists(&self, key: &str) -> Result<bool, PlatformError> {
        let Err(error) = self.client.head_object().bucket(&self.bucket).key(key).send().await else {
            return Ok(true);
        };
        match absent_or(PlatformError::of(key, &error), key, error.raw_response().map(|response| response.status().as_u16())) {
            PlatformError::NotFound(_) => Ok(false),
            other => Err(other),
        }
    }

    /// Writes a JSON file, over what is there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put_json(&self, key: &str, value: &impl Serialize) -> Result<(), PlatformError> {
        let json = serde_json::to_vec(value).map_err(|error| PlatformError::Refused(format!("{key}: {error}")))?;
        self.put(key, "application/json", json).await?;
        Ok(())
    }

    /// Writes a file, over what is there, and tells its entity tag. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<String, PlatformError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(bytes.into());
        let answer = request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(answer.e_tag.unwrap_or_default().trim_matches('"').to_owned())
    }

    /// Writes a file where there is none; false when there is one, which stays. Also false when an earlier attempt of the same call got there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put_new(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<bool, PlatformError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).if_none_match("*").body(bytes.into());
        Self::is_written(request.send().await.map_err(|error| PlatformError::of(key, &error)))
    }

    /// Writes a file over the one whose entity tag is `tag`; false when another one, or none, is there. Also false when an earlier attempt of the same call got
    /// there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put_over(&self, key: &str, content_type: &str, bytes: Vec<u8>, tag: &str) -> Result<bool, PlatformError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).if_match(quoted(tag)).body(bytes.into());
        Self::is_written(request.send().await.map_err(|error| PlatformError::of(key, &error)))
    }

    fn is_written<T>(answer: Result<T, PlatformError>) -> Result<bool, PlatformError> {
        match answer {
            Ok(_) => Ok(true),
            Err(PlatformError::Changed(_) | PlatformError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a file that nobody, the account's owner included, can remove or overwrite before a time: a later one under its key is another version of it.
    /// The bucket must have an object lock. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put_locked(&self, key: &str, content_type: &str, bytes: Vec<u8>, until: Timestamp) -> Result<(), PlatformError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let request = request.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(DateTime::from_secs(until.as_second()));
        // The service takes no locked file without a checksum.
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).body(bytes.into());
        request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(())
    }

    /// Removes a file; where the bucket keeps versions, only hides it. Nothing happens when it isn't there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn delete(&self, key: &str) -> Result<(), PlatformError> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(())
    }

    /// Writes a file that is to be downloaded under a name, over what is there. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn put_download(&self, key: &str, download: &Download<'_>, bytes: Vec<u8>) -> Result<(), PlatformError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(download.content_type).content_disposition(download.disposition());
        request.body(bytes.into()).send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(())
    }

    /// Begins to write a file that is to be downloaded under a name, in parts of 5 MiB or more but for the last; tells the upload's id. 1 request.
    /// The bucket's lifecycle removes an upload that is never completed.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn create_multipart(&self, key: &str, download: &Download<'_>) -> Result<String, PlatformError> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key).content_type(download.content_type);
        let request = request.content_disposition(download.disposition()).checksum_algorithm(ChecksumAlgorithm::Crc32);
        let answer = request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        answer.upload_id.ok_or_else(|| PlatformError::Refused(format!("{key}: an upload without an id")))
    }

    /// Writes a part, over one of the same number. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the upload was completed or removed.
    pub async fn upload_part(&self, key: &str, upload: &str, number: u32, bytes: Vec<u8>) -> Result<FilePart, PlatformError> {
        let request = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(part_number(key, number)?);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).body(bytes.into());
        let answer = request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        let tag = answer.e_tag.ok_or_else(|| PlatformError::Refused(format!("{key}: a part without an entity tag")))?;
        Ok(FilePart { number, tag: tag.trim_matches('"').to_owned(), checksum: answer.checksum_crc32 })
    }

    /// Makes one file of the parts, in the order of their numbers, and tells its entity tag. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the upload was completed or removed.
    pub async fn complete_multipart(&self, key: &str, upload: &str, parts: &[FilePart]) -> Result<String, PlatformError> {
        let part = |part: &FilePart| {
            let named = CompletedPart::builder().part_number(part_number(key, part.number)?).e_tag(quoted(&part.tag));
            Ok(named.set_checksum_crc32(part.checksum.clone()).build())
        };
        let parts: Vec<CompletedPart> = parts.iter().map(part).collect::<Result<_, PlatformError>>()?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload).multipart_upload(parts);
        let answer = request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(answer.e_tag.unwrap_or_default().trim_matches('"').to_owned())
    }

    /// Gives an upload up and removes its parts. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the upload was completed or removed.
    pub async fn abort_multipart(&self, key: &str, upload: &str) -> Result<(), PlatformError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        request.send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(())
    }

    /// A link that lets its holder read a file for a while, with the rights of who signs it. No request.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] beyond a week; [`PlatformError::Unavailable`] without credentials.
    pub async fn presigned_get(&self, key: &str, expires_in: Duration) -> Result<String, PlatformError> {
        let config = PresigningConfig::expires_in(expires_in).map_err(|error| PlatformError::Refused(format!("{key}: {error}")))?;
        let signed = self.client.get_object().bucket(&self.bucket).key(key).presigned(config).await;
        Ok(signed.map_err(|error| PlatformError::of(key, &error))?.uri().to_owned())
    }

    /// A form that lets its holder put a file of 1 to `max_bytes` bytes under a key, over what is there and as often as they like for a while, with the
    /// rights of who signs it. No request where the credentials stand in the environment, as on Lambda.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a key or a size that [`presigned_post`] refuses; [`PlatformError::Unavailable`] without credentials or a region.
    pub async fn presigned_post(&self, key: &str, max_bytes: u64, expires_in: Duration, now: Timestamp) -> Result<UploadTarget, PlatformError> {
        let missing = |what: &str| PlatformError::Unavailable(format!("{key}: there is no {what} to sign a form with"));
        let provider = self.credentials.as_ref().ok_or_else(|| missing("source of credentials"))?;
        let credentials = provider.provide_credentials().await.map_err(|error| PlatformError::Unavailable(format!("{key}: {error}")))?;
        let region = self.client.config().region().ok_or_else(|| missing("region"))?.as_ref();
        let expires_at = now.checked_add(expires_in).and_then(|at| Timestamp::from_second(at.as_second()));
        let expires_at = expires_at.map_err(|error| PlatformError::Refused(format!("{key}: {error}")))?;
        let url = self.form_url().await?;
        presigned_post(&PostPolicy { url: &url, region, bucket: &self.bucket, key, max_bytes, expires_at }, &credentials, now)
    }

    /// Where forms of the bucket are sent: its address as the client has it, which is a host of its own on AWS and a folder at an endpoint of one's own.
    async fn form_url(&self) -> Result<String, PlatformError> {
        let link = self.presigned_get(STAND_IN, Duration::from_secs(1)).await?;
        let url = link.split_once('?').and_then(|(file, _)| file.strip_suffix(STAND_IN));
        url.map(str::to_owned).ok_or_else(|| PlatformError::Refused(format!("{}: the bucket has no address", self.bucket)))
    }

    /// Writes a file from the disk, over what is there. 1 request.
    ///
    /// # Errors
    /// Those of the service, and [`PlatformError::Refused`] when the file can't be read.
    pub async fn put_path(&self, key: &str, path: &std::path::Path) -> Result<(), PlatformError> {
        let body = ByteStream::from_path(path).await.map_err(|error| PlatformError::Refused(format!("{}: {error}", path.display())))?;
        self.client.put_object().bucket(&self.bucket).key(key).body(body).send().await.map_err(|error| PlatformError::of(key, &error))?;
        Ok(())
    }
}

async fn collect(key: &str, body: ByteStream) -> Result<Vec<u8>, PlatformError> {
    let bytes = body.collect().await.map_err(|error| PlatformError::Unavailable(format!("{key}: {error}")))?;
    // Not `to_vec`, which takes them one by one.
    Ok(bytes.into_bytes().into())
}

/// Without the right to list a bucket, S3 answers 403 for a key that isn't there; both mean that there is nothing to read.
fn absent_or(error: PlatformError, key: &str, status: Option<u16>) -> PlatformError {
    match status {
        Some(403 | 404) => PlatformError::NotFound(key.to_owned()),
        Some(412) => PlatformError::Changed(key.to_owned()),
        _ => error,
    }
}

/// The number of a part as the service has it.
fn part_number(key: &str, number: u32) -> Result<i32, PlatformError> {
    i32::try_from(number).map_err(|_| PlatformError::Refused(format!("{key}: there is no part {number}")))
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};

    fn files(configured: impl FnOnce(Builder) -> Builder) -> Files {
        let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("ca-central-1"));
        let config = configured(config.credentials_provider(credentials()));
        Files::new(Client::from_conf(config.build()), "uploads").with_credentials(Some(SharedCredentialsProvider::new(credentials())))
    }

    fn credentials() -> Credentials {
        Credentials::new("key", "secret", Some("token".to_owned()), None, "test")
    }

    async fn form(files: &Files) -> Result<UploadTarget, PlatformError> {
        files.presigned_post("uploads/a", 10, Duration::from_hours(1), "2026-11-30T16:00:00.7Z".parse().unwrap()).await
    }

    #[tokio::test]
    async fn without_credentials_no_form_is_signed() {
        let files = files(|config| config).with_credentials(None);
        assert!(matches!(form(&files).await, Err(PlatformError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_form_goes_to_the_buckets_own_host_on_aws_and_to_its_folder_elsewhere() {
        assert_eq!(form(&files(|config| config)).await.unwrap().url, "https://uploads.s3.ca-central-1.amazonaws.com/");
        let elsewhere = files(|config| config.endpoint_url("http://127.0.0.1:4566").force_path_style(true));
        assert_eq!(form(&elsewhere).await.unwrap().url, "http://127.0.0.1:4566/uploads/");
    }

    #[tokio::test]
    async fn a_form_is_good_until_a_whole_second_and_signed_with_the_credentials_of_the_moment() {
        let form = form(&files(|config| config)).await.unwrap();
        assert_eq!(form.expires_at, "2026-11-30T17:00:00Z".parse().unwrap());
        let fields: Vec<&str> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(fields, ["key", "success_action_status", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "policy", "x-amz-signature"]);
        assert_eq!(form.fields[3].1, "key/20261130/ca-central-1/s3/aws4_request");
    }
}
