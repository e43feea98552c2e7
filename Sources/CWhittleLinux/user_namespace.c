#define _GNU_SOURCE
#include "user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* More ranges than anybody is given. */
enum { RANGES = 64 };

struct range {
    unsigned long start;
    unsigned long count;
};

/* Reads the ranges of a user from a file of lines NAME:START:COUNT, where NAME can be a number too; see subuid(5). */
static int read_ranges(const char *path, const char *name, uid_t uid, struct range ranges[RANGES]) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    char number[24];
    snprintf(number, sizeof number, "%lu", (unsigned long)uid);
    char *line = NULL;
    size_t size = 0;
    int count = 0;
    while (count < RANGES && getline(&line, &size, file) > 0) {
        char *end = strchr(line, ':');
        if (end == NULL) continue;
        *end = 0;
        if ((name == NULL || strcmp(line, name) != 0) && strcmp(line, number) != 0) continue;
        struct range range;
        if (sscanf(end + 1, "%lu:%lu", &range.start, &range.count) == 2 && range.count > 0) ranges[count++] = range;
    }
    free(line);
    fclose(file);
    return count;
}

/* Runs `newuidmap` or `newgidmap`: id 0 becomes the user's own, those from 1 on are of the ranges, one after the other.
 * Returns 0, or an errno; EPERM where the program refused, which has said why on standard error. */
static int map(const char *program, pid_t process, unsigned long own, const struct range ranges[], int count) {
    char numbers[RANGES * 3 + 4][24];
    char *arguments[RANGES * 3 + 6];
    int used = 0, argument = 0;
    arguments[argument++] = (char *)program;
    unsigned long next = 1;
    unsigned long first[] = {(unsigned long)process, 0, own, 1};
    for (int i = 0; i < 4; i++) snprintf(numbers[used++], sizeof numbers[0], "%lu", first[i]);
    for (int i = 0; i < count; i++) {
        unsigned long part[] = {next, ranges[i].start, ranges[i].count};
        for (int j = 0; j < 3; j++) snprintf(numbers[used++], sizeof numbers[0], "%lu", part[j]);
        next += ranges[i].count;
    }
    for (int i = 0; i < used; i++) arguments[argument++] = numbers[i];
    arguments[argument] = NULL;

    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(program, arguments);
        _exit(errno == ENOENT ? 127 : 126);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    if (!WIFEXITED(status)) return EPERM;
    return WEXITSTATUS(status) == 0 ? 0 : WEXITSTATUS(status) == 127 ? ENOENT : EPERM;
}

pid_t fork_into_user_namespace(void) {
    /* As fork(2) does it, with namespaces; there is one thread, so no lock of the C library can be held. */
    return (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
}

enum mapping_failure map_user_namespace(pid_t process, int *error) {
    uid_t uid = geteuid();
    struct passwd *entry = getpwuid(uid);
    const char *name = entry == NULL ? NULL : entry->pw_name;
    struct range users[RANGES], groups[RANGES];
    int user_count = read_ranges("/etc/subuid", name, uid, users);
    int group_count = read_ranges("/etc/subgid", name, uid, groups);
    *error = ENOENT;
    if (user_count == 0 || group_count == 0) return NO_RANGES;
    *error = map("newuidmap", process, uid, users, user_count);
    if (*error == 0) *error = map("newgidmap", process, getegid(), groups, group_count);
    if (*error == 0) return MAPPED;
    return *error == ENOENT ? NO_PROGRAM : REFUSED;
}
