/* SPDX-License-Identifier: Apache-2.0 */
/* credentials_test.c -- where credentials come from (plugins/lib/source.h, aws_keys.h, google.h), by a fake host. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "aws_keys.h"
#include "google.h"
#include "source.h"
#include "weir_test.h"

struct both {
    const char *credentials, *profile, *region, *url, *file;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct both, credentials, "static", "google, or one of AWS's"),
    WEIR_OPT(struct both, profile, "", "-"),
    WEIR_OPT(struct both, region, "eu-west-1", "-"),
    WEIR_OPT(struct both, url, "", "-"),
    WEIR_OPT(struct both, file, "", "-"),
    WEIR_OPT_END,
};

static bool credential(struct weir_ctx *c, struct weir_credential *out, struct weir_error *e)
{
    const struct both *b = c->self;

    if (strcmp(b->credentials, "google") == 0)
        return google_token(c, &(struct google_source){b->file, b->url}, out, e);
    return aws_source_get(c, &(struct aws_source){b->credentials, b->profile, b->region, b->url}, out, e);
}

static enum weir_verdict encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    (void)c;
    (void)to;
    (void)h;
    (void)e;
    return WEIR_FAIL;
}

WEIR_PLUGIN(.name = "both", .version = "1", .summary = "A provider of either cloud.", .options = options,
            .self_size = sizeof(struct both), .dialect = "both", .encode = encode, .credential = credential, );

/* ---- helpers ---- */

static char folder[] = "/tmp/weir-unit-credentials-XXXXXX";

static const char *file_put(const char *name, const char *text)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void begin(struct weir_test *t, const char *set)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_PROFILE",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_CONFIG_FILE",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "GOOGLE_APPLICATION_CREDENTIALS",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_DISABLED",
                                        "CLOUDSDK_CONFIG",
                                        "GCE_METADATA_HOST"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    if (strstr(folder, "XXXXXX"))
        ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("HOME", folder, 1);
    weir_test_init(t, &weir_plugin, set);
    weir_test_fact(t, "time", "1764000000");
}

static void fails(struct weir_test *t, const char *why)
{
    struct weir_credential got;
    struct weir_error e;

    ck_assert(!weir_test_credential(t, &got, &e));
    ck_assert_msg(strstr(e.text, why), "\"%s\" is not in \"%s\"", why, e.text);
}

static struct weir_credential gets(struct weir_test *t, const char *secret, const char *from)
{
    struct weir_credential got;
    struct weir_error e;

    ck_assert_msg(weir_test_credential(t, &got, &e), "%s", e.text);
    weir_test_same(got.secret, secret);
    ck_assert_str_eq(got.from, from);
    return got;
}

/* ---- times and profiles ---- */

START_TEST(times)
{
    ck_assert_int_eq(source_time(WEIR_STR("2026-11-25T14:00:00Z")), 1795615200);
    ck_assert_int_eq(source_time(WEIR_STR("2026-11-25T14:00:00.123Z")), 1795615200);
    ck_assert_int_eq(source_time(WEIR_STR("2026-11-25T15:00:00+01:00")), 1795615200);
    ck_assert_int_eq(source_time(WEIR_STR("2026-11-25T12:30:00-01:30")), 1795615200);
    ck_assert_int_eq(source_time(WEIR_STR("2024-02-29T12:34:56Z")), 1709210096);
    const char *const bad[] = {"",          "2026-11-25T14:00:00",  "2026-13-25T14:00:00Z",  "2026-11-25 14:00:00Z",
                               "x",         "2026-11-25T25:00:00Z", "2026-11-25T14:00:00+1", "2026-11-25T14:00:00+01:0",
                               "1795615200"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(source_time(str_of(bad[i])), -1);
}
END_TEST

START_TEST(profiles)
{
    static const char file[] =
        "aws_access_key_id = outside\n[default]\r\naws_access_key_id=ID \r\n# aws_access_key_id=no\n"
        "aws_secret_access_key =  a/b+c=\n\n[profile p q]\naws_access_key_id = P\n"
        "s3 =\n  aws_secret_access_key = nested\naws_secret_access_key = S\naws_session_token=T";
    struct aws_keys k;

    ck_assert(aws_profile_read(str_of(file), "default", &k));
    weir_test_same(k.id, "ID");
    weir_test_same(k.secret, "a/b+c=");
    weir_test_same(k.token, "");
    ck_assert(aws_profile_read(str_of(file), "p q", &k));
    weir_test_same(k.secret, "S");
    weir_test_same(k.token, "T");
    ck_assert(!aws_profile_read(str_of(file), "none", &k));
    ck_assert(!aws_profile_read(WEIR_STR("[default]\naws_access_key_id=only"), "default", &k));
}
END_TEST

START_TEST(containers_on_this_machine)
{
    const char *const good[] = {"https://any.host/x",      "http://127.0.0.1/x",      "http://localhost:1234/x",
                                "http://[::1]:1/x",        "http://169.254.170.2/v2", "http://169.254.170.23/v1",
                                "http://[fd00:ec2::23]/v1"};
    const char *const bad[] = {"http://192.0.2.1/x",
                               "http://127.0.0.1.evil/x",
                               "http://localhost@evil/x",
                               "ftp://127.0.0.1/",
                               "http://",
                               "https://",
                               "https:///x",
                               "http://127.0.0.1\\@evil/",
                               "file:///etc/passwd",
                               "",
                               "https://a@b/",
                               "http://[::1/x",
                               "http://[::2]/x"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(aws_container_fits(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!aws_container_fits(bad[i]), "%s", bad[i]);
}
END_TEST

/* ---- AWS ---- */

#define STS "https://sts.eu-west-1.amazonaws.com/"

START_TEST(web_identity)
{
    struct weir_test t;

    begin(&t, "credentials = chain");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file_put("token", "ey.J.x\n"), 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    setenv("AWS_ROLE_SESSION_NAME", "pod 1", 1);
    weir_test_fetched(&t, STS, 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>ey.J.x</Message></Error>");
    fails(&t, "STS says 403 AccessDenied");
    weir_test_fetched(&t, STS, 200, "<a><AccessKeyId>A</AccessKeyId><SecretAccessKey>&lt;</SecretAccessKey></a>");
    fails(&t, "STS says 200");
    weir_test_fetched(
        &t, STS, 200,
        "<a><AccessKeyId>A</AccessKeyId><SecretAccessKey>s/+</SecretAccessKey><SessionToken>t==</SessionToken>"
        "<Expiration>2026-11-25T14:00:00Z</Expiration></a>");
    ck_assert_int_eq(gets(&t, "A\ns/+\nt==", "web_identity").expires, 1795615200);
    weir_test_same(t.fetches,
                   "POST " STS "\ncontent-type: application/x-www-form-urlencoded\n\n"
                   "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                   "RoleSessionName=pod%201&WebIdentityToken=ey.J.x\n");
    unlink(source_env("AWS_WEB_IDENTITY_TOKEN_FILE"));
    fails(&t, "cannot be read");
    unsetenv("AWS_ROLE_SESSION_NAME");
    weir_test_fini(&t);
}
END_TEST

START_TEST(the_chain_in_its_order)
{
    struct weir_test t;

    begin(&t, "credentials = chain; url = http://meta");
    weir_test_fetched(&t, "http://meta/latest/api/token", 0, "");
    fails(&t, "nobody answers"); /* the last one is always there to be asked */
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    fails(&t, "no keys in the environment");
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c", 1);
    weir_test_fetched(
        &t, "http://meta/c", 200,
        "{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2026-11-25T14:00:00Z\"}");
    ck_assert_int_eq(gets(&t, "C\ns\nt", "container").expires, 1795615200);
    weir_test_fetched(&t, "http://meta/c", 200, "{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\"}");
    fails(&t, "without AccessKeyId, SecretAccessKey or Expiration");
    setenv("AWS_SHARED_CREDENTIALS_FILE",
           file_put("credentials", "[default]\naws_access_key_id=P\naws_secret_access_key=s\n"), 1);
    ck_assert_uint_eq(gets(&t, "P\ns\n", "profile").again, 60);
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "two lines\nx", 1);
    fails(&t, "blanks or control characters");
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    struct weir_credential got = gets(&t, "E\nes\n", "env");
    ck_assert_uint_eq(got.again, 0);
    ck_assert_int_eq(got.expires, 0);
    weir_test_fini(&t);
}
END_TEST

START_TEST(the_instance)
{
    struct weir_test t;

    begin(&t, "credentials = instance");
    weir_test_fetched(&t, "http://169.254.169.254/latest/api/token", 403, "");
    fails(&t, "allow IMDSv2");
    weir_test_fetched(&t, "http://169.254.169.254/latest/api/token", 200, "T");
    weir_test_fetched(&t, "http://169.254.169.254/latest/meta-data/iam/security-credentials/", 404, "");
    fails(&t, "no role");
    weir_test_fetched(&t, "http://169.254.169.254/latest/api/token", 200, "T");
    weir_test_fetched(&t, "http://169.254.169.254/latest/meta-data/iam/security-credentials/", 200, "../../user-data");
    fails(&t, "no role");
    weir_test_fetched(&t, "http://169.254.169.254/latest/api/token", 200, "T");
    weir_test_fetched(&t, "http://169.254.169.254/latest/meta-data/iam/security-credentials/", 200, "r1\n");
    weir_test_fetched(&t, "http://169.254.169.254/latest/meta-data/iam/security-credentials/r1", 200,
                      "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                      "\"Expiration\":\"2026-11-25T14:00:00Z\"}");
    gets(&t, "I\ns\nt", "instance");
    weir_test_fini(&t);
}
END_TEST

START_TEST(static_needs_none)
{
    struct weir_credential got;
    struct weir_error e;
    struct weir_test t;

    begin(&t, "");
    ck_assert(weir_test_credential(&t, &got, &e));
    ck_assert_uint_eq(got.secret.len, 0);
    weir_test_fini(&t);
}
END_TEST

/* ---- Google ---- */

#define TOKEN_URL "https://oauth2.googleapis.com/token"

START_TEST(google_files)
{
    struct weir_test t;

    begin(&t, "credentials = google");
    setenv("GOOGLE_APPLICATION_CREDENTIALS",
           file_put("adc", "{\"type\":\"authorized_user\",\"client_id\":\"i d\","
                           "\"client_secret\":\"s\",\"refresh_token\":\"1//r\"}"),
           1);
    weir_test_fetched(&t, TOKEN_URL, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"1//r is bad\"}");
    fails(&t, "Google's token server says 400 invalid_grant");
    weir_test_fetched(&t, TOKEN_URL, 200, "{\"access_token\":\"two words\",\"expires_in\":10}");
    fails(&t, "without access_token or expires_in");
    weir_test_fetched(&t, TOKEN_URL, 200,
                      "{\"access_token\":\"ya29.x\",\"expires_in\":3599,\"token_type\":\"Bearer\"}");
    ck_assert_int_eq(gets(&t, "ya29.x", "gcloud_user").expires, 1764003599);
    weir_test_same(t.fetches, "POST " TOKEN_URL "\ncontent-type: application/x-www-form-urlencoded\n\n"
                              "grant_type=refresh_token&client_id=i%20d&client_secret=s&refresh_token=1%2F%2Fr\n");
    file_put("adc", "{\"type\":\"external_account\"}");
    fails(&t, "its type is not known");
    file_put("adc", "[]");
    fails(&t, "is no JSON");
    file_put("adc", "{\"type\":\"service_account\",\"private_key\":\"x\",\"token_uri\":\"http://evil/\"}");
    fails(&t, "not https");
    file_put("adc", "{\"type\":\"service_account\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END "
                    "PRIVATE KEY-----\\n\"}");
    fails(&t, "no RSA key");
    unlink(source_env("GOOGLE_APPLICATION_CREDENTIALS"));
    fails(&t, "cannot be read");
    weir_test_fini(&t);
}
END_TEST

START_TEST(google_metadata)
{
    struct weir_test t;

    begin(&t, "credentials = google");
    weir_test_fetched(&t, "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
                      200, "{\"access_token\":\"ya29.m\",\"expires_in\":100,\"token_type\":\"Bearer\"}");
    ck_assert_int_eq(gets(&t, "ya29.m", "metadata").expires, 1764000100);
    ck_assert_ptr_nonnull(strstr(t.fetches.ptr, "\nmetadata-flavor: Google\n"));
    weir_test_fini(&t);
}
END_TEST

START_TEST(vertex_hosts)
{
    static const char *const rows[][2] = {{"global", "https://aiplatform.googleapis.com/v1"},
                                          {"us", "https://aiplatform.us.rep.googleapis.com/v1"},
                                          {"eu", "https://aiplatform.eu.rep.googleapis.com/v1"},
                                          {"europe-west4", "https://europe-west4-aiplatform.googleapis.com/v1"}};
    struct weir_test t;

    begin(&t, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text u = {.c = &t.ctx};
        google_vertex_put(&u, rows[i][0]);
        weir_test_same(text_view(&u), rows[i][1]);
    }
    weir_test_fini(&t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("credentials");
    TCase *c = tcase_create("all");

    tcase_add_test(c, times);
    tcase_add_test(c, profiles);
    tcase_add_test(c, containers_on_this_machine);
    tcase_add_test(c, web_identity);
    tcase_add_test(c, the_chain_in_its_order);
    tcase_add_test(c, the_instance);
    tcase_add_test(c, static_needs_none);
    tcase_add_test(c, google_files);
    tcase_add_test(c, google_metadata);
    tcase_add_test(c, vertex_hosts);
    suite_add_tcase(s, c);
    return s;
}
