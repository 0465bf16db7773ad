package main

import (
	"context"
	"sync"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/processor/stripepay"
)

// chore is something the workers do again and again.
type chore struct {
	name  string
	every time.Duration
	do    func(ctx context.Context) error
}

// chores lists what is done besides the jobs and Stripe's events. Each chore is safe to run in several
// processes at once and harmless to run twice.
func (p *parts) chores() []chore {
	return []chore{
		{"book what moved at Stripe", 3 * time.Second, p.bookBalance},
		{"seal the books", time.Second, p.sealBooks},
		{"keep balances", 5 * time.Second, p.keepBalances},
		{"keep the heads of the books", 10 * time.Minute, p.keepHeads},
		{"sweep", 15 * time.Minute, p.sweep},
		{"remind donors of plans", 10 * time.Minute, p.remind},
		{"issue annual statements", 10 * time.Minute, p.issueStatements},
		{"forget people who asked for it", 10 * time.Minute, p.forget},
		{"reconcile plans", time.Minute, p.reconcilePlans},
		{"purge what was typed with gifts never paid", 6 * time.Hour, p.purge},
		{"forget attempts", time.Minute, p.guard.DeleteExpired},
		{"forget letters and sessions that are over", time.Hour, p.access.DeleteExpired},
		{"erase old events", 10 * time.Minute, p.eraseEvents},
		{"check, once a day", 5 * time.Minute, p.checkNightly},
	}
}

func (p *parts) bookBalance(ctx context.Context) error {
	n, err := p.collector.ImportDue(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "balance transactions booked", "transactions", n)
	}
	return err
}

// sealBooks lets a crowd of gifts pass, for seconds at most: an entry is as good before its seal.
func (p *parts) sealBooks(ctx context.Context) error {
	defer p.drain.Yield(ctx)()
	_, err := ledger.Seal(ctx, p.db)
	return err
}

func (p *parts) keepBalances(ctx context.Context) error {
	_, err := ledger.TakeSnapshots(ctx, p.db, ledger.SnapshotAfter)
	return err
}

func (p *parts) keepHeads(ctx context.Context) error {
	n, err := p.heads.RecordHeads(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "heads of the books kept for the day", "entities", n, "mailed to", len(p.config.AuditMail))
	}
	return err
}

func (p *parts) sweep(ctx context.Context) error {
	swept, err := p.sweeper.Sweep(ctx)
	if swept != (stripepay.SweepResult{}) {
		p.log.InfoContext(ctx, "swept", "events", swept.Events, "transactions", swept.Transactions, "gifts ended", swept.Ended)
	}
	return err
}

func (p *parts) remind(ctx context.Context) error {
	n, err := p.plans.QueueReminders(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "reminded donors of plans", "plans", n)
	}
	return err
}

func (p *parts) reconcilePlans(ctx context.Context) error {
	n, err := p.plans.RecoverLostJobs(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "reconciled plans", "taken up", n)
	}
	return err
}

// keptUnpaid is how long what was typed with a gift nobody paid is kept.
const keptUnpaid = 30 * 24 * time.Hour

func (p *parts) purge(ctx context.Context) error {
	n, err := donation.Purge(ctx, p.db, p.clock.Now().Add(-keptUnpaid))
	if n > 0 {
		p.log.InfoContext(ctx, "purged what was typed with gifts never paid", "gifts", n)
	}
	return err
}

// work waits for the database to have its tables, runs the workers until ctx ends, and lets what is under way finish.
func (p *parts) work(ctx context.Context) error {
	if !p.awaitTables(ctx) {
		return nil
	}
	if err := p.runner.Start(); err != nil {
		return err
	}
	var running sync.WaitGroup
	running.Go(func() { p.drain.Run(ctx) })
	for _, c := range p.chores() {
		running.Go(func() { p.repeat(ctx, c) })
	}
	running.Wait()
	last, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return p.runner.Stop(last)
}

// awaitTables waits until every migration has run; false when ctx ended before.
func (p *parts) awaitTables(ctx context.Context) bool {
	for said := false; ; said = true {
		err := p.ready(ctx)
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		if !said {
			p.log.WarnContext(ctx, "the workers wait for the database", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// repeat does a chore until ctx ends. A failure is logged and the chore done again at its next time.
func (p *parts) repeat(ctx context.Context, c chore) {
	wait := time.NewTimer(time.Second) // the first time soon after the start
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
			wait.Reset(c.every)
		}
		if err := c.do(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "chore failed; it comes again", "chore", c.name, "error", err)
		}
	}
}
