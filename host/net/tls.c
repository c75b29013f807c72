/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c -- building contexts and sessions; see tls.h. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"

/* A resumed session does not show its certificate again: once in a while it is looked at anew. */
#define RESUME_US (3600 * INT64_C(1000000))
#define HOST_MAX  254

/* What both sides speak, as ALPN writes it. */
static const unsigned char alpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* A client context's last session. */
struct resume {
    SSL_SESSION *session;
    char host[HOST_MAX];
    int64_t verified_us; /* when its certificate was seen */
};

static bool set(const char *s)
{
    return s && *s;
}

/* ---- contexts ---- */

/* Without this OpenSSL would ask for an encrypted key's passphrase on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    must(ctx != NULL);
    must(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1); /* one read(2) a record instead of two */
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    return ctx;
}

static bool file_refused(struct weir_error *e, const char *field, const char *path, const char *why)
{
    snprintf(e->text, sizeof e->text, "%s: %s", path, why);
    snprintf(e->field, sizeof e->field, "%s", field);
    ERR_clear_error();
    return false;
}

/* Says of a file that OpenSSL did not take what is wrong with it. */
static bool file_explain(struct weir_error *e, const char *field, const char *path, const char *fallback)
{
    FILE *f = fopen(path, "re");
    char line[8];

    if (!f)
        return file_refused(e, field, path, strerror(errno));
    if (!fgets(line, sizeof line, f) && ferror(f)) {
        int error = errno;
        fclose(f);
        return file_refused(e, field, path, strerror(error));
    }
    fclose(f);
    /* What OpenSSL objects to in a file that it could read: "ee key too small". */
    for (unsigned long code; (code = ERR_get_error()) != 0;)
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && !(ERR_GET_REASON(code) & ERR_RFLAG_COMMON))
            return file_refused(e, field, path, ERR_reason_error_string(code));
    return file_refused(e, field, path, fallback);
}

static bool identity_load(SSL_CTX *ctx, const char *cert, const char *key, struct weir_error *e)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return file_explain(e, "cert", cert, "holds no certificate in PEM form");
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509)
            return file_refused(e, "key", key, "is not the key of the certificate");
        return file_explain(e, "key", key, "holds no private key in PEM form without a passphrase");
    }
    if (SSL_CTX_check_private_key(ctx) != 1)
        return file_refused(e, "key", key, "is not the key of the certificate");
    return true;
}

/* RFC 7301: a client that names protocols, but not ours, is refused. */
static int alpn_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
    unsigned char *chosen;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, alpn, sizeof alpn, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *tls_server(const char *cert, const char *key, struct weir_error *e)
{
    SSL_CTX *ctx = context_new(TLS_server_method());

    if (!identity_load(ctx, cert, key, e)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    /* Tickets carry the whole session, under keys made just now: every worker forked later can resume it. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    must(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"weir", 4) == 1);
    must(SSL_CTX_set_num_tickets(ctx, 1) == 1);
    SSL_CTX_set_alpn_select_cb(ctx, alpn_choose, NULL);
    return ctx;
}

/* ---- resuming ---- */

static void resume_forget(struct resume *r)
{
    SSL_SESSION_free(r->session);
    r->session = NULL;
}

/* OpenSSL has a new session for us: 1 takes it. */
static int resume_keep(SSL *ssl, SSL_SESSION *session)
{
    struct resume *r = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    if (!r || !host || !SSL_SESSION_is_resumable(session))
        return 0;
    if (!SSL_session_reused(ssl))
        r->verified_us = clock_us();
    else if (strcmp(r->host, host) != 0)
        return 0; /* another host has taken the place meanwhile */
    resume_forget(r);
    r->session = session;
    snprintf(r->host, sizeof r->host, "%s", host);
    return 1;
}

/* Resuming is for names only: an address is not part of what OpenSSL remembers with a session. */
static void resume_use(SSL *ssl, const char *host)
{
    struct resume *r = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (!r || !r->session || strcmp(r->host, host) != 0)
        return;
    if (clock_us() - r->verified_us > RESUME_US)
        resume_forget(r);
    else
        SSL_set_session(ssl, r->session);
}

/* ---- clients ---- */

/* Whether the folder holds certificates by the hash of their names, as c_rehash(1) lays them. */
static bool folder_is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool hashed = false;

    while (dir && !hashed && (e = readdir(dir)))
        hashed = strspn(e->d_name, "0123456789abcdef") == 8 && strcmp(e->d_name + 8, ".0") == 0;
    if (dir)
        closedir(dir);
    return hashed;
}

/* The system's authorities.  From a hashed folder OpenSSL reads the one that it needs, when it needs it; to read the
 * whole bundle would cost more time than all else at start.  Debian makes both from the same files. */
static void trust_system(SSL_CTX *ctx)
{
    static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt", folder[] = "/etc/ssl/certs";
    const char *file = getenv(X509_get_default_cert_file_env()), *dir = getenv(X509_get_default_cert_dir_env());
    bool as_usual = (!file || strcmp(file, bundle) == 0) && (!dir || strcmp(dir, folder) == 0);

    if (!as_usual || !folder_is_hashed(folder) || SSL_CTX_load_verify_dir(ctx, folder) != 1)
        must(SSL_CTX_set_default_verify_paths(ctx) == 1);
}

SSL_CTX *tls_client(const struct tls_client_config *config, struct weir_error *e)
{
    SSL_CTX *ctx = context_new(TLS_client_method());
    bool ok = true;

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    ERR_clear_error();
    if (config->same_ca)
        SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(config->same_ca));
    else if (!set(config->ca))
        trust_system(ctx);
    else if (SSL_CTX_load_verify_file(ctx, config->ca) != 1)
        ok = file_explain(e, "ca", config->ca, "holds no certificate in PEM form");
    if (ok && (set(config->cert) || set(config->key))) {
        if (!set(config->cert) || !set(config->key))
            ok = file_refused(e, set(config->cert) ? "key" : "cert", set(config->cert) ? config->cert : config->key,
                              "a client certificate needs both the certificate and its key");
        else
            ok = identity_load(ctx, config->cert, config->key, e);
    }
    if (!ok) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    must(SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn) == 0);
    SSL_CTX_set_app_data(ctx, must_alloc(sizeof(struct resume)));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, resume_keep);
    return ctx;
}

void tls_free(SSL_CTX *ctx)
{
    struct resume *r = ctx ? SSL_CTX_get_app_data(ctx) : NULL;

    if (r) {
        resume_forget(r);
        free(r);
        SSL_CTX_set_app_data(ctx, NULL); /* sessions that outlive us still come to resume_keep() */
    }
    SSL_CTX_free(ctx);
}

/* ---- sessions ---- */

static SSL *session_new(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);

    must(ssl != NULL);
    must(SSL_set_fd(ssl, fd) == 1);
    return ssl;
}

SSL *tls_accept(SSL_CTX *ctx, int fd)
{
    SSL *ssl = session_new(ctx, fd);

    SSL_set_accept_state(ssl);
    return ssl;
}

static bool is_address(const char *host)
{
    unsigned char binary[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

SSL *tls_connect(SSL_CTX *ctx, int fd, const char *host)
{
    SSL *ssl = session_new(ctx, fd);
    char name[HOST_MAX + 1];
    size_t len = strlen(host);

    SSL_set_connect_state(ssl);
    if (is_address(host)) {
        must(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1);
        return ssl;
    }
    if (len && host[len - 1] == '.')
        len--; /* a rooted name; certificates have no dot at the end */
    if (len > HOST_MAX - 1)
        len = HOST_MAX - 1; /* longer than a DNS name can be: no certificate will fit */
    memcpy(name, host, len);
    name[len] = '\0';
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    /* An empty name would mean that any name will do. */
    must(SSL_set1_host(ssl, *name ? name : "invalid") == 1);
    if (*name)
        SSL_set_tlsext_host_name(ssl, name);
    resume_use(ssl, name);
    return ssl;
}

/* ---- errors ---- */

struct reason {
    long code;
    const char *text;
};

static const struct reason verify_reasons[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "the certificate has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "the certificate is not valid yet"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "the host name does not match the certificate's subjectAltName"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "the IP address does not match the certificate's subjectAltName"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "the certificate was issued by an authority that is not trusted here, or the peer left out one in between"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the certificate is self-signed and not trusted here"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the certificate was issued by an authority that is not trusted here"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "the peer does not send the certificates between its own and the authority's"},
    {X509_V_ERR_CERT_REVOKED, "the certificate has been revoked"},
    {0, NULL},
};

static const struct reason call_reasons[] = {
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the connection ended without TLS's goodbye"},
    {SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS"},
    {SSL_R_HTTP_REQUEST, "the peer speaks plain HTTP, not TLS"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the peer speaks plain HTTP, not TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer offers no TLS version that is allowed (1.2 and later)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer takes none of the TLS versions that are allowed (1.2 and later)"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer requires a client certificate"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer sent no certificate"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer refuses our certificate as bad"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the peer says that our certificate has expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer refuses our certificate"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer does not trust the authority of our certificate"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the peer denies access to our certificate"},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "the peer does not serve this host name"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the peer found no common ground (ciphers, or it requires a client certificate)"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher in common"},
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "the peer does not speak HTTP/1.1 over TLS"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the peer does not offer HTTP/1.1 over TLS"},
    {0, NULL},
};

static const char *reason_find(const struct reason *table, long code)
{
    while (table->text && table->code != code)
        table++;
    return table->text;
}

const char *tls_reason(const SSL *ssl, unsigned long code)
{
    long verdict = SSL_get_verify_result(ssl);
    const char *text;

    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
        verdict != X509_V_OK) {
        text = reason_find(verify_reasons, verdict);
        return text ? text : X509_verify_cert_error_string(verdict);
    }
    text = ERR_GET_LIB(code) == ERR_LIB_SSL ? reason_find(call_reasons, ERR_GET_REASON(code)) : NULL;
    if (!text)
        text = ERR_reason_error_string(code);
    return text ? text : "the peer broke the TLS protocol";
}
