//! A transport that answers from a script, and a credential that counts its tokens.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use arm_core::{ArmClient, ArmOptions};
use async_trait::async_trait;
use azure_core::{
    Bytes, Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Request, Transport, headers::Headers},
    time::{Duration, OffsetDateTime},
};

pub(crate) const TOKEN: &str = "token-that-must-not-be-seen";

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Reply { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    Lost(ErrorKind),
    Never,
}

pub(crate) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Reply { status, headers: Vec::new(), body: body.into() }
}

impl Answer {
    pub(crate) fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Reply { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Reply { status, headers, body }
            }
            other => other,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Sent>>,
    pub(crate) tokens: AtomicUsize,
    /// What each token was asked for.
    pub(crate) scopes: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        mock_azure::fast_forward();
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    pub(crate) fn client(self: &Arc<Self>) -> ArmClient {
        self.client_with(ArmOptions::default())
    }

    pub(crate) fn client_with(self: &Arc<Self>, options: ArmOptions) -> ArmClient {
        let transport = Transport::new(Arc::new(Player(self.clone())));
        let client = ClientOptions { transport: Some(transport), ..options.client };
        ArmClient::new(Arc::new(Counting(self.clone())), ArmOptions { client, ..options }).unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

#[derive(Debug)]
struct Player(Arc<Script>);

#[async_trait]
impl HttpClient for Player {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let header = |name: &'static str| request.headers().get_optional_string(&name.into());
        self.0.sent.lock().unwrap().push(Sent {
            method: request.method().to_string(),
            url: request.url().to_string(),
            authorization: header("authorization"),
            body: match request.body() {
                Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Body::SeekableStream(_) => unreachable!("no streams are sent"),
            },
        });
        let answer = self.0.answers.lock().unwrap().pop_front();
        match answer.expect("a request beyond the script") {
            Answer::Reply { status, headers, body } => {
                let mut wire = Headers::new();
                headers.into_iter().for_each(|(name, value)| wire.insert(name, value));
                Ok(AsyncRawResponse::from_bytes(status.into(), wire, Bytes::from(body)))
            }
            Answer::Never => std::future::pending().await,
            Answer::Lost(kind) => Err(Error::with_message(kind, "the connection was lost")),
        }
    }
}

#[derive(Debug)]
struct Counting(Arc<Script>);

#[async_trait]
impl TokenCredential for Counting {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        self.0.scopes.lock().unwrap().push(scopes.join(" "));
        let count = self.0.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(AccessToken::new(format!("{TOKEN}-{count}"), OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}
