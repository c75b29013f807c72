/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_keys.h -- where the keys of AWS come from, as AWS's own SDKs look for them; and a request that is signed with them.
 *
 *   env            AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   web_identity   AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, exchanged at STS (EKS: IRSA)
 *   profile        a pair of keys in ~/.aws/credentials or ~/.aws/config
 *   container      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS; EKS Pod Identity)
 *   instance       the metadata service of EC2, version 2
 *   chain          the first of these that is there, in this order
 */
#ifndef LIB_AWS_KEYS_H
#define LIB_AWS_KEYS_H

#include "text.h"

struct aws_source {
    const char *credentials; /* one of the words above; "static": none of them */
    const char *profile;     /* "": AWS_PROFILE, else "default" */
    const char *region;      /* of STS */
    const char *url;         /* in place of STS's and the metadata services' addresses; "" none */
};

extern const char *const aws_source_words[]; /* choices of such an option, "static" the first */
#define AWS_SOURCE_HELP                                                                                                \
    "where the keys come from: access_key and secret_key here, the first of AWS's usual places, or one of them"

/* The hook `credential`: the secret is three lines, which aws_keys_read() reads. */
bool aws_source_get(struct weir_ctx *, const struct aws_source *, struct weir_credential *, struct weir_error *);

struct aws_keys {
    struct weir_str id, secret, token; /* token: "" none */
};

bool aws_keys_read(struct weir_str credential, struct aws_keys *);

/* "https://HOST" of Bedrock's runtime. */
void aws_bedrock_put(struct text *, const char *region);

/* Headers of a POST of `body` to `url`, signed; content-type is to be application/json and is the caller's to set.
 * `service`: "bedrock".  false: the error says why. */
bool aws_sign_post(struct weir_ctx *, struct weir_http *, const struct aws_keys *, const char *region,
                   const char *service, struct weir_str url, struct weir_str body, struct weir_error *);

/* For fuzzers: the parsers of files and answers.  false: there is no pair of keys in it. */
bool aws_profile_read(struct weir_str file, const char *section, struct aws_keys *);
bool aws_sts_read(struct weir_str xml, struct aws_keys *, int64_t *expires);
/* Whether a container's full URI may be asked, as the SDKs judge it: https, or this machine, or the known addresses. */
bool aws_container_fits(const char *url);

#endif
