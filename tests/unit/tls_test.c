/* SPDX-License-Identifier: Apache-2.0 */
/* tls_test.c -- who is trusted and who is not, what the errors say, sessions resumed across forked workers. */
#include "unit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "pki.h"

static struct loop loop;

static void setup(void)
{
    pki_make();
}

static struct ssl_ctx_st *client_of(const char *ca, const char *cert, const char *key)
{
    struct weir_error e = {.text = ""};
    struct tls_client_config config = {ca ? pki(ca) : NULL, cert ? pki(cert) : "", key ? pki(key) : "", NULL};
    struct ssl_ctx_st *ctx = tls_client(&config, &e);

    ck_assert_msg(ctx != NULL, "%s", e.text);
    return ctx;
}

static struct ssl_ctx_st *server_of(const char *name)
{
    struct weir_error e = {.text = ""};
    char cert[32], key[32];

    snprintf(cert, sizeof cert, "%s.crt", name);
    snprintf(key, sizeof key, "%s.key", name);
    struct ssl_ctx_st *ctx = tls_server(pki(cert), pki(key), &e);
    ck_assert_msg(ctx != NULL, "%s", e.text);
    return ctx;
}

/* ---- a client and a server in one process ---- */

static struct stream client, server;

static bool shake(struct ssl_ctx_st *cctx, struct ssl_ctx_st *sctx, const char *host)
{
    int fd[2], c = STREAM_AGAIN, s = STREAM_AGAIN;

    loop_init(&loop);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    stream_init(&client, fd[0], tls_connect(cctx, fd[0], host));
    stream_init(&server, fd[1], tls_accept(sctx, fd[1]));
    for (int i = 0; i < 10; i++) {
        if (c == STREAM_AGAIN)
            c = stream_handshake(&client);
        if (s == STREAM_AGAIN)
            s = stream_handshake(&server);
    }
    return c == 1 && s == 1;
}

/* A byte from the server, so that the client has seen its ticket; true when it came. */
static bool talk(void)
{
    char c;

    ck_assert_int_eq(stream_writev(&server, &(struct iovec){"x", 1}, 1), 1);
    return stream_read(&client, &c, 1) == 1;
}

static void hang_up(void)
{
    stream_close(&client, &loop);
    stream_close(&server, &loop);
    loop_fini(&loop);
}

static void expect(const char *cert, const char *ca, const char *host, const char *error)
{
    struct ssl_ctx_st *s = server_of(cert), *c = client_of(ca, NULL, NULL);
    bool ok = shake(c, s, host);

    ck_assert_msg(ok == !error, "%s for %s: %s", cert, host, stream_error(&client));
    if (error)
        ck_assert_str_eq(stream_error(&client), error);
    else
        ck_assert(talk());
    hang_up();
    tls_free(s), tls_free(c);
}

#define NO_HOST    "the host name does not match the certificate's subjectAltName"
#define NO_ADDRESS "the IP address does not match the certificate's subjectAltName"
#define NO_TRUST                                                                                                       \
    "the certificate was issued by an authority that is not trusted here, or the peer left out one in between"

START_TEST(trust)
{
    expect("good", "ca.crt", "good.test", NULL);
    expect("good", "ca.crt", "GOOD.test", NULL);
    expect("good", "ca.crt", "good.test.", NULL);
    expect("good", "ca.crt", "localhost", NULL);
    expect("good", "ca.crt", "127.0.0.1", NULL);
    expect("good", "ca.crt", "::1", NULL);
    expect("good", "ca.crt", "0:0:0:0:0:0:0:1", NULL);
    expect("wrong", "ca.crt", "good.test", NO_HOST);
    expect("wrong", "ca.crt", "127.0.0.1", NO_ADDRESS);
    expect("good", "ca.crt", "127.0.0.2", NO_ADDRESS);
    expect("good", "ca.crt", "sub.good.test", NO_HOST);
    expect("good", "ca.crt", "", NO_HOST);
    expect("good", "ca.crt", ".", NO_HOST);
    expect("cn", "ca.crt", "good.test", NO_HOST);
    expect("foreign", "ca.crt", "good.test", NO_TRUST);
    expect("good", "other-ca.crt", "good.test", NO_TRUST);
    expect("good", NULL, "good.test", NO_TRUST); /* the system does not know our authority */
    expect("ca", NULL, "good.test", "the certificate is self-signed and not trusted here");
    expect("expired", "ca.crt", "good.test", "the certificate has expired");
}
END_TEST

START_TEST(longest_host)
{
    char host[400];

    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    expect("good", "ca.crt", host, NO_HOST);
}
END_TEST

/* ---- versions, protocols ---- */

static void limit(struct ssl_ctx_st *ctx, int low, int high)
{
    SSL_CTX_set_security_level(ctx, 0);
    ck_assert(SSL_CTX_set_min_proto_version(ctx, low));
    ck_assert(SSL_CTX_set_max_proto_version(ctx, high));
}

START_TEST(versions)
{
    struct ssl_ctx_st *s = server_of("good"), *c = client_of("ca.crt", NULL, NULL);

    ck_assert(shake(c, s, "good.test"));
    ck_assert_str_eq(SSL_get_version(client.ssl), "TLSv1.3");
    hang_up();
    limit(s, TLS1_2_VERSION, TLS1_2_VERSION);
    ck_assert(shake(c, s, "good.test"));
    ck_assert_str_eq(SSL_get_version(client.ssl), "TLSv1.2");
    hang_up();
    limit(s, TLS1_1_VERSION, TLS1_1_VERSION);
    ck_assert(!shake(c, s, "good.test"));
    ck_assert_str_eq(stream_error(&client), "the peer takes none of the TLS versions that are allowed (1.2 and later)");
    hang_up();
    tls_free(s), tls_free(c);

    s = server_of("good"), c = client_of("ca.crt", NULL, NULL);
    limit(c, TLS1_VERSION, TLS1_1_VERSION);
    ck_assert(!shake(c, s, "good.test"));
    ck_assert_str_eq(stream_error(&server), "the peer offers no TLS version that is allowed (1.2 and later)");
    hang_up();
    tls_free(s), tls_free(c);
}
END_TEST

static bool shake_alpn(const char *list, size_t n)
{
    struct ssl_ctx_st *s = server_of("good"), *c = client_of("ca.crt", NULL, NULL);

    ck_assert_int_eq(SSL_CTX_set_alpn_protos(c, (const unsigned char *)list, (unsigned)n), 0);
    bool ok = shake(c, s, "good.test");
    tls_free(s), tls_free(c); /* before its sessions */
    return ok;
}

START_TEST(alpn)
{
    const unsigned char *name;
    unsigned len;

    ck_assert(shake_alpn("\2h2\10http/1.1", 12));
    SSL_get0_alpn_selected(client.ssl, &name, &len);
    ck_assert_uint_eq(len, 8);
    ck_assert_mem_eq(name, "http/1.1", 8);
    ck_assert(talk());
    hang_up();
    ck_assert(shake_alpn(NULL, 0)); /* none is fine */
    hang_up();
    ck_assert(!shake_alpn("\2h2", 3));
    ck_assert_str_eq(stream_error(&client), "the peer does not speak HTTP/1.1 over TLS");
    hang_up();
}
END_TEST

static int see_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned len,
                    void *arg)
{
    (void)ssl, (void)out, (void)out_len;
    *(bool *)arg = len == 9 && memcmp(in, "\10http/1.1", 9) == 0;
    return SSL_TLSEXT_ERR_NOACK;
}

START_TEST(client_offers_http11_and_a_name)
{
    struct ssl_ctx_st *s = server_of("good"), *c = client_of("ca.crt", NULL, NULL);
    bool seen = false;

    SSL_CTX_set_alpn_select_cb(s, see_alpn, &seen);
    ck_assert(shake(c, s, "good.test."));
    ck_assert(seen);
    ck_assert_str_eq(SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name), "good.test");
    hang_up();
    ck_assert(shake(c, s, "127.0.0.1"));
    ck_assert_ptr_null(SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name));
    hang_up();
    tls_free(s), tls_free(c);
}
END_TEST

/* ---- client certificates ---- */

START_TEST(client_certificate)
{
    int version = _i ? TLS1_3_VERSION : TLS1_2_VERSION;
    struct ssl_ctx_st *s = server_of("good");
    char c;

    ck_assert(SSL_CTX_load_verify_file(s, pki("ca.crt")));
    SSL_CTX_set_verify(s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    limit(s, version, version);
    struct ssl_ctx_st *with = client_of("ca.crt", "client.crt", "client.key"),
                      *without = client_of("ca.crt", NULL, NULL),
                      *foreign = client_of("ca.crt", "foreign.crt", "foreign.key");

    ck_assert(shake(with, s, "good.test"));
    ck_assert(talk());
    hang_up();
    ck_assert(!shake(without, s, "good.test"));
    if (version == TLS1_3_VERSION) { /* the client learns of it only when it reads */
        ck_assert(client.handshaken);
        ck_assert_int_eq(stream_read(&client, &c, 1), STREAM_ERROR);
        ck_assert_str_eq(stream_error(&client), "the peer requires a client certificate");
    } else {
        ck_assert(!client.handshaken);
        ck_assert_str_eq(stream_error(&client),
                         "the peer found no common ground (ciphers, or it requires a client certificate)");
    }
    hang_up();
    ck_assert(!shake(foreign, s, "good.test"));
    if (version == TLS1_3_VERSION)
        ck_assert_int_eq(stream_read(&client, &c, 1), STREAM_ERROR);
    ck_assert_str_eq(stream_error(&client), "the peer does not trust the authority of our certificate");
    hang_up();
    tls_free(s), tls_free(with), tls_free(without), tls_free(foreign);
}
END_TEST

/* ---- resuming ---- */

START_TEST(resumes)
{
    int version = _i ? TLS1_3_VERSION : TLS1_2_VERSION;
    struct ssl_ctx_st *s = server_of("good"), *c = client_of("ca.crt", NULL, NULL);

    limit(s, version, version);
    for (int i = 0; i < 4; i++) {
        ck_assert(shake(c, s, "good.test"));
        ck_assert_int_eq(SSL_session_reused(client.ssl), i > 0);
        ck_assert_int_eq(SSL_get_verify_result(client.ssl), X509_V_OK);
        ck_assert(talk());
        hang_up();
    }
    ck_assert(shake(c, s, "localhost")); /* a session with one name proves nothing about another */
    ck_assert_int_eq(SSL_session_reused(client.ssl), 0);
    hang_up();
    tls_free(s), tls_free(c);
}
END_TEST

START_TEST(resumes_at_another_worker)
{
    struct ssl_ctx_st *s = server_of("good"), *c = client_of("ca.crt", NULL, NULL);
    int fd[2], status;

    ck_assert(shake(c, s, "good.test")); /* this worker makes the ticket */
    ck_assert(talk());
    hang_up();
    loop_init(&loop);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    pid_t pid = fork();
    if (pid == 0) { /* the other worker: its state is as at the fork of both */
        close(fd[0]);
        stream_init(&server, fd[1], tls_accept(s, fd[1]));
        _exit(stream_handshake(&server) == 1 && SSL_session_reused(server.ssl) ? 0 : 1);
    }
    close(fd[1]);
    stream_init(&client, fd[0], tls_connect(c, fd[0], "good.test"));
    ck_assert_int_eq(stream_handshake(&client), 1);
    ck_assert_int_eq(SSL_session_reused(client.ssl), 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    stream_close(&client, &loop);
    loop_fini(&loop);
    tls_free(s), tls_free(c);
}
END_TEST

/* ---- files ---- */

static void server_fails(const char *cert, const char *key, const char *field, const char *file, const char *why)
{
    struct weir_error e = {.text = ""};
    char text[256];

    ck_assert_ptr_null(tls_server(pki(cert), pki(key), &e));
    snprintf(text, sizeof text, "%s: %s", pki(file), why);
    ck_assert_str_eq(e.text, text);
    ck_assert_str_eq(e.field, field);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(server_files)
{
    server_fails("none.crt", "good.key", "cert", "none.crt", "No such file or directory");
    server_fails("good.crt", "none.key", "key", "none.key", "No such file or directory");
    server_fails("", "good.key", "cert", "", "Is a directory");
    server_fails("empty.pem", "good.key", "cert", "empty.pem", "holds no certificate in PEM form");
    server_fails("good.crt", "empty.pem", "key", "empty.pem", "holds no private key in PEM form without a passphrase");
    server_fails("good.key", "good.key", "cert", "good.key", "holds no certificate in PEM form");
    server_fails("good.crt", "good.locked.key", "key", "good.locked.key",
                 "holds no private key in PEM form without a passphrase");
    server_fails("weak.crt", "weak.key", "cert", "weak.crt", "ee key too small");
    server_fails("good.crt", "wrong.key", "key", "wrong.key", "is not the key of the certificate");
}
END_TEST

START_TEST(client_files)
{
    struct weir_error e = {.text = ""};

    ck_assert_ptr_null(tls_client(&(struct tls_client_config){.ca = "/nowhere/ca.pem"}, &e));
    ck_assert_str_eq(e.text, "/nowhere/ca.pem: No such file or directory");
    ck_assert_str_eq(e.field, "ca");
    ck_assert_ptr_null(tls_client(&(struct tls_client_config){.ca = pki("empty.pem")}, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "empty.pem: holds no certificate in PEM form"));
    ck_assert_ptr_null(tls_client(&(struct tls_client_config){.cert = "/some/cert.pem"}, &e));
    ck_assert_str_eq(e.text, "/some/cert.pem: a client certificate needs both the certificate and its key");
    ck_assert_str_eq(e.field, "key");
    ck_assert_ptr_null(tls_client(&(struct tls_client_config){.key = "/some/key.pem"}, &e));
    ck_assert_str_eq(e.field, "cert");
    ck_assert_ptr_null(tls_client(&(struct tls_client_config){.cert = pki("client.crt"), .key = pki("good.key")}, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "good.key: is not the key of the certificate"));
    tls_free(NULL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("tls");
    TCase *t = tcase_create("tls");

    tcase_add_unchecked_fixture(t, setup, pki_remove);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, trust);
    tcase_add_test(t, longest_host);
    tcase_add_test(t, versions);
    tcase_add_test(t, alpn);
    tcase_add_test(t, client_offers_http11_and_a_name);
    tcase_add_loop_test(t, client_certificate, 0, 2);
    tcase_add_loop_test(t, resumes, 0, 2);
    tcase_add_test(t, resumes_at_another_worker);
    tcase_add_test(t, server_files);
    tcase_add_test(t, client_files);
    suite_add_tcase(s, t);
    return s;
}
