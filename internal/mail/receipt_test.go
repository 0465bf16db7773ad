package mail_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/program"
)

// settleAndIssue settles n donations in one transaction and returns their receipts. The donations are copies of one.
func settleAndIssue(t *testing.T, h *program.Program, n int, language phrase.Language) []receipt.Receipt {
	t.Helper()
	f := program.ValidForm()
	f.Language = language
	d := h.StartedGift(f)
	ids := []uuid.UUID{d.ID}
	for range n - 1 {
		ids = append(ids, program.NewID())
	}
	copyDonation(t, h, d.ID, ids[1:])
	charges := make([]donation.IncomingPayment, n)
	for i, id := range ids {
		charges[i] = program.ChargeOf(h.Gift(id), time.Now())
	}
	_, err := h.Settle(charges...)
	require.NoError(t, err)
	latest, err := receipt.Latest(t.Context(), h.DB.Server, ids)
	require.NoError(t, err)
	receipts := make([]receipt.Receipt, n)
	for i, id := range ids {
		receipts[i] = latest[id]
	}
	return receipts
}

func copyDonation(t *testing.T, h *program.Program, of uuid.UUID, ids []uuid.UUID) {
	t.Helper()
	tx := h.DB.Owner.MustBegin()
	defer func() { _ = tx.Rollback() }()
	for _, c := range []struct{ table, key, change string }{
		{"donation", "id", `'public_ref', 'copied-for-a-test-' || n.id`},
		{"donation_contact", "donation_id", `'email', n.id || '@example.org'`},
		{"designation", "donation_id", `'n', x.n`},
	} {
		_, err := tx.Exec(fmt.Sprintf(`INSERT INTO %s SELECT (jsonb_populate_record(x, jsonb_build_object('%s', n.id, %s))).*
			FROM %[1]s x, unnest($1::uuid[]) AS n (id) WHERE x.%[2]s = $2`, c.table, c.key, c.change), pg.UUIDs(ids), of)
		require.NoError(t, err, c.table)
	}
	require.NoError(t, tx.Commit())
}

func receiptIssuer(h *program.Program) receipt.Issuer {
	return receipt.Issuer{Queue: h.Queue, NewID: program.NewID}
}

func resender(h *program.Program) mail.Resender {
	return mail.Resender{Receipts: h.Receipts, Queue: h.Queue}
}

// startRunner runs jobs with short pauses between retries, until the test ends.
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

// TestOutageLosesNoReceipt is promise 8 in a short time: 200 receipts wait while the server refuses connections, hangs,
// and defers recipients. None is lost or given up. When the server works again, they are sent soon and not all at once.
func TestOutageLosesNoReceipt(t *testing.T) {
	const receipts = 200
	h := program.New(t, program.Options{})
	address, connections := countConnections(t, h.Mail.SMTPAddr())
	fast := transport.Timeouts{
		Dial: transport.Standard.Dial / 100, Send: transport.Standard.Send / 100,
		MinBackoff: transport.Standard.MinBackoff / 100, MaxBackoff: transport.Standard.MaxBackoff / 100,
	}
	var err error
	h.Receipts.Transport, err = transport.NewWith(fast, address, "bounces@konbit.example", 8)
	require.NoError(t, err)
	t.Cleanup(h.Receipts.Transport.Close)
	h.Handlers = jobs.NewHandlers()
	h.Receipts.Register(h.Handlers)
	settleAndIssue(t, h, receipts, "en")

	for _, kind := range []mailcatch.Kind{mailcatch.Refuse, mailcatch.Hang, mailcatch.Defer} {
		h.Mail.SetFault(mailcatch.Fault{Kind: kind})
		if kind == mailcatch.Refuse {
			startRunner(t, h)
		}
		tried := h.Count(`SELECT coalesce(sum(tries), 0) FROM letter_delivery`)
		testEventually(t, func() bool {
			return h.Count(`SELECT count(*) FROM letter_delivery`) == receipts &&
				h.Count(`SELECT sum(tries) FROM letter_delivery`) > tried+receipts
		})
	}
	require.Empty(t, h.Mail.Messages())
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE state IN ('discarded', 'cancelled', 'completed')`), "none given up")
	require.Greater(t, h.Count(`SELECT count(DISTINCT scheduled_at) FROM river_job WHERE state <> 'running'`), receipts/2, "spread")
	during := int(connections.Load())
	require.Less(t, during, h.Count(`SELECT sum(tries) FROM letter_delivery`)/4, "most attempts do not open a connection")

	h.Mail.SetFault(mailcatch.Fault{})
	back := time.Now()
	requireOneEach(t, h, receipts)
	require.Less(t, time.Since(back), 20*time.Second, "the longest pause is 0.6 s here")
	require.LessOrEqual(t, int(connections.Load())-during, 16, "few new connections")
}

// requireOneEach requires that n emails were accepted, and that all copies of an email are equal.
func requireOneEach(t *testing.T, h *program.Program, n int) {
	t.Helper()
	testEventually(t, func() bool {
		return h.Count(`SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`) == n
	})
	byID := map[string][]byte{}
	for _, m := range h.Mail.Messages() {
		if before, again := byID[m.MessageID]; again {
			require.Equal(t, before, m.Raw, "every copy is the same")
		}
		byID[m.MessageID] = m.Raw
	}
	require.Len(t, byID, n)
}

func testEventually(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 45*time.Second, 20*time.Millisecond)
}

// TestConnectionCutAfterDataSendsTheSameBytes is promise 9.
func TestConnectionCutAfterDataSendsTheSameBytes(t *testing.T) {
	h := program.New(t, program.Options{})
	settleAndIssue(t, h, 50, "es")
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.CutAfterDot, Every: 10})
	startRunner(t, h)
	requireOneEach(t, h, 50)
	extra := len(h.Mail.Messages()) - 50
	require.Positive(t, extra)
	require.LessOrEqual(t, extra, 6, "no more than were cut")
}

func TestWrongAddressIsReportedAndCorrected(t *testing.T) {
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "en")[0]
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Reject})
	startRunner(t, h)
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'letter_refused'`) == 1 })
	subjects, err := mail.RefusedSubjects(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{r.ID}, subjects)
	require.NotContains(t, h.Lines(`SELECT detail::text FROM finance_task`)[0], "@example.org", "no address in a task")
	require.Equal(t, []string{"receipt refused to ana@example.org: smtp: 550 5.1.1 at RCPT"}, delivered(t, h, r.ID))

	h.Mail.SetFault(mailcatch.Fault{})
	require.Error(t, resender(h).Redirect(t.Context(), r, `"a> ORCPT=x"@example.com`, "ana"))
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	first := waitForMessages(t, h, 1)[0]
	require.Equal(t, "right@example.org", first.To)
	testEventually(t, func() bool {
		return len(delivered(t, h, r.ID)) == 2 && h.Count(`SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`) == 1
	})
	subjects, err = mail.RefusedSubjects(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Empty(t, subjects)

	// Resend sends the same bytes to the same address, and the delivery records who ordered it.
	slow := resender(h)
	slow.Interval = time.Minute
	require.ErrorIs(t, slow.Resend(t.Context(), r, "ben"), mail.ErrTooSoon)
	require.NoError(t, resender(h).Resend(t.Context(), r, "ben"))
	second := waitForMessages(t, h, 2)[0]
	require.Equal(t, "right@example.org", second.To)
	require.Equal(t, first.Raw, second.Raw)
	require.Equal(t, []string{"first konbit", "address ana", "resend ben"},
		h.Lines(`SELECT cause || ' ' || ordered_by FROM letter_delivery ORDER BY ordered_at`))

	// Later emails about the receipt go to the corrected address too.
	inTx(t, h, func(tx *sqlx.Tx) error {
		return receiptIssuer(h).VoidTx(t.Context(), tx, []receipt.Void{{Of: r.ID, Change: receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"}}}, time.Now())
	})
	void := waitForMessages(t, h, 3)[0]
	require.Equal(t, "right@example.org", void.To)
	require.Equal(t, "Your receipt "+r.Reference()+" is no longer valid", void.Subject)

	// Redirect of a void receipt sends the email that says so, and not the receipt.
	r, err = receipt.ByID(t.Context(), h.DB.Server, r.ID)
	require.NoError(t, err)
	require.NoError(t, resender(h).Redirect(t.Context(), r, "new@example.org", "ana"))
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	require.Equal(t, strings.ReplaceAll(string(void.Raw), "right@example.org", "new@example.org"), string(waitForMessages(t, h, 4)[0].Raw))
	requireSelfContained(t, h)
}

func TestCorrectedAddressSupersedesWaitingDeliveries(t *testing.T) {
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "en")[0]
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	startRunner(t, h)
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM letter_delivery WHERE tries > 0`) == 1 })
	require.ErrorIs(t, resender(h).Resend(t.Context(), r, "ana"), mail.ErrWaiting)
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	h.Mail.SetFault(mailcatch.Fault{})
	require.Equal(t, "right@example.org", waitForMessages(t, h, 1)[0].To)
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	require.Len(t, h.Mail.Messages(), 1, "no email to the wrong address")
	seen, err := mail.ReadBacklog(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Zero(t, seen.Waiting)
}

func TestReplacementIsInTheDonorsLanguage(t *testing.T) {
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "es")[0]
	startRunner(t, h)
	waitForMessages(t, h, 1)
	facts := r.Facts
	facts.Amount, facts.Lines = money.New(1500, "USD"), []receipt.Line{{Fund: r.Facts.Lines[0].Fund, Amount: money.New(1500, "USD")}}
	facts.Returned = &receipt.Returned{Charged: r.Facts.Amount, Amount: money.New(500, "USD"), On: "2026-12-02"}
	var issued []receipt.Receipt
	inTx(t, h, func(tx *sqlx.Tx) (err error) {
		issued, err = receiptIssuer(h).ReplaceTx(t.Context(), tx, []receipt.Replacement{{
			Of: r.ID, Facts: facts, Change: receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"},
		}}, time.Now())
		return err
	})
	m := waitForMessages(t, h, 2)[0]
	require.Equal(t, "Su nuevo recibo, en lugar del "+r.Reference()+": Centro de Apoyo", m.Subject)
	email, err := m.Email()
	require.NoError(t, err)
	require.Equal(t, issued[0].Reference()+".pdf", email.Attachments[0].Name)
	require.Contains(t, strings.Join(strings.Fields(email.Text), " "), "Sustituye a nuestro recibo "+r.Reference())

	// The replaced receipt is not sent again, not even to another address.
	r, err = receipt.ByID(t.Context(), h.DB.Server, r.ID)
	require.NoError(t, err)
	require.ErrorIs(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"), mail.ErrReceiptVoid)
	require.ErrorIs(t, resender(h).Resend(t.Context(), r, "ana"), mail.ErrReceiptVoid)
	requireSelfContained(t, h)
}

func TestEmailsAndDeliveriesAreImmutable(t *testing.T) {
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "en")[0]
	require.NoError(t, h.Receipts.Mail(t.Context(), r.ID))
	for _, change := range []string{
		`UPDATE letter SET message = ''`, `UPDATE letter SET difference = NULL`, `DELETE FROM letter`, `DELETE FROM email_model`,
		`UPDATE email_model SET content = ''`, `UPDATE letter_delivery SET recipient = 'x@example.org'`,
		`UPDATE letter_delivery SET accepted_at = NULL`, `UPDATE letter_delivery SET refused_at = now(), accepted_at = NULL`,
	} {
		_, err := h.DB.Owner.Exec(change)
		require.Error(t, err, change)
		_, err = h.DB.Server.Exec(change)
		require.Error(t, err, change)
	}
	for _, change := range []string{`UPDATE letter SET difference = 'y'`, `UPDATE letter SET message = 'y'`, `UPDATE letter SET model_id = 99`} {
		tx := h.DB.Owner.MustBegin()
		tx.MustExec(`SET LOCAL konbit.erasing = 'yes'`)
		_, err := tx.Exec(change)
		require.ErrorContains(t, err, "nothing but the person may go", change)
		require.NoError(t, tx.Rollback())
	}
}

// requireSelfContained is threat T31: every email has a plain text and a List-Id, and neither links nor images nor
// anything else that is loaded.
func requireSelfContained(t *testing.T, h *program.Program) {
	t.Helper()
	for _, m := range h.Mail.Messages() {
		email, err := m.Email()
		require.NoError(t, err)
		require.NotEmpty(t, email.Text, m.Subject)
		require.NotEmpty(t, email.HTML, m.Subject)
		require.Equal(t, "<receipts.tsne.tsne.example>", email.Header.Get("List-Id"))
		require.NotRegexp(t, `(?i)https?:|href|src=|url\(|<script|<form`, email.Text+email.HTML, m.Subject)
	}
}

func delivered(t *testing.T, h *program.Program, subject uuid.UUID) (lines []string) {
	t.Helper()
	all, err := mail.Deliveries(t.Context(), h.DB.Server, []uuid.UUID{subject})
	require.NoError(t, err)
	for _, d := range all[subject] {
		lines = append(lines, d.EmailKind+" "+d.String())
	}
	return lines
}

func inTx(t *testing.T, h *program.Program, do func(*sqlx.Tx) error) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, do))
}

// TestConcurrentResendsQueueOneDelivery: of several concurrent calls, one orders a delivery and the others return
// ErrWaiting.
func TestConcurrentResendsQueueOneDelivery(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "en")[0]
	require.NoError(t, h.Receipts.Mail(t.Context(), r.ID))
	const many = 12
	results := make(chan error, many)
	for range many {
		go func() { results <- resender(h).Resend(context.Background(), r, "ana") }()
	}
	ordered := 0
	for range many {
		if err := <-results; err == nil {
			ordered++
		} else {
			require.ErrorIs(t, err, mail.ErrWaiting)
		}
	}
	require.Equal(t, 1, ordered)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM letter_delivery WHERE cause = 'resend'`))
}

// TestVoidReceiptIsNotSent: a receipt that becomes void is not sent by a stored email that waits for a mail server, nor
// by a repeated delivery. Neither counts as waiting afterwards.
func TestVoidReceiptIsNotSent(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	both := settleAndIssue(t, h, 2, "en")
	unsent, sent := both[0], both[1]
	require.NoError(t, h.Receipts.Mail(t.Context(), sent.ID))
	require.NoError(t, resender(h).Resend(t.Context(), sent, "ana"))
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	require.Error(t, h.Receipts.Mail(t.Context(), unsent.ID))
	h.Mail.SetFault(mailcatch.Fault{})
	waiting := func() int {
		backlog, err := mail.ReadBacklog(t.Context(), h.DB.Server)
		require.NoError(t, err)
		return backlog.Waiting
	}
	require.Equal(t, 2, waiting())

	inTx(t, h, func(tx *sqlx.Tx) error {
		change := receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"}
		return receiptIssuer(h).VoidTx(t.Context(), tx, []receipt.Void{{Of: unsent.ID, Change: change}, {Of: sent.ID, Change: change}}, time.Now())
	})
	startRunner(t, h)
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	require.Zero(t, waiting())
	require.Len(t, h.Mail.Messages(), 3, "one receipt, and an email about each void receipt")
	require.Equal(t, []string{"receipt called off", "receipt_voided accepted"}, states(t, h, unsent.ID))
	require.Equal(t, []string{"receipt accepted", "receipt called off", "receipt_voided accepted"}, states(t, h, sent.ID))
}

// TestCancelledWhileServerAccepts: the server's reply is recorded, although the email was cancelled during the
// attempt.
func TestCancelledWhileServerAccepts(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	r := settleAndIssue(t, h, 1, "en")[0]
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Hang})
	over := make(chan error, 1)
	go func() { over <- h.Receipts.Mail(context.Background(), r.ID) }()
	testEventually(t, func() bool { return len(h.Mail.Dials()) > 0 })
	inTx(t, h, func(tx *sqlx.Tx) error {
		return receiptIssuer(h).VoidTx(t.Context(), tx, []receipt.Void{{Of: r.ID, Change: receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"}}}, time.Now())
	})
	require.NoError(t, h.Receipts.Mail(t.Context(), r.ID), "another worker runs the same job")
	require.Equal(t, []string{"receipt called off"}, states(t, h, r.ID))
	h.Mail.SetFault(mailcatch.Fault{})
	require.NoError(t, <-over)
	require.Len(t, h.Mail.Messages(), 1)
	require.Equal(t, []string{"receipt accepted"}, states(t, h, r.ID))
}

// states returns the kinds and states of the deliveries about a receipt.
func states(t *testing.T, h *program.Program, about uuid.UUID) (all []string) {
	t.Helper()
	of, err := mail.Deliveries(t.Context(), h.DB.Server, []uuid.UUID{about})
	require.NoError(t, err)
	for _, d := range of[about] {
		all = append(all, d.EmailKind+" "+string(d.State()))
	}
	return all
}
