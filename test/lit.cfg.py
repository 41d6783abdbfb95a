# Configuration of the lit tests.

import os

import lit.formats
from lit.llvm import llvm_config

config.name = "nlq"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir"]
config.excludes = ["unit", "python", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.nlq_obj_root, "test")

llvm_config.use_default_substitutions()
llvm_config.with_environment("FILECHECK_OPTS", "-enable-var-scope")
llvm_config.add_tool_substitutions(
    ["nlq-opt", "mlir-opt", "split-file"],
    [os.path.join(config.nlq_obj_root, "bin"), config.llvm_tools_dir],
)
