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
	c := &cobra.Command{Use: "doctor", Short: "Look over settings, database, Stripe and mail; say how to mend each", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "answer in JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(serveNeeds...)
		d := &doctor{config: config}
		d.saw("settings", err)
		if unread := config.checkUnread(); unread != nil {
			d.findings = append(d.findings, finding{Looked: "names of settings", OK: true, Note: unread.Error()})
		}
		if err == nil {
			d.examine(c.Context())
		}
		if *asJSON {
			err = printJSON(c, d.findings)
		} else {
			for _, f := range d.findings {
				fmt.Fprintln(c.OutOrStdout(), f)
			}
			err = nil
		}
		if err == nil && d.ill {
			err = errors.New("something needs mending")
		}
		return err
	}
	return c
}

// finding is what one look found.
type finding struct {
	Looked string `json:"looked"`
	OK     bool   `json:"ok"`
	Mend   string `json:"mend,omitempty"`
	Note   string `json:"note,omitempty"` // what the look cannot see
}

func (f finding) String() string {
	switch {
	case !f.OK:
		return "✗ " + f.Looked + ": " + strings.ReplaceAll(f.Mend, "\n", "\n    ")
	case f.Note != "":
		return "✓ " + f.Looked + ": " + f.Note
	default:
		return "✓ " + f.Looked
	}
}

type doctor struct {
	config   Config
	findings []finding
	ill      bool
}

// saw notes a look; err says what to mend.
func (d *doctor) saw(looked string, err error) {
	f := finding{Looked: looked, OK: err == nil}
	if err != nil {
		f.Mend, d.ill = spoken(err), true
	}
	d.findings = append(d.findings, f)
}

func (d *doctor) examine(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	transport, err := mail.NewTransport(d.config.SMTPURL, d.config.MailFrom, 1)
	if err == nil {
		err = transport.Check(ctx)
	}
	d.saw("mail server", err)
	d.saw("proxies", d.config.checkProxies())
	db, err := pg.Open(ctx, d.config.DatabaseURL, 2)
	d.saw("database", err)
	if err != nil {
		return
	}
	defer db.Close()
	pending, err := migrations.Pending(ctx, db.DB)
	if err == nil && pending > 0 {
		err = fmt.Errorf("%d to run: konbit migrate", pending)
	}
	d.saw("migrations", err)
	if err != nil {
		return
	}
	d.saw("the server's role owns nothing", checkRole(ctx, db))
	d.saw("clocks", checkClock(ctx, db))
	d.saw("the way to the database", app.CheckPooler(ctx, db))
	d.saw("the database's log", checkLog(ctx, db))
	d.auditors()
	d.erasures(ctx, db)
	d.checked(ctx, db)
	d.checkTasks(ctx, db)
	d.stripe(ctx, db)
	d.mail(ctx, db, net.DefaultResolver)
}

func (d *doctor) stripe(ctx context.Context, db *sqlx.DB) {
	entities, err := org.Entities(ctx, db)
	if err == nil && len(entities) == 0 {
		err = errors.New("there is none: konbit apply FILE")
	}
	d.saw("legal entities", err)
	client, err := stripepay.New(d.config.Stripe, d.config.StripeAPIURL, d.config.logger())
	if err != nil {
		d.saw("Stripe", err)
		return
	}
	for _, e := range entities {
		d.stripeAccount(ctx, client, e)
	}
}

// auditors says where the heads of the books go. Without them somebody who owns the database could write the books anew unseen.
func (d *doctor) auditors() {
	note := "mailed daily to " + strings.Join(d.config.AuditMail, ", ")
	if len(d.config.AuditMail) == 0 {
		note = "kept daily and not mailed: set AUDIT_MAIL to your auditors' addresses"
	}
	d.findings = append(d.findings, finding{Looked: "the seals of the books", OK: true, Note: note})
}

// checkRole refuses a role that could change the rules it is held by.
func checkRole(ctx context.Context, db *sqlx.DB) error {
	const query = `/* konbit.checkRole */
		SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
		       (SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole)`
	var super bool
	var owned int
	if err := db.QueryRowContext(ctx, query).Scan(&super, &owned); err != nil {
		return err
	}
	if super || owned > 0 {
		return fmt.Errorf("DATABASE_URL is a superuser or owns %d tables: let it log in as a role of its own and run konbit migrate as the owner", owned)
	}
	return nil
}

// checkClock compares this machine's clock with the database's: signatures are judged by the first, expiry by the second.
func checkClock(ctx context.Context, db *sqlx.DB) error {
	var there time.Time
	before := time.Now()
	if err := db.GetContext(ctx, &there, `/* konbit.checkClock */ SELECT clock_timestamp()`); err != nil {
		return err
	}
	if off := there.Sub(before).Abs(); off > 30*time.Second {
		return fmt.Errorf("this machine and the database differ by %s: let both keep time by NTP", off.Round(time.Second))
	}
	return nil
}
