/*
 * Clients of a jobserver that time what they see, in nanoseconds. Each way prints JSON on one line.
 *
 * usage: client trip ROUNDS US FILE...         one blocking client reads and writes a token, for so long
 *                                              on each FILE in turn: a list for each, a figure a round
 *        client herd CLIENTS MS HOLD_US FILE   clients that poll, as GNU make does, and hold each token
 *        client pass COUNT FILE                from a token's return to the read that waited for it
 *        client kill COUNT FILE                from a holder's SIGKILL to the read that waited
 *        client crowd CLIENTS take|hold FILE   live clients that do nothing more: each has taken and
 *                                              returned a token, or holds it and polls two open files;
 *                                              says "ready", and goes at the end of its input
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long nanoseconds;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static nanoseconds now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void nap_until(nanoseconds time)
{
    struct timespec t = {time / 1000000000, time % 1000000000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void nap(nanoseconds time)
{
    nap_until(now() + time);
}

static int open_pool(const char *file, int flags)
{
    int fd = open(file, O_RDWR | O_CLOEXEC | flags);

    if (fd < 0)
        fail(file);
    return fd;
}

static char take(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1)
        fail("read");
    return byte;
}

static void give(int fd, char byte)
{
    if (write(fd, &byte, 1) != 1)
        fail("write");
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

/* As fork(2), but the child goes when its parent does. */
static pid_t fork_client(void)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (!pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void print_list(const nanoseconds *figures, int count, const char *end)
{
    putchar('[');
    for (int i = 0; i < count; i++)
        printf("%s%llu", i ? "," : "", figures[i]);
    printf("]%s", end);
}

/* What a token's way out and back takes, over so much time. */
static nanoseconds trip_for(int fd, nanoseconds time)
{
    nanoseconds start = now(), end;
    long pairs = 0;

    do {
        for (int i = 0; i < 5; i++, pairs++)
            give(fd, take(fd));
        end = now();
    } while (end < start + time);
    return (end - start) / pairs;
}

static int trip(int rounds, int us, int files, char **file)
{
    int fd[files];
    nanoseconds *figures = shared(sizeof *figures * files * rounds);

    for (int f = 0; f < files; f++)
        fd[f] = open_pool(file[f], 0);
    for (int r = 0; r < rounds; r++)
        for (int f = 0; f < files; f++) {
            trip_for(fd[f], us * 200ULL); /* the server wakes up and warms its caches */
            figures[f * rounds + r] = trip_for(fd[f], us * 1000ULL);
        }
    putchar('[');
    for (int f = 0; f < files; f++)
        print_list(figures + f * rounds, rounds, f < files - 1 ? "," : "]\n");
    return 0;
}

/* What one client of a herd has seen. */
struct tally {
    long tokens, failed, switches;
};

static void herd_client(const char *file, nanoseconds from, nanoseconds until, nanoseconds hold, struct tally *tally)
{
    int fd = open_pool(file, O_NONBLOCK);
    struct rusage before, after;

    prctl(PR_SET_TIMERSLACK, 1);
    nap_until(from);
    getrusage(RUSAGE_SELF, &before);
    while (now() < until) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        char byte;

        if (poll(&ready, 1, -1) < 0)
            fail("poll");
        if (read(fd, &byte, 1) == 1) {
            nap(hold);
            give(fd, byte);
            tally->tokens++;
        } else if (errno == EAGAIN) {
            tally->failed++;
        } else {
            fail("read");
        }
    }
    getrusage(RUSAGE_SELF, &after);
    tally->switches = after.ru_nvcsw - before.ru_nvcsw;
}

static int herd(int clients, int ms, int hold_us, const char *file)
{
    struct tally *tally = shared(sizeof *tally * clients), sum = {0};
    nanoseconds from = now() + clients * 2000000ULL, until = from + ms * 1000000ULL;
    long least = -1, most = 0;
    int status, failed = 0;

    for (int c = 0; c < clients; c++)
        if (!fork_client()) {
            herd_client(file, from, until, hold_us * 1000ULL, &tally[c]);
            _exit(0);
        }
    while (wait(&status) > 0)
        failed |= status;
    for (int c = 0; c < clients; c++) {
        sum.tokens += tally[c].tokens;
        sum.failed += tally[c].failed;
        sum.switches += tally[c].switches;
        if (least < 0 || tally[c].tokens < least)
            least = tally[c].tokens;
        if (tally[c].tokens > most)
            most = tally[c].tokens;
    }
    printf("{\"tokens\":%ld,\"failed\":%ld,\"switches\":%ld,\"least\":%ld,\"most\":%ld,\"time\":%llu}\n", sum.tokens,
           sum.failed, sum.switches, least, most, until - from);
    return failed != 0;
}

/* Long enough for whoever has just been told to read to be blocked in it. */
static const nanoseconds SETTLE = 300000;

static void tell(int fd, nanoseconds what)
{
    if (write(fd, &what, sizeof what) != sizeof what)
        fail("pipe");
}

static nanoseconds hear(int fd)
{
    nanoseconds what;

    if (read(fd, &what, sizeof what) != sizeof what)
        exit(1);
    return what;
}

/* Forks a client that blocks in a read whenever it is told to, says when that read was answered, and
 * gives the token back. */
static void fork_waiter(const char *file, int *order, int *result)
{
    int orders[2], results[2];

    if (pipe2(orders, O_CLOEXEC) || pipe2(results, O_CLOEXEC))
        fail("pipe");
    if (!fork_client()) {
        int fd = open_pool(file, 0);
        close(orders[1]);
        for (;;) {
            hear(orders[0]);
            char byte = take(fd);
            nanoseconds at = now();
            give(fd, byte);
            tell(results[1], at);
        }
    }
    close(orders[0]);
    close(results[1]);
    *order = orders[1];
    *result = results[0];
}

/* The pool has one token. */
static int pass(int count, const char *file)
{
    int fd = open_pool(file, 0), order, result;
    nanoseconds figures[count];

    fork_waiter(file, &order, &result);
    for (int i = 0; i < count; i++) {
        char byte = take(fd);
        tell(order, 0);
        nap(SETTLE);
        nanoseconds at = now();
        give(fd, byte);
        figures[i] = hear(result) - at;
    }
    print_list(figures, count, "\n");
    return 0;
}

static int kill_holders(int count, const char *file)
{
    int order, result, taken[2];
    nanoseconds figures[count];

    fork_waiter(file, &order, &result);
    if (pipe2(taken, O_CLOEXEC))
        fail("pipe");
    for (int i = 0; i < count; i++) {
        pid_t holder = fork_client();
        if (!holder) {
            take(open_pool(file, 0));
            tell(taken[1], 0);
            for (;;)
                pause();
        }
        hear(taken[0]);
        tell(order, 0);
        nap(SETTLE);
        nanoseconds at = now();
        kill(holder, SIGKILL);
        figures[i] = hear(result) - at;
        waitpid(holder, NULL, 0);
    }
    print_list(figures, count, "\n");
    return 0;
}

static void idle_client(const char *file, int hold, int ready)
{
    int fd = open_pool(file, 0);
    char byte = take(fd);

    if (!hold)
        give(fd, byte);
    tell(ready, 0);
    if (hold) {
        struct pollfd waits[] = {{.fd = open_pool(file, 0), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        poll(waits, 2, -1);
    }
    for (;;)
        pause();
}

static int crowd(int clients, const char *how, const char *file)
{
    int ready[2];
    char end;

    if (pipe2(ready, O_CLOEXEC))
        fail("pipe");
    signal(SIGCHLD, SIG_IGN);
    for (int c = 0; c < clients; c++)
        if (!fork_client()) {
            close(STDIN_FILENO);
            idle_client(file, !strcmp(how, "hold"), ready[1]);
        }
    for (int c = 0; c < clients; c++)
        hear(ready[0]);
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &end, 1) > 0)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";

    if (!strcmp(way, "trip") && argc > 4)
        return trip(atoi(argv[2]), atoi(argv[3]), argc - 4, argv + 4);
    if (!strcmp(way, "herd") && argc == 6)
        return herd(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5]);
    if (!strcmp(way, "pass") && argc == 4)
        return pass(atoi(argv[2]), argv[3]);
    if (!strcmp(way, "kill") && argc == 4)
        return kill_holders(atoi(argv[2]), argv[3]);
    if (!strcmp(way, "crowd") && argc == 5)
        return crowd(atoi(argv[2]), argv[3], argv[4]);
    fputs("usage: client trip|herd|pass|kill|crowd ...; see the source\n", stderr);
    return 2;
}
