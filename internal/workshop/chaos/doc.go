// Package chaos makes Konbit's surroundings fail and checks the books afterwards. It holds the promises that need many
// tries, each as a Row with the number to reach. Tests prove a short form of each row; `go run ./cmd/chaos -long` proves
// them in full.
//
//	orders       the six events of a gift, its refund and its dispute, in each of their 720 orders and all at once: one end
//	sequences    random histories of gifts, refunds, disputes, payouts and fees, delivered late, twice or never: the books
//	             are what an oracle computes that knows only the stand-in's facts and LEDGER.md
//	duplicates   every event ten times at once, to two servers: one effect
//	kills        kill -9 of any server at random moments, while donors give and Stripe, the mail server, the connection to
//	             the database and the steps of a gift fail by a seed. Safety: no invariant is broken meanwhile. Liveness:
//	             the faults end, and all work that was begun is completed
//	durable      kill -9 right after a webhook's 200: it is stored; no 2xx while the database is down
//	deaths       the database fails in every way in the middle of transactions: nothing lost, doubled or half done
//	races        fifty callers submit or process one form, event, refund, receipt or job at once, at several replicas: one
//	             succeeds
//	failover     the database switches to its synchronous standby under two servers, the primary killed or cut off: no
//	             acknowledged webhook is lost
//	rolling      servers restarted in turn behind a load balancer, at 50 requests a second: none fails
//	matrix       earlier schemas full of gifts, and one that is newer: the program waits, or serves on, and nothing is lost
//	lost         three days without a webhook: one sweep finds all
//	outage       the mail server down for an hour: each receipt still arrives, and the form is as fast as without the outage
//	copies       emails cut off after the dot and senders killed: copies are equal, and there are no others
//	baddays      Stripe failing in every way: one live page and one charge a form, a page or a message in time
//	poison       bad events among good ones: the good do not wait, the bad are refused or stored as failed with a reason
//	restore      books restored from a dump, and from a copy and the archived log
//	load         webhooks and gifts at a fixed rate, Stripe silent or not, and a busy database: in time, or 503 at once
//	numbers      receipts under rollbacks and kills: 1..N
//	postings     a million random postings, and every way to rewrite them: refused
//	clocks       New Year's hours in five time zones, the clocks of server and database apart: no wrong tax year
//	disk         the database's disk full: refused, and nothing acknowledged is lost
//	sleepers     servers suspended beyond their leases: others take over their work, and when resumed they do nothing twice
//	enumeration  known and unknown addresses at sign-in: the answers do not differ, not even in time
//
// Everything random follows from a seed, which every failure names. Only tests and cmd/chaos import chaos.
package chaos
