#![doc = include_str!("../README.md")]
#![allow(clippy::missing_errors_doc, reason = "for this repository alone")]

pub mod advice;
pub mod cli;
pub mod connect;
mod files;
pub mod lab;
pub mod plan;
pub mod preflight;
pub mod quiz;
pub mod report;
pub mod request_log;
mod run;
pub mod screen;
pub mod scripts;
pub mod state;
pub mod tasks;
pub mod tenant;

pub use connect::{Azure, connect};
pub use lab::Lab;
