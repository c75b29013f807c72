/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws.h -- AWS Signature Version 4, by hand: what libcurl signs depends on its version, and Debian 12's cannot sign the
 * path of a Bedrock model.
 *
 * Hashes are libcrypto's: the host has it loaded anyway, it is checked and fast (bodies are megabytes), and a second
 * SHA-256 would be ours to keep.  Nothing is allocated.  Any process, sinks too; knows nothing but sdk/weir.h and text.h.
 */
#ifndef LIB_AWS_H
#define LIB_AWS_H

#include "text.h"

#define AWS_PAIRS         24   /* signed headers, and members of a query, at most */
#define AWS_AUTHORIZATION 1024 /* bytes of the header's value, its 0 too */
#define AWS_DATE          17   /* 20261122T000000Z */
#define AWS_HASH          65   /* hex digits of SHA-256 */

struct aws_pair {
    struct weir_str name, value;
};

struct aws_request {
    struct weir_str access_key, secret_key;
    struct weir_str region, service;
    struct weir_str date;         /* as in the header x-amz-date */
    struct weir_str method, path; /* as they are sent, the path percent-encoded */
    const struct aws_pair *query; /* decoded, in any order */
    size_t query_count;
    const struct aws_pair *headers; /* all that are signed: host, x-amz-date ..., in any order and case */
    size_t header_count;
    struct weir_str body_hash; /* of aws_hash() */
};

/* The value of the header `authorization`.  false: too many pairs, a date that is none, or more than fits. */
bool aws_sign(const struct aws_request *, char authorization[AWS_AUTHORIZATION]);

void aws_hash(struct weir_str body, char hex[AWS_HASH]);
/* false: not between 1970 and 9999. */
bool aws_date(int64_t unix_seconds, char date[AWS_DATE]);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~. */
void aws_encode(struct text *, struct weir_str);

#endif
