package giftlist_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/giftlist"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// inOffice runs fn as the pages read: as konbit_office, in a person's session.
func inOffice(t *testing.T, h *program.Program, who *office.Person, fn func(ctx context.Context, tx *sqlx.Tx) error) {
	t.Helper()
	require.NoError(t, who.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		return fn(t.Context(), tx)
	}))
}

// TestKeys compares each list that pages show, page by page, and its total, with a query without pages and without policies.
func TestKeys(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 400, 1))
	h.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; UPDATE donation SET charged_at = date_trunc('hour', charged_at), source = CASE WHEN amount % 300 = 0 THEN 'plan' ELSE source END,
		frequency = CASE WHEN amount % 700 = 0 THEN 'monthly' ELSE 'once' END; ALTER TABLE donation ENABLE TRIGGER USER`)
	h.Exec(`ALTER TABLE payment_change DISABLE TRIGGER USER; INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at)
		SELECT entity_id, 're_' || id, CASE WHEN amount % 1000 = 0 THEN 'dispute withdrawn' ELSE 'refund' END, id, 100, now() FROM payment WHERE amount % 500 = 0;
		ALTER TABLE payment_change ENABLE TRIGGER USER; ALTER TABLE payout_member DISABLE TRIGGER USER`)
	h.StartedGift(program.ValidForm()) // not paid, so on no list
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	csio, err := h.CurrentCatalog().Organisation("csio")
	require.NoError(t, err)
	id := func(query string) uuid.UUID { return uuid.MustParse(h.Lines(query, entity.ID)[0]) }
	fund := id(`SELECT p.fund_id::text FROM designation p WHERE p.entity_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`)
	donor := id(`SELECT donor_id::text FROM donation WHERE entity_id = $1 AND charged_at IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`)
	gift := id(`SELECT id::text FROM donation WHERE entity_id = $1 AND charged_at IS NOT NULL ORDER BY 1 LIMIT 1`)
	amount := int64(h.Count(`SELECT amount FROM donation WHERE entity_id = $1 AND charged_at IS NOT NULL AND amount % 1000 = 500 GROUP BY amount ORDER BY count(*) DESC LIMIT 1`, entity.ID))
	const payout = "po_1"
	h.Exec(`WITH p AS (INSERT INTO payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
		SELECT gen_random_uuid(), $1, 'stripe', $2, 1000, 'USD', current_date, 'paid', now() RETURNING id, entity_id)
		INSERT INTO payout_member (payout_id, entity_id, transaction_id) SELECT p.id, b.entity_id, b.id FROM p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.type = 'charge'`, entity.ID, payout)
	var from time.Time
	require.NoError(t, h.DB.Owner.Get(&from, `SELECT min(charged_at) + interval '1 hour' FROM donation`))
	until := from.Add(time.Hour)
	sponsor := office.Add(t, h.DB.Owner, "sponsor", office.Role{Role: "finance", Entity: "tsne"})
	project := office.Add(t, h.DB.Owner, "project", office.Role{Role: "auditor", Entity: "tsne", Organisation: "csio"})
	other := office.Add(t, h.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"})

	for name, list := range map[string]struct {
		query giftlist.Query
		where string
		args  []any
	}{
		"all":              {giftlist.Query{}, `true`, nil},
		"month":            {giftlist.Query{From: from, Until: until}, `charged_at >= $2 AND charged_at < $3`, []any{from, until}},
		"fund":             {giftlist.Query{FundID: fund}, `EXISTS (SELECT FROM designation p WHERE p.donation_id = d.id AND p.fund_id = $2)`, []any{fund}},
		"source":           {giftlist.Query{Source: "plan"}, `source = 'plan'`, nil},
		"frequency":        {giftlist.Query{Frequency: "monthly"}, `frequency = 'monthly'`, nil},
		"status":           {giftlist.Query{Status: "failed"}, `status = 'failed'`, nil},
		"both":             {giftlist.Query{Source: "plan", Frequency: "monthly", From: from, Until: until.Add(time.Hour)}, `source = 'plan' AND frequency = 'monthly' AND charged_at >= $2 AND charged_at < $3`, []any{from, until.Add(time.Hour)}},
		"donor":            {giftlist.Query{Search: giftlist.Search{Donors: []uuid.UUID{donor}}}, `donor_id = $2`, []any{donor}},
		"gift":             {giftlist.Query{Search: giftlist.Search{Gifts: []uuid.UUID{gift}}}, `id = $2`, []any{gift}},
		"nothing":          {giftlist.Query{Search: giftlist.Search{Gifts: []uuid.UUID{}}}, `false`, nil},
		"amount":           {giftlist.Query{Search: giftlist.Search{Amount: amount}}, `amount = $2`, []any{amount}},
		"payout":           {giftlist.Query{Search: giftlist.Search{Payout: payout}}, `true`, nil},
		"refunded":         {giftlist.Query{}, `amount % 1000 = 500`, nil},
		"donor's refunded": {giftlist.Query{Search: giftlist.Search{Donors: []uuid.UUID{donor}}}, `amount % 1000 = 500 AND donor_id = $2`, []any{donor}},
		"amount refunded":  {giftlist.Query{Search: giftlist.Search{Amount: amount}}, `amount = $2`, []any{amount}},
		"payout refunded":  {giftlist.Query{Search: giftlist.Search{Payout: payout}}, `amount % 1000 = 500`, nil},
		"disputed":         {giftlist.Query{}, `amount % 1000 = 0`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			q := list.query
			q.EntityID, q.Organisations = entity.ID, []uuid.UUID{csio.ID}
			from := ` FROM donation d WHERE d.entity_id = $1 AND d.charged_at IS NOT NULL AND ` + list.where
			want := h.Lines(`SELECT d.id::text`+from+` ORDER BY charged_at DESC, id DESC`, append([]any{entity.ID}, list.args...)...)
			added := `amount`
			if q.FundID != uuid.Nil {
				added = `(SELECT sum(p.amount) FROM designation p WHERE p.donation_id = d.id AND p.fund_id = $2)`
			}
			sum := h.Count(`SELECT coalesce(sum(`+added+`), 0)`+from, append([]any{entity.ID}, list.args...)...)
			if name != "nothing" && name != "status" && name != "donor's refunded" {
				require.NotEmpty(t, want)
			}
			for who, sees := range map[*office.Person]bool{sponsor: true, project: !strings.HasPrefix(name, "payout"), other: false, nil: false} {
				q := q
				if who == project {
					q.OrganisationID = csio.ID
				}
				inOffice(t, h, who, func(ctx context.Context, tx *sqlx.Tx) (err error) {
					for word, change := range map[string]giftlist.Change{"refunded": giftlist.Refunded, "disputed": giftlist.Disputed} {
						if strings.HasSuffix(name, word) {
							q.Changed, err = giftlist.ChangedGifts(ctx, tx, entity.ID, change)
							require.NoError(t, err)
						}
					}
					var found []string
					var keys []giftlist.Key
					for after := (&giftlist.Cursor{}); after != nil; {
						page, next, err := giftlist.Keys(ctx, tx, q, *after, 7)
						require.NoError(t, err)
						require.LessOrEqual(t, len(page), 7)
						gifts, err := giftlist.ByKeys(ctx, tx, page)
						require.NoError(t, err)
						require.Len(t, gifts, len(page))
						for i, k := range page {
							require.Equal(t, k.ID, gifts[i].ID)
							found = append(found, k.ID.String())
						}
						keys, after = append(keys, page...), next
					}
					total, err := giftlist.Sum(ctx, tx, q)
					require.NoError(t, err)
					if !sees {
						require.Empty(t, found)
						require.Zero(t, total)
						return nil
					}
					require.Equal(t, want, append([]string{}, found...))
					require.Equal(t, giftlist.Total{Gifts: len(want), Amount: int64(sum)}, total)
					for i := range keys {
						before, after, err := giftlist.Beside(ctx, tx, q, keys[i])
						require.NoError(t, err)
						require.Equal(t, i > 0, before != nil)
						require.Equal(t, i+1 < len(keys), after != nil)
						if before != nil {
							require.Equal(t, keys[i-1].ID, before.ID)
						}
						if after != nil {
							require.Equal(t, keys[i+1].ID, after.ID)
						}
						if i > 8 {
							break
						}
					}
					return nil
				})
			}
		})
	}
}

// TestReadings: a text that is searched for is read as what it looks like, the likeliest first.
func TestReadings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]giftlist.Reading{
		"": nil, "Ana": {giftlist.AsDonor}, "ana@example.org": {giftlist.AsDonor}, "$20": {giftlist.AsAmount, giftlist.AsDonor}, "1,240.00": {giftlist.AsAmount, giftlist.AsDonor},
		"4242": {giftlist.AsAmount, giftlist.AsCard, giftlist.AsReceipt, giftlist.AsDonor}, "•4242": {giftlist.AsCard}, "02111": {giftlist.AsAmount, giftlist.AsReceipt, giftlist.AsDonor},
		"TSNE-2026-000012": {giftlist.AsReceipt, giftlist.AsDonor}, "2026-12": {giftlist.AsReceipt, giftlist.AsDonor}, "ch_1abc": {giftlist.AsCharge}, "pi_1abc": {giftlist.AsCharge}, "po_1abc": {giftlist.AsPayout},
		" po_1abc ": {giftlist.AsPayout},
	} {
		require.Equal(t, want, giftlist.Readings(text, "USD", "en"), "%q", text)
	}
}

// TestLook finds a gift by everything that it is known by, in the reader's scope only.
func TestLook(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Contact.FirstName, form.Contact.LastName, form.Contact.Email = "José", "García", "jose@donor.example"
	form.Contact.AddressLine1, form.Contact.City, form.Contact.PostalCode, form.Contact.Country, form.Contact.Region = "12 Elm Street", "Boston", "02111", "US", "MA"
	d := h.SettledGift(form)
	again := program.ValidForm()
	again.Contact.Email = "other@donor.example"
	h.SettledGift(again)
	gift := h.Gift(d.ID)
	receipt := h.Lines(`SELECT year || '-' || number FROM receipt WHERE donation_id = $1`, d.ID)[0]
	sponsor := office.Add(t, h.DB.Owner, "sponsor", office.Role{Role: "finance", Entity: "tsne"})
	project := office.Add(t, h.DB.Owner, "project", office.Role{Role: "finance", Entity: "tsne", Organisation: "csio"})
	other := office.Add(t, h.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"})
	for text, as := range map[string]giftlist.Reading{
		"garc": giftlist.AsDonor, "jose gar": giftlist.AsDonor, "elm street": giftlist.AsDonor, "02111": giftlist.AsDonor, "JOSE@donor.example": giftlist.AsDonor,
		"TSNE-" + receipt: giftlist.AsReceipt, receipt: giftlist.AsReceipt, *gift.ChargeID: giftlist.AsCharge, *gift.PaymentIntentID: giftlist.AsCharge, d.PublicRef: giftlist.AsCharge,
	} {
		for who, sees := range map[*office.Person]bool{sponsor: true, project: true, other: false, nil: false} {
			inOffice(t, h, who, func(ctx context.Context, tx *sqlx.Tx) error {
				q := giftlist.Query{EntityID: d.EntityID}
				if who == project {
					q.OrganisationID = d.OrganisationID
				}
				found, err := giftlist.Look(ctx, tx, q, text, as, "USD", "en", nil)
				require.NoError(t, err)
				q.Search = found.Search
				keys, _, err := giftlist.Keys(ctx, tx, q, giftlist.Cursor{}, 10)
				require.NoError(t, err)
				if !sees {
					require.Empty(t, keys, text)
					return nil
				}
				require.Len(t, keys, 1, text)
				require.Equal(t, d.ID, keys[0].ID, text)
				return nil
			})
		}
	}
}

// TestHistory: a gift's history and entries are those that the reader may see.
func TestHistory(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	_, err := h.Fake.Refund(*h.Gift(d.ID).PaymentIntentID, 500)
	require.NoError(t, err)
	h.DeliverNew()
	_, err = h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	h.DrainAll()
	read := func(who *office.Person) (whats []string, entries int, shares []giftlist.Share) {
		inOffice(t, h, who, func(ctx context.Context, tx *sqlx.Tx) error {
			all, err := giftlist.History(ctx, tx, d.ID)
			require.NoError(t, err)
			for _, e := range all {
				whats = append(whats, e.What)
			}
			postings, err := giftlist.Postings(ctx, tx, d.ID)
			require.NoError(t, err)
			sum, seen := map[uuid.UUID]int64{}, map[uuid.UUID]bool{}
			for _, p := range postings {
				sum[p.EntryID] += p.Amount
				seen[p.EntryID] = true
			}
			if who != nil {
				for _, s := range sum {
					require.Zero(t, s, "all lines of an entry, for one fund bears all of it")
				}
			}
			shares, err = giftlist.SharesOf(ctx, tx, d.ID)
			entries = len(seen)
			return err
		})
		return whats, entries, shares
	}
	sponsor := office.Add(t, h.DB.Owner, "sponsor", office.Role{Role: "finance", Entity: "tsne"})
	whats, entries, shares := read(sponsor)
	for _, what := range []string{"step", "payment", "fee", "change", "receipt"} {
		require.Contains(t, whats, what)
	}
	require.Equal(t, h.Count(`SELECT count(*) FROM journal_entry WHERE dimensions ->> 'donation' = $1 OR dimensions ->> 'charge' = $2 OR dimensions ->> 'of' = $2`, d.ID.String(), *h.Gift(d.ID).ChargeID), entries)
	require.Len(t, shares, 1)
	require.Equal(t, int64(500), shares[0].Refunded)
	require.Equal(t, d.AmountMinor, shares[0].Gift)
	whats, entries, shares = read(office.Add(t, h.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"}))
	require.Empty(t, whats)
	require.Zero(t, entries)
	require.Empty(t, shares)
	whats, entries, _ = read(nil)
	require.Empty(t, whats)
	require.Zero(t, entries)
}
