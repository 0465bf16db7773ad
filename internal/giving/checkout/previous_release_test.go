package checkout_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// The statements of the release before this one, as it sends them. While servers are upgraded one by one, both releases
// write to the same database (migration 00052). Delete this file with that migration's triggers.
const (
	previousInsert = `/* donation.insertTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, form_id, form_hash, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, checkout_expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'started', $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (form_id) WHERE status IN ('started', 'processing', 'settled', 'held') DO NOTHING`
	previousDesignation = `INSERT INTO designation (donation_id, n, entity_id, fund_id, amount, covered) VALUES ($1, 1, $2, $3, $4, 0)`
	previousByForm      = `/* donation.liveByForm */ SELECT form_id, form_hash, checkout_try AS try, checkout_session_id AS session_id,
		checkout_url AS session_url, checkout_expires_at AS expires_at, id AS donation_id FROM donation
		WHERE form_id = $1 AND status IN ('started', 'processing', 'settled', 'held')`
	previousSession = `/* donation.noteSession */
		UPDATE donation SET checkout_session_id = $2, checkout_url = $3
		 WHERE id = $1 AND status = 'started' AND coalesce(checkout_session_id, $2) = $2`
	previousTry    = `/* donation.nextTry */ UPDATE donation SET checkout_try = least(checkout_try + 1, 9) WHERE id = $1 AND checkout_try = $2`
	previousStatus = `/* donation.MarkTx */
		UPDATE donation SET status = $3 WHERE id = $1 AND entity_id = $2 AND status = ANY($4)
		   AND NOT ($3 = 'processing' AND EXISTS (SELECT 1 FROM donation o
		            WHERE o.form_id = donation.form_id AND o.id <> donation.id
		              AND o.status IN ('started', 'processing', 'settled', 'held')))`
)

func inTx(t *testing.T, h *program.Program, fn func(tx *sqlx.Tx) error) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, fn))
}

// exec runs a statement of the previous release and returns how many rows it changed.
func exec(t *testing.T, h *program.Program, query string, args ...any) (n int64) {
	t.Helper()
	inTx(t, h, func(tx *sqlx.Tx) error {
		done, err := tx.Exec(query, args...)
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	})
	return n
}

// beginPreviously inserts a donation as the previous release does. It returns false if the form has one already.
func beginPreviously(t *testing.T, h *program.Program, like donation.Donation, c checkout.Checkout) (donation.Donation, bool) {
	t.Helper()
	return beginPreviouslyOn(t, h.DB.Server, h.Offer("csio").Funds[0].ID, like, c)
}

// beginPreviouslyOn is beginPreviously with a connection and a fund.
func beginPreviouslyOn(t *testing.T, server *sqlx.DB, fund uuid.UUID, like donation.Donation, c checkout.Checkout) (donation.Donation, bool) {
	t.Helper()
	like.ID, like.PublicRef = program.NewID(), program.NewRef()
	fresh := false
	require.NoError(t, pg.InTx(t.Context(), server, func(tx *sqlx.Tx) error {
		done, err := tx.Exec(previousInsert, like.ID, like.EntityID, like.OrganisationID, like.DonorID, like.PublicRef, c.FormID, c.FormHash,
			like.Frequency, like.AmountMinor, like.CoveredMinor, like.Currency, like.Language, like.Anonymous, like.News, like.CreatedAt, c.ExpiresAt)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		fresh = true
		_, err = tx.Exec(previousDesignation, like.ID, like.EntityID, fund, like.AmountMinor)
		return err
	}))
	return like, fresh
}

// requireSame compares each checkout with the old columns of its donation.
func requireSame(t *testing.T, h *program.Program) {
	t.Helper()
	require.Empty(t, h.Lines(`SELECT d.id::text FROM donation d JOIN checkout c ON c.donation_id = d.id
		 WHERE (d.form_id, d.form_hash, d.checkout_try, d.checkout_session_id, d.checkout_url, d.checkout_expires_at, d.status IN ('expired', 'failed'))
		       IS DISTINCT FROM (c.form_id, c.form_hash, c.try, c.session_id, c.session_url, c.expires_at, c.ended)`))
	require.Equal(t, h.Count(`SELECT count(*) FROM donation WHERE source = 'form'`), h.Count(`SELECT count(*) FROM checkout`))
}

// TestPreviousReleaseReadsWhatThisOneBegins also submits the form again at the previous release.
func TestPreviousReleaseReadsWhatThisOneBegins(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	page := h.Checkout(d)
	var read checkout.Checkout
	require.NoError(t, h.DB.Server.Get(&read, previousByForm, page.FormID))
	require.True(t, page.ExpiresAt.Equal(read.ExpiresAt))
	read.ExpiresAt = page.ExpiresAt
	require.Equal(t, page, read)
	_, fresh := beginPreviously(t, h, d, page)
	require.False(t, fresh, "one form is one gift, whichever release takes it")
	requireSame(t, h)
}

// TestThisReleaseContinuesWhatThePreviousOneBegan covers each statement with which the previous release changes a
// checkout.
func TestThisReleaseContinuesWhatThePreviousOneBegan(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	request, err := form.Check(h.Offer("csio"))
	require.NoError(t, err)
	model := h.StartedGift(program.ValidForm())
	c := h.Checkout(model)
	c.FormID, c.FormHash = form.FormID, request.Hash[:]
	d, fresh := beginPreviously(t, h, model, c)
	require.True(t, fresh)
	require.EqualValues(t, 1, exec(t, h, previousTry, d.ID, 1))
	require.Equal(t, 2, h.Checkout(d).Try)
	require.EqualValues(t, 1, exec(t, h, previousSession, d.ID, "cs_previous", "https://checkout.stripe.com/previous"))
	requireSame(t, h)

	again, err := h.Submit(form)
	require.NoError(t, err)
	require.Equal(t, []string{d.ID.String(), "cs_previous"}, []string{again.ID.String(), *again.SessionID})

	require.EqualValues(t, 1, exec(t, h, previousStatus, d.ID, d.EntityID, "expired", pgArray("started")))
	next := h.StartedGift(form)
	require.NotEqual(t, d.ID, next.ID)
	requireSame(t, h)
	require.Zero(t, exec(t, h, previousStatus, d.ID, d.EntityID, "processing", pgArray("started", "expired")), "its form has another gift")
	_, err = h.Settle(program.ChargeOf(d, time.Now()))
	require.NoError(t, err)
	require.Equal(t, donation.Expired, h.Gift(d.ID).Status)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'replaced_gift_paid'`))
}

func pgArray(values ...string) string {
	text := "{"
	for i, v := range values {
		if i > 0 {
			text += ","
		}
		text += v
	}
	return text + "}"
}

// TestMigratedBothWays takes a database with rows to the schema before checkout and back: no column changes, and the
// rows written in between get their checkout.
func TestMigratedBothWays(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	settled := h.SettledGift(program.ValidForm())
	form := program.ValidForm()
	replaced := h.StartedGift(form)
	form.Amount = "30"
	open := h.StartedGift(form)
	h.Exec(`UPDATE checkout SET try = 3 WHERE donation_id = $1`, open.ID)
	monthly := program.ValidForm()
	monthly.Frequency = "monthly"
	first := h.StartedGift(monthly)
	parts := []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: first.Amount(), Covered: money.New(0, "USD")}}
	instalment, entered := program.NewID(), program.NewID()
	inTx(t, h, func(tx *sqlx.Tx) error {
		if _, err := donation.RecordTx(t.Context(), tx, donation.Record{
			ID: entered, PublicRef: program.NewRef(), EntityID: first.EntityID, OrganisationID: first.OrganisationID, DonorID: first.DonorID,
			Source: donation.FromOffice, Parts: parts, Language: "en", At: time.Now(), Cause: "staff",
		}); err != nil {
			return err
		}
		return donation.CreateInstalmentTx(t.Context(), tx, donation.Instalment{
			ID: instalment, First: first.ID, PublicRef: program.NewRef(), Frequency: "monthly", Parts: parts, At: time.Now(), Cause: "in_2",
		})
	})
	for _, id := range []uuid.UUID{instalment, entered} {
		_, err := checkout.ByDonation(t.Context(), h.DB.Server, id)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	}
	const oldRows = `SELECT concat_ws('|', id, status, form_id, form_hash, checkout_try, checkout_session_id, checkout_url, checkout_expires_at, source)
		FROM donation ORDER BY id`
	before := h.Lines(oldRows)
	checkouts := h.Lines(`SELECT c::text FROM checkout c ORDER BY donation_id`)
	require.Len(t, checkouts, 4)
	h.DB.Server.Close() // its prepared plans name what goes

	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 50))
	require.Equal(t, before, h.Lines(oldRows))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM pg_indexes WHERE indexname = 'donation_by_session'`))
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	require.Equal(t, before, h.Lines(oldRows))
	require.Equal(t, checkouts, h.Lines(`SELECT c::text FROM checkout c ORDER BY donation_id`))
	require.Equal(t, []string{replaced.ID.String()}, h.Lines(`SELECT donation_id::text FROM checkout WHERE ended`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM checkout WHERE donation_id = $1 AND NOT ended AND session_id IS NOT NULL`, settled.ID))
	require.Contains(t, h.Lines(`SELECT pg_get_functiondef('payload_pattern'::regproc)`)[0], "SELECT c.session_id FROM donation g JOIN checkout")
}

// TestMigratesBesideARunningServer: a transaction of a running server has read a donation when the migration starts,
// and updates it then. Both end.
func TestMigratesBesideARunningServer(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 51))
	tx := h.DB.Owner.MustBegin()
	t.Cleanup(func() { _ = tx.Rollback() })
	tx.MustExec(`SELECT count(*) FROM donation`)
	migrated := make(chan error, 1)
	go func() {
		migrated <- migrations.Up(context.WithoutCancel(t.Context()), h.DB.OwnerURL, testkit.ServerRole)
	}()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(*) FROM pg_locks WHERE relation = 'donation'::regclass AND NOT granted`) == 0 {
			return errors.New("the migration does not wait yet")
		}
		return nil
	})
	_, err := tx.Exec(`UPDATE donation SET checkout_try = checkout_try WHERE id = $1`, d.ID)
	require.NoError(t, err, "the server's transaction")
	require.NoError(t, tx.Commit())
	require.NoError(t, <-migrated, "the migration")
}

// TestPreviousReleaseBeginsWhileMigrationsRun: the server's role has its rights on what the triggers write as soon as they
// exist, so that no donor gets an error while later migrations run.
func TestPreviousReleaseBeginsWhileMigrationsRun(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	model, fund := h.StartedGift(program.ValidForm()), h.Offer("csio").Funds[0].ID
	c := h.Checkout(model)
	c.FormID = uuid.New()
	testkit.MigratedFrom(t, h.DB, 31, func(server *sqlx.DB) {
		for _, fresh := range []bool{true, false} { // the second one meets the form's donation
			_, is := beginPreviouslyOn(t, server, fund, model, c)
			require.Equal(t, fresh, is)
		}
	})
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM checkout WHERE form_id = $1`, c.FormID))
}
