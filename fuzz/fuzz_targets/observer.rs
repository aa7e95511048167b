//! Any bytes as an observer's state, as values, and as changes to a state with the right checksum:
//! what is taken works, and any split of values has the state of the whole.
#![no_main]

use caffe2_qtensor::calibrate::{Kind, Method, Missing, Observer, ObserverConfig, Target, Zero};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(observer) = caffe2_qtensor_fuzz::observer(bytes) {
        works(observer);
    }
    let (values, changes) = bytes.split_at(bytes.len() / 2);
    let values: Vec<f32> =
        values.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let whole = observed(&values);
    let (first, second) = values.split_at(values.len() / 3);
    let mut parts = observed(second);
    parts.merge(&observed(first)).expect("observers of one kind");
    let state = whole.serialize().expect("memory");
    assert!(parts.serialize().expect("memory") == state);
    let changed = changed(state, changes);
    if let Some(observer) = caffe2_qtensor_fuzz::observer(&changed) {
        works(observer);
    }
});

fn observed(values: &[f32]) -> Observer {
    let config = ObserverConfig {
        kind: Kind::Histogram { bins: 256 },
        missing: Missing::Skip,
        ..ObserverConfig::default()
    };
    let mut observer = Observer::new(&config).expect("memory");
    observer.observe(values, &[]).expect("values of every kind are taken");
    observer
}

/// Words at places that the input names, and the checksum of the whole.
fn changed(mut state: Vec<u8>, changes: &[u8]) -> Vec<u8> {
    let end = state.len() - 8;
    for change in changes.as_chunks::<10>().0 {
        let [low, high, word @ ..] = *change;
        // The numbers of the header and the channel as often as all others.
        let place = usize::from(u16::from_le_bytes([low, high >> 1]));
        let words = if high & 1 == 0 { 14 } else { end / 8 };
        let at = 8 * (place % words);
        state[at..at + 8].copy_from_slice(&word);
    }
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
    for word in state[..end].as_chunks::<8>().0 {
        let mixed = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        sum = mixed.rotate_left(23);
    }
    state[end..].copy_from_slice(&(sum ^ (sum >> 32)).to_le_bytes());
    state
}

/// What holds for every observer that was read.
fn works(mut observer: Observer) {
    let state = observer.serialize().expect("memory");
    let again = Observer::deserialize(&state).expect("what was written can be read");
    assert!(again.serialize().expect("memory") == state);
    for channel in 0..observer.channels().min(4) {
        observer.statistics(channel).expect("the channel is there");
        for method in [Method::MinMax, Method::Mse, Method::Mae, Method::Percentile(0.1, 0.8)] {
            for zero in [Zero::Free, Zero::Exact] {
                let target = Target { precision: 2, zero, ..Target::default() };
                if let Ok(choice) = observer.choose(channel, method, &target) {
                    assert!(choice.scale.is_normal() && choice.scale > 0.0, "{choice:?}");
                    assert!(choice.bias.is_finite(), "{choice:?}");
                }
            }
        }
    }
    // Both may be refused, and must not break.
    let _ = observer.merge(&again);
    if observer.config().channels.is_none() {
        let _ = observer.observe(&[1e30, -1e-30, 0.0], &[]);
    }
    let state = observer.serialize().expect("memory");
    Observer::deserialize(&state).expect("what was merged can be read");
}
