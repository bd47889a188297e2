// Pid 1 of a container. It holds the namespaces, reaps what is left to it, and ends on SIGTERM: the kernel then kills all
// others in its pid namespace.
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argosy_shim.h"

void argosy_init_loop(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    syscall(SYS_capset, &header, none);
    sigset_t all;
    sigfillset(&all);
    // Faults must still kill us.
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
        int signal = 0;
        if (sigwait(&all, &signal) == 0 && signal == SIGTERM) _exit(0);
    }
}
