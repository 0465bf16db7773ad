package metrics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stateDeadline bounds the look at the database of one scrape.
const stateTimeout = 2 * time.Second

// A Figure is one thing the database knows at the moment of a scrape.
type Figure struct {
	Name  string // one of those below
	Label string // the value of its label, if it has one
	Value float64
}

// Names of figures. Ages are in seconds, and 0 when nothing waits.
const (
	StripeEvents        = "konbit_stripe_events"
	StripeEventsOldest  = "konbit_stripe_events_oldest_seconds"
	Jobs                = "konbit_jobs"
	JobsOldest          = "konbit_jobs_oldest_seconds"
	Emails              = "konbit_emails"
	EmailsOldest        = "konbit_emails_oldest_seconds"
	FeesDue             = "konbit_fees_due"
	FeesDueOldest       = "konbit_fees_due_oldest_seconds"
	DonationsOpen       = "konbit_donations_open"
	Tasks               = "konbit_tasks_open"
	InvariantViolations = "konbit_invariant_violations"
	InvariantCheckAge   = "konbit_invariant_check_age_seconds"
	Receipts            = "konbit_receipts_issued_total"
)

// figure says what a name means.
type figure struct {
	help  string
	label string
	kind  prometheus.ValueType
}

var figures = map[string]figure{
	StripeEvents:        {"Stripe's events not worked off: waiting, parked (their gift or charge is not here yet), set_aside (failed five times; konbit stripe events list).", "state", prometheus.GaugeValue},
	StripeEventsOldest:  {"Age of the oldest event waiting or parked.", "", prometheus.GaugeValue},
	Jobs:                {"Jobs not done: waiting, running, failing (tried again later), given_up.", "state", prometheus.GaugeValue},
	JobsOldest:          {"Age of the oldest job not done.", "", prometheus.GaugeValue},
	Emails:              {"Letters written and not accepted by a mail server: waiting (tried again later), refused (for good).", "state", prometheus.GaugeValue},
	EmailsOldest:        {"Age of the oldest letter waiting.", "", prometheus.GaugeValue},
	FeesDue:             {"Charges whose fee is not in the books yet.", "", prometheus.GaugeValue},
	FeesDueOldest:       {"Age of the oldest charge whose fee is not in the books.", "", prometheus.GaugeValue},
	DonationsOpen:       {"Gifts begun and neither paid nor over.", "", prometheus.GaugeValue},
	Tasks:               {"Tasks that wait for a person in finance (konbit tasks list).", "", prometheus.GaugeValue},
	InvariantViolations: {"Rows each checker had at the last nightly look: above 0, something is that must never be (konbit ledger verify).", "checker", prometheus.GaugeValue},
	InvariantCheckAge:   {"Age of the last nightly look; above a day and some hours, nobody looks.", "checker", prometheus.GaugeValue},
	Receipts:            {"Receipts issued: one for each gift settled, and one for each receipt replaced.", "entity", prometheus.CounterValue},
}

// WatchState asks read at each scrape. When it fails, konbit_state_up is 0 and the figures are left out: none is better than
// an old one.
func (m *Metrics) WatchState(read func(ctx context.Context) ([]Figure, error), log *slog.Logger) {
	s := &state{read: read, log: log, described: map[string]*prometheus.Desc{}}
	for name, f := range figures {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		s.described[name] = prometheus.NewDesc(name, f.help, labels, nil)
	}
	m.registry.MustRegister(s)
}

type state struct {
	read      func(ctx context.Context) ([]Figure, error)
	log       *slog.Logger
	described map[string]*prometheus.Desc
}

var (
	stateUp   = prometheus.NewDesc("konbit_state_up", "1 when the database told its figures at this scrape.", nil, nil)
	stateTook = prometheus.NewDesc("konbit_state_duration_seconds", "How long the database took to tell them.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	to <- stateUp
	to <- stateTook
	for _, d := range s.described {
		to <- d
	}
}

// Collect is part of prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	began := time.Now()
	read, err := s.read(ctx)
	up := 1.0
	if err != nil {
		s.log.WarnContext(ctx, "metrics: the database does not tell its figures", "error", err)
		read, up = nil, 0
	}
	to <- prometheus.MustNewConstMetric(stateUp, prometheus.GaugeValue, up)
	to <- prometheus.MustNewConstMetric(stateTook, prometheus.GaugeValue, time.Since(began).Seconds())
	for _, f := range read {
		d, ok := s.described[f.Name]
		if !ok {
			continue
		}
		if figures[f.Name].label == "" {
			to <- prometheus.MustNewConstMetric(d, figures[f.Name].kind, f.Value)
		} else {
			to <- prometheus.MustNewConstMetric(d, figures[f.Name].kind, f.Value, f.Label)
		}
	}
}
