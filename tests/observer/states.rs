//! Serialized states: of other versions, cut, changed, made up.

use crate::random::Random;
use crate::{observed, wild};
use caffe2_qtensor::ErrorKind;
use caffe2_qtensor::calibrate::{Kind, Method, Observer, ObserverConfig, Target};

const HEADER: usize = 64;

/// The checksum, as the format has it.
fn sealed(mut state: Vec<u8>) -> Vec<u8> {
    let end = state.len() - 8;
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
    for word in state[..end].as_chunks::<8>().0 {
        let mixed = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        sum = mixed.rotate_left(23);
    }
    state[end..].copy_from_slice(&(sum ^ (sum >> 32)).to_le_bytes());
    state
}

fn small() -> Vec<u8> {
    let config =
        ObserverConfig { kind: Kind::Histogram { bins: 256 }, ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).unwrap();
    observer.observe(&[0.0, 0.5, -3.0, 7.25, 1e-3, -1e-40], &[]).unwrap();
    observer.serialize().unwrap()
}

#[test]
fn every_size_is_the_configuration_s() {
    for (kind, size) in [
        (Kind::Range, 64 + 48 + 8),
        (Kind::MovingAverage { weight: 0.5 }, 64 + 48 + 24 + 8),
        (Kind::Histogram { bins: 256 }, 64 + 48 + 768 * 40 + 8),
    ] {
        let config = ObserverConfig { kind, ..ObserverConfig::default() };
        let mut observer = Observer::new(&config).unwrap();
        assert_eq!(observer.serialized_size(), Ok(size));
        observer.observe(&[1.0, 3.0], &[]).unwrap();
        assert_eq!(observer.serialize().unwrap().len(), size);
        let mut short = vec![7; size - 1];
        let error = observer.serialize_into(&mut short).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BufferTooSmall);
        assert!(short.iter().all(|byte| *byte == 7));
    }
}

#[test]
fn cut_at_every_byte_and_longer() {
    let state = small();
    for length in 0..state.len() {
        let error = Observer::deserialize(&state[..length]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{length}");
    }
    let mut longer = state.clone();
    longer.push(0);
    assert_eq!(Observer::deserialize(&longer).err().unwrap().kind(), ErrorKind::Malformed);
    assert!(Observer::deserialize(&state).is_ok());
}

#[test]
fn every_flipped_bit_shows() {
    let state = small();
    for bit in 0..8 * state.len() {
        let mut changed = state.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = Observer::deserialize(&changed).err().unwrap();
        let kind = error.kind();
        let version = (32..64).contains(&bit) && kind == ErrorKind::Unsupported;
        assert!(version || kind == ErrorKind::Malformed, "{bit} {error}");
    }
}

#[test]
fn other_versions_are_named() {
    for version in [0_u32, 2, 77] {
        let mut state = small();
        state[4..8].copy_from_slice(&version.to_le_bytes());
        let error = Observer::deserialize(&sealed(state)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(&format!("is {version},")), "{error}");
    }
}

/// States with the right checksum and numbers that no values have.
#[test]
fn what_no_values_leave_is_refused() {
    assert!(Observer::deserialize(&sealed(small())).is_ok());
    let words = |offset: usize, value: u64| {
        let mut state = small();
        state[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        Observer::deserialize(&sealed(state)).err().map(|error| error.to_string())
    };
    let says = |offset, value, text: &str| {
        let error = words(offset, value).unwrap();
        assert!(error.contains(text), "{offset}: {error}");
    };
    says(HEADER, 7, "do not add up");
    says(HEADER, u64::MAX, "too large");
    says(HEADER + 8, 1 << 62, "too large");
    says(HEADER + 32, 99, "too large");
    let range = |min: f32, max: f32| u64::from(min.to_bits()) | u64::from(max.to_bits()) << 32;
    says(HEADER + 40, range(7.25, -3.0), "range is none");
    says(HEADER + 40, range(-0.0, 7.25), "range is none");
    says(HEADER + 40, range(f32::NAN, 7.25), "range is none");
    says(HEADER + 40, range(-3.0, f32::INFINITY), "range is none");
    says(HEADER + 40, range(-3.0, 7.5), "no values at its ends");
    says(HEADER + 40, range(-3.0, 7.0), "outside its range");
    // The octaves of 0.001 and of the subnormal value.
    says(HEADER + 40, range(0.5, 7.25), "outside its range");
    says(8, 9, "known kind");
    says(32, 0, "configuration");
    says(32, 300, "configuration");
    says(24, 0, "configuration");
    says(24, 1 << 40, "configuration");
    says(24, 2, "configuration");
    says(16, 64, "configuration");
    says(48, 1, "should be 0");
    says(40, 1, "known kind");
    says(12, 5, "non-finite");
}

#[test]
fn an_average_outside_the_range_is_refused() {
    let kind = Kind::MovingAverage { weight: 0.5 };
    let mut observer =
        Observer::new(&ObserverConfig { kind, ..ObserverConfig::default() }).unwrap();
    observer.observe(&[-1.0, 4.0], &[]).unwrap();
    observer.observe(&[0.0, 2.0], &[]).unwrap();
    let state = observer.serialize().unwrap();
    let with = |min: f64, max: f64, batches: u64| {
        let mut state = state.clone();
        let words = [batches, min.to_bits(), max.to_bits()];
        for (at, word) in (HEADER + 48..).step_by(8).zip(words) {
            state[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        Observer::deserialize(&sealed(state)).err().map(|error| error.to_string())
    };
    assert_eq!(with(-0.5, 3.0, 2), None);
    assert_eq!(with(-1.0, 4.0, 4), None);
    for (min, max, batches) in [
        (-1.1, 3.0, 2),
        (-0.5, 4.1, 2),
        (3.0, 2.0, 2),
        (f64::NAN, 3.0, 2),
        (-0.5, 3.0, 0),
        (-0.5, 3.0, 5),
    ] {
        let error = with(min, max, batches).expect("a refusal");
        assert!(error.contains("its average is none"), "{error}");
    }
}

/// Sums that no floats have: they would leave a rest where bins are merged.
#[test]
fn sums_of_no_values_are_refused() {
    let config =
        ObserverConfig { kind: Kind::Histogram { bins: 256 }, ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).unwrap();
    observer.observe(&[100.0, 100.125, 100.375, -0.001], &[]).unwrap();
    let state = observer.serialize().unwrap();
    let count =
        |state: &[u8], slot: usize| u64::from_le_bytes(*state[slot..].first_chunk().unwrap());
    let slots = (HEADER + 48..state.len() - 8).step_by(40);
    // The bin of 100 and more, and the octave of a thousandth.
    let slots: Vec<usize> = slots.filter(|slot| count(&state, *slot) > 0).collect();
    let [bin, octave] = slots[..] else { panic!("{slots:?}") };
    assert_eq!((count(&state, bin), count(&state, octave)), (3, 1));
    let with = |slot: usize, first: u128, second: u128| {
        let mut state = state.clone();
        state[slot + 8..slot + 24].copy_from_slice(&first.to_le_bytes());
        state[slot + 24..slot + 40].copy_from_slice(&second.to_le_bytes());
        Observer::deserialize(&sealed(state)).err().map(|error| error.to_string())
    };
    // Bins are of width 1/2 and floats multiples of 2^-17, which is 128 units.
    let quarter = 1_u128 << 21;
    assert_eq!(with(bin, 4 * quarter, 10 * quarter * quarter), None);
    assert_eq!(with(bin, 3 * 128, 5 * 128 * 128), None);
    for (first, second) in [
        (4 * quarter + 1, 10 * quarter * quarter),
        (4 * quarter, 10 * quarter * quarter + 64),
        (4 * quarter, 5 * quarter * quarter),
        (4 * quarter, 17 * quarter * quarter),
        (3 * 128, 4 * 128 * 128),
        (3 * 128, 11 * 128 * 128),
        (1 << 25, 1 << 60),
        (u128::MAX, u128::MAX),
    ] {
        let error = with(bin, first, second).expect("a refusal");
        assert!(error.contains("no values have its sums"), "{first} {second}: {error}");
    }
    assert!(with(octave, 5, 24).unwrap().contains("no values have its sums"));
    assert_eq!(with(octave, 5, 25), None);
}

/// Whatever is accepted works.
#[test]
fn random_changes_are_refused_or_harmless() {
    let mut random = Random::new(13);
    let mut accepted = 0;
    for round in 0..3000 {
        let mut state = small();
        for _ in 0..1 + random.below(3) {
            let at =
                (HEADER + 8 * random.below((state.len() - HEADER) / 8 - 1)).min(state.len() - 16);
            let value = match random.below(3) {
                0 => random.below(4) as u64,
                1 => random.next(),
                _ => 1 << random.below(64),
            };
            state[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let Ok(mut observer) = Observer::deserialize(&sealed(state)) else { continue };
        accepted += 1;
        use_it(&mut observer, round);
    }
    println!("{accepted} accepted");
}

fn use_it(observer: &mut Observer, round: usize) {
    let _ = observer.statistics(0).unwrap();
    for method in [Method::Mse, Method::Percentile(0.1, 0.9), Method::Mae] {
        let target = Target { precision: 3, ..Target::default() };
        if let Ok(choice) = observer.choose(0, method, &target) {
            assert!(choice.scale > 0.0 && choice.bias.is_finite(), "{round} {choice:?}");
        }
    }
    let other = Observer::deserialize(&observer.serialize().unwrap()).unwrap();
    let _ = observer.merge(&other);
    let _ = observer.observe(&[1e30, -1e-30], &[]);
    assert!(Observer::deserialize(&observer.serialize().unwrap()).is_ok());
}

#[test]
fn what_was_sent_is_the_same() {
    let mut random = Random::new(17);
    for _ in 0..50 {
        let values = wild(&mut random, 500);
        let observer = observed(&values);
        let state = observer.serialize().unwrap();
        let mut again = Observer::deserialize(&state).unwrap();
        assert_eq!(again.config(), observer.config());
        again.observe(&[3.0], &[]).unwrap();
        let mut values = values;
        values.push(3.0);
        assert!(again.serialize().unwrap() == observed(&values).serialize().unwrap());
    }
}
