//! A network that the real Caffe2 wrote, and the tensors that it got by running it.

use caffe2_qtensor::minidb::{Value, load_all};
use caffe2_qtensor::net::Net;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digits").join(name)
}

#[test]
fn operators_give_what_caffe2_got_by_running_them() {
    let path = data("digits_init_net.pb");
    let bytes = std::fs::read(&path).unwrap();
    let (from_file, from_memory) = (Net::open(&path).unwrap(), Net::of(&bytes).unwrap());
    let mut expected = load_all(&data("digits_mlp.minidb")).unwrap();
    expected.extend(load_all(&data("digits_int8.minidb")).unwrap());
    assert_eq!(from_file.fills().len(), expected.len());
    for (index, blob) in expected.iter().enumerate() {
        for net in [&from_file, &from_memory] {
            let fill = &net.fills()[index];
            assert_eq!(fill.output(), blob.name);
            assert_eq!(fill.refusal(), None);
            assert!(fill.is_written_out());
            match (net.load(fill).unwrap(), &blob.value) {
                (Value::Dense(tensor), Value::Dense(expected)) => {
                    assert_eq!(&tensor, expected);
                    assert_eq!(fill.dims(), expected.dims());
                }
                (Value::Quantized(tensor), Value::Quantized(expected)) => {
                    assert_eq!(tensor.data(), expected.data());
                    assert_eq!(tensor.bias(), expected.bias());
                    // The argument is a float, and so is what Caffe2 keeps.
                    assert_eq!(tensor.scale(), f64::from(expected.scale() as f32));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn what_is_no_file_is_refused() {
    for (path, words) in [
        ("/no/such/file", "Cannot open the network's file"),
        ("/dev/null", "a pipe or a device"),
        ("/", "a directory"),
    ] {
        let Err(error) = Net::open(Path::new(path)) else { panic!("{path} was opened") };
        assert!(error.to_string().contains(words), "{error}");
    }
}
