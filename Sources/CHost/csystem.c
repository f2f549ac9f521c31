#define _GNU_SOURCE
#include "csystem.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int csystem_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int csystem_epoll_set(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {0};
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event);
}

int csystem_epoll_wait(int epoll, csystem_event *out, int max, int timeout_ms) {
    struct epoll_event events[64];
    if (max > 64) max = 64;
    int count = epoll_wait(epoll, events, max, timeout_ms);
    for (int i = 0; i < count; i++) {
        out[i].events = events[i].events;
        out[i].data = events[i].data.u64;
    }
    return count;
}

int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// A full counter (EAGAIN) already wakes the reader, so the result carries nothing.
void csystem_eventfd_wake(int fd) {
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

void csystem_eventfd_drain(int fd) {
    uint64_t value;
    ssize_t ignored = read(fd, &value, sizeof value);
    (void)ignored;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

uint64_t csystem_now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
uint64_t csystem_cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

long csystem_rss_kb(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    long total = 0, resident = 0;
    if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int csystem_spawn_child(const char *path, char *const argv[], char *const envp[], const char *directory,
                        unsigned uid, unsigned gid, int death_signal, int output, int background) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
    // Only async-signal-safe calls from here: other threads' locks were copied in whatever state they were.
    setsid();
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) dup2(null, 0);
    if (output < 0) output = null;
    if (output >= 0) {
        dup2(output, 1);
        dup2(output, 2);
    }
    close_range(3, ~0U, 0);
    if (getuid() == 0 && uid != 0) {
        if (setgroups(0, 0) != 0 || setgid(gid) != 0 || setuid(uid) != 0) _exit(126);
    }
    if (directory && chdir(directory) != 0) _exit(124);
    if (background) {
        struct sched_param none = {0};
        sched_setscheduler(0, SCHED_IDLE, &none);
        // of the lowest class, which waits for idle disks: ioprio_set(IOPRIO_WHO_PROCESS, self, IOPRIO_CLASS_IDLE)
        syscall(SYS_ioprio_set, 1, 0, 3 << 13);
    }
    // After setuid, which clears the death signal; the parent may have died before it was set.
    if (death_signal) {
        prctl(PR_SET_PDEATHSIG, death_signal);
        if (getppid() != parent) _exit(125);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execve(path, argv, envp);
    _exit(127);
}
