/*
 * /dev/gpiochipN and /sys/class/pwm/pwmchipN from user space: a preloaded library that serves the GPIO
 * character device (uAPI v2, <linux/gpio.h>) and the sysfs folders of PWM chips to unmodified programs.
 *
 * Every chip is a server that listens on $EGATE_GPIO_DIR/gpiochipN.sock (SOCK_SEQPACKET: one packet is
 * one message, so nothing here frames or reassembles).
 *
 *   open("/dev/gpiochipN")    connects; the socket is the chip's descriptor and carries its ioctls
 *   ioctl(chip or line, ...)  sends  [u32 request][argument]   receives  [i32 result][argument]
 *   GPIO_V2_GET_LINE_IOCTL    the reply also brings two descriptors (SCM_RIGHTS):
 *                               events  becomes the line's descriptor: one packet is one
 *                                       struct gpio_v2_line_event, so poll() and read() just work
 *                               control carries the ioctls of the line
 *   close(line)               sends [u32 0] first, so that the lines are free when close() returns, as with
 *                             the kernel; when the process dies, the server sees both sockets end
 *
 * A PWM chip listens on $EGATE_GPIO_DIR/pwmchipN.sock; PATH is what follows pwmchipN/, 64 bytes:
 *
 *   open(PATH)                sends  [u32 1][u32 flags][PATH]   receives  [i32 result], then to a reader one
 *                             packet with the text of the attribute and the end of the stream
 *   write(attribute, ...)     sends  [u32 2][text]              receives  [i32 result]
 *   stat(PATH)                sends  [u32 3][u32 0][PATH]       receives  [i32 result], 1 for a folder
 *
 * A result below 0 is -errno. A server that went away is a chip that was unplugged: ENODEV everywhere.
 * Not served: dup() of these descriptors, stat() of anything but PWM folders, the line-info watch, and uAPI v1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define DEVICE_PREFIX "/dev/gpiochip"
#define PWM_PREFIX "/sys/class/pwm/"
#define GET_LINE 0xC250B407u       /* GPIO_V2_GET_LINE_IOCTL */
#define LINE_REQUEST_SIZE 592      /* struct gpio_v2_line_request, the largest argument of the uAPI */
#define LINE_REQUEST_FD 588        /* offset of its member `fd` */
#define LINE_EVENT_SIZE 48         /* struct gpio_v2_line_event */
#define RELEASE 0u                 /* ours: give the lines of this control socket back */
#define PWM_OPEN 1u                /* ours, of a PWM chip */
#define PWM_WRITE 2u
#define PWM_STAT 3u
#define PWM_TEXT 64                /* the longest path below a chip, and the longest text of an attribute */
#define MAX_DESCRIPTOR 4096
#define REPLY_S 5                  /* a simulator that is silent for longer counts as unplugged */

enum kind { FOREIGN, CHIP, LINE, ATTRIBUTE };

/* What we serve, by descriptor. `control` is the socket that answers its ioctls. `owner` opened it: a child
 * that closes what it inherited (and, after vfork, shares this table) must not give the lines back. */
static struct { enum kind kind; int control; pid_t owner; } served[MAX_DESCRIPTOR];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* one exchange at a time */

static int (*real_open)(const char *, int, ...);
static int (*real_open64)(const char *, int, ...);
static int (*real_close)(int);
static int (*real_ioctl)(int, unsigned long, ...);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_stat)(const char *, struct stat *);
static int (*real_stat64)(const char *, struct stat64 *);

/* Also called on demand: another library's constructor may open files before ours has run. */
__attribute__((constructor)) static void find_real_calls(void) {
    if (real_read) return;
    real_open = dlsym(RTLD_NEXT, "open");
    real_open64 = dlsym(RTLD_NEXT, "open64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_ioctl = dlsym(RTLD_NEXT, "ioctl");
    real_write = dlsym(RTLD_NEXT, "write");
    real_stat = dlsym(RTLD_NEXT, "stat");
    real_stat64 = dlsym(RTLD_NEXT, "stat64");
    real_read = dlsym(RTLD_NEXT, "read");
    if (!real_open64) real_open64 = real_open;
}

static int is_served(int fd) { return fd >= 0 && fd < MAX_DESCRIPTOR && served[fd].kind != FOREIGN; }

static int fail(int error) {
    errno = error;
    return -1;
}

/* Connect to the server of a chip. Returns a descriptor, or -1 with ENOENT when there is no such chip. */
static int connect_chip(const char *chip, size_t chip_length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *directory = getenv("EGATE_GPIO_DIR");
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%.*s.sock", directory,
                          (int)chip_length, chip);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) return fail(ENAMETOOLONG);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct timeval patience = {.tv_sec = REPLY_S};
    if (fd >= MAX_DESCRIPTOR || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = fd >= MAX_DESCRIPTOR ? EMFILE : errno == ECONNREFUSED ? ENOENT : errno;
        real_close(fd);
        return fail(error);
    }
    return fd;
}

static int serve(int fd, enum kind kind) {
    served[fd].control = fd;
    served[fd].owner = getpid();
    served[fd].kind = kind;
    return fd;
}

static int open_chip(const char *path) {
    const char *chip = path + strlen("/dev/");
    int fd = connect_chip(chip, strlen(chip));
    return fd < 0 ? fd : serve(fd, CHIP);
}

static int is_chip_path(const char *path) {
    return path && getenv("EGATE_GPIO_DIR") && !strncmp(path, DEVICE_PREFIX, strlen(DEVICE_PREFIX));
}

/* Take the descriptors out of a reply; those beyond two are closed by the kernel (MSG_CTRUNC). */
static int take_descriptors(struct msghdr *message, int fds[2]) {
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return 0;
    int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
    return count;
}

/* One exchange. Returns the server's result, -ENODEV when it is gone; `fds` are -1 where none came. */
static int exchange(int control, uint32_t request, void *argument, size_t size, int fds[2]) {
    int32_t result = 0;
    union { struct cmsghdr align; char space[CMSG_SPACE(2 * sizeof(int))]; } ancillary;
    struct iovec out[2] = {{&request, sizeof request}, {argument, size}};
    struct iovec in[2] = {{&result, sizeof result}, {argument, size}};
    struct msghdr question = {.msg_iov = out, .msg_iovlen = 2};
    struct msghdr answer = {.msg_iov = in, .msg_iovlen = 2, .msg_control = ancillary.space,
                            .msg_controllen = sizeof ancillary.space};
    ssize_t length;

    pthread_mutex_lock(&turn);
    do length = sendmsg(control, &question, MSG_NOSIGNAL);
    while (length < 0 && errno == EINTR);
    if (length >= 0) {
        do length = recvmsg(control, &answer, MSG_CMSG_CLOEXEC);
        while (length < 0 && errno == EINTR);
        /* A late answer must never be taken for the answer to the next question. */
        if (length <= 0) shutdown(control, SHUT_RDWR);
    }
    pthread_mutex_unlock(&turn);

    if (length < (ssize_t)sizeof result) return -ENODEV;
    fds[0] = fds[1] = -1;
    take_descriptors(&answer, fds);
    return result;
}

static void drop(int fds[2]) {
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0) real_close(fds[i]);
}

/* Enter a granted line request under the descriptor that the program will poll and read. */
static int adopt_line(void *argument, int fds[2]) {
    if (fds[0] < 0 || fds[1] < 0 || fds[0] >= MAX_DESCRIPTOR) {
        drop(fds);
        return -EMFILE;
    }
    struct timeval patience = {.tv_sec = REPLY_S};
    setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    served[fds[0]].control = fds[1];
    served[fds[0]].owner = getpid();
    served[fds[0]].kind = LINE;
    memcpy((char *)argument + LINE_REQUEST_FD, &fds[0], sizeof(int32_t));
    return 0;
}

static int is_pwm_path(const char *path) {
    return path && getenv("EGATE_GPIO_DIR") && !strncmp(path, PWM_PREFIX "pwmchip", strlen(PWM_PREFIX "pwmchip"));
}

/* Ask the chip of a path. Returns the connection and sets `result`, or -1 where there is no such chip. */
static int ask_pwm(const char *path, uint32_t question, int flags, int *result) {
    struct { uint32_t flags; char path[PWM_TEXT]; } argument = {.flags = (uint32_t)flags};
    const char *chip = path + strlen(PWM_PREFIX);
    size_t length = strcspn(chip, "/");
    const char *below = chip + length + strspn(chip + length, "/");
    if (strlen(below) >= sizeof argument.path) return fail(ENAMETOOLONG);
    strcpy(argument.path, below);
    int fd = connect_chip(chip, length), fds[2];
    if (fd < 0) return fd;
    *result = exchange(fd, question, &argument, sizeof argument, fds);
    if (*result >= 0) return fd;
    real_close(fd);
    return fail(-*result);
}

static int open_pwm(const char *path, int flags) {
    int result;
    int fd = ask_pwm(path, PWM_OPEN, flags & O_ACCMODE, &result);
    return fd < 0 || (flags & O_ACCMODE) == O_RDONLY ? fd : serve(fd, ATTRIBUTE);
}

/* All that a program wants to know of sysfs is whether a folder is there: our own stands for it. */
static const char *folder_for(const char *path) {
    int result;
    int fd = ask_pwm(path, PWM_STAT, 0, &result);
    if (fd < 0) return NULL;
    real_close(fd);
    if (result) return getenv("EGATE_GPIO_DIR");
    errno = EOPNOTSUPP;
    return NULL;
}

static mode_t mode_of(int flags, va_list *arguments) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(*arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    find_real_calls();
    if (is_chip_path(path)) return open_chip(path);
    if (is_pwm_path(path)) return open_pwm(path, flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, &arguments);
    va_end(arguments);
    return real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    find_real_calls();
    if (is_chip_path(path)) return open_chip(path);
    if (is_pwm_path(path)) return open_pwm(path, flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, &arguments);
    va_end(arguments);
    return real_open64(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) {
    find_real_calls();
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!is_served(fd)) return real_ioctl(fd, request, argument);

    size_t size = _IOC_SIZE(request);
    if (size > LINE_REQUEST_SIZE) return fail(EINVAL);
    int fds[2] = {-1, -1};
    int result = exchange(served[fd].control, (uint32_t)request, argument, size, fds);
    if (result >= 0 && (uint32_t)request == GET_LINE) result = adopt_line(argument, fds);
    else drop(fds);
    return result < 0 ? fail(-result) : result;
}

ssize_t read(int fd, void *buffer, size_t size) {
    find_real_calls();
    if (!is_served(fd) || served[fd].kind != LINE) return real_read(fd, buffer, size);
    if (size < LINE_EVENT_SIZE) return fail(EINVAL);
    ssize_t length = real_read(fd, buffer, size);
    return length == 0 ? fail(ENODEV) : length; /* end of file: the chip was unplugged */
}

ssize_t write(int fd, const void *text, size_t size) {
    find_real_calls();
    if (!is_served(fd) || served[fd].kind != ATTRIBUTE) return real_write(fd, text, size);
    char copy[PWM_TEXT];
    int fds[2];
    if (size > sizeof copy) return fail(EINVAL);
    memcpy(copy, text, size);
    int result = exchange(fd, PWM_WRITE, copy, size, fds);
    return result < 0 ? fail(-result) : (ssize_t)size;
}

int stat(const char *path, struct stat *about) {
    find_real_calls();
    if (is_pwm_path(path) && !(path = folder_for(path))) return -1;
    return real_stat(path, about);
}

int stat64(const char *path, struct stat64 *about) {
    find_real_calls();
    if (is_pwm_path(path) && !(path = folder_for(path))) return -1;
    return real_stat64(path, about);
}

int close(int fd) {
    find_real_calls();
    if (is_served(fd) && served[fd].owner == getpid()) {
        if (served[fd].kind == LINE) {
            int fds[2] = {-1, -1};
            exchange(served[fd].control, RELEASE, NULL, 0, fds);
            real_close(served[fd].control);
        }
        served[fd].kind = FOREIGN;
    }
    return real_close(fd);
}
