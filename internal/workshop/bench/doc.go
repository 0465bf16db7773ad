// Package bench measures the gift path. Each Row is a claim about the speed of Konbit. It is the ratio to something
// else that is measured in the same minute on the same machine, so that the result is the same on a laptop and on a
// server.
//
//	settle settle-scaling settle-alone   webhooks until the gifts are booked, compared with one transaction per gift
//	                                     (pgbench)
//	ack backlog floor                    receiving webhooks, processing a backlog, and the highest rate within a p99
//	form give                            the donor's two requests
//	whole                                all the work of a gift, from the form to the sealed books and the accepted email
//	steady                               the same for ten minutes at 0.8 of its rate: waiting work and memory
//	mail                                 receipts sent to a mail server
//	growth                               settling and reading with a million gifts in the books, and their size on disk
//	pages export checkers                what finance staff read, exports and nightly checks with a million gifts
//	office                               the pages of the finance office over HTTP with a million gifts, and settling while
//	                                     staff read them
//	footprint calls                      memory, start, and calls to Stripe
//
// Everything shares the machine:
//   - the server, a process of the real program with its workers: it composes emails, seals the books and imports fees
//     while gifts are measured;
//   - PostgreSQL, with its own defaults, fsync and synchronous_commit on, for both sides;
//   - the stand-in for Stripe;
//   - the load, which is prepared before and sent as bytes, so that it costs little.
//
// A row takes its samples in turn (Konbit, baseline, Konbit, baseline …) for several rounds. The table shows
// the medians, and as the ratio the median of the rounds' ratios. Only cmd/bench and tests import bench.
package bench
