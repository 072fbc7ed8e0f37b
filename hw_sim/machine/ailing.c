/*
 * A machine that fails below an unmodified program: a preloaded library that falsifies what the kernel says of
 * the wall clock, and of the disk below one folder. Nothing of the machine itself is changed.
 *
 *   $EGATE_AILING         a file of one `struct ailment`, shared with the simulator, which writes it at any time
 *   $EGATE_AILING_FOLDER  the folder (absolute, without links) whose disk ails
 *
 * The wall clock: CLOCK_REALTIME, gettimeofday() and time() are `clock_ns` ahead. Other clocks go on as they do.
 * The disk: FULL refuses what writes with ENOSPC; READ_ONLY also refuses to open for writing, with EROFS, as
 * after a remount on errors; fsync() and fdatasync() take `sync_ms` longer; statvfs() says what a file system in
 * that condition says. What is mapped into memory is not reached (SQLite maps only its index of the log).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum disk { WELL, FULL, READ_ONLY };

static struct ailment {
    int64_t clock_ns;
    int64_t free_bytes; /* below 0: as much as there is */
    int32_t disk;
    int32_t sync_ms;
} none = {.free_bytes = -1};

static volatile struct ailment *ailing = &none;
static char folder[4096];
static size_t folder_length;

#define CALLS(call) \
    call(int, clock_gettime, (clockid_t, struct timespec *)) \
    call(int, gettimeofday, (struct timeval *, void *)) \
    call(int, open, (const char *, int, ...)) \
    call(int, open64, (const char *, int, ...)) \
    call(ssize_t, write, (int, const void *, size_t)) \
    call(ssize_t, pwrite, (int, const void *, size_t, off_t)) \
    call(ssize_t, pwrite64, (int, const void *, size_t, off64_t)) \
    call(int, ftruncate, (int, off_t)) \
    call(int, ftruncate64, (int, off64_t)) \
    call(int, fsync, (int)) \
    call(int, fdatasync, (int)) \
    call(int, statvfs, (const char *, struct statvfs *)) \
    call(int, statvfs64, (const char *, struct statvfs64 *))

#define DECLARE(type, name, arguments) static type (*real_##name) arguments;
CALLS(DECLARE)

/* Also called on demand: another library's constructor may call before ours has run. */
__attribute__((constructor)) static void begin(void) {
    static int begun;
    if (begun) return;
    begun = 1;
#define FIND(type, name, arguments) real_##name = (type (*) arguments)dlsym(RTLD_NEXT, #name);
    CALLS(FIND)
    const char *page = getenv("EGATE_AILING"), *below = getenv("EGATE_AILING_FOLDER");
    if (!page || !below || strlen(below) >= sizeof folder) return;
    int fd = real_open(page, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED) return;
    folder_length = strlen(strcpy(folder, below));
    ailing = shared;
}

static int fail(int error) {
    errno = error;
    return -1;
}

static int below_folder(const char *path) {
    return folder_length && !strncmp(path, folder, folder_length) &&
           (path[folder_length] == '/' || !path[folder_length]);
}

static int ails(int fd) {
    char link[64], path[sizeof folder + 256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below_folder(path);
}

/* The errno with which a disk in this condition refuses to write, or 0. */
static int refusal(int fd) {
    int32_t disk = ailing->disk;
    if (disk == WELL) return 0;
    int kept = errno, error = ails(fd) ? (disk == FULL ? ENOSPC : EROFS) : 0;
    errno = kept;
    return error;
}

/* --- the clock -------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now) {
    begin();
    int result = real_clock_gettime(clock, now);
    int64_t ahead = ailing->clock_ns;
    if (result || !ahead || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
    int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + ahead;
    now->tv_sec = ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (out) *out = exact.tv_sec;
    return exact.tv_sec;
}

/* --- the disk --------------------------------------------------------------------------------------- */

static int may_open(const char *path, int flags) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    return !(writes && ailing->disk == READ_ONLY && path && below_folder(path));
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        begin(); \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments); \
        return may_open(path, flags) ? real_##name(path, flags, mode) : fail(EROFS); \
    }

OPEN(open)
OPEN(open64)

#define WRITING(type, name, parameters, ...) \
    type name parameters { \
        begin(); \
        int error = refusal(fd); \
        return error ? fail(error) : real_##name(__VA_ARGS__); \
    }

WRITING(ssize_t, write, (int fd, const void *data, size_t size), fd, data, size)
WRITING(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
WRITING(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
WRITING(int, ftruncate, (int fd, off_t size), fd, size)
WRITING(int, ftruncate64, (int fd, off64_t size), fd, size)

static void dawdle(int fd) {
    int32_t ms = ailing->sync_ms;
    if (ms <= 0 || !ails(fd)) return;
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

int fsync(int fd) {
    begin();
    dawdle(fd);
    return real_fsync(fd);
}

int fdatasync(int fd) {
    begin();
    dawdle(fd);
    return real_fdatasync(fd);
}

#define STATVFS(name, type) \
    int name(const char *restrict path, struct type *restrict found) { \
        begin(); \
        int result = real_##name(path, found); \
        if (result || !path || !below_folder(path)) return result; \
        if (ailing->disk == READ_ONLY) found->f_flag |= ST_RDONLY; \
        int64_t left = ailing->disk == FULL ? 0 : ailing->free_bytes; \
        if (left >= 0) found->f_bavail = (fsblkcnt_t)(left / (int64_t)found->f_frsize); \
        return 0; \
    }

STATVFS(statvfs, statvfs)
STATVFS(statvfs64, statvfs64)
