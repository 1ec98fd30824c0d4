//! Faults, scripted or seeded, so that every failure can be reproduced.

use std::time::Duration;

use crate::http::{Body, Call, Reply};

/// A failure to inject into matching requests. Default: only the next request.
///
/// ```
/// use mock_azure::Fault;
/// use std::time::Duration;
///
/// let busy = Fault::status(503).code("ServerBusy").on("GET", "Microsoft.Security/pricings");
/// let throttled = Fault::throttled(Duration::from_secs(2)).times(3);
/// let flaky = Fault::seeded(42, 5).on("GET", "");
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    effect: Effect,
    code: Option<String>,
    headers: Vec<(String, String)>,
    method: Option<String>,
    fragment: String,
    skip: u64,
    times: Option<u64>,
}

#[derive(Debug, Clone)]
enum Effect {
    Pass,
    Status(u16),
    Throttled(Duration),
    Delay(Duration),
    Reset,
    ResetAfterActing,
    Truncated,
    Raw { status: u16, bytes: Vec<u8>, mime: String },
    ForeignLink(String),
    Seeded { seed: u64, one_in: u64 },
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self {
            effect,
            code: None,
            headers: Vec::new(),
            method: None,
            fragment: String::new(),
            skip: 0,
            times: Some(1),
        }
    }

    /// The service refuses with this status and does not act. [`code`](Self::code) sets the error code.
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Status(status))
    }

    /// The service refuses with `429` and `Retry-After`, in whole seconds, rounded up, and does not act.
    pub fn throttled(retry_after: Duration) -> Self {
        Self::new(Effect::Throttled(retry_after))
    }

    /// The service acts, but responds late.
    pub fn delay(delay: Duration) -> Self {
        Self::new(Effect::Delay(delay))
    }

    /// The connection is lost before the service acts.
    pub fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// The service acts, then the connection is lost, so the client cannot tell whether the request was applied.
    pub fn reset_after_acting() -> Self {
        Self::new(Effect::ResetAfterActing)
    }

    /// The service acts, but the connection is lost after the client has received the headers and half of the body.
    pub fn truncated() -> Self {
        Self::new(Effect::Truncated)
    }

    /// The response is `200` with a body of another content type, such as a proxy's sign-in page; the service does not
    /// act.
    pub fn wrong_content_type(mime: &str, body: &str) -> Self {
        Self::new(Effect::Raw { status: 200, bytes: body.into(), mime: mime.to_owned() })
    }

    /// The response has this status and this body, labeled as JSON whatever it contains; the service does not act.
    pub fn body(status: u16, raw: impl Into<Vec<u8>>) -> Self {
        Self::new(Effect::Raw { status, bytes: raw.into(), mime: "application/json".to_owned() })
    }

    /// The service acts, and the links in its response (`nextLink` of a list, `Location`, `Azure-AsyncOperation`) point
    /// to this address instead. A list without a `nextLink` gets one.
    pub fn foreign_next_link(link: &str) -> Self {
        Self::new(Effect::ForeignLink(link.to_owned()))
    }

    /// The service acts, and its response gets this header. To add a header to any other fault, use
    /// [`with_header`](Self::with_header).
    pub fn header(name: &str, value: &str) -> Self {
        Self::new(Effect::Pass).with_header(name, value)
    }

    /// About one in `one_in` matching requests is lost, refused with 503 or delayed. The same seed and the same order
    /// of requests give the same faults. This fault stays active until the faults are cleared.
    pub fn seeded(seed: u64, one_in: u64) -> Self {
        Self::new(Effect::Seeded { seed, one_in: one_in.max(1) }).always()
    }

    /// Sets the error code of a [`status`](Self::status) or [`throttled`](Self::throttled) fault.
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// Adds a header to the response.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Matches only requests with this method (`*` for any) whose URL contains this fragment, ignoring case.
    pub fn on(mut self, method: &str, fragment: &str) -> Self {
        self.method = (method != "*").then(|| method.to_ascii_uppercase());
        self.fragment = fragment.to_ascii_lowercase();
        self
    }

    /// Skips the first `n` matching requests.
    pub fn skip(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Affects the next `n` matching requests.
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }

    /// Affects every matching request.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, call: &Call, url: &str) -> bool {
        self.method.as_ref().is_none_or(|method| *method == call.verb) && url.contains(&self.fragment)
    }
}

/// The effect of a fault on one request.
#[derive(Debug, Default)]
pub(crate) struct Strike {
    /// The response instead of the service's.
    pub(crate) instead: Option<Reply>,
    pub(crate) loss: Option<Loss>,
    delay: Duration,
    link: Option<String>,
    headers: Vec<(String, String)>,
}

/// When a connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    BeforeActing,
    AfterActing,
    HalfWay,
}

impl Strike {
    fn of(fault: &Fault, count: u64) -> Self {
        let mut strike = Self { headers: fault.headers.clone(), ..Self::default() };
        match &fault.effect {
            Effect::Pass => {}
            Effect::Status(status) => strike.instead = Some(refusal(*status, fault.code.as_deref())),
            Effect::Throttled(after) => {
                let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
                let reply = refusal(429, fault.code.as_deref()).header("retry-after", seconds.to_string());
                strike.instead = Some(reply);
            }
            Effect::Delay(delay) => strike.delay = *delay,
            Effect::Reset => strike.loss = Some(Loss::BeforeActing),
            Effect::ResetAfterActing => strike.loss = Some(Loss::AfterActing),
            Effect::Truncated => strike.loss = Some(Loss::HalfWay),
            Effect::Raw { status, bytes, mime } => {
                strike.instead = Some(Reply::raw(*status, bytes.clone(), mime));
            }
            Effect::ForeignLink(link) => strike.link = Some(link.clone()),
            Effect::Seeded { seed, one_in } => {
                let dice = scramble(seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                if dice.is_multiple_of(*one_in) {
                    match (dice >> 32) % 4 {
                        0 => strike.loss = Some(Loss::BeforeActing),
                        1 => strike.loss = Some(Loss::AfterActing),
                        2 => strike.instead = Some(refusal(503, None).header("retry-after", "1")),
                        _ => strike.delay = Duration::from_millis(5),
                    }
                }
            }
        }
        strike
    }

    /// Applies the fault's changes to the response.
    pub(crate) fn alter(&self, mut reply: Reply) -> Reply {
        if let Some(link) = &self.link {
            for name in ["location", "azure-asyncoperation"] {
                if reply.headers.iter().any(|(key, _)| key == name) {
                    reply.set_header(name, link.clone());
                }
            }
            if let Body::Json(body) = &mut reply.body
                && body["value"].is_array()
            {
                body["nextLink"] = link.as_str().into();
            }
        }
        for (name, value) in &self.headers {
            reply.set_header(name, value.clone());
        }
        reply.delayed(self.delay)
    }
}

fn refusal(status: u16, code: Option<&str>) -> Reply {
    let (usual, message) = match status {
        401 => ("AuthenticationFailed", "Authentication failed."),
        403 => ("AuthorizationFailed", "The client does not have authorization to perform this action."),
        404 => ("ResourceNotFound", "The resource was not found."),
        408 => ("RequestTimeout", "The request timed out."),
        409 => ("Conflict", "The request conflicts with the state of the resource."),
        412 => ("PreconditionFailed", "The precondition given in the request headers is not met."),
        429 => ("TooManyRequests", "The request is being throttled as the limit has been reached."),
        500 => ("InternalServerError", "The server encountered an internal error. Please retry the request."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable. Please retry the request."),
        504 => ("GatewayTimeout", "The gateway did not receive a response in time."),
        _ => ("Error", "The request failed."),
    };
    Reply::arm_error(status, code.unwrap_or(usual), message)
}

/// One step of the splitmix64 generator.
fn scramble(state: u64) -> u64 {
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The active faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    struck: u64,
}

impl Faults {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.armed.push(Armed { fault, seen: 0, struck: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// The effect of the faults on this request. All matching faults count the request, but only the first one takes
    /// effect.
    pub(crate) fn strike(&mut self, call: &Call) -> Strike {
        if self.armed.is_empty() {
            return Strike::default();
        }
        let url = call.url().to_ascii_lowercase();
        let mut strike = None;
        for armed in &mut self.armed {
            if !armed.fault.matches(call, &url) {
                continue;
            }
            armed.seen += 1;
            let spent = armed.fault.times.is_some_and(|times| armed.struck >= times);
            if strike.is_none() && armed.seen > armed.fault.skip && !spent {
                armed.struck += 1;
                strike = Some(Strike::of(&armed.fault, armed.seen));
            }
        }
        strike.unwrap_or_default()
    }
}
