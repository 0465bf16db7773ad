package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/check"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/metrics"
	"konbit/internal/processor/stripepay"
)

// newMetrics counts for this build of the program.
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
	return metrics.New(version, revision)
}

// hookRoute is the pattern of the webhooks' route.
const hookRoute = "/hooks/stripe/{entity}"

// request counts a request, and a webhook by what became of it.
func (p *parts) request(method, route string, status int, took time.Duration) {
	p.metrics.Request(method, route, status, took)
	if route == hookRoute && method == http.MethodPost {
		p.metrics.Webhook(status)
	}
}

// figures asks the rooms what waits in them; each answers from a small index.
func (p *parts) figures(ctx context.Context) ([]metrics.Figure, error) {
	events, err := stripepay.ReadBacklog(ctx, p.db)
	if err != nil {
		return nil, err
	}
	queue, err := jobs.ReadBacklog(ctx, p.db)
	if err != nil {
		return nil, err
	}
	letters, err := mail.ReadBacklog(ctx, p.db)
	if err != nil {
		return nil, err
	}
	gifts, err := donation.ReadBacklog(ctx, p.db)
	if err != nil {
		return nil, err
	}
	tasks, err := task.CountOpen(ctx, p.db)
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
		{Name: metrics.Emails, Label: "waiting", Value: float64(letters.Waiting)},
		{Name: metrics.Emails, Label: "refused", Value: float64(letters.Refused)},
		{Name: metrics.EmailsOldest, Value: letters.Oldest.Seconds()},
		{Name: metrics.FeesDue, Value: float64(gifts.FeesDue)},
		{Name: metrics.FeesDueOldest, Value: gifts.OldestFee.Seconds()},
		{Name: metrics.DonationsOpen, Value: float64(gifts.Unsettled)},
		{Name: metrics.Tasks, Value: float64(tasks)},
	}
	looked, err := check.ReadLast(ctx, p.db)
	if err != nil {
		return nil, err
	}
	for _, l := range looked {
		figures = append(figures,
			metrics.Figure{Name: metrics.InvariantViolations, Label: l.Checker, Value: float64(l.Rows)},
			metrics.Figure{Name: metrics.InvariantCheckAge, Label: l.Checker, Value: l.Age.Seconds()})
	}
	issued, err := p.issued(ctx)
	return append(figures, issued...), err
}

func (p *parts) issued(ctx context.Context) (figures []metrics.Figure, err error) {
	issued, err := receipt.CountIssued(ctx, p.db)
	if err != nil {
		return nil, err
	}
	catalog, err := p.catalog.Current(ctx)
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

// serveMetrics serves METRICS_ADDR, if it is set, until stop is called.
func (p *parts) serveMetrics() (stop func() error, err error) {
	if p.config.MetricsAddr == "" {
		return func() error { return nil }, nil
	}
	listener, err := net.Listen("tcp", p.config.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("METRICS_ADDR: %w", err)
	}
	server := p.metrics.HTTP(p.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p.log.Info("metrics", "address", listener.Addr().String())
	return func() error {
		err := server.Close() // a scrape cut short is no loss
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}, nil
}
