package statement_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/statement"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// settleGift settles a gift of a donor at a moment.
func settleGift(t *testing.T, h *program.Program, name, amount string, at time.Time) uuid.UUID {
	t.Helper()
	f := program.ValidForm()
	f.Amount, f.Contact.Email, f.Contact.FirstName = amount, name+"@example.org", name
	d := h.StartedGift(f)
	_, err := h.Settle(program.ChargeOf(d, at))
	require.NoError(t, err)
	return d.ID
}

func readEntity(t *testing.T, h *program.Program) org.LegalEntity {
	t.Helper()
	o, err := h.CurrentCatalog().Organisation("csio")
	require.NoError(t, err)
	e, err := h.CurrentCatalog().EntityByID(o.EntityID)
	require.NoError(t, err)
	return e
}

func donorOf(t *testing.T, h *program.Program, name string) donor.Donor {
	t.Helper()
	var id uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&id, `SELECT id FROM donor WHERE email = $1`, name+"@example.org"))
	found, err := donor.ByIDs(t.Context(), h.DB.Server, []uuid.UUID{id})
	require.NoError(t, err)
	return found[0]
}

// TestStatementOfAYear: the year is that of the entity's time zone. The statement lists every gift, can be shown at any
// time, and is frozen when it is issued. A refund causes one correction, and each statement has one email.
func TestStatementOfAYear(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	boston := e.Location()
	first := settleGift(t, h, "ana", "20", time.Date(2025, 1, 1, 0, 0, 0, 0, boston))
	settleGift(t, h, "ana", "30", time.Date(2025, 12, 31, 23, 59, 59, 0, boston))
	settleGift(t, h, "ana", "10", time.Date(2026, 1, 1, 0, 0, 0, 0, boston))
	settleGift(t, h, "bea", "10", time.Date(2025, 7, 1, 0, 0, 0, 0, boston))
	ana := donorOf(t, h, "ana")

	current, err := h.Statements.ForDonor(t.Context(), ana, 2025)
	require.NoError(t, err)
	require.Zero(t, current.N)
	require.Equal(t, "50.00 USD", current.Facts.Total.String())
	require.Len(t, current.Facts.Gifts, 2)
	require.Equal(t, []string{"2025-01-01", "2025-12-31"}, []string{current.Facts.Gifts[0].ChargedOn, current.Facts.Gifts[1].ChargedOn})
	require.Equal(t, "TSNE-2025-000001", current.Facts.Gifts[0].Receipt)
	_, err = h.Statements.ForDonor(t.Context(), ana, 2024)
	require.True(t, fault.Is(err, fault.NotFound))

	dry := h.Statements
	dry.DryRun = true
	counted, err := dry.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	require.Equal(t, statement.Tally{Donors: 2, Gifts: 3, Issued: 2}, counted)
	require.Zero(t, h.Count(`SELECT count(*) FROM statement`)+h.Count(`SELECT count(*) FROM river_job WHERE kind = 'statement_letter'`))

	progress := 0
	for i := range 3 {
		tally, err := h.Statements.Issue(t.Context(), e, 2025, func(more int) { progress += more })
		require.NoError(t, err)
		require.Equal(t, statement.Tally{Donors: 2, Gifts: 3, Existing: min(i*2, 2), Issued: max(2-i*2, 0)}, tally)
	}
	require.Equal(t, 6, progress)

	// A refund of all of the first gift, as the balance books it, and a lost dispute that took the same again: operations
	// paid that, so it is no part of the statement.
	h.Exec(`INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, beyond, at)
		SELECT entity_id, c.object, c.kind, id, c.amount, c.beyond, '2026-02-03 12:00Z' FROM payment
		 CROSS JOIN (VALUES ('re_1', 'refund', 2000, 0), ('dp_1', 'dispute withdrawn', 0, 2150), ('dp_1', 'dispute lost', 0, 2150)) c (object, kind, amount, beyond)
		 WHERE entity_id = $1 AND charge_ref = $2`, e.ID, "ch_"+first.String())
	var r uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&r, `SELECT id FROM receipt WHERE donation_id = $1`, first))
	h.Exec(`INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at) VALUES ($1, $2, 'refund', '2026-02-03', 're_1', now())`, r, first)
	counted, err = dry.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	require.Equal(t, statement.Tally{Donors: 2, Gifts: 3, Existing: 2, Corrected: 1}, counted)
	for i := range 2 {
		n, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{})
		require.NoError(t, err)
		require.Equal(t, 1-i, n)
	}
	now, err := h.Statements.ForDonor(t.Context(), ana, 2025)
	require.NoError(t, err)
	require.Equal(t, 2, now.N)
	require.Equal(t, "30.00 USD", now.Facts.Total.String())
	require.Len(t, now.Facts.Gifts[0].Returned, 1)
	require.Equal(t, "2026-02-03", now.Facts.Gifts[0].Returned[0].On)
	require.False(t, now.PreviousIssuedAt.IsZero())

	require.Equal(t, 3, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'statement_letter'`))
	var ids []uuid.UUID
	require.NoError(t, h.DB.Owner.Select(&ids, `SELECT (args->>'statement_id')::uuid FROM river_job WHERE kind = 'statement_letter' ORDER BY id`))
	for range 2 {
		for _, id := range ids {
			require.NoError(t, mail.Statements{Mailer: h.Receipts.Mailer}.Mail(t.Context(), id))
		}
	}
	sent := h.Mail.Messages()
	require.Len(t, sent, 2, "Ana's first statement was superseded")
	corrected := slices.IndexFunc(sent, func(m mailcatch.Message) bool {
		return m.MessageID == "statement_corrected."+ids[2].String()+"@tsne.example"
	})
	require.GreaterOrEqual(t, corrected, 0)
	corrections, err := sent[corrected].Email()
	require.NoError(t, err)
	assert.Contains(t, corrections.Text, "−$20.00")
	for _, attack := range []string{`UPDATE statement SET year = 2024`, `DELETE FROM statement`, `TRUNCATE statement CASCADE`} {
		_, err := h.DB.Owner.Exec(attack)
		assert.Error(t, err, attack)
	}
}

// refundWhole returns all of a gift of 20 dollars, and makes its receipt void.
func refundWhole(t *testing.T, h *program.Program, gift uuid.UUID) {
	t.Helper()
	h.Exec(`INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at)
		SELECT entity_id, 're_' || id, 'refund', id, amount, now() FROM payment WHERE charge_ref = $1`, "ch_"+gift.String())
	h.Exec(`INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at)
		SELECT id, donation_id, 'refund', now(), 're_' || id, now() FROM receipt WHERE donation_id = $1`, gift)
}

// TestNoStatementOfNothing: a donor whose gifts were all returned gets no statement. If one was issued before, its correction
// says that it and the receipts are void.
func TestNoStatementOfNothing(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	june := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	refundWhole(t, h, settleGift(t, h, "bob", "20", june))
	kept, returned := settleGift(t, h, "ana", "20", june), settleGift(t, h, "ana", "30", june)
	refundWhole(t, h, returned)
	tally, err := h.Statements.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	require.Equal(t, statement.Tally{Donors: 2, Gifts: 3, Issued: 1}, tally)
	_, err = h.Statements.ForDonor(t.Context(), donorOf(t, h, "bob"), 2025)
	require.True(t, fault.Is(err, fault.NotFound))
	emails := mail.Statements{Mailer: h.Receipts.Mailer, Issuer: h.Statements}
	require.NoError(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: donorOf(t, h, "bob").ID, Year: 2025}))
	require.Empty(t, h.Mail.Messages())
	textOf := func() string {
		s, err := h.Statements.ForDonor(t.Context(), donorOf(t, h, "ana"), 2025)
		require.NoError(t, err)
		require.NoError(t, emails.Mail(t.Context(), s.ID))
		sent := h.Mail.Messages()
		i := slices.IndexFunc(sent, func(m mailcatch.Message) bool { return strings.Contains(m.MessageID, s.ID.String()) })
		require.GreaterOrEqual(t, i, 0)
		read, err := sent[i].Email()
		require.NoError(t, err)
		return strings.Join(strings.Fields(read.Text), " ")
	}
	receiptOf := func(gift uuid.UUID) string {
		latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift})
		require.NoError(t, err)
		return latest[gift].Reference()
	}
	first := textOf()
	require.Contains(t, first, receiptOf(returned)+" (void)")
	require.NotContains(t, first, receiptOf(kept)+" (void)")

	refundWhole(t, h, kept)
	for i := range 2 {
		n, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{})
		require.NoError(t, err)
		require.Equal(t, 1-i, n)
	}
	void := textOf()
	require.Contains(t, void, "nothing remains of them")
	require.Contains(t, void, receiptOf(kept)+" (void)")
	require.NotContains(t, void, "keep this statement for your taxes")
}

// TestFirstStatementAfterADisputeWasWon: nothing remained of a donor's year when the statements were issued, because a
// dispute was lost. The bank pays after all, in spring: the donor gets a first statement, once. A dry run counts it.
func TestFirstStatementAfterADisputeWasWon(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	year := h.Fake.Now().In(e.Location()).Year()
	f := program.ValidForm()
	f.Contact.Email = "bob@example.org"
	lost := h.SettledGift(f)
	settleGift(t, h, "ana", "20", h.Fake.Now())
	arrive := func() {
		for range 2 {
			h.DeliverNew()
			h.DrainAll()
			_, err := h.Collector.Sweep(t.Context())
			require.NoError(t, err)
			h.RetryParked()
		}
	}
	h.Fake.Advance(time.Hour)
	arrive()
	dispute, err := h.Fake.Dispute(h.Lines(`SELECT intent_ref FROM payment WHERE donation_id = $1`, lost.ID)[0], false)
	require.NoError(t, err)
	arrive()
	require.NoError(t, h.Fake.CloseDispute(dispute, "won"))
	for _, body := range h.Fake.Bodies("tsne") { // the stand-in does not pay a lost dispute: the loss is made of the win's event
		if closed := h.ParseEvent(body); closed.Type == "charge.dispute.closed" {
			h.Deliver(h.AlterEvent(closed, func(_, dispute map[string]any) {
				dispute["status"], dispute["balance_transactions"] = "lost", dispute["balance_transactions"].([]any)[:1]
			}))
			h.DrainAll()
		}
	}
	require.Equal(t, []string{"dispute"}, h.Lines(`SELECT reason FROM receipt_void`))

	h.Fake.Advance(time.Until(time.Date(year+1, 1, 20, 12, 0, 0, 0, e.Location())))
	tally, err := h.Statements.Issue(t.Context(), e, year, nil)
	require.NoError(t, err)
	require.Equal(t, statement.Tally{Donors: 2, Gifts: 2, Issued: 1}, tally, "nothing remains of Bob's")
	of := func() []string {
		return h.Lines(`SELECT concat_ws(' ', d.email, s.n, s.facts->'total'->>'minor') FROM statement s JOIN donor d ON d.id = s.donor_id ORDER BY d.email, s.n`)
	}
	require.Equal(t, []string{"ana@example.org 1 2000"}, of())

	h.Fake.Advance(80 * 24 * time.Hour)
	arrive()
	require.Equal(t, []string{"reinstated"}, h.Lines(`SELECT facts->'replaces'->>'reason' FROM receipt WHERE donation_id = $1 AND facts->'replaces' IS NOT NULL`, lost.ID))
	dry := h.Statements
	dry.DryRun = true
	counted, err := dry.Issue(t.Context(), e, year, nil)
	require.NoError(t, err)
	require.Equal(t, statement.Tally{Donors: 2, Gifts: 2, Existing: 1, Issued: 1}, counted)
	for i := range 2 {
		n, err := h.Statements.Correct(t.Context(), e, year, h.Fake.Now().Add(-35*24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1-i, n)
	}
	require.Equal(t, []string{"ana@example.org 1 2000", "bob@example.org 1 2000"}, of())
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'statement_letter'`))
}

// TestMovesAreFoundOnAMovedClock: statements have the time of the business clock, and moves that of the database's. With
// a stand-in whose clock is a year ahead, a move after the statements is found all the same.
func TestMovesAreFoundOnAMovedClock(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	june := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	gift := settleGift(t, h, "bob", "20", june)
	settleGift(t, h, "bob", "30", june)
	h.Fake.Advance(365 * 24 * time.Hour)
	_, err := h.Statements.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := owner.MoveTx(t.Context(), tx, moveOf(t, h, gift, "ana@example.org"))
		return err
	}))
	n, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{})
	require.NoError(t, err)
	require.Equal(t, 2, n, "one for Ana, and Bob's without the gift")
}

// TestSupersededStatementIsNotSent: a statement that no mail server accepted before it was corrected is not sent any
// more, whichever job runs first, and counts as waiting no longer.
func TestSupersededStatementIsNotSent(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	first := settleGift(t, h, "ana", "20", time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))
	_, err := h.Statements.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	emails := mail.Statements{Mailer: h.Receipts.Mailer}
	mailAll := func() (errs []error) {
		var ids []uuid.UUID
		require.NoError(t, h.DB.Owner.Select(&ids, `SELECT id FROM statement ORDER BY n DESC`))
		for _, id := range ids {
			errs = append(errs, emails.Mail(t.Context(), id))
		}
		return errs
	}
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	require.Error(t, mailAll()[0], "it is written and waits for a retry")
	h.Mail.SetFault(mailcatch.Fault{})
	h.Exec(`INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at)
		SELECT entity_id, 're_1', 'refund', id, 500, now() FROM payment WHERE entity_id = $1 AND charge_ref = $2`, e.ID, "ch_"+first.String())
	h.Exec(`INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at) SELECT id, donation_id, 'refund', now(), 're_1', now() FROM receipt`)
	n, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for range 2 {
		require.Equal(t, []error{nil, nil}, mailAll())
	}
	require.Len(t, h.Mail.Messages(), 1)
	require.Contains(t, h.Mail.Messages()[0].MessageID, "statement_corrected.")
	waiting, err := mail.ReadBacklog(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Zero(t, waiting.Waiting)
}

// TestConcurrentIssueMakesOneStatementPerDonor runs four batches at the same time.
func TestConcurrentIssueMakesOneStatementPerDonor(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	for i := range 12 {
		settleGift(t, h, fmt.Sprint("donor", i), "20", time.Date(2025, 6, 1, 0, 0, i, 0, time.UTC))
	}
	done := make(chan error)
	for range 4 {
		go func() { _, err := h.Statements.Issue(t.Context(), e, 2025, nil); done <- err }()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
	require.Equal(t, 12, h.Count(`SELECT count(*) FROM statement`))
	require.Equal(t, 12, h.Count(`SELECT count(DISTINCT args->>'statement_id') FROM river_job WHERE kind = 'statement_letter'`))
}

// TestDue: the day is that of the entity's time zone.
func TestDue(t *testing.T) {
	e := org.LegalEntity{Timezone: "Pacific/Honolulu"}
	hawaii := e.Location()
	for at, want := range map[time.Time]string{
		time.Date(2027, 1, 14, 23, 59, 59, 0, hawaii): "2026 false",
		time.Date(2027, 1, 15, 0, 0, 0, 0, hawaii):    "2026 true",
		time.Date(2027, 4, 30, 23, 0, 0, 0, hawaii):   "2026 true",
		time.Date(2027, 5, 1, 0, 0, 0, 0, hawaii):     "2026 false",
		time.Date(2026, 12, 31, 23, 0, 0, 0, hawaii):  "2025 false",
	} {
		t.Run(at.Format(time.DateTime), func(t *testing.T) {
			year, due := statement.Due(e, at.UTC())
			require.Equal(t, want, fmt.Sprint(year, " ", due), at)
		})
	}
}

// TestTwoPeopleShareAMailbox: each name on the receipts has a part with its own total; the name entered last does not
// matter. A statement of one name has the name of its receipts.
func TestTwoPeopleShareAMailbox(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	give := func(first, last, amount string, at time.Time) uuid.UUID {
		f := program.ValidForm()
		f.Amount, f.AmountOther, f.Contact.Email, f.Contact.FirstName, f.Contact.LastName = "other", amount, "casa@example.org", first, last
		d := h.StartedGift(f)
		_, err := h.Settle(program.ChargeOf(d, at))
		require.NoError(t, err)
		return d.ID
	}
	day := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	give("Ana", "Pérez", "10", day)
	give("Ana", "Pérez", "30", day.AddDate(1, 0, 0))
	give("ana ", "PÉREZ", "50", day.AddDate(1, 1, 0))
	luis := give("Luis", "Gómez", "20", day.AddDate(1, 2, 0))
	var id uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&id, `SELECT id FROM donor WHERE email = 'casa@example.org'`))
	donors, err := donor.ByIDs(t.Context(), h.DB.Server, []uuid.UUID{id})
	require.NoError(t, err)

	alone, err := h.Statements.ForDonor(t.Context(), donors[0], 2024)
	require.NoError(t, err)
	require.Equal(t, "Ana Pérez", alone.Person.Name(), "the donor's row says Luis Gómez")
	require.Empty(t, alone.Person.Names)

	_, err = h.Statements.Issue(t.Context(), readEntity(t, h), 2025, nil)
	require.NoError(t, err)
	both, err := h.Statements.ForDonor(t.Context(), donors[0], 2025)
	require.NoError(t, err)
	require.Equal(t, 1, both.N)
	require.Equal(t, []string{"ana PÉREZ", "Luis Gómez"}, []string{both.Person.Names[0].Name, both.Person.Names[1].Name})
	require.Equal(t, []int{0, 0, 1}, []int{both.Facts.Gifts[0].Name, both.Facts.Gifts[1].Name, both.Facts.Gifts[2].Name})
	facts, err := json.Marshal(both.Facts)
	require.NoError(t, err)
	require.NotContains(t, string(facts), "Luis", "names can be erased, facts cannot")

	require.NoError(t, mail.Statements{Mailer: h.Receipts.Mailer}.Mail(t.Context(), both.ID))
	sent, err := h.Mail.Messages()[0].Email()
	require.NoError(t, err)
	text := strings.Join(strings.Fields(sent.Text), " ")
	require.Regexp(t, `Received from ana PÉREZ .*Your gifts in all \$80\.00 .*Received from Luis Gómez .*Your gifts in all \$20\.00`, text)
	require.NotContains(t, text, "$100.00", "the sum is nobody's")

	// The office corrects the name on Luis' receipt: the statement follows.
	var of uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&of, `SELECT id FROM receipt WHERE donation_id = $1`, luis))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := h.ReceiptIssuer.CorrectTx(t.Context(), tx, of, receipt.Correction{FirstName: "Ana", LastName: "Pérez"}, "test", time.Now())
		return err
	}))
	n, err := h.Statements.Correct(t.Context(), readEntity(t, h), 2025, time.Time{})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	one, err := h.Statements.ForDonor(t.Context(), donors[0], 2025)
	require.NoError(t, err)
	require.Equal(t, []any{"Ana Pérez", "100.00 USD", 0}, []any{one.Person.Name(), one.Facts.Total.String(), len(one.Person.Names)})
}

// TestGiftsSoFar: the email says that it is no annual statement, and none is issued. A donor who stopped emails with
// statements gets none.
func TestGiftsSoFar(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	for _, name := range []string{"ana", "bea"} {
		settleGift(t, h, name, "20", time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))
	}
	refundWhole(t, h, settleGift(t, h, "bob", "20", time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))) // nothing remains
	settleGift(t, h, "dee", "20", time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error { // wants no such emails
		return donor.SetEmailPreferenceTx(t.Context(), tx, donorOf(t, h, "dee").ID, donor.KindStatements, false, "letter", time.Now())
	}))
	dry := h.Statements
	dry.DryRun = true
	tally, err := dry.MailSoFar(t.Context(), e, 2025, func(int) {})
	require.NoError(t, err)
	require.Equal(t, 2, tally.Mailed)
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'statement_so_far_letter'`))
	tally, err = h.Statements.MailSoFar(t.Context(), e, 2025, func(int) {})
	require.NoError(t, err)
	require.Equal(t, 2, tally.Mailed)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(t.Context(), tx, donorOf(t, h, "bea").ID, donor.KindStatements, false, "letter", time.Now())
	}))
	emails := mail.Statements{Mailer: h.Receipts.Mailer, Issuer: h.Statements}
	for _, id := range h.Lines(`SELECT args->>'donor_id' FROM river_job WHERE kind = 'statement_so_far_letter'`) {
		require.NoError(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: uuid.MustParse(id), Year: 2025}))
	}
	require.Len(t, h.Mail.Messages(), 1)
	sent, err := h.Mail.Messages()[0].Email()
	require.NoError(t, err)
	require.Contains(t, strings.Join(strings.Fields(sent.Text), " "), "This is not your annual statement")
	require.NotContains(t, sent.Text, "Please keep this statement")
	require.Zero(t, h.Count(`SELECT count(*) FROM statement`))

	_, err = h.Statements.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	require.NoError(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: donorOf(t, h, "ana").ID, Year: 2025}))
	require.Len(t, h.Mail.Messages(), 1, "the annual statement has everything")
}

// TestCheckOver: the calendar year ends at midnight in the entity's time zone. The fiscal year does not matter.
func TestCheckOver(t *testing.T) {
	t.Parallel()
	for zone, end := range map[string]string{"America/New_York": "2027-01-01T05:00:00Z", "Pacific/Auckland": "2026-12-31T11:00:00Z", "Pacific/Honolulu": "2027-01-01T10:00:00Z"} {
		at, err := time.Parse(time.RFC3339, end)
		require.NoError(t, err)
		e := org.LegalEntity{Slug: "tsne", Timezone: zone}
		require.NoError(t, statement.CheckOver(e, 2026, at))
		require.ErrorIs(t, statement.CheckOver(e, 2026, at.Add(-time.Second)), statement.ErrYear)
		require.ErrorIs(t, statement.CheckOver(e, 2027, at), statement.ErrYear)
		require.NoError(t, statement.CheckOver(e, 2025, at.Add(-time.Second)))
	}
}

// moveOf returns the order to move a gift to an address.
func moveOf(t *testing.T, h *program.Program, gift uuid.UUID, to string) owner.Move {
	t.Helper()
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift})
	require.NoError(t, err)
	return owner.Move{ReceiptID: latest[gift].ID, To: to, NewDonor: program.NewID(), By: "staff", Why: "a test"}
}

// TestStatementWaitsForAMove: statements are issued, and corrected, while a gift moves. They wait, and the donor
// before gets none with it.
func TestStatementWaitsForAMove(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	june := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	one, two := settleGift(t, h, "bob", "20", june), settleGift(t, h, "eve", "30", june)
	settleGift(t, h, "eve", "20", june)
	total := func(name string) []string {
		return h.Lines(`SELECT s.facts->'total'->>'minor' FROM statement s JOIN statement_person p ON p.statement_id = s.id JOIN donor d ON d.id = s.donor_id WHERE d.email = $1 ORDER BY s.n`, name+"@example.org")
	}
	during := func(gift uuid.UUID, issue func() error) {
		ended := make(chan error, 1)
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := owner.MoveTx(t.Context(), tx, moveOf(t, h, gift, "ana@example.org"))
			go func() { ended <- issue() }()
			testkit.Eventually(t, 20*time.Second, func() error {
				if len(ended) == 0 && h.Count(`SELECT count(*) FROM pg_locks WHERE NOT granted`) == 0 {
					return errors.New("it has neither ended nor waits")
				}
				return nil
			})
			return err
		}))
		require.NoError(t, <-ended)
	}
	during(one, func() error { _, err := h.Statements.Issue(t.Context(), e, 2025, nil); return err })
	require.Empty(t, total("bob"), "the gift is somebody else's")
	require.Equal(t, []string{"5000"}, total("eve"))
	settleGift(t, h, "eve", "10", june) // her statement is to be corrected
	during(two, func() error { _, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{}); return err })
	_, err := h.Statements.Correct(t.Context(), e, 2025, time.Time{})
	require.NoError(t, err)
	require.Equal(t, []string{"3000"}, total("eve"), "the first lost its person")
}

// TestStatementEmailFollowsAMove: the gift moves after the statement was read and before its email is stored, or sent.
// The donor before gets nothing.
func TestStatementEmailFollowsAMove(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	e := readEntity(t, h)
	gift := settleGift(t, h, "bob", "20", time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))
	bob := donorOf(t, h, "bob").ID
	to := "ana@example.org"
	emails := mail.Statements{Mailer: h.Receipts.Mailer, Issuer: h.Statements}
	emails.StopURL = func(uuid.UUID, string, phrase.Language) string { // called while the email is rendered
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := owner.MoveTx(t.Context(), tx, moveOf(t, h, gift, to))
			return err
		}))
		return ""
	}
	require.Error(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: bob, Year: 2025}), "the job must run again")
	require.NoError(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: bob, Year: 2025}))
	require.Empty(t, h.Mail.Messages())

	to = "bob@example.org"
	require.Error(t, emails.MailSoFar(t.Context(), statement.SoFarJob{DonorID: uuid.MustParse(h.Lines(`SELECT donor_id::text FROM donation`)[0]), Year: 2025}))
	require.Equal(t, bob.String(), h.Lines(`SELECT donor_id::text FROM donation`)[0], "it came back")
	_, err := h.Statements.Issue(t.Context(), e, 2025, nil)
	require.NoError(t, err)
	to = "ana@example.org"
	require.NoError(t, emails.Mail(t.Context(), uuid.MustParse(h.Lines(`SELECT id::text FROM statement`)[0])))
	require.Empty(t, h.Mail.Messages())
	require.Empty(t, h.Lines(`SELECT id::text FROM letter WHERE kind = 'statement'`))
}
