// Package jobs owns the queue of background work. A job is enqueued in the transaction of the fact that causes it,
// and is run later, at least once, by whichever process is free.
//
// A job goes available → running → completed, or back to retryable with a growing, randomised delay. If a worker
// dies, its job stays running; after Lease another worker takes it over. So a job may run twice, and each handler
// protects its own effect with a natural unique key.
//
// Each kind of job declares its queue (QueueName), and each queue has its own slots: jobs that hang in one queue delay
// no job of another.
//
// jobs wraps River (over database/sql, with polling) and is small enough to be replaced: no other package names
// River. It owns River's tables. A job never contains personal data, only ids.
package jobs
