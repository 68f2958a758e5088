// Ends the program with a clear error if the working directory was deleted. Otherwise LibTorch's oneMKL
// ends it without a helpful reason, from an initialiser that runs before main. So this check must run
// before the initialisers of the libraries.

#include <linux/limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

namespace {

char place[PATH_MAX];

// Sanitizers are not set up yet at this point, so the function must not be instrumented and must not call a
// function that they replace.
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
