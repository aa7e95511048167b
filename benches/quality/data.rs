//! The sets of data: 65,536 values of each distribution, and the digits model's weights.

/// xorshift64*, so that every run has the same values.
struct Random(u64);

impl Random {
    /// Above 0 and below 1.
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    fn laplace(&mut self) -> f64 {
        let sign = if self.uniform() < 0.5 { -1.0 } else { 1.0 };
        sign * -self.uniform().ln()
    }
}

type Draw = fn(&mut Random) -> f64;

/// Name and values of each set.
pub(crate) fn all() -> Vec<(&'static str, Vec<f32>)> {
    let sets: [(&'static str, Draw); 8] = [
        ("normal", Random::normal),
        ("laplace", Random::laplace),
        ("half-normal", |random| random.normal().max(0.0)),
        ("student-t3", |random| {
            let chi: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
            random.normal() / (chi / 3.0).sqrt()
        }),
        ("log-normal", |random| random.normal().exp()),
        ("uniform", |random| 2.0 * random.uniform() - 1.0),
        ("offset", |random| 10.0 + random.normal()),
        ("outliers", |random| {
            let far = random.uniform() < 0.001;
            random.normal() * if far { 20.0 } else { 1.0 }
        }),
    ];
    let draw = |(index, (name, draw)): (usize, (&'static str, Draw))| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1));
        for _ in 0..16 {
            let _ = random.uniform();
        }
        (name, (0..65_536).map(|_| draw(&mut random) as f32).collect())
    };
    let mut all: Vec<_> = sets.into_iter().enumerate().map(draw).collect();
    all.extend(digits());
    all
}

/// The weights of the digits model's layers.
fn digits() -> Vec<(&'static str, Vec<f32>)> {
    use caffe2_qtensor::{ElementsRef, minidb::Reader};
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/digits/digits_mlp.minidb");
    let reader = Reader::open(std::path::Path::new(path)).expect("the digits model");
    ["fc1_w", "fc2_w"]
        .into_iter()
        .map(|name| {
            let dense = reader.load_dense(name.as_bytes()).expect("a layer's weights");
            match dense.elements() {
                ElementsRef::Float(values) => (name, values.to_vec()),
                _ => panic!("weights are floats"),
            }
        })
        .collect()
}
