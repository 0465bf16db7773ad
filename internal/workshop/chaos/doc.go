// Package chaos makes the systems around Konbit fail and checks the books afterwards. It tests the promises that need
// many attempts. Each is a Row with the number of things to count. The tests run a short form of each row;
// `go run ./cmd/chaos -long` runs the full form.
//
//	orders       the six events of a gift, its refund and its dispute, in all 720 orders and all at once: one result
//	sequences    random histories of gifts, refunds, disputes, payouts and fees, delivered late, twice or never: the books
//	             equal those of an oracle that reads only the stand-in's facts and the rules of the ledger
//	duplicates   every event ten times at once, to two servers: one effect
//	kills        kill -9 of any server at random moments, while donors give and Stripe, the mail server, the connection to
//	             the database and the steps of a gift fail by a seed. Safety: no invariant is broken meanwhile. Liveness:
//	             the faults end, and all work that was begun is completed
//	durable      kill -9 right after a webhook's 200: it is stored; no 2xx while the database is down
//	deaths       the database fails in every way in the middle of transactions: nothing lost, doubled or half done
//	races        fifty callers submit or process one form, event, refund, receipt or job at once, at several replicas: one
//	             succeeds
//	failover     the database of two servers switches to its synchronous standby; the primary is killed or cut off: no
//	             acknowledged webhook is lost
//	rolling      servers restarted in turn behind a load balancer, at 50 requests a second: none fails
//	matrix       earlier schemas full of gifts, and a newer one: the program waits or continues to serve; nothing is lost
//	upgrade      the previous release migrated while it serves, run beside this one, and returned to: nothing is lost
//	lost         three days without a webhook: one sweep finds all
//	outage       the mail server down for an hour: each receipt arrives, and the form is as fast as without the outage
//	copies       emails cut off after the final dot and senders killed: copies are equal, with no other duplicates
//	baddays      Stripe failing in every way: one live page and one charge for each form, and an answer in time
//	refunds      fifty refunds ordered at once, part by part, while Stripe fails in every way: each is made once, from its
//	             funds, and no fund gives back more than it got
//	poison       bad events among good ones: the good do not wait, the bad are refused or stored with a reason
//	restore      books restored from a dump, and from a copy and the archived log
//	load         webhooks and gifts at a fixed rate, Stripe silent or not, and a busy database: in time, or 503 at once
//	numbers      receipts under rollbacks and kills: 1..N
//	postings     a million random postings, and every way to rewrite them: refused
//	approvals    random requests, approvals, edits, ended roles, races and statements of the server's role: no act without the
//	             people it needs
//	clocks       New Year's hours in five time zones, server and database clocks that differ: no wrong tax year
//	disk         the database's disk is full: webhooks are refused, and no acknowledged one is lost
//	sleepers     servers suspended longer than their leases: others take over, and after resuming they do nothing twice
//	erasure      people erased while their receipts are sent, refunds come in and they use their pages: no word in a dump
//	enumeration  known and unknown addresses at sign-in: the answers and their times do not differ
//
// All random choices follow from a seed, which every failure prints. Only tests and cmd/chaos import chaos.
package chaos
