package staffmail_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/mail/staffmail"
	"konbit/internal/people/audit"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// sealAll seals all journal entries.
func sealAll(t *testing.T, h *program.Program) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		_, err := ledger.Seal(t.Context(), h.DB.Server)
		require.NoError(t, err)
		if n := h.Count(`SELECT (SELECT count(*) FROM journal_entry) - (SELECT count(*) FROM ledger_seal)`); n > 0 {
			return fmt.Errorf("%d entries wait", n)
		}
		return nil
	})
}

func startRunner(t *testing.T, h *program.Program) {
	t.Helper()
	runner, err := jobs.NewRunner(h.DB.Server, h.Handlers, 8, h.Log.Logger(), jobs.Slots(jobs.Emails, 8), jobs.RetryWithin(20*time.Millisecond, 400*time.Millisecond))
	require.NoError(t, err)
	require.NoError(t, runner.Start())
	t.Cleanup(func() {
		last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, runner.Stop(last))
	})
}

func waitForMessages(t *testing.T, h *program.Program, n int) []mailcatch.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := h.Mail.WaitFor(ctx, n)
	require.NoError(t, err)
	return got
}

func TestAuditorsReceiveTheHeadOncePerDay(t *testing.T) {
	h := program.New(t, program.Options{})
	clock := testkit.NewClock(time.Date(2026, time.March, 15, 2, 0, 0, 0, time.UTC)) // still the 14th in Boston
	h.Receipts.Now = clock.Now
	heads := staffmail.AuditDigest{Mailer: h.Receipts.Mailer, Queue: h.Queue, To: []string{"audit@firm.example", "board@tsne.example"}}
	h.Handlers = jobs.NewHandlers()
	h.Receipts.Register(h.Handlers)
	heads.Register(h.Handlers)

	recorded, err := heads.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Zero(t, recorded, "no entity has an entry")
	h.SettledGift(program.ValidForm())
	sealAll(t, h)
	for _, want := range []int{1, 0} { // one entity has entries, and has one head a day
		recorded, err = heads.RecordHeads(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, recorded)
	}
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	startRunner(t, h)
	require.Eventually(t, func() bool {
		return h.Count(`SELECT coalesce(sum(tries), 0) FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.kind = 'head'`) > 2
	}, 45*time.Second, 20*time.Millisecond)
	h.Mail.SetFault(mailcatch.Fault{})
	digests := digestsAmong(t, waitForMessages(t, h, 3))
	require.Len(t, digests, 2, "one to each auditor, and the receipt")
	require.NotEqual(t, digests[0].MessageID, digests[1].MessageID)
	require.Contains(t, digests[0].Subject, "March 14, 2026")
	email, err := digests[0].Email()
	require.NoError(t, err)
	require.Contains(t, email.Text, "zero, as they must be")

	// The email's command verifies the chain, and reports a chain that was rewritten.
	command := regexp.MustCompile(`--head tsne:(\d+:[0-9a-f]{64})`).FindStringSubmatch(email.Text)
	require.NotNil(t, command, email.Text)
	head, err := ledger.ParseHead(h.Offer("csio").Entity.ID, command[1])
	require.NoError(t, err)
	report, err := ledger.Verify(t.Context(), h.DB.Server, head)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	head.Hash[0]++
	report, err = ledger.Verify(t.Context(), h.DB.Server, head)
	require.NoError(t, err)
	require.NotEmpty(t, report.Findings)

	clock.Advance(24 * time.Hour)
	recorded, err = heads.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, recorded)
	require.Len(t, digestsAmong(t, waitForMessages(t, h, 5)), 4)
}

// TestAuditorsReceiveAHeadThatAnotherRecorded: an intruder with the server's role records the head of the day and
// enqueues no email. The auditors get it.
func TestAuditorsReceiveAHeadThatAnotherRecorded(t *testing.T) {
	h := program.New(t, program.Options{})
	clock := testkit.NewClock(time.Now())
	h.Receipts.Now = clock.Now
	heads := staffmail.AuditDigest{Mailer: h.Receipts.Mailer, Queue: h.Queue, To: []string{"audit@firm.example"}}
	h.Handlers = jobs.NewHandlers()
	h.Receipts.Register(h.Handlers)
	heads.Register(h.Handlers)
	h.SettledGift(program.ValidForm())
	sealAll(t, h)
	day := ledger.DateOf(clock.Now(), h.Offer("csio").Entity.Location())
	_, err := h.DB.Server.Exec(`INSERT INTO ledger_head (id, entity_id, day, n, hash, trial_balance, kept_at)
		SELECT gen_random_uuid(), entity_id, $1, n, hash, 0, now() - interval '2 hours' FROM ledger_seal ORDER BY n DESC LIMIT 1`, day.String())
	require.NoError(t, err)
	recorded, err := heads.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Zero(t, recorded)
	startRunner(t, h)
	require.Len(t, digestsAmong(t, waitForMessages(t, h, 2)), 1, "and the receipt")
	_, err = heads.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'ledger_head_letter'`), "once")
}

// TestAuditorsReceiveTheHeadOfTheAuditLog: the email of a day has the head of the audit log, and what operators did since the
// head before; not what staff did.
func TestAuditorsReceiveTheHeadOfTheAuditLog(t *testing.T) {
	h := program.New(t, program.Options{})
	heads := staffmail.AuditDigest{Mailer: h.Receipts.Mailer, Queue: h.Queue, To: []string{"audit@firm.example"}}
	h.Handlers = jobs.NewHandlers()
	h.Receipts.Register(h.Handlers)
	heads.Register(h.Handlers)
	h.SettledGift(program.ValidForm())
	sealAll(t, h)
	record := func(db *sqlx.DB, act, reason string) {
		require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
			return audit.RecordTx(t.Context(), tx, audit.Act{Name: act, ObjectKind: "staff", ObjectID: "7", Reason: reason})
		}))
	}
	record(h.DB.Owner, "staff.added", "the first admin <b>")
	record(h.DB.Server, "staff.signed_in", "not of an operator")
	_, err := audit.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	recorded, err := heads.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, recorded)
	startRunner(t, h)
	digest, err := digestsAmong(t, waitForMessages(t, h, 2))[0].Email()
	require.NoError(t, err)
	report, err := audit.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Entries)
	require.Contains(t, digest.Text, "It has 2 entries.")
	require.Contains(t, digest.Text, "konbit staff verify --head "+report.Head)
	require.Contains(t, digest.Text, "staff.added staff 7: the first admin <b>")
	require.NotContains(t, digest.Text, "not of an operator")
	require.Contains(t, digest.HTML, "the first admin &lt;b&gt;")
}

func digestsAmong(t *testing.T, messages []mailcatch.Message) (digests []mailcatch.Message) {
	t.Helper()
	for _, m := range messages {
		if strings.HasPrefix(m.MessageID, "head.") {
			digests = append(digests, m)
		}
	}
	return digests
}

func TestHeadsAreRecordedWithoutAuditors(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	sealAll(t, h)
	recorded, err := staffmail.AuditDigest{Mailer: h.Receipts.Mailer, Queue: h.Queue}.RecordHeads(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, recorded)
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'ledger_head_letter'`))
}
