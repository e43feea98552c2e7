#define _GNU_SOURCE
#include "CWhittleProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Fills in what every child gets; returns an error number. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const int standard[3]) {
    int error = 0;
    for (int i = 0; i < 3 && error == 0; i++) error = posix_spawn_file_actions_adddup2(actions, standard[i], i);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    sigset_t signals;
    sigemptyset(&signals);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &signals);
    /* Ignored signals stay ignored through exec, and a program does not expect that of SIGPIPE. */
    sigfillset(&signals);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &signals);
    if (error == 0) {
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    return error;
}

pid_t whittle_spawn(const char *path, char *const arguments[], char *const environment[], const int standard[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    pid_t process = -1;
    int error = prepare(&actions, &attributes, standard);
    if (error == 0) error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return process;
    errno = error;
    return -1;
}

/* Runs in the child of vfork, in the memory of the parent: system calls only. Returns an error number. */
static int become(const char *path, char *const arguments[], char *const environment[], const int standard[3],
                  char *const entrances[], const sigset_t *none) {
    for (; *entrances != NULL; entrances++) {
        int group = open(*entrances, O_WRONLY | O_CLOEXEC);
        if (group < 0) return errno;
        if (write(group, "0", 1) != 1) return errno;
        close(group);
    }
    struct sigaction standard_action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard_action, NULL);
    if (setsid() < 0) return errno;
    /* Out of the way of 0, 1 and 2 first, so that none is covered before it is copied. */
    int copies[3];
    for (int i = 0; i < 3; i++) {
        copies[i] = fcntl(standard[i], F_DUPFD, 3);
        if (copies[i] < 0) return errno;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(copies[i], i) < 0) return errno;
    }
    if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0) return errno;
    sigprocmask(SIG_SETMASK, none, NULL);
    execve(path, arguments, environment);
    return errno;
}

pid_t whittle_spawn_inside(const char *path, char *const arguments[], char *const environment[], const int standard[3],
                           char *const entrances[]) {
    sigset_t all, none, before;
    sigfillset(&all);
    sigemptyset(&none);
    /* No handler of this process may run in the child, which has its memory. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    volatile int error = 0;
    pid_t process = vfork();
    if (process == 0) {
        error = become(path, arguments, environment, standard, entrances, &none);
        _exit(127);
    }
    if (process < 0) error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return process;
    if (process > 0) waitpid(process, NULL, 0);
    errno = error;
    return -1;
}

int whittle_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int whittle_pidfd_signal(int process, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
}

/* Status flags belong to each end by itself: the other end still waits. */
static int pipe_with_impatient_end(int ends[2], int impatient) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    if (fcntl(ends[impatient], F_SETFL, O_NONBLOCK) == 0) return 0;
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return -1;
}

int whittle_output_pipe(int ends[2]) { return pipe_with_impatient_end(ends, 0); }

int whittle_input_pipe(int ends[2]) { return pipe_with_impatient_end(ends, 1); }

int whittle_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int whittle_raise_event(int event) { return eventfd_write(event, 1); }
