//! A server that breaks the rules of HTTP: raw TCP, one request for each connection. It runs on the real clock, its clients
//! on one that stands still until the server says that nothing will come.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Notify,
};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Sends this, then does something else.
    Begin(Vec<u8>, End),
    /// Sends this byte by byte.
    Drip(Vec<u8>, Duration),
    /// Sends the head, then this block again and again until the client hangs up.
    Flood(Vec<u8>, Vec<u8>),
}

/// What comes after a beginning.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Wait,
    Close,
    Reset,
    Later(Duration, Vec<u8>),
}

/// Answers the requests in order; the last act is for all that follow. A request to a vault without a
/// token is asked for one.
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stalled: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

const CHALLENGE: &str = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer \
    authorization=\"https://login.microsoftonline.com/tenant\", resource=\"https://vault.azure.net\"\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

static RUNTIME: OnceLock<Handle> = OnceLock::new();

/// Where all servers run.
pub(crate) fn run_on(runtime: Handle) {
    RUNTIME.set(runtime).unwrap();
}

impl Hostile {
    pub(crate) async fn start(acts: Vec<Act>) -> Self {
        let runtime = RUNTIME.get().unwrap();
        let listener = runtime.spawn(TcpListener::bind("127.0.0.1:0")).await.unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let stalled: Arc<Notify> = Arc::default();
        let (seen, stalls) = (requests.clone(), stalled.clone());
        let task = runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (acts, seen, stalls) = (acts.clone(), seen.clone(), stalls.clone());
                tokio::spawn(async move {
                    let Some(head) = read_request(&mut stream).await else { return };
                    let lower = head.to_ascii_lowercase();
                    if lower.contains(".vault.azure.net") && !lower.contains("authorization:") {
                        let _ = stream.write_all(CHALLENGE.as_bytes()).await;
                        return;
                    }
                    let index = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(head);
                        seen.len() - 1
                    };
                    act(stream, acts[index.min(acts.len() - 1)].clone(), &stalls).await;
                });
            }
        });
        Self { address, requests, stalled, task }
    }

    /// Waits until the server has sent all that will come before the client gives up.
    pub(crate) async fn stalled(&self) {
        self.stalled.notified().await;
    }

    /// The heads of all requests but those for a challenge.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The head of a request, once its body has come too.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or_default() {
                return Some(head.to_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// How many bytes of a dripping answer come before the client gives up.
const DRIPS: usize = 10;

async fn act(mut stream: TcpStream, act: Act, stalls: &Notify) {
    match act {
        Act::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Act::Begin(bytes, end) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            match end {
                End::Wait => {
                    stalls.notify_one();
                    std::future::pending().await
                }
                End::Close => {}
                End::Reset => {
                    // Let what was sent arrive, then break the connection instead of closing it.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let _ = stream.set_zero_linger();
                }
                End::Later(wait, rest) => {
                    tokio::time::sleep(wait).await;
                    let _ = stream.write_all(&rest).await;
                }
            }
        }
        Act::Drip(bytes, every) => {
            for (sent, byte) in bytes.into_iter().enumerate() {
                if sent == DRIPS {
                    stalls.notify_one();
                }
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(every).await;
            }
        }
        Act::Flood(head, block) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(&block).await.is_ok() {}
        }
    }
    let _ = stream.shutdown().await;
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
