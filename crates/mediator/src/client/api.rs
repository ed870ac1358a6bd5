//! Requests to the API and what their answers mean.

use std::time::Duration;

use mediator_model::Sid;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, RequestBuilder, Response, Url, redirect};
use serde_json::Value;

use super::access::Access;
use super::fault::{ClientError, Refusal};
use super::trust;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: longer than the server takes for any.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// The API of one server, for one account.
pub(super) struct Api {
    http: Client,
    access: Access,
    /// Without a slash at its end, for messages.
    address: String,
}

impl Api {
    /// Prepares to ask; nothing is sent yet.
    pub(super) fn new(access: Access) -> Result<Self, ClientError> {
        // The process may have chosen one; that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("mediator-cli/", env!("CARGO_PKG_VERSION")))
            // A login goes to the server that was named, and to no other.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if is_local(&access.api) {
            // No proxy leads to this machine.
            builder = builder.no_proxy();
        }
        if access.api.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        } else if let Some(path) = &access.ca {
            builder = builder.tls_backend_preconfigured(trust::only(path)?);
        }
        let http = builder.build().map_err(ClientError::Client)?;
        let address = access.api.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, access, address })
    }

    /// A request to a path below `/mediator/v1`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/mediator/v1{path}", self.address);
        let Access { login, password, .. } = &self.access;
        self.http.request(method, url).basic_auth(login, Some(password.expose()))
    }

    /// `body` of what is at a path.
    pub(super) async fn read(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        self.body(self.request(Method::GET, path).query(query)).await
    }

    /// `body` of what is at a path; `None`: there is no such object.
    pub(super) async fn find(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Value>, ClientError> {
        match self.read(path, query).await {
            Ok(found) => Ok(Some(found)),
            Err(ClientError::Refused(refusal)) if refusal.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes something; gives it as the API has it now.
    pub(super) async fn create(
        &self,
        path: &str,
        query: &[(&str, &str)],
        object: &Value,
    ) -> Result<Value, ClientError> {
        self.body(self.request(Method::POST, path).query(query).json(object)).await
    }

    /// Removes something.
    pub(super) async fn delete(&self, collection: &str, sid: Sid) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &format!("{collection}/{sid}"));
        self.send(request.timeout(ANSWER_TIMEOUT)).await.map(drop)
    }

    /// Sends a request; gives an answer that is a success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let answer: Value = response.json().await.map_err(|_| self.foreign(status))?;
        if answer.get("errors").is_none() {
            return Err(self.foreign(status));
        }
        Err(ClientError::Refused(Refusal::new(status, &answer, retry_after)))
    }

    async fn body(&self, request: RequestBuilder) -> Result<Value, ClientError> {
        let response = self.send(request.timeout(ANSWER_TIMEOUT)).await?;
        let status = response.status().as_u16();
        let foreign = || self.foreign(status);
        let answer = response.bytes().await.map_err(|error| self.broken(&error))?;
        let mut answer: Value = serde_json::from_slice(&answer).map_err(|_| foreign())?;
        answer.get_mut("body").map(Value::take).ok_or_else(foreign)
    }

    /// Something answered that is not the API.
    pub(super) fn foreign(&self, status: u16) -> ClientError {
        ClientError::Foreign { api: self.address.clone(), status }
    }

    /// The server says nothing any more.
    pub(super) fn silent(&self) -> ClientError {
        ClientError::silence(&self.address)
    }

    /// What a failed exchange with this server means.
    pub(super) fn broken(&self, error: &reqwest::Error) -> ClientError {
        ClientError::exchange(&self.address, error)
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}
