// A working directory that was deleted ends the program with a reason. LibTorch's oneMKL would end it with
// none that helps, from its initialiser, before main: hence a function that runs before those of the
// libraries.

#include <linux/limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

namespace {

char place[PATH_MAX];

// Before the sanitizers are set up: they must leave it alone, and no function that they replace is called.
__attribute__((no_sanitize("address", "thread", "undefined"))) void check_working_directory(int, char**,
                                                                                            char**) {
  if (syscall(SYS_getcwd, place, sizeof place) >= 0) return;
  constexpr std::string_view kMessage =
      "infer: the working directory does not exist any more, or cannot be read; cd to another one and try "
      "again\n";
  (void)!syscall(SYS_write, STDERR_FILENO, kMessage.data(), kMessage.size());
  syscall(SYS_exit_group, 1);
}

__attribute__((section(".preinit_array"), used)) void (*const check)(int, char**,
                                                                     char**) = check_working_directory;

}  // namespace
