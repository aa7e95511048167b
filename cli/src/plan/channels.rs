//! A scale and a bias for each index along one dimension.

use super::{Method, Plan};
use crate::failure::{Failure, Result};
use crate::floats::reserve;
use crate::interrupt::Interrupt;

/// The values of channels in a tensor.
struct Layout {
    channels: usize,
    /// Values of a channel that lie together.
    row: usize,
}

impl Layout {
    fn new(dims: &[i64], axis: usize) -> Result<Layout> {
        let refused = || {
            let most = dims.len().saturating_sub(1);
            Failure::new(format!(
                "The channel axis is {axis}, outside the range 0 to {most} of a tensor with {} \
                 dimensions.",
                dims.len()
            ))
        };
        let extent = |dim: &i64| usize::try_from(*dim).unwrap_or(0);
        let channels = dims.get(axis).map(extent).ok_or_else(refused)?;
        let inner = dims.get(axis..).and_then(|dims| dims.get(1..)).unwrap_or_default();
        let row = inner.iter().map(extent).fold(1, usize::saturating_mul);
        Ok(Layout { channels, row })
    }

    /// The rows of a channel.
    fn rows<'a>(&self, values: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> {
        let row = self.row;
        let first = channel.saturating_mul(row);
        let period = self.channels.saturating_mul(row).max(1);
        values
            .chunks(period)
            .map(move |all| all.get(first..first.saturating_add(row)).unwrap_or_default())
    }
}

/// Rows from this length on are looked at where they are.
const LONG_ROW: usize = 1024;

impl Plan {
    /// The scales and biases of all channels.
    pub(super) fn choose_channels(
        &self,
        values: &[f32],
        dims: &[i64],
        axis: usize,
        interrupt: &Interrupt,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let layout = Layout::new(dims, axis)?;
        let (method, target) = self.target(self.signed(values))?;
        let mut observer = self.observer(&target)?;
        let mut gathered = Vec::new();
        let (mut scales, mut biases) = (Vec::new(), Vec::new());
        for channel in 0..layout.channels {
            interrupt.check()?;
            let about = |failure| match failure {
                Failure::Message(message) => {
                    Failure::Message(format!("channel {channel}: {message}"))
                }
                other => other,
            };
            let long = layout.row >= LONG_ROW && matches!(method, Method::Own(_));
            if !long {
                gathered.clear();
                reserve(&mut gathered, values.len().checked_div(layout.channels).unwrap_or(0))?;
                layout.rows(values, channel).for_each(|row| gathered.extend_from_slice(row));
            }
            let chosen = match method {
                Method::Own(method) => {
                    observer.reset();
                    let seen = if long {
                        layout.rows(values, channel).try_for_each(|row| observer.observe(row, &[]))
                    } else {
                        observer.observe(&gathered, &[])
                    };
                    seen.map_err(Failure::from)
                        .and_then(|()| self.choose_by(&observer, method, &target))
                }
                Method::Caffe2(_) => self.choose_as_caffe2(&gathered),
            };
            let (scale, bias) = self.stored(chosen.map_err(about)?);
            scales.push(scale);
            biases.push(bias);
        }
        Ok((scales, biases))
    }
}
