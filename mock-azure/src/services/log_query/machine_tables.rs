//! The tables of machine logs. Documented: a workspace has them from the start. No machine here sends logs.

use crate::kql::{Column, Kind, Table, Tables};

/// Columns of every table.
const COMMON: &[(&str, Kind)] = &[
    ("TenantId", Kind::String),
    ("TimeGenerated", Kind::DateTime),
    ("SourceSystem", Kind::String),
    ("Computer", Kind::String),
    ("MG", Kind::String),
    ("Type", Kind::String),
    ("_ResourceId", Kind::String),
    ("_SubscriptionId", Kind::String),
];

const EVENT: &[(&str, Kind)] = &[
    ("AzureDeploymentID", Kind::String),
    ("EventCategory", Kind::Int),
    ("EventData", Kind::String),
    ("EventID", Kind::Int),
    ("EventLevel", Kind::Int),
    ("EventLevelName", Kind::String),
    ("EventLog", Kind::String),
    ("ManagementGroupName", Kind::String),
    ("Message", Kind::String),
    ("ParameterXml", Kind::String),
    ("RenderedDescription", Kind::String),
    ("Role", Kind::String),
    ("Source", Kind::String),
    ("UserName", Kind::String),
];

const SYSLOG: &[(&str, Kind)] = &[
    ("CollectorHostName", Kind::String),
    ("EventTime", Kind::DateTime),
    ("Facility", Kind::String),
    ("HostIP", Kind::String),
    ("HostName", Kind::String),
    ("ProcessID", Kind::Int),
    ("ProcessName", Kind::String),
    ("SeverityLevel", Kind::String),
    ("SyslogMessage", Kind::String),
];

pub(super) fn add_to(tables: &mut Tables) {
    for (name, own) in [("Event", EVENT), ("Syslog", SYSLOG)] {
        let columns = COMMON.iter().chain(own).map(|(name, kind)| Column::new(*name, *kind)).collect();
        tables.insert(name, Table { columns, rows: Vec::new(), open: true });
    }
}
