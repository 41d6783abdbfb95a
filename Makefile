# Two commands for users: `make demo` and `make test`. Each installs what it
# needs, builds, and runs.

BUILD ?= build
VENV ?= .venv
LLVM_DIR ?= /usr/lib/llvm-22
JOBS ?= $(shell nproc)

PACKAGES := cmake ninja-build ccache clang-22 lld-22 clang-format-22 llvm-22-dev \
  llvm-22-tools libmlir-22-dev mlir-22-tools libgtest-dev python3-venv

.PHONY: demo build test test-unit test-lit test-python test-full format-check \
  docs install-packages clean
.DELETE_ON_ERROR:

demo: build $(VENV)/.installed
	$(VENV)/bin/nlq demo --output $(BUILD)/demo

test: build-tests $(VENV)/.dev format-check
	$(BUILD)/bin/NLQKernelTests --gtest_brief=1
	cd $(BUILD) && ctest --output-on-failure -E NLQKernelTests
	$(MAKE) --no-print-directory test-lit test-python

test-lit: build-tests
	ninja -C $(BUILD) check-nlq-lit

test-python: build $(VENV)/.dev
	$(VENV)/bin/python -m pytest

# Longer: every assignment of the demo against the reference on all images.
test-full: test
	$(VENV)/bin/nlq demo --output $(BUILD)/demo-full --exact-images 500

build: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS) nlq-opt NLQC

build-tests: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja: | install-packages
	cmake -G Ninja -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_PREFIX_PATH="$(LLVM_DIR)" \
	  -DCMAKE_C_COMPILER="$(LLVM_DIR)/bin/clang" \
	  -DCMAKE_CXX_COMPILER="$(LLVM_DIR)/bin/clang++" \
	  -DLLVM_USE_LINKER=lld \
	  -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache

install-packages:
	@sh scripts/install-packages.sh "$(LLVM_DIR)" $(PACKAGES)

$(VENV)/bin/python: | install-packages
	python3 -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.installed

format-check: | install-packages
	@git ls-files '*.h' '*.cpp' | xargs $(LLVM_DIR)/bin/clang-format --dry-run --Werror

docs: build
	ninja -C $(BUILD) nlq-docs

clean:
	rm -rf $(BUILD)
