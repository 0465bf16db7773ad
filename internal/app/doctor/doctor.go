package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"konbit/internal/app"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/typeset"
	"konbit/migrations"
)

// maxDuration is how long all checks together may take.
const maxDuration = time.Minute

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Fix   string `json:"fix,omitempty"`
	Note  string `json:"note,omitempty"` // what the check cannot see
}

func (f Finding) String() string {
	switch {
	case !f.OK:
		return "✗ " + f.Check + ": " + strings.ReplaceAll(f.Fix, "\n", "\n    ")
	case f.Note != "":
		return "✓ " + f.Check + ": " + f.Note
	default:
		return "✓ " + f.Check
	}
}

// Doctor runs the checks and collects their findings.
type Doctor struct {
	Settings app.Settings
	Log      *slog.Logger
	Findings []Finding // in the order of the checks
}

// Failed reports whether a check failed.
func (d *Doctor) Failed() bool {
	return slices.ContainsFunc(d.Findings, func(f Finding) bool { return !f.OK })
}

// Report adds the result of a check. err is nil if the check passed; otherwise its text says how to mend the problem.
func (d *Doctor) Report(check string, err error) {
	f := Finding{Check: check, OK: err == nil}
	if err != nil {
		f.Fix = app.ErrorText(err)
	}
	d.Findings = append(d.Findings, f)
}

// Note adds a check that cannot fail, with a note.
func (d *Doctor) Note(check, note string) {
	d.Findings = append(d.Findings, Finding{Check: check, OK: true, Note: note})
}

// Run runs all checks. The settings must be complete. Without a database of the newest schema, the checks that need it
// are left out.
func (d *Doctor) Run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	by, err := transport.New(d.Settings.SMTPURL, d.Settings.MailFrom, 1)
	if err == nil {
		err = by.Check(ctx)
	}
	d.Report("mail server", err)
	d.Report("proxies", d.Settings.CheckProxies())
	d.office()
	d.Findings = append(d.Findings, fonts(typeset.System()))
	db, err := pg.Open(ctx, d.Settings.DatabaseURL, 2)
	d.Report("database", err)
	if err != nil {
		return
	}
	defer db.Close()
	pending, err := migrations.Pending(ctx, db.DB)
	if err == nil && pending > 0 {
		err = fmt.Errorf("%d to run: konbit migrate", pending)
	}
	d.Report("migrations", err)
	if err != nil {
		return
	}
	d.Report("the server's role owns nothing", app.CheckRole(ctx, db))
	d.Report("what staff pages read", migrations.CheckOffice(ctx, db.DB))
	d.installation(ctx, db)
	d.Report("clocks", checkClock(ctx, db))
	d.Report("connection pooler", app.CheckPooler(ctx, db))
	d.Report("the database's log", checkLog(ctx, db))
	d.auditors()
	d.erasures(ctx, db)
	d.Report("keys for erasures", erasureKeys(ctx, db))
	d.checkDailyRun(ctx, db)
	d.checkTasks(ctx, db)
	d.emailsAfterMoves(ctx, db)
	d.stripe(ctx, db)
	d.mail(ctx, db, net.DefaultResolver)
}

// office recommends a host of its own for the office.
func (d *Doctor) office() {
	if d.Settings.OfficeURL == nil {
		d.Note("the office's host", "donors' pages are on the same host. "+
			"OFFICE_URL gives the office a host of its own, so that no page of donors shares an origin with it")
		return
	}
	d.Report("the office's host", d.Settings.CheckOfficeURL())
}

// auditors reports where the daily digests of the books are sent. Without them, a person who owns the database could
// rewrite the books without being noticed.
func (d *Doctor) auditors() {
	note := "emailed daily to " + strings.Join(d.Settings.AuditMail, ", ")
	if len(d.Settings.AuditMail) == 0 {
		note = "stored daily and not emailed: set AUDIT_MAIL to your auditors' addresses"
	}
	d.Note("the seals of the books", note)
}
