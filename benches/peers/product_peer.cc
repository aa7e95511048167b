// Matrix products of oneDNN and OpenBLAS behind a C interface, for the benchmarks to load at run
// time: Y[M, N] = X[M, K] * W[N, K]^T, on one thread, the weights made ready beforehand.

#include <cblas.h>
#include <dnnl.hpp>

#include <cstdint>
#include <unordered_map>

namespace {

using dnnl::memory;

// Unsigned bytes with signed ones, to 32-bit sums.
struct Onednn {
  Onednn(std::int64_t m, std::int64_t n, std::int64_t k, const std::int8_t* w)
      : x(memory::desc({m, k}, memory::data_type::u8, memory::format_tag::ab)),
        y(memory::desc({m, n}, memory::data_type::s32, memory::format_tag::ab)) {
    const memory::desc any({k, n}, memory::data_type::s8, memory::format_tag::any);
    const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(x, any, y), engine);
    weights = memory(chosen.weights_desc(), engine);
    const memory::desc plain({k, n}, memory::data_type::s8, memory::format_tag::ba);
    memory from(plain, engine, const_cast<std::int8_t*>(w));
    dnnl::reorder(from, weights).execute(stream, from, weights);
    stream.wait();
    product = dnnl::matmul(chosen);
  }

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  memory::desc x, y;
  memory weights;
  dnnl::matmul product;
};

}  // namespace

extern "C" {

// Whether oneDNN's products may use AMX here: the machine has it, and ONEDNN_MAX_CPU_ISA allows it.
int product_peer_onednn_may_use_amx() {
  const int amx = static_cast<int>(dnnl::cpu_isa::avx512_core_amx);
  return (static_cast<int>(dnnl::get_effective_cpu_isa()) & amx) == amx;
}

void* product_peer_onednn_create(std::int64_t m, std::int64_t n, std::int64_t k,
                                 const std::int8_t* w) {
  return new Onednn(m, n, k, w);
}

void product_peer_onednn_run(void* object, const std::uint8_t* x, std::int32_t* y) {
  Onednn& peer = *static_cast<Onednn*>(object);
  memory from(peer.x, peer.engine, const_cast<std::uint8_t*>(x));
  memory to(peer.y, peer.engine, y);
  peer.product.execute(peer.stream, {{DNNL_ARG_SRC, from},
                                     {DNNL_ARG_WEIGHTS, peer.weights},
                                     {DNNL_ARG_DST, to}});
  peer.stream.wait();
}

void product_peer_onednn_free(void* object) { delete static_cast<Onednn*>(object); }

void product_peer_sgemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* x,
                        const float* w, float* y) {
  openblas_set_num_threads(1);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(m), static_cast<int>(n),
              static_cast<int>(k), 1, x, static_cast<int>(k), w, static_cast<int>(k), 0, y,
              static_cast<int>(n));
}
}
