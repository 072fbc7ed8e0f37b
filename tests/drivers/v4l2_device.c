/* A V4L2 camera of 16 bits a pixel for tests: preloaded, it answers for the device "/dev/video77".
 *
 * The environment says how it behaves: EGATE_V4L2_FORMATS what it offers ("Z16 Y16 MJPG", in its own order; a
 * format that it does not offer is replaced by its first one, as the kernel lets drivers do), _ROW how many
 * spare bytes a row has, _FRAMES after how many frames it is unplugged, _SILENT after how many it sends none,
 * _BROKEN that each other frame is marked as broken, _AGE the milliseconds for which the kernel has had a frame
 * when it is taken (without it, frames bear no time). A pixel is 7 * its number + 1000 * the frame's number.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/video77"
#define MOST 4
#define APART 0x1000000

static int device = -1, sent, queued[MOST], waiting;
static uint32_t width = 640, height = 360, format;
static unsigned char *memory[MOST];

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static int number(const char *name, int otherwise)
{
    const char *value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static const char *offered(void)
{
    const char *value = getenv("EGATE_V4L2_FORMATS");
    return value ? value : "Z16 ";
}

static uint32_t code(const char *name)
{
    return v4l2_fourcc(name[0], name[1], name[2], name[3]);
}

static uint32_t row_bytes(void) { return 2 * width + number("EGATE_V4L2_ROW", 0); }

static int refuse(int why)
{
    errno = why;
    return -1;
}

static int opened(const char *path, int flags, mode_t mode)
{
    int fd = REAL("open", int (*)(const char *, int, ...))(strcmp(path, DEVICE) ? path : "/dev/zero", flags, mode);
    if (!strcmp(path, DEVICE))
        device = fd;
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened(path, flags, mode);
}

static void *mapped(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off_t) =
        REAL("mmap", void *(*)(void *, size_t, int, int, int, off_t));
    if (fd < 0 || fd != device)
        return real(at, length, protection, flags, fd, offset);
    void *here = real(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memory[offset / APART] = here;
    return here;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mapped(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mapped(at, length, protection, flags, fd, offset);
}

int select(int count, fd_set *readable, fd_set *writable, fd_set *odd, struct timeval *timeout)
{
    if (device < 0 || !readable || count != device + 1 || !FD_ISSET(device, readable))
        return REAL("select", int (*)(int, fd_set *, fd_set *, fd_set *, struct timeval *))(
            count, readable, writable, odd, timeout);
    int silent = sent >= number("EGATE_V4L2_SILENT", 1 << 30);
    if (silent)
        return REAL("select", int (*)(int, fd_set *, fd_set *, fd_set *, struct timeval *))(
            0, NULL, NULL, NULL, timeout);
    usleep(20000);
    return 1;
}

static void agree(struct v4l2_pix_format *pix)
{
    const char *all = offered();
    uint32_t given = code(all);
    for (const char *each = all; strlen(each) >= 4; each += 4)
        if (code(each) == pix->pixelformat)
            given = code(each);
    format = given;
    *pix = (struct v4l2_pix_format){.width = width, .height = height, .pixelformat = given,
        .field = V4L2_FIELD_NONE, .bytesperline = row_bytes(), .sizeimage = row_bytes() * height};
}

static int give(struct v4l2_buffer *buffer)
{
    if (sent >= number("EGATE_V4L2_FRAMES", 1 << 30))
        return refuse(ENODEV);
    if (!waiting)
        return refuse(EAGAIN);
    int index = queued[0];
    memmove(queued, queued + 1, --waiting * sizeof *queued);
    for (uint32_t y = 0; y < height; y++) {
        uint16_t *row = (uint16_t *)(memory[index] + y * row_bytes());
        for (uint32_t x = 0; x < width; x++)
            row[x] = (uint16_t)(7 * (y * width + x) + 1000 * sent);
    }
    buffer->index = index;
    buffer->bytesused = buffer->length = row_bytes() * height;
    buffer->flags = number("EGATE_V4L2_BROKEN", 0) && sent % 2 == 0 ? V4L2_BUF_FLAG_ERROR : 0;
    int age_ms = number("EGATE_V4L2_AGE", -1);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t got_us = now.tv_sec * 1000000ll + now.tv_nsec / 1000 - age_ms * 1000ll;
    buffer->timestamp.tv_sec = age_ms < 0 ? 0 : got_us / 1000000;
    buffer->timestamp.tv_usec = age_ms < 0 ? 0 : got_us % 1000000;
    sent++;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *given = va_arg(more, void *);
    va_end(more);
    if (fd < 0 || fd != device)
        return REAL("ioctl", int (*)(int, unsigned long, ...))(fd, request, given);
    struct v4l2_buffer *buffer = given;
    switch ((uint32_t)request) {
    case VIDIOC_QUERYCAP:
        memset(given, 0, sizeof(struct v4l2_capability));
        ((struct v4l2_capability *)given)->capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        ((struct v4l2_capability *)given)->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    case VIDIOC_ENUMINPUT:
        return ((struct v4l2_input *)given)->index ? refuse(EINVAL) : 0;
    case VIDIOC_G_INPUT:
    case VIDIOC_S_INPUT:
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
        return 0;
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
        agree(&((struct v4l2_format *)given)->fmt.pix);
        return 0;
    case VIDIOC_REQBUFS:
        waiting = 0;
        if (((struct v4l2_requestbuffers *)given)->count > MOST)
            ((struct v4l2_requestbuffers *)given)->count = MOST;
        return 0;
    case VIDIOC_QUERYBUF:
        if (buffer->index >= MOST)
            return refuse(EINVAL);
        buffer->length = row_bytes() * height;
        buffer->m.offset = buffer->index * APART;
        return 0;
    case VIDIOC_QBUF:
        if (buffer->index >= MOST || waiting >= MOST || buffer->memory != V4L2_MEMORY_MMAP)
            return refuse(EINVAL);
        queued[waiting++] = buffer->index;
        return 0;
    case VIDIOC_DQBUF:
        return give(buffer);
    default:
        return refuse(EINVAL);
    }
}
