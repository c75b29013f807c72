/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor_test.c -- processes as the supervisor keeps them, with doubles for what they do: a worker that says who it
 * is, a recorder and a sink that leave their process ids in the state folder.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "keeper/keeper.h"
#include "recorder/recorder.h"
#include "recorder/sink.h"
#include "supervisor/child.h"
#include "supervisor/greeting.h"
#include "supervisor/listener.h"
#include "supervisor/state.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

/* ---- doubles: this is all that the supervisor sees of the others ---- */

static char state_dir[64];
static char listen_text[64];

static void pid_leave(const char *name)
{
    char path[128], part[160];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.pid", state_dir, name);
    snprintf(part, sizeof part, "%s.part", path);
    f = fopen(part, "w");
    must(f != NULL);
    fprintf(f, "%d\n", (int)getpid());
    fclose(f);
    rename(part, path);
}

static int pid_read(const char *name)
{
    char path[128];
    int pid = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.pid", state_dir, name);
    f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

static void stop_wait(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (poll(&p, 1, -1) < 0)
        ;
}

/* "refused" as the configuration: only the settings can be loaded. */
struct world *world_load_from(const struct world_source *from, enum world_depth depth, struct buf *notes,
                              struct buf *faults)
{
    struct world *w;

    if (notes)
        buf_lit(notes, "a note\n");
    if (strcmp(from->file, "refused") == 0 && depth == WORLD_FULL) {
        buf_lit(faults, "refused:7: no such plugin; build it\n");
        return NULL;
    }
    w = must_alloc(sizeof *w);
    w->file = from->file;
    w->lines.listen = 3;
    w->settings = (struct settings){.listen = listen_text,
                                    .admin = "",
                                    .state = state_dir,
                                    .log_level = "error",
                                    .workers = 2,
                                    .drain_timeout = 300,
                                    .ring_size = 65536};
    w->sinks = must_alloc(sizeof *w->sinks);
    w->sinks[0] = must_alloc(sizeof **w->sinks);
    w->sinks[0]->in.name = "lines";
    w->sink_count = 1;
    return w;
}

void world_free(struct world *w)
{
    free(w->sinks[0]);
    free(w->sinks);
    free(w);
}

bool world_init(struct world *w, struct sink *only, struct weir_error *error)
{
    (void)only;
    snprintf(error->text, sizeof error->text, "unfit:9: cannot open its file");
    return strcmp(w->file, "unfit") != 0;
}

void world_fini(struct world *w)
{
    (void)w;
}

bool provider_serves(const struct provider *p, struct weir_str model, struct weir_str *upstream)
{
    *upstream = model;
    for (size_t i = 0; i < p->rule_count; i++)
        if (str_glob(p->rules[i].pattern, model))
            return true;
    return false;
}

/* Answers a byte with its process ids; 'h' then holds the drain up. */
int worker_run(const struct worker_start *start)
{
    struct pollfd fds[2] = {{.fd = start->listener, .events = POLLIN}, {.fd = start->stop_fd, .events = POLLIN}};
    bool hold = false;
    char byte;

    for (;;) {
        poll(fds, 2, -1);
        if (fds[1].revents)
            break;
        int fd = accept(start->listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (read(fd, &byte, 1) == 1)
            dprintf(fd, "%d %d %u\n", (int)getpid(), (int)getppid(), start->slot);
        hold = hold || byte == 'h';
        close(fd);
    }
    usleep(hold ? 60000000 : 100000);
    pid_leave("drained");
    return 0;
}

bool keeper_wanted(const struct world *w)
{
    return strcmp(w->file, "ok") == 0;
}

enum keeper_end keeper_run(const struct keeper_start *start)
{
    pid_leave("keeper");
    stop_wait(start->stop_fd);
    return KEEPER_STOPPED;
}

int recorder_run(const struct recorder_start *start)
{
    pid_leave("recorder");
    stop_wait(start->stop_fd);
    return 0;
}

int sink_run(const struct sink_start *start)
{
    pid_leave(start->sink->in.name);
    stop_wait(start->stop_fd);
    return 0;
}

/* ---- helpers ---- */

static void state_make(void)
{
    snprintf(state_dir, sizeof state_dir, "/tmp/weir-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state_dir));
}

static void state_drop(void)
{
    char command[192];

    snprintf(command, sizeof command, "rm -rf \"$(readlink %s/rings)\" %s", state_dir, state_dir);
    ck_assert_int_eq(system(command), 0);
}

static void listen_choose(void)
{
    struct address a;
    struct weir_error error;
    int fd;

    ck_assert(address_parse(&a, "127.0.0.1:0", &error));
    ck_assert(listener_open(&a, &fd, 1, &error));
    address_print(&a, listen_text, sizeof listen_text);
    close(fd);
}

struct who {
    int worker, generation;
    unsigned slot;
};

/* One connection, waited for as long as a second; false: refused or not answered. */
static bool ask(char byte, struct who *who)
{
    struct timeval second = {.tv_sec = 1};
    struct address a;
    struct weir_error error;
    char line[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok;

    ck_assert(address_parse(&a, listen_text, &error));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    ok = connect(fd, (struct sockaddr *)&a.sa, a.len) == 0 && write(fd, &byte, 1) == 1 &&
         read(fd, line, sizeof line - 1) > 0 &&
         sscanf(line, "%d %d %u", &who->worker, &who->generation, &who->slot) == 3;
    close(fd);
    return ok;
}

static bool answers_within(int64_t us, struct who *who)
{
    for (int64_t until = clock_us() + us; clock_us() < until; usleep(500))
        if (ask('?', who))
            return true;
    return false;
}

static bool alive(int pid)
{
    return kill(pid, 0) == 0;
}

/* Gone, or dead and only not yet cleared away by whoever inherited it. */
static bool gone_within(int64_t us, int pid)
{
    char path[64], state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int64_t until = clock_us() + us; clock_us() < until; usleep(500)) {
        FILE *f = fopen(path, "r");
        if (!f)
            return true;
        if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(f);
        if (state == 'Z')
            return true;
    }
    return !alive(pid);
}

static bool other_pid_within(int64_t us, const char *name, int old)
{
    for (int64_t until = clock_us() + us; clock_us() < until; usleep(500))
        if (pid_read(name) != old)
            return true;
    return false;
}

/* stderr and stdout of the supervisor go to `out`, when it is given. */
static pid_t weir_start(const char *config, int out)
{
    struct world_source source = {.file = config};
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(out >= 0 ? out : null, STDERR_FILENO);
        dup2(out >= 0 ? out : null, STDOUT_FILENO);
        close_range(3, ~0u, 0);
        _exit(supervisor_run(&source));
    }
    return pid;
}

static int weir_end(pid_t pid, int signal)
{
    int status;

    if (signal)
        kill(pid, signal);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- child ---- */

static int live_briefly(struct child *c)
{
    (void)c;
    return 3;
}

static int live_until_stop(struct child *c)
{
    stop_wait(c->stop);
    return 0;
}

static struct child *reap(struct child *c, int *status)
{
    struct child *dead;

    while (!(dead = child_reap(&c, 1, status)))
        usleep(200);
    return dead;
}

START_TEST(child_that_keeps_dying_waits)
{
    const int64_t pauses_ms[] = {0, 0, 0, 10, 20, 40, 40};
    struct child c;
    int status;

    child_init(&c, live_briefly, NULL);
    c.pause_max_us = 40000;
    c.log_level = WEIR_ERROR;
    for (size_t i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
        int64_t now;
        child_start(&c);
        ck_assert_ptr_eq(reap(&c, &status), &c);
        now = clock_us();
        ck_assert_int_eq(WEXITSTATUS(status), 3);
        ck_assert_int_eq(c.pid, 0);
        ck_assert_int_le(c.due_us, now + pauses_ms[i] * 1000);
        ck_assert_int_gt(c.due_us, now + pauses_ms[i] * 1000 - 5000);
    }
    ck_assert(!child_is_due(&c, clock_us()));
    c.started_us -= 2000000; /* as if it had lived for two seconds */
    c.quick = 0;
    child_start(&c);
    reap(&c, &status);
    ck_assert(child_is_due(&c, clock_us()));
}
END_TEST

START_TEST(child_stops_by_its_pipe)
{
    struct child c;
    int status;

    child_init(&c, live_until_stop, NULL);
    child_start(&c);
    usleep(20000);
    ck_assert(alive(c.pid));
    child_stop(&c);
    ck_assert_ptr_eq(reap(&c, &status), &c);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert(!child_is_due(&c, INT64_MAX - 1));
}
END_TEST

START_TEST(child_dies_with_its_parent)
{
    int ends[2], status;
    pid_t middle, pid;

    ck_assert_int_eq(pipe(ends), 0);
    middle = fork();
    if (middle == 0) {
        struct child c;
        child_init(&c, live_until_stop, NULL);
        snprintf(c.name, sizeof c.name, "sleeper");
        child_start(&c);
        if (write(ends[1], &c.pid, sizeof c.pid) < 0)
            _exit(1);
        pause();
    }
    ck_assert_int_eq(read(ends[0], &pid, sizeof pid), sizeof pid);
    kill(middle, SIGKILL);
    waitpid(middle, &status, 0);
    ck_assert(gone_within(1000000, pid));
}
END_TEST

/* ---- addresses and listeners ---- */

static const struct {
    const char *text, *printed, *near;
} addresses[] = {
    {"127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"},
    {"127.9.9.9:1", "127.9.9.9:1", "127.9.9.9:1"},
    {"localhost:80", "127.0.0.1:80", "127.0.0.1:80"},
    {"0.0.0.0:8080", "0.0.0.0:8080", "127.0.0.1:8080"},
    {"128.0.0.1:65535", "128.0.0.1:65535", "128.0.0.1:65535"},
    {"[::1]:8080", "[::1]:8080", "[::1]:8080"},
    {"[::]:8080", "[::]:8080", "[::1]:8080"},
    {"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1"},
    {"[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1"},
    {"[2001:db8::1]:443", "[2001:db8::1]:443", "[2001:db8::1]:443"},
};

START_TEST(address_reads_and_prints)
{
    char text[64];
    struct address a;
    struct weir_error error;

    ck_assert(address_parse(&a, addresses[_i].text, &error));
    address_print(&a, text, sizeof text);
    ck_assert_str_eq(text, addresses[_i].printed);
    address_print_near(&a, text, sizeof text);
    ck_assert_str_eq(text, addresses[_i].near);
}
END_TEST

START_TEST(address_refuses)
{
    struct address a;
    struct weir_error error = {{0}, {0}, {0}};

    ck_assert(!address_parse(&a, "8080", &error));
    ck_assert_ptr_nonnull(strstr(error.text, "127.0.0.1:8080"));
}
END_TEST

START_TEST(listener_is_refused_when_taken)
{
    struct address a, b;
    struct weir_error error = {{0}, {0}, {0}};
    int first[2], second[2];
    char port[16];

    ck_assert(address_parse(&a, "127.0.0.1:0", &error));
    ck_assert(listener_open(&a, first, 2, &error));
    snprintf(port, sizeof port, "%u", ntohs(((struct sockaddr_in *)&a.sa)->sin_port));
    b = a;
    ck_assert(!listener_open(&b, second, 2, &error)); /* the same user, and SO_REUSEPORT on both sides */
    ck_assert_ptr_nonnull(strstr(error.text, port));
    ck_assert_ptr_nonnull(strstr(error.text, "taken"));
    close(first[0]);
    ck_assert(!listener_open(&b, second, 2, &error));
    close(first[1]);
    ck_assert(listener_open(&b, second, 2, &error));
}
END_TEST

START_TEST(listener_says_what_is_wrong)
{
    struct address a;
    struct weir_error error = {{0}, {0}, {0}};
    int fd;

    ck_assert(address_parse(&a, "192.0.2.7:8080", &error)); /* TEST-NET-1: on no machine */
    ck_assert(!listener_open(&a, &fd, 1, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "no such address"));
}
END_TEST

/* ---- the state folder ---- */

START_TEST(state_is_for_one)
{
    struct state s, other;
    struct weir_error error = {{0}, {0}, {0}};
    char pid[16];
    int ends[2], status;
    pid_t holder;

    state_make();
    ck_assert_int_eq(pipe(ends), 0);
    holder = fork();
    if (holder == 0) {
        bool ok = state_open(&s, state_dir, &error);
        if (write(ends[1], &ok, 1) < 0)
            _exit(1);
        pause();
    }
    ck_assert_int_eq(read(ends[0], pid, 1), 1);
    ck_assert_int_eq(pid[0], true);
    ck_assert(!state_open(&other, state_dir, &error));
    snprintf(pid, sizeof pid, "process %d", (int)holder);
    ck_assert_ptr_nonnull(strstr(error.text, pid));
    ck_assert_ptr_nonnull(strstr(error.text, state_dir));
    kill(holder, SIGKILL); /* not waited for: the lock is what counts */
    ck_assert(state_open(&other, state_dir, &error));
    waitpid(holder, &status, 0);
    state_close(&other);
    state_drop();
}
END_TEST

START_TEST(state_ties_its_rings)
{
    struct state s;
    struct weir_error error = {{0}, {0}, {0}};
    char first[128] = "", again[128] = "", file[160];
    struct stat st;

    state_make();
    ck_assert(state_open(&s, state_dir, &error));
    ck_assert_int_gt(readlink(s.rings, first, sizeof first - 1), 0);
    ck_assert_int_eq(stat(first, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);
    ck_assert_uint_eq(state_ring_count(&s), 0);
    for (const char *const *name =
             (const char *const[]){"ring.0", "ring.6", "ring.7x", "ring.", "ring.9.part", "x", NULL};
         *name; name++) {
        snprintf(file, sizeof file, "%s/%s", first, *name);
        close(open(file, O_CREAT | O_WRONLY, 0600));
    }
    ck_assert_uint_eq(state_ring_count(&s), 7);
    state_close(&s); /* not empty: it stays, and the next weir finds it */
    ck_assert(state_open(&s, state_dir, &error));
    ck_assert_int_gt(readlink(s.rings, again, sizeof again - 1), 0);
    ck_assert_str_eq(first, again);
    ck_assert_uint_eq(state_ring_count(&s), 7);
    state_close(&s);
    state_drop();
}
END_TEST

START_TEST(state_after_the_tmpfs_is_gone)
{
    struct state s;
    struct weir_error error = {{0}, {0}, {0}};
    char target[128] = "";

    state_make();
    ck_assert(state_open(&s, state_dir, &error));
    ck_assert_int_gt(readlink(s.rings, target, sizeof target - 1), 0);
    close(s.lock);
    rmdir(target);
    ck_assert(state_open(&s, state_dir, &error));
    ck_assert_int_eq(access(target, F_OK), 0);
    close(s.lock);
    chmod(target, 0755); /* somebody else may have been in there */
    ck_assert(!state_open(&s, state_dir, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "nobody else"));
    chmod(target, 0700);
    ck_assert(state_open(&s, state_dir, &error));
    state_close(&s); /* empty: nothing is left behind */
    ck_assert_int_ne(access(target, F_OK), 0);
    state_drop();
}
END_TEST

/* ---- greeting ---- */

START_TEST(greeting_can_be_pasted)
{
    struct model_rule mock[] = {{.pattern = WEIR_STR("mock/*"), .glob = true}};
    struct model_rule local[] = {{.pattern = WEIR_STR("it's"), .glob = false},
                                 {.pattern = WEIR_STR("llama-3.1:8b"), .glob = false}};
    struct provider one = {.rules = mock, .rule_count = 1}, two = {.rules = local, .rule_count = 2};
    struct provider *both[] = {&two, &one};
    struct world w = {.providers = both, .provider_count = 2};
    struct address a;
    struct weir_error error;
    struct buf text = {0};

    ck_assert(address_parse(&a, "0.0.0.0:8080", &error));
    greeting_write(&text, &w, &a);
    buf_char(&text, 0);
    ck_assert_str_eq(
        text.ptr,
        "weir answers on http://127.0.0.1:8080/v1\n\n"
        "  curl http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' \\\n"
        "    -d '{\"model\":\"mock/echo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello, weir\"}]}'\n\n"
        "models: it's llama-3.1:8b mock/*\n");
    text.len = 0;
    w.provider_count = 1;
    greeting_write(&text, &w, &a);
    buf_char(&text, 0);
    ck_assert_ptr_nonnull(strstr(text.ptr, "\"model\":\"llama-3.1:8b\""));
    buf_fini(&text);
}
END_TEST

/* ---- the whole tree ---- */

static void weir_setup(void)
{
    state_make();
    listen_choose();
}

START_TEST(weir_replaces_whoever_dies)
{
    struct who was, is;
    int recorder, sink, keeper;
    pid_t weir = weir_start("ok", -1);

    ck_assert(answers_within(1000000, &was));
    ck_assert(other_pid_within(1000000, "lines", 0));
    recorder = pid_read("recorder");
    sink = pid_read("lines");
    ck_assert_int_ne(recorder, 0);

    kill(was.worker, SIGKILL);
    for (int i = 0; i < 8; i++) { /* both slots answer, and nobody is refused meanwhile */
        ck_assert(ask('?', &is));
        ck_assert_int_eq(is.generation, was.generation);
        ck_assert_int_ne(is.worker, was.worker);
    }
    kill(was.generation, SIGKILL);
    ck_assert(gone_within(1000000, was.generation));
    ck_assert(gone_within(1000000, is.worker));
    ck_assert(answers_within(1000000, &is));
    ck_assert_int_ne(is.generation, was.generation);

    ck_assert_int_eq(pid_read("recorder"), recorder); /* nobody else was touched */
    ck_assert_int_eq(pid_read("lines"), sink);
    kill(recorder, SIGKILL);
    ck_assert(other_pid_within(1000000, "recorder", recorder));
    kill(sink, SIGSEGV);
    ck_assert(other_pid_within(1000000, "lines", sink));
    ck_assert(other_pid_within(1000000, "keeper", 0));
    keeper = pid_read("keeper");
    kill(keeper, SIGKILL);
    ck_assert(other_pid_within(1000000, "keeper", keeper));
    ck_assert(ask('?', &is));
    ck_assert_int_eq(weir_end(weir, SIGTERM), 0);
    state_drop();
}
END_TEST

START_TEST(weir_drains)
{
    struct who who;
    char link[80], rings[128] = "";
    int64_t at;
    pid_t weir = weir_start("ok", -1);

    ck_assert(answers_within(1000000, &who));
    snprintf(link, sizeof link, "%s/rings", state_dir);
    ck_assert_int_gt(readlink(link, rings, sizeof rings - 1), 0);
    at = clock_us();
    ck_assert_int_eq(weir_end(weir, SIGTERM), 0);
    ck_assert_int_ge(clock_us() - at, 100000); /* the doubles' drain */
    ck_assert_int_ne(pid_read("drained"), 0);
    ck_assert(!alive(who.worker) && !alive(who.generation) && !alive(pid_read("recorder")) &&
              !alive(pid_read("keeper")));
    ck_assert(!ask('?', &who));
    ck_assert_int_ne(access(rings, F_OK), 0); /* empty rings: no memory stays taken */
    state_drop();
}
END_TEST

START_TEST(weir_does_not_wait_for_ever)
{
    struct who who;
    int64_t at;
    pid_t weir = weir_start("ok", -1);

    ck_assert(answers_within(1000000, &who) && ask('h', &who));
    at = clock_us();
    ck_assert_int_eq(weir_end(weir, SIGINT), 0); /* drain_timeout 300 ms, and a second more */
    ck_assert_int_lt(clock_us() - at, 2500000);
    ck_assert(gone_within(1000000, who.worker));

    weir = weir_start("ok", -1);
    ck_assert(answers_within(1000000, &who) && ask('h', &who));
    kill(weir, SIGTERM);
    usleep(150000); /* sooner, it would be the same one said twice */
    at = clock_us();
    ck_assert_int_eq(weir_end(weir, SIGTERM), 0); /* the second one: now */
    ck_assert_int_lt(clock_us() - at, 300000);
    state_drop();
}
END_TEST

START_TEST(weir_leaves_no_orphans)
{
    struct who was, is;
    int recorder, sink;
    pid_t weir = weir_start("ok", -1), second;

    ck_assert(answers_within(1000000, &was));
    ck_assert(other_pid_within(1000000, "lines", 0));
    recorder = pid_read("recorder");
    sink = pid_read("lines");
    weir_end(weir, SIGKILL);
    second = weir_start("ok", -1); /* at once: it waits for the first one's children */
    do                             /* which answer until they have had their signals */
        ck_assert(answers_within(1000000, &is));
    while (is.generation == was.generation);
    ck_assert(gone_within(1000, was.worker) && gone_within(1000, was.generation) && gone_within(1000, recorder) &&
              gone_within(1000, sink));
    ck_assert_int_eq(weir_end(second, SIGTERM), 0);
    state_drop();
}
END_TEST

static void refused(const char *config, const char *line)
{
    char said[1024] = "";
    ssize_t n;
    int ends[2];
    pid_t weir;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    weir = weir_start(config, ends[1]);
    close(ends[1]);
    ck_assert_int_eq(weir_end(weir, 0), 1);
    n = read(ends[0], said, sizeof said - 1);
    ck_assert_int_gt(n, 0);
    ck_assert_ptr_nonnull(strstr(said, line));
    close(ends[0]);
}

START_TEST(weir_refuses_in_one_line)
{
    struct address a;
    struct weir_error error;
    int fd;

    refused("refused", "refused:7: no such plugin; build it\n");
    refused("unfit", "unfit:9: cannot open its file\n");
    ck_assert(address_parse(&a, listen_text, &error));
    ck_assert(listener_open(&a, &fd, 1, &error));
    refused("ok", "ok:3: listen: port ");
    state_drop();
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("supervisor");
    TCase *parts = tcase_create("parts"), *tree = tcase_create("tree");

    tcase_add_test(parts, child_that_keeps_dying_waits);
    tcase_add_test(parts, child_stops_by_its_pipe);
    tcase_add_test(parts, child_dies_with_its_parent);
    tcase_add_loop_test(parts, address_reads_and_prints, 0, sizeof addresses / sizeof *addresses);
    tcase_add_test(parts, address_refuses);
    tcase_add_test(parts, listener_is_refused_when_taken);
    tcase_add_test(parts, listener_says_what_is_wrong);
    tcase_add_test(parts, state_is_for_one);
    tcase_add_test(parts, state_ties_its_rings);
    tcase_add_test(parts, state_after_the_tmpfs_is_gone);
    tcase_add_test(parts, greeting_can_be_pasted);
    tcase_add_checked_fixture(tree, weir_setup, NULL);
    tcase_set_timeout(tree, 20);
    tcase_add_test(tree, weir_replaces_whoever_dies);
    tcase_add_test(tree, weir_drains);
    tcase_add_test(tree, weir_does_not_wait_for_ever);
    tcase_add_test(tree, weir_leaves_no_orphans);
    tcase_add_test(tree, weir_refuses_in_one_line);
    suite_add_tcase(s, parts);
    suite_add_tcase(s, tree);
    return s;
}
