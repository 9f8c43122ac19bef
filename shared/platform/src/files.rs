//! Files in one bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::PlatformError;

/// One bucket.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
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
        Self { client, bucket: bucket.into() }
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
        let bytes = collect(key, answer.body).await?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| PlatformError::Refused(format!("{key}: {error}")))
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
    Ok(bytes.to_vec())
}

/// Without the right to list a bucket, S3 answers 403 for a key that isn't there; both mean that there is nothing to read.
fn absent_or(error: PlatformError, key: &str, status: Option<u16>) -> PlatformError {
    match status {
        Some(403 | 404) => PlatformError::NotFound(key.to_owned()),
        Some(412) => PlatformError::Changed(key.to_owned()),
        _ => error,
    }
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}
