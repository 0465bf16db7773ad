package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/books/org"
	"konbit/internal/mail"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
	"konbit/migrations"
)

func doctorCommand() *cobra.Command {
	c := &cobra.Command{Use: "doctor", Short: "Check settings, database, Stripe and mail; say how to fix each", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(serveNeeds...)
		d := &doctor{config: config}
		d.report("settings", err)
		for _, warning := range config.warnings() {
			d.findings = append(d.findings, finding{Check: "names of settings", OK: true, Note: warning})
		}
		if err == nil {
			d.run(c.Context())
		}
		if *asJSON {
			err = printJSON(c, d.findings)
		} else {
			for _, f := range d.findings {
				fmt.Fprintln(c.OutOrStdout(), f)
			}
			err = nil
		}
		if err == nil && d.failed {
			err = errors.New("some checks failed")
		}
		return err
	}
	return c
}

// finding is the result of one check.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Fix   string `json:"fix,omitempty"`
	Note  string `json:"note,omitempty"` // what the check cannot see
}

func (f finding) String() string {
	switch {
	case !f.OK:
		return "✗ " + f.Check + ": " + strings.ReplaceAll(f.Fix, "\n", "\n    ")
	case f.Note != "":
		return "✓ " + f.Check + ": " + f.Note
	default:
		return "✓ " + f.Check
	}
}

type doctor struct {
	config   Config
	findings []finding
	failed   bool
}

// report adds the result of a check. A non-nil err is the fix.
func (d *doctor) report(check string, err error) {
	f := finding{Check: check, OK: err == nil}
	if err != nil {
		f.Fix, d.failed = errorText(err), true
	}
	d.findings = append(d.findings, f)
}

func (d *doctor) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	transport, err := mail.NewTransport(d.config.SMTPURL, d.config.MailFrom, 1)
	if err == nil {
		err = transport.Check(ctx)
	}
	d.report("mail server", err)
	d.report("proxies", d.config.checkProxies())
	db, err := pg.Open(ctx, d.config.DatabaseURL, 2)
	d.report("database", err)
	if err != nil {
		return
	}
	defer db.Close()
	pending, err := migrations.Pending(ctx, db.DB)
	if err == nil && pending > 0 {
		err = fmt.Errorf("%d to run: konbit migrate", pending)
	}
	d.report("migrations", err)
	if err != nil {
		return
	}
	d.report("the server's role owns nothing", app.CheckRole(ctx, db))
	d.report("clocks", checkClock(ctx, db))
	d.report("connection pooler", app.CheckPooler(ctx, db))
	d.report("the database's log", checkLog(ctx, db))
	d.auditors()
	d.erasures(ctx, db)
	d.report("keys for erasures", erasureKeys(ctx, db))
	d.checkDailyRun(ctx, db)
	d.checkTasks(ctx, db)
	d.stripe(ctx, db)
	d.mail(ctx, db, net.DefaultResolver)
}

func (d *doctor) stripe(ctx context.Context, db *sqlx.DB) {
	entities, err := org.Entities(ctx, db)
	if err == nil && len(entities) == 0 {
		err = errors.New("there is none: konbit apply FILE")
	}
	d.report("legal entities", err)
	client, err := stripepay.New(d.config.Stripe, d.config.StripeAPIURL, d.config.logger())
	if err != nil {
		d.report("Stripe", err)
		return
	}
	for _, e := range entities {
		d.stripeAccount(ctx, client, e)
	}
}

// auditors reports where the daily digests of the books are sent. Without them, a person who owns the database could
// rewrite the books without being noticed.
func (d *doctor) auditors() {
	note := "emailed daily to " + strings.Join(d.config.AuditMail, ", ")
	if len(d.config.AuditMail) == 0 {
		note = "stored daily and not emailed: set AUDIT_MAIL to your auditors' addresses"
	}
	d.findings = append(d.findings, finding{Check: "the seals of the books", OK: true, Note: note})
}

// checkClock compares this machine's clock, which judges signatures, with the database's, which judges expiry. They may
// differ by 30 seconds.
func checkClock(ctx context.Context, db *sqlx.DB) error {
	var there time.Time
	before := time.Now()
	if err := db.GetContext(ctx, &there, `/* konbit.checkClock */ SELECT clock_timestamp()`); err != nil {
		return err
	}
	if off := there.Sub(before).Abs(); off > 30*time.Second {
		return fmt.Errorf("this machine and the database differ by %s: synchronise both by NTP", off.Round(time.Second))
	}
	return nil
}
