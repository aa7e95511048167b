//! What `qtensor quantize` says of each tensor.

use super::shown_dims;
use crate::failure::Result;
use caffe2_qtensor::QTensor;
use qtensor_cli::input::{Item, shown};
use serde::Serialize;

/// What became of a tensor.
#[derive(Serialize)]
pub(super) struct Done {
    pub(super) name: String,
    pub(super) action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dims: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bias: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    pub(super) bytes_before: u64,
    pub(super) bytes_after: u64,
}

impl Done {
    pub(super) fn of(item: &Item) -> Done {
        Done {
            name: shown(&item.name),
            action: "copied",
            dims: None,
            precision: None,
            signed: None,
            scale: None,
            bias: None,
            channels: None,
            bytes_before: item.bytes,
            bytes_after: item.bytes,
        }
    }

    pub(super) fn copied(&mut self, bytes: Option<u64>) {
        self.bytes_after = bytes.unwrap_or(0);
        if bytes.is_none() {
            self.action = "left out";
        }
    }

    pub(super) fn quantized(mut self, name: &[u8], tensor: &QTensor, int8: bool) -> Result<Done> {
        let size =
            if int8 { tensor.int8_serialized_size(name) } else { tensor.serialized_size(name) };
        self.bytes_after = u64::try_from(size?).unwrap_or(u64::MAX);
        self.action = "quantized";
        self.precision = Some(tensor.precision());
        self.signed = Some(tensor.is_signed());
        match tensor.channel_scales().len() {
            0 => {
                self.scale = Some(tensor.scale());
                self.bias = Some(tensor.bias());
            }
            channels => self.channels = Some(channels),
        }
        Ok(self)
    }

    pub(super) fn row(&self) -> Vec<String> {
        let number =
            |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
        let bits = match (self.precision, self.signed) {
            (Some(precision), Some(true)) => format!("{precision}+1"),
            (Some(precision), _) => precision.to_string(),
            (None, _) => String::new(),
        };
        let scale = match self.channels {
            Some(channels) => format!("{channels} channels"),
            None => number(self.scale),
        };
        vec![
            self.name.clone(),
            shown_dims(self.dims.as_deref()),
            self.action.to_owned(),
            bits,
            scale,
            number(self.bias),
            self.bytes_before.to_string(),
            self.bytes_after.to_string(),
        ]
    }
}
