package app

import (
	"context"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/check"
	"konbit/internal/office/figures"
	"konbit/internal/office/privacy"
	"konbit/internal/processor/stripepay"
	"konbit/internal/processor/stripepay/webhook"
)

// periodicTask is work that the server repeats. Each is safe to run in several processes at the same time, and
// running one twice changes nothing more than running it once.
type periodicTask struct {
	name  string
	every time.Duration
	run   func(ctx context.Context) error
}

// periodicTasks lists what the workers do besides jobs and Stripe's events.
func (a *App) periodicTasks() []periodicTask {
	return []periodicTask{
		{"import Stripe's balance", 3 * time.Second, a.importBalance},
		{"seal the books", time.Second, a.sealBooks},
		{"seal the audit log", 5 * time.Second, a.sealAudit},
		{"sum up what donors gave by year", 10 * time.Second, a.refreshFigures},
		{"warn of entries without a seal", time.Minute, a.watchSeals},
		{"warn of events set aside", time.Minute, a.watchSetAside},
		{"take snapshots of balances", 5 * time.Second, a.takeSnapshots},
		{"store the daily digest of the books", 10 * time.Minute, a.storeDigests},
		{"sweep", 15 * time.Minute, a.sweep},
		{"remind donors of plans", 10 * time.Minute, a.remind},
		{"issue annual statements", 10 * time.Minute, a.issueStatements},
		{"erase people who asked for it", 10 * time.Minute, a.erasePeople},
		{"recover lost jobs of plans", time.Minute, a.recoverLostJobs},
		{"ask Stripe about refunds", time.Minute, a.checkRefunds},
		{"purge details of unpaid donations", 6 * time.Hour, a.purgeUnpaid},
		{"delete old attempts", time.Minute, a.Guard.DeleteExpired},
		{"delete expired sign-in emails and sessions", time.Hour, a.Access.DeleteExpired},
		{"delete old sessions of staff", time.Hour, a.Staff.DeleteExpired},
		{"delete expired links to plans", time.Hour, a.PlanLinks.DeleteExpired},
		{"erase payloads of old events", 10 * time.Minute, a.eraseEvents},
		{"run the daily checks", 5 * time.Minute, a.RunDailyChecks},
		{"compare SECRET_KEY and BASE_URL with the database", 5 * time.Minute, a.watchSettings},
	}
}

func (a *App) importBalance(ctx context.Context) error {
	n, err := a.Collector.ImportDue(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "balance transactions booked", "transactions", n)
	}
	return err
}

// sealBooks first makes way for event batches (event.Worker.Yield): an entry is valid before it is sealed, and settling
// donations is more urgent.
func (a *App) sealBooks(ctx context.Context) error {
	defer a.EventWorker.Yield(ctx)()
	_, err := ledger.Seal(ctx, a.resources.DB)
	return err
}

// refreshFigures waits for event batches like sealBooks.
func (a *App) refreshFigures(ctx context.Context) error {
	defer a.EventWorker.Yield(ctx)()
	_, err := figures.Refresh(ctx, a.resources.DB)
	return err
}

// watchSeals logs and opens tasks while entries wait and nothing is sealed. It seals first, so that a server that
// starts after a pause warns of nothing. sealBooks reports the error of sealing.
func (a *App) watchSeals(ctx context.Context) error {
	_, _ = ledger.Seal(ctx, a.resources.DB)
	waiting, err := check.SealWatch{DB: a.resources.DB, NewID: NewID, Now: a.resources.Clocks.Business}.Run(ctx)
	for _, u := range waiting {
		a.resources.Log.ErrorContext(ctx, "entries wait for a seal and nothing is sealed",
			"entity", u.EntityID, "entries", u.Entries, "longest", u.Longest().String())
	}
	return err
}

// watchSetAside opens tasks while events are set aside.
func (a *App) watchSetAside(ctx context.Context) error {
	n, err := a.eventWatch().Run(ctx)
	if n > 0 {
		a.resources.Log.WarnContext(ctx, "events of Stripe are set aside", "events", n)
	}
	return err
}

func (a *App) takeSnapshots(ctx context.Context) error {
	_, err := ledger.TakeSnapshots(ctx, a.resources.DB, ledger.SnapshotAfter)
	return err
}

func (a *App) storeDigests(ctx context.Context) error {
	n, err := a.AuditDigest.RecordHeads(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "daily digests of the books stored", "entities", n, "addresses", len(a.settings.AuditMail))
	}
	return err
}

func (a *App) sweep(ctx context.Context) error {
	swept, err := a.Sweeper.Sweep(ctx)
	if swept != (stripepay.SweepResult{}) {
		a.resources.Log.InfoContext(ctx, "swept", "events", swept.Events, "transactions", swept.Transactions, "donations ended", swept.Ended)
	}
	return err
}

func (a *App) remind(ctx context.Context) error {
	n, err := a.Plans.QueueReminders(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "reminded donors of plans", "plans", n)
	}
	return err
}

func (a *App) issueStatements(ctx context.Context) error {
	t, err := a.Statements.IssueDue(ctx)
	if t.Issued+t.Corrected > 0 {
		a.resources.Log.InfoContext(ctx, "annual statements issued", "statements", t.Issued, "corrected", t.Corrected)
	}
	return err
}

// erasePeople does the erasures that are due, does those again that a restored backup undid, and writes the list.
func (a *App) erasePeople(ctx context.Context) error {
	n, err := a.Privacy.EraseDue(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "people erased as they asked", "erasures", n)
	}
	if err != nil || a.settings.ErasuresFile == "" {
		return err
	}
	again, err := a.Privacy.SyncFile(ctx, a.settings.ErasuresFile)
	if again != (privacy.ApplyResult{}) {
		a.resources.Log.WarnContext(ctx, "a restored backup contained erased people", "erased again", again.Erased, "waiting", again.Pending)
	}
	return err
}

func (a *App) recoverLostJobs(ctx context.Context) error {
	n, err := a.Plans.RecoverLostJobs(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "recovered lost jobs of plans", "jobs", n)
	}
	return err
}

func (a *App) checkRefunds(ctx context.Context) error {
	n, err := a.Refunds.CheckDue(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "asked Stripe about refunds", "refunds", n)
	}
	return err
}

// unpaidRetention is after how long the details of a donation that was never paid are purged.
const unpaidRetention = 30 * 24 * time.Hour

func (a *App) purgeUnpaid(ctx context.Context) error {
	n, err := donation.Purge(ctx, a.resources.DB, a.resources.Clocks.Business().Add(-unpaidRetention))
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "purged details of unpaid donations", "donations", n)
	}
	return err
}

func (a *App) eventWatch() webhook.SetAsideWatch {
	return webhook.SetAsideWatch{DB: a.resources.DB, NewID: NewID, Now: a.resources.Clocks.Business}
}

func (a *App) eraseEvents(ctx context.Context) error {
	n, lost, err := a.eventWatch().EraseEvents(ctx)
	if n > 0 {
		a.resources.Log.InfoContext(ctx, "payloads of old events erased", "events", n)
	}
	if len(lost) > 0 {
		a.resources.Log.ErrorContext(ctx, "events were not applied within 90 days and are lost", "events", len(lost), "first", lost[0])
	}
	return err
}

// RunDailyChecks runs all checkers once a day: the first process that asks on a day runs them. Each row found is
// logged.
func (a *App) RunDailyChecks(ctx context.Context) error {
	began := time.Now()
	run := check.DailyRun{DB: a.resources.DB, NewID: NewID, Now: a.resources.Clocks.Business, Traces: a.Privacy}
	found, err := run.Run(ctx)
	if found == nil {
		return err
	}
	for _, f := range found {
		if f.Count > 0 {
			first := f.Rows[0]
			a.resources.Log.ErrorContext(ctx, "a checker found an error", "checker", f.No, "broken promise", f.Promise, "rows", f.Count,
				"first", first.Subject, "detail", first.Detail, "entity", first.EntityID.UUID)
		}
	}
	a.resources.Log.InfoContext(ctx, "daily checks done", "rows", len(check.Rows(found)), "took", time.Since(began).String())
	return err
}
