// Package jobs is durable work: what follows from a fact is enqueued in the fact's own transaction and
// done later, at least once, by whichever process is free.
//
// A job goes available → running → completed, or back to retryable with a growing, jittered delay. A
// worker that died leaves its job running; after Lease another worker takes it over. A job may therefore
// run twice, and its handler guards its own effect with a natural unique key.
//
// jobs wraps River (over database/sql, polling) and is small enough to replace: no other room names it.
// It owns River's tables and never puts personal data into a job: ids only.
package jobs
