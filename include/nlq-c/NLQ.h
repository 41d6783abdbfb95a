//===- NLQ.h - C interface of nlq -----------------------------*-- C --*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A C interface of its own, on files, text and arrays, so that other languages
// drive nlq without knowing MLIR. Handles are opaque. A call that fails returns
// null (or a non-zero status) and, where `error` is not null, stores a message
// there that nlqFreeString releases.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_C_NLQ_H
#define NLQ_C_NLQ_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NLQ_EXPORT __attribute__((visibility("default")))

/// A module in its own context: modules may be used from different threads.
typedef struct NlqModule NlqModule;
/// A compiled or interpreted model.
typedef struct NlqRunner NlqRunner;

NLQ_EXPORT void nlqFreeString(char *text);

//===-- Modules -----------------------------------------------------------===//

/// Reads a module from a file, text or bytecode.
NLQ_EXPORT NlqModule *nlqModuleParse(const char *path, char **error);
/// A copy in the same context.
NLQ_EXPORT NlqModule *nlqModuleClone(const NlqModule *module);
NLQ_EXPORT void nlqModuleDestroy(NlqModule *module);
/// Runs passes in the syntax of nlq-opt, e.g. `nlq-assign{policy=best}`.
/// Remarks are stored in `remarks`, one a line, where it is not null.
NLQ_EXPORT int nlqModuleRunPasses(NlqModule *module, const char *pipeline,
                                  char **remarks, char **error);
/// The module as text; large constants are left out where `elide` is not 0.
NLQ_EXPORT char *nlqModulePrint(const NlqModule *module, int elide);
/// Writes the module as bytecode, beside `path`, then renamed.
NLQ_EXPORT int nlqModuleWriteBytecode(const NlqModule *module, const char *path,
                                      char **error);
/// The names and types of the arguments and results of `main`:
/// {"arguments": [{"name": "image", "kind": "f32", "shape": [1, 1, 8, 8]}],
///  "results": [...]}. One without a name is called arg0, result0 and so on.
NLQ_EXPORT char *nlqModuleSignature(const NlqModule *module, char **error);
/// The public functions of a module, which its object file or library exports:
/// [{"function": "gelu", "arguments": [...], "results": [...]}], arguments and
/// results as nlqModuleSignature has them, where the extent of a shape is null
/// if it is known at run time only, and "quantized" the quantized type of the
/// elements or null. "limits" holds, for every extent of an argument, the
/// largest that the function takes, or null. "strided" is whether the function
/// is told the distance of rows.
NLQ_EXPORT char *nlqModuleFunctions(const NlqModule *module, char **error);
/// Compiles a float module, or one whose operations have methods, to an object
/// file. `target` as nlqRunnerCompile's. Public functions have their own names
/// there, and `main` is called `entry`. Each takes a pointer per argument, then
/// one per result, then an int64_t per dynamic extent of the arguments, then
/// one per strided argument or result, the elements from a row to the next.
/// Functions with limits return an int32_t: 0, or 1 where an extent is not from
/// 1 to its limit, and nothing is written. `threads` is none or openmp: the
/// rows of kernels are handled in parallel, and the program must have LLVM's
/// OpenMP runtime, libomp.
NLQ_EXPORT int nlqModuleEmitObject(const NlqModule *module, const char *target,
                                   const char *threads, const char *entry,
                                   const char *path, char **error);
/// The same, linked into a shared library, for any target. `name` is what the
/// library says it is called.
NLQ_EXPORT int nlqModuleEmitLibrary(const NlqModule *module, const char *target,
                                    const char *threads, const char *entry,
                                    const char *name, const char *path,
                                    char **error);

//===-- Methods -----------------------------------------------------------===//

/// The registry of methods:
/// [{"name", "title", "summary", "source", "fallbacks": {function: method},
///   "implementations": [{"function", "form", "candidates":
///     [{"set", "in_bits", "out_bits"}]}]}]
/// `set` is seed, standalone, extra or other; `in_bits` is 0 for the width of
/// the activations and null where the operand is taken as it is.
NLQ_EXPORT char *nlqListMethods(void);
/// All candidates for a function on a symmetric operand of `bits` bits, rows of
/// `row_length`, results of `result_bits` bits; nlq/Methods/Survey.h says on
/// which sample errors are measured, in steps of the result:
/// [{"method", "form", "set", "in_bits", "out_bits", "reason", "element_lane",
///   "row_lane", "widths", "worst", "rms", "sqnr", "cost", "table_bytes",
///   "finest_scale", "coarsest_scale", "longest_row"}]
/// `reason` is null where the candidate is legal, and then only are the figures
/// from `element_lane` to `table_bytes` there; `widths` is null where no
/// element needs more than 32 bits; `sqnr` is in dB, null without any error;
/// the last three are there if `limits` is not 0.
NLQ_EXPORT char *nlqSurveyMethods(const char *function, int64_t bits,
                                  double scale, int64_t row_length,
                                  int64_t result_bits, int limits,
                                  char **error);

//===-- Runners -----------------------------------------------------------===//

/// Compiles a float module, or one whose operations have methods, for `target`
/// (`native` or a processor) and loads it into this process.
NLQ_EXPORT NlqRunner *nlqRunnerCompile(const NlqModule *module,
                                       const char *target, char **error);
/// The whole-model reference of a quantized module: `evaluate` for non-linear
/// operations, plain C++ loops for the linear ones.
NLQ_EXPORT NlqRunner *nlqRunnerReference(const NlqModule *module, char **error);
NLQ_EXPORT void nlqRunnerDestroy(NlqRunner *runner);
/// The names and types of arguments and results, as nlqModuleSignature's.
NLQ_EXPORT char *nlqRunnerSignature(const NlqRunner *runner);
/// Runs `count` samples. `arguments[i]` holds argument i of all samples, one
/// after the other; `results` likewise. `seconds`, where not null, receives the
/// CPU time that each sample took of the calling thread.
NLQ_EXPORT int nlqRunnerRun(NlqRunner *runner, int64_t count,
                            const void *const *arguments, void *const *results,
                            double *seconds, char **error);

//===-- Calibration -------------------------------------------------------===//

/// Runs a float module over `count` samples, laid out as for nlqRunnerRun, and
/// saves the profile as `path` (.json; arrays beside it). The first `kept`
/// samples are recorded whole.
NLQ_EXPORT int nlqCalibrate(const NlqModule *module, int64_t count,
                            const void *const *arguments, int64_t kept,
                            const char *target, const char *path, char **error);

//===-- Measuring ---------------------------------------------------------===//

/// Which candidates are measured, and how. Lists are separated by commas; null
/// or empty strings set nothing.
typedef struct NlqMeasureOptions {
  /// `own`, `consumer`, `paper`, `logits`; empty is the first three.
  const char *metrics;
  /// Restrictions as the pass nlq-assign has them.
  const char *methods;
  const char *form;
  const char *set;
  /// Negative values set nothing.
  int64_t in_bits;
  int64_t out_bits;
  /// Threads that measure; 0 is one per core. Scores do not depend on it.
  int64_t threads;
} NlqMeasureOptions;

/// Scores the candidates of the quantized module against the float module of
/// the same model, which is compiled for `target` and run over `count` samples,
/// laid out as for nlqRunnerRun, one after the other. Writes the scores as
/// `path`, as the pass nlq-measure does with a profile's samples.
NLQ_EXPORT int nlqMeasure(const NlqModule *quantized, const NlqModule *model,
                          int64_t count, const void *const *arguments,
                          const NlqMeasureOptions *options, const char *target,
                          const char *path, char **error);

//===-- Comparing ---------------------------------------------------------===//

/// The slots of a quantized module, then the results of its `main`:
/// [{"name": "gelu", "op": "nlq.gelu", "elements": 1024}]; `op` of a result is
/// `result`.
NLQ_EXPORT char *nlqModuleSlots(const NlqModule *module, char **error);

/// Runs a quantized module over `count` samples, laid out as for nlqRunnerRun,
/// and looks at every slot. `target` is what it is compiled for, or `reference`
/// for the whole-model reference. Where `other` is not null it is run beside
/// it, as `other_target` says; it must have the same slots. Where `float_model`
/// is not null slots and results are held to its values.
///
/// {"samples": 4, "values": [{"name", "op", "elements", "sqnr_db"}]}: slots and
/// results as nlqModuleSlots has them, with the SQNR of the first run in dB
/// (null without a float value). With another run each also has
/// "other_sqnr_db", "different" (elements over all samples) and
/// "largest_difference" (in steps of the slot's type), and the whole
/// "first_difference": the name of the first value that differs, or null.
NLQ_EXPORT char *nlqCompare(const NlqModule *module, const char *target,
                            const NlqModule *other, const char *other_target,
                            const NlqModule *float_model, int64_t count,
                            const void *const *arguments, char **error);

#ifdef __cplusplus
}
#endif

#endif // NLQ_C_NLQ_H
