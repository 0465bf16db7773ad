package metrics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stateTimeout limits the database queries of one scrape.
const stateTimeout = 2 * time.Second

// Figure is one value read from the database at a scrape.
type Figure struct {
	Name  string // one of the constants below
	Label string // value of its label, if it has one
	Value float64
}

// Names of figures. Ages are in seconds; 0 if nothing waits.
const (
	StripeEvents        = "konbit_stripe_events"
	StripeEventsOldest  = "konbit_stripe_events_oldest_seconds"
	Jobs                = "konbit_jobs"
	JobsOldest          = "konbit_jobs_oldest_seconds"
	QueueDue            = "konbit_queue_jobs_due"
	QueueDelay          = "konbit_queue_delay_seconds"
	Emails              = "konbit_emails"
	EmailsOldest        = "konbit_emails_oldest_seconds"
	FeesDue             = "konbit_fees_due"
	FeesDueOldest       = "konbit_fees_due_oldest_seconds"
	DonationsOpen       = "konbit_donations_open"
	Tasks               = "konbit_tasks_open"
	InvariantViolations = "konbit_invariant_violations"
	InvariantCheckAge   = "konbit_invariant_check_age_seconds"
	Receipts            = "konbit_receipts_issued_total"
	SettingDiffers      = "konbit_setting_differs"
)

// figure describes a metric.
type figure struct {
	help  string
	label string
	kind  prometheus.ValueType
}

var figures = map[string]figure{
	StripeEvents: {"Stripe events not yet processed: waiting, parked (their donation or charge is not stored " +
		"yet), set_aside (failed five times; see konbit stripe events list).", "state", prometheus.GaugeValue},
	StripeEventsOldest: {"Age of the oldest event that is waiting or parked.", "", prometheus.GaugeValue},
	Jobs:               {"Jobs not done: waiting, running, failing (retried later), given_up (never retried).", "state", prometheus.GaugeValue},
	JobsOldest:         {"Age of the oldest job that is not done.", "", prometheus.GaugeValue},
	QueueDue:           {"Jobs of a queue that could run now and wait for a slot.", "queue", prometheus.GaugeValue},
	QueueDelay:         {"How long the oldest of them has waited.", "queue", prometheus.GaugeValue},
	Emails:             {"Emails not yet accepted by a mail server: waiting (retried later), refused (never retried).", "state", prometheus.GaugeValue},
	EmailsOldest:       {"Age of the oldest email that is waiting.", "", prometheus.GaugeValue},
	FeesDue:            {"Charges whose processing fee is not booked yet.", "", prometheus.GaugeValue},
	FeesDueOldest:      {"Age of the oldest charge whose processing fee is not booked yet.", "", prometheus.GaugeValue},
	DonationsOpen:      {"Donations begun that are neither paid nor closed.", "", prometheus.GaugeValue},
	Tasks:              {"Open tasks of the finance office (see konbit tasks list).", "", prometheus.GaugeValue},
	InvariantViolations: {"Rows found by each invariant check in its last nightly run; above 0, an invariant is violated (see konbit ledger verify).",
		"checker", prometheus.GaugeValue},
	InvariantCheckAge: {"Age of the last nightly run of each invariant check; above about 26 hours, the checks do not run.",
		"checker", prometheus.GaugeValue},
	SettingDiffers: {"1 if a setting of this server, SECRET_KEY or BASE_URL, is not the one that the database has recorded (see konbit doctor).",
		"setting", prometheus.GaugeValue},
	Receipts: {"Receipts issued: one for each settled donation, and one for each replaced receipt.", "entity", prometheus.CounterValue},
}

// WatchState calls read at each scrape. If read fails, konbit_state_up is 0 and the figures are omitted: no figure is
// better than an old one.
func (m *Metrics) WatchState(read func(ctx context.Context) ([]Figure, error), log *slog.Logger) {
	s := &figureCollector{read: read, log: log, described: map[string]*prometheus.Desc{}}
	for name, f := range figures {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		s.described[name] = prometheus.NewDesc(name, f.help, labels, nil)
	}
	m.registry.MustRegister(s)
}

type figureCollector struct {
	read      func(ctx context.Context) ([]Figure, error)
	log       *slog.Logger
	described map[string]*prometheus.Desc
}

var (
	stateUp   = prometheus.NewDesc("konbit_state_up", "1 if the figures could be read from the database at this scrape.", nil, nil)
	stateTook = prometheus.NewDesc("konbit_state_duration_seconds", "How long it took to read the figures from the database.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (s *figureCollector) Describe(to chan<- *prometheus.Desc) {
	to <- stateUp
	to <- stateTook
	for _, d := range s.described {
		to <- d
	}
}

// Collect is part of prometheus.Collector.
func (s *figureCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	began := time.Now()
	read, err := s.read(ctx)
	up := 1.0
	if err != nil {
		s.log.WarnContext(ctx, "metrics: cannot read the figures from the database", "error", err)
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
