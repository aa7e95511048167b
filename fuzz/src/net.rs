//! Networks: what prost reads in them, and what the operators' arguments say.

use crate::bounds::NET;
use crate::check::check_sentence;
use crate::reference::{Opinion, opinion};
use crate::{bounded, memory};
use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::net::{Fill, Net};
use caffe2_qtensor::{ElementsRef, Error};

#[derive(Clone, PartialEq, prost::Message)]
struct NetDef {
    #[prost(message, repeated, tag = "2")]
    operators: Vec<OperatorDef>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OperatorDef {
    #[prost(bytes = "vec", repeated, tag = "1")]
    inputs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    outputs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    kind: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "5")]
    arguments: Vec<Argument>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Argument {
    #[prost(bytes = "vec", optional, tag = "1")]
    name: Option<Vec<u8>>,
    #[prost(float, optional, tag = "2")]
    float: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    integer: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    string: Option<Vec<u8>>,
    #[prost(float, repeated, packed = "false", tag = "5")]
    floats: Vec<f32>,
    #[prost(int64, repeated, packed = "false", tag = "6")]
    ints: Vec<i64>,
}

/// The most elements of a constant tensor that is made: nothing in the network stands for them.
const MOST: i64 = 1 << 12;

/// Everything that holds for any bytes.
pub fn check(bytes: &[u8]) {
    let net = bounded("net", NET, bytes.len(), || Net::of(bytes));
    let path = memory::file_of(bytes);
    let file = Net::open(path);
    let (net, file) = match (net, file) {
        (Ok(net), Ok(file)) => (net, file),
        (Err(error), Err(other)) => {
            check_sentence(&error);
            assert_eq!(error, other);
            if let Opinion::Read(read) = opinion::<NetDef>(bytes) {
                assert!(may_refuse(&read, &error), "{error}");
            }
            return;
        }
        (net, file) => panic!("{:?} in memory, {:?} in a file", net.err(), file.err()),
    };
    let loads: Vec<_> = net.fills().iter().map(|fill| load(&net, fill, bytes.len())).collect();
    for ((fill, again), loaded) in net.fills().iter().zip(file.fills()).zip(&loads) {
        if is_small(fill) {
            assert_eq!(*loaded, file.load(again).map(seen));
        }
    }
    match opinion::<NetDef>(bytes) {
        Opinion::Read(read) => {
            assert_eq!(net.fills().len(), read.operators.len());
            for ((fill, operator), loaded) in net.fills().iter().zip(&read.operators).zip(loads) {
                let first = operator.outputs.first().map(Vec::as_slice).unwrap_or_default();
                assert_eq!(fill.output(), first);
                assert_eq!(fill.kind(), operator.kind.as_deref().unwrap_or_default());
                compare(operator, fill, loaded);
            }
        }
        // The values of an argument are looked at when they are loaded, and only then refused.
        Opinion::Refused => assert!(loads.iter().any(|it| !matches!(it, Ok(Seen::Tensor { .. })))),
        Opinion::None => {}
    }
}

/// What a loaded value looks like.
#[derive(Debug, PartialEq)]
enum Seen {
    Tensor {
        dims: Vec<i64>,
        /// The number of the element type; none for a quantized tensor.
        element: Option<i32>,
        /// Integers, the bits of floats, or codes.
        values: Vec<i64>,
        scale: u64,
        bias: u64,
    },
    Other,
}

fn is_small(fill: &Fill) -> bool {
    let size = fill.dims().iter().try_fold(1i64, |size, dim| size.checked_mul(*dim));
    fill.is_written_out() || size.is_some_and(|size| size <= MOST)
}

fn load(net: &Net<'_>, fill: &Fill, length: usize) -> Result<Seen, Error> {
    if !is_small(fill) {
        return Ok(Seen::Other);
    }
    let loaded = match fill.is_written_out() {
        true => bounded("fill", NET, length, || net.load(fill)),
        false => net.load(fill),
    };
    if let Some(refusal) = fill.refusal() {
        check_sentence(&refusal);
        assert_eq!(loaded.as_ref().err(), Some(&refusal));
    }
    loaded.map(seen).inspect_err(check_sentence)
}

fn seen(value: Value) -> Seen {
    match value {
        Value::Dense(tensor) => {
            let elements = tensor.elements();
            let element = Some(elements.element_type() as i32);
            let values = match elements {
                ElementsRef::Float(values) => {
                    values.iter().map(|it| i64::from(it.to_bits())).collect()
                }
                ElementsRef::Double(values) => {
                    values.iter().map(|it| it.to_bits() as i64).collect()
                }
                ElementsRef::Int64(values) => values.to_vec(),
                ElementsRef::Int32(values) => values.iter().map(|it| i64::from(*it)).collect(),
                ElementsRef::Int16(values) => values.iter().map(|it| i64::from(*it)).collect(),
                ElementsRef::Int8(values) => values.iter().map(|it| i64::from(*it)).collect(),
                ElementsRef::Uint16(values) | ElementsRef::Float16(values) => {
                    values.iter().map(|it| i64::from(*it)).collect()
                }
                ElementsRef::Bool(values) | ElementsRef::Uint8(values) => {
                    values.iter().map(|it| i64::from(*it)).collect()
                }
            };
            Seen::Tensor { dims: tensor.dims().to_vec(), element, values, scale: 0, bias: 0 }
        }
        Value::Quantized(tensor) => {
            let mut values = vec![0i64; tensor.size()];
            tensor.read_codes(&mut values).expect("at most 32 bits");
            let (scale, bias) = (tensor.scale().to_bits(), tensor.bias().to_bits());
            Seen::Tensor { dims: tensor.dims().to_vec(), element: None, values, scale, bias }
        }
        Value::Other => Seen::Other,
    }
}

/// Whether a network that prost reads may be refused with this error.
fn may_refuse(net: &NetDef, error: &Error) -> bool {
    let Error::Malformed { problem, .. } = error else { return false };
    match *problem {
        "an operator has an argument twice" => net.operators.iter().any(OperatorDef::has_twice),
        // Form, where only libprotobuf is strict.
        problem => problem.contains("longer than 5 bytes"),
    }
}

impl OperatorDef {
    fn has_twice(&self) -> bool {
        self.arguments.iter().any(|argument| self.named(argument.called()).count() > 1)
    }

    fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Argument> {
        self.arguments.iter().filter(move |argument| argument.called() == name)
    }

    /// The tensor that the arguments say, or `None` where it is refused.
    fn expected(&self) -> Option<Seen> {
        let named = |name: &'static str| self.named(name.as_bytes()).next();
        let dtype = named("dtype").map(|argument| argument.integer.unwrap_or(0));
        if !self.inputs.is_empty() || self.outputs.len() != 1 {
            return None;
        }
        if named("extra_shape").or(named("input_as_shape")).is_some() {
            return None;
        }
        let dims = named("shape").map(|shape| shape.ints.clone()).unwrap_or_default();
        let size = if dims.contains(&0) {
            Some(0)
        } else {
            dims.iter().try_fold(1i64, |size, dim| size.checked_mul(*dim))
        };
        let size = size.filter(|_| dims.len() <= 64 && dims.iter().all(|dim| *dim >= 0))?;
        let given = |element: i64| {
            let values = named("values")?;
            let values = match element {
                1 => values.floats.iter().map(|it| i64::from(it.to_bits())).collect(),
                13 => values.floats.iter().map(|it| f64::from(*it).to_bits() as i64).collect(),
                _ => values.ints.clone(),
            };
            dense(dims.clone(), element, values, size)
        };
        let int8 = |values: Vec<i64>| {
            let scale = named("Y_scale").map_or(Some(1.0), |it| it.float)?;
            let zero_point = named("Y_zero_point").map_or(Some(0), |it| it.integer)?;
            let zero_point = i32::try_from(zero_point).ok()?;
            let (scale, bias) = (f64::from(scale).to_bits(), -i64::from(zero_point) as f64);
            let dims = if dims.is_empty() { vec![1] } else { dims.clone() };
            let taken = values.len() as i64 == size;
            let element = None;
            taken.then_some(Seen::Tensor { dims, element, values, scale, bias: bias.to_bits() })
        };
        match self.kind.as_deref().unwrap_or_default() {
            b"GivenTensorFill" => match dtype {
                None => given(1),
                Some(4) => Some(Seen::Other),
                Some(element) => given(element),
            },
            b"GivenTensorDoubleFill" => given(13),
            b"GivenTensorBoolFill" => given(5),
            b"GivenTensorInt16Fill" => given(9),
            b"GivenTensorIntFill" => given(2),
            b"GivenTensorInt64Fill" => given(10),
            b"GivenTensorStringFill" | b"GivenTensorByteStringToUInt8Fill" => Some(Seen::Other),
            b"ConstantFill" => {
                let value = named("value");
                let element = match (dtype, value) {
                    (Some(element), _) => element,
                    (None, Some(Argument { float: None, integer: Some(_), .. })) => 10,
                    (None, Some(Argument { float: None, string: Some(_), .. })) => 4,
                    (None, _) => 1,
                };
                let float = value.and_then(|it| it.float).unwrap_or(0.0);
                let value = match element {
                    1 => i64::from(float.to_bits()),
                    13 => f64::from(float).to_bits() as i64,
                    _ => value.and_then(|it| it.integer).unwrap_or(0),
                };
                match element {
                    4 => Some(Seen::Other),
                    // The value is looked at although it fills nothing.
                    _ if size > MOST => Some(Seen::Other),
                    _ => {
                        dense(vec![1], element, vec![value], 1)?;
                        dense(dims, element, vec![value; size as usize], size)
                    }
                }
            }
            b"Int8GivenTensorFill" => {
                let bytes = named("values")?.string.as_ref()?;
                int8(bytes.iter().map(|byte| i64::from(*byte)).collect())
            }
            b"Int8GivenIntTensorFill" => {
                let ints = named("values")?.ints.clone();
                let fits = ints.iter().all(|it| i32::try_from(*it).is_ok());
                int8(ints).filter(|_| fits)
            }
            _ => None,
        }
    }
}

impl Argument {
    fn called(&self) -> &[u8] {
        self.name.as_deref().unwrap_or_default()
    }
}

fn dense(dims: Vec<i64>, element: i64, mut values: Vec<i64>, size: i64) -> Option<Seen> {
    let range = match element {
        2 => i64::from(i32::MIN)..=i64::from(i32::MAX),
        6 => 0..=255,
        7 => -128..=127,
        8 => 0..=65535,
        9 => -32768..=32767,
        1 | 5 | 10 | 13 => i64::MIN..=i64::MAX,
        _ => return None,
    };
    if element == 5 {
        values.iter_mut().for_each(|value| *value = i64::from(*value != 0));
    }
    let fits = values.len() as i64 == size && values.iter().all(|it| range.contains(it));
    let element = Some(element as i32);
    fits.then_some(Seen::Tensor { dims, element, values, scale: 0, bias: 0 })
}

fn compare(operator: &OperatorDef, fill: &Fill, loaded: Result<Seen, Error>) {
    if !is_small(fill) {
        return;
    }
    let expected = operator.expected();
    match (&loaded, &expected) {
        (Ok(seen), Some(expected)) => assert_eq!(seen, expected),
        (Err(error), None) => drop(error.to_string()),
        (Err(Error::Malformed { problem, .. }), _) if problem.contains("longer than 5 bytes") => {}
        _ => panic!("{loaded:?} for {expected:?} of {operator:?}"),
    }
}
