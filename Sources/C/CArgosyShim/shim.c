#include "argosy_shim.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long r) { return r < 0 ? -errno : (int)r; }

int argosy_strerror(int code, void *buffer, size_t size) {
    char space[256];
    const char *text = strerror_r(code, space, sizeof space);
    size_t length = strlen(text);
    if (length > size) length = size;
    memcpy(buffer, text, length);
    return (int)length;
}

int argosy_pidfd_open(pid_t pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }
int argosy_pidfd_send_signal(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int argosy_wait(int pidfd, int block, int *code, int *signal) {
    siginfo_t info = {0};
    while (waitid(P_PIDFD, pidfd, &info, WEXITED | (block ? 0 : WNOHANG)) < 0)
        if (errno != EINTR) return -errno;
    if (info.si_pid == 0) return 0;
    *code = info.si_code == CLD_EXITED ? info.si_status : 0;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 1;
}
