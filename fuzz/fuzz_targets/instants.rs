#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| contract_tests::edges::instants(text));
