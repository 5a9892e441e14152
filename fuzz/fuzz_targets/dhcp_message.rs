#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| barrow_fuzz::dhcp_message(data));
