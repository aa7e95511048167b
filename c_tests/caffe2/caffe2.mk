# `make test-caffe2`, `make soak-caffe2` and `make bench-caffe2`: with the Caffe2 of torch 1.8.1,
# which is fetched into the user's cache first. CAFFE2_ROOT names one that is there already.

SOAK_SECONDS ?= 3600
CAFFE2_WORK := $(abspath $(or $(CARGO_TARGET_DIR),target))/caffe2
CAFFE2_RUN = root=$(or $(CAFFE2_ROOT),$$(c_tests/caffe2/fetch.sh)) && \
  c_tests/caffe2/run.sh "$$root" $(CAFFE2_WORK)

.PHONY: test-caffe2 soak-caffe2 bench-caffe2 caffe2-packages

caffe2-packages: cargo
	@.ci/install g++ make cmake binutils curl unzip

test-caffe2: caffe2-packages
	@$(CAFFE2_RUN)

soak-caffe2: caffe2-packages
	@$(CAFFE2_RUN) soak $(SOAK_SECONDS)

bench-caffe2: caffe2-packages
	@$(CAFFE2_RUN) bench
