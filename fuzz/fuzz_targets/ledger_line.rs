#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| contract_tests::edges::ledger_line(body));
