/* SPDX-License-Identifier: Apache-2.0 */
/* aws_keys.c -- the places of AWS's keys, each a function that finds, finds nothing, or fails; see aws_keys.h. */
#include "aws_keys.h"

#include <stdio.h>
#include <strings.h>

#include "aws.h"
#include "source.h"

#define FILE_AGAIN   60 /* seconds: somebody else renews what stands in files */
#define PROFILE_WORD 64
#define METADATA_MS  1000 /* it is on this machine, or not at all */

const char *const aws_source_words[] = {"static",  "chain",     "env",      "web_identity",
                                        "profile", "container", "instance", NULL};

enum found { FOUND, ABSENT, FAILED };

struct search {
    struct weir_ctx *c;
    const struct aws_source *from;
    struct aws_keys keys;
    struct weir_credential *out;
    struct weir_error *e;
};

static enum found failed(bool told)
{
    return told ? FOUND : FAILED;
}

/* ---- env ---- */

static enum found find_env(struct search *s)
{
    s->keys = (struct aws_keys){str_of(source_env("AWS_ACCESS_KEY_ID")), str_of(source_env("AWS_SECRET_ACCESS_KEY")),
                                str_of(source_env("AWS_SESSION_TOKEN"))};
    return s->keys.id.len && s->keys.secret.len ? FOUND : ABSENT;
}

/* ---- profiles: lines of NAME = VALUE under [SECTION] ---- */

static struct weir_str line_next(struct weir_str *file)
{
    const char *eol = file->len ? memchr(file->ptr, '\n', file->len) : NULL;
    struct weir_str line = {file->ptr, eol ? (size_t)(eol - file->ptr) : file->len};
    size_t used = line.len + (eol != NULL);

    *file = (struct weir_str){file->ptr + used, file->len - used};
    return line;
}

/* "[profile x]" and "[x]" are x. */
static bool section_is(struct weir_str line, const char *section)
{
    line = source_trim((struct weir_str){line.ptr + 1, line.len - 1});
    if (!line.len || line.ptr[line.len - 1] != ']')
        return false;
    line.len--;
    if (str_starts(line, "profile ") || str_starts(line, "profile\t"))
        line = source_trim(str_behind(line, "profile "));
    return str_is(source_trim(line), section);
}

static void pair_take(struct weir_str line, struct aws_keys *k)
{
    const char *equals = line.len ? memchr(line.ptr, '=', line.len) : NULL;
    struct weir_str name, value;

    if (!equals || (unsigned char)line.ptr[0] <= ' ') /* indented: part of something nested */
        return;
    name = source_trim((struct weir_str){line.ptr, (size_t)(equals - line.ptr)});
    value = source_trim((struct weir_str){equals + 1, (size_t)(line.ptr + line.len - equals - 1)});
    if (str_is(name, "aws_access_key_id"))
        k->id = value;
    else if (str_is(name, "aws_secret_access_key"))
        k->secret = value;
    else if (str_is(name, "aws_session_token"))
        k->token = value;
}

bool aws_profile_read(struct weir_str file, const char *section, struct aws_keys *k)
{
    bool in = false;

    *k = (struct aws_keys){0};
    while (file.len) {
        struct weir_str line = line_next(&file);
        if (line.len && line.ptr[0] == '[')
            in = section_is(line, section);
        else if (in && line.len && line.ptr[0] != '#' && line.ptr[0] != ';')
            pair_take(line, k);
    }
    return k->id.len && k->secret.len;
}

static char *profile_path(struct search *s, const char *variable, const char *name)
{
    const char *set = source_env(variable), *home = source_env("HOME");

    return *set ? source_print(s->c, "%s", set) : *home ? source_print(s->c, "%s/.aws/%s", home, name) : NULL;
}

static enum found find_in(struct search *s, const char *path, const char *section)
{
    struct weir_str file;
    bool absent = true;

    if (!path)
        return ABSENT;
    if (!source_file(s->c, path, &file, &absent, s->e))
        return absent ? ABSENT : FAILED;
    return aws_profile_read(file, section, &s->keys) ? FOUND : ABSENT;
}

static const char *profile_name(const struct search *s)
{
    const char *set = *s->from->profile ? s->from->profile : source_env("AWS_PROFILE");

    return *set ? set : "default";
}

static enum found find_profile(struct search *s)
{
    const char *section = profile_name(s);
    enum found f = find_in(s, profile_path(s, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), section);

    if (f == ABSENT)
        f = find_in(s, profile_path(s, "AWS_CONFIG_FILE", "config"), section);
    s->out->again = FILE_AGAIN;
    return f;
}

/* ---- web identity: STS answers in XML ---- */

/* What stands between <name> and </name>; "" when that is nothing or holds markup. */
static struct weir_str element(struct weir_str xml, const char *name)
{
    char open[PROFILE_WORD], close[PROFILE_WORD];
    int n = snprintf(open, sizeof open, "<%s>", name), m = snprintf(close, sizeof close, "</%s>", name);
    const char *from = xml.len ? memmem(xml.ptr, xml.len, open, (size_t)n) : NULL, *to;
    struct weir_str s;

    if (!from)
        return WEIR_STR("");
    from += n;
    to = memmem(from, (size_t)(xml.ptr + xml.len - from), close, (size_t)m);
    s = to ? (struct weir_str){from, (size_t)(to - from)} : WEIR_STR("");
    return s.len && (memchr(s.ptr, '<', s.len) || memchr(s.ptr, '&', s.len)) ? WEIR_STR("") : s;
}

bool aws_sts_read(struct weir_str xml, struct aws_keys *k, int64_t *expires)
{
    *k = (struct aws_keys){element(xml, "AccessKeyId"), element(xml, "SecretAccessKey"), element(xml, "SessionToken")};
    *expires = source_time(element(xml, "Expiration"));
    return k->id.len && k->secret.len && k->token.len && *expires > 0;
}

static void form_put(struct text *t, const char *name, struct weir_str value)
{
    if (t->len)
        text_lit(t, "&");
    text_str(t, str_of(name));
    text_lit(t, "=");
    aws_encode(t, value);
}

static struct weir_str role_request(struct search *s, struct weir_str token)
{
    struct text t = {.c = s->c};
    const char *name = source_env("AWS_ROLE_SESSION_NAME");

    form_put(&t, "Action", WEIR_STR("AssumeRoleWithWebIdentity"));
    form_put(&t, "Version", WEIR_STR("2011-06-15"));
    form_put(&t, "RoleArn", str_of(source_env("AWS_ROLE_ARN")));
    form_put(&t, "RoleSessionName", str_of(*name ? name : "weir"));
    form_put(&t, "WebIdentityToken", token);
    return text_view(&t);
}

static const char *sts_url(struct search *s)
{
    const char *set = *s->from->url ? s->from->url : source_env("AWS_ENDPOINT_URL_STS"), *region = s->from->region;

    if (*set)
        return source_print(s->c, "%s/", set);
    return source_print(s->c, "https://sts.%s.amazonaws.com%s/", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

static enum found find_web_identity(struct search *s)
{
    static const char *const headers[] = {"content-type: application/x-www-form-urlencoded", NULL};
    const char *path = source_env("AWS_WEB_IDENTITY_TOKEN_FILE");
    struct weir_fetched got = {.size = sizeof got};
    struct weir_str token, code;

    if (!*path || !*source_env("AWS_ROLE_ARN"))
        return ABSENT;
    if (!source_file(s->c, path, &token, NULL, s->e))
        return FAILED;
    const struct weir_fetch ask = {.size = sizeof ask,
                                   .method = "POST",
                                   .url = sts_url(s),
                                   .headers = headers,
                                   .body = role_request(s, source_trim(token))};
    if (!weir_fetch(s->c, &ask, &got, s->e))
        return FAILED;
    if (got.status == 200 && aws_sts_read(got.body, &s->keys, &s->out->expires))
        return FOUND;
    code = element(got.body, "Code");
    return failed(source_fail(s->e, "STS says %d %.*s; the role's trust policy must name this identity", got.status,
                              (int)(code.len < 64 ? code.len : 64), code.ptr));
}

/* ---- containers and instances answer in JSON ---- */

static enum found keys_of_json(struct search *s, const struct weir_fetched *got, const char *what)
{
    const struct weir_json *j = source_json(s->c, got, what, s->e);

    if (!j)
        return FAILED;
    s->keys = (struct aws_keys){get_value(s->c, j, 0, "AccessKeyId"), get_value(s->c, j, 0, "SecretAccessKey"),
                                get_value(s->c, j, 0, "Token")};
    s->out->expires = source_time(get_value(s->c, j, 0, "Expiration"));
    if (s->keys.id.len && s->keys.secret.len && s->out->expires > 0)
        return FOUND;
    return failed(source_fail(s->e, "%s answers without AccessKeyId, SecretAccessKey or Expiration", what));
}

bool aws_container_fits(const char *url)
{
    static const char *const hosts[] = {"localhost",     "127.0.0.1",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    size_t n;

    if (strncmp(url, "https://", 8) == 0)
        return url[8] && url[8] != '/' && !strpbrk(url + 8, "@ \\");
    if (strncmp(url, "http://", 7) != 0 || strpbrk(url + 7, "@ \\"))
        return false;
    url += 7;
    n = url[0] == '[' ? strcspn(url, "]/?#") + (url[strcspn(url, "]/?#")] == ']') : strcspn(url, ":/?#");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strlen(hosts[i]) == n && memcmp(hosts[i], url, n) == 0 && strchr(":/?#", url[n]))
            return true;
    return false;
}

static const char *container_url(struct search *s)
{
    const char *relative = source_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *base = *s->from->url ? s->from->url : "http://169.254.170.2";

    if (*relative)
        return source_print(s->c, "%s%s%s", base, relative[0] == '/' ? "" : "/", relative);
    return source_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

/* The header's value: of a file that is renewed, or of the environment; "" none. */
static bool container_token(struct search *s, struct weir_str *token)
{
    const char *path = source_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");

    *token = str_of(source_env("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (*path) {
        if (!source_file(s->c, path, token, NULL, s->e))
            return false;
        *token = source_trim(*token);
    }
    for (size_t i = 0; i < token->len; i++)
        if ((unsigned char)token->ptr[i] < ' ')
            return source_fail(s->e, "the container's authorization token has more than one line");
    return true;
}

static enum found find_container(struct search *s)
{
    const char *url = container_url(s), *headers[2] = {NULL, NULL};
    struct weir_fetched got = {.size = sizeof got};
    struct weir_str token;

    if (!*url)
        return ABSENT;
    if (!*source_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") && !aws_container_fits(url))
        return failed(source_fail(s->e, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine"));
    if (!container_token(s, &token))
        return FAILED;
    if (token.len)
        headers[0] = source_print(s->c, "authorization: %.*s", (int)token.len, token.ptr);
    const struct weir_fetch ask = {
        .size = sizeof ask, .method = "GET", .url = url, .headers = headers, .timeout = METADATA_MS};
    if (!weir_fetch(s->c, &ask, &got, s->e))
        return FAILED;
    return keys_of_json(s, &got, "the container's credential service");
}

static bool instance_ask(struct search *s, const char *method, const char *path, const char *header,
                         struct weir_fetched *got)
{
    const char *set = *s->from->url ? s->from->url : source_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *const headers[] = {header, NULL};
    const struct weir_fetch ask = {.size = sizeof ask,
                                   .method = method,
                                   .url =
                                       source_print(s->c, "%s/latest/%s", *set ? set : "http://169.254.169.254", path),
                                   .headers = headers,
                                   .timeout = METADATA_MS};

    return weir_fetch(s->c, &ask, got, s->e);
}

static enum found find_instance(struct search *s)
{
    struct weir_fetched token = {.size = sizeof token}, role = token, keys = token;
    const char *header;
    struct weir_str name;

    if (strcasecmp(source_env("AWS_EC2_METADATA_DISABLED"), "true") == 0)
        return ABSENT;
    if (!instance_ask(s, "PUT", "api/token", "x-aws-ec2-metadata-token-ttl-seconds: 21600", &token))
        return FAILED;
    if (token.status != 200 || !source_is_token(source_trim(token.body)))
        return failed(
            source_fail(s->e, "EC2's metadata service gives no session token (%d); allow IMDSv2", token.status));
    name = source_trim(token.body);
    header = source_print(s->c, "x-aws-ec2-metadata-token: %.*s", (int)name.len, name.ptr);
    if (!instance_ask(s, "GET", "meta-data/iam/security-credentials/", header, &role))
        return FAILED;
    name = source_trim(line_next(&role.body));
    if (role.status != 200 || !source_is_token(name) || memchr(name.ptr, '/', name.len))
        return failed(
            source_fail(s->e, "this instance has no role (%d); attach an instance profile to it", role.status));
    if (!instance_ask(s, "GET", source_print(s->c, "meta-data/iam/security-credentials/%.*s", (int)name.len, name.ptr),
                      header, &keys))
        return FAILED;
    return keys_of_json(s, &keys, "EC2's metadata service");
}

/* ---- the chain ---- */

static const struct {
    const char *word;
    enum found (*find)(struct search *);
    const char *missing;
} sources[] = {
    {"env", find_env, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"},
    {"web_identity", find_web_identity, "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set"},
    {"profile", find_profile, "the profile has no pair of keys in ~/.aws/credentials or ~/.aws/config"},
    {"container", find_container, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set"},
    {"instance", find_instance, "AWS_EC2_METADATA_DISABLED is true"},
};

static bool search_end(struct search *s, const char *from)
{
    const struct aws_keys *k = &s->keys;

    if (!source_is_token(k->id) || !source_is_token(k->secret) || (k->token.len && !source_is_token(k->token)))
        return source_fail(s->e, "%s: the keys hold blanks or control characters", from);
    s->out->secret = str_of(source_print(s->c, "%.*s\n%.*s\n%.*s", (int)k->id.len, k->id.ptr, (int)k->secret.len,
                                         k->secret.ptr, (int)k->token.len, k->token.ptr));
    s->out->from = from;
    return true;
}

bool aws_source_get(struct weir_ctx *c, const struct aws_source *from, struct weir_credential *out,
                    struct weir_error *e)
{
    struct search s = {.c = c, .from = from, .out = out, .e = e};
    bool chain = strcmp(from->credentials, "chain") == 0;

    if (strcmp(from->credentials, "static") == 0)
        return true;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        enum found f;
        if (!chain && strcmp(from->credentials, sources[i].word) != 0)
            continue;
        out->again = 0;
        f = sources[i].find(&s);
        if (f == FOUND)
            return search_end(&s, sources[i].word);
        if (f == FAILED)
            return false;
        if (!chain)
            return source_fail(e, "%s", sources[i].missing);
    }
    return source_fail(e, "no keys in the environment, a profile, a web identity, a container or an instance's role");
}

bool aws_keys_read(struct weir_str credential, struct aws_keys *k)
{
    k->id = line_next(&credential);
    k->secret = line_next(&credential);
    k->token = credential;
    return k->id.len && k->secret.len;
}
