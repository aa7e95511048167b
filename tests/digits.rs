//! A trained model classifies handwritten digits in integers: from layer to layer go codes of 8 bits,
//! which products of codes make. The ranges of the activations come from what the model was trained
//! on, never from what it is tested on.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

use caffe2_qtensor::minidb::Reader;
use caffe2_qtensor::quantize::QuantizeOptions;
use caffe2_qtensor::{DenseTensor, ElementsRef, PackedWeights, ProductOptions, QTensor};
use std::path::Path;

fn load(file: &str, name: &str) -> DenseTensor {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digits");
    Reader::open(&folder.join(file)).unwrap().load_dense(name.as_bytes()).unwrap()
}

struct Layer {
    outputs: usize,
    inputs: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

fn layers() -> Vec<Layer> {
    (1..=3)
        .map(|number| {
            let weights = load("digits_mlp.minidb", &format!("fc{number}_w"));
            let bias = load("digits_mlp.minidb", &format!("fc{number}_b"));
            let [outputs, inputs] = *weights.dims() else { panic!("weights are a matrix") };
            Layer {
                outputs: outputs as usize,
                inputs: inputs as usize,
                weights: weights.as_f32().unwrap().to_vec(),
                bias: bias.as_f32().unwrap().to_vec(),
            }
        })
        .collect()
}

fn images_and_labels(file: &str) -> (Vec<f32>, Vec<i32>) {
    let (data, labels) = (load(file, "data"), load(file, "label"));
    let ElementsRef::Int32(labels) = labels.elements() else { panic!("labels are integers") };
    (data.as_f32().unwrap().to_vec(), labels.to_vec())
}

fn relu(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = value.max(0.0));
}

/// The largest input of each layer, in floats.
fn largest_inputs(layers: &[Layer], images: &[f32]) -> Vec<f32> {
    let mut inputs = images.to_vec();
    let mut largest = Vec::new();
    for layer in layers {
        largest.push(inputs.iter().copied().fold(0.0, f32::max));
        let rows = inputs.chunks(layer.inputs);
        let mut outputs: Vec<f32> = rows
            .flat_map(|row| {
                let weights = layer.weights.chunks(layer.inputs).zip(&layer.bias);
                weights.map(move |(weights, bias)| {
                    weights.iter().zip(row).map(|(w, x)| w * x).sum::<f32>() + bias
                })
            })
            .collect();
        relu(&mut outputs);
        inputs = outputs;
    }
    largest
}

/// Weights as codes of so many bits, with a scale and a bias for each output: those of its smallest to
/// its largest weight, or of a smaller range that does more good to the many weights inside than harm
/// to the few beyond.
fn quantized_weights(layer: &Layer, bits: u8) -> PackedWeights {
    let dims = [layer.outputs as i64, layer.inputs as i64];
    let mut tensor = QTensor::with_shape(&dims, bits, false).unwrap();
    let (mut scales, mut biases) = (vec![1.0; layer.outputs], vec![0.0; layer.outputs]);
    let mut errors = vec![f32::INFINITY; layer.outputs];
    let mut values = vec![0f32; layer.weights.len()];
    for percent in (20..=100).step_by(5) {
        let (some_scales, some_biases) = parameters(layer, bits, f64::from(percent) / 100.0);
        tensor.set_channels(0, &some_scales, &some_biases).unwrap();
        tensor.quantize(&layer.weights, &QuantizeOptions::default()).unwrap();
        tensor.dequantize(&mut values, 1).unwrap();
        let rows = layer.weights.chunks(layer.inputs).zip(values.chunks(layer.inputs));
        for (output, (weights, values)) in rows.enumerate() {
            let error = weights.iter().zip(values).map(|(w, v)| (w - v).powi(2)).sum();
            if error < errors[output] {
                errors[output] = error;
                (scales[output], biases[output]) = (some_scales[output], some_biases[output]);
            }
        }
    }
    tensor.set_channels(0, &scales, &biases).unwrap();
    tensor.quantize(&layer.weights, &QuantizeOptions::default()).unwrap();
    PackedWeights::new(&tensor).unwrap()
}

/// For each output the scale and the bias of a part of its weights' range.
fn parameters(layer: &Layer, bits: u8, part: f64) -> (Vec<f64>, Vec<f64>) {
    let steps = f64::from((1u32 << bits) - 1);
    let of_row = |row: &[f32]| {
        let low = f64::from(row.iter().copied().fold(f32::INFINITY, f32::min));
        let high = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let scale = part * (high - low) / steps;
        (scale, part * low / scale)
    };
    layer.weights.chunks(layer.inputs).map(of_row).unzip()
}

/// Rows of codes from 0 to 255, which stand for 0 to `largest`.
fn activations(rows: usize, columns: usize, largest: f32) -> QTensor {
    let mut tensor = QTensor::with_shape(&[rows as i64, columns as i64], 8, false).unwrap();
    tensor.set_scale(f64::from(largest) / 255.0);
    tensor
}

/// How many of the test images the model with weights of so many bits is right on.
fn right(layers: &[Layer], largest: &[f32], bits: u8) -> usize {
    let (images, labels) = images_and_labels("digits_test.minidb");
    let options = ProductOptions::default();
    let mut x = activations(labels.len(), layers[0].inputs, largest[0]);
    x.quantize(&images, &QuantizeOptions::default()).unwrap();
    let [hidden @ .., last] = layers else { panic!("a model has layers") };
    for (layer, largest) in hidden.iter().zip(&largest[1..]) {
        // There are no codes below 0, so this is a ReLU too.
        let mut outputs = activations(labels.len(), layer.outputs, *largest);
        let weights = quantized_weights(layer, bits);
        weights.product_codes(&x, &layer.bias, &mut outputs, &options).unwrap();
        x = outputs;
    }
    let mut scores = vec![0.0; labels.len() * last.outputs];
    quantized_weights(last, bits).product(&x, &last.bias, &mut scores, &options).unwrap();
    let best = |row: &[f32]| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
    let classes = scores.chunks(last.outputs).map(best);
    classes.zip(labels).filter(|(class, label)| *class as i32 == *label).count()
}

#[test]
fn eight_bits_are_as_good_as_floats() {
    let layers = layers();
    let (training, _) = images_and_labels("digits_train.minidb");
    let largest = largest_inputs(&layers, &training);
    for bits in [1, 2, 4] {
        println!("{bits} bits: {} of 719", right(&layers, &largest, bits));
    }
    let right = right(&layers, &largest, 8);
    println!("8 bits: {right} of 719, floats 707");
    assert!(right.abs_diff(707) <= 1, "{right} of 719 are right");
}
