// Package keyring signs and seals with the secret keys of the installation, and knows which key made what.
//
// A ring has one current key and any number of others. Only the current key signs and seals; every key verifies and
// opens. So a key can be replaced while what the earlier one made stays valid:
//
//	          SECRET_KEY          SECRET_KEY_OLD
//	before    first               -
//	1         first               second          every server accepts both
//	2         second              first           every server signs with the second
//	after     second              -               what the first made is no longer valid
//
// What is made contains the id of its key, so that one can see what still needs an old key:
//
//	tag (Sign)     id of the key (4 bytes), the first 16 bytes of an HMAC-SHA-256
//	seal (Seal)    "key1", id of the key (4 bytes), nonce (12 bytes), AES-256-GCM
//	hash (Hash)    HMAC-SHA-256 without an id: its 32 bytes are stored to be found again, so Hashes returns one of each key
//
// Each use has a purpose: what was made for one is not valid for another. Stored rows and emails contain what was made
// with a purpose, so a purpose never changes.
//
// The fingerprint of a key reveals nothing about it and may be shown, logged and stored. A key itself is never shown.
package keyring
