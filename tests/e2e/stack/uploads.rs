//! Files sent to a bucket by a signed form, as a browser sends them.

use reqwest::header::CONTENT_TYPE;

use super::{Stack, fresh};

impl Stack {
    /// Sends a form with its fields and, behind them, a file; the status and the body of the answer.
    pub(crate) async fn post_form(&self, url: &str, fields: &[(String, String)], file_name: &str, bytes: &[u8]) -> (u16, String) {
        let boundary = fresh::word("boundary");
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let body = form(&boundary, fields, file_name, bytes);
        let response = self.http.post(url).header(CONTENT_TYPE, content_type).body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// A form as `multipart/form-data` (RFC 7578), with the file under the name that the service looks for.
fn form(boundary: &str, fields: &[(String, String)], file_name: &str, bytes: &[u8]) -> Vec<u8> {
    let part = |disposition: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n");
    let fields = fields.iter().map(|(name, value)| format!("{}\r\n{value}\r\n", part(&format!("name=\"{name}\""))));
    let mut body = fields.collect::<String>().into_bytes();
    body.extend_from_slice(part(&format!("name=\"file\"; filename=\"{file_name}\"")).as_bytes());
    body.extend_from_slice(b"Content-Type: text/csv\r\n\r\n");
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}
