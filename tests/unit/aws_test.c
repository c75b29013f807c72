/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_test.c -- Signature Version 4 by the examples of AWS's documentation of S3, and by requests to Bedrock that two
 * other implementations sign the same way.  The keys are AWS's published example keys.
 */
#include "unit.h"

#include "aws.h"

struct vector {
    const char *name, *service, *date, *secret, *method, *path, *body;
    struct aws_pair query[2], headers[5];
    const char *authorization;
};

#define P(name, value)                                                                                                 \
    {                                                                                                                  \
        {"" name, sizeof name - 1},                                                                                    \
        {                                                                                                              \
            "" value, sizeof value - 1                                                                                 \
        }                                                                                                              \
    }

static const struct vector vectors[] = {
    {"s3-get-range",
     "s3",
     "20130524T000000Z",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "GET",
     "/test.txt",
     "",
     {{{0}, {0}}},
     {P("host", "examplebucket.s3.amazonaws.com"),
      P("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      P("x-amz-date", "20130524T000000Z"), P("range", "bytes=0-9")},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
     "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"s3-put-object",
     "s3",
     "20130524T000000Z",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "PUT",
     "/test%24file.text",
     "Welcome to Amazon S3.",
     {{{0}, {0}}},
     {P("host", "examplebucket.s3.amazonaws.com"),
      P("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
      P("x-amz-date", "20130524T000000Z"), P("date", "Fri, 24 May 2013 00:00:00 GMT"),
      P("x-amz-storage-class", "REDUCED_REDUNDANCY")},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
     "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"s3-get-valueless-query",
     "s3",
     "20130524T000000Z",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "GET",
     "/",
     "",
     {P("lifecycle", "")},
     {P("host", "examplebucket.s3.amazonaws.com"),
      P("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      P("x-amz-date", "20130524T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
     "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"s3-get-query-list",
     "s3",
     "20130524T000000Z",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "GET",
     "/",
     "",
     {P("max-keys", "2"), P("prefix", "J")},
     {P("host", "examplebucket.s3.amazonaws.com"),
      P("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      P("x-amz-date", "20130524T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
     "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"s3-put-encoded-key-and-prefix-headers",
     "s3",
     "20130524T000000Z",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "PUT",
     "/weir-logs/dt%3D2026-11-22/hour%3D03/x.jsonl.gz",
     "{\"a\":1}\n",
     {{{0}, {0}}},
     {P("host", "s3.us-east-1.amazonaws.com"),
      P("x-amz-content-sha256", "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"),
      P("x-amz-date", "20130524T000000Z"), P("x-amz-server-side-encryption", "aws:kms"),
      P("x-amz-server-side-encryption-aws-kms-key-id", "k1")},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-server-side-encryption;x-amz-server-side-encryption-aws-"
     "kms-key-id, "
     "Signature=4539ad0329357e0bfedcf474b96c7f972b2d5f94ba33bc491f6ae92e45f3e407"},
    {"bedrock-raw-colon",
     "bedrock",
     "20261122T000000Z",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "POST",
     "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse-stream",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
     {{{0}, {0}}},
     {P("content-type", "application/json"), P("host", "bedrock-runtime.us-east-1.amazonaws.com"),
      P("x-amz-content-sha256", "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"),
      P("x-amz-date", "20261122T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, "
     "Signature=991e9b1aa7b4ce35991c932575a0b66224241752ff48269087ca36e385fe80b8"},
    {"bedrock-encoded-colon",
     "bedrock",
     "20261122T000000Z",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "POST",
     "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
     {{{0}, {0}}},
     {P("content-type", "application/json"), P("host", "bedrock-runtime.us-east-1.amazonaws.com"),
      P("x-amz-content-sha256", "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"),
      P("x-amz-date", "20261122T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, "
     "Signature=6d710a7046493051c77883612fb24338eca9bb9014ccace7dd9d530e9b3570e0"},
    {"bedrock-encoded-arn",
     "bedrock",
     "20261122T000000Z",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "POST",
     "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123/converse",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
     {{{0}, {0}}},
     {P("content-type", "application/json"), P("host", "bedrock-runtime.us-east-1.amazonaws.com"),
      P("x-amz-content-sha256", "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"),
      P("x-amz-date", "20261122T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, "
     "Signature=666e65adb1d4c00185a0d1e114df3d939bab7b935f0ed4d66561b8fd2fd23fa1"},
    {"bedrock-session-token",
     "bedrock",
     "20261122T000000Z",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "POST",
     "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
     {{{0}, {0}}},
     {P("content-type", "application/json"), P("host", "bedrock-runtime.us-east-1.amazonaws.com"),
      P("x-amz-content-sha256", "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"),
      P("x-amz-date", "20261122T000000Z"), P("x-amz-security-token", "SESSIONTOKEN==")},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
     "Signature=7b8addaa6a0a07b65d1d5228a563af8b32d36ba0afa73213c5eb3f9738d930be"},
    {"bedrock-mantle-messages",
     "bedrock-mantle",
     "20261122T000000Z",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "POST",
     "/anthropic/v1/messages",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
     {{{0}, {0}}},
     {P("content-type", "application/json"), P("host", "bedrock-mantle.us-east-1.api.aws"),
      P("x-amz-content-sha256", "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"),
      P("x-amz-date", "20261122T000000Z")},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock-mantle/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, "
     "Signature=cf3496b9e438f6ae9aff1ad13d0ec5011b3412fce7ac30a128faf9e6e4c01b85"},
};

static size_t count(const struct aws_pair *p, size_t most)
{
    size_t n = 0;

    while (n < most && p[n].name.len)
        n++;
    return n;
}

static struct aws_request request_of(const struct vector *v, const char *hash)
{
    const char *id = strstr(v->authorization, "Credential=") + 11;

    return (struct aws_request){
        .access_key = {id, strcspn(id, "/")},
        .secret_key = str_of(v->secret),
        .region = WEIR_STR("us-east-1"),
        .service = str_of(v->service),
        .date = str_of(v->date),
        .method = str_of(v->method),
        .path = str_of(v->path),
        .query = v->query,
        .query_count = count(v->query, 2),
        .headers = v->headers,
        .header_count = count(v->headers, 5),
        .body_hash = str_of(hash),
    };
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

START_TEST(all_vectors)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        char hash[AWS_HASH], got[AWS_AUTHORIZATION];
        aws_hash(str_of(vectors[i].body), hash);
        struct aws_request r = request_of(&vectors[i], hash);
        ck_assert_msg(aws_sign(&r, got), "%s", vectors[i].name);
        ck_assert_str_eq(got, vectors[i].authorization);
    }
}
END_TEST

/* The order and the case in which headers and query come, and spaces around and inside values, change nothing. */
START_TEST(order_case_and_spaces)
{
    const struct vector *v = &vectors[3];
    const struct aws_pair query[] = {P("prefix", "J"), P("max-keys", "2")};
    const struct aws_pair headers[] = {v->headers[2],
                                       {WEIR_STR("X-Amz-Content-SHA256"), v->headers[1].value},
                                       P("HOST", "  examplebucket.s3.amazonaws.com ")};
    char hash[AWS_HASH], got[AWS_AUTHORIZATION];

    aws_hash(WEIR_STR(""), hash);
    struct aws_request r = request_of(v, hash);
    ck_assert_str_eq(v->name, "s3-get-query-list");
    r.query = query;
    r.headers = headers;
    ck_assert(aws_sign(&r, got));
    ck_assert_str_eq(got, v->authorization);
}
END_TEST

/* Each thing that is signed changes the signature. */
START_TEST(all_is_signed)
{
    const struct vector *v = &vectors[8];
    char hash[AWS_HASH], got[AWS_AUTHORIZATION], other[AWS_HASH];
    struct aws_pair headers[5];

    ck_assert_str_eq(v->name, "bedrock-session-token");
    aws_hash(str_of(v->body), hash);
    aws_hash(WEIR_STR("x"), other);
    for (int i = 0; i < 7; i++) {
        struct aws_request r = request_of(v, hash);
        memcpy(headers, v->headers, sizeof headers);
        headers[4].value = i == 0 ? WEIR_STR("SESSIONTOKEN=") : headers[4].value;
        r.headers = headers;
        r.secret_key = i == 1 ? WEIR_STR("x") : r.secret_key;
        r.region = i == 2 ? WEIR_STR("eu-west-1") : r.region;
        r.method = i == 3 ? WEIR_STR("GET") : r.method;
        r.path = i == 4 ? WEIR_STR("/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse") : r.path;
        r.body_hash = i == 5 ? str_of(other) : r.body_hash;
        r.header_count -= i == 6;
        ck_assert(aws_sign(&r, got));
        ck_assert_str_ne(strstr(got, "Signature="), strstr(v->authorization, "Signature="));
    }
}
END_TEST

START_TEST(what_cannot_be_signed)
{
    static char longest[AWS_AUTHORIZATION + 1];
    struct aws_pair many[AWS_PAIRS + 1];
    char hash[AWS_HASH], got[AWS_AUTHORIZATION];

    memset(longest, 'a', sizeof longest - 1);
    aws_hash(WEIR_STR(""), hash);
    for (int i = 0; i < 7; i++) {
        struct aws_request r = request_of(&vectors[5], hash);
        for (size_t k = 0; k < COUNT(many); k++)
            many[k] = (struct aws_pair)P("a", "b");
        many[0].name = i == 5 ? str_of(longest) : many[0].name;
        r.headers = many;
        r.header_count = i == 0 ? COUNT(many) : AWS_PAIRS;
        r.query = many;
        r.query_count = i == 1 ? COUNT(many) : 0;
        r.date = i == 2 ? WEIR_STR("20261122") : r.date;
        r.region = i == 3 ? str_of(longest) : r.region;
        r.secret_key = i == 4 ? str_of(longest) : r.secret_key;
        ck_assert_int_eq(aws_sign(&r, got), i == 6);
    }
}
END_TEST

START_TEST(dates)
{
    char date[AWS_DATE];

    ck_assert(aws_date(0, date));
    ck_assert_str_eq(date, "19700101T000000Z");
    ck_assert(aws_date(1709210096, date));
    ck_assert_str_eq(date, "20240229T123456Z");
    ck_assert(aws_date(253402300799, date));
    ck_assert_str_eq(date, "99991231T235959Z");
    ck_assert(!aws_date(253402300800, date));
    ck_assert(!aws_date(-1, date));
    ck_assert(!aws_date(INT64_MAX, date));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("aws");
    TCase *t = tcase_create("all");

    tcase_add_test(t, all_vectors);
    tcase_add_test(t, order_case_and_spaces);
    tcase_add_test(t, all_is_signed);
    tcase_add_test(t, what_cannot_be_signed);
    tcase_add_test(t, dates);
    suite_add_tcase(s, t);
    return s;
}
