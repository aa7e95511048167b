# `make bench`: builds the C++ peers, runs every benchmark and prints what they found.

INSTALL ?= .ci/install

BENCH_TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
BENCH_PEERS := $(BENCH_TARGET)/bench-peers

# One thread, and no guess by OpenBLAS, which takes new processors for old ones. oneDNN gets the
# instructions that the library's kernels have, in the same process as the other peers: with AMX it
# would compare two machines. Where there is AMX, what oneDNN does with it comes second.
BENCH_PRODUCTS := env -u ONEDNN_MAX_CPU_ISA -u DNNL_MAX_CPU_ISA OMP_NUM_THREADS=1 \
  OPENBLAS_CORETYPE=SkylakeX CAFFE2_QTENSOR_PEERS=$(BENCH_PEERS)

.PHONY: bench bench-packages bench-peers quality

bench: bench-peers
	rm -f $(BENCH_TARGET)/bench.jsonl
	CAFFE2_QTENSOR_PEERS=$(BENCH_PEERS) \
	  cargo bench --locked --bench varint --bench planes --bench wire --bench bits \
    --bench quantize --bench dequantize --bench observe
	$(BENCH_PRODUCTS) ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI cargo bench --locked --bench products
	$(BENCH_PRODUCTS) cargo bench --locked --bench products -- product/onednn_any/
	cargo bench --locked --package qtensor-cli --bench command
	cargo bench --locked --bench summary

# How good calibration's choices are, beside the best that there are, with the goals.
quality:
	cargo bench --locked --bench quality

bench-peers: $(BENCH_PEERS)/libprotobuf_peer.so $(BENCH_PEERS)/libbits_peer.so \
    $(BENCH_PEERS)/libproduct_peer.so

bench-packages:
	$(INSTALL) libprotobuf-dev protobuf-compiler libdnnl-dev libopenblas-dev g++

# The packages are made sure of first, which is no reason to build anew.
$(BENCH_PEERS)/libprotobuf_peer.so: benches/peers/blob.proto benches/peers/protobuf_peer.cc \
    | bench-packages
	mkdir -p $(BENCH_PEERS)
	protoc --proto_path=benches/peers --cpp_out=$(BENCH_PEERS) benches/peers/blob.proto
	g++ -std=c++17 -O3 -march=native -DNDEBUG -fPIC -shared -Wall -I$(BENCH_PEERS) \
	  benches/peers/protobuf_peer.cc $(BENCH_PEERS)/blob.pb.cc -lprotobuf -o $@

# -O2, as most client code is compiled; the library is part of it.
$(BENCH_PEERS)/libbits_peer.so: benches/peers/bits_peer.cc $(shell find include -type f) \
    | bench-packages library
	mkdir -p $(BENCH_PEERS)
	g++ -std=c++11 -O2 -DNDEBUG -fPIC -shared -Wall -Iinclude/caffe2_qtensor/compat \
	  benches/peers/bits_peer.cc $(BENCH_TARGET)/release/libcaffe2_qtensor.a $(NATIVE_LIBS) -o $@

$(BENCH_PEERS)/libproduct_peer.so: benches/peers/product_peer.cc | bench-packages
	mkdir -p $(BENCH_PEERS)
	g++ -std=c++14 -O2 -DNDEBUG -fPIC -shared -Wall benches/peers/product_peer.cc -ldnnl -lopenblas \
	  -o $@
