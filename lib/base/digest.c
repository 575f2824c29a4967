/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/digest.h"

#include <sodium.h>

_Static_assert(DIGEST_LENGTH == 2 * crypto_hash_sha256_BYTES, "two hex digits for each byte");

void digest_hex(const void *bytes, size_t size, char ret[DIGEST_LENGTH + 1])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	/* Plain arithmetic: the one part of libsodium that needs no sodium_init(). */
	crypto_hash_sha256(digest, bytes, size);
	sodium_bin2hex(ret, DIGEST_LENGTH + 1, digest, sizeof(digest));
}
