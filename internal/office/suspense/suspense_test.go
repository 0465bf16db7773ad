package suspense_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// fixture is a program with 12.40 in suspense, and two people of finance.
type fixture struct {
	*program.Program
	t        *testing.T
	entity   uuid.UUID
	ana, ben *office.Person
	act      suspense.Act
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	h := program.New(t, program.Options{})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	_, err := h.Fake.AdjustBalance("tsne", "network_cost_of_the_future", "usd", 1240)
	require.NoError(t, err)
	h.DeliverNew()
	h.DrainAll()
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	f := fixture{Program: h, t: t}
	require.NoError(t, h.DB.Owner.Get(&f.entity, `SELECT id FROM legal_entity WHERE slug = 'tsne'`))
	f.ana = office.Add(t, h.DB.Owner, "ana", office.Role{Role: "finance", Entity: "tsne"})
	f.ben = office.Add(t, h.DB.Owner, "ben", office.Role{Role: "finance", Entity: "tsne"})
	open, err := suspense.Open(t.Context(), h.DB.Owner, f.entity, 0, 10)
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.Equal(t, int64(1240), open[0].Minor)
	f.act = suspense.Act{EntityID: f.entity, Subject: open[0].Subject, Minor: 1240, Currency: "USD", Account: ledger.ProcessingFees, Reason: "Stripe gave a fee back"}
	return f
}

func (f fixture) ask(by *office.Person, act suspense.Act) approval.Request {
	f.t.Helper()
	r := act.RequestOf(uuid.New(), uuid.New(), by.ID)
	require.NoError(f.t, by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(f.t.Context(), tx, r, nil) }))
	return r
}

// execute approves a request, if approve, and executes it, in one transaction.
func (f fixture) execute(by *office.Person, r approval.Request, approve bool) error {
	f.t.Helper()
	code := ""
	if approve {
		code = by.Code(f.t)
	}
	return by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		if approve {
			if err := approval.ApproveTx(f.t.Context(), tx, r.ID, r.Hash(), code, ""); err != nil {
				return err
			}
		}
		stored, err := approval.ByID(f.t.Context(), tx, r.ID)
		if err != nil {
			return err
		}
		return f.resolver().ResolveTx(f.t.Context(), tx, f.CurrentCatalog(), stored, by.ID)
	})
}

func (f fixture) resolver() suspense.Resolver {
	return suspense.Resolver{Settler: f.Settler, Queue: f.Queue, NewID: program.NewID, Now: time.Now}
}

// TestTwoPersonsResolve: the second person books what the first one asked for, once; the task closes, and the books are sound.
func TestTwoPersonsResolve(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	r := f.ask(f.ana, f.act)
	require.ErrorIs(t, f.execute(f.ben, r, false), suspense.ErrSecondOnly, "nobody approved")
	require.Equal(t, "approval_by_another", approval.Refused(f.execute(f.ana, r, true)))
	require.NoError(t, f.execute(f.ben, r, true))
	require.Error(t, f.execute(f.ben, r, false), "once")
	open, err := suspense.Open(t.Context(), f.DB.Owner, f.entity, 0, 10)
	require.NoError(t, err)
	require.Empty(t, open)
	require.Equal(t, []string{"1090 1240 operations", "5100 -1240 operations"}, f.Lines(`SELECT p.account_code || ' ' || p.amount || ' ' || f.code FROM posting p
		JOIN journal_entry e ON e.id = p.entry_id JOIN fund f ON f.id = p.fund_id WHERE e.source = 'suspense resolution' ORDER BY 1`))
	require.Zero(t, f.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	require.Equal(t, []string{"Stripe gave a fee back"}, f.Lines(`SELECT reason FROM audit_entry WHERE act = 'suspense.resolved' AND staff_id = $1`, f.ben.ID))
	report, err := ledger.Verify(t.Context(), f.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	f.RequireNoFindings()
}

// TestAmountMustBeAsApproved: another amount, or an amount that changed since it was asked for, is not resolved.
func TestAmountMustBeAsApproved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := f.act
	other.Minor = 1000
	require.ErrorIs(t, f.execute(f.ben, f.ask(f.ana, other), true), suspense.ErrAmount)
	asset := f.act
	asset.Account = ledger.Bank
	require.Equal(t, "suspense_account", approval.Refused(f.execute(f.ben, f.ask(f.ana, asset), true)))
	require.Zero(t, f.Count(`SELECT count(*) FROM suspense_resolution`))
}

// TestServersRoleResolvesNothingAlone: direct SQL of the server's role takes nothing out of suspense without the approval of a
// second person, and books nothing else than what was approved.
func TestServersRoleResolvesNothingAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.ask(f.ana, f.act)
	hash := r.Hash()
	insert := func(tx *sqlx.Tx, account ledger.Account) error {
		_, err := tx.Exec(`INSERT INTO suspense_resolution (id, entity_id, subject, amount, currency, account_code, reason, request_id, request_hash)
			VALUES ($1, $2, $3, $4, 'USD', $5, $6, $7, $8)`, r.Subject, f.entity, f.act.Subject, f.act.Minor, account, f.act.Reason, r.ID, hash[:])
		if err == nil {
			_, err = tx.Exec(`INSERT INTO audit_entry (act, entity_id, object_kind, object_id) VALUES ('suspense.resolved', $1, 'suspense_resolution', $2)`, f.entity, r.Subject)
		}
		return err
	}
	operations, err := f.CurrentCatalog().Operations(f.entity)
	require.NoError(t, err)
	post := func(tx *sqlx.Tx, source, id, kind string, account ledger.Account) error {
		_, err := ledger.PostTx(t.Context(), tx, []ledger.Entry{{EntityID: f.entity, Currency: "USD", Date: ledger.DateOf(time.Now(), time.UTC), Source: source, SourceID: id, Kind: kind,
			Fact: ledger.Fact{"x": "y"}, Dimensions: map[string]string{"suspense": f.act.Subject}, Postings: ledger.Move(ledger.Suspense, account, operations.ID, 1240)}}, program.NewID)
		return err
	}
	alone := func(fn func(tx *sqlx.Tx) error) string {
		err := pg.InTx(t.Context(), f.DB.Server, fn)
		require.Error(t, err)
		return approval.Refused(err)
	}
	require.Equal(t, "approval_has_session", alone(func(tx *sqlx.Tx) error { return insert(tx, ledger.ProcessingFees) }))
	for _, source := range []string{"suspense resolution", "by hand", "stripe payment intent", "payment", "stripe balance transaction"} {
		require.Equal(t, "suspense_has_cause", alone(func(tx *sqlx.Tx) error { return post(tx, source, r.Subject, "resolved", ledger.ProcessingFees) }), source)
	}
	refused := func(by *office.Person, fn func(tx *sqlx.Tx) error) string {
		err := by.InTx(t, f.DB.Server, fn)
		require.Error(t, err)
		return approval.Refused(err)
	}
	require.Equal(t, "requires_approval", refused(f.ana, func(tx *sqlx.Tx) error { return insert(tx, ledger.ProcessingFees) }))
	code := f.ben.Code(t)
	require.NoError(t, f.ben.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error { return approval.ApproveTx(t.Context(), tx, r.ID, hash, code, "") }))
	require.Equal(t, "suspense_as_approved", refused(f.ben, func(tx *sqlx.Tx) error { return insert(tx, ledger.BankFees) }), "another account")
	require.Equal(t, "suspense_is_booked", refused(f.ben, func(tx *sqlx.Tx) error { return insert(tx, ledger.ProcessingFees) }), "a resolution without its entry")
	require.Equal(t, "suspense_is_booked", refused(f.ben, func(tx *sqlx.Tx) error {
		if err := insert(tx, ledger.ProcessingFees); err != nil {
			return err
		}
		return post(tx, "suspense resolution", r.Subject, "resolved", ledger.BankFees)
	}), "booked to another account")
	require.Equal(t, 1240, f.Count(`SELECT -sum(amount) FROM posting WHERE account_code = '1090'`))
	_, err = f.DB.Server.Exec(`UPDATE suspense_resolution SET reason = 'x'`)
	require.Error(t, err)
}

// TestBodyIsReadAsItWasWritten: the text that is approved says all of an act, and SQL computes the same text.
func TestBodyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	act := f.act
	act.Reason = "amount 5 USD, of the account 5100"
	read, err := suspense.ReadBody(act.Body())
	require.NoError(t, err)
	require.Equal(t, act, read)
	var text string
	require.NoError(t, f.DB.Owner.Get(&text, `SELECT suspense_body($1, $2, $3, $4, $5, NULL, false, $6)`, act.EntityID, act.Subject, act.Minor, act.Currency, act.Account, act.Reason))
	require.Equal(t, act.Body(), text)
	for _, wrong := range []string{"", "suspense", strings.Replace(act.Body(), "amount", "sum", 1), strings.Replace(act.Body(), "1240", "many", 1)} {
		_, err := suspense.ReadBody(wrong)
		require.Error(t, err, wrong)
	}
}

// asGift records a gift of what is in suspense to a fund of csio, as the first person does, and asks for the approval.
func (f fixture) asGift(by *office.Person, act suspense.Act) (approval.Request, suspense.Act, error) {
	f.t.Helper()
	act.Account, act.DonationID = "", uuid.New()
	offer := f.Offer("csio")
	g := donation.Record{
		PublicRef: program.NewRef(), OrganisationID: offer.Organisation.ID, Language: "en", Cause: "staff " + by.ID.String(),
		Donor:   donor.Donor{ID: program.NewID(), FirstName: "Rosa", LastName: "Lima", Email: "rosa@example.org", Language: "en", CreatedAt: time.Now()},
		Contact: donation.Contact{Contact: contact.Contact{FirstName: "Rosa", LastName: "Lima", Email: "rosa@example.org"}},
		Parts:   []donation.Designation{{FundID: offer.Funds[0].ID, Amount: act.Amount(), Covered: money.New(0, act.Currency)}},
	}
	r := act.RequestOf(uuid.New(), uuid.New(), by.ID)
	err := by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		if err := f.resolver().RecordGiftTx(f.t.Context(), tx, act, g); err != nil {
			return err
		}
		return approval.RequestTx(f.t.Context(), tx, r, nil)
	})
	return r, act, err
}

// balances lists the balances of tsne's funds that are not zero.
func (f fixture) balances() []string {
	return f.Lines(`SELECT format('%s %s %s', f.code, p.account_code, sum(p.amount)) FROM posting p JOIN fund f ON f.id = p.fund_id
		WHERE p.entity_id = $1 GROUP BY f.code, p.account_code HAVING sum(p.amount) <> 0 ORDER BY 1`, f.entity)
}

// payout has Stripe pay out and books it.
func (f fixture) payout() {
	f.t.Helper()
	f.Fake.Advance(72 * time.Hour)
	_, err := f.Fake.Payout("tsne")
	require.NoError(f.t, err)
	f.DeliverNew()
	f.DrainAll()
	_, err = f.Collector.Sweep(f.t.Context())
	require.NoError(f.t, err)
}

// TestSuspenseBecomesAGift: two persons book an amount to a fund, with a receipt; the sponsor's fee is taken. However the payout
// of the money comes, before or after, no fund keeps a balance in clearing.
func TestSuspenseBecomesAGift(t *testing.T) {
	t.Parallel()
	for name, paidOutBefore := range map[string]bool{"before its payout": false, "after its payout": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if paidOutBefore {
				f.payout()
				require.Equal(t, []string{"operations 1015 1240", "operations 1090 -1240"}, f.balances())
			}
			r, act, err := f.asGift(f.ana, f.act)
			require.NoError(t, err)
			require.Equal(t, 0, f.Count(`SELECT count(*) FROM receipt`), "nobody approved")
			require.ErrorIs(t, f.execute(f.ben, r, false), suspense.ErrSecondOnly)
			require.Equal(t, "approval_by_another", approval.Refused(f.execute(f.ana, r, true)))
			require.NoError(t, f.execute(f.ben, r, true))
			require.Error(t, f.execute(f.ben, r, false), "once")

			require.Equal(t, []string{
				"payment 1010 1240 general", "payment 4100 -1240 general", "resolved 1010 -1240 operations", "resolved 1090 1240 operations",
				"sponsor fee 1010 -87 general", "sponsor fee 1010 87 operations", "sponsor fee 3900 -87 operations", "sponsor fee 3900 87 general",
				"sponsor fee 4900 87 general", "sponsor fee 4910 -87 general",
			}, f.Lines(`SELECT e.kind || ' ' || p.account_code || ' ' || p.amount || ' ' || f.code FROM posting p JOIN journal_entry e ON e.id = p.entry_id
				JOIN fund f ON f.id = p.fund_id WHERE e.source_id = $1 ORDER BY 1`, r.Subject))
			require.Equal(t, []string{"settled 1240"}, f.Lines(`SELECT status || ' ' || amount FROM donation WHERE id = $1`, act.DonationID))
			require.Equal(t, []string{"1240 Rosa Lima rosa@example.org"}, f.Lines(`SELECT concat_ws(' ', facts->'amount'->>'minor', facts->>'first_name', facts->>'last_name', facts->>'email')
				FROM receipt WHERE donation_id = $1`, act.DonationID))
			require.Equal(t, 1, f.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_letter'`))
			require.Zero(t, f.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
			f.RequireNoFindings()

			if paidOutBefore {
				require.Equal(t, []string{"general 1010 1153", "general 3900 87", "general 4100 -1240", "general 4900 87", "general 4910 -87",
					"operations 1010 -1153", "operations 1015 1240", "operations 3900 -87"}, f.balances())
				_, err := f.Fake.AdjustBalance("tsne", "stripe_fee", "usd", 500)
				require.NoError(t, err)
			}
			f.payout()
			require.Zero(t, f.Count(`SELECT count(*) FROM clearing_move WHERE carried_by IS NULL`))
			require.Empty(t, f.Lines(`SELECT f.code || ' ' || sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code = '1010' AND p.entity_id = $1
				GROUP BY f.code HAVING sum(p.amount) <> 0`, f.entity), "no fund keeps a balance in clearing")
			require.Contains(t, f.balances(), "general 1015 1153")
			report, err := ledger.Verify(t.Context(), f.DB.Server)
			require.NoError(t, err)
			require.True(t, report.OK(), "%v", report.Findings)
			f.RequireNoFindings()
		})
	}
}

// TestGiftMustBeAsApproved: a gift of another amount is not recorded, one that was approved is settled by nothing else, and its
// request says which gift it is.
func TestGiftMustBeAsApproved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := f.act
	other.Minor = 1000
	_, _, err := f.asGift(f.ana, other)
	require.ErrorIs(t, err, suspense.ErrAmount)
	r, act, err := f.asGift(f.ana, f.act)
	require.NoError(t, err)
	read, err := suspense.ReadBody(r.Body)
	require.NoError(t, err)
	require.Equal(t, act, read)
	var text string
	require.NoError(t, f.DB.Owner.Get(&text, `SELECT suspense_body($1, $2, $3, $4, NULL, $5, false, $6)`, act.EntityID, act.Subject, act.Minor, act.Currency, act.DonationID, act.Reason))
	require.Equal(t, act.Body(), text)
	_, err = f.Settle(donation.IncomingPayment{EntityID: f.entity, Method: payment.OfSuspense, DonationID: act.DonationID, Amount: act.Amount(), ReceivedAt: time.Now(),
		Cause: "test", PaymentID: uuid.New()})
	require.Equal(t, "suspense_has_cause", approval.Refused(err), "without a resolution")
	_, err = f.Settle(donation.IncomingPayment{EntityID: f.entity, Method: payment.Check, DonationID: act.DonationID, Amount: act.Amount(), ReceivedAt: time.Now(),
		Cause: "test", PaymentID: uuid.New()})
	require.NoError(t, err)
	require.ErrorIs(t, f.execute(f.ben, r, true), suspense.ErrGift, "it is paid already")
	require.Equal(t, 1240, f.Count(`SELECT -sum(amount) FROM posting WHERE account_code = '1090'`))
}

// TestChargeGoesBack: two persons decide that a payment that is no gift goes back; the program refunds it once, and what Stripe
// reports takes it out of suspense. Meanwhile nothing else is decided about it, and a part never goes back.
// withUnknownCharge returns a program in which a charge of $45 of no gift is in suspense, with two people of finance.
func withUnknownCharge(t *testing.T) fixture {
	t.Helper()
	h := program.New(t, program.Options{})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	past, err := h.Fake.BeginHistory(h.Fake.Now().Add(-3*time.Hour), h.Fake.Now().Add(-time.Hour), 1)
	require.NoError(t, err)
	require.NoError(t, past.PayByHand("tsne", 4500, stripefake.GoodCard, "unknown@donor.example", "Bake sale"))
	past.Tell()
	h.DeliverNew()
	h.DrainAll()
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	f := fixture{Program: h, t: t}
	require.NoError(t, h.DB.Owner.Get(&f.entity, `SELECT id FROM legal_entity WHERE slug = 'tsne'`))
	f.ana = office.Add(t, h.DB.Owner, "ana", office.Role{Role: "finance", Entity: "tsne"})
	f.ben = office.Add(t, h.DB.Owner, "ben", office.Role{Role: "finance", Entity: "tsne"})
	return f
}

func TestChargeGoesBack(t *testing.T) {
	t.Parallel()
	f := withUnknownCharge(t)
	h := f.Program
	open, err := suspense.Open(t.Context(), h.DB.Owner, f.entity, 0, 10)
	require.NoError(t, err)
	require.Len(t, open, 1)
	act := suspense.Act{EntityID: f.entity, Subject: open[0].Subject, Minor: 4500, Currency: "USD", Refund: true, Reason: "it was for another association"}
	part := act
	part.Minor = 4400
	require.ErrorIs(t, f.execute(f.ben, f.ask(f.ana, part), true), suspense.ErrAmount)

	other := act
	other.Refund, other.Account = false, ledger.ContributionsWithout
	r, late := f.ask(f.ana, act), f.ask(f.ana, other)
	require.ErrorIs(t, f.execute(f.ben, r, false), suspense.ErrSecondOnly)
	require.NoError(t, f.execute(f.ben, r, true))
	require.ErrorIs(t, f.execute(f.ben, late, true), suspense.ErrWaits)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'suspense_refund'`))
	for range 2 {
		refunds := suspense.Refunds{DB: h.DB.Server, Catalog: h.Catalog, Whole: h.Stripe.Refunds().Whole, NewID: program.NewID, Now: time.Now}
		require.NoError(t, refunds.Execute(t.Context(), uuid.MustParse(r.Subject)))
		require.Len(t, h.Fake.State().Refunds, 1, "once")
	}
	h.DeliverNew()
	h.DrainAll()
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	open, err = suspense.Open(t.Context(), h.DB.Owner, f.entity, 0, 10)
	require.NoError(t, err)
	require.Empty(t, open)
	h.RequireNoFindings()
}

// TestRefusedRefundIsATask: the bank disputes the charge before it is refunded, so Stripe refuses. The job ends with a task, and the
// amount is still in suspense.
func TestRefusedRefundIsATask(t *testing.T) {
	t.Parallel()
	f := withUnknownCharge(t)
	open, err := suspense.Open(t.Context(), f.DB.Owner, f.entity, 0, 10)
	require.NoError(t, err)
	act := suspense.Act{EntityID: f.entity, Subject: open[0].Subject, Minor: 4500, Currency: "USD", Refund: true, Reason: "it was for another association"}
	r := f.ask(f.ana, act)
	require.NoError(t, f.execute(f.ben, r, true))
	_, err = f.Fake.Dispute(f.Lines(`SELECT intent_ref FROM payment WHERE status = 'suspense'`)[0], false)
	require.NoError(t, err)
	refunds := suspense.Refunds{DB: f.DB.Server, Catalog: f.Catalog, Whole: f.Stripe.Refunds().Whole, NewID: program.NewID, Now: time.Now}
	require.NoError(t, refunds.Execute(t.Context(), uuid.MustParse(r.Subject)))
	require.Empty(t, f.Fake.State().Refunds)
	require.Equal(t, []string{act.Subject + " charge_disputed"}, f.Lines(`SELECT subject || ' ' || (detail ->> 'reason') FROM finance_task WHERE kind = 'suspense_refund_refused'`))
}
