# Configuration of the lit tests.

import os

import lit.formats
from lit.llvm import llvm_config

config.name = "nlq"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "python", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.nlq_obj_root, "test")

llvm_config.use_default_substitutions()
# FileCheck, not, count and split-file lie beside LLVM's other tools.
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("FILECHECK_OPTS", "-enable-var-scope")
llvm_config.add_tool_substitutions(
    ["nlq-opt", "nlq-bench", "mlir-opt", "mlir-runner", "split-file"],
    [os.path.join(config.nlq_obj_root, "bin"), config.llvm_tools_dir],
)

# `... | %run_main` executes main, which prints with vector.print.
# `nlq-opt %to_llvm` lowers what the pipelines of nlq leave to others.
to_llvm = (
    "-one-shot-bufferize=bufferize-function-boundaries -convert-linalg-to-loops "
    "-convert-vector-to-scf -expand-strided-metadata -lower-affine "
    "-convert-scf-to-cf -convert-vector-to-llvm -arith-expand "
    "-convert-math-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm "
    "-convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm "
    "-reconcile-unrealized-casts"
)

# Checks the pages of docs/reference against the .td files.
check_reference = (
    f"'{config.cmake}' -DCHECK=ON -DTBLGEN={config.llvm_tools_dir}/mlir-tblgen "
    f"-DSOURCE='{config.nlq_src_root}' '-DINCLUDE={config.mlir_include_dirs}' "
    f"-P '{config.nlq_src_root}/docs/GenerateReference.cmake'"
)

runner_utils = os.path.join(config.llvm_libs_dir, "libmlir_c_runner_utils.so")
config.substitutions += [
    ("%to_llvm", to_llvm),
    ("%check_reference", check_reference),
    (
        "%run_main",
        f"mlir-runner -e main -entry-point-result=void -shared-libs={runner_utils}",
    ),
]
