//! What makes two requests the same one: method, bucket, key, query and range, without what differs from
//! one attempt to the next.

use hyper::{
    Method, Request,
    header::{IF_MATCH, IF_NONE_MATCH, RANGE},
};

/// The parts of a query that a listing can have; any other makes it another operation.
const LIST_PARTS: [&str; 10] = [
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
    "fetch-owner",
    "marker",
    "x-id",
];

/// The kind of request, as far as faults tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) is_write: bool,
    /// `GET`: an answer with a body.
    pub(crate) is_read: bool,
    /// With `If-Match` or `If-None-Match`.
    pub(crate) is_conditional: bool,
    /// Of a listing of objects.
    pub(crate) list_version: Option<u8>,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let is_read = request.method() == Method::GET;
        Self {
            is_write: [Method::PUT, Method::POST, Method::DELETE].contains(request.method()),
            is_read,
            is_conditional: headers.contains_key(IF_MATCH) || headers.contains_key(IF_NONE_MATCH),
            list_version: list_version(request).filter(|_| is_read),
        }
    }
}

/// The request's name. A condition is part of it, and so is a range: ranges of one object are read side by
/// side, in any order.
pub(super) fn name_of<B>(request: &Request<B>) -> String {
    let mut parts: Vec<&str> = query(request)
        .filter(|part| is_lasting(part.split('=').next().unwrap_or_default()))
        .collect();
    parts.sort_unstable();
    let header = |name| {
        let value = request.headers().get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    format!(
        "{} {}?{} {} {}",
        request.method(),
        request.uri().path(),
        parts.join("&"),
        header(RANGE).unwrap_or_default(),
        Asked::of(request).is_conditional
    )
}

/// Signatures change with the time, upload ids are made up anew for each upload.
fn is_lasting(parameter: &str) -> bool {
    !parameter.to_ascii_lowercase().starts_with("x-amz-")
        && parameter != "uploadId"
        && parameter != "x-id"
}

fn list_version<B>(request: &Request<B>) -> Option<u8> {
    let path = request.uri().path().trim_matches('/');
    let is_bucket = !path.is_empty() && !path.contains('/');
    let known = |part: &str| {
        let name = part.split('=').next().unwrap_or_default();
        LIST_PARTS.contains(&name) || !is_lasting(name)
    };
    if !is_bucket || !query(request).all(known) {
        return None;
    }
    Some(if query(request).any(|part| part == "list-type=2") {
        2
    } else {
        1
    })
}

fn query<B>(request: &Request<B>) -> impl Iterator<Item = &str> {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, uri: &str) -> Request<()> {
        let request = Request::builder().method(method).uri(uri);
        request.body(()).unwrap()
    }

    #[test]
    fn name_leaves_out_signature_and_order() {
        let signed = request(
            Method::GET,
            "/shop?prefix=a&X-Amz-Signature=1&list-type=2&X-Amz-Date=now",
        );
        let plain = request(Method::GET, "/shop?list-type=2&prefix=a");
        assert_eq!(name_of(&signed), name_of(&plain));
        let other = request(Method::GET, "/shop?list-type=2&prefix=b");
        assert_ne!(name_of(&other), name_of(&plain));
        let mut ranged = request(Method::GET, "/shop/a");
        let whole = name_of(&ranged);
        ranged
            .headers_mut()
            .insert(RANGE, "bytes=0-1".parse().unwrap());
        assert_ne!(name_of(&ranged), whole);
    }

    #[test]
    fn listings_are_told_from_other_questions_to_a_bucket() {
        let version = |uri| Asked::of(&request(Method::GET, uri)).list_version;
        assert_eq!(version("/shop"), Some(1));
        assert_eq!(version("/shop/?prefix=a&marker=b"), Some(1));
        assert_eq!(version("/shop?list-type=2&prefix=a%2F"), Some(2));
        for other in ["/", "/shop/key", "/shop?location", "/shop?uploads&prefix=a"] {
            assert_eq!(version(other), None, "{other}");
        }
        let put = Asked::of(&request(Method::PUT, "/shop"));
        assert_eq!((put.list_version, put.is_write), (None, true));
    }
}
