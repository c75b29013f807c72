/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c -- reads secrets by reference into pages of their own; see secret.h. */
#include "world/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/str.h"

#define EXEC_MS   10000 /* an exec: has this long */
#define PAGE_SIZE ((size_t)(SECRET_MAX + 4096))

#define UNSET      "environment variable %.60s is not set; export it"
#define UNREADABLE "%.150s cannot be read (%s); put the key there"

struct secret_page {
    struct secret_page *next;
    size_t size, used;
    char bytes[];
};

bool secret_parse(const char *text, struct secret_ref *ref)
{
    static const struct {
        const char *prefix;
        enum secret_source source;
    } forms[] = {{"env:", SECRET_ENV}, {"file:", SECRET_FILE}, {"exec:", SECRET_EXEC}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t n = strlen(forms[i].prefix);
        if (strncmp(text, forms[i].prefix, n) == 0 && text[n]) {
            *ref = (struct secret_ref){forms[i].source, text + n};
            return true;
        }
    }
    return false;
}

/* Room for one more value of any size; what is not used stays for the next one. */
static char *room(struct secrets *s)
{
    struct secret_page *p = s->pages;

    if (!p || p->size - p->used < SECRET_MAX + 1) {
        p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(p != MAP_FAILED);
        must(madvise(p, PAGE_SIZE, MADV_DONTDUMP) == 0);
        (void)mlock(p, PAGE_SIZE); /* a low RLIMIT_MEMLOCK is no reason not to start */
        *p = (struct secret_page){.next = s->pages, .size = PAGE_SIZE - sizeof(*p)};
        s->pages = p;
    }
    return p->bytes + p->used;
}

void secrets_keep(const struct secrets *s)
{
    for (const struct secret_page *p = s->pages; p; p = p->next)
        (void)mlock(p, PAGE_SIZE);
}

void secrets_fini(struct secrets *s)
{
    while (s->pages) {
        struct secret_page *p = s->pages;
        s->pages = p->next;
        explicit_bzero(p->bytes, p->size);
        munmap(p, PAGE_SIZE);
    }
}

__attribute__((format(printf, 2, 3))) static bool fail(struct weir_error *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return false;
}

static bool read_env(const char *name, char *to, size_t *n, bool *absent, struct weir_error *e)
{
    const char *value = getenv(name);

    *absent = !value || !*value;
    if (*absent)
        return fail(e, UNSET, name);
    *n = strlen(value);
    if (*n > SECRET_MAX)
        return fail(e, "environment variable %s holds more than 64 KB; that is no key", name);
    memcpy(to, value, *n);
    return true;
}

static bool read_file(const char *path, char *to, size_t *n, struct secret_found *found, struct weir_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    ssize_t got = 0;

    found->absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return fail(e, UNREADABLE, path, strerror(errno));
    if (fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) || st.st_size > SECRET_MAX) {
        close(fd);
        return fail(e, "%.150s is no file of at most 64 KB; put the key, and nothing else, into a plain file", path);
    }
    found->everybody = st.st_mode & S_IROTH;
    for (*n = 0; *n <= SECRET_MAX; *n += (size_t)got) {
        got = read(fd, to + *n, SECRET_MAX + 1 - *n);
        if (got <= 0)
            break;
    }
    close(fd);
    if (got < 0 || *n > SECRET_MAX)
        return fail(e, "%.150s cannot be read whole; put the key, and nothing else, into a plain file", path);
    return true;
}

/* In the child: nothing of ours is inherited, and what it says on stderr is dropped, for it may hold the secret. */
static _Noreturn void exec_child(const char *command, int out)
{
    int null = open("/dev/null", O_RDWR);
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Reads until the end, the bound or the time is up.  Leaves more than SECRET_MAX in *n when it was too much. */
static bool exec_collect(int fd, char *to, size_t *n)
{
    int64_t end = clock_us() + EXEC_MS * 1000;

    for (*n = 0; *n <= SECRET_MAX;) {
        int64_t left = (end - clock_us()) / 1000;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;
        if (left <= 0)
            return false;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        got = read(fd, to + *n, SECRET_MAX + 1 - *n);
        if (got == 0)
            return true;
        if (got > 0)
            *n += (size_t)got;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* The child's status once it has ended; it gets until the bound, then it is killed with all that it started. */
static bool exec_end(pid_t child, bool kill_now, int *status)
{
    bool ended = false;

    for (int i = 0; !kill_now && i < 1000 && !ended; i++) {
        pid_t got = waitpid(child, status, WNOHANG);
        if (got < 0 && errno != EINTR)
            return false;
        ended = got == child;
        if (!ended)
            usleep(1000);
    }
    kill(-child, SIGKILL);
    if (!ended)
        kill(child, SIGKILL); /* before it made a group of its own */
    while (!ended && waitpid(child, status, 0) < 0)
        if (errno != EINTR)
            return false;
    return ended;
}

static bool read_exec(const char *command, char *to, size_t *n, struct weir_error *e)
{
    struct sigaction plain = {.sa_handler = SIG_DFL}, before;
    bool whole, ended;
    int fds[2], status = 0;
    pid_t child;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return fail(e, "a command cannot be run (%s); weir is out of descriptors", strerror(errno));
    sigaction(SIGCHLD, &plain, &before); /* the status must not be taken away by someone's handler */
    child = fork();
    if (child == 0)
        exec_child(command, fds[1]);
    close(fds[1]);
    whole = child > 0 && exec_collect(fds[0], to, n);
    close(fds[0]);
    ended = child > 0 && exec_end(child, !whole || *n > SECRET_MAX, &status);
    sigaction(SIGCHLD, &before, NULL);
    if (child < 0)
        return fail(e, "a command cannot be run (%s)", strerror(errno));
    if (*n > SECRET_MAX)
        return fail(e, "%s", "the command printed more than 64 KB; it must print the key and nothing else");
    if (!whole || !ended)
        return fail(e, "%s", "the command did not end within 10 s; run it by hand to see why");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(e, "the command failed with status %d; run it by hand to see why",
                    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return true;
}

/* Keys travel in headers: a control character in the middle would end the header. */
static bool check_value(struct weir_str v, struct weir_error *e)
{
    if (!v.len)
        return fail(e, "%s", "the secret is empty; put the key there");
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] < ' ' || v.ptr[i] == 0x7f)
            return fail(e, "%s", "the secret holds a line end or another control character; it must be one line");
    return true;
}

bool secret_read(struct secrets *s, const struct secret_ref *ref, struct secret_found *found, struct weir_error *e)
{
    char *to = room(s);
    size_t n = 0, all;
    bool ok;

    *found = (struct secret_found){0};
    if (ref->source == SECRET_ENV)
        ok = read_env(ref->what, to, &n, &found->absent, e);
    else if (ref->source == SECRET_FILE)
        ok = read_file(ref->what, to, &n, found, e);
    else
        ok = read_exec(ref->what, to, &n, e);
    for (all = n; ok && n && (to[n - 1] == '\n' || to[n - 1] == '\r');)
        n--;
    if (!ok || !check_value((struct weir_str){to, n}, e)) {
        explicit_bzero(to, all);
        return false;
    }
    to[n] = '\0';
    s->pages->used += n + 1;
    found->value = (struct weir_str){to, n};
    return true;
}

bool secret_exists(const struct secret_ref *ref, struct weir_error *e)
{
    const char *v;

    switch (ref->source) {
    case SECRET_ENV:
        v = getenv(ref->what);
        return v && *v ? true : fail(e, UNSET, ref->what);
    case SECRET_FILE:
        return access(ref->what, F_OK) == 0 ? true : fail(e, UNREADABLE, ref->what, strerror(errno));
    default:
        return true;
    }
}
