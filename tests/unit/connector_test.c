/* SPDX-License-Identifier: Apache-2.0 */
/* connector_test.c -- connecting through real sockets: names, proxies, TLS, timeouts, cancelling, many at once. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "net/connector.h"
#include "net/target.h"
#include "net/tls.h"
#include "peer.h"
#include "pki.h"

/* ---- names: libcurl's resolver asks this function instead of the C library ---- */

#define SLOW_MS 1500

static atomic_int asked; /* how often a name was asked for */

static struct addrinfo *address_new(const char *text, int port)
{
    struct addrinfo *ai = calloc(1, sizeof *ai + sizeof(struct sockaddr_in6));
    struct sockaddr_in *a4 = (struct sockaddr_in *)(ai + 1);
    struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)(ai + 1);

    ai->ai_socktype = SOCK_STREAM;
    ai->ai_protocol = IPPROTO_TCP;
    ai->ai_addr = (struct sockaddr *)a4;
    if (strchr(text, ':')) {
        ai->ai_family = a6->sin6_family = AF_INET6;
        ai->ai_addrlen = sizeof *a6;
        a6->sin6_port = htons((uint16_t)port);
        inet_pton(AF_INET6, text, &a6->sin6_addr);
    } else {
        ai->ai_family = a4->sin_family = AF_INET;
        ai->ai_addrlen = sizeof *a4;
        a4->sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, text, &a4->sin_addr);
    }
    return ai;
}

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found);
void freeaddrinfo(struct addrinfo *);

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                                                       struct addrinfo **found)
{
    static const struct {
        const char *name, *a, *b;
    } names[] = {
        {"good.test", "127.0.0.1", NULL},       {"other.test", "127.0.0.1", NULL}, {"both.test", "::1", "127.0.0.1"},
        {"two.test", "127.0.0.2", "127.0.0.1"}, {"slow.test", "127.0.0.1", NULL},
    };

    (void)hints;
    atomic_fetch_add(&asked, 1);
    if (strcmp(name, "slow.test") == 0)
        usleep(SLOW_MS * 1000);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i].name) == 0) {
            *found = address_new(names[i].a, atoi(port));
            if (names[i].b)
                (*found)->ai_next = address_new(names[i].b, atoi(port));
            return 0;
        }
    return EAI_NONAME;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *ai)
{
    for (struct addrinfo *next; ai; ai = next) {
        next = ai->ai_next;
        free(ai);
    }
}

/* ---- the loop, the connector, and nothing left behind ---- */

static struct loop loop;
static struct connector *connector;
static struct ssl_ctx_st *trusting;
static struct peer peer, proxy;
static int fds_before;

static int count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void setup(void)
{
    struct weir_error e;

    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be asked */
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "*", 1);
    peer = proxy = (struct peer){0};
    fds_before = count_fds();
    asked = 0;
    loop_init(&loop);
    connector = connector_new(&loop);
    trusting = tls_client(&(struct tls_client_config){.ca = pki("ca.crt")}, &e);
}

static void teardown(void)
{
    connector_free(connector);
    ck_assert_uint_eq(loop.count, 0);
    loop_fini(&loop);
    tls_free(trusting);
    for (int i = 0; count_fds() != fds_before && i < 30; i++)
        usleep(100000); /* a resolver's thread that was let go closes its own later */
    ck_assert_int_eq(count_fds(), fds_before);
    peer_stop(&peer);
    peer_stop(&proxy);
}

struct
try {
    struct connect *connect;
    struct connect_result result;
    int calls;
    int64_t at_us;
};

static void try_done(void *arg, struct connect_result *result)
{
    struct try *t = arg;

    t->connect = NULL;
    t->result = *result;
    t->calls++;
    t->at_us = clock_us();
}

static struct connect_target target_of(const char *host, uint16_t port, struct ssl_ctx_st *tls)
{
    return (struct connect_target){host, port, tls, NULL, 3000, 3000};
}

static void turn_for(int64_t ms)
{
    for (int64_t end = clock_us() + ms * 1000; clock_us() < end;)
        loop_turn(&loop, 5);
}

static void try_start(struct try *t, struct connect_target target)
{
    *t = (struct try){0};
    loop_turn(&loop, 0); /* deadlines count from the start of a turn */
    t->connect = connector_start(connector, &target, try_done, t);
    ck_assert_int_eq(t->calls, 0);
}

static void try_wait(struct try *t)
{
    for (int64_t end = clock_us() + 8000000; !t->calls && clock_us() < end;)
        loop_turn(&loop, 100);
    ck_assert_int_eq(t->calls, 1);
}

static struct try try_once(struct connect_target target)
{
    struct try t;

    try_start(&t, target);
    try_wait(&t);
    return t;
}

/* Four bytes there and back. */
static void stream_works(struct stream *s)
{
    char got[4];
    size_t n = 0;

    ck_assert_int_eq(stream_writev(s, &(struct iovec){"ping", 4}, 1), 4);
    for (int64_t end = clock_us() + 3000000; n < 4 && clock_us() < end;) {
        ssize_t r = stream_read(s, got + n, 4 - n);
        if (r > 0)
            n += (size_t)r;
        else if (r == STREAM_AGAIN)
            usleep(200);
        else
            break;
    }
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(got, "ping", 4);
}

static void succeeds(struct connect_target target)
{
    struct try t = try_once(target);

    ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
    stream_works(&t.result.stream);
    turn_for(20);
    stream_works(&t.result.stream);
    stream_close(&t.result.stream, &loop);
}

static void fails(struct connect_target target, enum connect_fault fault, const char *why)
{
    struct try t = try_once(target);

    ck_assert_str_eq(t.result.why, why);
    ck_assert_int_eq(t.result.fault, fault);
}

/* ---- plain ---- */

START_TEST(plain)
{
    peer_start(&peer);
    struct try t = try_once(target_of("127.0.0.1", peer.port, NULL));
    ck_assert_int_eq(t.result.fault, CONNECT_OK);
    ck_assert(t.result.stream.handshaken && !t.result.stream.io.added);
    ck_assert_int_ge(t.result.connect_us, 0);
    ck_assert_int_eq(t.result.tls_us, 0);
    /* what libcurl leaves behind: a live socket that says nothing, is not blocking, and no program run by us inherits
     */
    int flags = fcntl(t.result.stream.io.fd, F_GETFL);
    ck_assert(flags & O_NONBLOCK);
    ck_assert(fcntl(t.result.stream.io.fd, F_GETFD) & FD_CLOEXEC);
    int on = 0;
    socklen_t len = sizeof on;
    ck_assert_int_eq(getsockopt(t.result.stream.io.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    ck_assert_int_ne(on, 0);
    turn_for(50);
    stream_works(&t.result.stream);
    connector_free(connector); /* libcurl is gone altogether; the connection is not */
    connector = connector_new(&loop);
    stream_works(&t.result.stream);
    stream_close(&t.result.stream, &loop);
    succeeds(target_of("good.test", peer.port, NULL));
}
END_TEST

/* Not a byte, no FIN and no RST reach the peer from the change of hands: the far end is ours to look at. */
START_TEST(nothing_is_sent)
{
    uint16_t port = 0;
    int listener = peer_listen("127.0.0.1", &port, 10);
    struct try t = try_once(target_of("127.0.0.1", port, NULL));
    char c;

    ck_assert_int_eq(t.result.fault, CONNECT_OK);
    int far = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(far, 0);
    turn_for(100);
    ck_assert_int_eq(recv(far, &c, 1, 0), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(send(far, "x", 1, 0), 1);
    turn_for(20);
    ck_assert_int_eq(stream_read(&t.result.stream, &c, 1), 1);
    stream_close(&t.result.stream, &loop);
    usleep(10000);
    ck_assert_int_eq(recv(far, &c, 1, 0), 0);
    close(far), close(listener);
}
END_TEST

START_TEST(families)
{
    uint16_t port4 = 0, port6 = 0;
    int only4 = peer_listen("127.0.0.1", &port4, 10), only6 = peer_listen("::1", &port6, 10);
    static const char *const names[] = {"localhost", "both.test"};

    for (int i = 0; i < 2; i++) {
        struct try t = try_once(target_of(names[i], port4, NULL));
        ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
        stream_close(&t.result.stream, &loop);
        t = try_once(target_of(names[i], port6, NULL));
        ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
        stream_close(&t.result.stream, &loop);
    }
    struct try t = try_once(target_of("::1", port6, NULL));
    ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
    stream_close(&t.result.stream, &loop);
    t = try_once(target_of("two.test", port4, NULL)); /* the first address refuses, the second takes it */
    ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
    stream_close(&t.result.stream, &loop);
    close(only4), close(only6);
}
END_TEST

/* A port that takes no connection and refuses none: its line is full. */
struct hole {
    uint16_t port;
    int listener, filler[8];
};

static void hole_dig(struct hole *h, const char *address, uint16_t port)
{
    h->port = port;
    h->listener = peer_listen(address, &h->port, 0);
    for (int i = 0; i < 8; i++) {
        struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(h->port)};
        struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(h->port)};
        bool v6 = strchr(address, ':') != NULL;
        inet_pton(v6 ? AF_INET6 : AF_INET, address, v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr);
        h->filler[i] = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(h->filler[i], v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4, v6 ? sizeof a6 : sizeof a4);
    }
    usleep(20000);
}

static void hole_fill(struct hole *h)
{
    close(h->listener);
    for (int i = 0; i < 8; i++)
        close(h->filler[i]);
}

START_TEST(happy_eyeballs)
{
    struct hole h;

    peer_start(&peer);
    hole_dig(&h, "::1", peer.port); /* ::1 is tried first and says nothing */
    int64_t begin = clock_us();
    struct try t = try_once(target_of("both.test", peer.port, NULL));
    ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
    ck_assert_int_ge(clock_us() - begin, 150000);
    ck_assert_int_le(clock_us() - begin, 1500000);
    stream_works(&t.result.stream);
    stream_close(&t.result.stream, &loop);
    hole_fill(&h);
}
END_TEST

START_TEST(refused)
{
    uint16_t port = 0;

    close(peer_listen("127.0.0.1", &port, 1));
    fails(target_of("127.0.0.1", port, NULL), CONNECT_REFUSED, "Connection refused");
    fails(target_of("both.test", port, NULL), CONNECT_REFUSED, "Connection refused");
    fails(target_of("127.0.0.1", port, trusting), CONNECT_REFUSED, "Connection refused");
    fails(target_of("nonexistent.invalid", 80, NULL), CONNECT_DNS, "the name does not resolve");
}
END_TEST

START_TEST(bad_hosts)
{
    static const char *const bad[] = {"",       "a b",        "a/b", "user@host", "host:80", "[::1]", "h\303\266st",
                                      "a\r\nb", "fe80::1%lo", "?",   "#"};
    char longest[300];

    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct try t = try_once(target_of(bad[i], 80, NULL));
        ck_assert_int_eq(t.result.fault, CONNECT_DNS);
    }
    fails(target_of(longest, 80, NULL), CONNECT_DNS,
          "this is no host name or address (names in ASCII form), or port 0");
    fails(target_of("127.0.0.1", 0, NULL), CONNECT_DNS,
          "this is no host name or address (names in ASCII form), or port 0");
}
END_TEST

/* ---- time ---- */

static void late(struct connect_target target, int64_t ms, const char *why)
{
    int64_t begin = clock_us();

    fails(target, CONNECT_TIMEOUT, why);
    ck_assert_int_ge(clock_us() - begin, (ms - 5) * 1000);
    ck_assert_int_le(clock_us() - begin, (ms + 400) * 1000);
}

START_TEST(timeouts)
{
    struct connect_target t;
    struct hole h;

    hole_dig(&h, "127.0.0.1", 0);
    t = target_of("127.0.0.1", h.port, NULL);
    t.connect_ms = 200;
    late(t, 200, "no connection came about within 200 ms");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", h.port);
    t.proxy = url;
    late(t, 200, "no tunnel through the proxy came about within 200 ms");
    hole_fill(&h);

    t = target_of("slow.test", 80, NULL);
    t.connect_ms = 150;
    late(t, 150, "the name did not resolve within 150 ms");

    peer = (struct peer){.silent = true};
    peer_start(&peer);
    t = target_of("127.0.0.1", peer.port, trusting);
    t.tls_ms = 200;
    late(t, 200, "the TLS handshake was not done within 200 ms");
    snprintf(url, sizeof url, "http://127.0.0.1:%u", peer.port);
    t.proxy = url;
    t.connect_ms = 250;
    late(t, 250, "no tunnel through the proxy came about within 250 ms");
}
END_TEST

/* A resolver that hangs holds nobody up: not the loop, not those who cancel, not the end. */
START_TEST(slow_name_does_not_block)
{
    struct try slow[5], fast;

    peer_start(&peer);
    int64_t begin = clock_us();
    for (int i = 0; i < 5; i++)
        try_start(&slow[i], target_of("slow.test", peer.port, NULL));
    turn_for(30);
    fast = try_once(target_of("good.test", peer.port, NULL));
    ck_assert_int_eq(fast.result.fault, CONNECT_OK);
    stream_close(&fast.result.stream, &loop);
    for (int i = 0; i < 4; i++)
        connector_cancel(slow[i].connect);
    connector_free(connector);
    ck_assert_int_le(clock_us() - begin, 500000);
    connector = connector_new(&loop);
    succeeds(target_of("slow.test", peer.port, NULL));
}
END_TEST

/* One question for all who need the name, and its answer for all; also when it is that there is no such name. */
START_TEST(name_is_asked_for_once)
{
    struct try t[20];

    peer_start(&peer);
    for (int i = 0; i < 20; i++)
        try_start(&t[i], target_of("slow.test", peer.port, NULL));
    connector_cancel(t[0].connect); /* who asks gives up; the question stands */
    for (int i = 1; i < 20; i++) {
        try_wait(&t[i]);
        ck_assert_msg(t[i].result.fault == CONNECT_OK, "%s", t[i].result.why);
        stream_close(&t[i].result.stream, &loop);
    }
    ck_assert_int_eq(t[0].calls, 0);
    ck_assert_int_eq(asked, 1);
    struct connect_target nowhere = target_of("nonexistent.invalid", peer.port, NULL);
    for (int i = 0; i < 20; i++) {
        t[i] = (struct try){0};
        t[i].connect = connector_start(connector, &nowhere, try_done, &t[i]);
    }
    for (int i = 0; i < 20; i++) {
        try_wait(&t[i]);
        ck_assert_int_eq(t[i].result.fault, CONNECT_DNS);
        ck_assert_str_eq(t[i].result.why, "the name does not resolve");
    }
    ck_assert_int_eq(asked, 2);
}
END_TEST

/* A resolver that hangs, new requests all the time, half of them cancelled: few threads. */
START_TEST(hanging_resolver)
{
    enum { N = 100 };
    static struct try t[N];

    for (int i = 0; i < N; i++) {
        struct connect_target target = target_of("slow.test", 80, NULL);
        target.connect_ms = 200;
        try_start(&t[i], target);
        turn_for(10);
        if (i % 2 && t[i - 1].connect)
            connector_cancel(t[i - 1].connect);
    }
    for (int i = 1; i < N; i += 2) {
        try_wait(&t[i]);
        ck_assert_str_eq(t[i].result.why, "the name did not resolve within 200 ms");
        ck_assert_int_le(t[i].result.connect_us, 400000);
    }
    printf("connector: %d questions to a resolver that hangs, for %d attempts\n", asked, N);
    ck_assert_int_le(asked, 20);
}
END_TEST

/* ---- TLS ---- */

static void tls_peer(const char *cert, const char *key)
{
    peer = (struct peer){.cert = pki(cert), .key = pki(key)};
}

START_TEST(tls_ok)
{
    tls_peer("good.crt", "good.key");
    peer_start(&peer);
    struct try t = try_once(target_of("good.test", peer.port, trusting));
    ck_assert_msg(t.result.fault == CONNECT_OK, "%s", t.result.why);
    ck_assert(t.result.stream.ssl && t.result.stream.handshaken && !t.result.stream.io.added);
    ck_assert_int_gt(t.result.tls_us, 0);
    stream_works(&t.result.stream);
    stream_close(&t.result.stream, &loop);
    for (int i = 0; i < 3; i++)
        succeeds(target_of("good.test", peer.port, trusting)); /* resumed */
    succeeds(target_of("127.0.0.1", peer.port, trusting));
    succeeds(target_of("localhost", peer.port, trusting));
}
END_TEST

START_TEST(tls_refused)
{
    static const struct {
        const char *cert, *key, *host, *why;
        int version;
    } rows[] = {
        {"wrong.crt", "wrong.key", "good.test", "the host name does not match the certificate's subjectAltName", 0},
        {"good.crt", "good.key", "other.test", "the host name does not match the certificate's subjectAltName", 0},
        {"wrong.crt", "wrong.key", "127.0.0.1", "the IP address does not match the certificate's subjectAltName", 0},
        {"foreign.crt", "foreign.key", "good.test",
         "the certificate was issued by an authority that is not trusted here, or the peer left out one in between", 0},
        {"expired.crt", "expired.key", "good.test", "the certificate has expired", 0},
        {"good.crt", "good.key", "good.test",
         "the peer takes none of the TLS versions that are allowed (1.2 and later)", TLS1_1_VERSION},
    };

    tls_peer(rows[_i].cert, rows[_i].key);
    peer.version = rows[_i].version;
    peer_start(&peer);
    fails(target_of(rows[_i].host, peer.port, trusting), CONNECT_TLS, rows[_i].why);
}
END_TEST

START_TEST(tls_to_plain)
{
    peer_start(&peer); /* echoes the hello */
    struct try t = try_once(target_of("127.0.0.1", peer.port, trusting));
    ck_assert_int_eq(t.result.fault, CONNECT_TLS);
    ck_assert_uint_gt(strlen(t.result.why), 0);
}
END_TEST

START_TEST(tls_client_certificate)
{
    struct weir_error e;
    struct ssl_ctx_st *with = tls_client(
        &(struct tls_client_config){.ca = pki("ca.crt"), .cert = pki("client.crt"), .key = pki("client.key")}, &e);
    char c;

    tls_peer("good.crt", "good.key");
    peer.client_ca = pki("ca.crt");
    peer.version = _i ? TLS1_3_VERSION : TLS1_2_VERSION;
    peer_start(&peer);
    succeeds(target_of("good.test", peer.port, with));
    succeeds(target_of("good.test", peer.port, with));
    struct try t = try_once(target_of("good.test", peer.port, trusting));
    if (!_i) {
        ck_assert_int_eq(t.result.fault, CONNECT_TLS);
        ck_assert_str_eq(t.result.why,
                         "the peer found no common ground (ciphers, or it requires a client certificate)");
    } else {
        ck_assert_int_eq(t.result.fault, CONNECT_OK);
        ssize_t n = STREAM_AGAIN;
        for (int i = 0; i < 1000 && n == STREAM_AGAIN; i++, usleep(1000))
            n = stream_read(&t.result.stream, &c, 1);
        ck_assert_int_eq(n, STREAM_ERROR);
        ck_assert_str_eq(stream_error(&t.result.stream), "the peer requires a client certificate");
        stream_close(&t.result.stream, &loop);
    }
    tls_free(with);
}
END_TEST

/* ---- proxies ---- */

static char proxy_url[128];

static struct connect_target through(const char *credentials, struct connect_target t)
{
    snprintf(proxy_url, sizeof proxy_url, "http://%s127.0.0.1:%u", credentials, proxy.port);
    t.proxy = proxy_url;
    return t;
}

START_TEST(proxy_ok)
{
    tls_peer("good.crt", "good.key");
    if (_i < 2)
        peer = (struct peer){0};
    peer_start(&peer);
    proxy = (struct peer){.tunnel = true, .auth = _i & 1 ? "Proxy-Authorization: Basic dXNlcjpwOmEgcw==\r\n" : NULL};
    peer_start(&proxy); /* user, "p:a s" */
    const char *host = _i < 2 ? "127.0.0.1" : "localhost";
    struct connect_target t = target_of(host, peer.port, _i < 2 ? NULL : trusting);
    for (int i = 0; i < 3; i++)
        succeeds(through(_i & 1 ? "user:p%3Aa%20s@" : "", t));
    if (_i & 1) {
        fails(through("", t), CONNECT_PROXY,
              "the proxy refused the tunnel with status 407 (it wants other credentials)");
        fails(through("user:wrong@", t), CONNECT_PROXY,
              "the proxy refused the tunnel with status 407 (it wants other credentials)");
    }
}
END_TEST

/* The name is the proxy's to resolve: none of ours is asked. */
START_TEST(proxy_refuses)
{
    static const struct {
        const char *says, *why;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever", "the proxy refused the tunnel with status 403"},
        {"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n", "the proxy refused the tunnel with status 502"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "the proxy refused the tunnel with status 302"},
        {"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
         "the proxy refused the tunnel with status 407 (it wants other credentials)"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", NULL},
        {"\x15\x03\x01\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", NULL},
        {"", NULL},
    };

    proxy = (struct peer){.proxy_says = rows[_i].says};
    peer_start(&proxy);
    struct connect_target t = through("user:secret@", target_of("only-the-proxy-knows.test", 443, trusting));
    t.connect_ms = 400;
    struct try try = try_once(t);
    if (rows[_i].why) {
        ck_assert_str_eq(try.result.why, rows[_i].why);
        ck_assert_int_eq(try.result.fault, CONNECT_PROXY);
    }
    ck_assert(try.result.fault == CONNECT_PROXY || (_i >= 4 && try.result.fault == CONNECT_TIMEOUT));
    ck_assert_uint_gt(strlen(try.result.why), 0);
    ck_assert_ptr_null(strstr(try.result.why, "secret"));
}
END_TEST

START_TEST(proxy_unreachable)
{
    struct connect_target t = target_of("127.0.0.1", 80, NULL);

    close(peer_listen("127.0.0.1", &proxy.port, 1));
    fails(through("", t), CONNECT_PROXY, "the proxy: Connection refused");
    t.proxy = "http://nonexistent.invalid:3128";
    fails(t, CONNECT_PROXY, "the proxy: the name does not resolve");
}
END_TEST

START_TEST(proxy_kinds)
{
    static const char *const good[] = {"http://h:1", "http://h", "HTTP://h:3128/", "http://u:p@h:1", "http://[::1]:1"};
    static const char *const bad[] = {
        "https://h:1", "socks5://h:1",   "socks5h://h",   "h:1",         "h",       "",
        "http://",     "http://h:99999", "http://h/path", "http://h/?q", "ftp://h", "http://a b"};
    struct weir_error e;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(target_proxy_ok(good[i], &e), "%s: %s", good[i], e.text);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!target_proxy_ok(bad[i], &e), "%s", bad[i]);
        if (!*bad[i])
            continue;
        struct connect_target t = target_of("127.0.0.1", 80, NULL);
        t.proxy = bad[i];
        fails(t, CONNECT_PROXY, e.text);
    }
    ck_assert(!target_proxy_ok("https://user:secret@h:1", &e));
    ck_assert_str_eq(e.text,
                     "the proxy's address is not http://; other proxies (https, socks) are not supported, and CONNECT "
                     "carries https as well");
}
END_TEST

/* ---- cancelling ---- */

START_TEST(cancel)
{
    struct hole h;
    struct peer quiet = {.silent = true};
    static struct try left[12];
    struct try t;
    char url[64];

    peer_start(&quiet);
    hole_dig(&h, "127.0.0.1", 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", quiet.port);
    for (int stage = 0; stage < 6; stage++) {
        struct connect_target target = target_of("127.0.0.1", h.port, trusting);
        if (stage == 1)
            target.host = "slow.test";
        else if (stage == 3)
            target.proxy = url;
        else if (stage == 4)
            target.port = quiet.port;
        else if (stage == 5)
            target.host = "no/host";
        for (int wait = 0; wait < 60; wait += 15) {
            try_start(&t, target);
            if (stage != 0 && stage != 5)
                turn_for(wait);
            connector_cancel(t.connect);
            turn_for(5);
            ck_assert_int_eq(t.calls, 0);
        }
        for (int k = 0; k < 2; k++) /* ... and left for connector_free() */
            try_start(&left[stage * 2 + k], target);
    }
    hole_fill(&h);
    peer_stop(&quiet);
}
END_TEST

static struct try pair[2];

static void cancel_other(void *arg, struct connect_result *result)
{
    struct try *t = arg;

    try_done(arg, result);
    stream_close(&t->result.stream, &loop);
    if (pair[0].connect && pair[1].connect)
        connector_cancel(t == &pair[0] ? pair[1].connect : pair[0].connect);
    else if (t == &pair[0] ? pair[1].calls == 0 : pair[0].calls == 0)
        connector_cancel(t == &pair[0] ? pair[1].connect : pair[0].connect);
}

/* Both end in the same turn; the first cancels the second and starts anew, from inside `done`. */
START_TEST(cancel_from_done)
{
    uint16_t port = 0;

    close(peer_listen("127.0.0.1", &port, 1));
    struct connect_target target = target_of("127.0.0.1", port, NULL);
    for (int i = 0; i < 20; i++) {
        pair[0] = pair[1] = (struct try){0};
        for (int k = 0; k < 2; k++)
            pair[k].connect = connector_start(connector, &target, cancel_other, &pair[k]);
        turn_for(5);
        ck_assert_int_eq(pair[0].calls + pair[1].calls, 1);
    }
}
END_TEST

/* ---- many ---- */

enum { MANY = 300 };

START_TEST(many)
{
    static struct try t[MANY];

    if (_i)
        tls_peer("good.crt", "good.key");
    peer_start(&peer);
    for (int i = 0; i < MANY; i++) {
        struct connect_target target = target_of("good.test", peer.port, _i ? trusting : NULL);
        target.connect_ms = target.tls_ms = 20000;
        try_start(&t[i], target);
    }
    for (int i = 0; i < MANY; i++)
        try_wait(&t[i]);
    for (int i = 0; i < MANY; i++) {
        ck_assert_msg(t[i].result.fault == CONNECT_OK, "%s", t[i].result.why);
        ck_assert_int_eq(t[i].calls, 1);
    }
    for (int i = 0; i < MANY; i++)
        stream_works(&t[i].result.stream);
    for (int i = 0; i < MANY; i++)
        stream_close(&t[i].result.stream, &loop);
}
END_TEST

START_TEST(bounded)
{
    enum { FAR_TOO_MANY = 1100, AT_A_TIME = 1024 };
    static struct try t[FAR_TOO_MANY];
    struct rlimit limit = {4096, 4096};
    struct hole h;

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    hole_dig(&h, "127.0.0.1", 0);
    int before = count_fds();
    for (int i = 0; i < FAR_TOO_MANY; i++) {
        struct connect_target target = target_of("127.0.0.1", h.port, NULL);
        target.connect_ms = 2000;
        try_start(&t[i], target);
    }
    turn_for(50);
    ck_assert_int_eq(count_fds() - before, AT_A_TIME);
    connector_cancel(t[FAR_TOO_MANY - 1].connect); /* the last and the first in line */
    connector_cancel(t[AT_A_TIME].connect);
    for (int i = 0; i < FAR_TOO_MANY - 1; i++)
        if (i != AT_A_TIME)
            try_wait(&t[i]);
    ck_assert_str_eq(t[0].result.why, "no connection came about within 2000 ms");
    ck_assert_int_eq(t[AT_A_TIME].calls + t[FAR_TOO_MANY - 1].calls, 0);
    hole_fill(&h);
}
END_TEST

/* ---- what it costs ---- */

static int64_t cpu_us(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

START_TEST(cost)
{
    enum { N = 300 };
    struct ssl_ctx_st *tls = NULL;

    for (int i = 0; i < 3; i++) { /* plain; TLS; TLS resumed */
        int64_t cpu = 0;
        tls_peer("good.crt", "good.key");
        if (!i)
            peer = (struct peer){0};
        else
            tls = trusting;
        peer_start(&peer);
        for (int k = 0; k < N; k++) {
            struct weir_error e;
            if (i == 1) /* a context that remembers nothing */
                tls = tls_client(&(struct tls_client_config){.ca = pki("ca.crt")}, &e);
            int64_t begin = cpu_us();
            struct try t = try_once(target_of("localhost", peer.port, tls));
            cpu += cpu_us() - begin;
            ck_assert_int_eq(t.result.fault, CONNECT_OK);
            stream_works(&t.result.stream);
            begin = cpu_us();
            stream_close(&t.result.stream, &loop);
            cpu += cpu_us() - begin;
            if (i == 1)
                tls_free(tls);
        }
        peer_stop(&peer);
        printf("connector: %s costs %.1f us of CPU\n",
               i == 0   ? "a plain connect"
               : i == 1 ? "a TLS connect"
                        : "a resumed one",
               (double)cpu / N);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("connector");
    TCase *t = tcase_create("connector");

    tcase_add_unchecked_fixture(t, pki_make, pki_remove);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, plain);
    tcase_add_test(t, nothing_is_sent);
    tcase_add_test(t, families);
    tcase_add_test(t, happy_eyeballs);
    tcase_add_test(t, refused);
    tcase_add_test(t, bad_hosts);
    tcase_add_test(t, timeouts);
    tcase_add_test(t, slow_name_does_not_block);
    tcase_add_test(t, name_is_asked_for_once);
    tcase_add_test(t, hanging_resolver);
    tcase_add_test(t, tls_ok);
    tcase_add_loop_test(t, tls_refused, 0, 6);
    tcase_add_test(t, tls_to_plain);
    tcase_add_loop_test(t, tls_client_certificate, 0, 2);
    tcase_add_loop_test(t, proxy_ok, 0, 4);
    tcase_add_loop_test(t, proxy_refuses, 0, 8);
    tcase_add_test(t, proxy_unreachable);
    tcase_add_test(t, proxy_kinds);
    tcase_add_test(t, cancel);
    tcase_add_test(t, cancel_from_done);
    tcase_add_loop_test(t, many, 0, 2);
    tcase_add_test(t, bounded);
    tcase_add_test(t, cost);
    suite_add_tcase(s, t);
    return s;
}
