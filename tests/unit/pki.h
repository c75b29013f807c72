/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h -- a throw-away authority for TLS tests: a folder of certificates made by the openssl command.
 *
 * Files: ca.crt; other-ca.crt (nobody trusts it); NAME.crt and NAME.key for
 *   good (good.test, localhost, 127.0.0.1, ::1)   wrong (other.test)   expired (as good, until yesterday)
 *   foreign (as good, by other-ca)   cn (good.test as the subject only)   client
 * and good.locked.key (with a passphrase), weak.crt and weak.key (RSA of 512 bits), empty.pem.
 */
#ifndef PKI_H
#define PKI_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

static char pki_dir[64];

/* The path of a file in the folder; good until the eighth call after this one. */
static inline const char *pki(const char *file)
{
    static char paths[8][128];
    static unsigned next;
    char *p = paths[next++ % 8];

    snprintf(p, sizeof paths[0], "%s/%s", pki_dir, file);
    return p;
}

static inline void pki_make(void)
{
    static const char script[] =
        "set -e; cd %s; exec >/dev/null 2>&1\n"
        "ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
        "ca() { openssl req -x509 $ec -keyout $1.key -out $1.crt -days 30 -subj /CN=$1; }\n"
        "leaf() {\n"
        "  san=''; [ -z \"$4\" ] || san=\"-addext subjectAltName=$4\"\n"
        "  openssl req $ec -keyout $1.key -out $1.csr -subj /CN=$5 $san\n"
        "  openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -days $3 -copy_extensions copy -out "
        "$1.crt\n"
        "}\n"
        "names=DNS:good.test,DNS:localhost,IP:127.0.0.1,IP:::1\n"
        "ca ca; ca other-ca\n"
        "leaf good ca 30 $names good; leaf wrong ca 30 DNS:other.test wrong; leaf expired ca -1 $names expired\n"
        "leaf foreign other-ca 30 $names foreign; leaf cn ca 30 '' good.test; leaf client ca 30 '' client\n"
        "openssl req -x509 -newkey rsa:512 -nodes -keyout weak.key -out weak.crt -subj /CN=weak\n"
        "openssl ec -in good.key -aes128 -passout pass:secret -out good.locked.key\n"
        "echo nothing > empty.pem\n";
    char command[sizeof script + sizeof pki_dir];

    snprintf(pki_dir, sizeof pki_dir, "/tmp/weir-pki-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(pki_dir));
    snprintf(command, sizeof command, script, pki_dir);
    ck_assert_int_eq(system(command), 0);
}

static inline void pki_remove(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", pki_dir);
    ck_assert_int_eq(system(command), 0);
}

#endif
