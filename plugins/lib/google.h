/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google.h -- access tokens for Google Cloud, from where Google's own libraries take them ("application default
 * credentials"):
 *
 *   the key file of a service account   a signed assertion (RFC 7523), exchanged for a token
 *   gcloud's file of a user             a refresh token, exchanged for one
 *   the metadata service                of Compute Engine, GKE (Workload Identity) and Cloud Run
 *
 * The file is `file`, else what GOOGLE_APPLICATION_CREDENTIALS names, else gcloud's own; without any, the metadata service
 * is asked.  Keeper process; knows nothing but sdk/weir.h and source.h.
 */
#ifndef LIB_GOOGLE_H
#define LIB_GOOGLE_H

#include "text.h"

struct google_source {
    const char *file; /* "" as said above */
    const char *url;  /* in place of the token server's and the metadata service's addresses; "" none */
};

/* The hook `credential`: the secret is the token. */
bool google_token(struct weir_ctx *, const struct google_source *, struct weir_credential *, struct weir_error *);

/* "https://HOST/v1" of Vertex AI for a location: "global", "us", "eu", or a region. */
void google_vertex_put(struct text *, const char *location);

/* For tests: HEADER.CLAIMS.SIGNATURE, signed by RS256 with a private key in PEM.  ptr NULL: the key is none. */
struct weir_str google_assertion(struct weir_ctx *, struct weir_str pem, struct weir_str key_id, struct weir_str email,
                                 struct weir_str audience, int64_t now);

#endif
