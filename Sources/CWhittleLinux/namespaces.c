#define _GNU_SOURCE
#include "CWhittleNamespaces.h"
#include "user_namespace.h"

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
#include <termios.h>
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
    "create a user namespace",
    "find user ids to use in /etc/subuid and /etc/subgid",
    "run newuidmap and newgidmap",
    "give the user namespace its ids",
};
enum operation {
    ENDED, UNSHARE_PID, FORK_INIT, UNSHARE_MOUNT, SLAVE, PROC, CGROUP, FORK_PROGRAM, FORK_USER, RANGES, MAP_PROGRAM, MAP
};

/* Written once, before there is a second thread. */
static int entered = 0;
static int refusal = 0;
static int refused_operation = 0;
static int is_rootless = 0;
static uid_t outer_user = (uid_t)-1;

int whittle_namespaces_entered(void) { return entered; }

int whittle_namespaces_refusal(const char **operation) {
    *operation = operations[refused_operation];
    return refusal;
}

uid_t whittle_outer_user(void) { return outer_user == (uid_t)-1 ? geteuid() : outer_user; }

enum whittle_namespaces_obstacle whittle_namespaces_obstacle(void) {
    switch (refused_operation) {
        case FORK_USER: return WHITTLE_USER_NAMESPACES_FORBIDDEN;
        case RANGES: return WHITTLE_NO_SUBORDINATE_IDS;
        case MAP_PROGRAM: return WHITTLE_NO_UIDMAP;
        case MAP: return WHITTLE_UIDMAP_REFUSED;
        default: return is_rootless ? WHITTLE_USER_NAMESPACES_FORBIDDEN : WHITTLE_OTHER_OBSTACLE;
    }
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
    /* What came from another user namespace cannot be unmounted alone. */
    if (is_rootless) return mount("tmpfs", "/sys/fs/cgroup", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755");
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

/* The first process in the PID namespace. Returns only in the program. `mapped` is -1, or gives a byte once the user
 * namespace has its ids. */
static void become_init(int alive, int mapped, int reports, const sigset_t *original) {
    /* The caller's end before the prctl is seen in the pipe whose other side only the caller has. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pollfd caller = {.fd = alive, .events = POLLIN};
    if (poll(&caller, 1, 0) != 0) _exit(1);
    close(alive);
    if (mapped >= 0) {
        char byte;
        ssize_t count;
        do count = read(mapped, &byte, 1);
        while (count < 0 && errno == EINTR);
        if (count != 1) _exit(1);
        close(mapped);
    }

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

/* The modes of the terminal, where standard input is one. Kept for a program that is killed while it has changed them. */
static struct termios terminal;
static int has_terminal = 0;

static void restore_terminal(void) {
    /* In the background, the terminal is somebody else's by now. */
    if (!has_terminal || tcgetpgrp(STDIN_FILENO) != getpgrp()) return;
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

/* Ends the caller as the program ended. */
static _Noreturn void end_as(int status) {
    if (WIFSIGNALED(status)) {
        restore_terminal();
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

/* Gives the child its ids and lets it go on. */
static int let_go(pid_t init, int mapped) {
    int error = 0;
    switch (map_user_namespace(init, &error)) {
        case NO_RANGES: return refuse(RANGES, error);
        case NO_PROGRAM: return refuse(MAP_PROGRAM, error);
        case REFUSED: return refuse(MAP, error);
        case MAPPED: break;
    }
    char byte = 1;
    return write(mapped, &byte, 1) == 1 ? 1 : refuse(FORK_INIT, errno);
}

static void close_pipe(int ends[2]) {
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) close(ends[i]);
    }
}

/* Starts PID 1, in a user namespace too where this process may make no other. Returns 1 in the program; for the caller only
 * where it failed. */
static int start_init(const sigset_t *original) {
    int alive[2] = {-1, -1}, reports[2] = {-1, -1}, mapped[2] = {-1, -1};
    pid_t init = -1;
    if (pipe2(alive, O_CLOEXEC) == 0 && pipe2(reports, O_CLOEXEC) == 0 && (!is_rootless || pipe2(mapped, O_CLOEXEC) == 0))
        init = is_rootless ? fork_into_user_namespace() : fork();
    int error = errno;
    if (init == 0) {
        close(alive[1]);
        close(reports[0]);
        if (mapped[1] >= 0) close(mapped[1]);
        become_init(alive[0], mapped[0], reports[1], original);
        return 1;
    }
    int failed = 1;
    if (init < 0) {
        refuse(is_rootless ? FORK_USER : FORK_INIT, error);
    } else {
        close(alive[0]);
        close(reports[1]);
        alive[0] = reports[1] = -1;
        failed = is_rootless && !let_go(init, mapped[1]);
        /* Without its byte the child ends. */
        close_pipe(mapped);
        mapped[0] = mapped[1] = -1;
        /* ECHILD is what stands if it ends without a word. */
        struct report start = {.operation = FORK_INIT, .value = ECHILD};
        /* alive[1] stays open for as long as the caller lives. */
        if (!failed && receive_report(reports[0], &start) && start.value == 0) serve_as_caller(init, reports[0]);
        int status;
        while (waitpid(init, &status, 0) < 0 && errno == EINTR) {}
        if (!failed) refuse(start.operation, start.value);
    }
    close_pipe(alive);
    close_pipe(reports);
    close_pipe(mapped);
    return 0;
}

int whittle_enter_namespaces(void) {
    outer_user = geteuid();
    if (unshare(CLONE_NEWPID) != 0) {
        if (errno != EPERM || outer_user == 0) return refuse(UNSHARE_PID, errno);
        is_rootless = 1;
    }
    has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;

    /* Blocked before the first fork, so that no signal falls between the processes. */
    sigset_t signals, original;
    waited_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, &original);
    if (start_init(&original)) return 1;
    if (!is_rootless) leave_pid_namespace();
    sigprocmask(SIG_SETMASK, &original, NULL);
    return 0;
}
