// Package bench measures the gift path against its limits: each Row a claim about Konbit's speed, judged by a ratio to something that
// ran beside it in the same minute on the same machine, so that the table says the same on a laptop and on a server.
//
//	settle settle-scaling settle-alone   webhooks until the gifts are booked, beside one transaction per gift (pgbench)
//	ack backlog floor                    what taking webhooks in costs, how a heap of them goes, and what is sure at p99
//	form give                            the donor's two requests
//	mail                                 receipts handed to a mail server
//	growth                               settling and reading with a million gifts in the books
//	footprint calls                      memory, start, and calls to Stripe
//
// Everything shares the machine: the server in a process of its own (the real program with its workers, so letters are written, books
// sealed and fees looked for while gifts are measured), PostgreSQL, the stand-in and the load, which is made beforehand and sent as
// bytes, so that it costs little. PostgreSQL runs with its own defaults, fsync and synchronous_commit on, for both sides.
//
// A row takes its samples in turn (ours, beside, ours, beside …) for some rounds. Shown are the medians, and as the ratio the median
// of the rounds' ratios. It is imported by cmd/bench and tests only.
package bench
