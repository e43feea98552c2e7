/* A library to be preloaded: makes one system call that changes a file fail, in one program.
 *
 * FAULT_PROGRAM  the program in which calls are counted: its path as /proc/self/exe shows it
 * FAULT_COUNTER  a file of 8 bytes that all processes of the program share: how many calls were made so far
 * FAULT_LOG      where to note the call that was made to fail (optional)
 * FAULT_AT       the number of the call that fails, counted from 1; 0 only counts
 * FAULT_KIND     ENOSPC, EIO, EINTR, or SHORT: the call does half of its work
 * FAULT_STAYS    set: all calls from that number on fail
 *
 * Counted are calls that write to regular files and directories, of the program itself and of the libraries that it loads,
 * SQLite among them. Not counted are those on terminals, pipes, /dev, /proc and /sys.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic uint64_t *counter;
static uint64_t target;
static int failure; /* an errno; 0 for a short write */
static int stays;
static const char *log_path;

__attribute__((constructor)) static void begin(void) {
    const char *program = getenv("FAULT_PROGRAM"), *path = getenv("FAULT_COUNTER"), *kind = getenv("FAULT_KIND");
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (!program || !path || length <= 0) return;
    self[length] = 0;
    if (strcmp(self, program) != 0) return;
    const char *at = getenv("FAULT_AT");
    target = at ? strtoull(at, NULL, 10) : 0;
    stays = getenv("FAULT_STAYS") != NULL;
    log_path = getenv("FAULT_LOG");
    if (kind && strcmp(kind, "ENOSPC") == 0) failure = ENOSPC;
    if (kind && strcmp(kind, "EIO") == 0) failure = EIO;
    if (kind && strcmp(kind, "EINTR") == 0) failure = EINTR;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *memory = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) counter = memory;
}

static void note(const char *name, const char *subject, uint64_t number) {
    if (!log_path) return;
    char text[4400];
    int length = snprintf(text, sizeof text, "%llu %s %s\n", (unsigned long long)number, name, subject);
    long file = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (file < 0) return;
    syscall(SYS_write, file, text, length);
    syscall(SYS_close, file);
}

/* Whether this call is the one that fails. */
static int strikes(const char *name, const char *subject) {
    uint64_t number = atomic_fetch_add(counter, 1) + 1;
    if (target == 0 || number < target || (number > target && !stays)) return 0;
    if (number == target) note(name, subject, number);
    return 1;
}

static int is_counted_path(const char *path) {
    if (!counter || !path) return 0;
    return strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0;
}

static int is_counted_file(int file, char *shown, size_t room) {
    struct stat status;
    if (!counter || fstat(file, &status) != 0) return 0;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, shown, room - 1);
    shown[length < 0 ? 0 : length] = 0;
    return is_counted_path(shown);
}

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

/* A call about a path that fails as a whole, or not at all. */
#define PATH_CALL(name, path, call) \
    if (is_counted_path(path) && failure && strikes(#name, path)) { errno = failure; return -1; } \
    return call

/* A call about an open file that fails as a whole, or not at all. */
#define FILE_CALL(name, file, call) \
    char shown[4096]; \
    if (failure && is_counted_file(file, shown, sizeof shown) && strikes(#name, shown)) { errno = failure; return -1; } \
    return call

/* A call that moves `count` bytes. */
#define MOVE_CALL(name, file, count, call) \
    char shown[4096]; \
    if (is_counted_file(file, shown, sizeof shown) && strikes(#name, shown)) { \
        if (failure) { errno = failure; return -1; } \
        if ((count) > 1) (count) /= 2; \
    } \
    return call

ssize_t write(int file, const void *bytes, size_t count) { MOVE_CALL(write, file, count, REAL(write)(file, bytes, count)); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    MOVE_CALL(pwrite, file, count, REAL(pwrite)(file, bytes, count, offset));
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    MOVE_CALL(pwrite64, file, count, REAL(pwrite64)(file, bytes, count, offset));
}
ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *end, size_t count, unsigned flags) {
    MOVE_CALL(copy_file_range, to, count, REAL(copy_file_range)(from, start, to, end, count, flags));
}
ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    MOVE_CALL(sendfile, to, count, REAL(sendfile)(to, from, offset, count));
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
    MOVE_CALL(sendfile64, to, count, REAL(sendfile64)(to, from, offset, count));
}

int fsync(int file) { FILE_CALL(fsync, file, REAL(fsync)(file)); }
int fdatasync(int file) { FILE_CALL(fdatasync, file, REAL(fdatasync)(file)); }
int ftruncate(int file, off_t size) { FILE_CALL(ftruncate, file, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { FILE_CALL(ftruncate64, file, REAL(ftruncate64)(file, size)); }
int fchmod(int file, mode_t mode) { FILE_CALL(fchmod, file, REAL(fchmod)(file, mode)); }
int fchown(int file, uid_t uid, gid_t gid) { FILE_CALL(fchown, file, REAL(fchown)(file, uid, gid)); }
int futimens(int file, const struct timespec times[2]) { FILE_CALL(futimens, file, REAL(futimens)(file, times)); }
int fsetxattr(int file, const char *name, const void *value, size_t size, int flags);
int fsetxattr(int file, const char *name, const void *value, size_t size, int flags) {
    FILE_CALL(fsetxattr, file, REAL(fsetxattr)(file, name, value, size, flags));
}

int rename(const char *from, const char *to) { PATH_CALL(rename, to, REAL(rename)(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { PATH_CALL(renameat, to, REAL(renameat)(a, from, b, to)); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    PATH_CALL(renameat2, to, REAL(renameat2)(a, from, b, to, flags));
}
int mkdir(const char *path, mode_t mode) { PATH_CALL(mkdir, path, REAL(mkdir)(path, mode)); }
int mkdirat(int at, const char *path, mode_t mode) { PATH_CALL(mkdirat, path, REAL(mkdirat)(at, path, mode)); }
int link(const char *from, const char *to) { PATH_CALL(link, to, REAL(link)(from, to)); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    PATH_CALL(linkat, to, REAL(linkat)(a, from, b, to, flags));
}
int symlink(const char *target_path, const char *path) { PATH_CALL(symlink, path, REAL(symlink)(target_path, path)); }
int symlinkat(const char *target_path, int at, const char *path) {
    PATH_CALL(symlinkat, path, REAL(symlinkat)(target_path, at, path));
}
int mknodat(int at, const char *path, mode_t mode, dev_t device) {
    PATH_CALL(mknodat, path, REAL(mknodat)(at, path, mode, device));
}
int fchmodat(int at, const char *path, mode_t mode, int flags) {
    PATH_CALL(fchmodat, path, REAL(fchmodat)(at, path, mode, flags));
}
int fchownat(int at, const char *path, uid_t uid, gid_t gid, int flags) {
    PATH_CALL(fchownat, path, REAL(fchownat)(at, path, uid, gid, flags));
}
int utimensat(int at, const char *path, const struct timespec times[2], int flags) {
    PATH_CALL(utimensat, path, REAL(utimensat)(at, path, times, flags));
}
int unlink(const char *path) { PATH_CALL(unlink, path, REAL(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) { PATH_CALL(unlinkat, path, REAL(unlinkat)(at, path, flags)); }
int rmdir(const char *path) { PATH_CALL(rmdir, path, REAL(rmdir)(path)); }

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name, parameters, call) \
    int name parameters { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = mode_of(flags, arguments); \
        va_end(arguments); \
        if ((flags & O_CREAT) && failure && is_counted_path(path) && strikes(#name, path)) { errno = failure; return -1; } \
        return call; \
    }

OPEN(open, (const char *path, int flags, ...), REAL(open)(path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), REAL(open64)(path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), REAL(openat)(at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), REAL(openat64)(at, path, flags, mode))

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long);
    long e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2 && counter && failure) {
        const struct open_how *how = (const struct open_how *)c;
        if ((how->flags & O_CREAT) && is_counted_path((const char *)b) && strikes("openat2", (const char *)b)) {
            errno = failure;
            return -1;
        }
    }
    return REAL(syscall)(number, a, b, c, d, e, f);
}
