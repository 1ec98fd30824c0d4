//! What a program that exports to OpenTelemetry sees of these crates. See the README.

#[cfg(test)]
mod spans;
