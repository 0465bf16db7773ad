package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/checkout"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
)

// ValidForm returns a valid form for the organisation csio: $20 to its first fund.
func ValidForm() donation.Form {
	return donation.Form{
		FormID: uuid.New(), Language: "en", Amount: "20", Frequency: "once", Fund: "general",
		Contact: donation.Contact{Contact: contact.Contact{FirstName: "Ana", LastName: "Pérez", Email: "ana@example.org"}},
	}
}

// CurrentCatalog returns the entities, organisations and funds.
func (h *Program) CurrentCatalog() *fund.Catalog {
	h.t.Helper()
	s, err := h.Catalog.Current(h.t.Context())
	require.NoError(h.t, err)
	return s
}

// Offer returns the form's offer of an organisation.
func (h *Program) Offer(slug string) donation.Offer {
	h.t.Helper()
	s := h.CurrentCatalog()
	o, err := s.Organisation(slug)
	require.NoError(h.t, err)
	e, err := s.EntityByID(o.EntityID)
	require.NoError(h.t, err)
	return donation.Offer{Entity: e, Organisation: o, Funds: s.Open(o.ID)}
}

// Submit checks a form for csio and starts its gift. It is safe for concurrent use.
func (h *Program) Submit(f donation.Form) (checkout.Gift, error) { return h.SubmitFor("csio", f) }

// submitRetryTime is how long a form is submitted again after the answer that the database is busy, as it may
// be on a machine that runs many tests.
const submitRetryTime = 20 * time.Second

// SubmitFor is Submit for another organisation. If the database is too busy it submits again, as the page asks a donor
// to do. If the form's earlier gift is paid it submits again, as a donor who wants to give twice.
func (h *Program) SubmitFor(slug string, f donation.Form) (checkout.Gift, error) {
	offer := h.Offer(slug)
	request, err := f.Check(offer)
	if err != nil {
		return checkout.Gift{}, err
	}
	for deadline := time.Now().Add(submitRetryTime); ; {
		d, err := h.Starter.Start(h.t.Context(), offer, request)
		again := errors.Is(err, checkout.ErrPaid) || fault.KindOf(err) == fault.Unexpected && (pg.IsTransient(err) || pg.IsTimeout(err))
		if err == nil || !again || time.Now().After(deadline) {
			return d, err
		}
	}
}

// StartedGift returns a gift whose payment page is open.
func (h *Program) StartedGift(f donation.Form) donation.Donation {
	h.t.Helper()
	d, err := h.Submit(f)
	require.NoError(h.t, err)
	require.NotNil(h.t, d.SessionURL)
	return d.Donation
}

// Checkout returns the checkout of a gift.
func (h *Program) Checkout(d donation.Donation) checkout.Checkout {
	h.t.Helper()
	c, err := checkout.ByDonation(h.t.Context(), h.DB.Server, d.ID)
	require.NoError(h.t, err)
	return c
}

// Pay pays a gift's page with a card that succeeds.
func (h *Program) Pay(d donation.Donation) {
	h.t.Helper()
	require.NoError(h.t, h.Fake.Pay(*h.Checkout(d).SessionID, stripefake.GoodCard))
}

// Gift returns the row of a gift.
func (h *Program) Gift(id uuid.UUID) donation.Donation {
	h.t.Helper()
	d, err := donation.ByID(h.t.Context(), h.DB.Server, id)
	require.NoError(h.t, err)
	return d
}

// Event is an event that the stand-in created.
type Event struct {
	ID   string
	Type string
	Body []byte
}

// EventsOf returns the events about a gift, oldest first.
func (h *Program) EventsOf(d donation.Donation) []Event {
	h.t.Helper()
	var events []Event
	for _, body := range h.Fake.Events() {
		if bytes.Contains(body, []byte(d.ID.String())) {
			events = append(events, h.ParseEvent(body))
		}
	}
	return events
}

// EventOf returns the first event of that type about a gift. It fails the test if there is none.
func (h *Program) EventOf(d donation.Donation, kind string) Event {
	h.t.Helper()
	for _, e := range h.EventsOf(d) {
		if e.Type == kind {
			return e
		}
	}
	h.t.Fatalf("no %s of gift %s", kind, d.ID)
	return Event{}
}

// ParseEvent reads an event's id and type from its body.
func (h *Program) ParseEvent(body []byte) Event {
	h.t.Helper()
	var head struct{ ID, Type string }
	require.NoError(h.t, json.Unmarshal(body, &head))
	return Event{head.ID, head.Type, body}
}

// AlterEvent returns a copy of the event with a new id, changed by do. do gets the event and its object.
func (h *Program) AlterEvent(e Event, do func(event, object map[string]any)) Event {
	h.t.Helper()
	var event map[string]any
	require.NoError(h.t, json.Unmarshal(e.Body, &event))
	event["id"] = "evt_" + uuid.NewString()
	do(event, event["data"].(map[string]any)["object"].(map[string]any))
	body, err := json.Marshal(event)
	require.NoError(h.t, err)
	return h.ParseEvent(body)
}

// PostWebhook posts a webhook with that signature and returns the status.
func (h *Program) PostWebhook(entity string, body []byte, signature string) int {
	request, err := http.NewRequest(http.MethodPost, h.URL+"/hooks/stripe/"+entity, bytes.NewReader(body))
	if err != nil {
		h.t.Error(err)
		return 0
	}
	if signature != "" {
		request.Header.Set("Stripe-Signature", signature)
	}
	response, err := Client().Do(request)
	if err != nil {
		h.t.Error(err)
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// Deliver posts events of tsne's account, correctly signed, and requires that they are accepted.
func (h *Program) Deliver(events ...Event) {
	h.t.Helper()
	for _, e := range events {
		require.Equal(h.t, http.StatusOK, h.PostWebhook("tsne", e.Body, stripefake.Sign(time.Now(), e.Body, WebhookSecrets["tsne"]...)), e.Type)
	}
}

// DrainAll processes all events that are due.
func (h *Program) DrainAll() {
	h.t.Helper()
	for {
		n, err := h.EventWorker.RunBatch(h.t.Context())
		require.NoError(h.t, err)
		if n == 0 {
			return
		}
	}
}

// RetryParked makes the parked events due and processes them.
func (h *Program) RetryParked() {
	h.t.Helper()
	h.Exec(`UPDATE stripe_event SET due_at = now() WHERE state = 'parked'`)
	h.DrainAll()
}

// SettledGift returns a gift that is paid and settled.
func (h *Program) SettledGift(f donation.Form) donation.Donation {
	h.t.Helper()
	d := h.StartedGift(f)
	h.Pay(d)
	h.Deliver(h.EventOf(d, "charge.succeeded"))
	h.DrainAll()
	d = h.Gift(d.ID)
	require.Equal(h.t, donation.Settled, d.Status)
	return d
}

// Settle settles charges in one transaction.
func (h *Program) Settle(charges ...donation.IncomingPayment) ([]donation.Outcome, error) {
	catalog, err := h.Catalog.Current(h.t.Context())
	if err != nil {
		return nil, err
	}
	var outcomes []donation.Outcome
	err = pg.InTx(h.t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		outcomes, err = h.Settler.SettleTx(h.t.Context(), tx, catalog, charges)
		return err
	})
	return outcomes, err
}

// ChargeOf returns a charge that matches a gift, made at a time.
func ChargeOf(d donation.Donation, at time.Time) donation.IncomingPayment {
	return donation.IncomingPayment{
		EntityID: d.EntityID, ChargeRef: "ch_" + d.ID.String(), IntentRef: "pi_" + d.ID.String(), DonationID: d.ID,
		Amount: d.Amount(), ReceivedAt: at, Cause: "evt_" + d.ID.String(),
	}
}

// Exec runs a statement as the owner of the tables.
func (h *Program) Exec(query string, args ...any) {
	h.t.Helper()
	_, err := h.DB.Owner.Exec(query, args...)
	require.NoError(h.t, err)
}

// Count returns the number that a query returns.
func (h *Program) Count(query string, args ...any) (n int) {
	h.t.Helper()
	require.NoError(h.t, h.DB.Owner.Get(&n, query, args...))
	return n
}

// Lines returns the rows of a query, one text each.
func (h *Program) Lines(query string, args ...any) []string {
	h.t.Helper()
	lines := []string{}
	require.NoError(h.t, h.DB.Owner.Select(&lines, query, args...))
	return lines
}

// Postings returns the postings about a gift as "kind | fund | account | amount", sorted.
func (h *Program) Postings(d donation.Donation) []string {
	h.t.Helper()
	return h.Lines(`SELECT format('%s | %s | %s | %s', e.kind, f.code, p.account_code, p.amount)
		FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN fund f ON f.id = p.fund_id
		WHERE e.dimensions->>'donation' = $1 ORDER BY 1`, d.ID.String())
}

// State returns everything stored about a gift as text, without ids and times, so that two histories can be
// compared.
func (h *Program) State(d donation.Donation) string {
	h.t.Helper()
	g := h.Gift(d.ID)
	return fmt.Sprintf("status=%s charge=%t books=%v receipts=%d emails=%d tasks=%d due=%d", g.Status, g.ChargeID != nil, h.Postings(d),
		h.Count(`SELECT count(*) FROM receipt WHERE donation_id = $1`, d.ID),
		h.Count(`SELECT count(*) FROM river_job j JOIN receipt r ON r.id::text = j.args->>'receipt_id' WHERE r.donation_id = $1`, d.ID),
		h.Count(`SELECT count(*) FROM finance_task WHERE detail->>'donation' = $1`, d.ID.String()),
		h.Count(`SELECT count(*) FROM fee_due f JOIN donation d ON d.charge_id = f.charge_id WHERE d.id = $1`, d.ID))
}

// SettledOnce is the State of an ordinary $20 gift to the first fund that is settled and whose fee is not
// booked yet.
const SettledOnce = "status=settled charge=true books=[payment | general | 1010 | 2000 payment | general | 4100 | -2000] receipts=1 emails=1 tasks=0 due=1"

// IntentID matches the id of a payment intent.
var IntentID = regexp.MustCompile(`pi_[0-9A-Za-z]{10,}`)

// IntentOf returns the payment intent of a paid gift, even if no event was delivered.
func (h *Program) IntentOf(d donation.Donation) string {
	h.t.Helper()
	return IntentID.FindString(string(h.EventOf(d, "charge.succeeded").Body))
}

// DeliverNew delivers the events of tsne's account that were not delivered yet, in their order.
func (h *Program) DeliverNew() {
	h.t.Helper()
	all := h.Fake.Bodies("tsne")
	for _, body := range all[h.delivered:] {
		h.Deliver(h.ParseEvent(body))
	}
	h.delivered = len(all)
}

// RunPlanJobs runs the due jobs of plans one after another and returns how many. A job that fails stays due.
func (h *Program) RunPlanJobs() (done int) {
	h.t.Helper()
	var due []struct {
		ID   int64  `db:"id"`
		Kind string `db:"kind"`
		Args []byte `db:"args"`
	}
	require.NoError(h.t, h.DB.Owner.Select(&due, `SELECT id, kind, args FROM river_job WHERE kind IN ('plan_look', 'plan_request', 'plan_dispute') ORDER BY id`))
	for _, job := range due {
		var of struct {
			Plan    uuid.UUID `json:"plan_id"`
			Request uuid.UUID `json:"request_id"`
		}
		require.NoError(h.t, json.Unmarshal(job.Args, &of))
		do, id := h.Plans.SyncPlan, of.Plan
		switch job.Kind {
		case "plan_request":
			do, id = h.Plans.ExecuteRequest, of.Request
		case "plan_dispute":
			do = func(ctx context.Context, _ uuid.UUID) error {
				var dispute plan.DisputeJob
				require.NoError(h.t, json.Unmarshal(job.Args, &dispute))
				return h.Plans.FollowDispute(ctx, dispute)
			}
		}
		if err := do(h.t.Context(), id); err != nil {
			h.t.Logf("%s %s: %v", job.Kind, id, err)
			continue
		}
		h.Exec(`DELETE FROM river_job WHERE id = $1`, job.ID)
		done++
	}
	return done
}

// Today returns the day in an entity's time zone, as pages have it, such as 2026-10-31.
func (h *Program) Today(entity string) string {
	h.t.Helper()
	e, err := h.CurrentCatalog().Entity(entity)
	require.NoError(h.t, err)
	return time.Now().In(e.Location()).Format(time.DateOnly)
}
