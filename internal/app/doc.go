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
//	business  donations, plans, settling, booking of Stripe's balance, statements, erasures, tasks of the nightly
//	          checks, what pages show
//	wall      webhook signatures, signed links and form tokens, limits of attempts, age of the catalog, emails
//	          (the database's own clock judges leases, sessions and sign-in codes)
//
// The package reads no environment and owns no table.
package app
