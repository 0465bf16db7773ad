package app

import (
	"context"
	"net/http"
	"runtime/debug"
	"time"

	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/check"
	"konbit/internal/office/installation"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/metrics"
	"konbit/internal/platform/securitylog"
	"konbit/internal/processor/stripepay/webhook"
)

// newMetrics returns metrics labelled with the version of this build.
func newMetrics() *metrics.Metrics {
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	m := metrics.New(version, revision)
	for _, d := range securitylog.Events() {
		m.DeclareSecurityEvent(string(d.Event))
	}
	return m
}

// hookRoute is the route pattern of Stripe's webhooks.
const hookRoute = "/hooks/stripe/{entity}"

// observeRequest counts an answered request. It counts webhooks by outcome as well.
func (a *App) observeRequest(method, route string, status int, took time.Duration) {
	a.Metrics.Request(method, route, status, took)
	if route == hookRoute && method == http.MethodPost {
		a.Metrics.Webhook(status)
	}
}

// Figures returns what the database shows at a scrape: waiting work, open tasks, results of the daily checks, and
// receipts issued. Each query reads a small index.
func (a *App) Figures(ctx context.Context) ([]metrics.Figure, error) {
	events, err := webhook.ReadBacklog(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	queue, err := jobs.ReadBacklog(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	emails, err := mail.ReadBacklog(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	donations, err := donation.ReadBacklog(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	tasks, err := task.CountOpen(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	figures := []metrics.Figure{
		{Name: metrics.StripeEvents, Label: "waiting", Value: float64(events.Waiting)},
		{Name: metrics.StripeEvents, Label: "parked", Value: float64(events.Parked)},
		{Name: metrics.StripeEvents, Label: "set_aside", Value: float64(events.SetAside)},
		{Name: metrics.StripeEventsOldest, Value: events.Oldest.Seconds()},
		{Name: metrics.Jobs, Label: "waiting", Value: float64(queue.Waiting)},
		{Name: metrics.Jobs, Label: "running", Value: float64(queue.Running)},
		{Name: metrics.Jobs, Label: "failing", Value: float64(queue.Failing)},
		{Name: metrics.Jobs, Label: "given_up", Value: float64(queue.Discarded)},
		{Name: metrics.JobsOldest, Value: queue.Oldest.Seconds()},
		{Name: metrics.Emails, Label: "waiting", Value: float64(emails.Waiting)},
		{Name: metrics.Emails, Label: "refused", Value: float64(emails.Refused)},
		{Name: metrics.EmailsOldest, Value: emails.Oldest.Seconds()},
		{Name: metrics.FeesDue, Value: float64(donations.FeesDue)},
		{Name: metrics.FeesDueOldest, Value: donations.OldestFee.Seconds()},
		{Name: metrics.DonationsOpen, Value: float64(donations.Unsettled)},
		{Name: metrics.Tasks, Value: float64(tasks)},
	}
	queues, err := jobs.ReadQueues(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		figures = append(figures,
			metrics.Figure{Name: metrics.QueueDue, Label: string(q.Queue), Value: float64(q.Due)},
			metrics.Figure{Name: metrics.QueueDelay, Label: string(q.Queue), Value: q.Delayed.Seconds()})
	}
	checks, err := check.ReadLast(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	for _, c := range checks {
		figures = append(figures,
			metrics.Figure{Name: metrics.InvariantViolations, Label: c.Checker, Value: float64(c.Rows)},
			metrics.Figure{Name: metrics.InvariantCheckAge, Label: c.Checker, Value: c.Age.Seconds()})
	}
	known, err := installation.Read(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	figures = append(figures,
		metrics.Figure{Name: metrics.SettingDiffers, Label: "SECRET_KEY", Value: oneIf(known.CheckKey(a.settings.Keys()) != nil)},
		metrics.Figure{Name: metrics.SettingDiffers, Label: "BASE_URL", Value: oneIf(known.CheckAddress(a.settings.BaseURL) != nil)})
	issued, err := a.receiptsIssued(ctx)
	return append(figures, issued...), err
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (a *App) receiptsIssued(ctx context.Context) (figures []metrics.Figure, err error) {
	issued, err := receipt.CountIssued(ctx, a.resources.DB)
	if err != nil {
		return nil, err
	}
	catalog, err := a.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	for id, n := range issued {
		entity, err := catalog.EntityByID(id)
		if err != nil {
			return nil, err
		}
		figures = append(figures, metrics.Figure{Name: metrics.Receipts, Label: entity.Slug, Value: float64(n)})
	}
	return figures, nil
}
