//===- Instructions.cpp - Counting instructions of a call -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace nlq::bench;

std::optional<double> nlq::bench::countByPerf(const Call &call) {
  perf_event_attr attr = {};
  attr.size = sizeof(attr);
  attr.type = PERF_TYPE_HARDWARE;
  attr.config = PERF_COUNT_HW_INSTRUCTIONS;
  attr.disabled = 1;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  int counter = int(syscall(SYS_perf_event_open, &attr, /*pid=*/0, /*cpu=*/-1,
                            /*group_fd=*/-1, /*flags=*/0));
  if (counter < 0)
    return std::nullopt;
  constexpr unsigned kCalls = 10;
  ioctl(counter, PERF_EVENT_IOC_RESET, 0);
  ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
  for (unsigned i = 0; i < kCalls; ++i)
    call();
  ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
  uint64_t count = 0;
  bool isRead = read(counter, &count, sizeof(count)) == sizeof(count);
  close(counter);
  if (!isRead || count == 0)
    return std::nullopt;
  return double(count) / kCalls;
}

std::optional<double> nlq::bench::countByCallgrind(
    llvm::StringRef caller, llvm::StringRef library, llvm::StringRef name,
    llvm::ArrayRef<int64_t> bytes, llvm::ArrayRef<int64_t> extents) {
  auto valgrind = llvm::sys::findProgramByName("valgrind");
  if (!valgrind)
    return std::nullopt;
  llvm::SmallString<64> path;
  if (llvm::sys::fs::createTemporaryFile("nlq", "callgrind", path))
    return std::nullopt;
  llvm::FileRemover remover(path);
  std::vector<std::string> words = {*valgrind,
                                    "--tool=callgrind",
                                    ("--callgrind-out-file=" + path).str(),
                                    ("--toggle-collect=" + name).str(),
                                    caller.str(),
                                    library.str(),
                                    name.str(),
                                    std::to_string(bytes.size())};
  for (int64_t value : llvm::concat<const int64_t>(bytes, extents))
    words.push_back(std::to_string(value));
  std::vector<llvm::StringRef> arguments(words.begin(), words.end());
  // Without input and output.
  if (llvm::sys::ExecuteAndWait(*valgrind, arguments, /*Env=*/std::nullopt,
                                {"", "", ""}) != 0)
    return std::nullopt;
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return std::nullopt;
  // A line `totals: N`, or `summary: N`, of what was collected.
  for (llvm::StringRef rest = (*file)->getBuffer(); !rest.empty();) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    uint64_t count = 0;
    if ((line.consume_front("totals:") || line.consume_front("summary:")) &&
        !line.trim().getAsInteger(10, count) && count > 0)
      return double(count);
  }
  return std::nullopt;
}
