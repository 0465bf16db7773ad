// Package chaos makes Konbit's bad days happen and judges what is left of the books: the promises that need many tries, each as a
// Row with the number to reach. Tests prove a short form of each row; `go run ./cmd/chaos -long` proves them in full.
//
//	orders       the six events of a gift, its refund and its dispute, in each of their 720 orders and all at once: one end
//	sequences    random histories of gifts, refunds, disputes, payouts and fees, told badly: the books are what an oracle reckons
//	             that knows only the stand-in's facts and LEDGER.md
//	duplicates   every event ten times at once, to two servers: one effect
//	kills        the storm: kill -9 of any server at random moments, while people give and Stripe, the mail server, the way to the
//	             database and the steps of a gift fail by a seed. Safety: what must never be is not there while it blows. Liveness:
//	             the faults end, and all that was begun comes to its end
//	durable      kill -9 right after a webhook's 200: it is stored; no 2xx while the database is away
//	deaths       the database dies in every way in mid-transaction: nothing lost, doubled or half done
//	races        fifty want one form, event, refund, receipt or job at once, at several replicas: one has it
//	failover     the database goes over to its synchronous standby under two servers, the primary killed or cut off: no acknowledged
//	             webhook lost
//	rolling      servers restarted in turn behind a balancer, at 50 requests a second: none fails
//	matrix       earlier schemas full of gifts, and one that is newer: the program waits, or serves on, and nothing is lost
//	lost         three days without a webhook: one sweep finds all
//	outage       the mail server away for an hour: each receipt still comes, and the form is as fast as beside it
//	copies       letters cut off after the dot and senders killed: copies are equal, and no more than these explain
//	baddays      Stripe failing in every way: one live page and one charge a form, a page or a message in time
//	poison       bad events among good ones: the good do not wait, the bad are refused or set aside with their reason
//	restore      books brought back from a dump, and from a copy and the archived log
//	load         webhooks and gifts by the clock, Stripe silent or not, and a database without time: in time, or 503 at once
//	numbers      receipts under rollbacks and kills: 1..N
//	postings     a million random postings, and every way to rewrite them: refused
//	clocks       New Year's hours in five time zones, the clocks of server and database apart: no wrong tax year
//	disk         the database's disk full: refused, not lied about
//	sleepers     servers asleep beyond their leases: what they had is taken over, and awake they do nothing twice
//	enumeration  addresses that gave and that did not, at the way in: told apart by nothing, not even by time
//
// Everything random follows from a seed, which every failure names. chaos holds no rule that a room could import: it is
// imported by tests and by cmd/chaos only.
package chaos
