// Package app builds the program: it opens the database and the connections to Stripe and the mail server, builds
// every service once, mounts the web pages, and runs the background work. cmd/konbit and the tests' testkit/program
// both use it, so that what is tested is what runs.
//
//	Settings ──▶ Open ──▶ Resources ──▶ New ──▶ App ──▶ Server   pages and webhooks
//	 (cmd reads)          (tests bring          │
//	                       their own)           └─────▶ Work     jobs, Stripe's events, periodic tasks
//
// Two clocks are handed to the services (see Clocks). The business clock can be moved by the stand-in for Stripe; the
// wall clock never moves. Which service uses which:
//
//	business  donations, plans, settling, booking of Stripe's balance, receipts, statements, erasures, all tasks, what
//	          pages show, what the commands of konbit show and write, the journal that konbit export writes
//	wall      webhook signatures, signed links and form tokens, limits of attempts, age of the catalog; dates and
//	          deliveries of emails, which mail servers judge; the heads for auditors, which prove a day
//
// The database's own clock judges sessions, sign-in codes, passes of event mode, links to plans, leases, queues and the
// waiting time of erasures; and it dates what proves something: seals, the time an entry was recorded, moves of gifts,
// and the donor that a move adds (function move_gift takes no time from the server).
// Where people see such a time beside business dates, it is shown by Clocks.Shown: the devices of a donor, the end of a
// pass, the end of a link of konbit donor move, and when an email was ordered in konbit receipt find. The copy of a
// donor's data, stored webhook events and what checkers find have their times as they are stored. The lists of
// clocks_test.go say why for each file and column; clock_test.go of cmd/konbit tests each command.
//
// The package reads no environment and owns no table.
package app
