#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::signaling::sdp_answer_again(data));
