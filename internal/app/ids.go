package app

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/google/uuid"
)

// NewID returns a new UUID of version 7, which sorts by time. It is the only source of ids of the program.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// NewRef returns a new public reference: 128 random bits as URL-safe text.
func NewRef() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}
