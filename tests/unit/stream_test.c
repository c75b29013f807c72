/* SPDX-License-Identifier: Apache-2.0 */
/* stream_test.c -- the same verbs over a plain socket and over TLS: parts, ends, truncation, errors, memory. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "pki.h"

static struct loop loop;
static struct ssl_ctx_st *server_ctx, *client_ctx;
static struct stream a, b; /* client, server */

static void tls_setup(void)
{
    struct weir_error e;

    pki_make();
    server_ctx = tls_server(pki("good.crt"), pki("good.key"), &e);
    client_ctx = tls_client(&(struct tls_client_config){.ca = pki("ca.crt")}, &e);
    ck_assert(server_ctx && client_ctx);
    pki_remove();
}

static void tls_teardown(void)
{
    tls_free(server_ctx);
    tls_free(client_ctx);
}

static void pair(int fd[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
}

static void shake(void)
{
    for (int i = 0; i < 10 && stream_handshake(&a) + stream_handshake(&b) < 2; i++)
        ;
    ck_assert(a.handshaken && b.handshaken);
}

/* Two connected streams; `tls` is the loop test's index. */
static void connect_pair(int tls)
{
    int fd[2];

    loop_init(&loop);
    pair(fd);
    stream_init(&a, fd[0], tls ? tls_connect(client_ctx, fd[0], "good.test") : NULL);
    stream_init(&b, fd[1], tls ? tls_accept(server_ctx, fd[1]) : NULL);
    shake();
    if (tls) { /* the ticket, so that later counts are of data alone */
        char c;
        ck_assert_int_eq(stream_read(&a, &c, 1), STREAM_AGAIN);
    }
}

static void close_pair(void)
{
    stream_close(&a, &loop);
    stream_close(&b, &loop);
    stream_close(&b, &loop);
    loop_fini(&loop);
}

static ssize_t put(struct stream *s, const char *text)
{
    return stream_writev(s, &(struct iovec){(char *)text, strlen(text)}, 1);
}

START_TEST(to_and_fro)
{
    char got[16] = "";

    connect_pair(_i);
    ck_assert_int_eq(stream_read(&b, got, sizeof got), STREAM_AGAIN);
    ck_assert(!stream_more(&b));
    ck_assert_int_eq(put(&a, "hello"), 5);
    ck_assert_int_eq(stream_read(&b, got, sizeof got), 5);
    ck_assert_mem_eq(got, "hello", 5);
    ck_assert(!stream_more(&b));
    ck_assert_int_eq(put(&b, "you"), 3);
    ck_assert_int_eq(stream_read(&a, got, 2), 2);
    ck_assert_int_eq(stream_more(&a), _i); /* plain: epoll knows of the rest */
    ck_assert_int_eq(stream_read(&a, got + 2, 2), 1);
    ck_assert_mem_eq(got, "you", 3);
    ck_assert(!stream_more(&a));
    close_pair();
}
END_TEST

START_TEST(pieces)
{
    struct iovec v[70] = {0};
    char text[64], got[256];
    size_t n = 0;

    for (int i = 0; i < 64; i++)
        text[i] = (char)('0' + i);
    for (int i = 1; i < 70; i += 2) /* empty pieces before, between and behind */
        v[i] = (struct iovec){text + i % 60, (size_t)(i % 4)}, n += (size_t)(i % 4);
    connect_pair(_i);
    ck_assert_int_eq(stream_writev(&a, v, 70), (ssize_t)n);
    ck_assert_int_eq(stream_read(&b, got, sizeof got), (ssize_t)n);
    for (size_t i = 0, at = 0; i < 70; at += v[i++].iov_len)
        ck_assert(v[i].iov_len == 0 || memcmp(got + at, v[i].iov_base, v[i].iov_len) == 0);
    close_pair();
}
END_TEST

static int records;

static void count_records(int write, int version, int type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
    (void)version, (void)len, (void)ssl, (void)arg;
    if (write && type == SSL3_RT_HEADER && *(const unsigned char *)bytes == SSL3_RT_APPLICATION_DATA)
        records++;
}

static size_t drain(struct stream *s, char *to, size_t room)
{
    size_t n = 0;

    for (ssize_t got; n < room && (got = stream_read(s, to + n, room - n)) > 0; n += (size_t)got)
        ;
    return n;
}

/* A head of 300 bytes, a body of 12000 in three pieces: one record.  With 20000 more: what fills records whole. */
START_TEST(joins_records)
{
    static char body[60000], got[60000];
    struct iovec v[5] = {
        {body, 300}, {body + 300, 5000}, {body + 5300, 10}, {body + 5310, 6990}, {body + 12300, 20000}};

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 7 + i / 251);
    connect_pair(1);
    SSL_set_msg_callback(a.ssl, count_records);
    records = 0;
    ck_assert_int_eq(stream_writev(&a, v, 4), 12300);
    ck_assert_int_eq(records, 1);
    ck_assert_uint_eq(drain(&b, got, sizeof got), 12300);
    ck_assert_mem_eq(got, body, 12300);
    records = 0;
    ck_assert_int_eq(stream_writev(&a, v, 5), 32300);
    ck_assert_int_eq(records, 2); /* 12300 + 4084 make 16384; 15916 are left */
    ck_assert_uint_eq(drain(&b, got, sizeof got), 32300);
    ck_assert_mem_eq(got, body, 32300);
    close_pair();
}
END_TEST

/* Small records that came together are read together. */
START_TEST(reads_many_records)
{
    char got[100];

    connect_pair(_i);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(put(&a, "0123456789"), 10);
    ck_assert_int_eq(stream_read(&b, got, 95), 95);
    ck_assert_int_eq(stream_more(&b), _i);
    ck_assert_int_eq(stream_read(&b, got, 95), 5);
    ck_assert(!stream_more(&b));
    close_pair();
}
END_TEST

/* Megabytes through a socket that is full most of the time, pieces cut anew for each call, the writer's memory moving.
 */
START_TEST(partial_writes)
{
    enum { SIZE = 3000000 };
    char *from = malloc(SIZE), *moved = malloc(SIZE), *to = malloc(SIZE);
    size_t sent = 0, got = 0;
    int again = 0;

    for (size_t i = 0; i < SIZE; i++)
        from[i] = (char)(i * 31 + i / 977);
    memcpy(moved, from, SIZE);
    connect_pair(_i);
    for (unsigned turn = 0; got < SIZE; turn++) {
        while (sent < SIZE) {
            char *base = turn & 1 ? from : moved;
            struct iovec v[3];
            size_t left = SIZE - sent, x = left < 100 + turn % 900 ? left : 100 + turn % 900,
                   y = left - x < 30000 ? left - x : 30000;
            v[0] = (struct iovec){base + sent, x};
            v[1] = (struct iovec){base + sent + x, y};
            v[2] = (struct iovec){base + sent + x + y, left - x - y};
            ssize_t n = stream_writev(&a, v, 3);
            ck_assert_int_ne(n, STREAM_ERROR);
            if (n == STREAM_AGAIN) {
                again++;
                break;
            }
            sent += (size_t)n;
        }
        size_t room = SIZE - got < 1 + turn * 7919 % 90000 ? SIZE - got : 1 + turn * 7919 % 90000;
        ssize_t n = stream_read(&b, to + got, room);
        ck_assert_int_ne(n, STREAM_ERROR);
        if (n > 0)
            got += (size_t)n;
    }
    ck_assert_int_gt(again, 10);
    ck_assert_mem_eq(from, to, SIZE);
    close_pair();
    free(from), free(moved), free(to);
}
END_TEST

START_TEST(clean_end)
{
    char got[16];

    connect_pair(_i);
    ck_assert_int_eq(put(&a, "last"), 4);
    stream_shutdown(&a);
    stream_shutdown(&a);
    ck_assert_int_eq(stream_read(&b, got, 4), 4);
    ck_assert_int_eq(stream_read(&b, got, 4), 0);
    ck_assert_int_eq(stream_read(&b, got, 4), 0);
    ck_assert_int_eq(put(&b, "more"), 4); /* half closed: the other way is open */
    ck_assert_int_eq(stream_read(&a, got, 16), 4);
    close_pair();
}
END_TEST

/* Data and the goodbye in one piece: epoll may have nothing more to say, stream_more() has. */
START_TEST(end_behind_data)
{
    char got[16];

    connect_pair(1);
    ck_assert_int_eq(put(&a, "last"), 4);
    SSL_shutdown(a.ssl); /* without FIN */
    ck_assert_int_eq(stream_read(&b, got, 16), 4);
    ck_assert(stream_more(&b));
    ck_assert_int_eq(stream_read(&b, got, 16), 0);
    close_pair();
}
END_TEST

START_TEST(cut)
{
    char got[16];

    connect_pair(_i);
    ck_assert_int_eq(put(&a, "part"), 4);
    stream_close(&a, &loop);
    ck_assert_int_eq(stream_read(&b, got, 4), 4);
    if (_i) {
        ck_assert_int_eq(stream_read(&b, got, 4), STREAM_ERROR);
        ck_assert_int_eq(stream_read(&b, got, 4), STREAM_ERROR);
        ck_assert_str_eq(stream_error(&b), "the connection ended without TLS's goodbye");
    } else {
        ck_assert_int_eq(stream_read(&b, got, 4), 0);
        ck_assert_str_eq(stream_error(&b), "no error");
    }
    close_pair();
}
END_TEST

/* Data and the cut in one read: the data first, then the error. */
START_TEST(cut_behind_data)
{
    char got[16];

    connect_pair(1);
    ck_assert_int_eq(put(&a, "part"), 4);
    stream_close(&a, &loop);
    ck_assert_int_eq(stream_read(&b, got, 16), 4);
    ck_assert_int_eq(stream_read(&b, got, 16), STREAM_ERROR);
    close_pair();
}
END_TEST

START_TEST(write_to_nobody)
{
    connect_pair(_i);
    close(a.io.fd); /* no goodbye and nobody who reads */
    a.io.fd = -1;
    ck_assert_int_eq(put(&b, "x"), STREAM_ERROR);
    ck_assert_int_eq(put(&b, "x"), STREAM_ERROR);
    ck_assert_str_eq(stream_error(&b), "Broken pipe");
    close_pair();
}
END_TEST

START_TEST(garbage_handshake)
{
    int fd[2];
    char got[64];

    loop_init(&loop);
    pair(fd);
    stream_init(&b, fd[1], tls_accept(server_ctx, fd[1]));
    a = (struct stream){.io.fd = fd[0]};
    ck_assert_int_eq(stream_handshake(&b), STREAM_AGAIN);
    ck_assert_int_eq(write(fd[0], _i ? "GET / HTTP/1.1\r\n\r\n" : "\x16\x03\x01\xff\xff rubbish", _i ? 18 : 13),
                     _i ? 18 : 13);
    int result = STREAM_AGAIN;
    for (int i = 0; i < 3 && result == STREAM_AGAIN; i++)
        result = stream_handshake(&b);
    if (!_i && result == STREAM_AGAIN) { /* a record that is announced as larger than records are */
        close(fd[0]);
        a.io.fd = -1;
        result = stream_handshake(&b);
    }
    ck_assert_int_eq(result, STREAM_ERROR);
    ck_assert_int_eq(stream_handshake(&b), STREAM_ERROR);
    ck_assert_int_eq(stream_read(&b, got, sizeof got), STREAM_ERROR);
    ck_assert_int_eq(put(&b, "x"), STREAM_ERROR);
    if (_i)
        ck_assert_str_eq(stream_error(&b), "the peer speaks plain HTTP, not TLS");
    else
        ck_assert_str_ne(stream_error(&b), "no error");
    close_pair();
}
END_TEST

/* An idle TLS connection has given its buffers back. */
START_TEST(memory)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    enum { N = 200 };
    static struct stream c[N], d[N];
    char got[16];
    int fd[2];
    size_t before, idle, waiting;

    loop_init(&loop);
    connect_pair(1), close_pair(); /* what OpenSSL makes once */
    loop_init(&loop);
    before = mallinfo2().uordblks;
    for (int i = 0; i < N; i++) {
        pair(fd);
        stream_init(&c[i], fd[0], tls_connect(client_ctx, fd[0], "good.test"));
        stream_init(&d[i], fd[1], tls_accept(server_ctx, fd[1]));
        for (int k = 0; k < 10 && stream_handshake(&c[i]) + stream_handshake(&d[i]) < 2; k++)
            ;
        ck_assert_int_eq(put(&c[i], "question"), 8);
        ck_assert_int_eq(stream_read(&d[i], got, 16), 8);
        ck_assert_int_eq(put(&d[i], "answer"), 6);
        ck_assert_int_eq(stream_read(&c[i], got, 16), 6);
    }
    idle = mallinfo2().uordblks - before;
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(stream_read(&c[i], got, 16), STREAM_AGAIN);
        ck_assert_int_eq(stream_read(&d[i], got, 16), STREAM_AGAIN);
    }
    waiting = mallinfo2().uordblks - before;
    printf("stream: a TLS connection takes %zu bytes (mean of client and server), %zu after a read that said AGAIN\n",
           idle / (2 * N), waiting / (2 * N));
    ck_assert_uint_lt(idle / (2 * N), 16500); /* one buffer more would make 24000 */

    for (int i = 0; i < N; i++)
        stream_close(&c[i], &loop), stream_close(&d[i], &loop);
    loop_fini(&loop);
#endif
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("stream");

    tcase_add_unchecked_fixture(t, tls_setup, tls_teardown);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, to_and_fro, 0, 2);
    tcase_add_loop_test(t, pieces, 0, 2);
    tcase_add_test(t, joins_records);
    tcase_add_loop_test(t, reads_many_records, 0, 2);
    tcase_add_loop_test(t, partial_writes, 0, 2);
    tcase_add_loop_test(t, clean_end, 0, 2);
    tcase_add_test(t, end_behind_data);
    tcase_add_loop_test(t, cut, 0, 2);
    tcase_add_test(t, cut_behind_data);
    tcase_add_loop_test(t, write_to_nobody, 0, 2);
    tcase_add_loop_test(t, garbage_handshake, 0, 2);
    tcase_add_test(t, memory);
    suite_add_tcase(s, t);
    return s;
}
