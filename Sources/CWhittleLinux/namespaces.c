#define _GNU_SOURCE
#include "CWhittleNamespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

/* What PID 1 tells the caller: once how the set-up went, and once how the program ended. */
struct report {
    int operation; /* index into operations */
    int value;     /* errno of the set-up, 0 for success; or a status of wait(2) */
};

static const char *const operations[] = {
    "program ended",
    "create a PID namespace",
    "start a process in the PID namespace",
    "create a mount namespace",
    "separate the mount namespace from the host",
    "mount /proc",
    "detach /sys/fs/cgroup/unified",
    "start the program in the namespaces",
};
enum operation { ENDED, UNSHARE_PID, FORK_INIT, UNSHARE_MOUNT, SLAVE, PROC, CGROUP, FORK_PROGRAM };

/* Written once, before there is a second thread. */
static int entered = 0;
static int refusal = 0;
static int refused_operation = 0;

int whittle_namespaces_entered(void) { return entered; }

int whittle_namespaces_refusal(const char **operation) {
    *operation = operations[refused_operation];
    return refusal;
}

/* The signals that are handed down. SIGTSTP and its like are not: the terminal sends them to all three. */
static const int handed_down[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

static void waited_signals(sigset_t *set) {
    sigemptyset(set);
    for (size_t i = 0; i < sizeof handed_down / sizeof *handed_down; i++) sigaddset(set, handed_down[i]);
    sigaddset(set, SIGCHLD);
}

static int asks_to_stop(int signal) {
    return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
}

/* A terminal sends its signals to the whole foreground group, so the program already has them (si_code SI_KERNEL);
 * only what a process sent (SI_USER, SI_QUEUE, SI_TKILL: none positive) was meant for one and is handed down. */
static int sent_by_process(const siginfo_t *info) { return info->si_code <= 0; }

static int detach_unified_cgroup(void) {
    struct statfs status;
    if (statfs("/sys/fs/cgroup", &status) != 0 || (unsigned long)status.f_type != TMPFS_MAGIC) return 0;
    if (statfs("/sys/fs/cgroup/unified", &status) != 0) return 0;
    if ((unsigned long)status.f_type != CGROUP2_SUPER_MAGIC) return 0;
    return umount2("/sys/fs/cgroup/unified", MNT_DETACH);
}

static int set_up_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) return UNSHARE_MOUNT;
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return SLAVE;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return PROC;
    if (detach_unified_cgroup() != 0) return CGROUP;
    return 0;
}

/* A pipe takes so few bytes at once or not at all; nobody to tell where it does not. */
static void send_report(int to, int operation, int value) {
    struct report report = {.operation = operation, .value = value};
    ssize_t written;
    do written = write(to, &report, sizeof report);
    while (written < 0 && errno == EINTR);
}

/* Returns 0 where the other side is gone. */
static int receive_report(int from, struct report *report) {
    ssize_t count;
    do count = read(from, report, sizeof *report);
    while (count < 0 && errno == EINTR);
    return count == sizeof *report;
}

/* PID 1, from the program's start to its end. The kernel kills what is left when it exits. */
static _Noreturn void serve_as_init(pid_t program, int reports) {
    prctl(PR_SET_NAME, "whittle-init");
    sigset_t signals;
    waited_signals(&signals);
    for (;;) {
        siginfo_t info;
        int signal = sigwaitinfo(&signals, &info);
        if (signal < 0) continue;
        if (signal != SIGCHLD) {
            if (sent_by_process(&info)) kill(program, signal);
            continue;
        }
        int status;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended != program) continue;
            send_report(reports, ENDED, status);
            _exit(0);
        }
    }
}

/* The first process in the PID namespace. Returns only in the program. */
static void become_init(int alive, int reports, const sigset_t *original) {
    /* The caller's end before the prctl is seen in the pipe whose other side only the caller has. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pollfd caller = {.fd = alive, .events = POLLIN};
    if (poll(&caller, 1, 0) != 0) _exit(1);
    close(alive);

    int failed = set_up_mounts();
    pid_t program = -1;
    if (failed == 0 && (program = fork()) < 0) failed = FORK_PROGRAM;
    if (failed != 0) {
        send_report(reports, failed, errno);
        _exit(1);
    }
    if (program > 0) {
        send_report(reports, ENDED, 0);
        serve_as_init(program, reports);
    }
    close(reports);
    sigprocmask(SIG_SETMASK, original, NULL);
    entered = 1;
}

/* Ends the caller as the program ended. */
static _Noreturn void end_as(int status) {
    if (WIFSIGNALED(status)) {
        /* The program has left its core already, if one was wanted. */
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        int ending = WTERMSIG(status);
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, ending);
        signal(ending, SIG_DFL);
        kill(getpid(), ending);
        sigprocmask(SIG_UNBLOCK, &only, NULL);
        _exit(128 + ending);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* The caller, from the program's start to its end. */
static _Noreturn void serve_as_caller(pid_t init, int reports) {
    sigset_t signals;
    waited_signals(&signals);
    int requests = 0;
    for (;;) {
        siginfo_t info;
        int signal = sigwaitinfo(&signals, &info);
        if (signal < 0) continue;
        if (signal != SIGCHLD) {
            /* Whoever asks three times does not want to wait for an orderly end; the kernel clears up. */
            if (asks_to_stop(signal) && ++requests >= 3) kill(init, SIGKILL);
            else if (sent_by_process(&info)) kill(init, signal);
            continue;
        }
        int status;
        if (waitpid(init, &status, WNOHANG) != init) continue;
        struct report ending;
        end_as(receive_report(reports, &ending) ? ending.value : status);
    }
}

/* Undoes unshare(CLONE_NEWPID): with a dead PID 1, the caller could start no process any more. */
static void leave_pid_namespace(void) {
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0) return;
    setns(own, CLONE_NEWPID);
    close(own);
}

static int refuse(int operation, int error) {
    refused_operation = operation;
    refusal = error;
    return 0;
}

int whittle_enter_namespaces(void) {
    if (unshare(CLONE_NEWPID) != 0) return refuse(UNSHARE_PID, errno);

    /* Blocked before the first fork, so that no signal falls between the processes. */
    sigset_t signals, original;
    waited_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, &original);

    int alive[2] = {-1, -1}, reports[2] = {-1, -1};
    pid_t init = -1;
    if (pipe2(alive, O_CLOEXEC) == 0 && pipe2(reports, O_CLOEXEC) == 0) init = fork();
    int error = errno;
    if (init == 0) {
        close(alive[1]);
        close(reports[0]);
        become_init(alive[0], reports[1], &original);
        return 1;
    }
    if (alive[0] >= 0) close(alive[0]);
    if (reports[1] >= 0) close(reports[1]);

    struct report start = {.operation = FORK_INIT, .value = error};
    if (init > 0) {
        /* What stands if it ends without a word. */
        start.value = ECHILD;
        /* alive[1] stays open for as long as the caller lives. */
        if (receive_report(reports[0], &start) && start.value == 0) serve_as_caller(init, reports[0]);
        int status;
        while (waitpid(init, &status, 0) < 0 && errno == EINTR) {}
    }
    if (alive[1] >= 0) close(alive[1]);
    if (reports[0] >= 0) close(reports[0]);
    leave_pid_namespace();
    sigprocmask(SIG_SETMASK, &original, NULL);
    return refuse(start.operation, start.value);
}
