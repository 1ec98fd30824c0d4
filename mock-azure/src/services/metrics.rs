//! Request metrics of vaults, counted from the audit log.

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    http::{Call, Method, Reply, duration, timestamp},
    services::vaults::{self, audit::AuditLog},
    state::{Surface, World},
};

const TYPE: &str = "Microsoft.Insights/metrics";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(
        TYPE,
        &["2017-05-01-preview", "2018-01-01", "2019-07-01", "2021-05-01", "2023-10-01", "2024-02-01"],
    )],
    answer,
    ..Surface::EMPTY
};

/// A metric of vaults.
struct Metric {
    name: &'static str,
    shown: &'static str,
    unit: &'static str,
    /// The aggregation that is returned by default.
    primary: &'static str,
    /// The value that a request adds, by its status.
    of: fn(u16) -> f64,
}

/// Documented: their names, units and aggregations. Latency and saturation are not known here.
const METRICS: [Metric; 3] = [
    Metric {
        name: "ServiceApiHit",
        shown: "Total Service Api Hits",
        unit: "Count",
        primary: "count",
        of: |_| 1.0,
    },
    Metric {
        name: "ServiceApiResult",
        shown: "Total Service Api Results",
        unit: "Count",
        primary: "count",
        of: |_| 1.0,
    },
    Metric {
        name: "Availability",
        shown: "Overall Vault Availability",
        unit: "Percent",
        primary: "average",
        of: |status| if status < 500 { 100.0 } else { 0.0 },
    },
];

const AGGREGATIONS: [&str; 5] = ["average", "count", "maximum", "minimum", "total"];

/// The maximum number of points in a response.
const MOST: i64 = 10_000;

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (at, one) = call.of_type(TYPE)?;
    let is_vault =
        at == 8 && call.id(8).to_ascii_lowercase().contains("/providers/microsoft.keyvault/vaults/");
    if one || !is_vault || call.method != Method::Get {
        return None;
    }
    let Some(vault) = world.resources.get(&call.id(8)) else {
        let name = format!("{}/{}", vaults::TYPE, call.spelled(7));
        return Some(Reply::resource_not_found(&name, call.spelled(3)));
    };
    let (id, region) = (vault["id"].as_str().unwrap_or_default(), vault["location"].clone());
    let asked = match Asked::read(call, world.now()) {
        Ok(asked) => asked,
        Err(refused) => return Some(*refused),
    };
    let log = world.states.get::<AuditLog>();
    let hits: Vec<(OffsetDateTime, u16)> = log
        .events()
        .filter(|event| event.vault_id.eq_ignore_ascii_case(id) && !event.operation.starts_with("Vault"))
        .map(|event| (event.time, event.status))
        .collect();
    let value: Vec<Value> = asked.metrics.iter().map(|metric| asked.series(metric, id, &hits)).collect();
    Some(Reply::ok(json!({
        "cost": 0,
        "timespan": format!("{}/{}", timestamp::seconds(asked.from), timestamp::seconds(asked.to)),
        "interval": asked.interval,
        "value": value,
        "namespace": vaults::TYPE,
        "resourceregion": region,
    })))
}

/// The parameters of a request.
struct Asked {
    metrics: Vec<&'static Metric>,
    aggregations: Vec<String>,
    from: OffsetDateTime,
    to: OffsetDateTime,
    interval: String,
    step: Duration,
}

impl Asked {
    fn read(call: &Call, now: OffsetDateTime) -> Result<Self, Box<Reply>> {
        let known = METRICS.map(|metric| metric.name);
        let names = call.query("metricnames").unwrap_or(METRICS[0].name);
        let metrics = names.split(',').map(|name| {
            let found = METRICS.iter().find(|metric| metric.name.eq_ignore_ascii_case(name.trim()));
            found.ok_or_else(|| Box::new(Reply::unknown("metric of a vault", name, &known)))
        });
        let metrics = metrics.collect::<Result<Vec<&'static Metric>, _>>()?;
        let mut aggregations = Vec::new();
        for name in call.query("aggregation").into_iter().flat_map(|all| all.split(',')) {
            let name = name.trim().to_ascii_lowercase();
            if !AGGREGATIONS.contains(&name.as_str()) {
                return Err(Box::new(Reply::unknown("aggregation", &name, &AGGREGATIONS)));
            }
            aggregations.push(name);
        }
        // Documented: by default, the last hour, minute by minute.
        let interval = call.query("interval").unwrap_or("PT1M").to_owned();
        let step = duration::parse(&interval).filter(|step| *step >= Duration::minutes(1));
        let Some(step) = step else {
            return Err(Box::new(Reply::unknown(
                "interval",
                &interval,
                &["PT1M", "PT5M", "PT1H", "P1D", ".."],
            )));
        };
        let (from, to) = match call.query("timespan") {
            None => (now - Duration::hours(1), now),
            Some(text) => between(text).ok_or_else(|| {
                Box::new(Reply::unknown("timespan", text, &["2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"]))
            })?,
        };
        if (to - from).whole_seconds() / step.whole_seconds() > MOST {
            return Err(Box::new(Reply::not_implemented(format!("more than {MOST} points of a metric"))));
        }
        Ok(Self { metrics, aggregations, from, to, interval, step })
    }

    /// Recorded: there is a point for each interval, without a value if nothing happened.
    fn series(&self, metric: &Metric, vault: &str, hits: &[(OffsetDateTime, u16)]) -> Value {
        let mut data = Vec::new();
        let mut start = self.from - Duration::seconds(i64::from(self.from.second()));
        while start < self.to {
            let end = start + self.step;
            let counted = hits.iter().filter(|(time, _)| (start..end).contains(time));
            let numbers: Vec<f64> = counted.map(|(_, status)| (metric.of)(*status)).collect();
            let mut point = Map::new();
            point.insert("timeStamp".to_owned(), json!(timestamp::seconds(start)));
            let primary = [metric.primary.to_owned()];
            let asked = if self.aggregations.is_empty() { &primary[..] } else { &self.aggregations };
            for name in asked.iter().filter(|_| !numbers.is_empty()) {
                point.insert(name.clone(), json!(aggregate(name, &numbers)));
            }
            data.push(Value::Object(point));
            start = end;
        }
        json!({
            "id": format!("{vault}/providers/{TYPE}/{}", metric.name),
            "type": TYPE,
            "name": { "value": metric.name, "localizedValue": metric.shown },
            "unit": metric.unit,
            "timeseries": [{ "metadatavalues": [], "data": data }],
            "errorCode": "Success",
        })
    }
}

fn aggregate(name: &str, numbers: &[f64]) -> f64 {
    let (total, count) = (numbers.iter().sum::<f64>(), numbers.iter().map(|_| 1.0).sum::<f64>());
    match name {
        "average" => total / count,
        "maximum" => numbers.iter().copied().fold(f64::MIN, f64::max),
        "minimum" => numbers.iter().copied().fold(f64::MAX, f64::min),
        "count" => count,
        _ => total,
    }
}

/// Parses a timespan: two times, or a time and a duration.
fn between(text: &str) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let time = |text: &str| {
        let text = text.trim().replacen(' ', "T", 1);
        let text = if text.ends_with('Z') || text.contains('+') { text } else { text + "Z" };
        OffsetDateTime::parse(&text, &Rfc3339).ok()
    };
    let (from, to) = text.split_once('/')?;
    let from = time(from)?;
    let to = time(to).or_else(|| from.checked_add(duration::parse(to)?))?;
    (from < to).then_some((from, to))
}
