/*
 * The least that a server of tokens can do: one counter, a queue of blocked reads, a list of pollers.
 * It knows no clients, so it gives each token to whoever is first and never gets back what a dead
 * process held. What steve costs beyond it is the price of the rest.
 *
 * usage: floor cuse NAME TOKENS     serves /dev/NAME
 *        floor fuse FILE TOKENS     mounts itself on FILE
 *
 * Says "floor running" once it serves; ends at SIGTERM. Poll, read and write for each request: whoever
 * has signals and exits to wait for as well cannot do with less. An answer is a writev of header and
 * body, as libfuse sends its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOM = 8192 };

static int channel;
static unsigned long tokens;
static const char *mounted;

static uint64_t reads[ROOM]; /* blocked ones, a ring */
static unsigned first, blocked;
static uint64_t handles[ROOM]; /* of those who poll */
static unsigned polling;

static void end(int signal)
{
    (void)signal;
    if (mounted)
        umount2(mounted, MNT_DETACH);
    _exit(0);
}

static void fail(const char *what)
{
    perror(what);
    if (mounted)
        umount2(mounted, MNT_DETACH);
    exit(1);
}

static void send_out(uint64_t unique, int code, const void *body, size_t size)
{
    struct fuse_out_header head = {.len = sizeof head + size, .error = code, .unique = unique};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)body, size}};

    /* Fails where the caller has gone, which a floor does not care about. */
    (void)!writev(channel, parts, size ? 2 : 1);
}

#define answer(head, body) send_out((head)->unique, 0, &(body), sizeof(body))

static void give(uint64_t unique)
{
    tokens--;
    send_out(unique, 0, "+", 1);
}

/* Tokens have come back: to the blocked first, then everybody who polls may try. */
static void hand_on(void)
{
    for (; tokens && blocked; blocked--, first = (first + 1) % ROOM)
        if (reads[first])
            give(reads[first]);
    if (!tokens)
        return;
    while (polling) {
        struct fuse_notify_poll_wakeup_out wake = {.kh = handles[--polling]};
        send_out(0, FUSE_NOTIFY_POLL, &wake, sizeof wake);
    }
}

static void on_read(const struct fuse_in_header *head, const struct fuse_read_in *in)
{
    if (tokens)
        give(head->unique);
    else if (in->flags & O_NONBLOCK)
        send_out(head->unique, -EAGAIN, NULL, 0);
    else if (blocked == ROOM)
        send_out(head->unique, -ENOMEM, NULL, 0);
    else
        reads[(first + blocked++) % ROOM] = head->unique;
}

static void on_poll(const struct fuse_in_header *head, const struct fuse_poll_in *in)
{
    struct fuse_poll_out out = {.revents = POLLOUT | (tokens ? POLLIN : 0)};

    if (!tokens && in->flags & FUSE_POLL_SCHEDULE_NOTIFY && polling < ROOM)
        handles[polling++] = in->kh;
    answer(head, out);
}

static void on_interrupt(uint64_t unique)
{
    for (unsigned i = 0; i < blocked; i++) {
        uint64_t *read = &reads[(first + i) % ROOM];
        if (*read == unique) {
            *read = 0;
            send_out(unique, -EINTR, NULL, 0);
        }
    }
}

static void on_cuse_init(const struct fuse_in_header *head, const char *name)
{
    struct {
        struct cuse_init_out init;
        char info[256];
    } out = {.init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_read = 4096, .max_write = 4096}};
    int size = snprintf(out.info, sizeof out.info, "DEVNAME=%s", name) + 1;

    send_out(head->unique, 0, &out, sizeof out.init + size);
}

static void serve_one(const struct fuse_in_header *head, const char *name)
{
    const void *body = head + 1;

    switch (head->opcode) {
    case CUSE_INIT:
        on_cuse_init(head, name);
        break;
    case FUSE_INIT: {
        struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
        answer(head, out);
        break;
    }
    case FUSE_GETATTR: {
        struct fuse_attr_out out = {.attr_valid = 3600, .attr = {.ino = 1, .mode = S_IFREG | 0666, .nlink = 1}};
        answer(head, out);
        break;
    }
    case FUSE_OPEN: {
        struct fuse_open_out out = {.open_flags = mounted ? FOPEN_DIRECT_IO | FOPEN_STREAM : 0};
        answer(head, out);
        break;
    }
    case FUSE_READ:
        on_read(head, body);
        break;
    case FUSE_WRITE: {
        struct fuse_write_out out = {.size = ((const struct fuse_write_in *)body)->size};
        tokens += out.size;
        answer(head, out);
        hand_on();
        break;
    }
    case FUSE_POLL:
        on_poll(head, body);
        break;
    case FUSE_INTERRUPT:
        on_interrupt(((const struct fuse_interrupt_in *)body)->unique);
        break;
    case FUSE_RELEASE:
        send_out(head->unique, 0, NULL, 0);
        break;
    default:
        send_out(head->unique, -ENOSYS, NULL, 0);
    }
}

/* Waits for one request and serves it. */
static void round_of(const char *name)
{
    static char buffer[FUSE_MIN_READ_BUFFER] __attribute__((aligned(8)));
    struct pollfd ready = {.fd = channel, .events = POLLIN};

    if (poll(&ready, 1, -1) < 0 && errno != EINTR)
        fail("poll");
    if (read(channel, buffer, sizeof buffer) > 0)
        serve_one((const void *)buffer, name);
    else if (errno != EAGAIN && errno != EINTR && errno != ENOENT)
        fail("read");
}

int main(int argc, char **argv)
{
    int fuse = argc == 4 && !strcmp(argv[1], "fuse");

    if (argc != 4 || (!fuse && strcmp(argv[1], "cuse"))) {
        fprintf(stderr, "usage: floor cuse|fuse NAME TOKENS\n");
        return 2;
    }
    tokens = strtoul(argv[3], NULL, 10);
    signal(SIGTERM, end);
    channel = open(fuse ? "/dev/fuse" : "/dev/cuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (channel < 0)
        fail("open");
    if (fuse) {
        char options[128];
        snprintf(options, sizeof options, "fd=%d,rootmode=100666,user_id=0,group_id=0,allow_other", channel);
        if (mount("floor", argv[2], "fuse", MS_NOSUID | MS_NODEV, options))
            fail("mount");
        mounted = argv[2];
    }
    round_of(argv[2]); /* the introduction, after which it stands */
    puts("floor running");
    fflush(stdout);
    for (;;)
        round_of(argv[2]);
}
