package payment_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// The statements of the release before this one, as it sends them. While servers are upgraded one by one, both releases
// write to the same database (migration 00040). Delete this file with that migration's triggers.
const (
	previousInsert = `/* donation.insertTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, form_id, form_hash, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, checkout_expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'started', $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (form_id) WHERE status IN ('started', 'processing', 'settled', 'held') DO NOTHING`
	previousContact = `/* donation.insertTx */
		INSERT INTO donation_contact (donation_id, first_name, last_name, email, phone, address_line1, address_line2,
			city, region, postal_code, country, note)
		VALUES ($1, 'Ana', 'Pérez', 'ana@example.org', '', '', '', '', '', '', '', '')`
	previousDesignation = `/* donation.insertTx */
		INSERT INTO designation (donation_id, n, entity_id, fund_id, amount, covered)
		SELECT $1, p.n, $2, p.fund_id, p.amount, p.covered
		  FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS p (fund_id, amount, covered, n)`
	previousSettle = `/* donation.updateTx */
		UPDATE donation d
		   SET status = g.status, payment_intent_id = g.payment_intent_id, charge_id = g.charge_id,
		       charged_at = g.charged_at, settled_at = $6
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
		       AS g (id, status, payment_intent_id, charge_id, charged_at)
		 WHERE d.id = g.id`
	previousInstalment = `/* donation.InstalTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, form_id, form_hash, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, checkout_expires_at)
		SELECT $1, entity_id, organisation_id, donor_id, $3, $1, $4, 'started', $5, $6, $7, currency, language, anonymous, false, $8, $8
		  FROM donation WHERE id = $2`
	previousTask = `/* ledger.OpenTaskTx */
		INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entity_id, kind, subject) DO UPDATE
		   SET detail = EXCLUDED.detail, opened_at = EXCLUDED.opened_at, closed_at = NULL, times = finance_task.times + 1
		 WHERE finance_task.closed_at IS NOT NULL`
	previousFee = `/* donation.TakeFeesDueTx */
		SELECT id, charge_id FROM donation WHERE entity_id = $1 AND charge_id = ANY($2) AND status = 'settled'`
	previousColumns = `/* donation.ByID */
		SELECT id, entity_id, organisation_id, donor_id, public_ref, form_id, form_hash, status, frequency,
	       amount, covered, currency, language, anonymous, news, created_at, checkout_try, checkout_expires_at,
	       checkout_session_id, checkout_url, payment_intent_id, charge_id, charged_at, settled_at FROM donation WHERE id = $1`
)

// previousDonation has the types of the previous release: a NULL that one of them cannot hold is an error.
type previousDonation struct {
	ID                uuid.UUID  `db:"id"`
	EntityID          uuid.UUID  `db:"entity_id"`
	OrganisationID    uuid.UUID  `db:"organisation_id"`
	DonorID           uuid.UUID  `db:"donor_id"`
	PublicRef         string     `db:"public_ref"`
	FormID            uuid.UUID  `db:"form_id"`
	FormHash          []byte     `db:"form_hash"`
	Status            string     `db:"status"`
	Frequency         string     `db:"frequency"`
	AmountMinor       int64      `db:"amount"`
	CoveredMinor      int64      `db:"covered"`
	Currency          string     `db:"currency"`
	Language          string     `db:"language"`
	Anonymous         bool       `db:"anonymous"`
	News              bool       `db:"news"`
	CreatedAt         time.Time  `db:"created_at"`
	CheckoutTry       int        `db:"checkout_try"`
	CheckoutExpiresAt time.Time  `db:"checkout_expires_at"`
	SessionID         *string    `db:"checkout_session_id"`
	SessionURL        *string    `db:"checkout_url"`
	PaymentIntentID   *string    `db:"payment_intent_id"`
	ChargeID          *string    `db:"charge_id"`
	ChargedAt         *time.Time `db:"charged_at"`
	SettledAt         *time.Time `db:"settled_at"`
}

func inTx(t *testing.T, h *program.Program, fn func(tx *sqlx.Tx)) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error { fn(tx); return nil }))
}

// settlePreviously settles a donation with the statement of the previous release.
func settlePreviously(t *testing.T, h *program.Program, id uuid.UUID, status, intent, charge string, at time.Time) {
	t.Helper()
	settlePreviouslyOn(t, h.DB.Server, id, status, intent, charge, at)
}

// settlePreviouslyOn is settlePreviously with a connection.
func settlePreviouslyOn(t *testing.T, server *sqlx.DB, id uuid.UUID, status, intent, charge string, at time.Time) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), server, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(previousSettle, pg.UUIDs([]uuid.UUID{id}), pq.StringArray{status}, pq.StringArray{intent}, pq.StringArray{charge},
			pq.StringArray{at.UTC().Format(time.RFC3339Nano)}, at)
		return err
	}))
}

// TestPreviousReleaseBeginsAndThisOneSettles also reads the result as the previous release does.
func TestPreviousReleaseBeginsAndThisOneSettles(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	model := h.StartedGift(program.ValidForm()) // for its donor
	d, page := model, h.Checkout(model)
	d.ID, d.PublicRef = program.NewID(), program.NewRef()
	page.FormID = uuid.New()
	inTx(t, h, func(tx *sqlx.Tx) {
		for range 2 { // the second insert meets the form's donation
			_, err := tx.Exec(previousInsert, d.ID, d.EntityID, d.OrganisationID, d.DonorID, d.PublicRef, page.FormID, page.FormHash, d.Frequency,
				d.AmountMinor, d.CoveredMinor, d.Currency, d.Language, d.Anonymous, d.News, d.CreatedAt, page.ExpiresAt)
			require.NoError(t, err)
		}
		_, err := tx.Exec(previousContact, d.ID)
		require.NoError(t, err)
		_, err = tx.Exec(previousDesignation, d.ID, d.EntityID, pg.UUIDs([]uuid.UUID{h.Offer("csio").Funds[0].ID}), pq.Int64Array{d.AmountMinor}, pq.Int64Array{0})
		require.NoError(t, err)
	})
	require.Equal(t, donation.FromForm, h.Gift(d.ID).Source)

	charge := program.ChargeOf(d, time.Now())
	outcomes, err := h.Settle(charge)
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
	require.Equal(t, program.SettledOnce, h.State(d))
	var read previousDonation
	require.NoError(t, h.DB.Server.Get(&read, previousColumns, d.ID))
	require.Equal(t, []string{"settled", charge.ChargeRef, charge.IntentRef}, []string{read.Status, *read.ChargeID, *read.PaymentIntentID})
	var due []struct {
		ID       uuid.UUID `db:"id"`
		ChargeID string    `db:"charge_id"`
	}
	require.NoError(t, h.DB.Server.Select(&due, previousFee, d.EntityID, pq.Array([]string{charge.ChargeRef})))
	require.Equal(t, d.ID, due[0].ID, "the previous release finds the donation of a charge whose fee it books")
}

// TestThisReleaseBeginsAndThePreviousOneSettles wants the payment that the trigger writes, and no second settling.
func TestThisReleaseBeginsAndThePreviousOneSettles(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	charge := program.ChargeOf(d, time.Date(2027, 1, 1, 4, 59, 59, 0, time.UTC)) // still 2026 in Boston
	settlePreviously(t, h, d.ID, "settled", charge.IntentRef, charge.ChargeRef, charge.ReceivedAt)
	require.Equal(t, "2026-12-31", h.Gift(d.ID).TaxDate.String())
	inTx(t, h, func(tx *sqlx.Tx) {
		stored, err := payment.ByChargeTx(t.Context(), tx, d.EntityID, payment.Stripe, []string{charge.ChargeRef})
		require.NoError(t, err)
		p := stored[charge.ChargeRef]
		require.Equal(t, []any{payment.Card, payment.Settled, d.Amount(), d.ID, charge.IntentRef}, []any{p.Method, p.Status, p.Amount(), *p.DonationID, p.IntentRef})
	})
	outcomes, err := h.Settle(charge)
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Repeated}, outcomes)
}

// TestPreviousReleaseSettlesABankDebit: a donation that was processing was paid by bank debit.
func TestPreviousReleaseSettlesABankDebit(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		return donation.UpdateStatusTx(t.Context(), tx, notice.Recorder{}, []donation.StatusUpdate{{
			DonationID: d.ID, EntityID: d.EntityID, To: donation.Processing, Cause: "evt_1",
		}}, time.Now())
	}))
	settlePreviously(t, h, d.ID, "settled", "pi_1", "py_1", time.Now())
	require.Equal(t, []string{"py_1 bank_debit"}, h.Lines(`SELECT charge_ref || ' ' || method FROM payment`))
}

// TestPreviousReleaseSuspends books two payments to suspense as the previous release does: one for a donation that now
// needs review, and one that is no donation's.
func TestPreviousReleaseSuspends(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	settlePreviously(t, h, d.ID, "held", "pi_1", "ch_1", time.Now())
	open := func(kind, subject, detail string) {
		inTx(t, h, func(tx *sqlx.Tx) {
			_, err := tx.Exec(previousTask, program.NewID(), d.EntityID, kind, subject, detail, time.Now())
			require.NoError(t, err)
		})
	}
	open("payment_differs_from_gift", "pi_1", `{"charge": "ch_1", "amount": "19.99", "currency": "USD", "donation": "`+d.ID.String()+`"}`)
	open("payment_without_gift", "pi_2", `{"charge": "ch_2", "amount": "2000", "currency": "JPY"}`)
	open("payout_failed", "po_1", `{"amount": "1.00"}`)
	require.Equal(t, []string{"ch_1 1999 USD suspense true", "ch_2 2000 JPY suspense false"},
		h.Lines(`SELECT format('%s %s %s %s %s', charge_ref, amount, currency, status, (donation_id IS NOT NULL)::text) FROM payment ORDER BY 1`))
}

// TestPreviousReleaseSettlesWhileMigrationsRun: the server's role has its rights on payment as soon as the triggers write
// there.
func TestPreviousReleaseSettlesWhileMigrationsRun(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	settled, suspended := h.StartedGift(program.ValidForm()), h.StartedGift(program.ValidForm())
	testkit.MigratedFrom(t, h.DB, 31, func(server *sqlx.DB) {
		settlePreviouslyOn(t, server, settled.ID, "settled", "pi_1", "ch_1", time.Now())
		settlePreviouslyOn(t, server, suspended.ID, "held", "pi_2", "ch_2", time.Now())
		require.NoError(t, pg.InTx(t.Context(), server, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(previousTask, program.NewID(), suspended.EntityID, "payment_differs_from_gift", "pi_2",
				`{"charge": "ch_2", "amount": "19.99", "currency": "USD", "donation": "`+suspended.ID.String()+`"}`, time.Now())
			return err
		}))
	})
	require.Equal(t, []string{"ch_1 settled", "ch_2 suspense"}, h.Lines(`SELECT charge_ref || ' ' || status FROM payment ORDER BY 1`))
}

// TestInstalmentsOfBothReleases: the previous release writes an instalment with a form that is itself, and can read one
// without.
func TestInstalmentsOfBothReleases(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Frequency = "monthly"
	first := h.StartedGift(form)
	require.Equal(t, first.ID, *first.PlanID)
	old, newer := program.NewID(), program.NewID()
	parts := []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: first.Amount(), Covered: money.New(0, "USD")}}
	inTx(t, h, func(tx *sqlx.Tx) {
		_, err := tx.Exec(previousInstalment, old, first.ID, program.NewRef(), h.Checkout(first).FormHash, "monthly", first.AmountMinor, 0, time.Now())
		require.NoError(t, err)
		_, err = tx.Exec(previousDesignation, old, first.EntityID, pg.UUIDs([]uuid.UUID{parts[0].FundID}), pq.Int64Array{first.AmountMinor}, pq.Int64Array{0})
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at) VALUES ($1, 'in_1', $2, false, now())`, first.EntityID, first.ID)
		require.NoError(t, err)
		_, err = tx.Exec(`/* recurring.countTx */ UPDATE instalment SET n = $3, donation_id = $4, refused = $5 WHERE entity_id = $1 AND invoice_id = $2`,
			first.EntityID, "in_1", 2, old, false)
		require.NoError(t, err)
		require.NoError(t, donation.CreateInstalmentTx(t.Context(), tx, donation.Instalment{
			ID: newer, First: first.ID, PublicRef: program.NewRef(), Frequency: "monthly", Parts: parts, At: time.Now(), Cause: "in_2",
		}))
	})
	for _, id := range []uuid.UUID{old, newer} {
		d := h.Gift(id)
		require.Equal(t, donation.FromPlan, d.Source)
		require.Equal(t, first.ID, *d.PlanID)
		var read previousDonation
		require.NoError(t, h.DB.Server.Get(&read, previousColumns, id))
	}
}
