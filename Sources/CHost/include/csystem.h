#ifndef CSYSTEM_H
#define CSYSTEM_H
#include <stdint.h>

/// One ready descriptor: the events seen and the 64-bit tag given when it was added.
typedef struct {
    uint32_t events;
    uint64_t data;
} csystem_event;

enum { CSYSTEM_ADD = 1, CSYSTEM_REMOVE = 2, CSYSTEM_MODIFY = 3 };
enum { CSYSTEM_IN = 1, CSYSTEM_OUT = 4, CSYSTEM_ERROR = 8, CSYSTEM_HANGUP = 16 };

/// A new close-on-exec epoll descriptor, or -1 with errno.
int csystem_epoll_create(void);
/// Adds, changes or removes a descriptor (level-triggered). 0, or -1 with errno.
int csystem_epoll_set(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/// Waits up to timeout_ms (-1: for ever) and fills at most `max` (64 at most) events. Count, or -1 with errno.
int csystem_epoll_wait(int epoll, csystem_event *out, int max, int timeout_ms);

/// A non-blocking close-on-exec eventfd, or -1 with errno.
int csystem_eventfd(void);
void csystem_eventfd_wake(int fd);
void csystem_eventfd_drain(int fd);

/// Nanoseconds of the monotonic clock.
uint64_t csystem_now_ns(void);
/// Nanoseconds of processor time this process has used.
uint64_t csystem_cpu_ns(void);
/// Resident memory of this process in KiB; 0 when /proc cannot be read.
long csystem_rss_kb(void);

/// Forks and executes `path` (argv[0] should be the full path too) in a session of its own.
/// As root with uid != 0 the child drops its groups and takes gid and uid. `directory` (may be NULL) becomes its
/// working folder, `death_signal` (0: none) is sent to it when the calling *thread* ends, `output` (or -1) becomes
/// its standard output and error; every other descriptor is closed. With `background` it and all it starts get only the
/// processor and disk time that nobody else wants. Returns the child's pid, or -1 with errno.
/// Exit codes of a child that could not start: 124 chdir, 125 parent gone, 126 user change, 127 exec.
int csystem_spawn_child(const char *path, char *const argv[], char *const envp[], const char *directory,
                        unsigned uid, unsigned gid, int death_signal, int output, int background);
#endif
