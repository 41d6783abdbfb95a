//===- AssignPasses.td - Measuring and assigning passes -------*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_ASSIGNPASSES_TD
#define NLQ_QUANTIZATION_ASSIGNPASSES_TD

include "mlir/Pass/PassBase.td"

def NLQMeasure : Pass<"nlq-measure", "::mlir::ModuleOp"> {
  let summary = "Measure every candidate of every non-linear operation";
  let description = [{
    Scores the `candidates` of each quantized non-linear operation on the
    samples that a profile keeps, and writes them to a JSON file. (`nlq measure`
    and the C interface also run the float model on samples instead, one at a
    time, for models of which a profile could keep few.) The module is not
    changed. Scores are in dB:

    | metric | is | better |
    |---|---|---|
    | `own` | signal-to-quantization-noise ratio (SQNR) of the operation's output against the float output; all candidates read the same input, the float one quantized to the operand's type | larger |
    | `consumer` | SQNR after the next matrix products, added up over all that read the result | larger |
    | `paper` | SQNR before less SQNR after the operation, inside of networks that use one method throughout | smaller |
    | `logits` | SQNR of the model's results with this candidate at this operation alone; all others have the method that the module assigns to them, and are exact where it assigns none | larger |

    `own`, `consumer` and `logits` add up the squares of all samples:
    `10 log10(sum x^2 / sum (x - y)^2)`; `paper` averages amplitude ratios of
    samples first: `20 log10(mean ||x|| / ||x - y||)`. 200 dB stand for no error
    at all.

    `methods`, `form`, `set`, `in-bits` and `out-bits` restrict the candidates
    of which `own`, `consumer` and `logits` are measured.

    The file has the format `nlq-scores`, version 2: `hashes` of the module
    without its methods, of the samples and of the options; `slots` with `name`,
    `op`, `consumers`, `elements` and `candidates`, each with `method` (the
    attribute), the metrics (null where there is none) and `cost` (estimated
    instructions per element). Its bytes depend on module, samples and options
    only, not on the number of threads.
  }];
  let options = [
    Option<"profile", "profile", "std::string", "\"\"",
           "The profile to read, a .json file with its .bin file beside it">,
    Option<"scores", "scores", "std::string", "\"\"",
           "The file to write">,
    Option<"metrics", "metrics", "std::string", "\"own,consumer,paper\"",
           "Metrics to measure, separated by commas">,
    Option<"samples", "samples", "int64_t", "0",
           "Kept samples to use, the first ones; 0 is all">,
    Option<"methods", "methods", "std::string", "\"\"",
           "Methods to measure, separated by commas; all if empty">,
    Option<"form", "form", "std::string", "\"\"",
           "Form to measure: reference, corrected, or both if empty">,
    Option<"set", "set", "std::string", "\"\"",
           "Set of widths to measure: seed, standalone, extra, other, or "
           "all if empty">,
    Option<"inBits", "in-bits", "int64_t", "-1",
           "Width of 'in' to measure, 0 for no narrowing; -1 for all">,
    Option<"outBits", "out-bits", "int64_t", "-1",
           "'out_bits' to measure; -1 for all">,
    Option<"threads", "threads", "int64_t", "1",
           "Threads to measure with; 0 is one per core">];
}

def NLQAssign : Pass<"nlq-assign", "::mlir::ModuleOp"> {
  let summary = "Assign a method to every quantized non-linear operation";
  let description = [{
    Sets `method` to one of the `candidates`, and emits a remark with the choice,
    its score and the margin to the runner-up.

    | policy | chooses |
    |---|---|
    | `best` | per operation the best candidate by `metric` (`own` where `consumer` does not exist because no matrix product follows), or the cheapest one that is at most `within` dB worse |
    | `paper` | per operation the smallest SQNR difference (metric `paper`) among the candidates of the set `seed` |
    | `uniform` | everywhere the first candidate of `method`, or of its fallback in the registry where it lacks the function |

    Equal scores are decided by cost, equal costs by the score, then by the order
    of the candidates. `methods`, `form`, `set`, `in-bits` and `out-bits` restrict the candidates;
    an operation that is left without one is an error that lists what is there.
    Scores of another module are refused.

    `report` is a JSON file of the format `nlq-assignment`, version 1: `slots`
    with `name`, `op`, the method `chosen` and the `runner_up`, the `metric` that
    decided, the `margin` in dB by which the chosen one is better (negative where
    a cheaper one was taken), the `reason` as in the remark, and all `candidates`
    with `method` (the attribute), `text` (in short), `score`, `cost` and whether
    they were `allowed`.

    ```mlir
    %1 = nlq.gelu %0 erf {candidates = [#nlq.ibert<...>, #nlq.ivit<...>],
                          nlq.slot = "gelu"} : ...
    // becomes
    %1 = nlq.gelu %0 erf {candidates = [#nlq.ibert<...>, #nlq.ivit<...>],
                          method = #nlq.ibert<...>, nlq.slot = "gelu"} : ...
    ```
  }];
  let options = [
    Option<"scores", "scores", "std::string", "\"\"",
           "Scores that nlq-measure wrote; not needed by 'uniform'">,
    Option<"policy", "policy", "std::string", "\"best\"",
           "paper, best or uniform">,
    Option<"metric", "metric", "std::string", "\"consumer\"",
           "Metric of the policy 'best': own, consumer, paper or logits">,
    Option<"within", "within", "double", "0",
           "Policy 'best' takes the cheapest candidate that is at most so many "
           "dB worse than the best">,
    Option<"method", "method", "std::string", "\"\"",
           "Method of the policy 'uniform'">,
    Option<"methods", "methods", "std::string", "\"\"",
           "Methods that may be chosen, separated by commas; all if empty">,
    Option<"form", "form", "std::string", "\"\"",
           "Form that may be chosen: reference, corrected, or both if empty">,
    Option<"set", "set", "std::string", "\"\"",
           "Set of widths that may be chosen: seed, standalone, extra, other, "
           "or all if empty">,
    Option<"inBits", "in-bits", "int64_t", "-1",
           "Width of 'in' that may be chosen, 0 for no narrowing; -1 for all">,
    Option<"outBits", "out-bits", "int64_t", "-1",
           "'out_bits' that may be chosen; -1 for all">,
    Option<"keepAssigned", "keep-assigned", "bool", "false",
           "Leave operations alone that have a method">,
    Option<"report", "report", "std::string", "\"\"",
           "A JSON file to write the choices and their reasons into">];
  let dependentDialects = ["::nlq::NLQDialect"];
}

def NLQSetMethod : Pass<"nlq-set-method", "::mlir::ModuleOp"> {
  let summary = "Give one method to quantized operations that have none";
  let description = [{
    For kernels written by hand, whose operations have no candidates to choose
    from. `method` is the name of a method, in its corrected form on the operand
    as it is, or of its fallback in the registry where it lacks the function; or
    a whole method attribute. Operations that have a method keep it.

    ```mlir
    %1 = nlq.gelu %0 erf : ...
    // becomes, with method=table,
    %1 = nlq.gelu %0 erf {method = #nlq.table<>} : ...
    ```
  }];
  let options = [
    Option<"method", "method", "std::string", "\"table\"",
           "A method's name, or an attribute such as #nlq.ibert<out_bits = 8>">];
  let dependentDialects = ["::nlq::NLQDialect"];
}

#endif // NLQ_QUANTIZATION_ASSIGNPASSES_TD
