#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What Swift cannot do: calls the Glibc module lacks (it is built without _GNU_SOURCE), and the child between clone
// and exec. Calls return a result of 0 or more, or a negative errno.

// Text of an errno, not terminated; its length.
int argosy_strerror(int code, void *buffer, size_t size);

int argosy_pidfd_open(pid_t pid);
int argosy_pidfd_send_signal(int pidfd, int signal);
// 1 and *code, *signal when it has ended (reaped), 0 when not (only without block).
int argosy_wait(int pidfd, int block, int *code, int *signal);
