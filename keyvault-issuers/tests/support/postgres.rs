//! A server that speaks as much of PostgreSQL's protocol as an issuer needs, on loopback: SCRAM-SHA-256 over what it was told to
//! keep, the statements that change a password, and one question about roles.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The rotator's password, and the one that `app_a` has at the beginning.
pub(crate) const ADMINISTRATOR: &str = "a password of the one who rotates";
pub(crate) const LEAKED: &str = "leaked-password-of-app_a";

#[derive(Debug, Default)]
pub(crate) struct Role {
    /// `SCRAM-SHA-256$..`; `None` lets no one in.
    pub(crate) verifier: Option<String>,
    /// What the question about roles answers, as kind and text.
    pub(crate) facts: Vec<(&'static str, &'static str)>,
    /// Lets everyone in, as `trust` does.
    pub(crate) trusted: bool,
    /// Lets no one in, whatever the password, as a pooler does that does not know the role.
    pub(crate) unknown: bool,
}

/// What happens to a statement that contains a text, once.
#[derive(Debug)]
pub(crate) struct Accident {
    pub(crate) to: &'static str,
    pub(crate) acts: bool,
}

/// Someone who stands at one of the ways in.
#[async_trait]
pub(crate) trait Door: Send + Sync {
    /// Lets the server act, or not. `false` cuts the connection.
    async fn pass(&self, what: &str, act: BoxFuture<'_, ()>) -> bool;
}

/// At which no one stands.
struct Open;

#[async_trait]
impl Door for Open {
    async fn pass(&self, _: &str, act: BoxFuture<'_, ()>) -> bool {
        act.await;
        true
    }
}

#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) roles: Mutex<BTreeMap<String, Role>>,
    /// What a log with `log_statement = all` would hold.
    pub(crate) log: Mutex<Vec<String>>,
    /// Who tried to sign in.
    pub(crate) callers: Mutex<Vec<String>>,
    pub(crate) accident: Mutex<Option<Accident>>,
    pub(crate) port: u16,
}

impl Postgres {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let role = |password: Option<&str>| Role {
            verifier: password.map(|password| verifier(password, b"a salt of sixtee", 4096)),
            facts: vec![("found", ""), ("may", "the membership in app")],
            trusted: false,
            unknown: false,
        };
        let roles = [("rotator", Some(ADMINISTRATOR)), ("app_a", Some(LEAKED)), ("app_b", None)];
        let server = Arc::new(Self {
            roles: Mutex::new(roles.map(|(name, password)| (name.to_owned(), role(password))).into()),
            log: Mutex::default(),
            callers: Mutex::default(),
            accident: Mutex::default(),
            port: listener.local_addr().unwrap().port(),
        });
        server.listen(listener, Arc::new(Open));
        server
    }

    /// Opens one more way in. Answers its port.
    pub(crate) async fn door(self: &Arc<Self>, door: Arc<dyn Door>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        self.listen(listener, door);
        port
    }

    fn listen(self: &Arc<Self>, listener: TcpListener, door: Arc<dyn Door>) {
        let own = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, door) = (own.clone(), door.clone());
                tokio::spawn(async move { own.session(stream, &*door).await });
            }
        });
    }

    pub(crate) fn url(&self, user: &str, password: &str) -> String {
        format!(
            "postgresql://{user}:{}@localhost:{}/shop?sslmode=disable",
            password.replace(' ', "%20"),
            self.port
        )
    }

    /// Whether a role's password is this one.
    pub(crate) fn takes(&self, user: &str, password: &str) -> bool {
        let roles = self.roles.lock().unwrap();
        let Some(kept) = roles.get(user).and_then(|role| role.verifier.as_deref()) else { return false };
        let parts: Vec<&str> = kept.split(['$', ':']).collect();
        let salt = STANDARD.decode(parts[2]).unwrap();
        verifier(password, &salt, parts[1].parse().unwrap()) == kept
    }

    async fn session(&self, mut stream: TcpStream, door: &dyn Door) -> Option<()> {
        let length = stream.read_i32().await.ok()?;
        let mut startup = vec![0; usize::try_from(length).ok()?.checked_sub(4)?];
        stream.read_exact(&mut startup).await.ok()?;
        let startup = String::from_utf8_lossy(&startup[4..]).into_owned();
        let mut texts = startup.split('\0');
        let user = texts.find(|text| *text == "user").and_then(|_| texts.next())?.to_owned();
        self.callers.lock().unwrap().push(user.clone());
        let (kept, trusted) = {
            let roles = self.roles.lock().unwrap();
            let role = roles.get(&user);
            let known = role.filter(|role| !role.unknown);
            (known.and_then(|role| role.verifier.clone()), role.is_some_and(|role| role.trusted))
        };
        let mut known = Some(());
        let what = format!("login of {user}");
        let authenticate = async {
            if !trusted {
                known = self.authenticate(&mut stream, kept).await;
            }
        };
        if !door.pass(&what, Box::pin(authenticate)).await {
            return None;
        }
        if known.is_none() {
            let said =
                format!("SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"{user}\"\0\0");
            send(&mut stream, b'E', said.as_bytes()).await?;
            return None;
        }
        send(&mut stream, b'R', &0_i32.to_be_bytes()).await?;
        send(&mut stream, b'Z', b"I").await?;
        loop {
            let (kind, body) = receive(&mut stream).await?;
            let statement = String::from_utf8_lossy(&body).trim_end_matches('\0').to_owned();
            if kind != b'Q' {
                return None;
            }
            self.log.lock().unwrap().push(statement.clone());
            let accident = self.accident.lock().unwrap().take_if(|accident| statement.contains(accident.to));
            if accident.as_ref().is_some_and(|accident| !accident.acts) {
                return None;
            }
            let mut rows = Vec::new();
            let what = statement.split('\'').next().unwrap_or_default().chars().take(60).collect::<String>();
            if !door.pass(&what, Box::pin(async { rows = self.answer(&statement) })).await {
                return None;
            }
            if accident.is_some() {
                return None;
            }
            let mut columns = 3_i16.to_be_bytes().to_vec();
            for name in [b"a\0", b"b\0", b"c\0"] {
                columns.extend_from_slice(name);
                columns
                    .extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]);
            }
            send(&mut stream, b'T', &columns).await?;
            for row in rows {
                let mut body = 3_i16.to_be_bytes().to_vec();
                for text in row {
                    body.extend_from_slice(&i32::try_from(text.len()).unwrap().to_be_bytes());
                    body.extend_from_slice(text.as_bytes());
                }
                send(&mut stream, b'D', &body).await?;
            }
            send(&mut stream, b'C', b"DONE\0").await?;
            send(&mut stream, b'Z', b"I").await?;
        }
    }

    /// RFC 5802, without channel binding. `None` if the client does not know the password.
    async fn authenticate(&self, stream: &mut TcpStream, kept: Option<String>) -> Option<()> {
        send(stream, b'R', &[&10_i32.to_be_bytes()[..], b"SCRAM-SHA-256\0\0"].concat()).await?;
        let (_, first) = receive(stream).await?;
        let first =
            String::from_utf8(first[first.iter().position(|byte| *byte == 0)? + 5..].to_vec()).ok()?;
        let bare = first.strip_prefix("n,,")?;
        let kept = kept.unwrap_or_else(|| verifier("no one knows this", b"a salt of sixtee", 4096));
        let parts: Vec<&str> = kept.split(['$', ':']).collect();
        let (iterations, salt) = (parts[1], parts[2]);
        let (stored_key, server_key) = (STANDARD.decode(parts[3]).ok()?, STANDARD.decode(parts[4]).ok()?);
        let nonce = format!("{}server", bare.split_once("r=")?.1);
        let challenge = format!("r={nonce},s={salt},i={iterations}");
        send(stream, b'R', &[&11_i32.to_be_bytes()[..], challenge.as_bytes()].concat()).await?;
        let (_, last) = receive(stream).await?;
        let last = String::from_utf8(last).ok()?;
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        let said = format!("{bare},{challenge},{without_proof}");
        let mut client_key = hmac(&stored_key, said.as_bytes());
        client_key.iter_mut().zip(STANDARD.decode(proof).ok()?).for_each(|(byte, proof)| *byte ^= proof);
        if Sha256::digest(&client_key)[..] != stored_key {
            return None;
        }
        let signature = format!("v={}", STANDARD.encode(hmac(&server_key, said.as_bytes())));
        send(stream, b'R', &[&12_i32.to_be_bytes()[..], signature.as_bytes()].concat()).await
    }

    fn answer(&self, statement: &str) -> Vec<[String; 3]> {
        let mut roles = self.roles.lock().unwrap();
        if let Some(change) = statement.strip_prefix("ALTER ROLE \"") {
            let (name, password) = change.split_once("\" PASSWORD ").unwrap();
            let verifier = password.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            assert!(
                verifier.map_or(password == "NULL", |it| it.starts_with("SCRAM-SHA-256$4096:")),
                "{statement}"
            );
            roles.get_mut(name).unwrap().verifier = verifier.map(str::to_owned);
        }
        if !statement.starts_with("/* keyvault-issuers: what the two roles may do") {
            return Vec::new();
        }
        let named = roles.iter().filter(|(name, _)| statement.contains(&format!("'{name}'")));
        let facts = |(name, role): (&String, &Role)| {
            let row = |(kind, text): &(&str, &str)| [name.clone(), kind.to_string(), text.to_string()];
            role.facts.iter().map(row).collect::<Vec<_>>()
        };
        named.flat_map(facts).collect()
    }
}

async fn send(stream: &mut TcpStream, kind: u8, body: &[u8]) -> Option<()> {
    let length = i32::try_from(body.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[&[kind], &length[..], body].concat()).await.ok()
}

async fn receive(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let mut body = vec![0; usize::try_from(stream.read_i32().await.ok()?).ok()?.checked_sub(4)?];
    stream.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// RFC 5803, as PostgreSQL writes it. What was computed once is remembered.
pub(crate) fn verifier(password: &str, salt: &[u8], iterations: u32) -> String {
    type Known = HashMap<(String, Vec<u8>, u32), String>;
    thread_local! {
        static KNOWN: RefCell<Known> = RefCell::default();
    }
    let asked = (password.to_owned(), salt.to_vec(), iterations);
    let known = KNOWN.with_borrow(|known| known.get(&asked).cloned());
    known.unwrap_or_else(|| {
        let new = compute(password, salt, iterations);
        KNOWN.with_borrow_mut(|known| known.insert(asked, new.clone()));
        new
    })
}

fn compute(password: &str, salt: &[u8], iterations: u32) -> String {
    let mut step = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
    let mut salted = step.clone();
    for _ in 1..iterations {
        step = hmac(password.as_bytes(), &step);
        salted.iter_mut().zip(&step).for_each(|(byte, step)| *byte ^= step);
    }
    let stored_key = Sha256::digest(hmac(&salted, b"Client Key"));
    let server_key = hmac(&salted, b"Server Key");
    let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${iterations}:{}${}:{}", encoded(salt), encoded(&stored_key), encoded(&server_key))
}
