//! Floats to codes and back: quantizers, the choice of parameters and the numbers they work on.
//!
//! Stands on [`QTensor`](crate::QTensor), `planes` and `kernels`.
