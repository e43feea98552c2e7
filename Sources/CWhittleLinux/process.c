#define _GNU_SOURCE
#include "CWhittleProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
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
