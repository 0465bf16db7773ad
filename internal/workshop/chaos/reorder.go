package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// orderGift is one gift with its events in their order.
type orderGift struct {
	donation.Donation
	story    orderCase
	order    string
	events   []program.Event
	intent   string
	fundCode string // code of its fund
}

// reordered tests the orders from first to last, without last.
func reordered(t testing.TB, seed uint64, first, last int, reached func(int)) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: seed | 1}})
	r, f := rand.New(rand.NewPCG(seed, uint64(first))), newFacts(t, h.Fake, "tsne")
	openFunds(t, h, last-first)
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	for from := first; from < last; from += giftsPerGroup {
		var gifts []*orderGift
		for n := from; n < min(from+giftsPerGroup, last); n++ {
			gifts = append(gifts, startOrderGift(t, h, f, n, fmt.Sprintf("own-%d", n-first)))
		}
		if from/giftsPerGroup%4 == 3 {
			deliverAtOnce(t, h, gifts)
		} else {
			deliverStepwise(t, h, r, gifts)
		}
		for range 4 {
			_, err := h.Sweeper.Sweep(t.Context())
			require.NoError(t, err)
			h.RetryParked()
			if h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`) == 0 {
				break
			}
		}
		require.Empty(t, h.Lines(`SELECT format('%s %s %s', type, state, reason) FROM stripe_event WHERE state <> 'done'`))
		for _, g := range gifts {
			require.Equal(t, strings.Join(g.story.end, "\n"), strings.Join(resultOf(h, g), "\n"), "%s, delivered as %s", g.story.name, g.order)
		}
		reached(len(gifts))
	}
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	checked(t, h)
	require.Zero(t, h.Count(`SELECT count(*) FROM receipt_counter c WHERE last <> (SELECT count(*) FROM receipt r WHERE r.entity_id = c.entity_id AND r.year = c.year)`))
	checkExports(t, h.DB.Server)
}

// openFunds creates a restricted fund for each gift, so that what it pays depends on no other gift.
func openFunds(t testing.TB, h *program.Program, n int) {
	t.Helper()
	var csio struct {
		ID       uuid.UUID
		EntityID uuid.UUID `db:"entity_id"`
	}
	require.NoError(t, h.DB.Owner.Get(&csio, `SELECT id, entity_id FROM organisation WHERE slug = 'csio'`))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Owner, func(tx *sqlx.Tx) error {
		for i := range n {
			code := fmt.Sprintf("own-%d", i)
			f := fund.Fund{ID: program.NewID(), EntityID: csio.EntityID, OrganisationID: csio.ID, Slug: code, Code: code,
				Name: phrase.Text{phrase.English: code, phrase.Spanish: code}, Restriction: fund.ByPurpose, Position: 100 + i}
			if err := fund.UpsertTx(t.Context(), tx, f, time.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
}

// startOrderGift starts a gift and makes its case happen at Stripe. No event is delivered.
func startOrderGift(t testing.TB, h *program.Program, f *facts, n int, own string) *orderGift {
	t.Helper()
	form := program.ValidForm()
	form.Fund = own
	g := &orderGift{Donation: h.StartedGift(form), story: orderCases[(n+n/720)%len(orderCases)], fundCode: own}
	h.Pay(g.Donation)
	made := fresh[json.RawMessage](f, "event")
	g.intent = program.IntentID.FindString(string(made[0]))
	require.NoError(t, g.story.happen(h, g.intent))
	all := map[string]program.Event{}
	for _, body := range append(made, fresh[json.RawMessage](f, "event")...) {
		e := h.ParseEvent(body)
		h.Fake.MarkDelivered("tsne", e.ID) // delivered by the test, or never if it is none of the six
		all[e.Type] = e
	}
	for _, i := range permutation(n, len(eventSequence)) {
		e, ok := all[eventSequence[i]]
		require.True(t, ok, "%s: no %s", g.story.name, eventSequence[i])
		require.True(t, bytes.Contains(e.Body, []byte(g.intent)))
		g.events, g.order = append(g.events, e), g.order+" "+eventSequence[i]
	}
	return g
}

// permutation returns the n-th order of k things, modulo their number.
func permutation(n, k int) (order []int) {
	var remaining []int
	for i := range k {
		remaining = append(remaining, i)
	}
	for ; k > 0; k-- {
		i := n % k
		n /= k
		order, remaining = append(order, remaining[i]), slices.Delete(remaining, i, i+1)
	}
	return order
}

// deliverStepwise delivers the first event of every gift, then the second, and so on.
func deliverStepwise(t testing.TB, h *program.Program, r *rand.Rand, gifts []*orderGift) {
	workAtRandom := func() {
		switch r.IntN(5) {
		case 0:
			_, err := h.Collector.ImportDue(t.Context())
			require.NoError(t, err)
		case 1:
			_, err := h.Collector.Sweep(t.Context())
			require.NoError(t, err)
			h.RetryParked()
		case 2, 3:
			h.DrainAll()
		}
	}
	for step := range eventSequence {
		workAtRandom()
		for _, g := range gifts {
			deliver(t, h, g.EntityID, g.events[step])
		}
	}
}

func deliver(t testing.TB, h *program.Program, entity uuid.UUID, e program.Event) {
	t.Helper()
	require.NoError(t, h.Inbox.Receive(t.Context(), entity, "tsne", e.Body, stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...)))
}

// deliverAtOnce delivers everything in parallel, while two event workers and an import of the balance run.
func deliverAtOnce(t testing.TB, h *program.Program, gifts []*orderGift) {
	ctx, stop := context.WithCancel(t.Context())
	var working, delivering sync.WaitGroup
	for range 2 {
		working.Go(func() { h.EventWorker.Run(ctx) })
	}
	working.Go(func() {
		for ctx.Err() == nil {
			_, _ = h.Collector.ImportDue(context.WithoutCancel(ctx)) // a failed import is retried; the sweep after this must succeed
			time.Sleep(20 * time.Millisecond)
		}
	})
	errs := make(chan error, len(gifts)*len(eventSequence))
	for _, g := range gifts {
		for _, e := range g.events {
			delivering.Go(func() {
				errs <- h.Inbox.Receive(t.Context(), g.EntityID, "tsne", e.Body, stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...))
			})
		}
	}
	delivering.Wait()
	stop()
	working.Wait()
	for range len(gifts) * len(eventSequence) {
		require.NoError(t, <-errs)
	}
}

// resultOf returns the result of a gift in the form of orderCase.
func resultOf(h *program.Program, g *orderGift) (end []string) {
	const about = `WITH mine AS (
		    SELECT j.id FROM journal_entry j
		     WHERE j.dimensions->>'donation' = $1 OR j.dimensions->>'charge' = $2
		        OR j.dimensions->>'of' IN (SELECT c.object_id FROM payment_change c JOIN payment p ON p.id = c.payment_id WHERE p.charge_ref = $2))
		SELECT format('%s %s %s', CASE f.code WHEN $3 THEN 'own' ELSE f.code END, p.account_code, sum(p.amount))
		  FROM posting p JOIN mine ON mine.id = p.entry_id JOIN fund f ON f.id = p.fund_id
		 GROUP BY f.code, p.account_code HAVING sum(p.amount) <> 0 ORDER BY 1`
	const receipts = `SELECT format('receipt %s%s%s', r.facts->'amount'->>'minor', CASE WHEN v.reason IS NOT NULL THEN ' void ' || v.reason END,
		       CASE WHEN r.replaces = (SELECT o.id FROM receipt o WHERE o.donation_id = r.donation_id AND o.number < r.number ORDER BY o.number DESC LIMIT 1) THEN ' replaces' END)
		  FROM receipt r LEFT JOIN receipt_void v ON v.receipt_id = r.id WHERE r.donation_id = $1 ORDER BY r.number`
	const tasks = `SELECT format('task %s', kind) FROM finance_task
		WHERE (kind <> 'payment_disputed' OR closed_at IS NULL) AND (split_part(subject, ' ', 1) IN (SELECT $1 UNION SELECT c.object_id FROM payment_change c JOIN payment p ON p.id = c.payment_id WHERE p.charge_ref = $1) OR detail->>'donation' = $2) ORDER BY 1`
	d := h.Gift(g.ID)
	charge := ""
	if d.ChargeID != nil {
		charge = *d.ChargeID
	}
	end = h.Lines(about, d.ID.String(), charge, g.fundCode)
	end = append(end, h.Lines(receipts, d.ID)...)
	end = append(end, "status "+string(d.Status))
	return append(end, h.Lines(tasks, charge, d.ID.String())...)
}
